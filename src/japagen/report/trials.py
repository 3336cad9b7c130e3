"""Whether curation helped: each step that is on trial, with its figures, its verdict and the reason it gave itself.

Drawn from `curation.json`; a step that was off has no row. The stage decided; nothing is decided or estimated here.
Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.report.language import message, quoted, say, several
from japagen.report.tables import share, total
from japagen.report.words import JSON, bounds, count, finite, join, metric_name, number, percent, run_on

Row = dict[str, Any]

MISSED = 0.02
"""A quota is met where the share reached is this near to the share wanted."""


def trials(told: JSON) -> list[Row]:
    """One row for each of label noise, judge, sample, top-up and second round that ran: step, verdict, figures, reason."""
    asked = {
        message("label noise"): ("noise", _noise),
        message("judge"): ("judge", _judge),
        message("sample"): ("sample", _sample),
        message("top-up"): ("top_up", _filled),
        message("second round"): ("round_2", _second_round),
    }
    rows = []
    for step, (key, tell) in asked.items():
        if one := told.get(key):
            verdict, figures = tell(one)
            reason = quoted(str(one.get("sentence") or ""))
            rows.append({"step": say(step), "verdict": verdict, "figures": [f for f in figures if f], "reason": reason})
    return rows


def _verdict(one: JSON, doubted: JSON | None) -> str:
    if not total(doubted):
        return say("nothing doubted")
    return say("applied") if one.get("applied") is True else say("reported, not applied")


def _noise(one: JSON) -> tuple[str, list[str]]:
    flagged = total(one.get("flagged"))
    folds = say(", {n} grouped folds", n=count(one["folds"])) if finite(one.get("folds")) else ""
    doubted = say(
        "{by} doubts {n} of {all} labels out of fold{folds}",
        by=_student(one),
        n=count(flagged),
        all=count(one.get("rows")),
        folds=folds,
    )
    return _verdict(one, one.get("flagged")), [doubted, trial(one.get("trial"))]


def _student(one: JSON) -> str:
    return say("the {student} student", student=one["student"]) if one.get("student") else say("a student")


def trial(one: JSON | None) -> str:
    """Scores with and without what is on trial, and the gain beside its standard error; empty where there was none."""
    if not one or finite(one.get("gain")) is None:
        return ""
    metric = metric_name(str(one.get("metric") or "accuracy"))
    groups, rows, seeds = (finite(one.get(key)) for key in ("groups", "gold_rows", "seeds"))
    on = say(" on {n} gold rows", n=count(rows)) if rows else ""
    on += say(" in {n} groups", n=count(groups)) if groups and groups != rows else ""
    on += say(", {n} seeds", n=count(seeds)) if seeds else ""
    what = {"metric": metric, "on": on}
    return run_on(
        [
            say("{metric} of {student}{on}:", student=one["student"], **what)
            if one.get("student")
            else say("{metric}{on}:", **what),
            say(
                "{plain} with them, {changed} without; gain {gain}, standard error {error}",
                plain=number(one.get("plain"), 3),
                changed=number(one.get("changed"), 3),
                gain=number(one["gain"], 3, sign=True),
                error=number(one.get("se"), 3),
            ),
        ]
    )


def _judge(one: JSON) -> tuple[str, list[str]]:
    unread = finite(one.get("unread"))
    asked = say(
        "{who} doubts {n} of {all} labels",
        who=one.get("llm") or say("the judge"),
        n=count(total(one.get("doubted"))),
        all=count(one.get("rows")),
    )
    asked += say("; {n} answers could not be read, and their rows stayed", n=count(unread)) if unread else ""
    return _verdict(one, one.get("doubted")), [asked, _independence(one.get("independence"))]


def _independence(one: JSON | None) -> str:
    if not one or finite(one.get("difference")) is None:
        return ""
    kept = say(
        "it keeps {right} of the right labels ({n_right} audited) and {wrong} of the wrong labels ({n_wrong} audited); "
        "difference {gap}",
        right=number(one.get("keep_right")),
        n_right=count(one.get("right")),
        wrong=number(one.get("keep_wrong")),
        n_wrong=count(one.get("wrong")),
        gap=number(one["difference"], sign=True),
    )
    within = bounds(one, sign=True)
    return kept + (say(", one-sided 95 % bounds {bounds}", bounds=within) if within else "")


def _sample(one: JSON) -> tuple[str, list[str]]:
    missed = [quota for quota in one.get("quotas") or () if is_missed(quota)]
    told = say("{n} of {all} quotas missed", n=count(len(missed)), all=count(len(one["quotas"]))) if missed else ""
    return say("quotas missed") if missed else say("met over all labels"), [
        say("{n} of {all} chosen", n=count(one.get("chosen")), all=count(one.get("of"))),
        told,
    ]


def is_missed(quota: JSON) -> bool:
    """Whether the share reached is more than `MISSED` from the one wanted."""
    target, reached = finite(quota.get("target")), finite(quota.get("reached"))
    return target is not None and reached is not None and abs(reached - target) > MISSED + 1e-9


def _filled(one: JSON) -> tuple[str, list[str]]:
    rounds = one.get("rounds") or ()
    asked = sum(total(rnd.get("asked")) for rnd in rounds)
    short = [str(label) for label in one.get("short") or ()]
    known = finite(one.get("wanted")) is not None
    wanted = say("{n} of each label wanted", n=count(one.get("wanted"))) if known else ""
    limit = finite(one.get("factor"))
    if rounds:
        more = several(
            len(rounds),
            "{asked} more asked for in {n} round",
            "{asked} more asked for in {n} rounds",
            asked=count(asked),
        )
    else:
        more = say("no more asked for")
    most = say(", at most {factor} times as many as planned", factor=f"{limit:g}") if limit and rounds else ""
    return say("short") if short else say("full"), [wanted, more + most]


def _second_round(one: JSON) -> tuple[str, list[str]]:
    chosen = one.get("guides") or one.get("wrong") or {}
    missed = join([say("{n} {label}", n=count(n), label=label) for label, n in chosen.items()])
    guided, control = (finite(one.get(key)) for key in ("guided", "control"))
    counts = [say("{n} guided", n=count(guided))] if guided is not None else []
    counts += [say("{n} of its control", n=count(control))] if control is not None else []
    drawn = message("guides, drawn from the gold dev rows that {by} got wrong: {parts}")
    return say("done") if guided else say("not done"), [
        say(drawn, by=_student(one), parts=missed) if missed else "",
        say("rows of round 2 that were kept: {parts}", parts=join(counts)) if counts else "",
    ]


def doubts(told: JSON, labels: Sequence[str]) -> list[Row]:
    """By label, how many labels the student and the judge doubt; whether they were dropped is another matter."""
    rows = []
    sides = (
        ("noise", "flagged", message("by the student, out of fold")),
        ("judge", "doubted", message("by the judge")),
    )
    for key, part, name in sides:
        if counts := (told.get(key) or {}).get(part):
            cells = [count(finite(counts.get(label)) or 0) for label in labels]
            rows.append({"name": say(name), "cells": [*cells, count(total(counts))]})
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
            "value": str(one.get("value") or say("none")),
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
        for name, key in ((say("round {place} asks for", place=place), "asked"), (say("kept after it"), "kept")):
            counts = rnd.get(key) or {}
            cells = [count(counts[label]) if label in counts else "" for label in labels]
            rows.append({"name": name, "cells": cells, "last": key == "kept"})
    return rows


def _share(value: object) -> str:
    x = finite(value)
    return "" if x is None else percent(x)
