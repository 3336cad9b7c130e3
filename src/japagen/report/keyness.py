"""The words that set synthetic texts apart from gold, with texts that hold them. Drawn from the analysis' `keyness`.

Knows nothing of HTML.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from japagen.report.language import message, say
from japagen.report.tables import share
from japagen.report.words import JSON, count, finite, named, number

Row = dict[str, Any]
SOURCES = ("synthetic", "gold")
TITLES = {
    "synthetic": message("More often in the synthetic texts"),
    "gold": message("More often in the gold texts"),
}
NAMED = 5
"""Words that a sentence names."""
LONGEST = 160
"""Characters of an example that are shown, around the word."""


def keyness(analysis: JSON, labels: Sequence[str]) -> Row | None:
    """Tables of words by side, in all texts and by label, and sentences; None where there is nothing to compare."""
    told: JSON = analysis.get("keyness") or {}
    if not told:
        return None
    by_label: JSON = told.get("by_label") or {}
    tables = _tables(told.get("all") or {})
    return {
        "sentences": _sentences(told.get("all") or {}),
        "alarms": [],
        "tables": tables,
        "by_label": [
            {"label": label, "tables": found} for label in labels if (found := _tables(by_label.get(label) or {}))
        ],
        "looked_at": count(told.get("looked_at")),
        "least": number(told.get("least"), 1),
        "signature": str(told.get("signature") or ""),
    }


def keyness_figures(analysis: JSON, labels: Sequence[str] = ()) -> dict[str, Any]:
    """The figure of the section by the name of its place; none where no word is key."""
    from japagen.report.keynessplot import drawn

    return drawn(analysis)


def _sentences(sides: JSON) -> list[str]:
    ours, gold = ([str(one.get("word")) for one in sides.get(source) or ()][:NAMED] for source in SOURCES)
    if not ours and not gold:
        return [say("No word sets the synthetic texts apart from gold beyond what chance explains.")]
    said = []
    if gold:
        said.append(say("Gold says what the synthetic texts say less: {words}.", words=named(gold)))
    if ours:
        said.append(say("The synthetic texts say what gold says less: {words}.", words=named(ours)))
    return said


def _tables(sides: JSON) -> list[Row]:
    """One of each side that has key words."""
    tables = []
    for source, other in (SOURCES, SOURCES[::-1]):
        words = sides.get(source) or ()
        top = max((_strength(one) for one in words), default=0.0)
        rows = [
            {
                "word": str(one.get("word") or ""),
                "bar": share(_strength(one), top),
                "ratio": number(_strength(one), 1),
                "log_ratio": number(one.get("log_ratio"), 1, sign=True),
                source: _counted(one.get("rate"), one.get("count"), one.get("texts")),
                other: _counted(one.get("rate_other"), one.get("count_other"), one.get("texts_other")),
                "examples": [
                    {
                        "id": str(told.get("id") or ""),
                        **_around(str(told.get("text") or ""), str(one.get("word") or "")),
                    }
                    for told in one.get("examples") or ()
                ],
            }
            for one in words
        ]
        if rows:
            tables.append({"source": source, "title": say(TITLES[source]), "rows": rows})
    return tables


def _strength(one: JSON) -> float:
    """The smaller of both ratios: of occurrences and of texts."""
    return min(finite(one.get("ratio")) or 0.0, finite(one.get("texts_ratio")) or 0.0)


def _counted(rate: object, occurrences: object, texts: object) -> Row:
    """Occurrences in 1,000 words, all of them, and the texts that hold one; `rate` is that in a million words."""
    each = finite(rate)
    thousandth = "" if each is None else number(each / 1000, 1) if each else "0"
    return {"rate": thousandth, "count": count(occurrences), "texts": count(texts)}


def _around(text: str, word: str) -> Row:
    """A text cut at the first place of the word: before, word, after; the word is empty where it is written otherwise.

    Of a long text only what stands around the word is kept.
    """
    shown = unicodedata.normalize("NFKC", text) if word not in text else text
    at = shown.find(word) if word else -1
    if at < 0:
        return {"before": _cut(text[:LONGEST], "", text[LONGEST:]), "word": "", "after": ""}
    room = max(0, LONGEST - len(word)) // 2
    begin, end = max(0, at - room), at + len(word) + room
    return {
        "before": _cut(shown[begin:at], shown[:begin], ""),
        "word": word,
        "after": _cut(shown[at + len(word) : end], "", shown[end:]),
    }


def _cut(text: str, before: str, after: str) -> str:
    return f"{'…' if before else ''}{text}{'…' if after else ''}"
