"""Stage 4: every system is a classifier, is shown the same gold rows and is measured in the same way.

Systems: students trained on synthetic texts; the same students trained on K gold rows per label; the language model asked
directly; the majority label. Nothing here knows how the synthetic texts came about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from japagen.errors import ConfigError
from japagen.evaluate import metrics, statistics
from japagen.evaluate.prompted import PromptedClassifier, draw_question_shots
from japagen.experiment import Experiment
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Example, Prediction, Score
from japagen.streams import stream, stream_seed
from japagen.student import Classifier, load_student
from japagen.student.majority import Majority
from japagen.task import Task

METRICS = ("accuracy", "macro_f1", "mcc")


@dataclass(frozen=True, slots=True)
class System:
    """One line of the comparison.

    Attributes:
        name: e.g. ``japagen/embedding``, ``gold-5/linear``, ``few-shot``.
        kind: "japagen", "gold", "prompted" or "majority".
        predictions: by seed, one prediction per test row, in the rows' order.
        student: the student's name, for the first two kinds.
        train_rows: labelled rows it learnt from (mean over seeds), 0 for the others.
        k: gold rows per label it has seen, where that has a meaning.
    """

    name: str
    kind: str
    predictions: tuple[list[Prediction], ...]
    student: str | None = None
    train_rows: int = 0
    k: int | None = None


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
    on_progress: Listener = silent,
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
        on_progress: told what is being measured.

    Raises:
        ConfigError: the experiment asks for prompting and the task has no words for it.
    """
    result = Evaluation()
    if not gold_test:
        result.summary = {
            "metric": task.metric,
            "n": 0,
            "labels": list(task.label_names),
            "systems": [],
            "primary": None,
        }
        return result
    systems = result.systems
    for student, classifiers in trained.items():
        on_progress(Progress("evaluate", f"japagen/{student}", 0, 1))
        systems.append(
            System(
                f"japagen/{student}",
                "japagen",
                tuple(classifier.predict(gold_test) for classifier, _ in classifiers),
                student=student,
                train_rows=round(sum(rows for _, rows in classifiers) / len(classifiers)),
            )
        )
        on_progress(Progress("evaluate", f"japagen/{student}", 1, 1))
    systems += _gold_systems(experiment, task, gold_dev, gold_test, on_progress)
    systems += _prompted_systems(experiment, task, gold_test, llm, store, on_progress)
    majority = Majority.fit(gold_dev or gold_test, task.label_names)
    systems.append(System("majority", "majority", (majority.predict(gold_test),)))
    result.summary = summarise(experiment, task, systems, gold_test)
    measured = {system.k for system in systems if system.kind == "gold"}
    result.summary["left_out"] = [
        f"gold-{k}: the dev pool has fewer than {k} rows of some label"
        for k in experiment.evaluate.gold_shots
        if k not in measured
    ]
    return result


def _gold_systems(
    experiment: Experiment, task: Task, pool: Sequence[Example], test: Sequence[Example], on_progress: Listener
) -> list[System]:
    systems = []
    for k in experiment.evaluate.gold_shots:
        for name in experiment.train.students:
            predictions = []
            for number in range(experiment.train.seeds):
                on_progress(Progress("evaluate", f"gold-{k}/{name}", number, experiment.train.seeds))
                rows = draw_gold(pool, k, task.label_names, seed=experiment.seed, number=number)
                if rows is None:
                    break
                seed = stream_seed(experiment.seed, "student", number) % 2**32
                predictions.append(load_student(name).fit(rows, (), seed=seed).predict(test))
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
) -> list[System]:
    settings = experiment.evaluate
    if not settings.prompting:
        return []
    if task.prompting is None:
        raise ConfigError(
            "evaluate.prompting asks the model directly, but the task has no 'prompting' section",
            where=f"task '{task.name}'",
            remedy="add it (see: japagen new NAME), or set evaluate.prompting: []",
        )
    model = llm if isinstance(llm, LLM) else llm()
    systems = []
    for way in settings.prompting:
        few = way == "few-shot"
        draws = settings.prompting_draws if few else 1
        for calibrate in (False, True) if settings.calibrate else (False,):
            predictions = []
            for number in range(draws):
                shots = (
                    draw_question_shots(task, settings.prompting_shots, seed=experiment.seed, number=number)
                    if few
                    else []
                )
                name = f"{way}-{number}" if few else way
                classifier = PromptedClassifier(
                    task, task.prompting, model, store,
                    shots=shots, calibrate=calibrate, name=name, on_progress=on_progress,
                )  # fmt: skip
                predictions.append(classifier.predict(test))
            name = f"{way} calibrated" if calibrate else way
            systems.append(System(name, "prompted", tuple(predictions), k=settings.prompting_shots if few else 0))
    return systems


def summarise(experiment: Experiment, task: Task, systems: Sequence[System], test: Sequence[Example]) -> dict[str, Any]:
    """Scores with intervals, confusion matrices and differences to the primary system, as JSON.

    The primary system is the first student of the experiment, trained on synthetic texts.
    """
    labels = task.label_names
    gold = [example.label for example in test]
    resamples, seed = experiment.evaluate.resamples, stream_seed(experiment.seed, "bootstrap") % 2**32
    said = {system.name: [[p.label for p in run] for run in system.predictions] for system in systems}
    primary = next((system.name for system in systems if system.kind == "japagen"), None)
    rows = []
    for system in systems:
        runs = said[system.name]
        scores = {m: statistics.bootstrap(gold, runs, labels, m, resamples=resamples, seed=seed) for m in METRICS}
        difference = None
        if primary is not None and system.name != primary:
            difference = statistics.difference(
                gold, runs, said[primary], labels, task.metric, resamples=resamples, seed=seed
            )
        confusion = sum((metrics.confusion(gold, run, labels) for run in runs), np.zeros((len(labels),) * 2, int))
        rows.append(
            {
                "name": system.name,
                "kind": system.kind,
                "student": system.student,
                "train_rows": system.train_rows,
                "k": system.k,
                "scores": {m: _score(score) for m, score in scores.items()},
                "confusion": confusion.tolist(),
                "difference": _score(difference) if difference else None,
            }
        )
    return {
        "metric": task.metric,
        "n": len(test),
        "labels": list(labels),
        "primary": primary,
        "smallest_detectable_difference": _smallest_difference(len(test)),
        "systems": rows,
    }


def _smallest_difference(n: int) -> float | None:
    try:
        return statistics.smallest_detectable_difference(n)
    except metrics.Undefined:  # too few rows to notice anything
        return None


def _score(score: Score) -> dict[str, Any]:
    return {
        "value": score.value,
        "by_seed": list(score.by_seed),
        "low": score.low,
        "high": score.high,
        "signature": score.signature,
    }


__all__ = ["Evaluation", "System", "draw_gold", "evaluate", "summarise"]
