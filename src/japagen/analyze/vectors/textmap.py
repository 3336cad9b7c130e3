"""A map of texts: their vectors laid out in two dimensions by t-SNE (van der Maaten and Hinton 2008).

Neighbours in the map are neighbours in the encoder's space as far as two dimensions allow; how far is counted. Distances
between groups, and their sizes, mean nothing. Without chance but for the seed: t-SNE starts from the principal components,
rows are laid out in an order of their own, and on one thread, whatever the machine would give.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.encoder import Vectors, in_own_order, principal
from japagen.streams import stream_seed

COMPONENTS = 50
PERPLEXITY = 30.0
STEPS = 750
NEIGHBOURS = 10
LEAST = 12
"""Fewer texts than that have no map."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Places of rows on the plane.

    Attributes:
        places: shape (n, 2); centred, the farthest place within 1 of the middle.
        kept: share of each row's 10 nearest neighbours in the encoder's space that are among its 10 nearest in the map.
        by_chance: that share for rows laid out at random.
        signature: n, encoder, settings.
    """

    places: NDArray[np.float64]
    kept: float
    by_chance: float
    signature: str


def laid_out(vectors: Vectors, *, encoder: str, seed: int) -> Layout:
    """Lay out vectors of length 1, shape (n, d).

    Raises:
        UndefinedError: there are fewer than 12 rows.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    n = len(vectors)
    if n < LEAST:
        raise UndefinedError(f"a map takes at least {LEAST} texts, not {n}")
    order = in_own_order(vectors)
    with threadpool_limits(limits=1):
        points = principal(vectors[order], most=COMPONENTS)
        perplexity = min(PERPLEXITY, (n - 1) / 4)
        drawn = _scaled(_tsne(points, perplexity, seed))
        kept = _kept(points, drawn)
    places = np.empty_like(drawn)
    places[order] = drawn
    how = (
        f"n={n}, {STEPS} steps, perplexity {perplexity:.0f}, from {points.shape[1]} principal components, {encoder}, "
        f"seed {seed}"
    )
    chance = NEIGHBOURS / (n - 1)
    return Layout(
        places, kept, chance, f"t-sne keeps {kept:.3f} of {NEIGHBOURS} neighbours, chance {chance:.3f} ({how})"
    )


def _tsne(points: Vectors, perplexity: float, seed: int) -> NDArray[np.float64]:
    from sklearn.manifold import TSNE

    number = stream_seed(seed, "text-map") % 2**32
    start = np.zeros((len(points), 2), np.float32)
    start[:, : points.shape[1]] = points[:, :2]
    spread = float(start[:, 0].std())
    start *= 1e-4 / spread if spread > 1e-9 else 0.0
    model = TSNE(
        init=start.astype(np.float32),
        perplexity=perplexity,
        learning_rate="auto",
        max_iter=STEPS,
        random_state=number,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(points.astype(np.float32)), dtype=np.float64)


def _scaled(drawn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Around the middle, and within 1 of it."""
    centred: NDArray[np.float64] = drawn - drawn.mean(axis=0)
    reach = float(np.abs(centred).max())
    return centred / reach if reach > 0 else centred


def _kept(points: Vectors, drawn: NDArray[np.float64]) -> float:
    here, there = (_nearest(one) for one in (drawn, points))
    return float(np.mean([len(np.intersect1d(a, b)) for a, b in zip(here, there, strict=True)]) / NEIGHBOURS)


def _nearest(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """The nearest neighbours of each row, shape (n, 10)."""
    from sklearn.neighbors import NearestNeighbors

    model = NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute").fit(points)
    return np.asarray(model.kneighbors(return_distance=False))
