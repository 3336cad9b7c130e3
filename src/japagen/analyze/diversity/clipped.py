"""How many n-grams of each text stand in another one too, clipped as BLEU clips them; for all texts in linear time.

BLEU counts an n-gram of a text as often as it stands there, but no more often than in any one of the references. Where
the references are all other texts, three numbers of each n-gram are enough: its largest count in any text, which text
that is, and the largest count in the others. An n-gram is known by the number of the n-gram one word shorter and the
number of its last word, so that no two are ever confused; one that only one text has is not lengthened, for whatever
begins or ends with it is in that text alone. Few words are counted by sorting, many by compiled loops.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]

FEW = 500_000  # words up to which sorting is as fast as the compiled loops are with their loading


def clipped_counts(words: Numbers, offsets: Integers, orders: int, *, times: int = 1) -> Integers:
    """Of each text and order the n-grams that count.

    Args:
        words: numbers of words, one text after another, (tokens,).
        offsets: where each text begins, and the end of the last, (n + 1,).
        orders: the largest n.
        times: how often so many words will be counted, which decides whether compiled loops pay.

    Returns:
        int64, (n, orders).
    """
    if len(words) * times <= FEW:
        return _sorted(words, offsets, orders)
    from japagen.analyze.diversity.clipped_compiled import clipped_counts as compiled_counts

    return compiled_counts(np.ascontiguousarray(words), offsets, orders)


def _sorted(words: Numbers, offsets: Integers, orders: int) -> Integers:
    texts = len(offsets) - 1
    found = np.zeros((texts, orders), np.int64)
    owners = np.repeat(np.arange(texts), np.diff(offsets))  # of each position
    ends = offsets[1:][owners]
    spread = int(words.max(initial=0)) + 1
    places, grams = np.arange(len(words)), words.astype(np.int64)  # positions of n-grams that go on, and their numbers
    for order in range(1, orders + 1):
        if order > 1:
            number = np.full(len(words) + 1, -1, np.int64)
            number[places] = grams
            goes_on = (number[places + 1] >= 0) & (places + order <= ends[places])
            places = places[goes_on]
            grams = number[places] * spread + words[places + order - 1]
        if not len(places):
            break
        different, grams = np.unique(grams, return_inverse=True)
        counts, shared = _against_others(grams, owners[places], len(different), texts)
        found[:, order - 1] = counts
        places, grams = places[shared[grams]], grams[shared[grams]]
    return found


def _against_others(
    grams: Integers, owners: Integers, different: int, texts: int
) -> tuple[Integers, NDArray[np.bool_]]:
    """Clipped n-grams of each text, and which n-grams more than one text has."""
    pairs, counts = np.unique(grams * texts + owners, return_counts=True)
    gram, owner = np.divmod(pairs, texts)
    order = np.lexsort((counts, gram))  # of one n-gram the largest count stands last
    last = np.searchsorted(gram, np.arange(different), side="right") - 1
    ranked, before = counts[order], np.maximum(last - 1, 0)
    shared = np.bincount(gram, minlength=different) > 1
    most, second = ranked[last], np.where(shared, ranked[before], 0)
    limit = np.where(owner == owner[order][last][gram], second[gram], most[gram])
    clipped = np.bincount(owner, weights=np.minimum(counts, limit), minlength=texts)
    return clipped.astype(np.int64), shared
