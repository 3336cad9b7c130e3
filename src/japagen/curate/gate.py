"""Whether a change of the training rows helps: students are trained with and without it and compared on gold dev rows.

What is tried may take rows away (label noise, a judge, a filter), choose among them (a sampler) or add some (a second
round). It is applied only if the gain is larger than its standard error, and every verdict says in a sentence why. Gold
test rows do not come here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.groups import image_groups, text_groups
from japagen.metrics import Undefined, codes
from japagen.progress import Listener, Progress, silent
from japagen.records import Example, Prediction
from japagen.streams import stream_seed
from japagen.student import Student
from japagen.student.decision import FEWEST
from japagen.student.decision import crossvalidation as cv
from japagen.student.decision.trial import Measure
from japagen.student.holdout import hold_out
from japagen.task import Task

Floats = NDArray[np.float64]

FEWEST_MOVED = 3
"""Gold groups that must be answered differently: what one or two rows say is chance."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A comparison on gold dev rows.

    Attributes:
        student: who learnt.
        seeds: trainings of each side.
        gold_rows: rows that they were compared on.
        groups: independent ones among them: rows about one image, or with a text in common, are one.
        metric: the task's.
        plain, changed: its value without and with the change, mean over seeds.
        gain: changed minus plain.
        se: standard error of the gain, see `standard_error`.
    """

    student: str
    seeds: int
    gold_rows: int
    groups: int
    metric: str
    plain: float
    changed: float
    gain: float
    se: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a change is applied.

    Attributes:
        applied: whether its gain on gold is larger than one standard error.
        sentence: why, or why not.
        trial: the comparison; None where there was none.
    """

    applied: bool
    sentence: str
    trial: Trial | None = None


def trial(
    plain: Sequence[Example],
    changed: Sequence[Example],
    gold: Sequence[Example],
    *,
    task: Task,
    student: Student,
    name: str,
    seeds: int = 5,
    seed: int,
    change: str,
    dev_share: float = 0.1,
    on_progress: Listener = silent,
) -> Verdict:
    """Try a change of the training rows on gold.

    With each seed another share of the rows is held out to choose settings on, the same rows on both sides; for similarity
    what is measured is the student's number, or the expectation of the labels' numbers.

    Args:
        plain: training rows as they are.
        changed: training rows as they would be; rows are the same where their ids are.
        gold: dev rows that nobody learns from.
        task: its labels, kind and metric.
        student: who learns.
        name: of the student.
        seeds: how many trainings of each side; 2 or more show how much is chance of training.
        seed: of all draws.
        change: what it is, for the sentence, e.g. ``dropping 12 rows of doubted label``.
        dev_share: share of the rows held out.
        on_progress: told after each training.
    """
    if seeds < 1:
        raise ValueError(f"1 or more seeds are needed, not {seeds}")
    groups = image_groups(gold) or text_groups(gold)
    if refusal := _refusal(plain, changed, gold, groups, change):
        return Verdict(False, refusal)
    sides: tuple[list[list[Prediction]], list[list[Prediction]]] = ([], [])
    for number in range(seeds):
        held = _held_out([*plain, *_new(changed, plain)], dev_share, seed, number)
        for place, rows in enumerate((plain, changed)):
            on_progress(Progress("curate", f"trial of {change}", 2 * number + place, 2 * seeds))
            learnt, dev = _apart(rows, held)
            classifier = student.fit(learnt, dev, seed=stream_seed(seed, "gate", number) % 2**32)
            sides[place].append(classifier.predict(gold))
    on_progress(Progress("curate", f"trial of {change}", 2 * seeds, 2 * seeds))
    of_group = cv.groups_of(groups, len(gold))
    try:
        found = _compare(task, gold, sides, of_group, name, seed)
    except Undefined as error:
        return Verdict(False, f"Not applied: {change} could not be measured on gold: {error}.")
    moved = _moved(task, sides, of_group)
    said = _said(found, change)
    if found.gain <= 0:
        return Verdict(False, f"Not applied: {said}, which is no gain.", found)
    if moved < FEWEST_MOVED:
        reason = f"only {moved} of {found.groups} independent gold rows are answered differently, which is chance"
        return Verdict(False, f"Not applied: {said}, but {reason}.", found)
    if found.gain <= found.se:
        reason = f"a gain of {found.gain:.3f}, not more than its standard error of {found.se:.3f}"
        return Verdict(False, f"Not applied: {said}, {reason}.", found)
    reason = f"a gain of {found.gain:.3f}, more than its standard error of {found.se:.3f}"
    return Verdict(True, f"Applied: {said}, {reason}.", found)


def standard_error(differences: Floats, by_seed: Floats, units: int) -> float:
    """The standard error of a mean difference over seeds, for other gold rows and other seeds.

    The variance over resamples of whole groups, times units / (units - 1) since a resample varies too little by that;
    plus the variance between seeds over their number. The latter holds that of seeds within resamples, which the former
    has already: it is taken off, and what is left is none at least (as in `evaluate.resampling`).

    Args:
        differences: in each resample, shape (resamples, seeds); lines with NaN are left out.
        by_seed: on the rows as they are, shape (seeds,).
        units: independent groups of gold rows, 2 or more.

    Raises:
        Undefined: no resample has a value.
    """
    known = differences[~np.isnan(differences).any(axis=1)]
    if not len(known):
        raise Undefined("no resample has a value")
    variance = float(known.mean(axis=1).var()) * units / (units - 1)
    seeds = len(by_seed)
    if seeds > 1:
        within = float((known - known.mean(axis=1, keepdims=True)).var(axis=0).sum()) / (seeds - 1)
        variance += max(0.0, float(by_seed.var(ddof=1)) - within) / seeds
    return math.sqrt(variance)


