"""Whether a judge may drop rows: do its verdicts have to do with the truth, on rows that a person has labelled?

A judge that errs where the generator errs keeps the wrong rows and drops right ones; agreement with the generated labels
says nothing about that. So what counts is P(keep | right) - P(keep | wrong). It is taken within the given labels, since a
judge that always says the same label keeps the rows of that label, right or wrong, and would look well overall where the
labels are unequally noisy. The labels' differences are joined by Mantel-Haenszel weights; the bounds are one-sided, 95 %,
by Newcombe's score method (1998, method 10), for several labels by its extension to linear combinations (Zou and Donner
2008, MOVER).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import NormalDist

from japagen.significance import wilson

LEVEL = 0.95
FEWEST = 5
"""Audited rows with the right label, and with a wrong one, that are needed: the bounds hold for no fewer."""
_Z = NormalDist().inv_cdf(LEVEL)


@dataclass(frozen=True, slots=True)
class Audited:
    """A row that a person has labelled and the judge has read.

    Attributes:
        label: as generated.
        right: the person gives it that label too.
        kept: so does the judge.
    """

    label: str
    right: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Independence:
    """What the audit shows; the shares are means over labels, weighted.

    Attributes:
        right, wrong: audited rows of either kind, of the labels that have both.
        keep_right, keep_wrong: share of each that the judge keeps.
        difference: of the two.
        low, high: one-sided 95 % bounds of the difference.
        by_label: the difference within each of these labels.
    """

    right: int
    wrong: int
    keep_right: float
    keep_wrong: float
    difference: float
    low: float
    high: float
    by_label: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clearance:
    """What a judge may do.

    Attributes:
        enabled: whether it may drop rows at all.
        labels: those whose rows it may drop: it tells right from wrong among the audited ones.
        measured: None where nothing could be measured.
        sentence: why, for the report.
    """

    enabled: bool
    labels: tuple[str, ...]
    measured: Independence | None
    sentence: str


@dataclass(frozen=True, slots=True)
class _Counts:
    """Audited rows of one label, and how many of them are kept."""

    right: int
    wrong: int
    kept_right: int
    kept_wrong: int

    @property
    def weight(self) -> float:
        return self.right * self.wrong / (self.right + self.wrong)

    @property
    def difference(self) -> float:
        return self.kept_right / self.right - self.kept_wrong / self.wrong


def independence(audited: Sequence[Audited]) -> Independence | None:
    """The difference with its bounds; None where no label has both right and wrong rows."""
    strata = {label: _counts([row for row in audited if row.label == label]) for label in {r.label for r in audited}}
    both = {label: found for label, found in sorted(strata.items()) if found.right and found.wrong}
    if not both:
        return None
    total = sum(found.weight for found in both.values())
    keep_right = keep_wrong = below = above = 0.0
    for found in both.values():
        share = found.weight / total
        p, q = found.kept_right / found.right, found.kept_wrong / found.wrong
        p_low, p_high = wilson(found.kept_right, found.right, _Z)
        q_low, q_high = wilson(found.kept_wrong, found.wrong, _Z)
        keep_right, keep_wrong = keep_right + share * p, keep_wrong + share * q
        below += share**2 * ((p - p_low) ** 2 + (q_high - q) ** 2)
        above += share**2 * ((p_high - p) ** 2 + (q - q_low) ** 2)
    difference = keep_right - keep_wrong
    return Independence(
        right=sum(found.right for found in both.values()),
        wrong=sum(found.wrong for found in both.values()),
        keep_right=keep_right,
        keep_wrong=keep_wrong,
        difference=difference,
        low=difference - math.sqrt(below),
        high=difference + math.sqrt(above),
        by_label={label: found.difference for label, found in both.items()},
    )


def clearance(audited: Sequence[Audited], labels: Sequence[str]) -> Clearance:
    """Whether the judge may drop rows: only if the lower bound of the difference is above 0, and of those labels only in
    which the difference itself is.

    Args:
        audited: rows that a person has labelled.
        labels: all that there are.
    """
    if not audited:
        return Clearance(False, (), None, "No row that the judge has read was audited, so nothing is dropped.")
    measured = independence(audited)
    if measured is None:
        right = sum(row.right for row in audited)
        told = f"Of {len(audited)} audited rows the labels of {right} are right"
        why = "no label has both right and wrong ones, so that nothing can be said of the judge and nothing is dropped."
        return Clearance(False, (), None, f"{told}; {why}")
    told = (
        f"The judge keeps {measured.keep_right:.0%} of audited rows with the right label ({measured.right}) and "
        f"{measured.keep_wrong:.0%} of those with a wrong one ({measured.wrong}); the difference within labels "
        f"is {measured.difference:+.2f}, at least {measured.low:+.2f} (one-sided 95 %)"
    )
    if min(measured.right, measured.wrong) < FEWEST:
        why = f"fewer than {FEWEST} of either kind say nothing for sure, so nothing is dropped: audit more rows."
        return Clearance(False, (), measured, f"{told}: {why}")
    if measured.low <= 0:
        why = "its errors may be those of the generator, so nothing is dropped."
        return Clearance(False, (), measured, f"{told}: {why}")
    told_apart = tuple(label for label in labels if measured.by_label.get(label, 0.0) > 0)
    others = [label for label in labels if label not in told_apart]
    but = f", but for {', '.join(others)}, where the audit shows no such difference" if others else ""
    return Clearance(True, told_apart, measured, f"{told}, so what it doubts is dropped{but}.")


def _counts(rows: Sequence[Audited]) -> _Counts:
    right, wrong = [row.kept for row in rows if row.right], [row.kept for row in rows if not row.right]
    return _Counts(len(right), len(wrong), sum(right), sum(wrong))
