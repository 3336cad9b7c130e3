"""Prompts: what exactly a language model is shown, for writing a text and for naming its label.

Two styles. "chat" follows the paper: the system message holds setting and rules, the user turn the instruction of the
label, the reply is the text; shots are earlier turns. "document" is for base models, which continue a text: a heading
that says what the label's texts have in common, and the shots as lines. No model is called here.
"""

from __future__ import annotations

from collections.abc import Sequence

from japagen.llm import Style
from japagen.records import Message
from japagen.task import Label, Prompting, Shot, Task, fill


def writing_prompt(
    task: Task, label: str, *, style: Style, shots: Sequence[Shot], word: str | None
) -> tuple[Message, ...]:
    """The messages that ask for one text of a label (paper, section 3.1).

    Args:
        task: where the words come from.
        label: the label asked for.
        style: see the module.
        shots: example texts, in the order shown; each keeps its own word.
        word: the KADG word of the text asked for; None leaves it out of the shots as well.
    """
    spec = task.labels[label]
    if style == "chat":
        turns = [(_instruction(task, spec, shot.word if word else None), shot.text) for shot in shots]
        system, last = task.system, _instruction(task, spec, word)
    else:
        turns = [(_lead(task, spec, shot.word if word else None), shot.text) for shot in shots]
        heading = spec.heading or task.document.heading
        system = fill(heading, meaning=spec.meaning, verbalisation=spec.verbalisation)
        last = _lead(task, spec, word)
    return _conversation(system, turns, last)


def labelling_prompt(
    prompting: Prompting, text: str, *, style: Style, shots: Sequence[tuple[str, str]]
) -> tuple[Message, ...]:
    """The messages that ask for the label of a text; `shots` are texts with their verbalised labels, in order."""
    turns = [(fill(prompting.question, text=shown), answer) for shown, answer in shots]
    system = prompting.system if style == "chat" else prompting.heading
    return _conversation(system, turns, fill(prompting.question, text=text))


def _conversation(system: str, turns: Sequence[tuple[str, str]], last: str) -> tuple[Message, ...]:
    messages = [Message("system", system)]
    for asked, answered in turns:
        messages += [Message("user", asked), Message("assistant", answered)]
    return (*messages, Message("user", last))


def _instruction(task: Task, label: Label, word: str | None) -> str:
    if word is None and label.instruction_without_word is not None:
        return fill(label.instruction_without_word, meaning=label.meaning)
    return fill(label.instruction, meaning=label.meaning, word=word or task.title)


def _lead(task: Task, label: Label, word: str | None) -> str:
    template = task.document.lead_with_word if word else task.document.lead
    return fill(template, word=word or "", verbalisation=label.verbalisation)
