"""What cuts texts into words for the analyses: five tokenisers by name, and the part of speech that each gives a word.

A measure of words depends on who cuts them, so every signature names the tokeniser. Texts are cut in NFKC, control
characters and lone surrogates as blanks; punctuation marks are words, blanks are not. `unidic-lite` gives the words of
`japanese.words`. Loaded at the first use; knows nothing of sets of texts.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import chain
from typing import Any

from japagen.errors import ConfigError, MissingExtra, did_you_mean
from japagen.japanese import normalise

PARTS = ("noun", "verb", "adjective", "adverb", "particle", "auxiliary", "other")
"""Parts of speech; "other" holds marks, prefixes, suffixes, conjunctions and what is unknown."""
TOKENISERS = ("unidic-lite", "ipadic", "sudachi-a", "sudachi-c", "character")

_PART_OF = {
    "名詞": "noun",
    "代名詞": "noun",
    "動詞": "verb",
    "形容詞": "adjective",
    "形状詞": "adjective",
    "副詞": "adverb",
    "助詞": "particle",
    "助動詞": "auxiliary",
}
_BLANK = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MECAB_PIECE = 100_000  # most characters at once: at a million MeCab crashes
_SUDACHI_PIECE = 12_000  # Sudachi refuses more than 49,149 bytes

Cutter = Callable[[str], Sequence[str]]


def cutter(name: str) -> Cutter:
    """The function that cuts a text into marked words: the word, a tab and its part of speech in Japanese.

    The same string stands for the same word with the same part of speech, so that each need be looked at once
    (`word_of`, `part_of`). Of `character` the part of speech is empty.

    Raises:
        ConfigError: there is no such tokeniser.
        MissingExtra: it is not installed.
    """
    match name:
        case "unidic-lite":
            return partial(_mecab, _tagger("unidic_lite"))
        case "ipadic":
            return partial(_mecab, _tagger("ipadic"))
        case "sudachi-a" | "sudachi-c":
            return partial(_sudachi, *_sudachi_dictionary(name[-1].upper()))
        case "character":
            return _characters
    raise ConfigError(f"unknown tokeniser '{name}'", where="analyze.tokeniser", remedy=did_you_mean(name, TOKENISERS))


def word_of(marked: str) -> str:
    """The word of a marked word."""
    return marked.partition("\t")[0]


def part_of(marked: str) -> int:
    """The position in `PARTS` of a marked word's part of speech."""
    return PARTS.index(_PART_OF.get(marked.partition("\t")[2], "other"))


def clean(text: str) -> str:
    """What is cut: NFKC, a single space for blanks and control characters, ends stripped; always valid UTF-8."""
    return normalise(_BLANK.sub(" ", text))


def _mecab(parse: Callable[[str], str], text: str) -> Sequence[str]:
    text = clean(text)
    if not text:
        return ()
    if len(text) <= _MECAB_PIECE:
        return parse(text).split("\n")
    return [*chain.from_iterable(parse(piece).split("\n") for piece in _pieces(text, _MECAB_PIECE))]


def _sudachi(tokenise: Callable[[str], Any], parts: Callable[[int], str], text: str) -> Sequence[str]:
    return [
        f"{surface}\t{parts(found.part_of_speech_id())}"
        for piece in _pieces(clean(text), _SUDACHI_PIECE)
        for found in tokenise(piece)
        if (surface := found.surface().strip())
    ]


def _characters(text: str) -> Sequence[str]:
    return [*"".join(clean(text).split())]


def _pieces(text: str, most: int) -> list[str]:
    return [piece for start in range(0, len(text), most) if not (piece := text[start : start + most]).isspace()]


@cache
def _tagger(dictionary: str) -> Callable[[str], str]:
    """MeCab with one of the dictionaries that are packages, told to write a marked word on each line."""
    try:
        folder = importlib.import_module(dictionary).DICDIR
    except ImportError as error:
        raise MissingExtra(dictionary, "tokenisers", needed_by=f"the tokeniser '{dictionary}'") from error
    from fugashi import GenericTagger

    marked = r'-O "" -F "%m\t%f[0]\n" -U "%m\t%f[0]\n" -E ""'
    parse: Callable[[str], str] = GenericTagger(f'-r "{folder}/mecabrc" -d "{folder}" {marked}').parse
    return parse


@cache
def _sudachi_dictionary(mode: str) -> tuple[Callable[[str], Any], Callable[[int], str]]:
    """Sudachi in a mode (A cuts short, C long), and the part of speech of its numbers."""
    try:
        from sudachipy import Dictionary, SplitMode

        known = Dictionary(dict="core")
    except ImportError as error:
        raise MissingExtra("sudachipy", "tokenisers", needed_by=f"the tokeniser 'sudachi-{mode.lower()}'") from error
    except Exception as error:  # the package of its words is a second one, and its absence an error of no name
        raise MissingExtra(
            "sudachidict-core", "tokenisers", needed_by=f"the tokeniser 'sudachi-{mode.lower()}'"
        ) from error

    @cache
    def part(number: int) -> str:
        return str(known.pos_of(number)[0])

    return known.tokenizer(mode=getattr(SplitMode, mode)).tokenize, part
