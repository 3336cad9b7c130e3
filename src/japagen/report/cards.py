"""The examples to browse: texts that were kept, texts that were dropped, and mistakes. Knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from japagen.report.language import message, say
from japagen.report.words import JSON, finite, number, reason_name

Row = dict[str, Any]
FIGURES = {"gold_value": message("gold value"), "value": message("value"), "score": message("score")}
NOT_ATTRIBUTES = {"id", "text", "text_pair", "label", "value", "reason", "detail"}


def cards(kept: Iterable[JSON], dropped: Iterable[JSON], mistakes: Iterable[JSON]) -> list[Row]:
    """What set each is in, its texts, its label, its reason and what else is to be said of it, such as its KADG word."""
    return [
        *({**_card("kept", x, x.get("label")), "notes": _attributes(x)} for x in kept),
        *(
            {**_card("dropped", x, x.get("label"), x.get("reason")), "notes": [("", x.get("detail")), *_attributes(x)]}
            for x in dropped
        ),
        *(
            {
                **_card("mistakes", x, x.get("gold")),
                "predicted": str(x.get("predicted") or say("no answer")),
                "notes": [(say(title), _number(x.get(name))) for name, title in FIGURES.items()],
            }
            for x in mistakes
        ),
    ]


def _attributes(row: JSON) -> list[tuple[str, str]]:
    """Every other column of a row: its KADG attributes, by name."""
    return [
        (str(name).replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
        for name, value in row.items()
        if name not in NOT_ATTRIBUTES and value not in ("", None) and not isinstance(value, dict)
    ]


def _number(value: object) -> str | None:
    return None if finite(value) is None else number(value)


def _card(where: str, example: JSON, label: object, reason: object = None) -> Row:
    return {
        "set": where,
        "id": str(example.get("id") or ""),
        "text": str(example.get("text") or ""),
        "pair": str(example.get("text_pair") or ""),
        "label": str(label),
        "reason": reason_name(str(reason or "")),
        "predicted": "",
    }
