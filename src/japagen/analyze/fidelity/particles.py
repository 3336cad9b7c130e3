"""How sentences end: by which final particle (終助詞), in the air (〜けど。), or by none.

The end of a sentence is cut into words by MeCab with unidic-lite, whatever tokeniser the other measures use; each end is
looked at once. Laughter, emoji, brackets and drawn-out vowels after it (よね〜ｗ) do not count.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

ENDINGS = ("none", "ね", "よ", "よね", "か", "かな", "な", "の", "わ", "さ", "ぞ・ぜ", "other", "joining")
"""Final particles; "other" holds っけ, もん and what is rarer, "joining" けど, から, し, て and the like."""

_END = re.compile(r"[。!?\n…♪♡♥☆★]+|\.{2,}")
_AFTER = re.compile(r"(?:[\W_]|[笑草泣汗爆wWぁぃぅぇぉっー])+$")
_MAY_END = frozenset("ねよかなのわさぞぜけんどらしがでにてやいあえば")
_TAIL = 8
_KIND = {
    **{ending: ending for ending in ENDINGS[1:10]},
    **{"なあ": "な", "なぁ": "な", "ねえ": "ね", "い": "か", "ぞ": "ぞ・ぜ", "ぜ": "ぞ・ぜ"},
    **dict.fromkeys(("っけ", "け", "もん", "もの", "や", "かしら"), "other"),
    **dict.fromkeys(("けど", "けれど", "けれども", "が", "から", "し", "て", "ば"), "joining"),
}
"""Of the last particle; い is that of かい."""


def ending_counts(texts: Sequence[str]) -> NDArray[np.int64]:
    """How many sentences of each text end in each of `ENDINGS`, int64, (texts, endings).

    A sentence ends at its mark or at the end of a line; what has no letter or digit is none.
    """
    place = {ending: at for at, ending in enumerate(ENDINGS)}
    found = np.zeros((len(texts), len(ENDINGS)), np.int64)
    for row, text in enumerate(texts):
        for sentence in _END.split(unicodedata.normalize("NFKC", text).replace("...", "…")):
            if tail := _AFTER.sub("", sentence[-40:])[-_TAIL:]:
                found[row, place[ending(tail)]] += 1
    return found


@lru_cache(maxsize=1 << 16)
def ending(sentence: str) -> str:
    """The one of `ENDINGS` that a sentence without its mark has, in NFKC.

    >>> [ending(s) for s in ("いいですよね", "行くかな", "高いけど", "静か")]
    ['よね', 'かな', 'joining', 'none']
    """
    if not sentence or sentence[-1] not in _MAY_END:
        return "none"
    if sentence.endswith(("ので", "のに")):
        return "joining"
    words = [marked.partition("\t") for marked in _cut(sentence)]
    last, _, part = words[-1]
    if part != "助詞" or len(words) == 1:
        return "none"
    before, _, part_before = words[-2]
    if last == "の" and part_before in ("名詞", "代名詞"):  # 私の
        return "none"
    both = before + last if part_before == "助詞" else ""
    return both if both in ("よね", "かな") else _KIND.get(last, "none")


def _cut(sentence: str) -> Sequence[str]:
    from japagen.analyze.corpus.tokenisers import cutter

    return cutter("unidic-lite")(sentence)
