"""Density and coverage (Naeem et al. 2020): do synthetic texts lie where gold lies, and everywhere where gold lies?

Around each gold row is a ball that reaches to its k-th nearest gold neighbour. Density is the mean number of balls that a
synthetic row lies in, over k: near 1 for texts like gold, below for texts beside it, above for texts in its middle.
Coverage is the share of balls that hold a synthetic row: what the synthetic rows leave out lowers it. Both depend on n
and k; gold against gold reaches 1 and, for k=5, about .97.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.compared import RESAMPLES, Compared, compared, weights
from japagen.analyze.vectors.encoder import Vectors, in_own_order

NEIGHBOURS = 5


def inside(reference: Vectors, rows: Vectors, *, k: int = NEIGHBOURS) -> NDArray[np.bool_]:
    """Which rows lie in which balls of the reference, edges included, shape (reference, rows); distances are Euclidean.

    Raises:
        UndefinedError: the reference has no more than `k` rows, or there are no rows.
        ValueError: `k` is below 1.
    """
    from scipy.spatial.distance import cdist

    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    if len(reference) <= k or not len(rows):
        raise UndefinedError(
            f"{len(reference)} rows of reference and {len(rows)} others have no balls of {k} neighbours"
        )
    own = cdist(reference, reference, "sqeuclidean")
    np.fill_diagonal(own, np.inf)  # no row is its own neighbour
    radii = np.partition(own, k - 1, axis=1)[:, k - 1]
    return np.asarray(cdist(reference, rows, "sqeuclidean") <= radii[:, None])


def density(lies: NDArray[np.bool_], *, k: int = NEIGHBOURS) -> float:
    """Balls that a row lies in, on average, over k; from `inside`."""
    return float(lies.sum(axis=0).mean() / k)


def coverage(lies: NDArray[np.bool_]) -> float:
    """Share of balls that hold a row; from `inside`."""
    return float(lies.any(axis=1).mean())


def compared_coverage(
    reference: Vectors,
    synthetic: Vectors,
    other: Vectors,
    *,
    encoder: str,
    seed: int,
    k: int = NEIGHBOURS,
    resamples: int = RESAMPLES,
) -> dict[str, Compared]:
    """Density and coverage, by name, of synthetic rows and of other gold rows, both in a reference of gold, each (n, d).

    Radii stay those of the reference in every resample: rows that stand twice would shrink them to nothing.

    Raises:
        UndefinedError: the reference has no more than `k` rows.
        ValueError: the sets are not of one size.
    """
    n = len(reference)
    if not n == len(synthetic) == len(other):
        raise ValueError(f"sets of {n}, {len(synthetic)} and {len(other)} rows do not compare")
    gold, ours, theirs = (one[in_own_order(one)] for one in (reference, synthetic, other))
    of_gold, *of_rows = weights(n, resamples=resamples, seed=seed, name="coverage")
    found, drawn = [], []
    for rows, drawn_rows in zip((ours, theirs), of_rows, strict=True):
        lies = inside(gold, rows, k=k)
        hits = lies.astype(np.float64) @ drawn_rows.T  # rows in each ball, shape (n, resamples)
        found.append((density(lies, k=k), coverage(lies)))
        drawn.append(((hits * of_gold.T).sum(axis=0) / (k * n), ((hits > 0) * of_gold.T).sum(axis=0) / n))
    how = f"n={n} a set, k={k} neighbours, Euclidean, {encoder}, seed {seed}"
    return {
        "density": compared("density", (found[0][0], found[1][0]), (drawn[0][0], drawn[1][0]), how),
        "coverage": compared("coverage", (found[0][1], found[1][1]), (drawn[0][1], drawn[1][1]), how, most=1.0),
    }
