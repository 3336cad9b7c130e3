"""What was found, as JSON: for each system its scores with intervals, its confusions and its difference to the primary one.

A score that has no value says so: its `value` is None and `undefined` says why. Knows nothing of how systems came about.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from japagen import metrics
from japagen.evaluate import statistics
from japagen.evaluate.calibration import calibration
from japagen.evaluate.comparisons import (
    Guard,
    Measured,
    against_primary,
    difference,
    mcnemar_json,
    score_json,
    tests_json,
    void,
)
from japagen.evaluate.power import TestSet
from japagen.evaluate.resampling import Options, Resampled, Resampler, filled
from japagen.evaluate.statistics import guarded
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.groups import image_groups
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.streams import stream_seed
from japagen.task import Task

Contrast = tuple[str, str, bool]
"""Two systems, and whether the experiment declared that they are to be compared."""


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


def resampling_options(experiment: Experiment, test: Sequence[Example]) -> Options:
    """How the test rows of an experiment are resampled: rows about one image together."""
    return {
        "resamples": experiment.evaluate.resamples,
        "seed": stream_seed(experiment.seed, "bootstrap") % 2**32,
        "groups": image_groups(test),
    }


def summarise(
    experiment: Experiment,
    task: Task,
    systems: Sequence[System],
    test: Sequence[Example],
    *,
    contrast: Contrast | None = None,
    contaminated: Collection[str] = (),
) -> dict[str, Any]:
    """Scores with intervals, confusion matrices, calibration and differences to the primary system, as JSON.

    The primary system is the first student of the experiment, trained on synthetic texts. Rows about images are resampled
    by image (`groups.image_groups`). In similarity the confusions are those of the nearest labels.

    Args:
        experiment: its `evaluate` section says how often is resampled.
        task: labels and metric.
        systems: what they said of `test`.
        test: the gold rows.
        contrast: the two systems that the experiment is about.
        contaminated: ids of test rows that also stand in what was learnt from; scores are given without them too.
    """
    options = resampling_options(experiment, test)
    resampler = Resampler(len(test), **options)
    by_name = {system.name: system for system in systems}

    def guard(a: str, b: str, p: float) -> float:
        if task.kind == "similarity":
            return p
        first, second = ([[one.label for one in run] for run in by_name[name].predictions] for name in (a, b))
        gold, seed, groups = [example.label for example in test], options["seed"], options["groups"]
        return guarded(p, gold, first, second, task.label_names, task.metric, seed=seed, groups=groups)

    primary = next((system.name for system in systems if system.kind == "japagen"), None)
    resampled = {
        system.name: {m: measured(system, test, task, m, resampler) for m in metrics_of(task)} for system in systems
    }
    own = {name: found[task.metric] for name, found in resampled.items()}
    differences = against_primary(own, primary, guard)
    clean = _clean(systems, test, task, options, contaminated)
    rows = []
    for system in systems:
        rows.append(
            {
                "name": system.name,
                "kind": system.kind,
                "student": system.student,
                "train_rows": system.train_rows,
                "k": system.k,
                "scores": {metric: _score(found) for metric, found in resampled[system.name].items()},
                **_by_label(system, test, task),
                "unparsed": system.unanswered,
                "answers": len(test) * len(system.predictions),
                "cost": system.cost,
                "difference": differences.get(system.name),
                "mcnemar": _mcnemar(system, by_name.get(primary or ""), test, task, options),
                **clean.get(system.name, {}),
            }
        )
    found: dict[str, Any] = {"n": len(test), "primary": primary, "smallest_detectable_difference": None}
    if task.kind != "similarity":
        found["smallest_detectable_difference"] = _smallest_difference(test, task, options)
    found["contrast"] = _contrast(contrast, own, guard)
    found["tests"] = tests_json(differences, primary, "groups of rows" if options["groups"] else "rows")
    return empty_summary(task) | found | {"systems": rows}


def _contrast(contrast: Contrast | None, own: Measured, guard: Guard) -> dict[str, Any] | None:
    if contrast is None:
        return None
    system, against, declared = contrast
    told = difference(own, system, against, guard)
    return {"system": system, "against": against, "declared": declared, "difference": told}


def _by_label(system: System, test: Sequence[Example], task: Task) -> dict[str, Any]:
    """Confusions; and of labels that are no numbers, precision and recall of each, and calibration."""
    counts = _confusion(system, test, task)
    if task.kind == "similarity":
        return {"confusion": counts}
    scores = metrics.per_label(np.array(counts), task.label_names)
    return {
        "confusion": counts,
        "per_label": [asdict(score) for score in scores],
        "calibration": calibration(system, test),
    }


def _mcnemar(
    system: System, primary: System | None, test: Sequence[Example], task: Task, options: Options
) -> dict[str, Any] | None:
    """None where items are not independent, or the task's metric is not the share of right ones, which is what it tests."""
    if primary is None or system.name == primary.name or options["groups"] is not None or task.metric != "accuracy":
        return None
    return mcnemar_json(system, primary, test)


def _clean(
    systems: Sequence[System], test: Sequence[Example], task: Task, options: Options, contaminated: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Each system's score without the contaminated rows, where there are any."""
    keep = [place for place, example in enumerate(test) if example.id not in contaminated]
    if len(keep) == len(test):
        return {}
    rows = [test[place] for place in keep]
    groups = options["groups"]
    fewer: Options = {**options, "groups": [groups[place] for place in keep] if groups is not None else None}
    resampler = Resampler(len(rows), **fewer) if rows else None
    found = {}
    for system in systems:
        runs = tuple([run[place] for place in keep] for run in system.predictions)
        some = System(system.name, system.kind, runs)
        score = measured(some, rows, task, task.metric, resampler) if resampler else Undefined("no other row is left")
        found[system.name] = {"clean": _score(score)}
    return found


def measured(
    system: System, test: Sequence[Example], task: Task, metric: str, resampler: Resampler
) -> Resampled | Undefined:
    """A system's metric in each resample of the test rows, or why it has none."""
    try:
        if metric in metrics.CORRELATIONS:
            gold = [example.value for example in test]
            return resampler.measure(gold, [filled([p.value for p in run]) for run in system.predictions], (), metric)
        said = [[p.label for p in run] for run in system.predictions]
        return resampler.measure([example.label for example in test], said, task.label_names, metric)
    except Undefined as reason:
        return reason


def _confusion(system: System, test: Sequence[Example], task: Task) -> list[list[int]]:
    """Summed over runs, rows gold; one more column where an answer is missing."""
    labels, runs = task.label_names, [[p.label for p in run] for run in system.predictions]
    total = np.zeros((len(labels), len(metrics.answers_of(runs, labels))), dtype=int)
    for run in runs:
        found = metrics.confusion([example.label for example in test], run, labels)
        total[:, : found.shape[1]] += found
    return [[int(n) for n in row] for row in total]


def _score(found: Resampled | Undefined) -> dict[str, Any]:
    try:
        return void(found) if isinstance(found, Undefined) else score_json(found.score())
    except Undefined as reason:
        return void(reason)


def _smallest_difference(test: Sequence[Example], task: Task, options: Options) -> float | None:
    """In accuracy; rows in groups count for fewer, as in `japagen power`."""
    rows = TestSet.of([example.label for example in test], options["groups"], task.label_names).effective_rows()
    try:
        return statistics.smallest_detectable_difference(rows)
    except Undefined:  # too few rows to notice anything
        return None
