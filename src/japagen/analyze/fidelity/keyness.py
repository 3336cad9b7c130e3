"""The words that set synthetic texts apart from gold: log-likelihood ratio and effect size, in all texts and by label.

A word is key where its occurrences (Dunning 1993; Rayson and Garside 2000) and the texts that hold it both differ more than
chance allows, shared among all words that were looked at (Bonferroni). Occurrences alone would be fooled by one text that
repeats a word; texts alone count a word more often where texts are longer, so each text's different words are what they are
held against. How large a difference is says the log ratio (Hardie 2014): 1 is twice as often, 2 four times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus
from japagen.analyze.corpus.occurrences import Occurrences, occurrences, token_places

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]

TOP = 20
"""Words of a table."""
EXAMPLES = 3
"""Texts of a word."""
LEAST = 5
"""Texts of both sides that a word must stand in to be looked at."""
LEVEL = 0.05
"""Probability that chance alone gives any word of any table."""


@dataclass(frozen=True, slots=True)
class KeyWord:
    """A word that one side uses more than the other.

    Attributes:
        word: as the tokeniser cut it.
        ratio: log-likelihood ratio G² of its occurrences.
        texts_ratio: G² of the texts that hold it, among the different words of all texts.
        log_ratio: binary logarithm of its rate on this side over that on the other; half an occurrence is added to each.
        count, count_other: occurrences in the different texts of this side and of the other.
        texts, texts_other: different texts that hold it.
        rate, rate_other: occurrences in a million words.
        examples: id and text of texts of this side that hold it, those of usual length first.
    """

    word: str
    ratio: float
    texts_ratio: float
    log_ratio: float
    count: int
    count_other: int
    texts: int
    texts_other: int
    rate: float
    rate_other: float
    examples: tuple[dict[str, str], ...] = ()


def keyness(ours: Corpus, theirs: Corpus | None, labels: Sequence[str], *, top: int = TOP) -> dict[str, Any]:
    """The key words of both sides, in all texts and within each label, as JSON can hold them.

    Marks and symbols are not words here. A text that stands in a set again under the same label counts once.

    Args:
        ours: synthetic texts.
        theirs: gold texts, made together with the others; may be missing or empty.
        labels: of the task, in its order.
        top: most words of a table.

    Returns:
        all: "synthetic" and "gold", each the list of what `KeyWord` holds, the strongest (the smaller of both ratios) first;
            None where a side has no words. by_label: the same for each label.
        texts, words: different texts, and words in them, by set. looked_at: words in all tables; least: the ratio that both
            must reach; signature.
        {} without gold.
    """
    if theirs is None or not len(theirs) or not len(ours):
        return {}
    sides = (occurrences(ours, len(labels)), occurrences(theirs, len(labels)))
    is_word = np.array([any(map(str.isalnum, word)) for word in ours.vocabulary], np.bool_)
    tables: dict[str | None, list[tuple[Counts, Counts]]] = {
        None: [(side.counts.sum(0) * is_word, side.texts.sum(0) * is_word) for side in sides]
    }
    if len(labels) > 1:
        tables |= {
            label: [(side.counts[at] * is_word, side.texts[at] * is_word) for side in sides]
            for at, label in enumerate(labels)
        }
    tables = {label: table for label, table in tables.items() if all(counts.any() for counts, _ in table)}
    looked_at = {label: np.flatnonzero(table[0][1] + table[1][1] >= LEAST) for label, table in tables.items()}
    number = sum(map(len, looked_at.values()))
    least = NormalDist().inv_cdf(1 - LEVEL / max(1, number) / 2) ** 2
    found = {label: _key_words(table, looked_at[label], least, top) for label, table in tables.items()}
    named = [
        _examples(corpus, side, found, at, labels)
        for at, (corpus, side) in enumerate(zip((ours, theirs), sides, strict=True))
    ]

    def told(label: str | None) -> dict[str, Any]:
        if label not in found:
            return {"synthetic": None, "gold": None}
        return {
            name: [_record(table, word, ours.vocabulary, examples.get((label, word.number), ())) for word in words]
            for name, words, table, examples in zip(
                ("synthetic", "gold"), found[label], (tables[label], tables[label][::-1]), named, strict=True
            )
        }

    texts, words = (
        [int(part.sum()) for part in parts]
        for parts in zip(*((s.sizes, s.counts * is_word) for s in sides), strict=True)
    )
    how = f"n={texts[0]} and {texts[1]} different texts, {words[0]} and {words[1]} words, {ours.tokeniser}"
    return {
        "all": told(None),
        "by_label": {label: told(label) for label in labels} if len(labels) > 1 else {},
        "texts": {"synthetic": texts[0], "gold": texts[1]},
        "words": {"synthetic": words[0], "gold": words[1]},
        "looked_at": number,
        "least": least,
        "signature": f"keyness G² of occurrences and of texts >= {least:.2f} (Bonferroni, {number} words; {how})",
    }


@dataclass(frozen=True, slots=True)
class _Found:
    """A key word by its number in the vocabulary, with its ratios."""

    number: int
    ratio: float
    texts_ratio: float


def _key_words(
    table: Sequence[tuple[Counts, Counts]], looked_at: Counts, least: float, top: int
) -> tuple[list[_Found], list[_Found]]:
    """Of the first side and of the second."""
    (counts, texts), (counts_other, texts_other) = table
    totals = [int(part.sum()) for part in (counts, texts, counts_other, texts_other)]
    words, other_words = counts[looked_at], counts_other[looked_at]
    ratio = log_likelihood_ratios(words, totals[0], other_words, totals[2])
    texts_ratio = log_likelihood_ratios(texts[looked_at], totals[1], texts_other[looked_at], totals[3])
    more = (words * totals[2] > other_words * totals[0]) & (
        texts[looked_at] * totals[3] > texts_other[looked_at] * totals[1]
    )
    less = (words * totals[2] < other_words * totals[0]) & (
        texts[looked_at] * totals[3] < texts_other[looked_at] * totals[1]
    )
    strength = np.minimum(ratio, texts_ratio)

    def of(side: NDArray[np.bool_]) -> list[_Found]:
        chosen = np.flatnonzero(side & (strength >= least))
        order = chosen[np.argsort(-strength[chosen], kind="stable")][:top]
        return [_Found(int(looked_at[at]), float(ratio[at]), float(texts_ratio[at])) for at in order]

    return of(more), of(less)


def log_likelihood_ratios(counts: Counts, total: int, counts_other: Counts, total_other: int) -> Floats:
    """`likelihood.log_likelihood_ratio` of many words at once, (words,); each occurs on some side, totals are above 0."""
    rate = (counts + counts_other) / (total + total_other)
    found = np.zeros(len(counts))
    for observed, size in ((counts, total), (counts_other, total_other)):
        expected = rate * size
        share = np.divide(observed, expected, out=np.ones(len(counts)), where=observed > 0)
        found += 2 * observed * np.log(share)
    return found


def _record(
    table: Sequence[tuple[Counts, Counts]], found: _Found, vocabulary: Sequence[str], examples: Sequence[dict[str, str]]
) -> dict[str, Any]:
    (counts, texts), (counts_other, texts_other) = table
    at, total, total_other = found.number, int(counts.sum()), int(counts_other.sum())
    count, count_other = int(counts[at]), int(counts_other[at])
    log_ratio = float(np.log2((count + 0.5) / (total + 0.5) / ((count_other + 0.5) / (total_other + 0.5))))
    rates = (1e6 * count / total, 1e6 * count_other / total_other)
    holding = (int(texts[at]), int(texts_other[at]))
    word = KeyWord(
        vocabulary[at], found.ratio, found.texts_ratio, log_ratio, count, count_other, *holding, *rates, tuple(examples)
    )
    return asdict(word)


def _examples(
    corpus: Corpus,
    side: Occurrences,
    found: dict[str | None, tuple[list[_Found], list[_Found]]],
    at: int,
    labels: Sequence[str],
) -> dict[tuple[str | None, int], list[dict[str, str]]]:
    """Of the key words of one side in each table: texts that hold them, those nearest the side's median length first."""
    wanted = np.zeros(len(corpus.vocabulary), np.bool_)
    wanted[[word.number for words in found.values() for word in words[at]]] = True
    sizes = corpus.sizes[side.rows]
    words = corpus.words[token_places(corpus.offsets, side.rows)] if len(side.rows) < len(corpus) else corpus.words
    holding = wanted[words]
    words, rows = words[holding], np.repeat(side.rows, sizes)[holding]
    lengths = np.array([len(text) for text in corpus.texts], np.int64)
    unusual = np.abs(lengths - np.median(lengths[side.rows]))
    order = np.lexsort((rows, unusual[rows], words))
    words, rows = words[order], rows[order]
    told = corpus.labels[rows]
    chosen = {}
    for label, sides in found.items():
        for word in sides[at]:
            begin, end = np.searchsorted(words, [word.number, word.number + 1]).tolist()
            own = rows[begin:end] if label is None else rows[begin:end][told[begin:end] == labels.index(label)]
            texts: dict[str, str] = {}
            for row in own.tolist():
                texts.setdefault(corpus.texts[row], corpus.ids[row])
                if len(texts) == EXAMPLES:
                    break
            chosen[label, word.number] = [{"id": row_id, "text": text} for text, row_id in texts.items()]
    return chosen
