"""The learning curve: the experiment's students trained on parts of the synthetic rows, each size holding the smaller ones.

Everything else is as in the training whose students answer for the run; with each seed the rows come in another order. What
is told beside the scores is how much they would move together on other test rows, which a curve through them has to know.
Fits no curve.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from japagen.evaluate.arms import ArmTrainings
from japagen.evaluate.comparisons import score_json
from japagen.evaluate.resampling import Options, Resampled, Resampler
from japagen.evaluate.summary import measured, resampling_options
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.streams import stream
from japagen.task import Task

MOST_RESAMPLES = 1000
"""Of the test rows: enough for a covariance."""


@dataclass(frozen=True, slots=True)
class SizeTrainings(ArmTrainings):
    """The trainings on parts of the rows of one evaluation (arguments as of `ArmTrainings`)."""

    def sizes(self, examples: Sequence[Example], wanted: Sequence[int]) -> tuple[list[System], list[str]]:
        """Each student on so many rows, as systems `japagen-SIZE/STUDENT` of kind "size"; and which are left out, and why.

        Args:
            examples: all rows; a size of as many is the run's own training and is not repeated.
            wanted: the sizes; `train_rows` of a system is its size, rows held out to choose settings on among them.
        """
        decision = self.experiment.train.decision
        systems, left_out = [], []
        orders = [nested(examples, seed=self.experiment.seed, number=n) for n in range(self.experiment.train.seeds)]
        for size in sorted(wanted):
            name = f"japagen-{size}"
            if size > len(examples):
                left_out.append(f"{name}: there are {len(examples)} rows to learn from")
            if size >= len(examples):
                continue
            parts = [order[:size] for order in orders]
            if lost := [label for label in self.task.label_names if any(not _has(part, label) for part in parts)]:
                left_out.append(f"{name}: there is no row of label '{lost[0]}' to learn from")
                continue
            runs = [self._rows(part, number) for number, part in enumerate(parts)]
            found = self.systems("size", name, runs, decision.rows if decision else 0)
            systems += [replace(system, train_rows=size) for system in found]
        return systems, left_out


def nested(examples: Sequence[Example], *, seed: int, number: int) -> list[Example]:
    """All rows in an order whose every beginning has of each label the share that it has of all, to within a row.

    Each label's rows are shuffled, and the labels take turns by the share that was taken of them (Adams' rule: every label
    comes once before one comes twice).

    Args:
        examples: rows.
        seed: of the experiment.
        number: of a student's run; each has an order of its own.
    """
    counts = Counter(row.label for row in examples)
    rows: dict[str, list[Example]] = defaultdict(list)
    for row in examples:
        rows[row.label].append(row)
    turns = []
    for place, label in enumerate(sorted(counts)):
        stream(seed, "size", number, label).shuffle(rows[label])
        turns += [(rank / counts[label], place, row) for rank, row in enumerate(rows[label])]
    return [row for *_, row in sorted(turns, key=lambda turn: turn[:2])]


def told_sizes(
    experiment: Experiment,
    task: Task,
    systems: Sequence[System],
    test: Sequence[Example],
    *,
    rows: int,
    left_out: Sequence[str] = (),
) -> dict[str, Any]:
    """The points of each student's curve, as JSON: in rows learnt from, and of the gold curve beside it.

    ``rows``, ``metric``, ``left_out`` and ``students``, each with ``points`` (``name``, ``kind``: "size", "japagen" for all
    rows or "gold"; ``n``; ``k``; ``score``) and ``covariance``: of the points' means over seeds when the test rows are
    drawn anew, shape (points, points), None where there is one test row or group.

    Args:
        experiment: its students, seeds and resamples.
        task: its metric.
        systems: those of all kinds; curves are made of the sizes, the run's own students and K gold rows per label.
        test: the gold rows that all of them predicted.
        rows: synthetic rows of the run's own students.
        left_out: sizes that are missing, and why.
    """
    options = resampling_options(experiment, test)
    fewer: Options = {**options, "resamples": min(options["resamples"], MOST_RESAMPLES)}
    resampler = Resampler(len(test), **fewer)
    missing, students = list(left_out), []
    for student in experiment.train.students:
        points, found = [], []
        for system in _of_curve(systems, student):
            one = measured(system, test, task, task.metric, resampler)
            try:
                if isinstance(one, Undefined):
                    raise one
                score = score_json(one.score())
            except Undefined as reason:
                missing.append(f"{system.name}: {reason}")
                continue
            whole = system.name == f"japagen/{student}"
            n, kind = (rows, "japagen") if whole else (system.train_rows, system.kind)
            points.append({"name": system.name, "kind": kind, "n": n, "k": system.k, "score": score})
            found.append(one)
        if points:
            students.append({"student": student, "points": points, "covariance": _covariance(found)})
    return {"rows": rows, "metric": task.metric, "students": students, "left_out": missing}


def _of_curve(systems: Sequence[System], student: str) -> list[System]:
    """A student's systems in the order of the curve: sizes, all rows, K gold rows."""
    own = [system for system in systems if system.student == student]
    sizes = sorted((system for system in own if system.kind == "size"), key=lambda system: system.train_rows)
    gold = sorted((system for system in own if system.kind == "gold"), key=lambda system: system.k or 0)
    return [*sizes, *(system for system in own if system.name == f"japagen/{student}"), *gold]


def _covariance(found: Sequence[Resampled]) -> list[list[float]] | None:
    """Of means over seeds in resamples of the test rows, a little larger since a resample varies too little."""
    units = found[0].units
    drawn = np.stack([one.values.mean(axis=1) for one in found])
    drawn = drawn[:, ~np.isnan(drawn).any(axis=0)]
    if units < 2 or drawn.shape[1] < 2:
        return None
    matrix = np.atleast_2d(np.cov(drawn)) * units / (units - 1)
    return [[float(f"{value:.6g}") for value in line] for line in matrix]


def _has(rows: Sequence[Example], label: str) -> bool:
    return any(row.label == label for row in rows)
