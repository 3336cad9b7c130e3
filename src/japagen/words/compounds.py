"""Joining neighbouring nouns to the nouns that people mean: 冷蔵 + 庫, スマート + フォン, 無料 + 通話 + アプリ.

Two neighbours are joined if they stand together often, and surely more often than the second stands elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from japagen.likelihood import SURE, log_likelihood_ratio
from japagen.nouns import Noun, Tagged

LONGEST = 4
"""Most words of the dictionary in one compound."""
_SHARE = 0.1  # of the rarer partner's occurrences

Compound = tuple[Noun, ...]
"""A single noun, or several that are joined."""


def join_compounds(texts: Sequence[Tagged], *, min_count: int) -> list[list[Compound]]:
    """The nouns and compounds of each text, in its order; a compound occurs at least `min_count` times in all."""
    runs: list[list[list[Compound]]] = [[[(noun,) for noun in run] for run in text.runs] for text in texts]
    for _ in range(LONGEST - 1):
        pairs = _pairs(runs, min_count)
        if not pairs:
            break
        runs = [[_join(run, pairs) for run in text] for text in runs]
    return [[compound for run in text for compound in run] for text in runs]


def _pairs(runs: Iterable[Iterable[Sequence[Compound]]], min_count: int) -> dict[tuple[Compound, Compound], float]:
    """The pairs worth joining and how sure that is."""
    single: Counter[Compound] = Counter()
    double: Counter[tuple[Compound, Compound]] = Counter()
    for text in runs:
        for run in text:
            single.update(run)
            double.update(pairwise(run))
    total = single.total()
    found = {}
    for (first, second), count in double.items():
        if count < min_count or len(first) + len(second) > LONGEST:
            continue
        before, elsewhere = single[first], single[second] - count
        if count < _SHARE * min(before, single[second]):
            continue
        others = total - before
        ratio = log_likelihood_ratio(count, before, elsewhere, others) if others else 0.0
        if ratio >= SURE and count * others > elsewhere * before:
            found[first, second] = ratio
    return found


def _join(run: Sequence[Compound], pairs: dict[tuple[Compound, Compound], float]) -> list[Compound]:
    """The run with its pairs joined, the surest first where they overlap; the first of equals."""
    if len(run) < 2:
        return list(run)
    free = [True] * len(run)
    starts = set()
    places = [i for i, pair in enumerate(pairwise(run)) if pair in pairs]
    for i in sorted(places, key=lambda i: (-pairs[run[i], run[i + 1]], i)):
        if free[i] and free[i + 1]:
            starts.add(i)
            free[i] = free[i + 1] = False
    return [
        run[i] + run[i + 1] if i in starts else run[i] for i in range(len(run)) if i in starts or i - 1 not in starts
    ]
