"""The experiment's students trained on other rows than the run's: round 1 alone, round 1 with a control, more of the same.

An arm is the name of some curated rows. Everything else is as in the training whose students answer for the run, so that an
arm of that training's rows has its predictions. Knows nothing of how the rows of an arm came about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from japagen.evaluate.system import System
from japagen.evaluate.trainings import Rows, Trainings
from japagen.records import Example
from japagen.streams import stream
from japagen.student.holdout import apart_from, hold_out


@dataclass(frozen=True, slots=True)
class ArmTrainings(Trainings):
    """The trainings on arms of one evaluation (arguments as of `Trainings`).

    Args:
        dev: gold dev rows, for `train.dev: gold` and `train.decision`.
        anchors: gold rows that each seed learns from (`train.anchor`), as the stage `train` draws them; empty: none.
    """

    dev: Sequence[Example] = ()
    anchors: Sequence[Sequence[Example]] = field(default=())

    def arms(self, named: Mapping[str, Sequence[Example]]) -> tuple[list[System], list[str]]:
        """Each student on the rows of each arm, as systems `ARM/STUDENT` of kind "arm"; and which are left out, and why."""
        decision = self.experiment.train.decision
        systems, left_out = [], []
        for name, rows in named.items():
            labels = {row.label for row in rows}
            if missing := [label for label in self.task.label_names if label not in labels]:
                left_out.append(f"{name}: there is no row of label '{missing[0]}' to learn from")
                continue
            runs = [self._rows(rows, number) for number in range(self.experiment.train.seeds)]
            systems += self.systems("arm", name, runs, decision.rows if decision else 0)
        return systems, left_out

    def _rows(self, examples: Sequence[Example], number: int) -> Rows:
        """What the seed of that number learns from, and what it chooses settings and its decision on."""
        settings = self.experiment.train
        anchors = list(self.anchors[number]) if self.anchors else []
        left = apart_from(self.dev, anchors)
        rows, held_out = list(examples), left
        if settings.dev == "synthetic":
            rows, held_out = hold_out(examples, settings.dev_share, seed=self.experiment.seed, number=number)
        return Rows([*rows, *anchors], held_out, left)


def after_round(
    first: Sequence[Example], second: Mapping[str, Sequence[Example]], *, seed: int
) -> dict[str, list[Example]]:
    """Round 1 with each way of a second round: accumulated, never replaced, and with as many new rows of a label.

    Of ways that gave more rows of a label than the poorest, as many are drawn, so that what tells the arms apart is what the
    model was shown and not how much it wrote.

    Args:
        first: rows of round 1.
        second: rows of round 2 by their way, e.g. "guided" and "control".
        seed: of the draws.
    """
    counts = [Counter(row.label for row in rows) for rows in second.values()]
    fewest = {label: min(count[label] for count in counts) for label in set().union(*counts)}
    arms = {}
    for name, rows in second.items():
        kept: set[int] = set()
        for label in sorted(fewest):
            places = [place for place, row in enumerate(rows) if row.label == label]
            kept.update(stream(seed, "arm", name, label).sample(places, fewest[label]))
        arms[name] = [*first, *(row for place, row in enumerate(rows) if place in kept)]
    return arms
