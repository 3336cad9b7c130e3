"""Which rows of the evaluation sets also stand in what was learnt from, and what the scores are without them.

Knows nothing of HTML. A clean run is said to be clean: the table is there with zeros, and nothing is left out of it.
"""

from __future__ import annotations

from typing import Any

from japagen.report.words import (
    JSON,
    bounds,
    count,
    finite,
    is_undefined,
    metric_of,
    number,
    primary_of,
    score_of,
    system_label,
)

Row = dict[str, Any]
MOST = 30
"""Ids listed on the page; all of them are in scores.json."""


def contamination(scores: JSON) -> Row | None:
    """Counts by set and by what it was compared with, and scores with and without hits; None in runs that did not look."""
    told = [one for one in scores.get("contamination") or () if one]
    if not told:
        return None
    return {
        "rows": [_row(one) for one in told],
        "pairs": any(finite(one.get("one_text")) is not None for one in told),
        "sentences": _sentences(scores),
        "clean": _clean(scores),
    }


def _row(one: JSON) -> Row:
    ids = [str(name) for name in one.get("ids") or ()]
    return {
        "set": str(one.get("set") or ""),
        "against": str(one.get("against") or ""),
        "of": count(one.get("of")),
        "counts": [count(one.get(kind)) for kind in ("exact", "canonical", "near")],
        "one_text": count(one["one_text"]) if finite(one.get("one_text")) is not None else "",
        "ids": ids[:MOST],
        "more": count(len(ids) - MOST) if len(ids) > MOST else "",
    }


def _sentences(scores: JSON) -> list[str]:
    said = [
        "Every evaluation set was compared with what systems learnt from, with what the LLM was shown, and with the other "
        "splits: exact, the same text; canonical, the same after normalising; near, almost the same characters, which is "
        "no proof of copying."
    ]
    hits, n = finite(scores.get("contaminated")), finite(scores.get("n"))
    of = f"{count(hits)} of the {count(n)}" if n else count(hits)
    if hits:
        without = "; scores without them are given too" if _clean(scores) else ""
        verb = "stands" if hits == 1 else "stand"
        said.append(f"{of} test rows {verb} in the training texts or among the examples shown{without}.")
    elif hits is not None:
        said.append("No test row stands in the training texts or among the examples shown.")
    return [*said, "What the language model itself met in its own training cannot be seen from here."]


def _clean(scores: JSON) -> list[Row]:
    """The task's metric of each system on all rows and without those that were hit."""
    metric, primary = metric_of(scores), primary_of(scores)
    return [
        {
            "label": system_label(system),
            "name": str(system.get("name") or ""),
            "primary": system is primary,
            "all": _cell(score_of(system, metric)),
            "clean": _cell(system["clean"]),
        }
        for system in scores.get("systems") or ()
        if system.get("clean")
    ]


def _cell(score: JSON) -> Row:
    if is_undefined(score):
        return {"value": "undefined", "interval": ""}
    known = finite(score.get("value")) is not None
    return {"value": number(score["value"], 3) if known else "", "interval": bounds(score, 3)}
