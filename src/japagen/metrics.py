"""Metrics as pure functions: confusion matrices and what follows from them, correlations, calibration.

Functions of a confusion matrix take shape (..., L, L), rows gold, columns predicted, so that thousands of bootstrap
resamples cost one call. A matrix of shape (..., L, L + 1) has one more column: rows that got no answer. They are wrong, but
"no answer" is no label: no mean over labels counts it. What has no value raises `Undefined`; the two conventions that
scikit-learn also has are `macro_f1` (labels that occur nowhere are left out) and `mcc` (0 where a side is constant).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from japagen.errors import did_you_mean

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]


NO_ANSWER = ""
"""The label of a prediction where a classifier gave none."""


class Undefined(ValueError):
    """The metric has no value for this input."""


@dataclass(frozen=True, slots=True)
class LabelScore:
    """How one label fared; None where the denominator is zero.

    Attributes:
        gold, predicted: rows that have the label, rows that were given it.
        precision: undefined for a label never predicted.
        recall: undefined for a label not in gold.
        f1: undefined for a label that is neither.
    """

    label: str
    gold: int
    predicted: int
    precision: float | None
    recall: float | None
    f1: float | None


def codes(values: Sequence[str], labels: Sequence[str]) -> NDArray[np.intp]:
    """Position of each value in `labels`, shape (n,).

    Raises:
        Undefined: a value is no label, or a label stands twice.
    """
    position = {label: i for i, label in enumerate(labels)}
    if len(position) != len(labels):
        raise Undefined(f"the labels are not distinct: {', '.join(labels)}")
    try:
        return np.array([position[value] for value in values], dtype=np.intp)
    except KeyError as error:
        raise Undefined(f"unknown label {error}; {did_you_mean(str(error.args[0]), labels)}") from error


def confusion(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> Counts:
    """How often each gold label was given each label, rows gold: shape (L, L), or (L, L + 1) if an answer is missing.

    Raises:
        Undefined: empty or of unequal length, or a label that is not in `labels`.
    """
    if len(gold) != len(predicted) or not gold:
        raise Undefined(f"{len(gold)} gold labels and {len(predicted)} predictions: nothing to compare")
    answers = answers_of([predicted], labels)
    size = (len(labels), len(answers))
    cells = codes(gold, labels) * len(answers) + codes(predicted, answers)
    return np.bincount(cells, minlength=size[0] * size[1]).reshape(size).astype(np.int64)


def answers_of(runs: Sequence[Sequence[str]], labels: Sequence[str]) -> tuple[str, ...]:
    """The columns of confusion matrices: the labels and, where some answer is missing, `NO_ANSWER`."""
    missing = any(answer == NO_ANSWER for run in runs for answer in run)
    return (*labels, NO_ANSWER) if missing else tuple(labels)


def accuracy(counts: ArrayLike) -> Floats:
    """Share of rows on the diagonal, shape (...).

    Raises:
        Undefined: a matrix without rows.
    """
    c = _floats(counts)
    return np.asarray(_diagonal(c).sum(-1) / c.sum((-2, -1)))


def macro_f1(counts: ArrayLike) -> Floats:
    """Mean of the labels' F1, shape (...); F1 = 2 tp / (gold + predicted).

    A label that occurs neither in gold nor among the predictions has no F1 and is left out, as in
    ``sklearn.metrics.f1_score(average="macro")``; one that occurs in gold and is never found counts as 0.

    Raises:
        Undefined: a matrix without rows.
    """
    c = _floats(counts)
    both = c.sum(-1) + _predicted(c)
    f1 = np.divide(2 * _diagonal(c), both, out=np.zeros_like(both), where=both > 0)
    return np.asarray(f1.sum(-1) / (both > 0).sum(-1))


def mcc(counts: ArrayLike) -> Floats:
    """Matthews correlation for L labels, shape (...) (Gorodkin 2004, "Comparing two K-category assignments").

    Where gold or the predictions hold one label only, the correlation is 0/0 and defined as 0, as in scikit-learn
    and CoLA: a constant classifier knows nothing, and a resample may be constant by chance. "No answer" is a category
    that gold does not have.

    Raises:
        Undefined: a matrix without rows.
    """
    c = _floats(counts)
    total, right = c.sum((-2, -1)), _diagonal(c).sum(-1)
    gold, answers = c.sum(-1), c.sum(-2)
    covariance = right * total - (gold * _predicted(c)).sum(-1)
    squared = (total**2 - (gold**2).sum(-1)) * (total**2 - (answers**2).sum(-1))
    return np.asarray(np.divide(covariance, np.sqrt(squared), out=np.zeros_like(covariance), where=squared > 0))


METRICS: dict[str, Callable[[ArrayLike], Floats]] = {"accuracy": accuracy, "macro_f1": macro_f1, "mcc": mcc}
"""Of labels, by their confusion matrix."""


def precision(counts: ArrayLike) -> Floats:
    """Share of each label's predictions that are right, shape (..., L).

    Raises:
        Undefined: a label that was never predicted; `per_label` has None there.
    """
    c = _floats(counts)
    return _ratio(_diagonal(c), _predicted(c), "precision", "predicted")


def recall(counts: ArrayLike) -> Floats:
    """Share of each label's gold rows that were found, shape (..., L).

    Raises:
        Undefined: a label that is not in gold; `per_label` has None there.
    """
    c = _floats(counts)
    return _ratio(_diagonal(c), c.sum(-1), "recall", "in gold")


def per_label(counts: ArrayLike, labels: Sequence[str]) -> list[LabelScore]:
    """Precision, recall and F1 of each label, from one matrix of shape (L, L) or (L, L + 1)."""
    c = np.asarray(counts)
    found, gold, predicted = np.diagonal(c), c.sum(1), c.sum(0)[: len(c)]

    def share(part: int, whole: int) -> float | None:
        return float(part / whole) if whole else None

    return [
        LabelScore(label, int(g), int(p), share(t, p), share(t, g), share(2 * t, g + p))
        for label, t, g, p in zip(labels, found, gold, predicted, strict=True)
    ]


def pearson(x: ArrayLike, y: ArrayLike) -> float:
    """Pearson's correlation of two series of numbers.

    Raises:
        Undefined: fewer than two values, unequal lengths, a value that is not finite, a constant side.
    """
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.ndim != 1 or a.shape != b.shape or len(a) < 2:
        raise Undefined(f"correlation needs two series of two or more values, not shapes {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise Undefined("correlation of values that are not finite")
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        raise Undefined("correlation with a constant")
    a, b = a - a.mean(), b - b.mean()
    # Scaled before squaring: values near the limits of a float do not overflow or vanish.
    a, b = a / np.abs(a).max(), b / np.abs(b).max()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def spearman(x: ArrayLike, y: ArrayLike) -> float:
    """Spearman's rank correlation; equal values share the mean of their ranks.

    Raises:
        Undefined: as for `pearson`.
    """
    from scipy.stats import rankdata

    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise Undefined("correlation of values that are not finite")
    return pearson(rankdata(a), rankdata(b))


CORRELATIONS: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {"spearman": spearman, "pearson": pearson}
"""Of numbers; `correlation` has the same for many resamples at once."""


class ConfidenceBin(NamedTuple):
    """Rows whose confidence lies in one bin of a reliability plot.

    Attributes:
        low, high: edges; the bin holds low < confidence <= high, the first one 0 too.
        n: rows, at least one.
        confidence, accuracy: means over them.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


