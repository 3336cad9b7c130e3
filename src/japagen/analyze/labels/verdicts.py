"""Verdicts on the labels of rows, right or wrong: their shares overall, by label and by word. Knows no source of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import pairwise
from typing import Any

from japagen.analyze.labels.shares import Share, against_the_rest, weighted, wilson
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.significance import holm

LOW = 0.8
"""A label is alarming where its whole interval lies below."""
FEWEST = 5
"""Rows with a word that are needed to compare it with the rest."""
FAR = 0.1
"""A word is alarming that is so far below what the rest leads to expect, and that not by chance."""
ALPHA = 0.05
MOST_LISTED = 200


def agrees(given: str, said: str, values: Mapping[str, float] | None) -> bool:
    """Whether two labels say the same; where labels stand for numbers, those next to each other do, too."""
    if given == said or values is None:
        return given == said
    ordered = sorted(values, key=lambda label: values[label])
    return (given, said) in {*pairwise(ordered), *pairwise(ordered[::-1])}


def shares(
    rows: Sequence[Example], right: Mapping[str, bool], labels: Sequence[str], *, alarms: bool
) -> dict[str, Any]:
    """Share of right labels, overall and by label, as JSON.

    Overall each label counts by its rows, so that verdicts on equally many rows of each label speak for all.

    Args:
        rows: all of them.
        right: verdicts by row; of some rows or of all.
        labels: in the order of reports.
        alarms: whether a low share is a finding, as with people; or not, as with a source that itself errs.

    Returns:
        rows: with a verdict; overall: right, rows, value, low, high; by_label: the same by label, with `alarm`, for labels
        that have verdicts; unseen: labels that have rows and no verdict, for which `overall` does not speak.

    Raises:
        Undefined: no row has a verdict.
    """
    sizes = Counter(row.label for row in rows)
    seen: dict[str, list[bool]] = {label: [] for label in labels}
    for row in rows:
        if row.id in right:
            seen[row.label].append(right[row.id])
    by_label = {label: wilson(sum(found), len(found)) for label, found in seen.items() if found}
    if not by_label:
        raise Undefined("no row has a verdict")
    overall = weighted([(share, sizes[label]) for label, share in by_label.items()])
    return {
        "rows": overall.rows,
        "overall": asdict(overall),
        "by_label": {label: asdict(share) | {"alarm": alarms and is_low(share)} for label, share in by_label.items()},
        "unseen": [label for label in labels if sizes[label] and label not in by_label],
    }


def is_low(share: Share) -> bool:
    """Whether a share and its whole interval are below `LOW`."""
    return share.value < LOW and share.high < LOW


def by_value(
    rows: Sequence[Example], right: Mapping[str, bool], attribute: str, *, alarms: bool = True
) -> dict[str, Any] | None:
    """Each value of a KADG attribute, such as each word: how often its rows are right, and whether less than the rest.

    The rest are rows with the same labels (`against_the_rest`), so that a word of a label that is often wrong is not blamed
    for that; the tests of all values are corrected together (Holm).

    Args:
        rows: all of them.
        right: verdicts by row.
        attribute: a key of the rows' meta.
        alarms: whether a low share is a finding; not where the source can hardly tell right from wrong.

    Returns:
        values: how many there are; compared: how many of them have `FEWEST` rows and a rest; least: that number; listed:
        for those, the least likely by chance first and at most `MOST_LISTED`, value, right, rows, share, low, high,
        expected (of the rest), p, p_holm, alarm. None where no judged row has the attribute, or all share one value.
    """
    judged = [(row, right[row.id]) for row in rows if row.id in right and row.meta.get(attribute) is not None]
    totals, hits = Counter(row.label for row, _ in judged), Counter(row.label for row, ok in judged if ok)
    of_value: dict[str, Counter[tuple[str, bool]]] = {}
    for row, ok in judged:
        of_value.setdefault(str(row.meta[attribute]), Counter())[row.label, ok] += 1
    if len(of_value) < 2:
        return None
    compared: list[dict[str, Any]] = []
    for value, counts in of_value.items():
        if counts.total() < FEWEST:
            continue
        strata = [
            (counts[label, True], counts[label, True] + counts[label, False], hits[label], totals[label])
            for label in totals
        ]
        try:
            expected, p = against_the_rest(strata)
        except Undefined:  # a label that has no other value
            continue
        share = wilson(sum(one[0] for one in strata), counts.total())
        told: dict[str, Any] = {"value": value, "right": share.right, "rows": share.rows, "share": share.value}
        compared.append(told | {"low": share.low, "high": share.high, "expected": expected, "p": p})
    corrected = holm({place: one["p"] for place, one in enumerate(compared)})
    for place, one in enumerate(compared):
        p = corrected[place]
        one |= {"p_holm": p, "alarm": alarms and p < ALPHA and one["share"] <= one["expected"] - FAR}
    compared.sort(key=lambda one: (one["p"], one["share"], one["value"]))
    return {
        "values": len(of_value),
        "compared": len(compared),
        "least": FEWEST,
        "listed": compared[:MOST_LISTED],
    }
