"""What curation took and why: every check with what it saw and dropped, what was mended, what stood in gold.

Drawn from `curation.json`. Whether it helped stands in `trials`, what should worry a reader in `alarms`. The arithmetic
done here is sums and shares of counts. Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from japagen.report.alarms import PASSED_OVER, alarms
from japagen.report.language import message, quoted, say, several
from japagen.report.tables import share, total
from japagen.report.trials import doubts, joint, quotas, top_up, trials
from japagen.report.words import JSON, count, finite, join, percent, reason_name, run_on, split_name

Row = dict[str, Any]

KINDS = {
    "row": message("Looked at one by one"),
    "rows": message("Compared with one another"),
    "gold": message("Compared with gold"),
    "label": message("Label in doubt"),
    "choice": message("Good, but not chosen"),
}
KIND_OF = {
    "duplicate": "rows",
    "label_conflict": "rows",
    "near_duplicate": "rows",
    "contamination": "gold",
    "judge": "label",
    "label_noise": "label",
    **dict.fromkeys(PASSED_OVER, "choice"),
}
"""Of the checks that look beyond one row; every other one looks at one row alone."""


def curation(told: JSON, labels: Sequence[str], things: str = "texts") -> Row | None:
    """The section as rows and sentences; None for a run that left no `curation.json`.

    Args:
        told: curation.json; keys of what was off are absent.
        labels: of the task, in its order; others that rows have come after them.
        things: what a row is.
    """
    steps = told.get("steps") or ()
    if not told:
        return None
    names = _labels(steps, labels)
    return {
        "sentences": _sentences(told, things),
        "alarms": alarms(told, names),
        "labels": [{"name": name, "tint": f"label{place % 6 + 1}"} for place, name in enumerate(names)],
        "groups": _groups(steps, names),
        "kept": [count(_came(steps, name) - _went(steps, name)) for name in (*names, None)],
        "idle": [_plain(step) for step in steps if not total(step.get("dropped")) and _kind(step) != "label"],
        "repairs": [_repair(one, names) for one in told.get("repairs") or () if total(one.get("mended"))],
        "trials": trials(told),
        "doubts": doubts(told, names),
        "joint": joint(told, names),
        "quotas": quotas(told),
        "top_up": top_up(told, names),
    }


def _labels(steps: Sequence[JSON], labels: Sequence[str]) -> list[str]:
    found = dict.fromkeys(name for step in steps for key in ("seen", "dropped") for name in step.get(key) or {})
    return [*(name for name in labels if name in found), *(name for name in found if name not in labels)]


def _plain(step: JSON) -> str:
    return reason_name(str(step.get("name") or "unnamed"))


def _kind(step: JSON) -> str:
    return KIND_OF.get(str(step.get("name")), "row")


def _came(steps: Sequence[JSON], label: str | None) -> float:
    """Rows that came in, which is what the first check saw; of all labels for None."""
    return _of(steps[0].get("seen"), label) if steps else 0.0


def _went(steps: Sequence[JSON], label: str | None) -> float:
    return sum(_of(step.get("dropped"), label) for step in steps)


def _of(counts: JSON | None, label: str | None) -> float:
    return total(counts) if label is None else finite((counts or {}).get(label)) or 0.0


def _groups(steps: Sequence[JSON], labels: Sequence[str]) -> list[Row]:
    """The checks that dropped something, by kind, in their order; a bar is a share, scaled to the largest of the table."""
    found = [step for step in steps if total(step.get("dropped"))]
    shares = [_share(step, label) for step in found if _kind(step) != "choice" for label in (*labels, None)]
    largest = max(shares, default=0.0)
    return [
        {"title": say(title), "rows": [_row(step, labels, largest) for step in members]}
        for kind, title in KINDS.items()
        if (members := [step for step in found if _kind(step) == kind])
    ]


def _share(step: JSON, label: str | None) -> float:
    return share(_of(step.get("dropped"), label), _of(step.get("seen"), label))


def _row(step: JSON, labels: Sequence[str], largest: float) -> Row:
    measured = _kind(step) != "choice"  # what was not chosen is no finding, and would dwarf all others
    return {
        "name": _plain(step),
        "question": quoted(str(step.get("question") or "")),
        "cells": [
            {
                "count": count(_of(step.get("dropped"), label)),
                "percent": percent(part) if (part := _share(step, label)) else "",
                "bar": share(part, largest) if measured else 0.0,
            }
            for label in (*labels, None)
        ],
    }


def _repair(one: JSON, labels: Sequence[str]) -> Row:
    cells = [count(_of(one.get("mended"), label)) for label in (*labels, None)]
    return {"name": _plain(one), "question": quoted(str(one.get("question") or "")), "cells": cells}


def _sentences(told: JSON, things: str) -> list[str]:
    control = finite((told.get("round_2") or {}).get("control")) or 0.0
    said = [_balance(told.get("steps") or (), control, things)]
    mended = [(n, _plain(one)) for one in told.get("repairs") or () if (n := total(one.get("mended")))]
    if mended:
        parts = join([say("{n} by {repair}", n=count(n), repair=name) for n, name in mended])
        said.append(say("Mended and kept: {parts}.", parts=parts))
    if gate := told.get("contamination"):
        said.append(_gate(gate, things))
    return [sentence for sentence in said if sentence]


def _balance(steps: Sequence[JSON], control: float, things: str) -> str:
    """How many went for a fault, for what above all, how many were good but not chosen, and what the rest is."""
    came, went = _came(steps, None), _went(steps, None)
    if not came:
        return ""
    passed_over = sum(total(step.get("dropped")) for step in steps if _kind(step) == "choice")
    faults = sorted(
        ((total(step.get("dropped")), _plain(step)) for step in steps if _kind(step) != "choice"),
        key=lambda one: -one[0],
    )
    most = [say("{reason} ({n})", reason=name, n=count(n)) for n, name in faults[:3] if n]
    lost, left = went - passed_over, came - went
    told = {"came": count(came), "things": things, "n": count(lost), "percent": percent(lost / came)}
    if not lost:
        start = say("Of {came} {things} that came in, none was dropped", came=told["came"], things=things)
    elif len(most) > 1:
        start = say(
            "Of {came} {things} that came in, {n} ({percent}) were dropped, most of them as {most}",
            **told,
            most=join(most),
        )
    else:
        start = say("Of {came} {things} that came in, {n} ({percent}) were dropped, as {most}", **told, most=join(most))
    if passed_over:
        chosen = several(passed_over, "; {n} more was good but not chosen", "; {n} more were good but not chosen")
        start += chosen
    aside = ""
    if control:
        aside = say(", {n} of them a second round's control, from which only its own arm learns", n=count(control))
    rest = several(left, "{n} is left{aside}.", "{n} are left{aside}.", aside=aside)
    return run_on([say("{clauses}.", clauses=start), rest])


def _gate(gate: Mapping[str, Any], things: str) -> str:
    against = join(
        [
            say("{n} gold {split}", n=count(n), split=split_name(str(split)))
            for split, n in (gate.get("against") or {}).items()
        ]
    )
    if not against:
        return ""
    hits, one_text = finite(gate.get("dropped")) or 0, finite(gate.get("one_text"))
    told = {"against": against, "things": things}
    if hits:
        said = [say("Compared with {against} rows: {n} of the {things} stood there and went.", n=count(hits), **told)]
    else:
        said = [say("Compared with {against} rows: none of the {things} stands there.", **told)]
    if one_text:
        beside = message("Of {n} {things} kept, one text alone stands in gold test, which gives no answer away.")
        said.append(say(beside, n=count(one_text), things=things))
    return run_on(said)
