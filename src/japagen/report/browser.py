"""The rows that a reader can search and filter in the page: which of them, and packed in columns. Knows nothing of HTML.

All rows, where they fit: at most so many, in at most so many bytes. Else a part of every set, label and reason, so that a
rare reason can still be looked at. The page says how many of how many it holds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from japagen.report.packed import packed_json

Row = dict[str, Any]
Thing = TypeVar("Thing")
LEAST = 20
"""Rows of each set, label and reason that are shown before larger ones get more."""
FIRST = 8
"""Rows of each set that are on the page as HTML, for browsers without JavaScript and for paper."""


@dataclass(frozen=True, slots=True)
class Browser:
    """Rows to browse.

    Attributes:
        packed: the rows in columns, as `japagen.report.packed.packed_json` packs them.
        shown: how many rows these are.
        total: how many rows there are in the run.
        sets: how many rows of each set there are in the run.
        first: a few of every set, to stand on the page as HTML.
    """

    packed: str
    shown: int
    total: int
    sets: Mapping[str, int]
    first: Sequence[Row]


def browser(cards: Sequence[Row], most: int, size: int) -> Browser | None:
    """Choose rows and pack them; None where there is nothing to show.

    Args:
        cards: all rows (see `japagen.report.cards`).
        most: rows at most.
        size: bytes that they may take, packed.
    """
    if not cards or most < 1:
        return None
    chosen = chosen_rows(cards, most)
    told = packed_json(_columns(chosen))
    while len(told) > size and len(chosen) > 1:
        chosen = chosen_rows(cards, min(int(0.98 * len(chosen) * size / len(told)), len(chosen) - 1) or 1)
        told = packed_json(_columns(chosen))
    sets: dict[str, int] = defaultdict(int)
    for card in cards:
        sets[card["set"]] += 1
    first = [card for name in sets for card in _spread([card for card in chosen if card["set"] == name], FIRST)]
    return Browser(told, len(chosen), len(cards), dict(sets), first)


def chosen_rows(cards: Sequence[Row], most: int) -> list[Row]:
    """At most that many rows, in their order: of each set, label and reason some, and of large ones more.

    Each group gets `LEAST` rows, or an equal part of `most` where that is less; what is left goes to the groups in
    proportion to the rows that they still have. Rows of a group are taken at equal steps.
    """
    if len(cards) <= most:
        return list(cards)
    groups: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for at, card in enumerate(cards):
        groups[card["set"], card["label"], card["reason"]].append(at)
    least = [min(len(group), LEAST, most // len(groups)) for group in groups.values()]
    room, rest = most - sum(least), len(cards) - sum(least)
    taken = [n + room * (len(group) - n) // rest for n, group in zip(least, groups.values(), strict=True)]
    places = [at for n, group in zip(taken, groups.values(), strict=True) for at in _spread(group, n)]
    return [cards[at] for at in sorted(places)]


def _spread(things: Sequence[Thing], most: int) -> list[Thing]:
    """At most that many things, at equal steps."""
    n = min(most, len(things))
    return [things[at * len(things) // n] for at in range(n)]


def _columns(cards: Sequence[Row]) -> Row:
    """The rows column by column, which packs better; names that come again and again are numbers into lists of names.

    `notes` holds for each row a list of numbers: place of the name, place of the value, of the next name, and so on.
    """
    names: dict[str, dict[str, int]] = {key: {} for key in ("set", "label", "reason", "predicted", "name", "value")}

    def place(kind: str, name: str) -> int:
        return names[kind].setdefault(name, len(names[kind]))

    columns: Row = {
        "text": [card["text"] for card in cards],
        "pair": [card["pair"] for card in cards] if any(card["pair"] for card in cards) else [],
        "id": [card["id"] for card in cards],
        "notes": [
            [at for name, value in card["notes"] if value for at in (place("name", name), place("value", value))]
            for card in cards
        ],
    }
    columns |= {key: [place(key, card[key]) for card in cards] for key in ("set", "label", "reason", "predicted")}
    return columns | {"names": {kind: list(known) for kind, known in names.items()}}
