"""How varied texts are: distinct-n (Li et al. 2016) and the type-token ratio, always at a stated size.

Both fall as a set grows, so that two sets can only be compared at the same size: distinct-n at the same number of
texts, the type-token ratio at the same number of words (it alone is not moved by how long the texts are).
Texts come as lists of words; who tokenised them is in the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from japagen.analyze.sampling import UndefinedError, draw, stream
from japagen.japanese import TOKENISER

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class Diversity:
    """A value between 0 and 1 and how it was made."""

    value: float
    signature: str


def distinct_n(texts: Sequence[Words], n: int, *, sample: int, seed: int) -> Diversity:
    """Share of different n-grams of words among all those of `sample` texts drawn with the seed.

    No n-gram reaches over the end of a text.

    Raises:
        ValueError: `n` is below 1.
        UndefinedError: there are fewer texts than `sample`, or none of those drawn has `n` words.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    drawn = draw(texts, sample, stream(seed, "distinct-n"))
    grams = [tuple(words[i : i + n]) for words in drawn for i in range(len(words) - n + 1)]
    if not grams:
        raise UndefinedError(f"none of {sample} texts has {n} words")
    value = len(set(grams)) / len(grams)
    how = f"n={sample} texts, {len(grams)} {n}-grams, {TOKENISER}, seed {seed}"
    return Diversity(value, f"distinct-{n} = {value:.3f} ({how})")


def type_token(texts: Sequence[Words], *, tokens: int, seed: int) -> Diversity:
    """Share of different words among the first `tokens` words of the texts in an order drawn with the seed.

    Raises:
        UndefinedError: the texts have fewer words than `tokens`, or `tokens` is below 1.
    """
    total = sum(len(words) for words in texts)
    if not 1 <= tokens <= total:
        raise UndefinedError(f"cannot take {tokens} of {total} words")
    shuffled = draw(texts, len(texts), stream(seed, "type-token"))
    taken = [word for words in shuffled for word in words][:tokens]
    value = len(set(taken)) / tokens
    return Diversity(value, f"type-token = {value:.3f} ({tokens} words, {TOKENISER}, seed {seed})")
