"""The loops of `clipped`, compiled by numba at their first call; n-grams are numbered by an exact hash table."""

from __future__ import annotations

import numpy as np

from japagen.setjoin.compiled import Integers, Numbers, Unsigned, compiled

SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: its multiples spread evenly
OWNER, MOST, SECOND, LAST, NOW = range(5)


@compiled
def _place(keys: Unsigned, key: np.uint64) -> int:
    """Where a key stands in the table, or the free place for it; the whole key is compared."""
    mask = np.uint64(len(keys) - 1)
    mixed = (key ^ (key >> np.uint64(31))) * SPREAD
    place = (mixed ^ (mixed >> np.uint64(32))) & mask
    while keys[place] != np.uint64(0) and keys[place] != key:
        place = (place + np.uint64(1)) & mask
    return int(place)


@compiled
def _larger(keys: Unsigned, numbers: Numbers) -> tuple[Unsigned, Numbers]:
    """The table with twice the room."""
    more_keys = np.zeros(2 * len(keys), np.uint64)
    more_numbers = np.zeros(2 * len(keys), np.int32)
    for place in range(len(keys)):
        if keys[place] != np.uint64(0):
            free = _place(more_keys, keys[place])
            more_keys[free], more_numbers[free] = keys[place], numbers[place]
    return more_keys, more_numbers


@compiled
def _lengthen(grams: Numbers, words: Numbers, offsets: Integers, order: int, spread: int) -> int:
    """Number the n-grams of this order in place of those one word shorter; -1 where one ends. How many differ."""
    keys, numbers = np.zeros(1 << 16, np.uint64), np.zeros(1 << 16, np.int32)
    different = 0
    for text in range(len(offsets) - 1):
        last = offsets[text + 1] - order
        for at in range(offsets[text], offsets[text + 1]):
            if at > last or grams[at] < 0 or grams[at + 1] < 0:
                grams[at] = -1
                continue
            key = np.uint64(grams[at]) * np.uint64(spread) + np.uint64(words[at + order - 1]) + np.uint64(1)
            place = _place(keys, key)
            if keys[place] == np.uint64(0):
                keys[place], numbers[place] = key, different
                different += 1
            grams[at] = numbers[place]
            if 2 * different > len(keys):
                keys, numbers = _larger(keys, numbers)
    return different


@compiled
def clipped_counts(words: Numbers, offsets: Integers, orders: int) -> Integers:
    """As `clipped.clipped_counts`."""
    texts = len(offsets) - 1
    found = np.zeros((texts, orders), np.int64)
    grams = words.copy()
    spread = 1
    for word in words:
        spread = max(spread, word + 1)
    different = spread
    for order in range(1, orders + 1):
        if order > 1:
            different = _lengthen(grams, words, offsets, order, spread)
        seen = np.zeros((different, 5), np.int32)
        seen[:, OWNER] = -1
        seen[:, LAST] = -1
        for text in range(texts):
            for at in range(offsets[text], offsets[text + 1]):
                if grams[at] < 0:
                    continue
                of = seen[grams[at]]
                of[NOW] = of[NOW] + 1 if of[LAST] == text else 1
                of[LAST] = text
                if of[OWNER] == text:
                    of[MOST] = of[NOW]
                elif of[NOW] > of[MOST]:
                    of[SECOND], of[MOST], of[OWNER] = of[MOST], of[NOW], text
                elif of[NOW] > of[SECOND]:
                    of[SECOND] = of[NOW]
        for text in range(texts):
            for at in range(offsets[text], offsets[text + 1]):
                if grams[at] < 0:
                    continue
                of = seen[grams[at]]
                of[NOW] = of[NOW] + 1 if of[LAST] == texts + text else 1
                of[LAST] = texts + text
                if of[NOW] <= (of[SECOND] if of[OWNER] == text else of[MOST]):
                    found[text, order - 1] += 1
                if of[SECOND] == 0:
                    grams[at] = -1
    return found
