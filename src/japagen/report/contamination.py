"""Which rows of the evaluation sets also stand in what was learnt from, and what the scores are without them.

Knows nothing of HTML. A clean run is said to be clean: the table is there with zeros, and nothing is left out of it.
"""

from __future__ import annotations

from typing import Any

from japagen.report.language import message, say, several
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
    split_name,
    system_label,
)

Row = dict[str, Any]
SETS = {
    "training texts": message("training texts"),
    "shots": message("shots"),
    "examples": message("examples"),
    "gold dev": message("gold dev"),
    "gold train": message("gold train"),
}
MOST = 30
"""Ids listed on the page; all of them are in scores.json."""


def contamination(scores: JSON, *, file: bool = False) -> Row | None:
    """Counts by set and by what it was compared with, and scores with and without hits; None in runs that did not look.

    Of a `file` without human texts to compare with, None.
    """
    told = [one for one in scores.get("contamination") or () if one]
    if not told or (file and not held(scores)["of"]):
        return None
    return {
        "rows": [_row(one) for one in told],
        "pairs": any(finite(one.get("one_text")) is not None for one in told),
        "sentences": _of_file(scores) if file else _sentences(scores),
        "clean": _clean(scores),
    }


def held(scores: JSON) -> dict[str, float]:
    """Of the analysis of a file: how many human rows stand in it, and of how many."""
    told = [one for one in scores.get("contamination") or () if one]
    hits = sum(finite(one.get(kind)) or 0 for one in told for kind in ("exact", "canonical", "near"))
    return {"n": hits, "of": sum(finite(one.get("of")) or 0 for one in told)}


def _of_file(scores: JSON) -> list[str]:
    found = held(scores)
    kinds = say(
        "Human rows were looked for in the file: exact, the same text; canonical, the same after normalising; near, almost "
        "the same characters, which is no proof of copying."
    )
    if not found["n"]:
        return [say("No human row stands in the file."), kinds]
    return [
        several(
            found["n"],
            "{n} of the {all} human rows stands in the file.",
            "{n} of the {all} human rows stand in the file.",
            all=count(found["of"]),
        ),
        kinds,
    ]


def _row(one: JSON) -> Row:
    ids = [str(name) for name in one.get("ids") or ()]
    return {
        "set": _named(str(one.get("set") or "")),
        "against": _named(str(one.get("against") or "")),
        "of": count(one.get("of")),
        "counts": [count(one.get(kind)) for kind in ("exact", "canonical", "near")],
        "one_text": count(one["one_text"]) if finite(one.get("one_text")) is not None else "",
        "ids": ids[:MOST],
        "more": count(len(ids) - MOST) if len(ids) > MOST else "",
    }


def _named(name: str) -> str:
    """A set as one says it."""
    return say(SETS[name]) if name in SETS else split_name(name)


def _sentences(scores: JSON) -> list[str]:
    said = [
        say(
            "Every evaluation set was compared with what systems learnt from, with what the LLM was shown, and with the "
            "other splits: exact, the same text; canonical, the same after normalising; near, almost the same characters, "
            "which is no proof of copying."
        )
    ]
    hits, n = finite(scores.get("contaminated")), finite(scores.get("n"))
    of = say("{n} of the {all}", n=count(hits), all=count(n)) if n else count(hits)
    if hits:
        without = say("; scores without them are given too") if _clean(scores) else ""
        one = message("{n} test rows stands in the training texts or among the examples shown{without}.")
        many = message("{n} test rows stand in the training texts or among the examples shown{without}.")
        said.append(say(one if hits == 1 else many, n=of, without=without))
    elif hits is not None:
        said.append(say("No test row stands in the training texts or among the examples shown."))
    return [*said, say("What the language model itself met in its own training cannot be seen from here.")]


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
        return {"value": say("undefined"), "interval": ""}
    known = finite(score.get("value")) is not None
    return {"value": number(score["value"], 3) if known else "", "interval": bounds(score, 3)}
