"""How often each word occurs, and in how many different texts, by label: the counts that keyness is made of.

A text that stands in a set again, word for word and under the same label, is counted once, so that no repeated text makes
a word of itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus

Counts = NDArray[np.int64]
BLOCK = 1 << 19
"""Tokens whose texts are told apart at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Occurrences:
    """Of every word of the vocabulary in the different texts of a set.

    Attributes:
        counts: int64, (labels, words): occurrences.
        texts: int64, (labels, words): texts that hold the word.
        rows: int64, (different texts,): their positions in the corpus, ascending; of equal ones the first.
        sizes: int64, (labels,): different texts of each label.
    """

    counts: Counts
    texts: Counts
    rows: Counts
    sizes: Counts


def occurrences(corpus: Corpus, labels: int) -> Occurrences:
    """Count the words of a corpus; `labels` is how many labels the task has."""
    seen: dict[tuple[int, str], int] = {}
    for row, key in enumerate(zip(corpus.labels.tolist(), corpus.texts, strict=True)):
        seen.setdefault(key, row)
    rows = np.fromiter(seen.values(), np.int64, len(seen))
    size = len(corpus.vocabulary)
    counts, texts = np.zeros((labels, size), np.int64), np.zeros((labels, size), np.int64)
    told = corpus.labels[rows]
    for label in range(labels):
        for block in _blocks(corpus, rows[told == label]):
            words = corpus.words[token_places(corpus.offsets, block)].astype(np.int64)
            counts[label] += np.bincount(words, minlength=size)
            kinds = np.sort(np.repeat(np.arange(len(block)) * size, corpus.sizes[block]) + words)
            first = np.ones(len(kinds), np.bool_)
            first[1:] = kinds[1:] != kinds[:-1]
            texts[label] += np.bincount(kinds[first] % max(size, 1), minlength=size)
    return Occurrences(counts, texts, rows, np.bincount(told, minlength=labels).astype(np.int64))


def _blocks(corpus: Corpus, rows: Counts) -> list[Counts]:
    """The rows in turn, about `BLOCK` tokens at a time."""
    number = np.cumsum(corpus.sizes[rows]) // BLOCK
    return np.split(rows, np.flatnonzero(np.diff(number)) + 1) if len(rows) else []


def token_places(offsets: Counts, rows: Counts) -> Counts:
    """Where the tokens of these texts stand, one text after another; `offsets` are those of the corpus."""
    sizes = offsets[1:][rows] - offsets[:-1][rows]
    ends = np.cumsum(sizes)
    places = np.arange(ends[-1] if len(ends) else 0) + np.repeat(offsets[:-1][rows] - (ends - sizes), sizes)
    return np.asarray(places)
