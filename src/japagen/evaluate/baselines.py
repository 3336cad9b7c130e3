"""The experiment's students trained on gold rows instead of synthetic ones: K rows per label, or all there are.

Student, settings, seeds and decision layer are those of the students trained on synthetic texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from japagen.evaluate.system import System, with_values
from japagen.evaluate.trainings import Rows, Trainings
from japagen.records import Example
from japagen.streams import stream
from japagen.student.ensemble import mean_predictions
from japagen.student.holdout import apart_from, hold_out
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class GoldTrainings(Trainings):
    """The trainings on gold rows of one evaluation (arguments as of `Trainings`)."""

    def few(self, dev: Sequence[Example]) -> tuple[list[System], list[str]]:
        """For each K of `evaluate.gold_shots` each student on K rows per label, and what could not be had.

        Each seed draws rows of its own from the dev rows. That is why there is no ensemble of these systems: it would
        have seen the rows of all seeds.
        """
        settings, seeds = self.experiment.evaluate, range(self.experiment.train.seeds)
        if settings.gold_shots and not dev:
            names = ", ".join(f"gold-{k}" for k in settings.gold_shots)
            return [], [f"{names}: no gold.dev is given to draw rows from"]
        systems, left_out = [], []
        for k in settings.gold_shots:
            draws = [
                draw_gold(dev, k, self.task.label_names, seed=self.experiment.seed, number=number) for number in seeds
            ]
            drawn = [rows for rows in draws if rows is not None]
            if len(drawn) < len(draws):
                left_out.append(f"gold-{k}: the dev pool has fewer than {k} rows of some label")
                continue
            rest = [apart_from(dev, rows) for rows in drawn]
            wanted, fewest = self._decision_rows(dev), min(map(len, rest))
            if fewest < wanted:
                left_out.append(f"the decision of gold-{k}: {fewest} of the {wanted} gold dev rows it needs are left")
                rest = [[]] * len(rest)
            runs = [Rows(rows, dev=left) for rows, left in zip(drawn, rest, strict=True)]
            systems += [replace(system, k=k) for system in self.systems("gold", f"gold-{k}", runs, wanted)]
        return systems, left_out

    def supervised(self, train: Sequence[Example], dev: Sequence[Example]) -> tuple[list[System], list[str]]:
        """Each student on all gold train rows (the paper's fully supervised baseline), and why there is none.

        As in training on synthetic texts, settings are chosen on a share of the rows that is held out, or on the dev rows
        (`train.dev`), and `train.ensemble` adds the mean of the seeds.
        """
        settings = self.experiment.train
        if not self.experiment.evaluate.supervised:
            return [], []
        if not train:
            return [], ["supervised: no gold.train is given to learn from"]
        if missing := [label for label in self.task.label_names if all(row.label != label for row in train)]:
            return [], [f"supervised: gold.train has no row of label '{missing[0]}'"]
        runs = []
        for number in range(settings.seeds):
            rows, held_out = list(train), list(dev)
            if settings.dev == "synthetic":
                rows, held_out = hold_out(train, settings.dev_share, seed=self.experiment.seed, number=number)
            runs.append(Rows(rows, held_out, dev))
        systems = self.systems("supervised", "supervised", runs, self._decision_rows(dev))
        return systems + ([ensemble(self.task, system) for system in systems] if settings.ensemble else []), []

    def _decision_rows(self, dev: Sequence[Example]) -> int:
        """From how many gold dev rows the students trained on synthetic texts learnt their decision; 0: they have none."""
        settings = self.experiment.train
        anchors = settings.anchor.rows if settings.anchor else 0
        return min(settings.decision.rows, len(dev) - anchors) if settings.decision else 0


def draw_gold(
    pool: Sequence[Example], k: int, labels: Sequence[str], *, seed: int, number: int
) -> list[Example] | None:
    """K rows of each label drawn from the pool; None where a label has fewer."""
    drawn: list[Example] = []
    for label in labels:
        rows = [example for example in pool if example.label == label]
        if len(rows) < k:
            return None
        drawn += stream(seed, "gold", k, number, label).sample(rows, k)
    return drawn


def ensemble(task: Task, system: System) -> System:
    """The mean of a student's seeds, as one system."""
    mean = with_values(task, mean_predictions(system.predictions))
    return replace(system, name=f"{system.name} ensemble", predictions=(mean,))
