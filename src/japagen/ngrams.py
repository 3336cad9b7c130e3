"""How alike two texts are: by their character 3-grams, and by the numbers in them.

Compare canonical forms (`japanese.canonical`), not raw texts.
"""

from __future__ import annotations

import re

from japagen.japanese import char_ngrams

_NUMBER = re.compile(
    "[0-9.]+|[一二三四五六七八九十百千万]+(?=[頭匹羽人名台本枚個冊杯軒棟階回度年月日時分秒円歳才つ倍割番号])"
)


def trigrams(form: str) -> frozenset[str]:
    """The set of character 3-grams; a text too short to have one is itself its only gram."""
    return frozenset(char_ngrams(form, 3)) or frozenset({form})


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Size of the intersection over size of the union, of sets that are not both empty."""
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)


def numbers(form: str) -> tuple[str, ...]:
    """The numbers of a text in order, as they are written: digits, and kanji before a counter (二頭, 三人)."""
    return tuple(_NUMBER.findall(form))
