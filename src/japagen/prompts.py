"""Prompts: what exactly a language model is shown, for writing a text and for naming its label.

Two styles. "chat" follows the paper: the system message holds setting and rules, the user turn the instruction of the
label, the reply is the text; a pair takes two calls, of which the second replays the first; shots are earlier turns.
"document" is for base models, which continue a text: a heading that says what the texts have in common, and the shots as
lines. There KADG is the word alone, in what stands before each text. No model is called here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from japagen.knowledge import WORD, Mechanisms
from japagen.llm import Style
from japagen.records import Message
from japagen.task import Prompting, Shot, Task
from japagen.templates import fill, gaps

_STRUCTURED = (
    "\n今回は、互いに異なるものを{n}個まとめて書いてください。上の決まりは、その一つ一つに当てはまります。"
    '答えは {{"texts": ["…", "…"]}} の形の JSON だけにしてください。'
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for beside the label.

    Attributes:
        attributes: KADG attributes of the row, by name.
        mechanisms: which parts of KADG are used.
        shots: example texts, in the order shown; each keeps its own word.
        samples: texts in one structured reply.
    """

    attributes: Mapping[str, str] = field(default_factory=dict)
    mechanisms: Mechanisms = field(default_factory=Mechanisms)
    shots: Sequence[Shot] = ()
    samples: int = 1


def first_prompt(task: Task, *, style: Style, wanted: Wanted) -> tuple[Message, ...]:
    """The messages that ask for the first sentence of a pair (paper, section 3.1: no label is known yet)."""
    if task.first is None:
        raise ValueError(f"task '{task.name}' is not about pairs")
    if style == "document":
        turns = [(_lead(task, _of_shot(shot, wanted)), shot.text) for shot in wanted.shots]
        return _conversation(task.first.heading or task.description, turns, _lead(task, wanted.attributes))
    turns = [(_first(task, _of_shot(shot, wanted), wanted), shot.text) for shot in wanted.shots]
    if wanted.samples > 1:
        turns = _together(_first(task, {}, wanted), wanted)
    return _conversation(_system(task, wanted), turns, _several(_first(task, wanted.attributes, wanted), wanted))


def writing_prompt(
    task: Task, label: str, *, style: Style, wanted: Wanted, first: str | None = None
) -> tuple[Message, ...]:
    """The messages that ask for one text of a label (paper, section 3.1).

    Args:
        task: where the words come from.
        label: the label asked for.
        style: see the module.
        wanted: shots, KADG, number of texts.
        first: the first sentence of a pair, which the label's instruction is about.
    """
    if style == "document":
        return _document(task, label, wanted, first)
    turns: list[tuple[str, str]] = []
    for shot in wanted.shots:
        given = _of_shot(shot, wanted)
        asked = _instruction(task, label, given, wanted)
        if first is None:
            turns.append((asked, shot.text))
        else:
            turns += [(_first(task, given, wanted), shot.text), (asked, shot.text_pair or "")]
    if wanted.samples > 1:
        turns = _together(_instruction(task, label, {}, wanted), wanted)
    if first is not None:
        turns.append((_first(task, wanted.attributes, wanted), first))
    last = _instruction(task, label, wanted.attributes, wanted)
    return _conversation(_system(task, wanted), turns, _several(last, wanted))


def labelling_prompt(
    prompting: Prompting,
    texts: tuple[str, str | None],
    *,
    style: Style,
    shots: Sequence[tuple[tuple[str, str | None], str]],
) -> tuple[Message, ...]:
    """The messages that ask for the label of a text or pair; `shots` are those with their verbalised labels, in order."""

    def question(texts: tuple[str, str | None]) -> str:
        return fill(prompting.question, text=texts[0], text_pair=texts[1] or "")

    system = prompting.system if style == "chat" else prompting.heading
    return _conversation(system, [(question(shown), answer) for shown, answer in shots], question(texts))


def _conversation(system: str, turns: Sequence[tuple[str, str]], last: str) -> tuple[Message, ...]:
    messages = [Message("system", system)]
    for asked, answered in turns:
        messages += [Message("user", asked), Message("assistant", answered)]
    return (*messages, Message("user", last))


def _of_shot(shot: Shot, wanted: Wanted) -> dict[str, str]:
    """A shot's own attributes: of all, only its word is known. A random word says nothing about a shot."""
    shown = shot.word and WORD in wanted.attributes and WORD not in wanted.mechanisms.random
    return {WORD: shot.word} if shown and shot.word else {}


def _system(task: Task, wanted: Wanted) -> str:
    lines = [_choose(task.system, task.system_without_word, wanted.attributes)]
    if wanted.mechanisms.rule and task.knowledge and task.knowledge.rule:
        lines.append(task.knowledge.rule)
    return "\n".join([*lines, *_lines(task, "system", wanted.attributes)])


def _first(task: Task, given: Mapping[str, str], wanted: Wanted) -> str:
    if task.first is None:
        raise ValueError(f"task '{task.name}' is not about pairs")
    return _choose(task.first.instruction, task.first.instruction_without_word, given, wanted.attributes)


def _instruction(task: Task, label: str, given: Mapping[str, str], wanted: Wanted) -> str:
    spec = task.labels[label]
    template, without = task.instructions(label)
    called = spec.description if wanted.mechanisms.descriptions and spec.description else spec.verbalisation
    asked = _choose(template, without, given, wanted.attributes, meaning=spec.meaning, label=called)
    return "\n".join([asked, *_lines(task, "instruction", given)])


def _choose(
    template: str, without: str | None, given: Mapping[str, str], rest: Mapping[str, str] | None = None, **values: str
) -> str:
    """The template, or what takes its place where an attribute that it names is not given."""
    known = dict(given) | values
    if all(gap in known for gap in gaps(template)):
        return fill(template, **known)
    if without is not None:
        return fill(without, **known)
    return fill(template, **(dict(rest or {}) | known))


def _lines(task: Task, part: str, given: Mapping[str, str]) -> list[str]:
    templates = [(name, getattr(attribute, part)) for name, attribute in task.attributes.items()]
    return [fill(template, **{name: given[name]}) for name, template in templates if template and name in given]


def _several(asked: str, wanted: Wanted, n: int | None = None) -> str:
    return asked if wanted.samples == 1 else asked + fill(_STRUCTURED, n=str(n or wanted.samples))


def _together(asked: str, wanted: Wanted) -> list[tuple[str, str]]:
    """The shots as one structured reply, so that they show the form that is asked for."""
    if not wanted.shots:
        return []
    texts = json.dumps({"texts": [shot.text for shot in wanted.shots]}, ensure_ascii=False)
    return [(_several(asked, wanted, len(wanted.shots)), texts)]


def _document(task: Task, label: str, wanted: Wanted, first: str | None) -> tuple[Message, ...]:
    spec = task.labels[label]
    system = fill(spec.heading or task.document.heading, meaning=spec.meaning, verbalisation=spec.verbalisation)

    def lead(given: Mapping[str, str], text: str | None) -> str:
        if text is None:
            return _lead(task, given, verbalisation=spec.verbalisation)
        return fill(task.document.lead_pair, text=text, verbalisation=spec.verbalisation)

    turns = [
        (lead(_of_shot(shot, wanted), shot.text if first is not None else None), shot.text_pair or shot.text)
        for shot in wanted.shots
    ]
    return _conversation(system, turns, lead(wanted.attributes, first))


def _lead(task: Task, given: Mapping[str, str], **values: str) -> str:
    template = task.document.lead_with_word if WORD in given else task.document.lead
    return fill(template, **{WORD: given.get(WORD, "")}, **values)
