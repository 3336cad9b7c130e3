"""The lengths of texts as a histogram and in a few numbers. A length is a whole number, of characters or of words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from japagen.analyze.sampling import UndefinedError

QUANTILES = (5, 25, 50, 75, 95)
BINS = 30
"""At most so many, and one more for what is longer than nearly all."""
_NEARLY_ALL = 99.0
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts.

    Attributes:
        n: number of texts.
        mean: their mean length.
        sd: standard deviation of the sample; None for a single text, which has none.
        quantiles: by percent, linearly interpolated.
        edges: of the histogram; a bin holds lengths from its left edge up to, but not including, its right one.
        counts: texts in each bin; one fewer than there are edges.
    """

    n: int
    mean: float
    sd: float | None
    quantiles: dict[str, float]
    edges: tuple[int, ...]
    counts: tuple[int, ...]


def bin_edges(lengths: ArrayLike) -> tuple[int, ...]:
    """Edges from 0 on, 1, 2 or 5 times a power of ten apart, and one behind the longest.

    Bins are narrow enough for 99 % of the lengths; the last one takes in the few that are longer, so that a single text as
    long as a book does not push all others into one bin.

    Raises:
        UndefinedError: there are no lengths.
    """
    found = np.asarray(lengths)
    if not found.size:
        raise UndefinedError("no texts, no lengths")
    longest = int(found.max())
    usual = int(np.percentile(found, _NEARLY_ALL, method="higher"))
    width = next(step * 10**power for power in range(20) for step in _STEPS if usual < BINS * step * 10**power)
    edges = list(range(0, usual + width + 1, width))
    return tuple(edges if longest < edges[-1] else [*edges, longest + 1])


def describe_lengths(lengths: ArrayLike, edges: Sequence[int]) -> Lengths:
    """Describe lengths; the same `edges` where histograms are to be laid side by side.

    Raises:
        UndefinedError: there are no lengths, or one lies outside the edges.
    """
    found = np.asarray(lengths)
    if not found.size:
        raise UndefinedError("no texts, no lengths")
    if found.min() < edges[0] or found.max() >= edges[-1]:
        raise UndefinedError(f"lengths {found.min()} to {found.max()} are not within {edges[0]} to {edges[-1]}")
    places = np.searchsorted(edges, found, side="right") - 1
    return Lengths(
        n=len(found),
        mean=float(found.mean()),
        sd=float(found.std(ddof=1)) if len(found) > 1 else None,
        quantiles={str(q): float(np.percentile(found, q)) for q in QUANTILES},
        edges=tuple(edges),
        counts=tuple(np.bincount(places, minlength=len(edges) - 1).tolist()),
    )
