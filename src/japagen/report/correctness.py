"""What the report says of label correctness: by the oracle, the judge and people; which labels and words should worry one.

Drawn from the analysis' `correctness`. An alarm is a flag that the analysis set; nothing is tested here. Knows nothing of
HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.report.correctnessplot import correctness_figures
from japagen.report.correctnesswords import (
    SOURCES,
    alarms,
    attribute_name,
    is_weak,
    paragraphs,
    scored_share,
    source_name,
    sources_of,
)
from japagen.report.language import say, several
from japagen.report.tables import share
from japagen.report.words import JSON, bounds, count, finite, join, listed, number, probability_cell, run_on

__all__ = ["correctness", "correctness_figures"]

Row = dict[str, Any]
SHOWN = 12
"""Words listed of each source; all are in the JSON."""


def correctness(analysis: JSON, labels: Sequence[str]) -> Row | None:
    """Sentences, alarms, shares by label, numbers by label, words, agreement and signatures; None where nobody was asked."""
    told: JSON = analysis.get("correctness") or {}
    oracle, judge, people = (told.get(source) or {} for source in SOURCES)
    if not (oracle or judge or people):
        return None
    said_of_each = paragraphs(told)
    return {
        "paragraphs": [run_on(said) for said in said_of_each],
        "sentences": [sentence for said in said_of_each for sentence in said],
        "alarms": alarms(told, labels),
        "sources": [source_name(source) for source in sources_of(told)],
        "rows": _by_label(told, labels),
        "numbers": _numbers(oracle, labels),
        "words": _words(told),
        "agreement": [_agreement(one) for one in told.get("agreement") or ()],
        "signatures": [str(one["signature"]) for one in (oracle, judge, people) if one.get("signature")],
    }


def _by_label(told: JSON, labels: Sequence[str]) -> list[Row]:
    """All rows first, then each label: for each source its share."""
    sources = sources_of(told)
    if not sources:
        return []
    found: list[Row] = [
        {"label": say("all labels"), "all": True, "alarm": False, "cells": [_cell(told, s, None) for s in sources]}
    ]
    for label in labels:
        cells = [_cell(told, source, label) for source in sources]
        if any(cell["value"] for cell in cells):
            parts = ((told[source].get("by_label") or {}).get(label) or {} for source in sources)
            alarm = any(part.get("alarm") for part in parts)
            found.append({"label": label, "all": False, "alarm": alarm, "cells": cells})
    found[0]["alarm"] = any(_low(told, source) for source in sources)
    for row in found:
        row["judged"] = any(cell["value"] and not cell["weak"] for cell in row["cells"])
    return found


def _low(told: JSON, source: str) -> bool:
    """Whether all labels together are as low as one of them that the analysis flagged."""
    flagged = any(one.get("alarm") for one in (told[source].get("by_label") or {}).values())
    high, low = finite((told[source].get("overall") or {}).get("high")), finite(told.get("low"))
    return flagged and high is not None and low is not None and high < low


def _cell(told: JSON, source: str, label: str | None) -> Row:
    part = told[source]
    one = part.get("overall") if label is None else (part.get("by_label") or {}).get(label)
    one = one or {}
    if not one:
        return {"value": "", "interval": "", "note": "", "weak": False}
    key, weak = "corrected" if source == "oracle" else "value", is_weak(told, source)
    raw = say("as it says {raw}", raw=number(one.get("raw"))) if source == "oracle" else ""
    rows = part.get("asked") if source == "oracle" and label is None else one.get("rows")
    n = several(finite(rows) or 0, "{n} row", "{n} rows")
    unsure = say("not to be relied on") if weak else ""
    notes = [note for note in (unsure, n, raw) if note]
    return {"value": number(one.get(key)), "interval": bounds(one), "note": listed(notes), "weak": weak}


def _numbers(oracle: JSON, labels: Sequence[str]) -> list[Row]:
    """What the oracle says under each label that stands for a number, beside gold."""
    if not oracle.get("correlation"):
        return []
    by_label = oracle.get("by_label") or {}
    return [
        {
            "label": label,
            "rows": count(one.get("rows")),
            "mean": number(one.get("mean")),
            "interval": bounds(one),
            "gold": number(one.get("gold_mean")),
        }
        for label in labels
        if (one := by_label.get(label))
    ]


def _words(told: JSON) -> list[Row]:
    """For each attribute and source the values that differ most from the rest."""
    found = []
    for attribute, by_source in (told.get("attributes") or {}).items():
        for source in SOURCES:
            one = (by_source or {}).get(source)
            if not one:
                continue
            rows = [
                {
                    "value": str(row.get("value") or ""),
                    "bar": share(row.get("share"), 1),
                    "share": number(row.get("share")),
                    "interval": bounds(row),
                    "rows": count(row.get("rows")),
                    "expected": number(row.get("expected")),
                    "p": probability_cell(row.get("p_holm")),
                    "alarm": bool(row.get("alarm")),
                    "judged": not is_weak(told, source),
                }
                for row in (one.get("listed") or ())[:SHOWN]
            ]
            caption = say(
                "{attribute}: share of right labels to the {source}, beside that of other rows with the same labels. Of "
                "{values} values {compared} have at least {least} rows; p is corrected for all of them, the smallest stand "
                "first",
                attribute=attribute_name(attribute),
                source=source_name(source),
                values=count(one.get("values")),
                compared=count(one.get("compared")),
                least=count(one.get("least")),
            )
            if source == "oracle":
                caption += say("; as it says, its errors not reckoned out")
            if rows:
                title = attribute_name(attribute)
                found.append({"title": title, "source": source_name(source), "caption": caption, "rows": rows})
    return found


def _agreement(one: JSON) -> Row:
    between = [source_name(source) for source in one.get("between") or ()]
    kappa = {"value": one.get("kappa"), "low": one.get("kappa_low"), "high": one.get("kappa_high")}
    return {
        "between": join(between),
        "names": between,
        "rows": count(one.get("rows")),
        "agree": scored_share(one),
        "kappa": scored_share(kappa) or say("undefined"),
        "cells": [count(one.get(key)) for key in ("both", "first", "second", "neither")],
        "signature": str(one.get("signature") or ""),
    }
