"""What was spent on language models: calls, tokens and money of each stage, as rows ready to print."""

from __future__ import annotations

from typing import Any

from japagen.report.words import JSON, count, finite

Row = dict[str, Any]


def spending(stages: JSON) -> list[Row]:
    """A row for each stage that used a model, and their sum where there are several; what is not known says so.

    A sum that has an unknown part is unknown.
    """
    told = {stage: one["usage"] for stage, one in (stages or {}).items() if (one or {}).get("usage")}
    used = {stage: usage for stage, usage in told.items() if any(finite(value) for value in usage.values())}
    rows = [_row(stage, [usage]) for stage, usage in used.items()]
    return [*rows, _row("total", list(used.values()))] if len(rows) > 1 else rows


def _row(name: str, usages: list[JSON]) -> Row:
    def total(key: str) -> float | None:
        values = [finite(usage.get(key)) for usage in usages]
        return None if None in values else sum(value for value in values if value is not None)

    return {
        "name": name,
        "requests": count(total("requests")),
        "prompt": count(total("prompt_tokens")),
        "completion": count(total("completion_tokens")),
        "usd": dollars(total("usd")),
    }


def dollars(amount: float | None) -> str:
    """An amount of US dollars, in cents or, below one dollar, in hundredths of a cent.

    >>> dollars(12.345), dollars(0.0217), dollars(0.0), dollars(None)
    ('12.35', '0.0217', '0.00', 'not known')
    """
    if amount is None:
        return "not known"
    return f"{amount:,.4f}" if 0 < amount < 1 else f"{amount:,.2f}"
