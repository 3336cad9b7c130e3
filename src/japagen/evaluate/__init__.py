"""Stage 4: every system is a classifier, is shown the same gold rows and is measured in the same way.

Systems: students trained on synthetic texts; the same students trained on K gold rows per label; the language model asked
directly; the majority label. Nothing here knows how the synthetic texts came about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from japagen.errors import ConfigError
from japagen.evaluate.prompted import PromptedClassifier, Uncalibrated, draw_question_shots
from japagen.evaluate.summary import empty_summary, summarise
from japagen.evaluate.system import System, with_values
from japagen.experiment import Experiment, LLMSection
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Example, Sampling
from japagen.streams import stream, stream_seed
from japagen.student import Classifier, Training, load_student
from japagen.student.ensemble import mean_predictions
from japagen.student.majority import Majority
from japagen.task import Task


@dataclass(slots=True)
class Evaluation:
    """The systems, and what was found, ready to be written as JSON (`summary`)."""

    systems: list[System] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)


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


def evaluate(
    experiment: Experiment,
    task: Task,
    trained: dict[str, list[tuple[Classifier, int]]],
    gold_dev: Sequence[Example],
    gold_test: Sequence[Example],
    llm: LLM | Callable[[], LLM],
    store: ReplyStore,
    *,
    checkpoints: Path | None = None,
    on_progress: Listener = silent,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure all systems on the gold test rows.

    Args:
        experiment: its `evaluate` section says against what.
        task: labels, metric and the words of the question.
        trained: student to its classifiers with the number of rows each learnt from, one per seed.
        gold_dev: pool from which K gold rows per label are drawn.
        gold_test: what is measured on.
        llm: the language model, or how to get it (called only if it is asked).
        store: where its answers are kept.
        checkpoints: folder for the state of unfinished trainings.
        on_progress: told what is being measured.
        say: told what a user should know.

    Raises:
        ConfigError: the experiment asks for prompting and the task has no words for it.
    """
    result = Evaluation()
    if not gold_test:
        result.summary = empty_summary(task)
        return result
    systems = result.systems
    for student, classifiers in trained.items():
        on_progress(Progress("evaluate", f"japagen/{student}", 0, 1))
        systems.append(
            System(
                f"japagen/{student}",
                "japagen",
                tuple(with_values(task, classifier.predict(gold_test)) for classifier, _ in classifiers),
                student=student,
                train_rows=round(sum(rows for _, rows in classifiers) / len(classifiers)),
            )
        )
        on_progress(Progress("evaluate", f"japagen/{student}", 1, 1))
    if experiment.train.ensemble:
        systems += [_ensemble(task, system) for system in systems]
    trainings = _Trainings(experiment, task, checkpoints, on_progress, say)
    systems += _gold_systems(experiment, task, gold_dev, gold_test, trainings)
    prompted, left_out = _prompted_systems(experiment, task, gold_test, llm, store, on_progress)
    systems += prompted
    majority = Majority.fit(gold_test, task.label_names)
    systems.append(System("majority", "majority", (with_values(task, majority.predict(gold_test)),)))
    result.summary = summarise(experiment, task, systems, gold_test)
    measured = {system.k for system in systems if system.kind == "gold"}
    unmeasured = [k for k in experiment.evaluate.gold_shots if k not in measured]
    too_few = [f"gold-{k}: the dev pool has fewer than {k} rows of some label" for k in unmeasured]
    if unmeasured and not gold_dev:
        names = ", ".join(f"gold-{k}" for k in unmeasured)
        too_few = [f"{names}: no gold.dev is given to draw rows from"]
    result.summary["left_out"] = too_few + left_out
    return result


def _ensemble(task: Task, system: System) -> System:
    """The mean of a student's seeds, as one system."""
    mean = with_values(task, mean_predictions(system.predictions))
    return replace(system, name=f"{system.name} ensemble", predictions=(mean,))


