"""The loops of the set join, compiled by numba at their first call; the machine code is kept beside this file.

Rows are looked up by their parts. Two sets of n and m tokens that are similar enough differ in d tokens at most,
d = (n + m) (1 - similarity) / (1 + similarity). So if the tokens are dealt by their hash into more than d parts, some
part is the same in both; and any d + 1 parts will do, so those are asked that fewest rows have. Rows of about one size
are a class with a number of parts of its own. Below a similarity of about .5 most parts are empty, and so the same in
many rows: then nearly every two rows are compared, still correctly.

Rows that share a part are first compared by their signatures: each token flips one bit, so that no more bits differ than
tokens do. What passes is counted exactly. Parts are found by hashes; where two parts share one, it costs time, never a
pair. After PartEnum (Arasu et al., 2006), PartAlloc (Deng et al., 2015) and the bitmap filter of Sandes et al. (2020).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

Function = TypeVar("Function", bound=Callable[..., object])
Unsigned = NDArray[np.uint64]
Integers = NDArray[np.int64]
Numbers = NDArray[np.int32]
Floats = NDArray[np.float64]

SLACK = 1e-6  # bounds are taken this much too low, for 0.55 * 100 is a little more than 55; the last test is exact
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio: its multiples spread evenly
CHARACTER = np.uint64(21)  # bits of a code point plus one
BITS = 22  # of a bucket's number at most: 32 MB to look them up
PLACE = np.uint64(63)  # the bit that marks the second text of a pair


def compiled(function: Function) -> Function:
    """The function as machine code, kept on the disk; where no folder can be written, made anew in each process."""
    try:
        return cast(Function, njit(cache=True, nogil=True)(function))
    except RuntimeError:
        return cast(Function, njit(nogil=True)(function))


@compiled
def _spread(token: np.uint64) -> np.uint64:
    mixed = token * SPREAD
    mixed = (mixed ^ (mixed >> np.uint64(32))) * SPREAD
    return mixed ^ (mixed >> np.uint64(32))


@compiled
def _table(most: int) -> tuple[Unsigned, Numbers]:
    """Room for so many tokens of one row at a time: the tokens, and the row that each place was last used for."""
    room = 8
    while room < 2 * most:
        room *= 2
    return np.zeros(room, np.uint64), np.full(room, -1, np.int32)


@compiled
def _put(table: tuple[Unsigned, Numbers], row: int, token: np.uint64) -> bool:
    """Put a token of a row into the table; whether it was not there."""
    slots, owners = table
    mask = np.uint64(len(slots) - 1)
    place = _spread(token) & mask
    while owners[place] == row:
        if slots[place] == token:
            return False
        place = (place + np.uint64(1)) & mask
    slots[place], owners[place] = token, row
    return True


@compiled
def _has(table: tuple[Unsigned, Numbers], row: int, token: np.uint64) -> bool:
    slots, owners = table
    mask = np.uint64(len(slots) - 1)
    place = _spread(token) & mask
    while owners[place] == row:
        if slots[place] == token:
            return True
        place = (place + np.uint64(1)) & mask
    return False


@compiled
def trigram_sets(points: NDArray[np.uint32], ends: Integers, places: int) -> tuple[Unsigned, Integers]:
    """The tokens of each row, each once, and where each row's begin and end.

    Args:
        points: code points of all texts, one after another.
        ends: where each text begins, and the end of the last.
        places: how many texts in succession make a row, 1 or 2.
    """
    rows = (len(ends) - 1) // places
    room, longest = 0, 0
    for row in range(rows):
        own = 0
        for text in range(row * places, (row + 1) * places):
            own += max(1, int(ends[text + 1] - ends[text]) - 2)
        room += own
        longest = max(longest, own)
    table = _table(longest)
    tokens = np.empty(room, np.uint64)
    starts = np.zeros(rows + 1, np.int64)
    filled = 0
    for row in range(rows):
        for place in range(places):
            first, last = int(ends[row * places + place]), int(ends[row * places + place + 1])
            mark = np.uint64(place) << PLACE
            for i in range(first, max(first + 1, last - 2)):
                token = np.uint64(0)
                for j in range(i, min(i + 3, last)):
                    token = token << CHARACTER | np.uint64(points[j] + np.uint32(1))
                if _put(table, row, token | mark):
                    tokens[filled] = token | mark
                    filled += 1
        starts[row + 1] = filled
    return tokens[:filled].copy(), starts


@compiled
def taken(tokens: Unsigned, starts: Integers, rows: Integers, total: int) -> Unsigned:
    """The tokens of these rows, in their order; how many they are in total is known."""
    found = np.empty(total, np.uint64)
    at = 0
    for row in rows:
        for i in range(starts[row], starts[row + 1]):
            found[at] = tokens[i]
            at += 1
    return found


@compiled
def _ones(word: np.uint64) -> int:
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def signatures(tokens: Unsigned, starts: Integers, words: int) -> Unsigned:
    """Of each row so many words of bits, (rows, words): each token flips one; words are a power of 2."""
    found = np.zeros((len(starts) - 1, words), np.uint64)
    for row in range(len(starts) - 1):
        for i in range(starts[row], starts[row + 1]):
            place = _spread(tokens[i]) >> np.uint64(40)
            word = (place >> np.uint64(6)) & np.uint64(words - 1)
            found[row, word] ^= np.uint64(1) << (place & np.uint64(63))
    return found


@compiled
def _class_of(size: int, ratio: float) -> int:
    return int(np.floor(np.log(size) / np.log(ratio)))


@compiled
def _parts_of(kind: int, similarity: float, ratio: float) -> int:
    """Into how many parts rows of a class are cut: a few more than the tokens in which two similar rows differ."""
    largest = np.ceil(ratio ** (kind + 1))
    needed = int(largest * (1 - similarity) / similarity + SLACK) + 1
    return needed + needed // 32 + 3


@compiled
def _cut(own: Unsigned, kind: int, parts: int, sums: Unsigned, mask: np.uint64) -> None:
    """Write the bucket of each part of a row into sums: what rows of one class with an equal part have in common."""
    for part in range(parts):
        sums[part] = np.uint64(kind << 32 | part)
    for token in own:
        mixed = _spread(token)
        sums[((mixed >> np.uint64(40)) * np.uint64(parts)) >> np.uint64(24)] += mixed
    for part in range(parts):
        sums[part] = _spread(sums[part]) & mask


@compiled
def held_parts(
    tokens: Unsigned, starts: Integers, held: int, similarity: float, ratio: float, most_bits: int
) -> tuple[Integers, Numbers, NDArray[np.bool_]]:
    """For each bucket the rows of the first so many that have a part in it: where they begin, and the rows in order.

    The third says of each class whether a row is in it; beyond its end there is none.
    """
    total, widest = 0, 0
    kinds = np.zeros(_class_of(len(tokens) + 1, ratio) + 1, np.bool_)
    for row in range(held):
        kind = _class_of(int(starts[row + 1] - starts[row]), ratio)
        kinds[kind] = True
        parts = _parts_of(kind, similarity, ratio)
        total += parts
        widest = max(widest, parts)
    number = 1 << 10
    while number < total and number < 1 << most_bits:
        number *= 2
    mask = np.uint64(number - 1)
    sums = np.empty(widest, np.uint64)
    buckets = np.empty(total, np.int32)
    begins = np.zeros(number + 1, np.int64)
    at = 0
    for row in range(held):
        kind = _class_of(int(starts[row + 1] - starts[row]), ratio)
        parts = _parts_of(kind, similarity, ratio)
        _cut(tokens[starts[row] : starts[row + 1]], kind, parts, sums, mask)
        for part in range(parts):
            buckets[at] = sums[part]
            begins[sums[part] + np.uint64(1)] += 1
            at += 1
    for bucket in range(number):
        begins[bucket + 1] += begins[bucket]
    filled = begins[:-1].copy()
    holders = np.empty(total, np.int32)
    at = 0
    for row in range(held):
        for _ in range(_parts_of(_class_of(int(starts[row + 1] - starts[row]), ratio), similarity, ratio)):
            holders[filled[buckets[at]]] = row
            filled[buckets[at]] += 1
            at += 1
    return begins, holders, kinds


@compiled
def _asked(
    own: Unsigned,
    most: int,
    similarity: float,
    ratio: float,
    begins: Integers,
    kinds: NDArray[np.bool_],
    sums: Unsigned,
    asked: Unsigned,
) -> int:
    """Write the buckets to look into for rows similar to one and of at most so many tokens; how many there are.

    Of each class all parts but one may differ in the tokens in which similar rows differ, so that many parts and one
    more are asked, those that fewest rows share.
    """
    size = len(own)
    mask = np.uint64(len(begins) - 2)
    count = 0
    least = max(1, int(np.ceil(similarity * size - SLACK)))
    for kind in range(_class_of(least, ratio), min(_class_of(most, ratio) + 1, len(kinds))):
        if not kinds[kind]:
            continue
        parts = _parts_of(kind, similarity, ratio)
        largest = min(np.float64(most), np.ceil(ratio ** (kind + 1)))
        wanted = min(parts, int((size + largest) * (1 - similarity) / (1 + similarity) + SLACK) + 1)
        _cut(own, kind, parts, sums, mask)
        for part in range(parts):
            bucket = sums[part]
            sums[part] |= np.uint64(begins[bucket + np.uint64(1)] - begins[bucket]) << np.uint64(32)
        chosen = np.partition(sums[:parts], wanted - 1)[:wanted]
        for i in range(wanted):
            asked[count + i] = chosen[i] & mask
        count += wanted
    return count


@compiled
def _score(table: tuple[Unsigned, Numbers], row: int, size: int, other: Unsigned, similarity: float) -> float:
    """The Jaccard similarity of the row in the table with another; -1 where it is below `similarity`."""
    both = size + len(other)
    needed = int(np.ceil(similarity * both / (1 + similarity) - SLACK))
    spare = len(other) - needed
    shared = 0
    for i in range(len(other)):
        if _has(table, row, other[i]):
            shared += 1
        elif i - shared >= spare:
            return -1.0
    score = shared / (both - shared)
    return score if score >= similarity else -1.0


@compiled
def _far(marks: Unsigned, row: int, other: int, most: int) -> bool:
    """Whether the signatures of two rows differ in more bits than so many."""
    differ = 0
    for word in range(marks.shape[1]):
        differ += _ones(marks[row, word] ^ marks[other, word])
    return differ > most


@compiled
def _room(most: int, similarity: float, ratio: float) -> tuple[int, int]:
    """Parts of the largest row that may be asked for, and of all the classes in which a row is looked up."""
    last = _class_of(int(most / similarity) + 1, ratio)
    widest = _parts_of(last, similarity, ratio)
    classes = int(2 * np.log(1 / similarity) / np.log(ratio)) + 3
    return widest, widest * min(classes, last + 1)


@compiled
def similar_pairs(
    tokens: Unsigned, starts: Integers, marks: Unsigned, groups: Numbers, others: int, similarity: float, ratio: float
) -> tuple[Numbers, Numbers, Floats]:
    """Each two similar rows of a group, in no order. Rows come by size, the smallest first.

    Args:
        tokens: of the rows, one row after another.
        starts: where each row's begin, and the end of the last.
        marks: their signatures.
        groups: their groups.
        others: 0 to compare all rows with each other; else the first so many rows are one set and the rest the other,
            each by size, and only rows of different sets are compared.
        similarity: the least Jaccard similarity.
        ratio: of the sizes in a class.

    Returns:
        The row of the first set, or the smaller; the row of the other set; their similarity.
    """
    rows = len(starts) - 1
    sizes = starts[1:] - starts[:-1]
    begins, holders, kinds = held_parts(tokens, starts, others if others else rows, similarity, ratio, BITS)
    widest, room = _room(int(sizes.max()), similarity, ratio)
    sums, asked = np.empty(widest, np.uint64), np.empty(room, np.uint64)
    seen = np.full(rows, -1, np.int32)
    table = _table(int(sizes.max()))
    lefts, rights, scores = np.empty(1024, np.int32), np.empty(1024, np.int32), np.empty(1024, np.float64)
    found = 0
    for row in range(others, rows):
        size = int(sizes[row])
        most = int(size / similarity + SLACK) if others else size
        own = tokens[starts[row] : starts[row + 1]]
        differing = int((size + most) * (1 - similarity) / (1 + similarity) + SLACK)
        loaded = False
        for at in range(_asked(own, most, similarity, ratio, begins, kinds, sums, asked)):
            bucket = asked[at]
            for place in range(begins[bucket], begins[bucket + np.uint64(1)]):
                other = holders[place]
                if other >= row:
                    break
                if _far(marks, row, other, differing) or seen[other] == row or groups[other] != groups[row]:
                    continue
                seen[other] = row
                if not loaded:
                    loaded = True
                    for token in own:
                        _put(table, row, token)
                score = _score(table, row, size, tokens[starts[other] : starts[other + 1]], similarity)
                if score < 0:
                    continue
                if found == len(lefts):
                    lefts = np.concatenate((lefts, np.empty_like(lefts)))
                    rights = np.concatenate((rights, np.empty_like(rights)))
                    scores = np.concatenate((scores, np.empty_like(scores)))
                lefts[found], rights[found], scores[found] = other, row, score
                found += 1
    return lefts[:found].copy(), rights[:found].copy(), scores[:found].copy()


@compiled
def first_similar(
    tokens: Unsigned, starts: Integers, marks: Unsigned, groups: Numbers, similarity: float, ratio: float
) -> tuple[Numbers, Floats]:
    """For each row the earliest row of its group that stays and is similar, -1 for a row that stays; and how similar.

    The arguments are those of `similar_pairs`, the rows in their own order.
    """
    rows = len(starts) - 1
    largest = int((starts[1:] - starts[:-1]).max())
    begins, holders, kinds = held_parts(tokens, starts, rows, similarity, ratio, BITS)
    widest, room = _room(largest, similarity, ratio)
    sums, asked = np.empty(widest, np.uint64), np.empty(room, np.uint64)
    seen = np.full(rows, -1, np.int32)
    table = _table(largest)
    likes, scores = np.full(rows, -1, np.int32), np.ones(rows, np.float64)
    for row in range(rows):
        size = int(starts[row + 1] - starts[row])
        most = int(size / similarity + SLACK)
        own = tokens[starts[row] : starts[row + 1]]
        differing = int((size + most) * (1 - similarity) / (1 + similarity) + SLACK)
        best = row
        loaded = False
        for at in range(_asked(own, most, similarity, ratio, begins, kinds, sums, asked)):
            bucket = asked[at]
            for place in range(begins[bucket], begins[bucket + np.uint64(1)]):
                other = holders[place]
                if other >= best:
                    break
                if likes[other] >= 0 or _far(marks, row, other, differing):
                    continue
                if seen[other] == row or groups[other] != groups[row]:
                    continue
                seen[other] = row
                if not loaded:
                    loaded = True
                    for token in own:
                        _put(table, row, token)
                score = _score(table, row, size, tokens[starts[other] : starts[other + 1]], similarity)
                if score >= 0:
                    best, scores[row], likes[row] = other, score, other
    return likes, scores
