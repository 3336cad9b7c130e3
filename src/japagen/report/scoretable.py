"""The table of scores: every system with every metric, beside the primary. Knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from japagen.report.language import message, say
from japagen.report.words import (
    JSON,
    bounds,
    count,
    finite,
    is_undefined,
    listed,
    metric_name,
    metric_of,
    number,
    primary_of,
    probability_cell,
    score_of,
    scored,
    system_label,
    systems_of,
    training_texts,
    verdict,
    verdict_name,
)

Row = dict[str, Any]
KINDS = {
    "japagen": message("Trained on synthetic texts"),
    "arm": message("Trained on other synthetic rows"),
    "gold": message("Trained on gold, K per label"),
    "supervised": message("Trained on all gold (fully supervised)"),
    "prompted": message("The LLM asked directly"),
    "majority": message("No learning"),
}


def groups(scores: JSON) -> list[tuple[str, str, list[JSON]]]:
    """The systems by kind: the primary first, gold by student and size, the others from best to worst."""
    metric, primary = metric_of(scores), primary_of(scores)
    others = sorted({str(s.get("kind")) for s in scores.get("systems") or ()} - set(KINDS))

    def order(system: JSON) -> tuple[Any, ...]:
        found = finite(score_of(system, metric).get("value"))
        value = (found is None, -(found or 0.0))
        student = str(system.get("student"))
        if system.get("kind") != "gold":
            return (system is not primary, value, student)
        same = student != str((primary or {}).get("student"))
        return (same, student, system.get("k") is None, system.get("k") or 0)

    found = [(kind, sorted(systems_of(scores, kind), key=order)) for kind in [*KINDS, *others]]
    return [(kind, _title(kind, members), members) for kind, members in found if members]


def _title(kind: str, members: Sequence[JSON]) -> str:
    if kind == "japagen":
        return say("Trained on {texts}", texts=training_texts(members[0]))
    return say(KINDS[kind]) if kind in KINDS else kind


def score_table(scores: JSON) -> Row:
    """Every system with every metric, the task's own first; a score without a value is said to be undefined."""
    systems, task_metric, primary = scores.get("systems") or (), metric_of(scores), primary_of(scores)
    names = dict.fromkeys([task_metric, *(name for s in systems for name in s.get("scores") or {})])
    metrics = [name for name in names if any(score_of(s, name) for s in systems)]
    return {
        "metrics": [metric_name(name) for name in metrics],
        "groups": [
            {"kind": kind, "title": title, "rows": [_score_row(s, metrics, s is primary) for s in members]}
            for kind, title, members in groups(scores)
        ],
        "tested": any((s.get("difference") or {}).get("p_holm") is not None for s in systems),
        "signatures": _signatures(systems, metrics, (scores.get("contrast") or {}).get("difference") or {}),
    }


def _score_row(system: JSON, metrics: Sequence[str], primary: bool) -> Row:
    difference, told = system.get("difference"), [score_of(system, name) for name in metrics]
    unanswered, answers = finite(system.get("unparsed")), finite(system.get("answers"))
    return {
        "label": system_label(system),
        "primary": primary,
        "rows": _trained_on(system),
        "unanswered": say("{n} of {all} answers missing", n=count(unanswered), all=count(answers))
        if unanswered
        else "",
        "cells": [_score_cell(score) for score in told],
        "seeds": max((len(score.get("by_seed") or ()) for score in told), default=0),
        "difference": scored(difference, 3, sign=True) if difference else "",
        "p": probability_cell((difference or {}).get("p_holm")),
        "verdict": verdict_name(verdict(difference)) if difference and not is_undefined(difference) else "",
    }


def _trained_on(system: JSON) -> str:
    """Rows that the system learnt from, gold ones among synthetic ones apart."""
    rows, gold = finite(system.get("train_rows")), finite(system.get("anchor_rows"))
    if not rows:
        return ""
    return say("{n} + {gold} gold", n=count(rows - gold), gold=count(gold)) if gold else count(rows)


def _score_cell(score: JSON) -> Row:
    if is_undefined(score):
        return {"value": say("undefined"), "interval": ""}
    known = finite(score.get("value")) is not None
    return {"value": number(score["value"], 3) if known else "", "interval": bounds(score, 3)}


def _signatures(systems: Iterable[JSON], metrics: Sequence[str], contrast: JSON) -> list[Row]:
    """Each signature once, with the metrics that carry it."""
    named: dict[str, dict[str, None]] = {}
    for system in systems:
        scored_by = [(metric_name(name), score_of(system, name)) for name in metrics]
        for name, score in [*scored_by, (say("difference"), system.get("difference") or {})]:
            if score.get("signature"):
                named.setdefault(str(score["signature"]), {})[name] = None
    if contrast.get("signature"):
        named.setdefault(str(contrast["signature"]), {})[say("primary comparison")] = None
    return [{"names": listed(names), "signature": signature} for signature, names in named.items()]
