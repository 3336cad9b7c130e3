"""Which of many sets share most of their tokens: all pairs whose Jaccard similarity is high enough, and no others.

The tokens of a text are its character 3-grams, as `ngrams.trigrams` has them; of two texts (a pair) those of both, each
marked with its place. Nothing is estimated: the result equals that of comparing every two sets. Few sets are compared by
counting (`counted`), many by compiled loops (`compiled`), more than fit into memory in blocks (`blocks`).

Nothing here knows of examples or labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.setjoin import counted

__all__ = ["Pairs", "Sets", "first_similar", "join", "self_join"]

FEW = 2000  # sets up to which counting is as fast as the compiled loops are with their loading
RATIO = 1.25  # largest over smallest size of a class of sets that are looked up together
SHORT = 48  # tokens of a set on average, up to which one word of signature tells sets apart; else four


@dataclass(frozen=True, slots=True, eq=False)
class Sets:
    """Sets of tokens, one after another.

    Attributes:
        tokens: uint64, (tokens,): those of each set, each once, in no order.
        starts: int64, (sets + 1,): where each set begins in tokens, and the end of the last. No set is empty.
    """

    tokens: NDArray[np.uint64]
    starts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Tokens of each set."""
        return np.diff(self.starts)

    @classmethod
    def of_texts(cls, texts: Sequence[str], seconds: Sequence[str] | None = None) -> Sets:
        """The character 3-grams of each text; of pairs, where the second texts are given, those of both.

        A text too short to have a 3-gram is itself its only one, the empty text too. Any code points may stand in
        it, lone surrogates included.

        Raises:
            ValueError: there are not as many second texts as first ones.
        """
        if seconds is not None and len(seconds) != len(texts):
            raise ValueError(f"{len(texts)} first texts, but {len(seconds)} second ones")
        if len(texts) <= FEW:
            rows = [(text,) for text in texts] if seconds is None else list(zip(texts, seconds, strict=True))
            return cls(*counted.trigram_sets(rows))
        from japagen.setjoin import compiled

        places = 1 if seconds is None else 2
        flat = texts if seconds is None else [text for pair in zip(texts, seconds, strict=True) for text in pair]
        points = np.frombuffer("".join(flat).encode("utf-32-le", "surrogatepass"), np.uint32)
        ends = np.zeros(len(flat) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, flat), np.int64, len(flat)), out=ends[1:])
        return cls(*compiled.trigram_sets(points, ends, places))

    def take(self, rows: NDArray[np.int64]) -> Sets:
        """The sets of these numbers, in this order."""
        sizes = self.sizes[rows]
        starts = np.concatenate([[0], np.cumsum(sizes)])
        if len(rows) > FEW:
            from japagen.setjoin import compiled

            return Sets(compiled.taken(self.tokens, self.starts, rows, int(starts[-1])), starts)
        places = np.arange(starts[-1]) + np.repeat(self.starts[rows] - starts[:-1], sizes)
        return Sets(self.tokens[places], starts)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of similar sets, sorted by their numbers.

    Attributes:
        first, second: int64, (pairs,): numbers of the sets. In a join of sets with themselves first < second; else the
            first is of the left ones, the second of the right ones.
        scores: float64, (pairs,): their Jaccard similarity.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    scores: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def sorted(cls, first: NDArray[Any], second: NDArray[Any], scores: NDArray[np.float64]) -> Pairs:
        """Of pairs in any order."""
        order = np.lexsort((second, first))
        return cls(first[order].astype(np.int64), second[order].astype(np.int64), scores[order])


def self_join(sets: Sets, similarity: float, *, groups: Sequence[int] | None = None) -> Pairs:
    """All pairs of sets that are at least so similar.

    Args:
        sets: what is compared.
        similarity: the least Jaccard similarity, above 0 and at most 1.
        groups: of each set; only sets of one group are compared. None: all are.

    Raises:
        ValueError: `similarity` is out of range, or there are not as many groups as sets.
    """
    belongs = _checked(sets, similarity, groups)
    if len(sets) <= FEW:
        return Pairs.sorted(*counted.similar_pairs(sets, sets, similarity, belongs, belongs))
    from japagen.setjoin import compiled

    order = np.argsort(sets.sizes, kind="stable")
    ready = sets.take(order)
    left, right, scores = compiled.similar_pairs(
        ready.tokens, ready.starts, _marks(ready), belongs[order], 0, similarity, RATIO
    )
    one, other = order[left], order[right]
    return Pairs.sorted(np.minimum(one, other), np.maximum(one, other), scores)


def join(left: Sets, right: Sets, similarity: float) -> Pairs:
    """All pairs of a left and a right set that are at least so similar.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1.
    """
    _checked(left, similarity, None)
    if len(left) * len(right) <= FEW**2:
        ones = [np.zeros(len(sets), np.int32) for sets in (left, right)]
        return Pairs.sorted(*counted.similar_pairs(left, right, similarity, *ones, distinct=False))
    from japagen.setjoin import compiled

    orders = [np.argsort(sets.sizes, kind="stable") for sets in (left, right)]
    first, second = left.take(orders[0]), right.take(orders[1])
    both = Sets(
        np.concatenate([first.tokens, second.tokens]), np.append(first.starts, first.starts[-1] + second.starts[1:])
    )
    groups = np.zeros(len(both), np.int32)
    found = compiled.similar_pairs(both.tokens, both.starts, _marks(both), groups, len(left), similarity, RATIO)
    return Pairs.sorted(orders[0][found[0]], orders[1][found[1] - len(left)], found[2])


def first_similar(
    sets: Sets, similarity: float, *, groups: Sequence[int] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Which sets go when the first of its kind stays: one goes where an earlier one that stays is so similar.

    Unlike `self_join` this takes no more memory where all sets are alike. The arguments are the same.

    Returns:
        For each set the earliest similar set that stays, -1 where it stays itself, int64, (sets,); and their Jaccard
        similarity, 1 where it stays.

    Raises:
        ValueError: `similarity` is out of range, or there are not as many groups as sets.
    """
    belongs = _checked(sets, similarity, groups)
    if len(sets) <= FEW:
        return counted.first_similar(sets, similarity, belongs)
    from japagen.setjoin import compiled

    likes, scores = compiled.first_similar(sets.tokens, sets.starts, _marks(sets), belongs, similarity, RATIO)
    return likes.astype(np.int64), scores


def _checked(sets: Sets, similarity: float, groups: Sequence[int] | None) -> NDArray[np.int32]:
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, not {similarity}")
    if groups is None:
        return np.zeros(len(sets), np.int32)
    if len(groups) != len(sets):
        raise ValueError(f"{len(sets)} sets, but {len(groups)} groups")
    return np.asarray(groups, np.int32)


def _marks(sets: Sets) -> NDArray[np.uint64]:
    from japagen.setjoin import compiled

    return compiled.signatures(sets.tokens, sets.starts, 1 if len(sets.tokens) <= SHORT * len(sets) else 4)
