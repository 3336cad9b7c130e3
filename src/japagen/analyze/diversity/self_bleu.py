"""Self-BLEU (Zhu et al. 2018): how much of each text stands in the others. Exact, against all other texts of the set.

BLEU of order N is the geometric mean of the clipped precisions of 1- to N-grams times a penalty for being shorter than
the reference of the nearest length (of two equally near, the shorter). A precision of zero counts as .1 over its
denominator (method 1 of Chen and Cherry 2014, as NLTK and Texygen have it); a text without a word of any other has 0.
Drawing references instead, as Texygen does, gives far lower values; and Self-BLEU rises with the number of texts, so
that two sets can only be compared at the same number.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus
from japagen.analyze.diversity.clipped import Integers, Numbers, clipped_counts
from japagen.analyze.sampling import UndefinedError

ORDERS = 5
SMOOTHING = 0.1


@dataclass(frozen=True, slots=True)
class SelfBleu:
    """Means over the texts.

    Attributes:
        values: of orders 1 to 5, each between 0 (all differ) and 1 (each stands in another one).
        signature: how they were made.
    """

    values: tuple[float, ...]
    signature: str


def self_bleu(corpus: Corpus, orders: int = ORDERS) -> SelfBleu:
    """Self-BLEU of a set of texts.

    Raises:
        UndefinedError: there are fewer than two texts.
        ValueError: `orders` is below 1.
    """
    values = tuple(text_scores(corpus.words, corpus.offsets, orders).mean(axis=0).tolist())
    told = ", ".join(f"{value:.3f}" for value in values)
    how = f"n={len(corpus)}, {corpus.sizes.mean():.1f} words a text, {corpus.tokeniser}, all references, smoothing 1"
    return SelfBleu(values, f"self-bleu-1..{orders} = {told} ({how})")


def text_scores(words: Numbers, offsets: Integers, orders: int = ORDERS, *, times: int = 1) -> NDArray[np.float64]:
    """BLEU of each text against all others, float64, (n, orders).

    Args:
        words: numbers of words, not negative, one text after another, (tokens,).
        offsets: where each text begins, and the end of the last, (n + 1,).
        orders: the largest order; column N - 1 is that of order N.
        times: how often this will be called, which decides how n-grams are counted.

    Raises:
        UndefinedError: there are fewer than two texts.
        ValueError: `orders` is below 1.
    """
    if orders < 1:
        raise ValueError(f"orders must be at least 1, not {orders}")
    if len(offsets) < 3:
        raise UndefinedError("Self-BLEU needs two texts or more")
    sizes = np.diff(offsets)
    matches = clipped_counts(words, offsets, orders, times=times)
    possible = np.maximum(sizes[:, None] - np.arange(orders), 1)
    precisions = np.where(matches == 0, SMOOTHING, matches) / possible
    logs = np.cumsum(np.log(precisions), axis=1) / np.arange(1, orders + 1)
    nearest = nearest_other(sizes)
    short = (sizes <= nearest) & (sizes > 0)
    penalty = np.exp(np.where(short, 1 - nearest / np.maximum(sizes, 1), 0.0))
    scores: NDArray[np.float64] = np.exp(logs) * penalty[:, None]
    scores[matches[:, 0] == 0] = 0.0
    return scores


def nearest_other(sizes: Integers) -> Integers:
    """Of each size the nearest one of the others, of two equally near the smaller; (n,), n at least 2.

    >>> nearest_other(np.array([3, 5, 4, 9, 9])).tolist()
    [4, 4, 3, 9, 9]
    """
    different, place, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    below = np.concatenate([[-1], different[:-1]])
    above = np.concatenate([different[1:], [-1]])
    up, down = above - different, different - below
    lower = (below >= 0) & ((above < 0) | (down <= up))
    nearest: Integers = np.where(counts > 1, different, np.where(lower, below, above))[place]
    return nearest


def numbered(texts: Iterable[Sequence[Hashable]]) -> tuple[Numbers, Integers]:
    """The words of texts as numbers, in the order of their first appearance, and where each text begins."""
    rows = list(texts)
    numbers: defaultdict[Hashable, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    offsets = np.zeros(len(rows) + 1, np.int64)
    np.cumsum(np.fromiter(map(len, rows), np.int64, len(rows)), out=offsets[1:])
    words = np.fromiter(map(numbers.__getitem__, chain.from_iterable(rows)), np.int32, int(offsets[-1]))
    return words, offsets