def _refusal(
    plain: Sequence[Example], changed: Sequence[Example], gold: Sequence[Example], groups: Sequence[str], change: str
) -> str | None:
    """Why nothing can be tried, or None."""
    if list(plain) == list(changed):
        return "Nothing to try: the training rows stay as they are."
    before, after = ({row.label for row in rows} for rows in (plain, changed))
    if lost := sorted(before - after):
        return f"Not applied: {change} would leave no row of label '{lost[0]}'."
    if len(before) < 2:
        return f"Not applied: {change} cannot be tried on rows of {len(before)} label{'s' if not before else ''}."
    if not gold:
        return f"Not applied: there are no gold dev rows to try {change} on."
    independent = len(set(groups))
    if independent < FEWEST:
        rows = f"{len(gold)} gold dev rows" + (f" in {independent} groups" if independent < len(gold) else "")
        return f"Not applied: {rows} are too few to try {change} on, {FEWEST} independent ones are needed."
    return None


def _new(changed: Sequence[Example], plain: Sequence[Example]) -> list[Example]:
    known = {row.id for row in plain}
    return [row for row in changed if row.id not in known]


def _held_out(rows: Sequence[Example], share: float, seed: int, number: int) -> set[str]:
    """Ids of the rows to choose settings on."""
    return {row.id for row in hold_out(rows, share, seed=stream_seed(seed, "gate"), number=number)[1]}


def _apart(rows: Sequence[Example], held: set[str]) -> tuple[list[Example], list[Example]]:
    """Rows to learn from and rows to choose settings on; no label is held out whole."""
    known = {row.label for row in rows if row.id not in held}
    learnt = [row for row in rows if row.id not in held or row.label not in known]
    return learnt, [row for row in rows if row.id in held and row.label in known]


def _compare(
    task: Task,
    gold: Sequence[Example],
    sides: tuple[list[list[Prediction]], list[list[Prediction]]],
    of_group: NDArray[np.intp],
    name: str,
    seed: int,
) -> Trial:
    """Both sides' values and the standard error of their difference.

    Raises:
        Undefined: the metric has no value, e.g. a correlation with a constant.
    """
    drawn = cv.resamples(of_group, seed=stream_seed(seed, "gate resamples"))
    once = np.ones((1, len(gold)))
    measures = [[_measure(task, gold, said) for said in side] for side in sides]
    before, after = (np.array([measure(once)[0] for measure in side]) for side in measures)
    resampled = [np.stack([measure(drawn) for measure in side], axis=1) for side in measures]
    units = int(of_group.max()) + 1
    return Trial(
        student=name,
        seeds=len(before),
        gold_rows=len(gold),
        groups=units,
        metric=task.metric,
        plain=float(before.mean()),
        changed=float(after.mean()),
        gain=float((after - before).mean()),
        se=standard_error(resampled[1] - resampled[0], after - before, units),
    )


def _measure(task: Task, gold: Sequence[Example], said: Sequence[Prediction]) -> Measure:
    """The task's metric of one training, as a function of weights of rows."""
    if task.kind == "similarity":
        numbers = np.array([row.value for row in gold], dtype=np.float64)
        return cv.number_measure(task.metric, numbers, np.array([_number(task, p) for p in said]))
    labels = task.label_names
    own, given = codes([row.label for row in gold], labels), codes([p.label for p in said], labels)
    return cv.label_measure(task.metric, own, given, len(labels))


def _number(task: Task, prediction: Prediction) -> float:
    if prediction.value is not None:
        return prediction.value
    total = sum(prediction.scores.values())
    return sum(score * (task.value(label) or 0.0) for label, score in prediction.scores.items()) / total


def _moved(task: Task, sides: tuple[list[list[Prediction]], list[list[Prediction]]], of_group: NDArray[np.intp]) -> int:
    """Groups of gold rows of which one at least is answered differently, in any seed."""

    def answer(prediction: Prediction) -> str | float:
        return _number(task, prediction) if task.kind == "similarity" else prediction.label

    differs = np.zeros(len(of_group), dtype=np.bool_)
    for before, after in zip(*sides, strict=True):
        differs |= np.array([answer(a) != answer(b) for a, b in zip(before, after, strict=True)])
    return len(set(of_group[differs].tolist()))


def _said(found: Trial, change: str) -> str:
    rows = f"{found.gold_rows} gold dev rows"
    if found.groups < found.gold_rows:
        rows += f" in {found.groups} groups"
    seeds = f"{found.seeds} seed{'' if found.seeds == 1 else 's'}"
    return (
        f"{change} takes the {found.metric} of student '{found.student}' ({seeds}) on {rows} from {found.plain:.3f} to "
        f"{found.changed:.3f}"
    )
