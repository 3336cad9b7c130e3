"""The set join of few sets: the sizes of all intersections, counted as a product of sparse matrices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from japagen.setjoin import Sets

Found = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
Numbers = NDArray[np.int32]

CHARACTER = 21  # bits of a code point plus one
PLACE = 63  # the bit that marks the second text of a pair
BLOCK = 500  # rows whose intersections are counted at once


def trigram_sets(rows: Sequence[tuple[str, ...]]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The tokens of each row, sorted, and where each row's begin and end; as `compiled.trigram_sets`."""
    sets = [sorted({token for place, text in enumerate(row) for token in _tokens(text, place)}) for row in rows]
    starts = np.concatenate([[0], np.cumsum([len(tokens) for tokens in sets])]).astype(np.int64)
    return np.array([token for tokens in sets for token in tokens], np.uint64), starts


def _tokens(text: str, place: int) -> Iterator[int]:
    points = [ord(char) + 1 for char in text]
    for first in range(max(1, len(points) - 2)):
        token = 0
        for point in points[first : first + 3]:
            token = token << CHARACTER | point
        yield token | place << PLACE


def similar_pairs(
    left: Sets, right: Sets, similarity: float, groups: Numbers, others: Numbers, *, distinct: bool = True
) -> Found:
    """The pairs of similar rows of one group, of distinct ones each pair once; in no order."""
    found: list[Found] = []
    for begin, shared in _intersections(left, right):
        one, other = np.nonzero(shared)
        both = shared[one, other]
        scores = both / (left.sizes[one + begin] + right.sizes[other] - both)
        wanted = (scores >= similarity) & (groups[one + begin] == others[other])
        if distinct:
            wanted &= one + begin < other
        found.append(((one + begin)[wanted], other[wanted], scores[wanted]))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
    first, second, scores = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second, scores


def first_similar(sets: Sets, similarity: float, groups: Numbers) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each row the earliest similar row of its group that stays, -1 for one that stays; and how similar."""
    likes, scores = np.full(len(sets), -1, np.int64), np.ones(len(sets))
    first, second, found = similar_pairs(sets, sets, similarity, groups, groups)
    for i in np.lexsort((first, second)).tolist():
        if likes[first[i]] < 0 and likes[second[i]] < 0:
            likes[second[i]], scores[second[i]] = first[i], found[i]
    return likes, scores


def _intersections(left: Sets, right: Sets) -> Iterator[tuple[int, NDArray[np.int32]]]:
    """Of so many left rows at once the number of the first, and the sizes of their intersections with all right ones."""
    from scipy.sparse import csr_array

    tokens, columns = np.unique(np.concatenate([left.tokens, right.tokens]), return_inverse=True)
    ones = np.ones(len(columns), np.int32)
    cut = len(left.tokens)
    shape = len(right), len(tokens)
    across = csr_array((ones[cut:], columns[cut:], right.starts), shape=shape).T.tocsr()
    for begin in range(0, len(left), BLOCK):
        end = min(begin + BLOCK, len(left))
        low, high = left.starts[begin], left.starts[end]
        rows = csr_array(
            (ones[low:high], columns[low:high], left.starts[begin : end + 1] - low), shape=(end - begin, len(tokens))
        )
        yield begin, (rows @ across).toarray()
