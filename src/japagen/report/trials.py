"""Whether curation helped: each step that is on trial, with its figures, its verdict and the reason it gave itself.

Drawn from `curation.json`; a step that was off has no row. The stage decided; nothing is decided or estimated here.
Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.report.tables import share, total
from japagen.report.words import JSON, bounds, count, finite, join, metric_name, number, percent, plural

Row = dict[str, Any]

MISSED = 0.02
"""A quota is met where the share reached is this near to the share wanted."""


def trials(told: JSON) -> list[Row]:
    """One row for each of label noise, judge, sample, top-up and second round that ran: step, verdict, figures, reason."""
    asked = {
        "label noise": ("noise", _noise),
        "judge": ("judge", _judge),
        "sample": ("sample", _sample),
        "top-up": ("top_up", _filled),
        "second round": ("round_2", _second_round),
    }
    rows = []
    for step, (key, tell) in asked.items():
        if one := told.get(key):
            verdict, figures = tell(one)
            reason = str(one.get("sentence") or "")
            rows.append({"step": step, "verdict": verdict, "figures": [f for f in figures if f], "reason": reason})
    return rows


def _verdict(one: JSON, doubted: JSON | None) -> str:
    if not total(doubted):
        return "nothing doubted"
    return "applied" if one.get("applied") is True else "reported, not applied"


def _noise(one: JSON) -> tuple[str, list[str]]:
    flagged = total(one.get("flagged"))
    by = f"the {one['student']} student" if one.get("student") else "a student"
    folds = f", {count(one['folds'])} grouped folds" if finite(one.get("folds")) else ""
    doubted = f"{by} doubts {count(flagged)} of {count(one.get('rows'))} labels out of fold{folds}"
    return _verdict(one, one.get("flagged")), [doubted, trial(one.get("trial"))]


def trial(one: JSON | None) -> str:
    """Scores with and without what is on trial, and the gain beside its standard error; empty where there was none."""
    if not one or finite(one.get("gain")) is None:
        return ""
    metric = metric_name(str(one.get("metric") or "accuracy"))
    groups, rows, seeds = (finite(one.get(key)) for key in ("groups", "gold_rows", "seeds"))
    on = f" on {count(rows)} gold rows" if rows else ""
    on += f" in {count(groups)} groups" if groups and groups != rows else ""
    on += f", {count(seeds)} seeds" if seeds else ""
    student = f" of {one['student']}" if one.get("student") else ""
    scores = f"{number(one.get('plain'), 3)} with them, {number(one.get('changed'), 3)} without"
    error = number(one.get("se"), 3)
    return f"{metric}{student}{on}: {scores}; gain {number(one['gain'], 3, sign=True)}, standard error {error}"


def _judge(one: JSON) -> tuple[str, list[str]]:
    unread = finite(one.get("unread"))
    who = str(one.get("llm") or "the judge")
    asked = f"{who} doubts {count(total(one.get('doubted')))} of {count(one.get('rows'))} labels"
    asked += f"; {count(unread)} answers could not be read, and their rows stayed" if unread else ""
    return _verdict(one, one.get("doubted")), [asked, _independence(one.get("independence"))]


def _independence(one: JSON | None) -> str:
    if not one or finite(one.get("difference")) is None:
        return ""
    right, wrong = (
        f"{number(one.get(f'keep_{of}'))} of the {of} labels ({count(one.get(of))} audited)"
        for of in ("right", "wrong")
    )
    gap, within = number(one["difference"], sign=True), bounds(one, sign=True)
    return f"it keeps {right} and {wrong}; difference {gap}" + (f", one-sided 95 % bounds {within}" if within else "")


def _sample(one: JSON) -> tuple[str, list[str]]:
    missed = [quota for quota in one.get("quotas") or () if is_missed(quota)]
    quotas_told = f"{count(len(missed))} of {count(len(one['quotas']))} quotas missed" if one.get("quotas") else ""
    return "quotas missed" if missed else "met over all labels", [
        f"{count(one.get('chosen'))} of {count(one.get('of'))} chosen",
        quotas_told if missed else "",
    ]


def is_missed(quota: JSON) -> bool:
    """Whether the share reached is more than `MISSED` from the one wanted."""
    target, reached = finite(quota.get("target")), finite(quota.get("reached"))
    return target is not None and reached is not None and abs(reached - target) > MISSED + 1e-9


def _filled(one: JSON) -> tuple[str, list[str]]:
    rounds = one.get("rounds") or ()
    asked = sum(total(rnd.get("asked")) for rnd in rounds)
    short = [str(label) for label in one.get("short") or ()]
    wanted = f"{count(one.get('wanted'))} of each label wanted" if finite(one.get("wanted")) is not None else ""
    limit = finite(one.get("factor"))
    more = f"{count(asked)} more asked for in {plural(len(rounds), 'round')}" if rounds else "no more asked for"
    most = f", at most {limit:g} times as many as planned" if limit and rounds else ""
    return "short" if short else "full", [wanted, more + most]


def _second_round(one: JSON) -> tuple[str, list[str]]:
    chosen = one.get("guides") or one.get("wrong") or {}
    missed = join([f"{count(n)} {label}" for label, n in chosen.items()])
    by = f"the {one['student']} student" if one.get("student") else "a student"
    guided, control = (finite(one.get(key)) for key in ("guided", "control"))
    counts = [f"{count(guided)} guided"] if guided is not None else []
    counts += [f"{count(control)} of its control"] if control is not None else []
    return "done" if guided else "not done", [
        f"guides, drawn from the gold dev rows that {by} got wrong: {missed}" if missed else "",
        f"rows of round 2 that were kept: {join(counts)}" if counts else "",
    ]


def doubts(told: JSON, labels: Sequence[str]) -> list[Row]:
    """By label, how many labels the student and the judge doubt; whether they were dropped is another matter."""
    rows = []
    for key, part, name in (("noise", "flagged", "by the student, out of fold"), ("judge", "doubted", "by the judge")):
        if counts := (told.get(key) or {}).get(part):
            cells = [count(finite(counts.get(label)) or 0) for label in labels]
            rows.append({"name": name, "cells": [*cells, count(total(counts))]})
    return rows


def joint(told: JSON, labels: Sequence[str]) -> Row | None:
    """How often each given label meets each predicted one, out of fold; shares are of the given label."""
    one = (told.get("noise") or {}).get("joint") or {}
    names, counts = one.get("labels") or (), one.get("counts") or ()
    if not names or len(counts) != len(names) or any(len(row) != len(names) for row in counts):
        return None
    order = sorted(range(len(names)), key=lambda at: labels.index(names[at]) if names[at] in labels else len(labels))
    rows = []
    for given in order:
        cells = [{"count": count(n := counts[given][at]), "share": share(n, sum(counts[given]))} for at in order]
        rows.append({"label": names[given], "cells": cells, "n": count(sum(counts[given]))})
    return {"labels": [names[at] for at in order], "rows": rows}


def quotas(told: JSON) -> list[Row]:
    """Every quota of the sample: attribute, value, share wanted, share reached, rows there were to choose from."""
    found = [one for one in (told.get("sample") or {}).get("quotas") or () if one]
    largest = max((finite(one.get("reached")) or 0.0 for one in found), default=0.0)
    return [
        {
            "label": str(one.get("label") or ""),
            "by": str(one.get("by") or ""),
            "value": str(one.get("value") or "none"),
            "target": _share(one.get("target")),
            "reached": _share(one.get("reached")),
            "bar": share(one.get("reached"), largest),
            "available": count(one["available"]) if finite(one.get("available")) is not None else "",
            "missed": is_missed(one),
        }
        for one in found
    ]


def top_up(told: JSON, labels: Sequence[str]) -> list[Row]:
    """Each round of the top-up: by label how many more were asked for, and how many rows are kept in all after it."""
    one = told.get("top_up") or {}
    rows = []
    for place, rnd in enumerate(one.get("rounds") or (), 1):
        for name, key in ((f"round {place} asks for", "asked"), ("kept after it", "kept")):
            counts = rnd.get(key) or {}
            cells = [count(counts[label]) if label in counts else "" for label in labels]
            rows.append({"name": name, "cells": cells, "last": key == "kept"})
    return rows


def _share(value: object) -> str:
    x = finite(value)
    return "" if x is None else percent(x)
