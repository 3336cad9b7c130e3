"""The nouns of Japanese texts: which words are nouns, which may stand alone, and which stand next to one another.

Classes are those of UniDic (fugashi with unidic-lite). Its words are short: 冷蔵庫 is the noun 冷蔵 and the suffix 庫, so
whoever wants whole nouns joins the runs that `tagged` gives. Nothing here counts or chooses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from japagen.japanese import normalise, script_counts

if TYPE_CHECKING:
    from fugashi import GenericTagger

FORMAL = frozenset("物事所為訳時方内様人者際度分点件側気目手口味風力形横隣奥端脇右左") | {
    *(
        "こと",
        "もの",
        "ところ",
        "ため",
        "わけ",
        "はず",
        "とき",
        "うち",
        "ほう",
        "まま",
        "つもり",
        "よう",
        "せい",
        "おかげ",
    ),
    *(
        "たび",
        "かた",
        "くせ",
        "ふう",
        "ぶん",
        "かぎり",
        "とおり",
        "通り",
        "場合",
        "感じ",
        "よこ",
        "となり",
        "うしろ",
        "おく",
    ),
    *("はし", "わき", "みぎ", "ひだり", "まわり", "そば", "後ろ", "手前", "周り", "周囲", "向こう", "右側", "左側"),
}
"""Nouns that say nothing by themselves: those of grammar and place, and those that make phrases (気がする, 手に取る)."""

_STANDS = {"一般", "サ変可能", "形状詞可能", "サ変形状詞可能", "助数詞可能"}
_PIECE = 100_000  # most characters for MeCab at once: at a million it crashes
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_NO_SUFFIX = frozenset("達等用様殿君氏毎付向")  # 先生達, 会員様: the word is 先生, 会員


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun or a part of one.

    Attributes:
        text: as written, in NFKC.
        stands: whether it is a word by itself; a prefix, a suffix, 上 or a person's name is not.
    """

    text: str
    stands: bool


@dataclass(frozen=True, slots=True)
class Tagged:
    """One text: its number of words, marks not counted, and the runs of neighbouring nouns in it."""

    words: int
    runs: tuple[tuple[Noun, ...], ...]


def tagged(text: str) -> Tagged:
    """The nouns of any text, numbers and what is counted by them (三匹, 12月) left out.

    >>> [[noun.text for noun in run] for run in tagged("白い冷蔵庫が二台と、犬がいます。").runs]
    [['冷蔵', '庫'], ['犬']]
    """
    clean = normalise(_UNPRINTABLE.sub(" ", text))
    words = 0
    runs: list[tuple[Noun, ...]] = []
    for start in range(0, len(clean), _PIECE):
        run: list[Noun] = []
        counted = False
        for node in _tagger()(clean[start : start + _PIECE]):
            kind = node.feature_raw.split(",", 3)
            words += any(map(str.isalnum, node.surface))
            ends = bool(run) and bool(node.white_space) and not (_latin(run[-1].text) and _latin(node.surface))
            role = _role(kind, node.surface)
            after_number, counted = counted, kind[1] == "数詞"
            if role == "suffix" and run and not ends:
                run.append(_noun(node.surface, False))
                continue
            if run and (ends or role not in ("noun", "part")):
                runs.append(tuple(run))
                run = []
            if role in ("noun", "part", "prefix") and not (after_number and kind[2] == "助数詞可能"):
                run.append(_noun(node.surface, role == "noun"))
        if run:
            runs.append(tuple(run))
    return Tagged(words, tuple(runs))


def joined(nouns: tuple[Noun, ...]) -> str:
    """The compound as written: Latin words with a space between them, all else without."""
    text = ""
    for noun in nouns:
        text += f" {noun.text}" if text and _latin(text[-1]) and _latin(noun.text[0]) else noun.text
    return text


def is_common_noun(word: str) -> bool:
    """Whether a word is one common noun of the dictionary that says something by itself, such as 時計 or りんご."""
    nodes = _tagger()(word)
    if len(nodes) != 1 or nodes[0].is_unk or word in FORMAL:
        return False
    kind = nodes[0].feature_raw.split(",", 3)
    return kind[:3] == ["名詞", "普通名詞", "一般"] and _telling(word)


def _role(kind: list[str], surface: str) -> str:
    match kind[:3]:
        case ["名詞", "普通名詞", use]:
            return "noun" if use in _STANDS and surface not in FORMAL and _telling(surface) else "part"
        case ["名詞", "固有名詞", use]:
            return "noun" if use != "人名" and _telling(surface) else "part"
        case ["形状詞", "一般", _]:
            return "part"
        case ["接頭辞", *_] if not _hiragana(surface):
            return "prefix"
        case ["接尾辞", "名詞的", "一般"] if not (_hiragana(surface) or _NO_SUFFIX & set(surface)):
            return "suffix"
    return "other"


def _telling(surface: str) -> bool:
    """Whether it is more than a mark, a digit or a single letter: kanji may stand alone, letters may not."""
    if not all(char.isalpha() or char == "ー" for char in surface):
        return False
    return len(surface) > 1 or script_counts(surface)["kanji"] == 1


def _hiragana(surface: str) -> bool:
    return "ぁ" <= surface[0] <= "ゟ"


def _latin(text: str) -> bool:
    return text.isascii() and text.isalpha()


@cache
def _noun(text: str, stands: bool) -> Noun:
    return Noun(text, stands)


@cache
def _tagger() -> GenericTagger:
    import unidic_lite  # type: ignore[import-untyped]
    from fugashi import GenericTagger

    return GenericTagger(f'-Owakati -r "{unidic_lite.DICDIR}/mecabrc" -d "{unidic_lite.DICDIR}"')
