"""Texts as points: the vectors that embedding measures compare, and the name of what made them.

A text is its vector of length 1. A pair is the vectors of both texts, one behind the other, over the root of two: so the
product of two pairs is the mean of the cosines of their first and of their second texts. The mean of both vectors would
forget which text came first, and whether the two say the same.

Knows nothing of sets or measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.sampling import UndefinedError
from japagen.progress import Listener, Progress, silent
from japagen.records import Example

Vectors = NDArray[np.float64]

AT_A_TIME = 100
"""Texts that are encoded between two words of progress."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """What makes vectors of texts.

    Attributes:
        name: of the encoder, with its version; stands in every signature.
        encode: texts to vectors of length 1, shape (n, dimensions).
    """

    name: str
    encode: Callable[[Sequence[str]], NDArray[np.floating]]


def sentence_encoder() -> Encoder:
    """The multilingual Universal Sentence Encoder that the student `embedding` reads, with its cache."""
    from japagen.student import vectors

    return Encoder(vectors.encoder_version(), lambda texts: vectors.vectors().encode(texts))


def row_vectors(rows: Sequence[Example], encoder: Encoder, on_progress: Listener = silent) -> Vectors:
    """Vectors of length 1, shape (n, d), or (n, 2 d) for pairs.

    Raises:
        UndefinedError: there are no rows, or pairs stand among single texts.
    """
    if not rows:
        raise UndefinedError("no texts, no vectors")
    pair = rows[0].text_pair is not None
    if any((row.text_pair is not None) != pair for row in rows):
        raise UndefinedError("pairs and single texts have no vectors of one length")
    texts = [row.text for row in rows] + [row.text_pair or "" for row in rows if pair]
    parts = []
    for at in range(0, len(texts), AT_A_TIME):
        on_progress(Progress("analyze", "vectors", done=at, total=len(texts)))
        parts.append(np.asarray(encoder.encode(texts[at : at + AT_A_TIME]), dtype=np.float64))
    on_progress(Progress("analyze", "vectors", done=len(texts), total=len(texts)))
    encoded = np.concatenate(parts)
    if pair:
        return np.hstack([encoded[: len(rows)], encoded[len(rows) :]]) / math.sqrt(2)
    return encoded


def in_own_order(vectors: Vectors) -> NDArray[np.int64]:
    """An order of the rows that depends on nothing but what they hold, shape (n,).

    Sums and clusterings of rows in this order are the same to the last bit, whatever order they came in.
    """
    return np.array(sorted(range(len(vectors)), key=lambda row: vectors[row].tobytes()), dtype=np.int64)


def principal(vectors: Vectors, *, share: float = 1.0, most: int | None = None) -> Vectors:
    """The leading principal components, shape (n, c): as few as hold `share` of the variance, at most `most`, at least one.

    Raises:
        UndefinedError: there are no rows.
    """
    if not len(vectors):
        raise UndefinedError("no vectors, no components")
    centred = vectors - vectors.mean(axis=0)
    if len(centred) < centred.shape[1]:  # the smaller of the two products has the same components
        spread, axes = np.linalg.eigh(centred @ centred.T)
        scores = axes * np.sqrt(np.maximum(spread, 0.0))
    else:
        spread, axes = np.linalg.eigh(centred.T @ centred)
        scores = centred @ axes
    spread, scores = np.maximum(spread[::-1], 0.0), scores[:, ::-1]
    total = float(spread.sum())
    enough = int(np.searchsorted(np.cumsum(spread), share * total - 1e-12 * total)) + 1 if total > 0 else 1
    return np.ascontiguousarray(scores[:, : min(enough, most or enough, scores.shape[1])])
