"""Shares of rows that are right: intervals, a mean over labels, a test of some rows against the rest, agreement of two.

Counts in, numbers out; knows no row and no source of verdicts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen import significance
from japagen.metrics import Undefined
from japagen.streams import stream_seed

LEVEL = 0.95
RESAMPLES = 2000
_SAME = 1e-7  # probabilities nearer than this, in proportion, are equal but for rounding


@dataclass(frozen=True, slots=True)
class Share:
    """Rows that are right, of how many, and the two-sided 95 % interval of their share."""

    right: int
    rows: int
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two verdicts on the same rows are the same.

    Attributes:
        both, first, second, neither: rows that both call right, only the first, only the second, neither.
        value, low, high: share of rows with the same verdict, and its 95 % interval (Wilson).
        kappa: what of the agreement is not chance (Cohen 1960); None where chance alone would make it perfect.
        kappa_low, kappa_high: its 95 % interval, percentiles of resamples of rows; None where most of these have none.
    """

    both: int
    first: int
    second: int
    neither: int
    value: float
    low: float
    high: float
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


def wilson(right: int, rows: int) -> Share:
    """A share with its score interval (Wilson 1927), which holds for few rows and for shares of 0 and 1, too.

    Raises:
        Undefined: no rows, or more right ones than there are.

    >>> found = wilson(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.49, 0.943)
    """
    if not 0 <= right <= rows or rows == 0:
        raise Undefined(f"{right} of {rows} is no share")
    low, high = significance.wilson(right, rows)
    value = right / rows
    return Share(right, rows, value, min(low, value), max(high, value))


def weighted(parts: Sequence[tuple[Share, float]]) -> Share:
    """The mean of shares by weights, with its interval from theirs (MOVER: Zou and Donner 2008).

    Where rows were drawn evenly over labels, the labels' own numbers as weights give the share of all rows.

    Raises:
        Undefined: no parts, or weights that are not positive.
    """
    if not parts or any(not weight > 0 for _, weight in parts):
        raise Undefined("no shares to average, or a weight that is not positive")
    total = sum(weight for _, weight in parts)
    value = sum(weight * part.value for part, weight in parts) / total
    below = math.sqrt(sum((weight / total * (part.value - part.low)) ** 2 for part, weight in parts))
    above = math.sqrt(sum((weight / total * (part.high - part.value)) ** 2 for part, weight in parts))
    right, rows = sum(part.right for part, _ in parts), sum(part.rows for part, _ in parts)
    return Share(right, rows, value, max(0.0, value - below), min(1.0, value + above))


def against_the_rest(strata: Sequence[tuple[int, int, int, int]]) -> tuple[float, float]:
    """Whether some rows are right as often as the rest with the same label.

    Exact and two-sided: given how many rows of each label are right, those of some rows are hypergeometric, and their sum
    over labels a convolution; p is the probability of all sums that are no likelier than the one that was seen. With one
    label it is Fisher's test.

    Args:
        strata: for each label (right ones of these rows, these rows, right ones of all rows, all rows).

    Returns:
        The share that the rest leads to expect, labels being as frequent as in these rows, and p.

    Raises:
        Undefined: counts that cannot be, or no label in which there are both these rows and others.
    """
    if any(
        not (0 <= seen <= n and seen <= right and n - seen <= rows - right and right <= rows)
        for seen, n, right, rows in strata
    ):
        raise Undefined("counts that cannot be")
    compared = [one for one in strata if 0 < one[1] < one[3]]
    if not compared:
        raise Undefined("there are no others of the same label")
    chances = np.ones(1)
    for _, n, right, rows in compared:
        chances = np.convolve(chances, _hypergeometric(n, right, rows))
    at = sum(seen for seen, *_ in compared)
    p = float(chances[chances <= chances[at] * (1 + _SAME)].sum())
    size = sum(n for _, n, _, _ in compared)
    expected = sum(n * (right - seen) / (rows - n) for seen, n, right, rows in compared) / size
    return expected, min(1.0, p)


def _hypergeometric(n: int, right: int, rows: int) -> NDArray[np.float64]:
    """Probability of 0 to n right ones among n rows, drawn from `rows` of which `right` are right, shape (n + 1,)."""
    from scipy.special import gammaln

    k = np.arange(n + 1)
    possible = (k <= right) & (n - k <= rows - right)
    found = np.zeros(n + 1)
    seen = k[possible]

    def choose(of: int, how_many: NDArray[np.intp]) -> NDArray[np.float64]:
        return np.asarray(gammaln(of + 1) - gammaln(how_many + 1) - gammaln(of - how_many + 1))

    found[possible] = np.exp(choose(right, seen) + choose(rows - right, n - seen) - choose(rows, np.array([n])))
    return np.asarray(found / found.sum())


def agreement(first: Mapping[str, bool], second: Mapping[str, bool], *, seed: int) -> Agreement:
    """How two sources of verdicts agree on the rows that both have looked at.

    Args:
        first: whether the label is right, by row.
        second: the same from another source.
        seed: of the resamples.

    Raises:
        Undefined: they have no row in common.
    """
    cells = [0, 0, 0, 0]
    for name, right in first.items():
        if name in second:
            cells[2 * (not right) + (not second[name])] += 1
    if not sum(cells):
        raise Undefined("no row has both verdicts")
    both, only_first, only_second, neither = cells
    rows = sum(cells)
    share = wilson(both + neither, rows)
    kappa = _kappa(np.array([cells]))[0]
    random = np.random.default_rng(stream_seed(seed, "kappa"))
    drawn = _kappa(random.multinomial(rows, np.array(cells) / rows, size=RESAMPLES))
    known = drawn[~np.isnan(drawn)]
    tail = (1 - LEVEL) / 2
    ends = np.quantile(known, [tail, 1 - tail]) if len(known) > len(drawn) / 2 and not np.isnan(kappa) else None
    return Agreement(
        both, only_first, only_second, neither, share.value, share.low, share.high,
        None if np.isnan(kappa) else float(kappa),
        *((None, None) if ends is None else (float(ends[0]), float(ends[1]))),
    )  # fmt: skip


def _kappa(cells: NDArray[np.int64]) -> NDArray[np.float64]:
    """Cohen's kappa of two verdicts, NaN where both are constant; `cells` (n, 4): both, first, second, neither."""
    both, first, second, neither = (cells / cells.sum(axis=1, keepdims=True)).T
    chance = (both + first) * (both + second) + (neither + first) * (neither + second)
    room = 1 - chance
    found = np.full(len(cells), np.nan)
    np.divide(both + neither - chance, room, out=found, where=room > _SAME)
    return found
