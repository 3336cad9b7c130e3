"""MAUVE (Pillutla et al. 2021): how near the distribution of synthetic texts is to that of gold, between 0 and 1.

The vectors of both sets are put into k buckets by k-means; then p and q say how often each bucket is used. For every
mixture r of the two, exp(-c KL(q|r)) and exp(-c KL(p|r)) are a point of a curve, and MAUVE is the area below it. It falls
with k and rises with n: only values of the same n, k and encoder compare. As in the authors' own program c is 5, k is a
tenth of n, and vectors are first brought to the principal components of 90 % of the variance; that these are then brought to
length 1 again is ours.

K-means starts at random, and at a few hundred texts one clustering gives .19 where the next gives .35. So MAUVE is the mean
over several, and a bootstrap draws clusterings as well as rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.compared import RESAMPLES, Compared, compared, weights
from japagen.analyze.vectors.encoder import Vectors, in_own_order, principal
from japagen.streams import stream_seed

Floats = NDArray[np.float64]

SCALING = 5.0
VARIANCE = 0.9
POINTS = 100  # mixtures
MOST_BUCKETS = 500
CLUSTERINGS = 5


def bucket_number(n: int) -> int:
    """Buckets for sets of n rows: a tenth of n, at least 2."""
    return min(MOST_BUCKETS, max(2, round(n / 10)))


def area(p: Floats, q: Floats) -> Floats:
    """MAUVE of histograms, each of shape (..., k) with sums of 1; 1 for equal ones, 1/252 for those that share no bucket.

    Raises:
        UndefinedError: the histograms have no bucket.
    """
    if not p.shape[-1]:
        raise UndefinedError("histograms without buckets have no MAUVE")
    ends: Floats = np.zeros(np.broadcast_shapes(p.shape[:-1], q.shape[:-1]))
    xs, ys = [ends], [ends + 1]
    for share in np.linspace(1, 0, POINTS + 2)[1:-1]:  # of p in the mixture: x rises, y falls
        mixture = share * p + (1 - share) * q
        xs.append(np.exp(-SCALING * _divergence(q, mixture)))
        ys.append(np.exp(-SCALING * _divergence(p, mixture)))
    x, y = np.stack([*xs, ends + 1]), np.stack([*ys, ends])
    return np.asarray((np.diff(x, axis=0) * (y[1:] + y[:-1]) / 2).sum(axis=0))


def mauve(p: Vectors, q: Vectors, *, k: int | None = None, seed: int, clusterings: int = CLUSTERINGS) -> float:
    """MAUVE of two sets of vectors, shapes (n, d) and (m, d), buckets made of both; it does not depend on their order.

    Raises:
        UndefinedError: a set is empty.
        ValueError: `k` or `clusterings` is below 1.
    """
    found = [
        area(_histogram(ours, size), _histogram(theirs, size))
        for (ours, theirs), size in _clustered((p, q), k or bucket_number(min(len(p), len(q))), seed, clusterings)
    ]
    return float(np.mean(found))


def compared_mauve(
    reference: Vectors,
    synthetic: Vectors,
    other: Vectors,
    *,
    encoder: str,
    seed: int,
    k: int | None = None,
    resamples: int = RESAMPLES,
) -> Compared:
    """MAUVE of synthetic rows and of other gold rows, both with a reference of gold; each of shape (n, d).

    Raises:
        UndefinedError: the sets are empty.
        ValueError: they are not of one size.
    """
    n = len(reference)
    if not n == len(synthetic) == len(other):
        raise ValueError(f"sets of {n}, {len(synthetic)} and {len(other)} rows do not compare")
    k = k or bucket_number(n)
    of_gold, *of_rows = weights(n, resamples=resamples, seed=seed, name="mauve")
    chosen = np.random.default_rng(stream_seed(seed, "bootstrap", "mauve", "clusterings")).integers(
        CLUSTERINGS, size=(resamples, CLUSTERINGS)
    )
    found, drawn = [], []
    for rows, drawn_rows in zip((synthetic, other), of_rows, strict=True):
        values, spread = [], []
        for (mine, gold), size in _clustered((rows, reference), k, seed, CLUSTERINGS):
            values.append(area(_histogram(mine, size), _histogram(gold, size)))
            places = np.eye(size)
            spread.append(area(drawn_rows @ places[mine] / n, of_gold @ places[gold] / n))
        found.append(float(np.mean(values)))
        drawn.append(np.stack(spread)[chosen, np.arange(resamples)[:, None]].mean(axis=1))
    how = (
        f"n={n} a set, k={k} buckets, mean of {CLUSTERINGS} k-means of both sets, c={SCALING:.0f}, PCA {VARIANCE:.0%}, "
        f"{encoder}, seed {seed}"
    )
    return compared("mauve", (found[0], found[1]), (drawn[0], drawn[1]), how, most=1.0)


def _clustered(
    sets: Sequence[Vectors], k: int, seed: int, clusterings: int
) -> list[tuple[list[NDArray[np.int64]], int]]:
    """For each clustering the bucket of each row, set by set, rows in their own order, and the number of buckets."""
    from sklearn.cluster import KMeans

    if k < 1 or clusterings < 1:
        raise ValueError(f"{k} buckets and {clusterings} clusterings cannot be made")
    if not all(len(one) for one in sets):
        raise UndefinedError("an empty set has no MAUVE")
    together = np.concatenate([one[in_own_order(one)] for one in sets])
    order = in_own_order(together)
    points = principal(together[order], share=VARIANCE)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    points = points / np.where(lengths > 1e-9, lengths, 1.0)
    k = min(k, len(np.unique(points, axis=0)))  # no bucket can be empty
    ends = np.cumsum([len(one) for one in sets])[:-1]
    clustered = []
    for turn in range(clusterings):
        model = KMeans(k, n_init=1, random_state=stream_seed(seed, "mauve", turn) % 2**32)
        codes = np.empty(len(together), np.int64)
        codes[order] = model.fit_predict(points)
        clustered.append((np.split(codes, ends), k))
    return clustered


def _histogram(codes: NDArray[np.int64], k: int) -> Floats:
    return np.bincount(codes, minlength=k) / len(codes)


def _divergence(p: Floats, r: Floats) -> Floats:
    """Kullback-Leibler divergence of p from r in nats; r has what p has."""
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(p > 0, p * np.log(p / r), 0.0)
    return np.asarray(np.maximum(parts.sum(axis=-1), 0.0))
