"""More rows than the first stage wrote: topping up labels that lost many, and the second round after a student's errors.

Both ask the same model through the replies of the first stage, so that nothing is asked for twice.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from japagen.curate.guidance import Guides, guides, topic_vectors
from japagen.generate import generate
from japagen.pipeline.bound import Bound
from japagen.records import Dropped, Example, Failed
from japagen.streams import stream_seed
from japagen.student import Training, load_student
from japagen.student.holdout import hold_out
from japagen.task import Shot, Task

SMALLEST_YIELD = 0.05
"""Share of rows kept that is reckoned with at least, so that one bad round does not ask for all at once."""
GUIDES = 20
"""Most guides of a label."""
ROUND_TWO = "round-2"
CONTROL = "control"
ROUND = "round"
"""Column of the rows of the second round."""


@dataclass(slots=True)
class Written:
    """What came of asking: rows, rows lost in parsing, rows that never came."""

    rows: list[Example] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)

    def add(self, other: Written) -> None:
        """Take in the rows of another asking."""
        self.rows += other.rows
        self.dropped += other.dropped
        self.failed += other.failed


def write_more(bound: Bound, rows_of: Mapping[str, range], *, task: Task | None = None, name: str = "") -> Written:
    """Ask for these rows.

    Args:
        bound: of the run.
        rows_of: which numbers of which label.
        task: another wording than the run's, e.g. with other shots.
        name: put before the ids of the rows, for a round of its own.
    """

    def named(row: Example) -> Example:
        return replace(row, id=f"{name}/{row.id}", meta={**row.meta, ROUND: 2}) if name else row

    found = Written()
    with bound.store("generate") as store:
        for row in generate(
            bound.experiment, task or bound.task, bound.model(), store, rows_of=rows_of, on_progress=bound.on_progress
        ):
            match row:
                case Example():
                    found.rows.append(named(row))
                case Dropped():
                    found.dropped.append(replace(row, example=named(row.example)))
                case Failed():
                    found.failed.append(replace(row, id=f"{name}/{row.id}" if name else row.id))
    return found


class TopUp:
    """Asks for as many rows of each label as are missing, judging by how many were kept so far.

    Args:
        wanted: rows of each label after curation.
        labels: of the task.
        factor: at most so many times `wanted` are asked for in all.
    """

    def __init__(self, wanted: int, labels: Sequence[str], factor: float) -> None:
        self.wanted, self.factor = wanted, factor
        self.asked = dict.fromkeys(labels, wanted)
        self.limit = math.floor(wanted * factor)
        self.rounds: list[dict[str, dict[str, int]]] = []

    def missing(self, kept: Sequence[Example]) -> dict[str, range]:
        """The numbers of the rows to ask for next, by label; empty where all is there, or the limit reached."""
        have = Counter(row.label for row in kept)
        if self.rounds:
            self.rounds[-1]["kept"] = {label: have[label] for label in self.asked}
        rows_of = {}
        for label, asked in self.asked.items():
            missing = self.wanted - have[label]
            if missing > 0 and asked < self.limit:
                share = max(have[label] / asked, SMALLEST_YIELD)
                rows_of[label] = range(asked, min(self.limit, asked + math.ceil(missing / share)))
        for label, numbers in rows_of.items():
            self.asked[label] = numbers.stop
        if rows_of:
            self.rounds.append({"asked": {label: len(numbers) for label, numbers in rows_of.items()}})
        return rows_of

    def told(self, kept: Sequence[Example]) -> dict[str, Any]:
        """What was asked and reached, as JSON."""
        have = Counter(row.label for row in kept)
        short = [label for label in self.asked if have[label] < self.wanted]
        if short:
            lacks = ", ".join(f"{label} has {have[label]}" for label in short)
        if any(self.asked[label] < self.limit for label in short):
            sentence = f"{self.wanted} rows of each label were reached, but labels were doubted after that: {lacks}."
        elif short:
            sentence = (
                f"{self.wanted} rows of each label were wanted, but {lacks}, though {self.limit} were asked for, the most "
                f"that top_up_factor {self.factor:g} allows: look at what was dropped, or raise the factor."
            )
        else:
            more = sum(sum(one["asked"].values()) for one in self.rounds)
            sentence = f"Each label has the {self.wanted} rows wanted; {more} more than planned were asked for."
        return {
            "factor": self.factor,
            "rounds": self.rounds,
            "wanted": self.wanted,
            "reached": {label: have[label] for label in self.asked},
            "short": short,
            "sentence": sentence,
        }


def surplus(kept: Sequence[Example], wanted: int) -> list[Dropped]:
    """The rows of each label beyond the number wanted: the last of them."""
    seen: Counter[str] = Counter()
    dropped = []
    for row in kept:
        seen[row.label] += 1
        if seen[row.label] > wanted:
            dropped.append(Dropped(row, "surplus", f"{wanted} rows of '{row.label}' were there already"))
    return dropped


def choose_guides(bound: Bound, kept: Sequence[Example]) -> Guides:
    """The gold dev rows that the first student gets wrong after a first round, and their control."""
    experiment, task, seed = bound.experiment, bound.task, bound.experiment.seed
    name = experiment.train.students[0]
    student = load_student(name, Training(experiment.train.encoder, task.metric))
    rows, dev = hold_out(kept, experiment.train.dev_share, seed=seed, number=0)
    classifier = student.fit(rows, dev, seed=stream_seed(seed, "guide") % 2**32)
    values = {label: task.value(label) or 0.0 for label in task.label_names} if task.kind == "similarity" else None
    return guides(
        bound.gold.dev,
        classifier.predict(bound.gold.dev),
        vectors=topic_vectors(bound.gold.dev),
        most=GUIDES,
        seed=seed,
        values=values,
    )


def second_round(bound: Bound, found: Guides) -> dict[str, Written]:
    """The rows written after the guides, and as many after the control, by name of the round; none without guides.

    Their numbers begin after those of the first round, so that a label without guides gets new rows too, not the same again;
    they are the same in both.
    """
    if not found.wrong:
        return {}
    settings = bound.experiment
    start, size = settings.generate.per_label, settings.generate.per_label
    if settings.curate.top_up:
        start = math.floor(start * settings.curate.top_up_factor)
    rows_of = dict.fromkeys(bound.task.label_names, range(start, start + size))
    return {
        name: write_more(bound, rows_of, task=_shown(bound.task, rows, 2 * bound.experiment.generate.shots), name=name)
        for name, rows in ((ROUND_TWO, found.wrong), (CONTROL, found.control))
    }


def _shown(task: Task, rows: Sequence[Example], fewest: int) -> Task:
    """The task with these rows as shots; a label with fewer rows than `fewest` keeps some shots of its own beside them."""
    labels = {}
    for name, label in task.labels.items():
        new = [Shot(text=row.text, text_pair=row.text_pair) for row in rows if row.label == name]
        own = label.shots[: max(0, fewest - len(new))]
        labels[name] = label.model_copy(update={"shots": (*new, *own)})
    return task.model_copy(update={"labels": labels})
