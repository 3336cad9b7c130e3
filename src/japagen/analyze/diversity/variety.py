"""Measures of how varied texts are, of any number of groups of a pool: all at one size, so that they can be compared.

`self_bleu_1` to `_5`: see `self_bleu`. `distinct_1` to `_3`: share of different n-grams among all (Li et al. 2016).
`entropy_1` to `_3`: Shannon entropy of the n-grams in bits. `compression`: bytes of the joined texts over those that zlib
needs (Shaib et al. 2024). `self_repetition`: mean over texts of ln(1 + s), s being in how many other texts the different
4-grams of a text stand, summed (Salkar et al. 2022, as Shaib et al. 2024 write it). `repeated_8`: share of texts that hold
a run of 8 words which another one holds too.

Texts of groups are equal in number where the caller takes as many; n-grams and bytes are cut here to those of the group
that has fewest, because distinct-n falls and entropy rises with their number.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus
from japagen.analyze.diversity.clipped import Integers
from japagen.analyze.diversity.self_bleu import ORDERS, text_scores
from japagen.analyze.sampling import UndefinedError

COUNTED = (1, 2, 3)
RUNS = (4, 8)
MOST_BYTES = 50_000
"""Bytes that are compressed at most; zlib looks back over 32,768 of them, so that more would change little."""
ALIKE = (*(f"self_bleu_{n}" for n in range(1, ORDERS + 1)), "compression", "self_repetition", "repeated_8")
"""Measures that are larger the more alike texts are."""
VARIED = tuple(f"{name}_{n}" for name in ("distinct", "entropy") for n in COUNTED)
"""Measures that are larger the more varied they are."""
MEASURES = (*ALIKE, *VARIED)

Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Texts whose n-grams have numbers, so that groups of them are measured quickly, again and again.

    Attributes:
        corpus: the texts.
        grams: of each counted order the number of the n-gram that begins at each word, -1 where none does, (tokens,).
        runs: of each length of runs (runs, texts): which run stands in which text, each once.
        encoded: the texts as UTF-8.
        times: how often groups will be measured.
    """

    corpus: Corpus
    grams: Mapping[int, Integers]
    runs: Mapping[int, tuple[Integers, Integers]]
    encoded: Sequence[bytes]
    times: int = 1

    @classmethod
    def of(cls, corpus: Corpus, times: int = 1) -> Pool:
        """Number the n-grams of a corpus."""
        owners = np.repeat(np.arange(len(corpus)), corpus.sizes)
        grams = {n: gram_numbers(corpus.words, corpus.offsets, n) for n in COUNTED}
        runs = {}
        for n in RUNS:
            numbers = gram_numbers(corpus.words, corpus.offsets, n)
            there = numbers >= 0
            pairs = np.unique(numbers[there] * max(1, len(corpus)) + owners[there])
            runs[n] = (pairs // max(1, len(corpus)), pairs % max(1, len(corpus)))
        encoded = [text.encode("utf-8", "surrogatepass") for text in corpus.texts]
        return cls(corpus, grams, runs, encoded, times)

    def measured(self, groups: Sequence[Integers]) -> list[Values]:
        """Each measure of each group of texts, given as different positions; None where one has no value for a group."""
        spans = [self._span(rows) for rows in groups]
        found: list[dict[str, float | None]] = [dict.fromkeys(MEASURES) for _ in groups]
        for n in COUNTED:
            numbers = [of[of >= 0] for of in (self.grams[n][places] for places, _ in spans)]
            least = min(map(len, numbers), default=0)
            for values, own in zip(found, numbers, strict=True):
                if least:
                    counts = np.bincount(own[:least])
                    values[f"distinct_{n}"] = distinct(counts)
                    values[f"entropy_{n}"] = entropy(counts)
        joined = [b"\n".join(self.encoded[row] for row in rows.tolist()) for rows in groups]
        fewest = min(MOST_BYTES, *map(len, joined)) if joined else 0
        for values, own, (places, offsets), data in zip(found, groups, spans, joined, strict=True):
            if len(own) > 1:
                scores = text_scores(self.corpus.words[places], offsets, times=2 * self.times)
                values |= {f"self_bleu_{n}": float(mean) for n, mean in enumerate(scores.mean(axis=0), 1)}
                values["self_repetition"], _ = self._repeated(4, own)
                _, values["repeated_8"] = self._repeated(8, own)
            if fewest:
                values["compression"] = compression(data[:fewest])
        return list(found)

    def _span(self, rows: Integers) -> tuple[Integers, Integers]:
        """Positions of the words of these texts, and where each text begins among them."""
        begins, sizes = self.corpus.offsets[:-1][rows], self.corpus.sizes[rows]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        return np.arange(offsets[-1]) + np.repeat(begins - offsets[:-1], sizes), offsets

    def _repeated(self, n: int, rows: Integers) -> tuple[float, float]:
        """Self-repetition by runs of so many words, and the share of texts with such a run that stands in another one."""
        runs, texts = self.runs[n]
        chosen = np.zeros(len(self.corpus), np.bool_)
        chosen[rows] = True
        mine = chosen[texts]
        elsewhere = np.bincount(runs[mine])[runs[mine]] - 1
        summed = np.bincount(texts[mine], weights=elsewhere, minlength=len(self.corpus))[rows]
        return float(np.log1p(summed).mean()), float((summed > 0).mean())


def gram_numbers(words: NDArray[np.int32], offsets: Integers, n: int) -> Integers:
    """The number of the n-gram of words that begins at each word, from 0 without gaps; -1 where the text is too short.

    Equal n-grams have equal numbers and no others do: an n-gram is numbered by that one word shorter and its last word.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, not {n}")
    ends = np.repeat(offsets[1:], np.diff(offsets))
    places, numbers = np.arange(len(words)), words.astype(np.int64)
    for order in range(1, n + 1):
        if order > 1:
            goes_on = places + order <= ends[places]
            places, numbers = places[goes_on], numbers[goes_on]
            numbers = numbers * (int(words.max(initial=0)) + 1) + words[places + order - 1]
        numbers = np.unique(numbers, return_inverse=True)[1]
    found = np.full(len(words), -1, np.int64)
    found[places] = numbers
    return found


def distinct(counts: Integers) -> float:
    """Share of different things among all, from how often each was counted.

    Raises:
        UndefinedError: nothing was counted.

    >>> distinct(np.array([2, 0, 1, 1]))
    0.75
    """
    if not counts.sum():
        raise UndefinedError("nothing was counted")
    return float(np.count_nonzero(counts) / counts.sum())


def entropy(counts: Integers) -> float:
    """Shannon entropy in bits, from how often each thing was counted.

    Raises:
        UndefinedError: nothing was counted.

    >>> entropy(np.array([2, 0, 1, 1]))
    1.5
    """
    total = int(counts.sum())
    if not total:
        raise UndefinedError("nothing was counted")
    often = np.bincount(counts)  # how many things were counted so often: few different numbers
    times = np.flatnonzero(often)[1:] if often[0] else np.flatnonzero(often)
    return float(abs(np.log2(total) - (often[times] * times) @ np.log2(times) / total))


def compression(data: bytes) -> float:
    """Bytes over those that zlib (level 6) makes of them: the larger, the more is repeated.

    Raises:
        UndefinedError: there are no bytes.
    """
    if not data:
        raise UndefinedError("nothing to compress")
    return len(data) / len(zlib.compress(data, 6))
