"""Held-out comparisons on gold rows: folds that keep groups together, and the standard error of a difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.correlation import measure
from japagen.metrics import METRICS

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FOLDS = 10
RESAMPLES = 500


def groups_of(groups: Sequence[str] | None, n: int) -> Codes:
    """Each row's group as a number, shape (n,); without groups each row is its own."""
    if groups is None:
        return np.arange(n)
    return np.asarray(np.unique(np.asarray(groups), return_inverse=True)[1], dtype=np.intp)


def folds(gold: Codes, groups: Codes, *, seed: int, count: int = FOLDS) -> Iterator[tuple[Codes, Codes]]:
    """Rows to fit on and rows held out, at most `count` times; a group is on one side, labels are spread evenly.

    Args:
        gold: position of each row's label, shape (n,).
        groups: of each row, shape (n,).
        seed: of the order of groups.
        count: how many folds; fewer where there are fewer groups.
    """
    names, first = np.unique(groups, return_index=True)
    shuffled = np.random.default_rng(seed).permutation(len(names))
    by_label = shuffled[np.argsort(gold[first][shuffled], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.intp)
    fold_of[by_label] = np.arange(len(names)) % count
    fold = fold_of[np.searchsorted(names, groups)]
    for number in range(min(count, len(names))):
        yield np.flatnonzero(fold != number), np.flatnonzero(fold == number)


def resamples(groups: Codes, *, seed: int) -> Floats:
    """How often each row stands in each bootstrap resample of whole groups, shape (resamples, n)."""
    count = int(groups.max()) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return np.asarray(drawn[:, groups], dtype=np.float64)


def label_measure(metric: str, gold: Codes, predicted: Codes, labels: int) -> Callable[[Floats], Floats]:
    """From weights of rows, shape (resamples, n), to the metric in each, shape (resamples,)."""
    cells = np.eye(labels**2)[gold * labels + predicted]
    return lambda weights: METRICS[metric]((weights @ cells).reshape(-1, labels, labels))


def number_measure(metric: str, gold: Floats, predicted: Floats) -> Callable[[Floats], Floats]:
    """The same for numbers; NaN where a resample has no correlation.

    Raises:
        Undefined: the correlation has no value on the rows as they are.
    """
    found = measure(metric, gold.tolist(), [predicted.tolist()])
    return lambda weights: found(weights.astype(np.float32))[:, 0]


def mean_measure(of_row: Floats) -> Callable[[Floats], Floats]:
    """The same for a mean over rows, e.g. of log-losses."""
    return lambda weights: np.asarray(weights @ of_row / weights.sum(axis=1))
