"""Topics of texts: k-means over the vectors of the frozen sentence encoder, and the topic nearest to each row.

A topic has a number and the beginning of the text that stands nearest to its middle, so that a reader sees what it is
about. Topics are fitted once, on one set of texts, and any other row is then described by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.records import Example
from japagen.streams import stream_seed

Floats = NDArray[np.float32]

SHOWN = 16
"""Characters of a text that name a topic."""
MOST_FITTED = 20_000
"""Rows on which k-means is fitted; of more, so many are drawn."""
STARTS = 4
"""Beginnings of k-means; the tightest result counts."""
_BLOCK = 100_000


def row_vectors(examples: Sequence[Example]) -> Floats:
    """Vectors of length 1, shape (n, 512); of a pair, the direction midway between its two texts."""
    from japagen.student.vectors import vectors

    pairs = [i for i, e in enumerate(examples) if e.text_pair is not None]
    encoded = vectors().encode([*(e.text for e in examples), *(examples[i].text_pair or "" for i in pairs)])
    found = encoded[: len(examples)].copy()
    found[pairs] += encoded[len(examples) :]
    return np.asarray(found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12), dtype=np.float32)


@dataclass(frozen=True)
class Topics:
    """Topics, the largest first.

    Attributes:
        names: of each topic, its number (from 01) and the beginning of its most typical text.
        centres: shape (topics, 512).
    """

    names: tuple[str, ...]
    centres: Floats

    @classmethod
    def fit(cls, examples: Sequence[Example], most: int, *, seed: int) -> Topics:
        """At most so many topics of the rows (fewer where fewer rows differ), which are not empty.

        Raises:
            ValueError: there are no rows, or `most` is below 1.
        """
        if not examples or most < 1:
            raise ValueError(f"cannot find {most} topics in {len(examples)} rows")
        rng = np.random.default_rng(stream_seed(seed, "topics"))
        drawn = np.sort(rng.permutation(len(examples))[:MOST_FITTED])
        rows = [examples[i] for i in drawn]
        x = row_vectors(rows)
        centres = _k_means(x, min(most, len(np.unique(x, axis=0))), rng)
        nearest = _nearest(x, centres)
        order = np.argsort(-np.bincount(nearest, minlength=len(centres)), kind="stable")
        typical = (x @ centres.T - (centres**2).sum(axis=1) / 2).argmax(axis=0)
        digits = len(str(len(order)))
        names = [
            f"{place:0{max(digits, 2)}d} {_beginning(rows[typical[topic]].text)}"
            for place, topic in enumerate(order, 1)
        ]
        return cls(tuple(names), centres[order])

    def of(self, examples: Sequence[Example]) -> list[str]:
        """The name of the nearest topic of each row."""
        if not examples:
            return []
        return [self.names[topic] for topic in _nearest(row_vectors(examples), self.centres)]


def _k_means(x: Floats, k: int, rng: np.random.Generator) -> Floats:
    from sklearn.cluster import KMeans

    fitted = KMeans(k, n_init=STARTS, random_state=int(rng.integers(2**31))).fit(x)
    return np.asarray(fitted.cluster_centers_, dtype=np.float32)


def _nearest(x: Floats, centres: Floats) -> NDArray[np.intp]:
    """The nearest centre of each row; among equals the first."""
    half = (centres**2).sum(axis=1) / 2
    parts = [(x[i : i + _BLOCK] @ centres.T - half).argmax(axis=1) for i in range(0, len(x), _BLOCK)]
    return np.concatenate(parts)


def _beginning(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
