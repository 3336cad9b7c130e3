"""Candidate words for KADG, from texts without labels or a few with: the nouns that these texts use more than others do.

What `japagen words` does. The result is a YAML file for a person to edit and to name in a task; nothing is decided here.
Persons' names are left out: words go into prompts, which may leave the house.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from japagen.errors import DataError
from japagen.frequency import FLOOR, frequency
from japagen.likelihood import SURE, log_likelihood_ratio
from japagen.nouns import joined, tagged
from japagen.words.compounds import Compound, join_compounds

LANGUAGE = 10**9
"""Words that the general frequencies are taken to be counted on; the ratio scarcely depends on it."""
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+|[\w.+-]*@[\w.-]+", re.ASCII)  # URL, e-mail, handle: no words
_ALIKE = 0.45  # cosine of two words' vectors, on average, to be in one group
_EXAMPLES = 2
_EXAMPLE_CHARS = 30


@dataclass(frozen=True, slots=True)
class Candidate:
    """A word that may be worth a place in the prompts.

    Attributes:
        word: a noun or a compound.
        count: its occurrences.
        texts: the texts that it occurs in.
        keyness: log-likelihood ratio of its frequency here and in general Japanese.
        group: the strongest word of its group.
        label: the label that it is typical for, if there are labels and one is.
        examples: texts, or their parts, that it occurs in.
    """

    word: str
    count: int
    texts: int
    keyness: float
    group: str
    label: str | None = None
    examples: tuple[str, ...] = ()


def mine_words(
    texts: Sequence[str], *, labels: Sequence[str] | None = None, top: int = 60, min_count: int = 3
) -> list[Candidate]:
    """The `top` words by keyness, in groups of similar words: the strongest group first, in it the strongest word.

    Words that are like no other are groups of one.

    Args:
        texts: what the classifier will be used on, as many as there are.
        labels: one per text.
        top: most words.
        min_count: least occurrences of a word.

    Raises:
        DataError: no noun occurs so often.
        MissingExtra: wordfreq is not installed.
        ValueError: as many labels as texts are needed, and numbers above 0.
    """
    if top < 1 or min_count < 1 or (labels is not None and len(labels) != len(texts)):
        raise ValueError("needs top and min_count of 1 or more, and a label for each text")
    parsed = [tagged(_ADDRESS.sub(" ", text)) for text in texts]
    nouns = [[c for c in found if _stands(c)] for found in join_compounds(parsed, min_count=min_count)]
    total = sum(text.words for text in parsed)
    counts = Counter(compound for found in nouns for compound in found)
    keys = {c: _keyness(c, n, total) for c, n in counts.items() if n >= min_count}
    strongest = sorted((c for c, key in keys.items() if key > 0), key=lambda c: (-keys[c], joined(c)))
    chosen = {joined(c): c for c in reversed(strongest)}  # two ways to cut a word are one word: the stronger
    kept = [c for c in strongest if chosen[joined(c)] is c][:top]
    if not kept:
        most = f"the most frequent noun occurs {max(counts.values())} times" if counts else "there are no nouns"
        raise DataError(
            f"no noun occurs {min_count} times or more, and more than in general, in {len(texts)} texts; {most}",
            where="texts",
            remedy="give more texts, or lower --min-count",
        )
    places: dict[Compound, list[int]] = {c: [] for c in kept}
    for i, found in enumerate(nouns):
        for compound in set(found) & places.keys():
            places[compound].append(i)
    candidates = [
        Candidate(
            word=joined(c),
            count=counts[c],
            texts=len(places[c]),
            keyness=keys[c],
            group="",
            label=_typical([labels[i] for i in places[c]], Counter(labels)) if labels else None,
            examples=_examples(joined(c), [texts[i] for i in places[c]]),
        )
        for c in kept
    ]
    return _grouped(candidates)


def _stands(compound: Compound) -> bool:
    """Whether it is a word by itself: no piece of one, no name of a person."""
    return any(noun.stands for noun in compound)


def _keyness(compound: Compound, count: int, total: int) -> float:
    """The ratio, negative if the word is rarer here than in general.

    A compound is missing in the list even where it is common; it is taken to be a tenth as frequent as its rarest part.
    """
    share = frequency(joined(compound))
    if share == FLOOR and len(compound) > 1:
        share = max(FLOOR, min(frequency(noun.text) for noun in compound) / 10)
    ratio = log_likelihood_ratio(count, total, round(share * LANGUAGE), LANGUAGE)
    return ratio if count > share * total else -ratio


def _typical(own: Sequence[str], rows: Counter[str]) -> str | None:
    """The label whose texts have the word surely more often than the others', and most surely of all labels."""
    with_word = Counter(own)
    best, label = SURE, None
    for name, count in sorted(with_word.items()):
        rest = rows.total() - rows[name]
        others = len(own) - count
        if rest and count * rest > others * rows[name]:
            ratio = log_likelihood_ratio(count, rows[name], others, rest)
            if ratio >= best:
                best, label = ratio, name
    return label


def _examples(word: str, texts: Sequence[str]) -> tuple[str, ...]:
    """Different texts around the word, those nearest to the usual length of an example."""
    different = dict.fromkeys(" ".join(text.split()) for text in texts)
    nearest = sorted(different, key=lambda text: abs(len(text) - _EXAMPLE_CHARS))[:_EXAMPLES]
    return tuple(_around(word, text) for text in nearest)


def _around(word: str, text: str) -> str:
    """At most `_EXAMPLE_CHARS` and the word, with … where something is left out."""
    if len(text) <= 2 * _EXAMPLE_CHARS:
        return text
    start = max(0, text.find(word) - _EXAMPLE_CHARS // 2)
    end = start + len(word) + _EXAMPLE_CHARS
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _grouped(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with their groups; they come with the strongest first."""
    from japagen.student.vectors import vectors

    if len(candidates) == 1:
        return [replace(candidates[0], group=candidates[0].word)]
    from sklearn.cluster import AgglomerativeClustering

    encoded = vectors().encode([c.word for c in candidates]).astype(np.float64)
    clustering = AgglomerativeClustering(
        n_clusters=None, distance_threshold=1 - _ALIKE, metric="cosine", linkage="average"
    )
    groups: dict[int, list[Candidate]] = defaultdict(list)
    for candidate, number in zip(candidates, clustering.fit_predict(encoded), strict=True):
        groups[int(number)].append(candidate)
    return [replace(c, group=group[0].word) for group in groups.values() for c in group]
