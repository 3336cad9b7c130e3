"""Which words set two sets of texts apart: the log-likelihood ratio of their frequencies (Dunning 1993)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from japagen.analyze.sampling import UndefinedError
from japagen.likelihood import log_likelihood_ratio

Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class CharacteristicWord:
    """A word that one side uses more than the other; 10.83 of likelihood ratio is p = 0.001 for a single word."""

    word: str
    ratio: float
    count: int
    count_other: int


def characteristic_words(own: Sequence[Words], other: Sequence[Words], *, top: int) -> list[CharacteristicWord]:
    """The words more frequent in `own` than in `other`, those that set them apart most first, at most `top`.

    Punctuation and symbols are not words here. Ties are in the order of the words' characters.

    Raises:
        UndefinedError: a side has no words.
    """
    counts, others = _count(own), _count(other)
    total, total_other = counts.total(), others.total()
    if not (total and total_other):
        raise UndefinedError("characteristic words need words on both sides")
    found = [
        CharacteristicWord(word, log_likelihood_ratio(n, total, others[word], total_other), n, others[word])
        for word, n in counts.items()
        if n * total_other > others[word] * total
    ]
    return sorted(found, key=lambda w: (-w.ratio, w.word))[:top]


def _count(texts: Sequence[Words]) -> Counter[str]:
    return Counter(word for words in texts for word in words if any(map(str.isalnum, word)))
