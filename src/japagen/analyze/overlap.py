"""How much of their vocabulary two sets of texts share: the alignment of synthetic with gold (arXiv 2412.06738).

The Jaccard similarity of two vocabularies depends on the number of texts, so both sides are drawn at the same number,
several times. What gold reaches against other gold texts at that number is the ceiling: no generator can be expected
to come nearer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from statistics import fmean

from japagen.analyze.sampling import UndefinedError, draw, stream
from japagen.japanese import TOKENISER

Words = Sequence[str]
Sides = tuple[Sequence[Words], Sequence[Words]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Mean of several draws, the smallest and the largest of them, and how it was made."""

    value: float
    low: float
    high: float
    signature: str


def jaccard(left: AbstractSet[str], right: AbstractSet[str]) -> float:
    """Size of the intersection over size of the union.

    Raises:
        UndefinedError: both sets are empty.
    """
    if not left and not right:
        raise UndefinedError("two empty vocabularies have no similarity")
    return len(left & right) / len(left | right)


def vocabulary_jaccard(left: Sequence[Words], right: Sequence[Words], *, n: int, draws: int, seed: int) -> Overlap:
    """Vocabulary of `n` texts of one set against that of `n` texts of the other.

    Raises:
        UndefinedError: a set has fewer than `n` texts, or `n` or `draws` is below 1.
    """
    rng = stream(seed, "vocabulary-jaccard")
    return _mean(lambda: (draw(left, n, rng), draw(right, n, rng)), n, draws, seed)


def ceiling(texts: Sequence[Words], *, n: int, draws: int, seed: int) -> Overlap:
    """Vocabulary of `n` texts against that of `n` other texts of the same set.

    Raises:
        UndefinedError: there are fewer than `2 n` texts, or `n` or `draws` is below 1.
    """
    rng = stream(seed, "vocabulary-ceiling")

    def halves() -> Sides:
        both = draw(texts, 2 * n, rng)
        return both[:n], both[n:]

    return _mean(halves, n, draws, seed)


def _mean(sides: Callable[[], Sides], n: int, draws: int, seed: int) -> Overlap:
    if draws < 1:
        raise UndefinedError("no draws, no mean")
    values = [jaccard(*map(_vocabulary, sides())) for _ in range(draws)]
    how = f"n={n} texts a side, mean and range of {draws} draws, {TOKENISER}, seed {seed}"
    low, value, high = min(values), fmean(values), max(values)
    return Overlap(value, low, high, f"vocabulary-jaccard = {value:.3f} [{low:.3f}, {high:.3f}] ({how})")


def _vocabulary(texts: Sequence[Words]) -> frozenset[str]:
    return frozenset(word for words in texts for word in words)
