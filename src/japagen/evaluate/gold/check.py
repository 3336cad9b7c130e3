"""Facts about gold files that a careful reader wants before a number is believed: counts, repetitions, contradictions,
groups, what splits share, and whether one text of a pair tells the label.

Pure functions of rows; `dataclasses.asdict` of what they return is JSON. Only what is stated as fact is computed here;
`advice` says what of it is worth a warning.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, median

from japagen.evaluate.gold.leakage import SHOWN, Leak, Overlap, check_splits, leaks
from japagen.groups import image_groups, text_groups
from japagen.japanese import canonical
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.student.probe import Probe, probe
from japagen.task import Task

Form = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """Of numbers, or of the lengths of texts in characters."""

    low: float
    median: float
    mean: float
    high: float


@dataclass(frozen=True, slots=True)
class Grouping:
    """Rows that belong together.

    Attributes:
        by: ``image``, or where rows name none ``text``: rows that share one, directly or over others.
        count: of groups.
        largest: rows of the largest one.
        design_effect: by how much the variance of a mean grows if rows of a group are all right or all wrong together, the
            most it can (Kish 1965): sum of squared sizes over rows. 1: rows are independent.
    """

    by: str
    count: int
    largest: int
    design_effect: float


@dataclass(frozen=True, slots=True)
class SplitFacts:
    """Facts about one split.

    Attributes:
        split: its name.
        rows: how many.
        labels: rows of each label of the task, 0 too; for similarity of the nearest label.
        values: of the numbers, for similarity.
        text: lengths of the texts; of pairs those of the first ones.
        text_pair: lengths of the second texts.
        exact: rows that repeat texts of an earlier row to the letter, whatever their label.
        canonical: the same by canonical form, so that width and punctuation do not count; `exact` included.
        contradictions: rows whose canonical texts also stand with another label; for similarity in either order, with a
            number at least one label's step away.
        contradictory: ids of the first of them.
        both_ways: of pairs, rows whose texts also stand in the other order.
        groups: of rows.
    """

    split: str
    rows: int
    labels: Mapping[str, int]
    values: Spread | None
    text: Spread
    text_pair: Spread | None
    exact: int
    canonical: int
    contradictions: int
    contradictory: tuple[str, ...]
    both_ways: int | None
    groups: Grouping


@dataclass(frozen=True, slots=True)
class Probed:
    """The single-input probe of a split: what was found, or why it says nothing."""

    split: str
    probes: tuple[Probe, ...]
    undefined: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts about the gold data of a task: of each split, between splits, and of pairs what one text says alone."""

    splits: tuple[SplitFacts, ...]
    leaks: tuple[Leak, ...]
    probed: tuple[Probed, ...]


def check_gold(task: Task, splits: Mapping[str, Sequence[Example]]) -> Facts:
    """All facts about rows of a task.

    Args:
        task: labels, their values and kind.
        splits: rows by what they are for; ``train``, ``dev`` and ``test`` are compared with one another. Those without
            rows are left out.
    """
    filled = {split: rows for split, rows in splits.items() if rows}
    probed = tuple(_probed(split, rows) for split, rows in filled.items()) if task.is_pair else ()
    return Facts(tuple(split_facts(task, split, rows) for split, rows in filled.items()), tuple(leaks(filled)), probed)


def split_facts(task: Task, split: str, rows: Sequence[Example]) -> SplitFacts:
    """Facts about the rows of one split, of which there is at least one."""
    counts = Counter(row.label for row in rows)
    numbers = [row.value for row in rows if row.value is not None]
    seconds = [row.text_pair for row in rows if row.text_pair is not None]
    forms = _forms(rows)
    opposed = _contradictions(task, rows, forms)
    known = set(forms)
    return SplitFacts(
        split,
        len(rows),
        {label: counts[label] for label in task.label_names},
        spread(numbers) if numbers else None,
        spread([len(row.text) for row in rows]),
        spread([len(text) for text in seconds]) if seconds else None,
        len(rows) - len({(row.text, row.text_pair) for row in rows}),
        len(rows) - len(known),
        len(opposed),
        tuple(rows[place].id for place in opposed[:SHOWN]),
        sum(form[::-1] in known and form[::-1] != form for form in forms) if seconds else None,
        grouping(rows),
    )


def spread(numbers: Sequence[float]) -> Spread:
    """Lowest, middle, mean and highest of numbers, of which there is at least one."""
    return Spread(min(numbers), median(numbers), fmean(numbers), max(numbers))


def grouping(rows: Sequence[Example]) -> Grouping:
    """The groups of rows, of which there is at least one."""
    images = image_groups(rows)
    sizes = Counter(images or text_groups(rows)).values()
    effect = sum(size**2 for size in sizes) / len(rows)
    return Grouping("text" if images is None else "image", len(sizes), max(sizes), effect)


def _forms(rows: Sequence[Example]) -> list[Form]:
    memo: dict[str, str] = {}

    def form(text: str) -> str:
        if text not in memo:
            memo[text] = canonical(text)
        return memo[text]

    return [tuple(form(text) for text in (row.text, row.text_pair) if text is not None) for row in rows]


def _contradictions(task: Task, rows: Sequence[Example], forms: Sequence[Form]) -> list[int]:
    """Positions of rows whose texts also stand with another label, in order."""
    places: dict[Form, list[int]] = defaultdict(list)
    for place, form in enumerate(forms):
        places[tuple(sorted(form)) if task.kind == "similarity" else form].append(place)
    if task.kind != "similarity":
        return sorted(p for same in places.values() if len({rows[p].label for p in same}) > 1 for p in same)
    known = sorted(task.value(label) or 0.0 for label in task.label_names)
    step = min(high - low for low, high in pairwise(known) if high > low)
    numbers = [row.value or 0.0 for row in rows]
    return sorted(
        p for same in places.values() for p in same if max(abs(numbers[p] - numbers[q]) for q in same) >= step - 1e-9
    )


def _probed(split: str, rows: Sequence[Example]) -> Probed:
    try:
        return Probed(split, tuple(probe(rows)))
    except Undefined as reason:
        return Probed(split, (), str(reason))


__all__ = [
    "Facts",
    "Grouping",
    "Leak",
    "Overlap",
    "Probed",
    "SplitFacts",
    "Spread",
    "check_gold",
    "check_splits",
    "grouping",
    "split_facts",
    "spread",
]
