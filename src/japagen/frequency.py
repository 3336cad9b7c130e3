"""How frequent a Japanese word is in general, and random nouns in place of given words: the control arm of KADG.

The frequencies are those of the package wordfreq: subtitles, news, encyclopedia, web and social media, about 215,000 words.
Its own tokeniser is not used, so nothing but its list is needed.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from japagen.errors import DataError, MissingExtra
from japagen.japanese import SCRIPTS, script_counts
from japagen.nouns import is_common_noun
from japagen.streams import stream

FLOOR = 1e-8
"""Share of a word that is not in the list: the rarest that is has 1.02e-8."""
EVERYDAY = 3e-6
"""Random nouns are at least so frequent: three in a million words."""
_CHOICE = 10  # fewer nouns than that are no random choice
_LETTERS = re.compile(r"[^\W_]+(?:ー[^\W_]*)*")
_UNFIT_CHARS = frozenset("死殺淫姦痴貞糞尻乳裸屍")
_UNFIT_WORDS = {
    "エロ",
    "セックス",
    "レイプ",
    "アナル",
    "ペニス",
    "オナニー",
    "ウンコ",
    "チンコ",
    "クズ",
    "ブス",
    "デブ",
}
# what a hosted model may refuse to write about would bias the control

Scripts = tuple[str, ...]


def frequency(word: str) -> float:
    """The share of a word among running words, `FLOOR` for one that is not listed.

    Words are listed as a tokeniser cuts them, so a compound is often missing; numbers of two and more digits are too.

    Raises:
        MissingExtra: wordfreq is not installed.
    """
    return _listed().get(unicodedata.normalize("NFKC", word).casefold(), FLOOR)


@cache
def _listed() -> Mapping[str, float]:
    try:
        from wordfreq import get_frequency_dict
    except ImportError as error:
        raise MissingExtra("wordfreq", "words", needed_by="frequencies of Japanese words") from error
    listed = get_frequency_dict("ja", "large")
    return {word: share for word, share in listed.items() if not re.fullmatch("0{2,}", word)}  # 00 is any two digits


def random_nouns(words: Sequence[str], *, seed: int) -> dict[str, str]:
    """For each word a random common noun of as many characters (in NFKC), each noun once and none of the words.

    Marks stay where they are, and each part between them is replaced: 本・漫画 becomes something like 声・世紀. The noun is
    written in the same scripts, character by character, if there are enough such nouns. If there is none so long, two
    or more are joined. Each word has a random stream of its own; only when two meet in the same noun does the order count.

    Raises:
        DataError: there are more words of one length than nouns.
        MissingExtra: wordfreq is not installed.
    """
    taken = {part for word in words for part in (word, _nfkc(word), *_LETTERS.findall(_nfkc(word)))}
    found: dict[str, str] = {}
    for word in words:
        rng = stream(seed, "random-noun", word)
        if word not in found:
            found[word] = _replaced(word, rng, taken)
            taken.add(found[word])
    return found


def _replaced(word: str, rng: random.Random, taken: set[str]) -> str:
    pattern = _LETTERS if _LETTERS.search(_nfkc(word)) else re.compile(r"\S+", re.DOTALL)
    for _ in range(100):
        new = pattern.sub(lambda part: _noun_like(_scripts(part[0]), rng, taken), _nfkc(word))
        if new not in taken:
            return new
    raise _none_left(f"is left for '{word}'")


def _noun_like(scripts: Scripts, rng: random.Random, taken: set[str]) -> str:
    """A noun of these scripts, else of this length, else a compound of this length."""
    same = _free(_nouns_by_scripts().get(scripts, []), rng, taken)
    if len(same) >= _CHOICE:
        return same[0]
    bounds = [i for i in range(1, len(scripts)) if _is_seam(*scripts[i - 1 : i + 1])]
    alike = _free(_nouns_by_length().get(len(scripts), []), rng, taken)
    if not bounds and len(alike) >= _CHOICE:
        return alike[0]
    if len(scripts) == 1:
        raise _none_left("of one character is left")
    middle = len(scripts) // 2
    cut = min(bounds, key=lambda i: abs(i - middle)) if bounds else middle
    return _noun_like(scripts[:cut], rng, taken) + _noun_like(scripts[cut:], rng, taken)


def _free(nouns: Sequence[str], rng: random.Random, taken: set[str]) -> list[str]:
    """The nouns not yet taken, shuffled: what is taken does not change the order of the others."""
    return [noun for noun in rng.sample(nouns, len(nouns)) if noun not in taken]


def _is_seam(left: str, right: str) -> bool:
    """Whether one noun may end and another begin here; hiragana is part of the noun before or after it."""
    return left != right and "hiragana" not in (left, right)


def _none_left(what: str) -> DataError:
    return DataError(f"no random noun {what}", where="random words", remedy="use a shorter list of words")


@cache
def _nouns() -> tuple[str, ...]:
    return tuple(
        sorted(
            word
            for word, share in _listed().items()
            if share >= (10 * EVERYDAY if len(word) == 1 else EVERYDAY)  # single kanji are often pieces of words
            and not (_UNFIT_CHARS & set(word) or word in _UNFIT_WORDS)
            and is_common_noun(word)
        )
    )


@cache
def _nouns_by_scripts() -> Mapping[Scripts, list[str]]:
    found: dict[Scripts, list[str]] = {}
    for noun in _nouns():
        found.setdefault(_scripts(noun), []).append(noun)
    return found


@cache
def _nouns_by_length() -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = {}
    for noun in _nouns():
        found.setdefault(len(noun), []).append(noun)
    return found


def _scripts(word: str) -> Scripts:
    return tuple(map(_script, word))


@cache
def _script(char: str) -> str:
    counts = script_counts(char)
    return next((script for script in SCRIPTS if counts[script]), "other")


def _nfkc(word: str) -> str:
    return unicodedata.normalize("NFKC", word)
