"""The experiment's students trained for comparison, on whatever rows: settings, seeds and decision layer are those of the
students that the run trains.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from japagen.evaluate.system import System, with_values
from japagen.experiment import Experiment
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.streams import stream_seed
from japagen.student import Classifier, Training, load_student
from japagen.student.decision import learn_decision
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class Rows:
    """What one training is given.

    Attributes:
        learnt: rows to learn from.
        held_out: rows to choose settings on; may be none.
        dev: gold rows to learn a decision from; none: there will be no decision.
    """

    learnt: Sequence[Example]
    held_out: Sequence[Example] = ()
    dev: Sequence[Example] = ()


@dataclass(frozen=True, slots=True)
class Trainings:
    """The trainings of one evaluation.

    Args:
        experiment, task: what is trained, and how.
        test: rows to predict.
        checkpoints: folder for the state of unfinished trainings.
        on_progress: told of each training, and of long ones after each step.
        say: told what a user should know.
    """

    experiment: Experiment
    task: Task
    test: Sequence[Example]
    checkpoints: Path | None = None
    on_progress: Listener = silent
    say: Callable[[str], None] = lambda text: None

    def systems(self, kind: str, name: str, runs: Sequence[Rows], decision_rows: int) -> list[System]:
        """Each student trained with all seeds.

        Args:
            kind: of the systems.
            name: what they learn from; a system is called by it and by its student.
            runs: for each seed what is learnt from.
            decision_rows: from how many gold rows a decision is learnt.
        """
        systems = []
        for student in self.experiment.train.students:
            predictions = []
            for number, rows in enumerate(runs):
                self.on_progress(Progress("evaluate", f"{name}/{student}", number, len(runs)))
                classifier = self._fit(student, rows, name=name, number=number, decision_rows=decision_rows)
                predictions.append(with_values(self.task, classifier.predict(self.test)))
            self.on_progress(Progress("evaluate", f"{name}/{student}", len(runs), len(runs)))
            learnt = round(fmean(len(rows.learnt) for rows in runs))
            systems.append(System(f"{name}/{student}", kind, tuple(predictions), student, learnt))
        return systems

    def _fit(self, student: str, rows: Rows, *, name: str, number: int, decision_rows: int) -> Classifier:
        """A student trained as the stage `train` does it, with the seed of that number."""
        experiment = self.experiment
        training = Training(
            experiment.train.encoder,
            self.task.metric,
            self.checkpoints / f"{name}-{student}-{number}" if self.checkpoints else None,
            f"{name}/{student}, seed {number}",
            lambda told: self.on_progress(replace(told, stage="evaluate")),
            self.say,
        )
        seed = stream_seed(experiment.seed, "student", number) % 2**32
        classifier = load_student(student, training).fit(rows.learnt, rows.held_out, seed=seed)
        if experiment.train.decision is None or not rows.dev:
            return classifier
        section = experiment.train.decision.model_copy(update={"rows": decision_rows})
        seed = stream_seed(experiment.seed, "decision", number) % 2**32
        return learn_decision(classifier, rows.learnt, rows.held_out, rows.dev, self.task, section, seed=seed)
