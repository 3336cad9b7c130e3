"""Every number's signature: what is needed to make it again, collected from the JSON of all stages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from japagen.report.words import JSON

MOST = 12
"""Numbers named beside a signature; of more it is said how many there are."""


def signatures(parts: Mapping[str, JSON]) -> list[dict[str, Any]]:
    """Each signature once, with the numbers that carry it.

    Args:
        parts: JSON by the name of what it is of, as ``{"scores": ..., "analysis": ...}``.

    Returns:
        For each: signature, numbers (their places, as ``scores.systems.majority.accuracy``), more (how many others).
    """
    carried: dict[str, list[str]] = {}
    for name, part in parts.items():
        for place, signature in _signed(part, name):
            carried.setdefault(signature, []).append(place)
    return [
        {"signature": signature, "numbers": places[:MOST], "more": max(0, len(places) - MOST)}
        for signature, places in carried.items()
    ]


def _signed(value: object, place: str) -> Iterator[tuple[str, str]]:
    """Place and signature of everything that carries one; a thing of a list is known by its name, else its number."""
    if isinstance(value, Mapping):
        if isinstance(value.get("signature"), str):
            yield place, value["signature"]
        for key, inner in value.items():
            yield from _signed(inner, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for at, inner in enumerate(value, 1):
            name = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _signed(inner, f"{place}.{name or at}")
