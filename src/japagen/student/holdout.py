"""Rows kept apart from those that a student learns from: to choose settings on, or to learn a decision from.

Rows that belong together (captions of one image, pairs that share their first sentence) are on one side: a student that has
seen one of them knows something of the others.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from japagen.groups import image_groups
from japagen.records import Example
from japagen.streams import stream


def hold_out(
    examples: Sequence[Example], share: float, *, seed: int, number: int
) -> tuple[list[Example], list[Example]]:
    """Split off a dev set, the same share of every label and at least one row where a label has two.

    Rows that belong together stay together; labels then have about the same share. A label is never held out whole.
    """
    rows = list(examples)
    dev: set[str] = set()
    groups = image_groups(rows)
    if groups is None and rows and rows[0].text_pair is not None:
        groups = [row.text for row in rows]
    names = sorted(set(groups or ()))
    if groups and len(names) < len(rows):
        stream(seed, "dev", number).shuffle(names)
        chosen = _chosen(names, rows, groups, min(max(1, round(share * len(names))), len(names) - 1))
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


def _chosen(names: Sequence[str], rows: Sequence[Example], groups: Sequence[str], most: int) -> set[str]:
    """The first of the named groups, `most` of them, without those that would take the last row of a label."""
    left, of_group = Counter(row.label for row in rows), defaultdict[str, Counter[str]](Counter)
    for row, group in zip(rows, groups, strict=True):
        of_group[group][row.label] += 1
    chosen: set[str] = set()
    for name in names:
        if len(chosen) < most and all(n < left[label] for label, n in of_group[name].items()):
            chosen.add(name)
            left -= of_group[name]
    return chosen


def apart_from(pool: Sequence[Example], taken: Sequence[Example]) -> list[Example]:
    """The rows of a pool that are left when some of it are taken: neither those, nor others about their images."""
    ids = {row.id for row in taken}
    groups = image_groups(pool) or [row.id for row in pool]
    touched = {group for row, group in zip(pool, groups, strict=True) if row.id in ids}
    return [row for row, group in zip(pool, groups, strict=True) if group not in touched]