def reliability(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 10) -> list[ConfidenceBin]:
    """Accuracy against confidence in bins of equal width, empty ones left out (Guo et al. 2017).

    The mean of their gaps, weighted by n, is `ece` with as many bins.

    Args:
        confidence: the score of the predicted label of each row, within [0, 1], shape (n,).
        correct: whether it was right, shape (n,).
        bins: how many.

    Raises:
        Undefined: empty, of unequal length, a confidence outside [0, 1], or what is neither right nor wrong.
    """
    p, hit, bin_of = _binned(confidence, correct, bins)
    n = np.bincount(bin_of, minlength=bins)
    sums = [np.bincount(bin_of, weights=series, minlength=bins) for series in (p, hit)]
    return [
        ConfidenceBin(i / bins, (i + 1) / bins, int(n[i]), *(float(series[i] / n[i]) for series in sums))
        for i in np.flatnonzero(n).tolist()
    ]


def ece(confidence: ArrayLike, correct: ArrayLike, *, bins: int = 15) -> float:
    """Expected calibration error: mean gap between confidence and accuracy (Guo et al. 2017).

    Args:
        confidence: the score of the predicted label of each row, within [0, 1], shape (n,).
        correct: whether it was right, shape (n,).
        bins: bins of equal width, each open on its left but the first.

    Raises:
        Undefined: empty, of unequal length, a confidence outside [0, 1], or what is neither right nor wrong.
    """
    p, hit, bin_of = _binned(confidence, correct, bins)
    gaps = np.bincount(bin_of, weights=hit - p, minlength=bins)
    return float(np.abs(gaps).sum() / len(p))


def _binned(confidence: ArrayLike, correct: ArrayLike, bins: int) -> tuple[Floats, Floats, NDArray[np.intp]]:
    """Confidence, whether it was right, and the number of its bin, shape (n,) each."""
    p, hit = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=np.float64)
    if p.ndim != 1 or p.shape != hit.shape or not len(p):
        raise Undefined(f"calibration needs one confidence per row, not shapes {p.shape} and {hit.shape}")
    if not ((p >= 0) & (p <= 1)).all():
        raise Undefined("a confidence outside [0, 1]")
    if not np.isin(hit, (0, 1)).all():
        raise Undefined("an answer that is neither right nor wrong")
    if bins < 1:
        raise Undefined(f"calibration in {bins} bins")
    # Compared with the edges themselves: p * bins would round 0.07 * 100 up, into the next bin.
    return p, hit, np.searchsorted(np.arange(1, bins) / bins, p, side="left")


def _floats(counts: ArrayLike) -> Floats:
    """As float64, exact for counts; refuses a matrix without rows."""
    c = np.asarray(counts, dtype=np.float64)
    if c.ndim < 2 or c.shape[-1] - c.shape[-2] not in (0, 1):
        raise Undefined(f"no confusion matrix: shape {c.shape}")
    if c.size == 0 or (c.sum((-2, -1)) == 0).any():
        raise Undefined("a confusion matrix without rows")
    return c


def _diagonal(c: Floats) -> Floats:
    return np.diagonal(c, axis1=-2, axis2=-1)


def _predicted(c: Floats) -> Floats:
    """How often each label was predicted, shape (..., L)."""
    return np.asarray(c.sum(-2)[..., : c.shape[-2]])


def _ratio(part: Floats, whole: Floats, name: str, missing: str) -> Floats:
    if (whole == 0).any():
        raise Undefined(f"{name} of a label that is not {missing}")
    return np.asarray(part / whole)
