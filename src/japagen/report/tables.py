"""The tables of the report as rows ready to print: ledger, scores, confusions, lengths, composition, diversity.

Knows the JSON of the stages and how numbers are written; knows nothing of HTML. The one arithmetic done here is sums
and shares of counts, so that a table can show that it adds up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from japagen.report.words import (
    JSON,
    asked_later,
    count,
    duration,
    finite,
    number,
    primary_of,
    scored,
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
        rows.append(_fate("kept", "kept", books, "kept"))
        adds_up = all(_adds_up(book) for book in books) and (not total or not columns or _sums_to_total(rows))
        tables.append({"stage": stage, "columns": columns, "total": bool(total), "rows": rows, "adds_up": adds_up})
    return tables


def _origin(stage: str, stages: JSON) -> str:
    wrote, curated = (((stages or {}).get(name) or {}).get("accounting") for name in ("generate", "curate"))
    later = stage == "curate" and asked_later(wrote, curated)
    return "asked for" if stage == "generate" else "rows came in, later ones included" if later else "rows came in"


def _fate(kind: str, name: str, books: Sequence[JSON], key: str, reason: str | None = None) -> Row:
    found = [book.get(key) if reason is None else (book.get(key) or {}).get(reason) for book in books]
    values = [int(finite(value) or 0) for value in found]
    return {"kind": kind, "name": name.replace("_", " "), "values": values, "cells": [count(v) for v in values]}


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


def _pairs(part: JSON | None, labels: Sequence[str]) -> list[tuple[str, str, Any]]:
    """(label, source, value) in reading order: label by label, synthetic before gold."""
    sides = both(part)
    names = dict.fromkeys([*labels, *(name for _, side in sides for name in side)])
    return [(name, source, side[name]) for name in names for source, side in sides if side.get(name)]


def length_rows(analysis: JSON, labels: Sequence[str]) -> list[Row]:
    """Lengths in characters: n, mean, sd and quantiles; for pairs of both texts together and of each."""
    parts = {"lengths": "both", "lengths_first": "first", "lengths_second": "second"}
    found = [(name, part) for name, part in parts.items() if analysis.get(name)]
    return [
        {
            "label": label,
            "part": part if len(found) > 1 else "",
            "source": source,
            "n": count(told.get("n")),
            "mean": number(told.get("mean"), 1),
            "sd": number(told.get("sd"), 1),
            "quantiles": [count((told.get("quantiles") or {}).get(q)) for q in ("5", "25", "50", "75", "95")],
        }
        for name, part in found
        for label, source, told in _pairs(analysis[name], labels)
    ]


def composition(part: JSON | None, labels: Sequence[str]) -> Row | None:
    """Registers or scripts as shares, by label and source; also for a part that is not split by label."""
    sides = {s: v if any(isinstance(x, Mapping) for x in v.values()) else {"all": v} for s, v in both(part)}
    found = [(label, source, told) for label, source, told in _pairs(sides, labels) if isinstance(told, Mapping)]
    names = dict.fromkeys(name for *_, told in found for name, value in told.items() if finite(value) is not None)
    rows = []
    for label, source, told in found:
        values = [finite(told.get(name)) or 0.0 for name in names]
        rows.append({"label": label, "source": source, "shares": [share(value, sum(values)) for value in values]})
    return {"names": list(names), "rows": rows} if names else None


def diversity_rows(analysis: JSON) -> list[Row]:
    """Every measure of diversity and overlap, synthetic beside gold, with its signature."""
    rows = []
    for key, part in analysis.items():
        if not isinstance(part, Mapping):
            continue
        if "synthetic_gold" in part or "gold_gold" in part:
            rows.append(
                _beside(
                    f"{key.replace('_', ' ').replace('jaccard', 'Jaccard')} with gold",
                    part.get("synthetic_gold"),
                    part.get("gold_gold"),
                )
            )
            continue
        sides = dict(both(part))
        synthetic, gold = sides.get("synthetic") or {}, sides.get("gold") or {}
        if _is_score(synthetic) or _is_score(gold):
            rows.append(_beside(key.replace("_", " "), synthetic, gold))
        elif isinstance(synthetic, Mapping) and isinstance(gold, Mapping):
            for name in dict.fromkeys([*synthetic, *gold]):
                if _is_score(synthetic.get(name)) or _is_score(gold.get(name)):
                    title = f"distinct-{name}" if key == "distinct_n" else f"{key.replace('_', ' ')}, {name}"
                    rows.append(_beside(title, synthetic.get(name), gold.get(name)))
    return rows


def _is_score(told: object) -> bool:
    return isinstance(told, Mapping) and "value" in told


def _beside(name: str, synthetic: JSON | None, gold: JSON | None) -> Row:
    signatures = dict.fromkeys(str(s["signature"]) for s in (synthetic, gold) if s and s.get("signature"))
    cells = [scored(s, 3) if s and finite(s.get("value")) is not None else "" for s in (synthetic, gold)]
    return {"name": name, "synthetic": cells[0], "gold": cells[1], "signatures": list(signatures)}


def word_lists(analysis: JSON, most: int = 15) -> list[Row]:
    """The words most characteristic of each side, with log-likelihood ratio and counts on both."""
    titles = {"synthetic": "More often in the synthetic texts", "gold": "More often in the gold texts"}
    lists = []
    for source, entries in both(analysis.get("characteristic_words")):
        told = [entry for entry in entries if len(entry) == 4][:most]
        top = max((abs(finite(entry[1]) or 0.0) for entry in told), default=0.0)
        rows = [
            {
                "word": w,
                "llr": number(g2, 1),
                "share": share(abs(g2 or 0), top),
                "synthetic": count(s),
                "gold": count(g),
            }
            for w, g2, s, g in told
        ]
        lists.append({"source": source, "title": titles[source], "rows": rows})
    return lists


def settings(value: object, path: str = "") -> list[tuple[str, str]]:
    """Nested settings as (dotted name, text), without anything that is named like a secret."""
    if isinstance(value, Mapping):
        pairs = []
        for key, inner in value.items():
            hidden = str(key).lower().replace("-", "_") in SECRETS
            pairs += settings("(not shown)" if hidden else inner, f"{path}.{key}" if path else str(key))
        return pairs
    if isinstance(value, list | tuple):
        if any(isinstance(item, Mapping) for item in value):
            return [pair for at, item in enumerate(value, 1) for pair in settings(item, f"{path}.{at}")]
        return [(path, ", ".join(str(item) for item in value) or "none")]
    word = {None: "not set", True: "yes", False: "no"}
    return [(path, word[value] if value is None or isinstance(value, bool) else str(value))]


def asked(task: JSON, experiment: JSON, stages: JSON, scores: JSON) -> list[tuple[str, str]]:
    """What was asked for and what it took, as (term, text); only what is known."""
    llm, generate = experiment.get("llm") or {}, experiment.get("generate") or {}
    train = experiment.get("train") or {}
    drawn = {"temperature": llm.get("temperature"), "top-p": llm.get("top_p")}
    students = train.get("students")
    spent = {
        stage: duration(told.get("seconds")) for stage, told in (stages or {}).items() if (told or {}).get("seconds")
    }
    facts = {
        "Language model": llm.get("name"),
        "Sampling": ", ".join(f"{name} {value}" for name, value in drawn.items() if value is not None),
        "Texts asked for": generate.get("per_label") and f"{count(generate['per_label'])} per label",
        "Labelled examples shown": None if generate.get("shots") is None else generate["shots"] or "none (zero-shot)",
        "KADG": generate.get("kadg") and ", ".join(map(str, task.get("kadg") or ())),
        "Students": ", ".join(map(str, students)) if isinstance(students, list | tuple) else students,
        "Training seeds": train.get("seeds"),
        "Tested on": scores.get("n")
        and f"{count(scores['n'])} human-labelled {things_of(scores if scores.get('kind') else task)}",
        "Time": ", ".join(f"{stage} {time}" for stage, time in spent.items()),
    }
    return [(term, str(text)) for term, text in facts.items() if text not in (None, "", 0, False)]


def label_rows(task: JSON, analysis: JSON) -> list[Row]:
    """The labels with their meaning, and how many texts there are of each."""
    meanings, counts = task.get("labels") or {}, analysis.get("counts") or {}
    sides = dict(both(counts))
    return [
        {
            "label": label,
            "name_ja": (told or {}).get("name_ja") or "",
            "meaning": (told or {}).get("meaning") or "",
            "counts": [count(side.get(label, 0)) for side in sides.values()],
        }
        for label, told in meanings.items()
    ]
