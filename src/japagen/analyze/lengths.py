"""What texts look like from outside: their lengths in characters, how many are polite, which scripts they use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from japagen.analyze.sampling import UndefinedError
from japagen.japanese import REGISTERS, SCRIPTS, register, script_counts

QUANTILES = (5, 25, 50, 75, 95)
BINS = 30  # at most so many in a histogram


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths of texts in characters.

    Attributes:
        n: number of texts.
        mean: their mean length.
        sd: standard deviation of the sample; None for a single text, which has none.
        quantiles: by percent, linearly interpolated.
        edges: of the histogram; a bin holds lengths from its left edge up to, but not including, its right one.
        histogram: texts in each bin; one fewer than there are edges.
    """

    n: int
    mean: float
    sd: float | None
    quantiles: dict[str, float]
    edges: tuple[int, ...]
    histogram: tuple[int, ...]


def bin_edges(longest: int) -> tuple[int, ...]:
    """Edges from 0 to above the longest length, ten characters apart or, for long texts, a multiple of ten."""
    width = 10 * (longest // (10 * BINS) + 1)
    return tuple(range(0, longest + width + 1, width))


def length_distribution(texts: Sequence[str], edges: Sequence[int] | None = None) -> Lengths:
    """Describe the lengths of texts; give `edges` where histograms are to be laid side by side.

    Raises:
        UndefinedError: there are no texts, or a length lies outside the edges.
    """
    if not texts:
        raise UndefinedError("no texts, no lengths")
    lengths = np.array([len(text) for text in texts])
    bounds = tuple(edges) if edges is not None else bin_edges(int(lengths.max()))
    if lengths.min() < bounds[0] or lengths.max() >= bounds[-1]:
        raise UndefinedError(f"lengths {lengths.min()} to {lengths.max()} are not within {bounds[0]} to {bounds[-1]}")
    return Lengths(
        n=len(texts),
        mean=float(lengths.mean()),
        sd=float(lengths.std(ddof=1)) if len(texts) > 1 else None,
        quantiles={str(q): float(np.percentile(lengths, q)) for q in QUANTILES},
        edges=bounds,
        histogram=tuple(int(((left <= lengths) & (lengths < right)).sum()) for left, right in pairwise(bounds)),
    )


def register_shares(texts: Sequence[str]) -> dict[str, float]:
    """Share of polite, plain and unknown texts.

    Raises:
        UndefinedError: there are no texts.
    """
    if not texts:
        raise UndefinedError("no texts, no register")
    counts = Counter(map(register, texts))
    return {kind: counts[kind] / len(texts) for kind in REGISTERS}


def pooled_script_shares(texts: Sequence[str]) -> dict[str, float]:
    """Share of each script among the characters of all texts together.

    Raises:
        UndefinedError: no text has a character of any script.
    """
    counts: Counter[str] = sum(map(script_counts, texts), Counter())
    if not counts.total():
        raise UndefinedError("no characters, no scripts")
    return {script: counts[script] / counts.total() for script in SCRIPTS}
