"""The tables of the report as rows ready to print: ledger, confusions, settings, what was asked for, labels.

Knows the JSON of the stages and how numbers are written; knows nothing of HTML. The one arithmetic done here is sums
and shares of counts, so that a table can show that it adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from japagen.report.language import message, quoted, say
from japagen.report.words import (
    JSON,
    asked_later,
    count,
    duration,
    finite,
    listed,
    primary_of,
    reason_name,
    stage_name,
    things_of,
)

Row = dict[str, Any]
SECRETS = {"api_key", "apikey", "authorization", "password", "secret", "token", "headers"}


def ledger(stages: JSON, labels: Sequence[str]) -> list[Row]:
    """For each stage that counts rows: one line per fate, one column per label, and whether it all adds up."""
    tables = []
    for stage, told in (stages or {}).items():
        total, by_label = (told or {}).get("accounting") or {}, (told or {}).get("by_label") or {}
        columns = [
            *(label for label in labels if label in by_label),
            *(name for name in by_label if name not in labels),
        ]
        books = [by_label[name] or {} for name in columns] + ([total] if total else [])
        if not books:
            continue
        rows = [_fate("requested", _origin(stage, stages), books, "requested")]
        for kind in ("failed", "dropped"):
            reasons = dict.fromkeys(reason for book in reversed(books) for reason in book.get(kind) or {})
            rows += [_fate(kind, reason, books, kind, reason) for reason in reasons]
        rows.append(_fate("kept", say("kept"), books, "kept"))
        adds_up = all(_adds_up(book) for book in books) and (not total or not columns or _sums_to_total(rows))
        tables.append({"stage": stage, "columns": columns, "total": bool(total), "rows": rows, "adds_up": adds_up})
    return tables


def _origin(stage: str, stages: JSON) -> str:
    wrote, curated = (((stages or {}).get(name) or {}).get("accounting") for name in ("generate", "curate"))
    later = stage == "curate" and asked_later(wrote, curated)
    if stage == "generate":
        return say("asked for")
    return say("rows came in, later ones included") if later else say("rows came in")


def _fate(kind: str, name: str, books: Sequence[JSON], key: str, reason: str | None = None) -> Row:
    found = [book.get(key) if reason is None else (book.get(key) or {}).get(reason) for book in books]
    values = [int(finite(value) or 0) for value in found]
    return {"kind": kind, "name": reason_name(name), "values": values, "cells": [count(v) for v in values]}


def _adds_up(book: JSON) -> bool:
    fates = [book.get("kept"), *(book.get("dropped") or {}).values(), *(book.get("failed") or {}).values()]
    return finite(book.get("requested")) == sum(finite(n) or 0 for n in fates)


def _sums_to_total(rows: Iterable[Row]) -> bool:
    return all(sum(row["values"][:-1]) == row["values"][-1] for row in rows)


def confusion(scores: JSON) -> Row | None:
    """The primary's confusion matrix: rows are gold labels, with each cell's share of its row.

    A last column without a label, ``""``, holds rows that got no answer.
    """
    matrix = (primary_of(scores) or {}).get("confusion")
    labels = scores.get("labels") or []
    if not matrix or len(matrix) != len(labels):
        return None
    columns = [*labels, *([""] if len(matrix[0]) > len(labels) else [])]
    rows = [
        {"label": label, "cells": [{"count": count(n), "share": share(n, sum(row))} for n in row], "n": count(sum(row))}
        for label, row in zip(labels, matrix, strict=True)
    ]
    return {"labels": columns, "rows": rows, "nearest": scores.get("kind") == "similarity"}


def share(part: object, whole: object) -> float:
    """A share between 0 and 1; 0 of nothing is 0, which draws no bar."""
    top, bottom = finite(part) or 0.0, finite(whole) or 0.0
    return round(top / bottom, 4) if bottom > 0 else 0.0


def total(counts: JSON | None) -> float:
    """The sum of counts by label."""
    return sum(finite(n) or 0.0 for n in (counts or {}).values())


def both(part: JSON | None) -> list[tuple[str, Any]]:
    """The synthetic and the gold side of a part of the analysis, where they are given."""
    return [(source, (part or {})[source]) for source in ("synthetic", "gold") if (part or {}).get(source)]


def counted(counts: JSON | None) -> list[tuple[str, Any]]:
    """The sides that have texts, of counts by label; the synthetic one even where it has none."""
    return [(source, side) for source, side in both(counts) if source == "synthetic" or total(side)]


def settings(value: object, path: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, text), without anything that is named like a secret."""
    if isinstance(value, Mapping):
        pairs = []
        for key, inner in value.items():
            hidden = str(key).lower().replace("-", "_") in SECRETS
            pairs += settings(say("(not shown)") if hidden else inner, f"{path}.{key}" if path else str(key))
        return pairs
    if isinstance(value, list | tuple):
        if any(isinstance(item, Mapping) for item in value):
            return [pair for at, item in enumerate(value, 1) for pair in settings(item, f"{path}.{at}")]
        return [(path, ", ".join(str(item) for item in value) or say("none"))]
    word = {None: say("not set"), True: say("yes"), False: say("no")}
    return [(path, word[value] if value is None or isinstance(value, bool) else str(value))]


