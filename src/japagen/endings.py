"""Polite sentence ends made plain, by rule, so that 走っています and 走っている compare as near the same.

For comparing only, never for training: no dictionary is asked, so that a rare verb may come out one kana wrong, and words
are left without spaces. The rest of the sentence stays as it is, and plain sentences do.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from japagen.japanese import canonical

_END = r"(?=$|[。!?.…\n])"
_VERB = re.compile(rf"(あり(?=ません)|.)(ませんでした|ません|ました|ます){_END}")
_COPULA = re.compile(rf"(です|でした|でしょう){_END}")
_FIVE_ROWS = {  # verbs of five rows: before ます, and the kana of the plain, the negative and the past form
    "い": ("う", "わ", "った"),
    "き": ("く", "か", "いた"),
    "ぎ": ("ぐ", "が", "いだ"),
    "し": ("す", "さ", "した"),
    "ち": ("つ", "た", "った"),
    "に": ("ぬ", "な", "んだ"),
    "び": ("ぶ", "ば", "んだ"),
    "み": ("む", "ま", "んだ"),
    "り": ("る", "ら", "った"),
}
_ONE_ROW = re.compile(
    r"(?:(?:^|[てでがはもにを])い|でき|[起生飽]き|[過す]ぎ|[浴伸延]び|落ち|じ|[借足]り|(?:^|[をて])み)$"
)
_SURU = re.compile(r"(?:^|[をはもがにと]|[ァ-ヶー]|[々一-鿿]{2})し$")


def plain_endings(text: str) -> str:
    """The text in NFKC, without spaces, every sentence that ends politely ending plainly: です as だ, 書きます as 書く."""
    lines = ("".join(line.split()) for line in unicodedata.normalize("NFKC", text).split("\n"))
    return _COPULA.sub(_plain_copula, _VERB.sub(_plain_verb, "\n".join(lines)))


def plain_form(text: str) -> str:
    """The canonical form of the text with plain endings: to compare where politeness may differ."""
    return canonical(plain_endings(text))


def _plain_verb(found: re.Match[str]) -> str:
    kana, ending = found.groups()
    return _plain_of(found.string[max(0, found.start() - 2) : found.end(1)], kana, ending)


@lru_cache(maxsize=10_000)
def _plain_of(stem: str, kana: str, ending: str) -> str:
    """The kana and the ending made plain, after a stem that ends in the kana."""
    present, negative, past = _FIVE_ROWS.get(kana, ("", "", ""))
    if kana == "あり":  # ありません: ない
        negative = ""
    elif _SURU.search(stem):
        present, negative, past = "する", "し", "した"
    elif not present or _ONE_ROW.search(stem):
        present, negative, past = kana + "る", kana, kana + "た"
    match ending:
        case "ます":
            return present
        case "ました":
            return past
        case "ません":
            return negative + "ない"
        case _:
            return negative + "なかった"


def _plain_copula(found: re.Match[str]) -> str:
    before = found.string[max(0, found.start() - 1) : found.start()]
    match found[1]:
        case "です":
            return "" if before in ("い", "た") else "だ"  # 白いです: 白い
        case "でした":
            return "だった"
        case _:
            return "だろう"
