"""Holding rows back: seeded, by whole groups, each label in its share.

Captions of one image, or rows that share a text, go to one side together; else what is measured would have been learnt.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from japagen.errors import DataError
from japagen.japanese import canonical
from japagen.records import Example
from japagen.streams import stream


def split_rows(
    examples: Sequence[Example], groups: Sequence[str], shares: Mapping[str, float], *, seed: int, where: object = None
) -> dict[str, list[Example]]:
    """The rows of each part, in their old order; what no share takes is ``train``.

    Larger groups are placed first, equal ones in a random order, each in the part that has least of its labels yet,
    measured by its share (Sainte-Laguë's divisors). So parts come as near to their shares as whole groups allow.

    Args:
        examples: the rows.
        groups: the group of each, all of whose rows go to one part.
        shares: of ``dev`` and ``test``, each above 0, together below 1.
        seed: the same one takes the same rows.
        where: the file, for errors.

    Raises:
        DataError: a part would have no row.
    """
    members: dict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    order = list(members.values())
    stream(seed, "gold split").shuffle(order)
    order.sort(key=len, reverse=True)
    totals = Counter(example.label for example in examples)
    wanted = {"train": 1 - sum(shares.values()), **shares}
    taken: dict[str, Counter[str]] = {part: Counter() for part in wanted}
    parts: dict[str, list[int]] = {part: [] for part in wanted}
    for places in order:
        labels = Counter(examples[place].label for place in places)
        part = min(wanted, key=lambda name: _fullness(labels, taken[name], totals) / wanted[name])
        taken[part] += labels
        parts[part] += places
    for part, places in parts.items():
        if not places:
            what = f"no row is left for '{part}': {len(examples)} rows in {len(order)} groups that stay together"
            raise DataError(what, where=where, remedy="change the shares of gold.split, or give more rows")
    return {part: [examples[place] for place in sorted(places)] for part, places in parts.items()}


def _fullness(labels: Counter[str], taken: Counter[str], totals: Counter[str]) -> float:
    """How much a part has of a group's labels when half of the group is in it, in rows of each label's total."""
    return sum(n * (taken[label] + n / 2) / totals[label] for label, n in labels.items())


def first_of_each(examples: Sequence[Example], together: Sequence[str]) -> list[int]:
    """Places of the rows that do not repeat text and label of an earlier one; texts that differ in marks only are the same.

    Args:
        examples: the rows.
        together: their `text_groups`; a row that shares no text repeats none.
    """
    sizes = Counter(together)
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for place, (example, group) in enumerate(zip(examples, together, strict=True)):
        if sizes[group] > 1:
            row = (canonical(example.text), canonical(example.text_pair or ""), example.label)
            if row in seen:
                continue
            seen.add(row)
        kept.append(place)
    return kept