NO_LABELS = "all texts"
"""What stands in place of a label where a file has none."""
TERMS = {
    "file": message("file"),
    "sha256": message("digest (SHA-256)"),
    "seed": message("seed"),
    "started": message("started"),
    "finished": message("finished"),
    "command": message("command"),
}
"""Of where numbers come from; others, such as llm, are named as they are."""


def provenance(told: JSON) -> list[tuple[str, str]]:
    """Where the numbers come from, as (term, text), without versions and digests."""
    known = {key: value for key, value in told.items() if key not in ("versions", "digests")}
    return [(say(TERMS[term]) if term in TERMS else term, text) for term, text in settings(known)]


def asked(task: JSON, experiment: JSON, stages: JSON, scores: JSON) -> list[tuple[str, str]]:
    """What was asked for and what it took, as (term, text); only what is known."""
    llm, generate = experiment.get("llm") or {}, experiment.get("generate") or {}
    train = experiment.get("train") or {}
    drawn = {say("temperature"): llm.get("temperature"), "top-p": llm.get("top_p")}
    students = train.get("students")
    facts = {
        message("Language model"): llm.get("name"),
        message("Sampling"): listed(f"{name} {value}" for name, value in drawn.items() if value is not None),
        message("Texts asked for"): generate.get("per_label") and say("{n} per label", n=count(generate["per_label"])),
        message("Labelled examples shown"): None
        if generate.get("shots") is None
        else generate["shots"] or say("none (zero-shot)"),
        message("KADG"): generate.get("kadg") and listed(quoted(str(used)) for used in task.get("kadg") or ()),
        message("Students"): listed(students) if isinstance(students, list | tuple) else students,
        message("Training seeds"): train.get("seeds"),
        message("Tested on"): scores.get("n")
        and say(
            "{n} human-labelled {things}",
            n=count(scores["n"]),
            things=things_of(scores if scores.get("kind") else task),
        ),
    }
    return [(say(term), str(text)) for term, text in facts.items() if text not in (None, "", 0, False)]


def times(stages: JSON) -> list[tuple[str, str]]:
    """How long each stage took, and all of them."""
    spent = {
        stage: seconds for stage, told in (stages or {}).items() if (seconds := finite((told or {}).get("seconds")))
    }
    rows = [(stage_name(stage), duration(seconds)) for stage, seconds in spent.items()]
    return [*rows, (say("total"), duration(sum(spent.values())))] if len(rows) > 1 else rows


def label_rows(task: JSON, analysis: JSON) -> list[Row]:
    """The labels with their meaning, and how many texts there are of each."""
    meanings, counts = task.get("labels") or {}, analysis.get("counts") or {}
    sides = dict(counted(counts))
    return [
        {
            "label": say("all texts") if label == NO_LABELS else label,
            "name_ja": (told or {}).get("name_ja") or "",
            "meaning": (told or {}).get("meaning") or "",
            "counts": [count(side.get(label, 0)) for side in sides.values()],
        }
        for label, told in meanings.items()
    ]
