"""The plan: every request of a run, made lazily, a function of the experiment alone and never of what came back.

Making a run larger only adds requests: number i of a label is the same whatever `per_label` is.
"""

from __future__ import annotations

from collections.abc import Iterator

from japagen.experiment import Experiment
from japagen.generate.knowledge import draw_word
from japagen.llm import Style
from japagen.prompts import writing_prompt
from japagen.records import Request, Sampling
from japagen.streams import stream, stream_seed
from japagen.task import Shot, Task

_NEIGHBOURS = 3


def draw_shots(task: Task, label: str, index: int, *, count: int, seed: int) -> list[Shot]:
    """`count` different shots of a label for request number `index`, drawn at random, in the order shown.

    For each request alone every ordered choice is equally likely. Neighbouring requests share the beginning: the
    last shot is drawn for each request, the one before it for every 3 requests, the one before that for every 9, and
    so on. A model that keeps the prefix of its last prompt (or a server that caches prefixes) so computes about 1.5
    shots per request instead of all of them, and the shots nearest the text still change every time.
    """
    rest = list(task.labels[label].shots)
    drawn: list[Shot] = []
    for place in range(count):
        period = _NEIGHBOURS ** (count - 1 - place)
        drawn.append(rest.pop(stream(seed, "shot", label, place, index // period).randrange(len(rest))))
    return drawn


def plan_request(experiment: Experiment, task: Task, label: str, index: int, *, style: Style) -> Request:
    """Request number `index` of a label."""
    settings, seed = experiment.generate, experiment.seed
    word = draw_word(task, label, index, seed=seed) if settings.kadg else None
    shots = draw_shots(task, label, index, count=settings.shots, seed=seed)
    return Request(
        id=f"{label}/{index:06d}",
        messages=writing_prompt(task, label, style=style, shots=shots, word=word),
        sampling=Sampling(
            temperature=experiment.llm.temperature,
            top_p=experiment.llm.top_p,
            max_tokens=experiment.llm.max_tokens,
            stop=("\n",) if style == "document" else (),
        ),
        seed=stream_seed(seed, "reply", label, index),
        label=label,
        word=word,
    )


def plan(experiment: Experiment, task: Task, *, style: Style) -> Iterator[Request]:
    """All requests, label by label."""
    for label in task.label_names:
        for index in range(experiment.generate.per_label):
            yield plan_request(experiment, task, label, index, style=style)
