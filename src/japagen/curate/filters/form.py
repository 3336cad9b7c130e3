"""Form: whether a text goes round in circles or breaks off. Nothing here knows the prompt."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from japagen.curate.filters.finding import Filter, Finding, each_text
from japagen.japanese import char_ngrams, normalise

if TYPE_CHECKING:
    from fugashi import GenericTagger

SHORTEST_LOOP = 20  # characters; うまいうまいうまい is enthusiasm
LONGEST_RUN = 30  # of one letter: うまああああい is enthusiasm, too
SHORTEST_ASIDE = 10  # characters behind a bracket that nobody closes; (笑 is no aside
TAIL = 60  # characters at the end of a text that decide what its last word is

_RUN = re.compile(r"(.)\1{3,}")
_COMMA = re.compile(r"(?<![、,])[、,]$")
_OPENS = re.compile(r"^[、。,」』】]")
_DANGLING = re.compile("(?:による|ための|における|に対する|に関する|としての|といった|[るたい](?:とき|時)の)$")
_NA = re.compile(r"(?<=\w)な(?=[。.!?… ]*$)")
_EXCLAMATION = re.compile(r"そんな\w{1,4}$")
_BRACKETS = {"「": "」", "『": "』", "【": "】"}


def repetition(max_repeated: float) -> Filter:
    """A loop? By the share of character 4-grams that occurred before in the text, for texts above 20 characters.

    One character many times in a row is cut to three before that, for people write すごーーーーい!!!!!!!!
    """

    def check(text: str) -> Finding | None:
        text = normalise(text)
        if run := next((run for run in _RUN.finditer(text) if run[1].isalpha() and len(run[0]) > LONGEST_RUN), None):
            return "repetition", f"{run[1]} {len(run[0])} times in a row"
        text = _RUN.sub(r"\1\1\1", text)
        if len(text) <= SHORTEST_LOOP:
            return None
        grams = char_ngrams(text, 4)
        share = 1 - len(set(grams)) / len(grams)
        if share <= max_repeated:
            return None
        return "repetition", f"{share:.2f} of the character 4-grams are repeats, more than {max_repeated:.2f}"

    return each_text(check)


def incomplete() -> Filter:
    """A sentence that breaks off or begins in the middle?

    It ends in a comma, in an open quotation, in words that need a noun behind them (による, 得意な), or opens with a mark
    that closes. Headlines that end in a noun or a particle, and the 、、 and (笑 of friends, are whole.
    """

    def check(text: str) -> Finding | None:
        text = normalise(text)
        if opens := _OPENS.search(text):
            return "incomplete", f"opens with {opens.group()}"
        if _COMMA.search(text):
            return "incomplete", f"breaks off after {text[-1]}"
        if bracket := _open_bracket(text):
            return "incomplete", f"nothing closes {bracket}"
        if (words := _DANGLING.search(text)) or (words := _ends_in_na(text)):
            return "incomplete", f"breaks off after {words.group()}"
        return None

    return each_text(check)


def _open_bracket(text: str) -> str | None:
    for opening, closing in _BRACKETS.items():
        if text.count(opening) > text.count(closing):
            return opening
    start = text.rfind("(")
    aside = start >= 0 and ")" not in text[start:] and len(text) - start > SHORTEST_ASIDE
    return "(" if aside and text[start + 1].isalnum() else None


def _ends_in_na(text: str) -> re.Match[str] | None:
    """The な of a describing word that wants a noun behind it: 得意な。 or 大きな, not いいな, 買うな or そんな馬鹿な!"""
    found = _NA.search(text)
    if not found or _EXCLAMATION.search(text[: found.start()]):
        return None
    nodes = _tagger()(text[max(0, found.end() - TAIL) : found.end()])
    before, last = [["", "", ""], *(node.feature_raw.split(",", 3)[:3] for node in nodes)][-2:]
    return found if last[0] == "連体詞" or (last[0] == "助動詞" and _describes(before)) else None


def _describes(kind: list[str]) -> bool:
    match kind:
        case ["形状詞", use, _]:
            return use != "助動詞語幹"  # みたいな, そうな
        case ["名詞", "普通名詞", use]:
            return "形状詞可能" in use
    return kind[:2] == ["接尾辞", "形状詞的"]


@cache
def _tagger() -> GenericTagger:
    import unidic_lite  # type: ignore[import-untyped]
    from fugashi import GenericTagger

    return GenericTagger(f'-Owakati -r "{unidic_lite.DICDIR}/mecabrc" -d "{unidic_lite.DICDIR}"')
