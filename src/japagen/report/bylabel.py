"""How the primary system fared with each label: precision, recall and F1. Knows nothing of HTML."""

from __future__ import annotations

from typing import Any

from japagen.report.language import say
from japagen.report.words import JSON, count, finite, number, primary_of

Row = dict[str, Any]


def by_label(scores: JSON) -> list[Row]:
    """A row for each label; what has no value, as the precision of a label never given, is said to be undefined."""
    return [
        {
            "label": str(one.get("label")),
            "gold": count(one.get("gold")),
            "predicted": count(one.get("predicted")),
            "cells": [_cell(one.get(name)) for name in ("precision", "recall", "f1")],
        }
        for one in (primary_of(scores) or {}).get("per_label") or ()
    ]


def _cell(value: object) -> str:
    return say("undefined") if finite(value) is None else number(value, 3)
