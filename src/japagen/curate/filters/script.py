"""Language and encoding: whether the characters of a text are those of a Japanese text that arrived whole."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

from japagen.curate.filters.finding import Filter, Finding, each_text
from japagen.japanese import foreign_kanji, has_kana, normalise, script_counts

LONG_WITHOUT_KANA = 15  # kanji; 期待以上の品質 may go without の, a sentence of kanji alone is Chinese
LATIN_WORD = 2  # Japanese letters that a Latin word of whatever length counts for: cafe is no longer than 喫茶
LATIN_NAME = 0.5  # the same for one with a capital: most are names, of which headlines are full

_LATIN = re.compile("[A-Za-z\u00c0-\u024f]+")
_OTHER = re.compile(  # letters in a row; kaomoji take one or two: (´Д｀), ω, ಠ_ಠ
    "[\uac00-\ud7af\u1100-\u11ff]{2,}|[\u0400-\u04ff]{3,}|[\u0370-\u03ff]{3,}|[\u0590-\u06ff]{3,}|[\u0900-\u0e7f]{3,}"
)
_DEBRIS = re.compile(
    r"<0x[0-9A-Fa-f]{2}>|<\|[^|<>]{1,40}\|>|</?s>|<unk>|\[(?:UNK|PAD|CLS|SEP|MASK|/?INST)\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|▁(?=\w)|```|\\u[0-9A-Fa-f]{4}|&(?:amp|lt|gt|quot|nbsp|#\d{2,6});"
    r"|</?(?:br|em|p|div|span|b|i|u|strong|li|ul|ol|a|h[1-6])(?:\s[^<>]*)?/?>|%E[3-9](?:%[0-9A-Fa-f]{2}){2}"
)
_HIGH = "[\u0080-\u00bfŒœŠšŸŽžƒˆ˜–—‘’‚“”„†‡•…‰‹›€™]"  # bytes 80 to BF as Windows-1252 and Latin-1 show them
_MOJIBAKE = re.compile(
    "縺(?![れらりろるつ])|[繧繝]"  # UTF-8 read as Shift_JIS; a thread is 縺れる
    "|[‚ƒ][!-~\u00a1-\u00ff\u2013-\u203a]"  # Shift_JIS read as Windows-1252
    f"|[ãäåæçèéïâÃ]{_HIGH}"  # UTF-8 read as Windows-1252
    "|¤[\u00a1-\u00ff]"  # EUC-JP read as Latin-1
    "|[､･][ｦ-ﾝ](?=[､･][ｦ-ﾝ])"  # EUC-JP read as Shift_JIS
)


def garbled() -> Filter:
    """Broken encoding, control characters, markup, or special tokens of a language model?"""

    def check(text: str) -> Finding | None:
        for char in text:
            broken = char in "\ufffd\ufffc" or unicodedata.category(char) in ("Cc", "Cs", "Co")
            if broken and char not in "\n\r\t":
                return "garbled", f"character U+{ord(char):04X}"
        if debris := _DEBRIS.search(text):
            return "garbled", f"token {debris.group()}"
        if len(wrong := _MOJIBAKE.findall(text)) >= 2:
            return "garbled", f"mojibake {''.join(wrong[:5])}"
        return None

    return each_text(check)


def not_japanese(min_share: float) -> Filter:
    """Another language? By the share of kana and kanji among letters, by Chinese-only characters, by missing kana.

    A Latin word counts for two letters, or half a letter if it has a capital, so that names of products do
    not make a headline English. Words in a third script are foreign wherever they stand.
    """

    def check(text: str) -> Finding | None:
        whole = normalise(text)
        counts = script_counts(whole)
        if (share := _japanese_share(whole, counts)) < min_share:
            return "not_japanese", f"{share:.2f} of the letters are Japanese, less than {min_share:.2f}"
        if foreign := foreign_kanji(whole):
            return "not_japanese", f"not in Japanese use: {foreign[:10]}"
        if other := _OTHER.search(whole):
            return "not_japanese", f"another script: {other.group()[:10]}"
        if (kanji := counts["kanji"]) > LONG_WITHOUT_KANA and not has_kana(whole):
            return "not_japanese", f"{kanji} kanji and no kana"
        return None

    return each_text(check)


def _japanese_share(text: str, counts: Counter[str]) -> float:
    """Of a text in NFKC and its characters by script."""
    japanese = counts["hiragana"] + counts["katakana"] + counts["kanji"]
    latin = sum(min(len(word), LATIN_NAME if word != word.lower() else LATIN_WORD) for word in _LATIN.findall(text))
    third = sum(map(str.isalpha, text)) - japanese - counts["latin"] if counts["other"] else 0
    letters = japanese + latin + max(third, 0)
    return japanese / letters if letters else 0.0
