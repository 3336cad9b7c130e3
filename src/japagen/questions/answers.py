"""What label a written answer means. An answer that cannot be read means none; nothing is guessed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence


def read_answer(text: str, verbalisations: Sequence[str]) -> int | None:
    """The position of the verbalisation that an answer is, or else the only one that it contains. An answer in the form
    ``{"label": ...}`` is read as what it says there.

    Texts are compared in NFKC, without case and without quotes, punctuation and blanks at their ends. One that stands only
    inside a longer one (関連 in 無関連) or inside a number (1 in 11 or 1.5) is not contained.

    >>> read_answer("答えは「満足」です。", ["満足", "不満"])
    0
    >>> read_answer("満足でも不満でもない", ["満足", "不満"]) is None
    True
    """
    answer, known = _plain(_said(text)), [_plain(verbalisation) for verbalisation in verbalisations]
    if answer in known:
        return known.index(answer) if known.count(answer) == 1 else None
    spans = [(i, found.span()) for i, form in enumerate(known) if form for found in re.finditer(_alone(form), answer)]
    contained = {i for i, span in spans if not any(_inside(span, other) for _, other in spans)}
    return contained.pop() if len(contained) == 1 else None


def _said(text: str) -> str:
    """The only value of an answer that is a JSON object; any other answer as it is."""
    try:
        match json.loads(text):
            case {"label": str(label), **rest} if not rest:
                return label
    except (ValueError, RecursionError):
        pass
    return text


def _inside(span: tuple[int, int], other: tuple[int, int]) -> bool:
    return span != other and other[0] <= span[0] and span[1] <= other[1]


def _plain(text: str) -> str:
    """The form that is compared; a text of nothing but marks (○) keeps them."""
    form = unicodedata.normalize("NFKC", text).casefold().strip()
    start, end = 0, len(form)
    while start < end and _is_edge(form[start]):
        start += 1
    while end > start and _is_edge(form[end - 1]):
        end -= 1
    return form[start:end] or form


def _is_edge(char: str) -> bool:
    return unicodedata.category(char)[0] in "PSZC"


def _alone(form: str) -> str:
    """A pattern for a verbalisation; one that begins or ends with a digit is not part of a longer number."""
    before = r"(?<!\d)(?<!\d\.)" if form[:1].isdecimal() else ""
    after = r"(?!\.?\d)" if form[-1:].isdecimal() else ""
    return before + re.escape(form) + after
