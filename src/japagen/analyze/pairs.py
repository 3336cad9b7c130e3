"""How alike the two texts of a pair are, in words; where labels differ in it, it alone gives them away."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from japagen.analyze.fidelity.overlap import jaccard
from japagen.analyze.sampling import UndefinedError
from japagen.japanese import TOKENISER, words


@dataclass(frozen=True, slots=True)
class Likeness:
    """A mean between 0 and 1 and how it was made."""

    value: float
    signature: str


def likeness(pairs: Sequence[tuple[str, str]]) -> Likeness:
    """Mean over pairs of the Jaccard similarity of the words of both texts.

    Raises:
        UndefinedError: there are no pairs, or both texts of one are without words.
    """
    if not pairs:
        raise UndefinedError("no pairs, no likeness")
    value = fmean(jaccard(frozenset(words(first)), frozenset(words(second))) for first, second in pairs)
    return Likeness(value, f"word-jaccard = {value:.3f} (n={len(pairs)} pairs, {TOKENISER})")
