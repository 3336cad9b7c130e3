"""How systems were compared: the comparison declared beforehand, the tests of all others, McNemar. Knows nothing of HTML."""

from __future__ import annotations

from typing import Any

from japagen.report.words import (
    JSON,
    count,
    finite,
    is_undefined,
    metric_name,
    metric_of,
    number,
    probability,
    probability_cell,
    scored,
    system_phrase,
    verdict,
)

Row = dict[str, Any]
DECLARED = {
    True: "In the comparison declared beforehand,",
    False: "In the comparison made by default (the experiment declares none),",
    None: "In the primary comparison,",
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
    start, metric = DECLARED[told.get("declared")], metric_name(metric_of(scores))
    if is_undefined(difference):
        return [f"{start} {one} and {other} have no difference in {metric}: {difference['undefined']}."]
    value, p = finite(difference.get("value")), finite(difference.get("p"))
    if value is None:
        return [f"{start} of {one} with {other}, no difference was computed."]
    found = verdict({**difference, "p_holm": p})
    if found == "unknown":
        values = f"{number(value, sign=True)} in {metric}, without an interval, so that nothing is claimed"
        return [f"{start} {one} minus {other} is {values}."]
    claim = {"better": "better than", "worse": "worse than", "unclear": "not distinguishable from"}[found]
    chance = f", p {probability(p)}" if p is not None else ""
    values = f"{scored(difference, sign=True)}{chance}"
    return [f"{start} {one} is {claim} {other}: in {metric} the first minus the second is {values}."]


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
    sentences = [f"{method[0].upper()}{method[1:]}."] if method else []
    if correction and correction.lower() not in method.lower():
        many = f"{count(len(family))} comparison{'s' if len(family) > 1 else ''}"
        sentences.append(f"p values are corrected by the method of {correction.capitalize()} over {many}.")
    return {"method": " ".join(sentences), "family": family}


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
