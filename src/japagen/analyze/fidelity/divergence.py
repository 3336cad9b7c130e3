"""How far two sets of texts are apart in something counted: the Jensen-Shannon divergence of their distributions (Lin 1991).

In bits, between 0 (the same shares) and 1 (nothing in common). Samples of one distribution differ too, the more the fewer
they are and the more categories there are; so both sides are drawn at one size, gold against gold is the ceiling, and a
permutation of whole texts says whether chance explains the difference. What is counted comes as a row of numbers per text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.streams import stream_seed

DRAWS = 50
MOST = 2_000
"""Texts of a side at most; of more, so many are drawn."""
LEAST = 5
"""Texts of a side, from which on it is compared."""
PERMUTATIONS = (999, 4_000)
"""At least and at most; between them twenty for each test, so that Holm's correction can find one."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Distance:
    """A divergence beside its ceiling.

    Attributes:
        value, low, high: of synthetic against gold: mean and range of the draws, in bits.
        ceiling, ceiling_low, ceiling_high: the same of gold against other gold texts.
        p: of "both are drawn from one distribution", by permutations of texts; from up to `MOST` texts of each side.
        n: texts of a side in a draw.
    """

    value: float
    low: float
    high: float
    ceiling: float
    ceiling_low: float
    ceiling_high: float
    p: float
    n: int


def jensen_shannon(left: ArrayLike, right: ArrayLike) -> Floats:
    """The divergence in bits of two arrays of counts or shares, over their last axis.

    Raises:
        UndefinedError: a side has nothing counted.
    """
    p, q = np.asarray(left, np.float64), np.asarray(right, np.float64)
    totals = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    if any((total <= 0).any() for total in totals):
        raise UndefinedError("a distribution of nothing")
    p, q = p / totals[0], q / totals[1]
    middle = (p + q) / 2
    return np.clip(np.asarray(_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2, 0.0, 1.0)


def distances(
    ours: NDArray[np.integer],
    theirs: NDArray[np.integer],
    aspects: Sequence[slice],
    *,
    tests: int = 1,
    seed: int,
) -> list[Distance | None]:
    """The distance of two sets of texts in each of several things counted.

    Args:
        ours: (texts, columns): what was counted in each synthetic text.
        theirs: (texts, columns): the same of gold.
        aspects: the columns of each distribution.
        tests: how many p values there will be in all.
        seed: of draws and permutations.

    Returns:
        For each aspect its distance; None where in some draw a side has nothing of it.

    Raises:
        UndefinedError: there are fewer than `LEAST` texts of ours or twice as many of gold.
    """
    n = min(len(ours), len(theirs) // 2, MOST)
    if n < LEAST:
        raise UndefinedError(f"a distance needs {LEAST} synthetic and {2 * LEAST} gold texts")
    rng = np.random.default_rng(stream_seed(seed, "distances"))
    sums = np.empty((3, DRAWS, ours.shape[1]))
    for at in range(DRAWS):
        halves = rng.choice(len(theirs), 2 * n, replace=False)
        sums[0, at] = ours[rng.choice(len(ours), n, replace=False)].sum(0)
        sums[1, at], sums[2, at] = theirs[halves[:n]].sum(0), theirs[halves[n:]].sum(0)
    few, many = PERMUTATIONS
    permuted = _permuted(ours, theirs, min(many, max(few, 20 * tests)), rng)
    found: list[Distance | None] = []
    for columns in aspects:
        drawn = sums[..., columns]
        if (drawn.sum(-1) == 0).any():
            found.append(None)
            continue
        value, ceiling = jensen_shannon(drawn[0], drawn[1]), jensen_shannon(drawn[1], drawn[2])
        p = _p_value(*(side[:, columns] for side in permuted))
        found.append(Distance(*_summary(value), *_summary(ceiling), p, n))
    return found


def _relative_entropy(p: Floats, middle: Floats) -> Floats:
    ratio = np.divide(p, middle, out=np.ones_like(p), where=p > 0)
    return np.asarray((p * np.log2(ratio)).sum(-1))


def _summary(values: Floats) -> tuple[float, float, float]:
    low, high = float(values.min()), float(values.max())
    return min(max(float(values.mean()), low), high), low, high


def _permuted(
    ours: NDArray[np.integer], theirs: NDArray[np.integer], times: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Counts of two sides, (times + 1, columns) each: as they are, then with the texts dealt anew among the sides."""
    mine, gold = (
        side if len(side) <= MOST else side[rng.choice(len(side), MOST, replace=False)] for side in (ours, theirs)
    )
    pooled = np.concatenate([mine, gold]).astype(np.float32)
    sides = np.zeros((times + 1, len(pooled)), np.float32)
    sides[:, : len(mine)] = 1
    sides[1:] = rng.permuted(sides[1:], axis=1)
    first = (sides @ pooled).astype(np.float64)
    return first, pooled.sum(0, dtype=np.float64) - first


def _p_value(first: Floats, second: Floats) -> float:
    """Share of the permutations, the data itself among them, that are at least as far apart as the data."""
    full = (first.sum(1) > 0) & (second.sum(1) > 0)
    apart = np.ones(len(first))  # a side with nothing is as far from the other as can be
    apart[full] = jensen_shannon(first[full], second[full])
    return float((apart >= apart[0] - 1e-12).mean())
