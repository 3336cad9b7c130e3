"""Writing that stops by itself (`generate.stop_rule`): texts are asked for in doublings, a student is measured after each.

The rows so far are curated in memory as the stage `curate` will do it (filters, duplicates, contamination), a student
learns from them with several seeds and is scored on gold dev rows. Where the curve through these scores says that twice the
rows gain less than epsilon, no more are asked for. All follows from the replies, which are stored, so that a killed run
goes on to the same end; scores of finished steps are kept beside unfinished trainings.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from japagen.analyze.scaling import expected_gain, points_of
from japagen.analyze.scaling.powerlaw import FEWEST
from japagen.curate import curate
from japagen.evaluate.arms import ArmTrainings
from japagen.evaluate.comparisons import score_json, void
from japagen.evaluate.resampling import Resampled, Resampler
from japagen.evaluate.summary import measured
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.groups import image_groups
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.metrics import Undefined
from japagen.pipeline.bound import CHECKPOINTS, Bound
from japagen.pipeline.rules import rules_of
from japagen.progress import Progress
from japagen.records import Example, digest, rows_digest
from japagen.sections import StopSection
from japagen.streams import stream_seed
from japagen.student import Training, prepare_student
from japagen.tables import write_json

FILE = "stopping.json"
SEEDS = 3
"""Fewest trainings of each size."""
RESAMPLES = 1000


def stop_student(experiment: Experiment, rule: StopSection) -> str:
    """Which student is measured."""
    return rule.student or experiment.train.students[0]


def measuring(experiment: Experiment, rule: StopSection) -> Experiment:
    """The experiment with one student, which learns nothing from the gold dev rows that it is measured on."""
    train = experiment.train
    fixed = {"students": (stop_student(experiment, rule),), "seeds": max(SEEDS, train.seeds), "dev": "synthetic"}
    off = {"anchor": None, "decision": None, "ensemble": False}
    return experiment.model_copy(update={"train": train.model_copy(update=fixed | off)})


@dataclass(slots=True)
class Stopping:
    """The steps so far.

    Attributes:
        bound: of the run.
        rule: when it stops.
        asked: rows asked for per label.
        steps: each with ``asked`` (per label), ``written`` and ``kept`` (texts that came, and those left after curation, of
            all labels), ``score`` on gold dev rows and ``expected_gain`` of twice the rows (None: fewer than three sizes).
    """

    bound: Bound
    rule: StopSection
    asked: int = 0
    steps: list[dict[str, Any]] = field(default_factory=list)
    _rows: list[Example] = field(default_factory=list)

    def ask(self, llm: LLM, store: ReplyStore) -> None:
        """Ask for rows until enough are there; every reply is in the store then."""
        experiment, task = self.bound.experiment, self.bound.task
        prepare_student(stop_student(experiment, self.rule), Training(experiment.train.encoder))
        limit, upto = experiment.generate.per_label, self.rule.start
        while self.asked < limit:
            numbers = range(self.asked, min(upto, limit))
            self.asked, upto = numbers.stop, 2 * numbers.stop
            rows_of = dict.fromkeys(task.label_names, numbers)
            found = generate(experiment, task, llm, store, rows_of=rows_of, on_progress=self.bound.on_progress)
            self._rows += [row for row in found if isinstance(row, Example)]
            if not self._rows or self._step():
                return

    def _step(self) -> bool:
        """Measure the rows so far; whether they are enough."""
        kept, _ = curate(self._rows, rules_of(self.bound.experiment, self.bound.task, self.bound.gold))
        step: dict[str, Any] = {"asked": self.asked, "written": len(self._rows), "kept": len(kept)}
        step["score"] = self._score(kept)
        self.steps.append(step)
        step["expected_gain"] = gain = self._gain()
        return gain is not None and gain < self.rule.epsilon

    def _gain(self) -> float | None:
        points = [
            {"n": step["kept"], "kind": "size", "score": step["score"]}
            for step in self.steps
            if step["score"]["value"] is not None
        ]
        if len({point["n"] for point in points}) < FEWEST:
            return None
        return expected_gain(points_of(points, None, seed=self.bound.experiment.seed))

    def _score(self, kept: Sequence[Example]) -> dict[str, Any]:
        """The student's score on gold dev rows, as JSON; read where this step was measured before."""
        experiment, dev = measuring(self.bound.experiment, self.rule), self.bound.gold.dev
        settings = experiment.train.model_dump(mode="json")
        given = [rows_digest(kept), rows_digest(dev), settings, experiment.seed, self.bound.task.metric]
        folder = self.bound.run.path / CHECKPOINTS
        known = folder / f"stopping-{digest(given)[:16]}.json"
        if known.is_file():
            return dict(json.loads(known.read_text(encoding="utf-8")))
        score = self._measure(experiment, kept, folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(known, score)
        return score

    def _measure(self, experiment: Experiment, kept: Sequence[Example], folder: Path) -> dict[str, Any]:
        task, dev = self.bound.task, self.bound.gold.dev

        def tell(told: Progress) -> None:
            self.bound.on_progress(replace(told, stage="generate"))

        trainings = ArmTrainings(experiment, task, dev, folder, tell, self.bound.say)
        systems, left_out = trainings.arms({f"texts-{self.asked}": kept})
        if not systems:
            return void(Undefined(left_out[0]))
        seed = stream_seed(experiment.seed, "stopping") % 2**32
        resampler = Resampler(len(dev), resamples=RESAMPLES, seed=seed, groups=image_groups(dev))
        found = measured(systems[0], dev, task, task.metric, resampler)
        try:
            return score_json(found.score()) if isinstance(found, Resampled) else void(found)
        except Undefined as reason:
            return void(reason)

    def told(self) -> dict[str, Any]:
        """What ``stopping.json`` holds."""
        experiment = measuring(self.bound.experiment, self.rule)
        return {
            **self.rule.model_dump(mode="json"),
            "student": experiment.train.students[0],
            "seeds": experiment.train.seeds,
            "metric": self.bound.task.metric,
            "gold_rows": len(self.bound.gold.dev),
            "limit": experiment.generate.per_label,
            "per_label": self.asked,
            "stopped": self._enough(),
            "steps": self.steps,
            "sentence": self.sentence(),
        }

    def _enough(self) -> bool:
        gain = self.steps[-1]["expected_gain"] if self.steps else None
        return gain is not None and gain < self.rule.epsilon

    def sentence(self) -> str:
        """Why it stopped."""
        if not self.steps:
            return f"No text came of the first {self.asked} asked for per label."
        metric, gain = self.bound.task.metric, self.steps[-1]["expected_gain"]
        rows = f"{self.asked} texts per label ({self.steps[-1]['kept']} kept in all)"
        if self._enough():
            return (
                f"Stopped at {rows}: twice as many are expected to gain {gain:.4f} {metric} on gold dev rows, less than "
                f"{self.rule.epsilon:g}."
            )
        if gain is None:
            return f"{rows} were asked for, all that generate.per_label allows; a curve needs {FEWEST} measured sizes."
        return (
            f"{rows} were asked for, all that generate.per_label allows; twice as many are expected to gain {gain:.4f} "
            f"{metric} on gold dev rows, so that more would pay."
        )
