"""Correlations in thousands of bootstrap resamples at once.

A resample is a vector of item weights: how often each was drawn. Nothing is sorted again in it: the order of the values
stays, so that ranks follow from running sums of the weights. Knows no system, no interval and no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import CORRELATIONS

Floats = NDArray[np.float64]
Weights = NDArray[np.float32]
Measure = Callable[[Weights], Floats]
"""From weights, shape (resamples, n), to the value of each run, shape (resamples, runs)."""

_AT_ONCE = 250  # resamples; more of them fall out of the processor's cache
_NOTHING = 1e-10  # variance of a resample, as a share of the whole's, below which only rounding is left


def measure(metric: str, gold: Sequence[float], runs: Sequence[Sequence[float]]) -> Measure:
    """A correlation with gold, ready to be computed on resamples; NaN in those where a side is constant.

    Args:
        metric: a name in `metrics.CORRELATIONS`.
        gold: a number for each item, shape (n,).
        runs: for each run a number for each item.

    Raises:
        Undefined: the correlation of a run has no value on the items as they are.
    """
    for run in runs:
        CORRELATIONS[metric](gold, run)
    values = np.array([gold, *runs], dtype=np.float64)
    if metric == "pearson":
        values = values / np.abs(values).max(axis=1, keepdims=True)  # squares neither overflow nor vanish
        values -= values.mean(axis=1, keepdims=True)
        values /= values.std(axis=1, keepdims=True)
        return lambda weights: _pearson(weights.astype(np.float64), values[0], values[1:])
    series = [_Ranked(row) for row in values]

    def in_parts(weights: Weights) -> Floats:
        parts = (weights[start : start + _AT_ONCE] for start in range(0, len(weights), _AT_ONCE))
        return np.concatenate([_spearman(np.ascontiguousarray(part.T, np.float64), series) for part in parts])

    return in_parts


def _pearson(weights: Floats, gold: Floats, runs: Floats) -> Floats:
    """Pearson's correlations, shape (resamples, runs), of standardised values."""
    total = weights.sum(axis=1)
    mean, means = weights @ gold / total, weights @ runs.T / total[:, None]
    spread = weights @ gold**2 / total - mean**2
    spreads = weights @ (runs**2).T / total[:, None] - means**2
    together = weights @ (runs * gold).T / total[:, None] - means * mean[:, None]
    return _ratio(together, spread, spreads, _NOTHING)


def _spearman(weights: Floats, series: Sequence[_Ranked]) -> Floats:
    """Spearman's correlations, shape (resamples, runs); the weights come as (n, resamples)."""
    gold, *runs = series
    own, spread = gold.ranks(weights)
    weighted = weights * own
    together, spreads = np.empty((len(spread), len(runs))), np.empty((len(spread), len(runs)))
    for i, run in enumerate(runs):
        together[:, i], spreads[:, i] = run.against(weighted, weights)
    return _ratio(together, spread, spreads, 0.0)


def _ratio(together: Floats, spread: Floats, spreads: Floats, nothing: float) -> Floats:
    defined = (spread[:, None] > nothing) & (spreads > nothing)
    found = np.full(together.shape, np.nan)
    np.divide(together, np.sqrt(np.where(defined, spread[:, None] * spreads, 1.0)), out=found, where=defined)
    return np.asarray(np.clip(found, -1.0, 1.0))


class _Ranked:
    """Numbers in the order of their size; equal ones form a group.

    A group of weight w with weight c below it has rank c + (w + 1) / 2; their mean is (n + 1) / 2, n being the whole
    weight. The squares of the distances to it, times the weights, sum to (n³ - Σ w³) / 12.
    """

    def __init__(self, values: Floats) -> None:
        distinct, self._group = np.unique(values, return_inverse=True)
        self._order = np.argsort(self._group, kind="stable")
        self._starts = np.searchsorted(self._group[self._order], np.arange(len(distinct)))

    def ranks(self, weights: Floats) -> tuple[Floats, Floats]:
        """Ranks within each resample minus their mean, shape (n, resamples), and the sum of their squares, (resamples,)."""
        ranks, spread = self._ranks(self._by_group(weights))
        return ranks[self._group], spread

    def against(self, weighted: Floats, weights: Floats) -> tuple[Floats, Floats]:
        """Sum of the ranks' products with others that are weighted already, and of their own squares, (resamples,) each."""
        ranks, spread = self._ranks(self._by_group(weights))
        return np.einsum("gr,gr->r", self._by_group(weighted), ranks), spread

    def _by_group(self, weights: Floats) -> Floats:
        """Sums within each group, shape (groups, resamples)."""
        ordered = weights[self._order]
        return ordered if len(self._starts) == len(ordered) else np.add.reduceat(ordered, self._starts, axis=0)

    def _ranks(self, drawn: Floats) -> tuple[Floats, Floats]:
        ranks = np.cumsum(drawn, axis=0)
        whole = ranks[-1].copy()
        ranks -= (drawn + whole) / 2
        return ranks, (whole**3 - np.einsum("gr,gr,gr->r", drawn, drawn, drawn)) / 12
