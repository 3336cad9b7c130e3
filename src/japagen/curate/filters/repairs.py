"""Repairs: what stands around a good text and is no part of it is taken away, rather than the text with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from japagen.records import Example

Mend = Callable[[Example], tuple[Example, str] | None]
"""The mended example and what was taken away; None where there is nothing to mend."""

_EDGES = " \t\r\n\u3000\u200b\u200c\u200d\u2060\ufeff\u00a0"
_QUOTES = {"「": "」", "『": "』", "“": "”", "‘": "’", '"': '"', "'": "'"}
_MARKUP = re.compile(
    r"\*\*\s*(?P<bold>[^*<>]*[^*<>\s])\s*\*\*|<(em|strong|b|i|u|p|h[1-6])>\s*(?P<text>[^<>]*[^<>\s])\s*</\2>"
)
_NUMBER = re.compile(r"(?:[(（](\d{1,2})[)）]|(\d{1,2})[.．)）:：])\s*(?=[^\d０-９\s.．)）:：,，、])")
_CIRCLED = re.compile(r"([①-⑳])\s*(?![①-⑳\sはがをのともにで、,〜~～])")
_BULLET = re.compile(r"[・•‣◦*＊]\s*(?=[^\s・*＊ﾟ°])|[-‐–—−]\s+(?=[^\s\d])")


def whitespace() -> Mend:
    """Whitespace and invisible characters around the text."""

    def mend(text: str) -> tuple[str, str] | None:
        bare = text.strip(_EDGES)
        return (bare, "whitespace") if bare and bare != text else None

    return _each_text(mend)


def list_mark() -> Mend:
    """A number or a bullet at the head, as in a list: 1. or (2) or ① or ・. Not where the text itself is the list."""

    def mend(text: str) -> tuple[str, str] | None:
        found = _NUMBER.match(text) or _CIRCLED.match(text) or _BULLET.match(text)
        if not found or not (rest := text[found.end() :].strip()) or _goes_on(found, rest):
            return None
        return rest, found.group().strip()

    return _each_text(mend)


def _goes_on(found: re.Match[str], rest: str) -> bool:
    """Whether the next mark of the same kind follows: 1.軽い 2.安い is a text with a list in it."""
    match found.re:
        case re.Pattern() as pattern if pattern is _NUMBER:
            number = int(found[1] or found[2])
            return any(int(m[1] or m[2]) == number + 1 for m in _NUMBER.finditer(rest))
        case re.Pattern() as pattern if pattern is _CIRCLED:
            return chr(ord(found[1]) + 1) in rest
    return found.group()[0] in rest


def quotes() -> Mend:
    """Quotation marks or bold type around all of the text, or a mark at its head or its end that has no partner."""

    def mend(text: str) -> tuple[str, str] | None:
        bare, taken = text, []
        while found := _unquoted(bare):
            bare, mark = found
            taken.append(mark)
        return (bare, " ".join(taken)) if taken else None

    return _each_text(mend)


def _unquoted(text: str) -> tuple[str, str] | None:
    if markup := _MARKUP.fullmatch(text):
        return markup["bold"] or markup["text"], "bold"
    for opening, closing in _QUOTES.items():
        bare = _inside(text, opening, closing)
        if bare:
            return bare, opening + closing
    return None


def _inside(text: str, opening: str, closing: str) -> str | None:
    """The text without the one pair of marks around it, or without the one that stands alone; None where there is none."""
    if opening == closing:
        whole = text.count(opening) == 2 and text[0] == text[-1] == opening
        return text[1:-1].strip() if whole else None
    if text.startswith(opening) and text.count(opening) == 1:
        end = text.find(closing)
        if end < 0 or end == len(text) - 1:
            return text[1:].removesuffix(closing).strip()
        if text[end + 1 :] in ("。", "．"):
            return text[1:end].strip()
    if text.endswith(closing) and text.count(closing) == 1 and opening not in text:
        return text[:-1].strip()
    return None


def _each_text(mend: Callable[[str], tuple[str, str] | None]) -> Mend:
    def both(example: Example) -> tuple[Example, str] | None:
        first = mend(example.text)
        second = mend(example.text_pair) if example.text_pair is not None else None
        if not first and not second:
            return None
        taken = ", ".join(found[1] for found in (first, second) if found)
        return (
            replace(
                example,
                text=first[0] if first else example.text,
                text_pair=second[0] if second else example.text_pair,
            ),
            taken,
        )

    return both
