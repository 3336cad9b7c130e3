"""Rows kept apart from those that a student learns from: to choose settings on, or to learn a decision from.

Rows that belong together (captions of one image, pairs that share their first sentence) are on one side: a student that has
seen one of them knows something of the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from japagen.groups import image_groups
from japagen.records import Example
from japagen.streams import stream


def hold_out(
    examples: Sequence[Example], share: float, *, seed: int, number: int
) -> tuple[list[Example], list[Example]]:
    """Split off a dev set, the same share of every label and at least one row where a label has two.

    Rows that belong together stay together; labels then have about the same share.
    """
    rows = list(examples)
    dev: set[str] = set()
    groups = image_groups(rows)
    if groups is None and rows and rows[0].text_pair is not None:
        groups = [row.text for row in rows]
    names = sorted(set(groups or ()))
    if groups and len(names) < len(rows):
        stream(seed, "dev", number).shuffle(names)
        chosen = set(names[: min(max(1, round(share * len(names))), len(names) - 1)])
        kept: list[Example] = []
        held: list[Example] = []
        for row, group in zip(rows, groups, strict=True):
            (held if group in chosen else kept).append(row)
        return kept, held
    for label in sorted({example.label for example in rows}):
        ids = [example.id for example in rows if example.label == label]
        stream(seed, "dev", number, label).shuffle(ids)
        dev.update(ids[: min(max(1, round(share * len(ids))), len(ids) - 1)])
    return [e for e in rows if e.id not in dev], [e for e in rows if e.id in dev]


def apart_from(pool: Sequence[Example], taken: Sequence[Example]) -> list[Example]:
    """The rows of a pool that are left when some of it are taken: neither those, nor others of their groups."""
    ids = {row.id for row in taken}
    groups = image_groups(pool) or [row.id for row in pool]
    touched = {group for row, group in zip(pool, groups, strict=True) if row.id in ids}
    return [row for row, group in zip(pool, groups, strict=True) if group not in touched]
