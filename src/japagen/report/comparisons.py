"""How systems were compared: the comparison declared beforehand, the tests of all others, McNemar. Knows nothing of HTML."""

from __future__ import annotations

from typing import Any

from japagen.report.language import message, quoted, say, several
from japagen.report.words import (
    JSON,
    Verdict,
    capital,
    count,
    finite,
    is_undefined,
    metric_name,
    metric_of,
    number,
    probability,
    probability_cell,
    run_on,
    scored,
    system_phrase,
    verdict,
)

Row = dict[str, Any]
DECLARED = {
    True: message("In the comparison declared beforehand,"),
    False: message("In the comparison made by default (the experiment declares none),"),
    None: message("In the primary comparison,"),
}
CLAIMS: dict[Verdict, str] = {
    "better": message("{start} {one} is better than {other}: in {metric} the first minus the second is {values}."),
    "worse": message("{start} {one} is worse than {other}: in {metric} the first minus the second is {values}."),
    "unclear": message(
        "{start} {one} is not distinguishable from {other}: in {metric} the first minus the second is {values}."
    ),
}


def contrast(scores: JSON) -> list[str]:
    """The primary comparison in one sentence; nothing where the run has none.

    It is one question asked beforehand, so that its p value needs no correction. Better or worse is said where both the
    interval and the p value allow it.
    """
    told = scores.get("contrast")
    if not told or not told.get("system") or not told.get("against"):
        return []
    one, other = (_phrase(scores, told[side]) for side in ("system", "against"))
    difference = told.get("difference") or {}
    named = {
        "start": say(DECLARED[told.get("declared")]),
        "one": one,
        "other": other,
        "metric": metric_name(metric_of(scores)),
    }
    if is_undefined(difference):
        why = quoted(str(difference["undefined"]))
        return [say("{start} {one} and {other} have no difference in {metric}: {why}.", **named, why=why)]
    value, p = finite(difference.get("value")), finite(difference.get("p"))
    if value is None:
        return [say("{start} of {one} with {other}, no difference was computed.", **(named | {"metric": ""}))]
    found = verdict({**difference, "p_holm": p})
    if found == "unknown":
        bare = say(
            "{start} {one} minus {other} is {value} in {metric}, without an interval, so that nothing is claimed.",
            **named,
            value=number(value, sign=True),
        )
        return [bare]
    values = scored(difference, sign=True)
    if p is not None:
        values = say("{difference}, p {p}", difference=values, p=probability(p))
    return [say(CLAIMS[found], **named, values=values)]


def _phrase(scores: JSON, name: str) -> str:
    named = [system for system in scores.get("systems") or () if system.get("name") == name]
    return system_phrase(named[0]) if named else str(name)


def tests(scores: JSON) -> Row | None:
    """How p values were made, in a sentence, and which comparisons the correction counts; None where nothing was tested."""
    told = scores.get("tests") or {}
    family = [str(name) for name in told.get("family") or ()]
    if not family:
        return None
    method = str(told.get("method") or "").strip().rstrip(".")
    correction = str(told.get("correction") or "")
    sentences = [say("{clauses}.", clauses=capital(quoted(method)))] if method else []
    if correction and correction.lower() not in method.lower():
        told_of = several(
            len(family),
            "p values are corrected by the method of {name} over {n} comparison.",
            "p values are corrected by the method of {name} over {n} comparisons.",
            name=correction.capitalize(),
        )
        sentences.append(told_of)
    return {"method": run_on(sentences), "family": family}


def one_by_one(scores: JSON) -> Row | None:
    """Every test against the primary system, in the order of the file; with McNemar's exact one where it was made.

    None where nothing was tested.
    """
    rows = []
    for system in scores.get("systems") or ():
        difference, exact = system.get("difference") or {}, system.get("mcnemar") or {}
        cells = [probability_cell(difference.get(key)) for key in ("p", "p_holm")]
        only = [count(exact[key]) if key in exact else "" for key in ("only_a", "only_b")]
        if any(cells) or exact:
            cells += [*only, probability_cell(exact.get("p"))]
            rows.append({"name": str(system.get("name") or "unnamed"), "cells": cells})
    exact_too = any(any(row["cells"][2:]) for row in rows)
    rows = [row | {"cells": row["cells"] if exact_too else row["cells"][:2]} for row in rows]
    return {"rows": rows, "exact": exact_too} if rows else None
