"""What was found, as JSON: for each system its scores with intervals, its confusions and its difference to the primary one.

A score that has no value says so: its `value` is None and `undefined` says why. Knows nothing of how systems came about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

import numpy as np

from japagen import metrics
from japagen.evaluate import statistics
from japagen.evaluate.gold import image_groups
from japagen.evaluate.resampling import Options, Resampled, resample
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.metrics import Undefined
from japagen.records import Example, Prediction, Score
from japagen.streams import stream_seed
from japagen.task import Task


def metrics_of(task: Task) -> tuple[str, ...]:
    """The metrics that a task's systems are measured by, its own first."""
    fitting = metrics.CORRELATIONS if task.kind == "similarity" else metrics.METRICS
    return tuple(sorted(fitting, key=lambda name: name != task.metric))


def empty_summary(task: Task) -> dict[str, Any]:
    """The summary of a task without gold rows."""
    return {
        "kind": task.kind,
        "metric": task.metric,
        "metrics": list(metrics_of(task)),
        "n": 0,
        "labels": list(task.label_names),
        "primary": None,
        "systems": [],
    }


def summarise(experiment: Experiment, task: Task, systems: Sequence[System], test: Sequence[Example]) -> dict[str, Any]:
    """Scores with intervals, confusion matrices and differences to the primary system, as JSON.

    The primary system is the first student of the experiment, trained on synthetic texts. Rows about images are resampled
    by image (`gold.image_groups`). In similarity the confusions are those of the nearest labels.
    """
    options: Options = {
        "resamples": experiment.evaluate.resamples,
        "seed": stream_seed(experiment.seed, "bootstrap") % 2**32,
        "groups": image_groups(test),
    }
    primary = next((system.name for system in systems if system.kind == "japagen"), None)
    measured = {
        system.name: {m: _measured(system, test, task, m, options) for m in metrics_of(task)} for system in systems
    }
    rows = []
    for system in systems:
        own = measured[system.name][task.metric]
        difference = None
        if primary is not None and system.name != primary:
            difference = _difference(own, measured[primary][task.metric])
        rows.append(
            {
                "name": system.name,
                "kind": system.kind,
                "student": system.student,
                "train_rows": system.train_rows,
                "k": system.k,
                "scores": {metric: _score(found) for metric, found in measured[system.name].items()},
                "confusion": _confusion(system, test, task),
                "unparsed": system.unanswered,
                "answers": len(test) * len(system.predictions),
                "difference": difference,
            }
        )
    found: dict[str, Any] = {"n": len(test), "primary": primary, "smallest_detectable_difference": None}
    if task.kind != "similarity":
        found["smallest_detectable_difference"] = _smallest_difference(len(test))
    return empty_summary(task) | found | {"systems": rows}


def _measured(
    system: System, test: Sequence[Example], task: Task, metric: str, options: Options
) -> Resampled | Undefined:
    try:
        if metric in metrics.CORRELATIONS:
            gold = [example.value for example in test]
            return resample(gold, [_values(run) for run in system.predictions], (), metric, **options)
        said = [[p.label for p in run] for run in system.predictions]
        return resample([example.label for example in test], said, task.label_names, metric, **options)
    except Undefined as reason:
        return reason


def _values(run: Sequence[Prediction]) -> list[float]:
    """The numbers of a run; a row without an answer gets the mean of the others, so that it gains nothing.

    Raises:
        Undefined: no row has an answer.
    """
    given = [p.value for p in run if p.value is not None]
    if not given:
        raise Undefined("no row has an answer")
    mean = fmean(given)
    return [mean if p.value is None else p.value for p in run]


def _confusion(system: System, test: Sequence[Example], task: Task) -> list[list[int]]:
    """Summed over runs, rows gold; one more column where an answer is missing."""
    labels, runs = task.label_names, [[p.label for p in run] for run in system.predictions]
    total = np.zeros((len(labels), len(metrics.answers_of(runs, labels))), dtype=int)
    for run in runs:
        found = metrics.confusion([example.label for example in test], run, labels)
        total[:, : found.shape[1]] += found
    return [[int(n) for n in row] for row in total]


def _difference(system: Resampled | Undefined, primary: Resampled | Undefined) -> dict[str, Any]:
    if isinstance(system, Undefined):
        return _void(system)
    if isinstance(primary, Undefined):
        return _void(Undefined(f"the primary system has no score: {primary}"))
    return _filled(lambda: system.minus(primary))


def _score(found: Resampled | Undefined) -> dict[str, Any]:
    return _void(found) if isinstance(found, Undefined) else _filled(found.score)


def _filled(make: Callable[[], Score]) -> dict[str, Any]:
    try:
        score = make()
    except Undefined as reason:
        return _void(reason)
    return {
        "value": score.value,
        "by_seed": list(score.by_seed),
        "low": score.low,
        "high": score.high,
        "signature": score.signature,
    }


def _void(reason: Undefined) -> dict[str, Any]:
    return {"value": None, "by_seed": [], "low": None, "high": None, "signature": "", "undefined": str(reason)}


def _smallest_difference(n: int) -> float | None:
    try:
        return statistics.smallest_detectable_difference(n)
    except Undefined:  # too few rows to notice anything
        return None