@dataclass(frozen=True, slots=True)
class _Trainings:
    """What the trainings on gold rows have in common."""

    experiment: Experiment
    task: Task
    checkpoints: Path | None
    on_progress: Listener
    say: Callable[[str], None]

    def fit(self, student: str, rows: Sequence[Example], *, k: int, number: int) -> Classifier:
        """A student trained on gold rows as on synthetic ones, with the seed of that number."""
        place = self.checkpoints / f"gold-{k}-{student}-{number}" if self.checkpoints else None
        training = Training(self.experiment.train.encoder, self.task.metric, place, say=self.say)
        seed = stream_seed(self.experiment.seed, "student", number) % 2**32
        return load_student(student, training).fit(rows, (), seed=seed)


def _gold_systems(
    experiment: Experiment, task: Task, pool: Sequence[Example], test: Sequence[Example], trainings: _Trainings
) -> list[System]:
    systems, on_progress = [], trainings.on_progress
    for k in experiment.evaluate.gold_shots:
        for name in experiment.train.students:
            predictions = []
            for number in range(experiment.train.seeds):
                on_progress(Progress("evaluate", f"gold-{k}/{name}", number, experiment.train.seeds))
                rows = draw_gold(pool, k, task.label_names, seed=experiment.seed, number=number)
                if rows is None:
                    break
                classifier = trainings.fit(name, rows, k=k, number=number)
                predictions.append(with_values(task, classifier.predict(test)))
            if predictions:
                on_progress(Progress("evaluate", f"gold-{k}/{name}", len(predictions), experiment.train.seeds))
                rows_seen = k * len(task.label_names)
                systems.append(System(f"gold-{k}/{name}", "gold", tuple(predictions), name, rows_seen, k))
    return systems


def _prompted_systems(
    experiment: Experiment,
    task: Task,
    test: Sequence[Example],
    llm: LLM | Callable[[], LLM],
    store: ReplyStore,
    on_progress: Listener,
) -> tuple[list[System], list[str]]:
    """The ways of asking, and what could not be had of them."""
    settings = experiment.evaluate
    if not settings.prompting:
        return [], []
    if task.prompting is None:
        raise ConfigError(
            "evaluate.prompting asks the model directly, but the task has no 'prompting' section",
            where=f"task '{task.name}'",
            remedy="add it (see: japagen new NAME), or set evaluate.prompting: []",
        )
    model = llm if isinstance(llm, LLM) else llm()
    sampling = _sampling(experiment.llm)
    systems, left_out = [], []
    for way in settings.prompting:
        few = way == "few-shot"
        draws = settings.prompting_draws if few else 1
        for calibrate in (False, True) if settings.calibrate else (False,):
            system = f"{way} calibrated" if calibrate else way
            predictions = []
            try:
                for number in range(draws):
                    shots = (
                        draw_question_shots(task, settings.prompting_shots, seed=experiment.seed, number=number)
                        if few
                        else []
                    )
                    name = f"{way}-{number}" if few else way
                    classifier = PromptedClassifier(
                        task, task.prompting, model, store,
                        shots=shots, calibrate=calibrate, name=name, sampling=sampling, on_progress=on_progress,
                    )  # fmt: skip
                    predictions.append(with_values(task, classifier.predict(test)))
            except Uncalibrated as reason:
                left_out.append(f"{system}: {reason}")
                continue
            systems.append(System(system, "prompted", tuple(predictions), k=settings.prompting_shots if few else 0))
    return systems, left_out


def _sampling(llm: LLMSection) -> Sampling:
    """How an answer is drawn: the most probable one, and nothing sent that the experiment does not send."""
    temperature, top_p = (
        None if given is None else value for given, value in ((llm.temperature, 0.0), (llm.top_p, 1.0))
    )
    return Sampling(temperature=temperature, top_p=top_p, max_tokens=llm.max_tokens)


__all__ = ["Evaluation", "System", "draw_gold", "evaluate", "summarise"]
