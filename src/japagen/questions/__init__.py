"""Asking a language model for the label of a text: the questions as requests, a function of task, settings and row.

The prompting baselines ask them of gold rows, the judge of generated ones. `answers` reads what came back. Nothing is asked
here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from japagen.experiment import Experiment
from japagen.llm import Style
from japagen.prompts import labelling_prompt
from japagen.records import Message, Request, Sampling
from japagen.sections import LLMSection
from japagen.streams import stream, stream_seed
from japagen.task import Prompting, Task

Texts = tuple[str, str | None]
Shot = tuple[Texts, str]
"""A text or pair with its verbalised label."""


@dataclass(frozen=True, slots=True)
class Questions:
    """One way of asking for the label, with one draw of examples.

    Attributes:
        name: of the way and the draw, e.g. ``few-shot-1``; ids of requests begin with it.
        prompting: the words.
        style: of the prompt.
        verbalisations: how the labels are called, in their order.
        pair: whether texts are pairs.
        shots: texts or pairs with verbalised labels shown before; none is zero-shot.
        likeliest: how an answer is drawn that is to be the most probable one.
        drawn: how one of several answers is drawn.
        seed: of the experiment; each of several answers has a seed of its own.
    """

    name: str
    prompting: Prompting
    style: Style
    verbalisations: tuple[str, ...]
    pair: bool
    shots: tuple[Shot, ...]
    likeliest: Sampling
    drawn: Sampling
    seed: int

    def choice(self, row: str, texts: Texts) -> Request:
        """The question that is answered by likelihoods of the labels, or by one of them (constrained where possible)."""
        return Request(
            f"{self.name}/row/{row}", self._messages(texts), self.likeliest, choices=self.verbalisations
        )  # fmt: skip

    def content_free(self) -> Request:
        """The same question about a text that says nothing."""
        nothing = self.prompting.content_free
        messages = self._messages((nothing, nothing if self.pair else None))
        return Request(f"{self.name}/content-free", messages, self.likeliest, choices=self.verbalisations)

    def written(self, row: str, texts: Texts, number: int) -> Request:
        """The same question answered in writing, for the time of that number (from 0)."""
        seed = stream_seed(self.seed, "self-consistency", self.name, row, number)
        return Request(f"{self.name}/answer-{number}/{row}", self._messages(texts), self.drawn, seed)

    def _messages(self, texts: Texts) -> tuple[Message, ...]:
        return labelling_prompt(self.prompting, texts, style=self.style, shots=self.shots)


def questions_of(
    experiment: Experiment, task: Task, prompting: Prompting, *, style: Style
) -> Mapping[str, tuple[Questions, ...]]:
    """For each way of `evaluate.prompting` its draws: one for zero-shot, as many as the experiment says for few-shot.

    What the experiment does not send (temperature, top_p, max_tokens of null) is not sent here either.
    """
    llm, settings = experiment.llm, experiment.evaluate
    stop = ("\n",) if style == "document" else ()  # a model that continues a document would go on with its next line
    drawn = Sampling(temperature=llm.temperature, top_p=llm.top_p, max_tokens=llm.max_tokens, stop=stop)

    def make(name: str, shots: tuple[Shot, ...]) -> Questions:
        labels = verbalisations_of(task)
        return Questions(
            name, prompting, style, labels, task.is_pair, shots, likeliest_answer(llm), drawn, experiment.seed
        )

    found: dict[str, tuple[Questions, ...]] = {}
    for way in settings.prompting:
        if way == "zero-shot":
            found[way] = (make(way, ()),)
            continue
        found[way] = tuple(
            make(
                f"{way}-{number}",
                draw_question_shots(task, settings.prompting_shots, seed=experiment.seed, number=number),
            )
            for number in range(settings.prompting_draws)
        )
    return found


def verbalisations_of(task: Task) -> tuple[str, ...]:
    """How the labels are called, in their order."""
    return tuple(spec.verbalisation for spec in task.labels.values())


def likeliest_answer(llm: LLMSection) -> Sampling:
    """How an answer is drawn that is to be the most probable one; what the section does not send is not sent."""
    return Sampling(
        temperature=None if llm.temperature is None else 0.0,
        top_p=None if llm.top_p is None else 1.0,
        max_tokens=llm.max_tokens,
    )


def draw_question_shots(task: Task, per_label: int, *, seed: int, number: int) -> tuple[Shot, ...]:
    """Texts with their verbalised labels for a few-shot question: `per_label` of each label, shuffled."""
    random = stream(seed, "question shots", number)
    shots = [
        ((shot.text, shot.text_pair), spec.verbalisation)
        for spec in task.labels.values()
        for shot in random.sample(spec.shots, min(per_label, len(spec.shots)))
    ]
    random.shuffle(shots)
    return tuple(shots)
