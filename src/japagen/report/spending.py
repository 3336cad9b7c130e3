"""What was spent on language models, by stage and by prompted system: calls, tokens and money, as rows ready to print."""

from __future__ import annotations

from typing import Any

from japagen.report.language import say
from japagen.report.words import JSON, count, finite, stage_name, system_label, systems_of

Row = dict[str, Any]


def spending(stages: JSON, curation: JSON | None = None) -> list[Row]:
    """A row for each stage that used a model and for curation's judge, and their sum where there are several.

    What is not known says so. A sum that has an unknown part is unknown.
    """
    told = {stage: one["usage"] for stage, one in (stages or {}).items() if (one or {}).get("usage")}
    if usage := ((curation or {}).get("judge") or {}).get("usage"):
        told["judge"] = usage
    used = {stage: usage for stage, usage in told.items() if any(finite(value) for value in usage.values())}
    rows = [_row(stage_name(stage), [usage]) for stage, usage in used.items()]
    return [*rows, _row(say("total"), list(used.values()))] if len(rows) > 1 else rows


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


def prompting(scores: JSON) -> list[Row]:
    """What each prompted system cost, in the order of the file; a model without a known price says so."""
    return [
        {
            "name": system_label(system),
            "requests": count(cost.get("calls")),
            "prompt": count(cost.get("prompt_tokens")),
            "completion": count(cost.get("completion_tokens")),
            "usd": say("no price known") if (usd := finite(cost.get("usd"))) is None else dollars(usd),
        }
        for system in systems_of(scores, "prompted")
        if (cost := system.get("cost"))
    ]


def dollars(amount: float | None) -> str:
    """An amount of US dollars, in cents or, below one dollar, in hundredths of a cent.

    >>> dollars(12.345), dollars(0.0217), dollars(0.0), dollars(None)
    ('12.35', '0.0217', '0.00', 'not known')
    """
    if amount is None:
        return say("not known")
    return f"{amount:,.4f}" if 0 < amount < 1 else f"{amount:,.2f}"
