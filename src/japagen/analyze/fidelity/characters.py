"""Scripts and punctuation of many texts at once: every different character is looked at once.

Characters are those of NFKC, as in `japanese.script_counts`: half-width ｶﾞ is one katakana, ㎏ two Latin letters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.japanese import SCRIPTS, script_counts

Counts = NDArray[np.int64]

PUNCTUATION = {
    "。": "。｡．",
    "、": "、､，",
    "！": "!",
    "？": "?",
    "…": "…‥",
    "「」": "「」『』",
    "()": "()[]{}【】〔〕〈〉《》",
    "・": "・･",
    "〜": "~〜-‐‑‒–—―−",
    "♪": "♪♡♥☆★",
}
"""Marks by the name of their kind, as written or in NFKC; every other punctuation is "other", as a point in 1.5 is."""
MARKS = (*PUNCTUATION, "other")
_KIND = {char: at for at, chars in enumerate(PUNCTUATION.values()) for char in chars}
_BLOCK = 20_000


def character_counts(texts: Sequence[str]) -> tuple[Counts, Counts]:
    """Characters of each of `SCRIPTS` and of each of `MARKS` in each text, int64, (texts, kinds) each.

    Takes any string, lone surrogates included.
    """
    width = len(SCRIPTS) + len(MARKS)
    found = np.zeros((len(texts), width), np.int64)
    table = np.zeros(0x110000, np.uint16)
    known: dict[tuple[int, ...], int] = {(0,) * width: 0}
    looked_at = np.zeros(0x110000, np.bool_)
    for begin in range(0, len(texts), _BLOCK):
        block = texts[begin : begin + _BLOCK]
        points = np.frombuffer("".join(block).encode("utf-32-le", "surrogatepass"), np.uint32)
        present = np.zeros(0x110000, np.bool_)
        present[points] = True
        for point in np.flatnonzero(present & ~looked_at).tolist():
            table[point] = known.setdefault(_kinds(chr(point)), len(known))
        looked_at |= present
        row_of = np.repeat(np.arange(len(block)) * len(known), [len(text) for text in block])
        sums = np.bincount(row_of + table[points], minlength=len(block) * len(known)).reshape(len(block), len(known))
        found[begin : begin + len(block)] = sums @ np.array(list(known), np.int64)
    return found[:, : len(SCRIPTS)], found[:, len(SCRIPTS) :]


def _kinds(char: str) -> tuple[int, ...]:
    """What one character adds to each count."""
    scripts = script_counts(char)
    marks = [0] * len(MARKS)
    for each in char if char in _KIND else unicodedata.normalize("NFKC", char):
        kind = _KIND.get(each)
        if kind is not None or unicodedata.category(each)[0] == "P":
            marks[-1 if kind is None else kind] += 1
    return (*(scripts[script] for script in SCRIPTS), *marks)
