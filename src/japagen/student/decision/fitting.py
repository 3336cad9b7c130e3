"""Learn a decision: each part is adopted only where gold rows it was not fitted on speak for it, by `rules`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from japagen import metrics
from japagen.student.decision import crossvalidation as cv
from japagen.student.decision.record import Decision, Finding, Part
from japagen.student.decision.rules import judge
from japagen.student.decision.trial import Gold, Trial, fitted
from japagen.student.decision.unlabelled import Source, decide_unlabelled

Floats = NDArray[np.float64]
Kind = Literal["single", "pair", "similarity"]

FEWEST = 20
"""Gold rows below which nothing is learnt from them."""
PARTS: dict[str, tuple[Part, ...]] = {
    "accuracy": ("prior", "temperature"),
    "macro_f1": ("prior", "temperature", "offsets"),
    "mcc": ("prior", "temperature", "offsets"),
    "spearman": ("expectation", "temperature"),
    "pearson": ("expectation", "temperature"),
}


def fit_decision(
    scores: Floats,
    labels: Sequence[str],
    gold: Sequence[str] | Sequence[float] | None,
    *,
    metric: str,
    kind: Kind,
    train_prior: Sequence[float],
    seed: int,
    values: Sequence[float] | None = None,
    groups: Sequence[str] | None = None,
    source: Source | None = None,
) -> Decision:
    """Learn how scores are to become labels.

    Args:
        scores: of gold rows, or of unlabelled texts where `gold` is None, shape (n, labels); from a classifier that was
            not trained on them.
        labels: in the order of columns.
        gold: the rows' labels; for similarity their numbers.
        metric: what labels are to be good at: accuracy, macro_f1, mcc, spearman or pearson.
        kind: of the task.
        train_prior: share of each label in the training set, shape (labels,), no zeros.
        seed: of folds and resamples.
        values: number of each label, for similarity.
        groups: each row's group, e.g. its image; rows of one group stay together.
        source: without gold, scores and labels of rows independent of training; EM is refused without them, and with
            them it can still cost accuracy (see `unlabelled`).

    Raises:
        ValueError: shapes or names that do not fit together: a fault of the caller.
    """
    prior = np.asarray(train_prior, dtype=np.float64)
    _check(scores, labels, gold, metric, kind, prior, values, groups)
    n = len(scores)
    start = Decision.none(labels, metric, values=values if kind == "similarity" else None)
    if gold is None:
        return decide_unlabelled(start, scores, prior / prior.sum(), source)
    start = replace(start, learnt_from=f"{n} gold rows")
    if kind == "similarity":
        numbers = np.array(gold, dtype=np.float64)
        codes = np.abs(numbers - np.array(values, dtype=np.float64)[:, None]).argmin(axis=0)
    else:
        numbers, codes = None, metrics.codes([str(label) for label in gold], labels)
    if refusal := _too_little(codes, labels):
        return _all_refused(start, refusal)
    rows = Gold(scores, codes, numbers, cv.groups_of(groups, n), prior / prior.sum(), seed)
    return _learn(start, rows)


def _learn(start: Decision, gold: Gold) -> Decision:
    trial = Trial(start, gold)
    plain: frozenset[Part] = frozenset(["expectation"] if start.expectation else [])
    adopted, findings = plain, []
    for part in PARTS[start.metric]:
        findings.append(judge(trial, part, adopted))
        adopted = adopted | {part} if findings[-1].adopted else adopted - {part}
    before, after = trial.held_out(plain), trial.held_out(adopted)
    return replace(
        fitted(start, adopted, gold, np.arange(len(gold.codes))),
        before=trial.value(before),
        after=trial.value(after),
        ece_before=trial.ece(before),
        ece_after=trial.ece(after),
        findings=tuple(findings),
    )


def _too_little(codes: NDArray[np.intp], labels: Sequence[str]) -> str | None:
    if len(codes) < FEWEST:
        return f"{len(codes)} gold rows are too few, {FEWEST} are needed"
    if len(set(codes.tolist())) < 2:
        return f"all {len(codes)} gold rows have the label '{labels[int(codes[0])]}'"
    return None


def _all_refused(start: Decision, reason: str) -> Decision:
    """What needs no gold stays: the expectation."""
    findings = [Finding(part, part == "expectation", reason) for part in PARTS[start.metric]]
    return replace(start, findings=tuple(findings))


def _check(
    scores: Floats,
    labels: Sequence[str],
    gold: Sequence[str] | Sequence[float] | None,
    metric: str,
    kind: Kind,
    train_prior: Floats,
    values: Sequence[float] | None,
    groups: Sequence[str] | None,
) -> None:
    if metric not in PARTS or ("expectation" in PARTS[metric]) != (kind == "similarity"):
        raise ValueError(f"no decision for the metric {metric} of a task of kind {kind}")
    if scores.ndim != 2 or scores.shape[1] != len(labels) or not np.isfinite(scores).all():
        raise ValueError(f"no scores of {len(labels)} labels: shape {scores.shape}, or values that are not finite")
    if any(given is not None and len(given) != len(scores) for given in (gold, groups)):
        raise ValueError("gold and groups must have one entry for each row of scores")
    if train_prior.shape != (len(labels),) or not (train_prior > 0).all():
        raise ValueError("the training prior must be above 0 for each label")
    if kind == "similarity" and (values is None or len(values) != len(labels)):
        raise ValueError("similarity needs the number of each label")
