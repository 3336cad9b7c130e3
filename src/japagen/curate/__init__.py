"""Curating: from what a language model wrote to what is worth training on. Every row is kept or dropped with a reason.

    filters        one row at a time: what is wrong with it, and what can be mended
    duplicates     rows that say what another one says
    contamination  rows that stand in the gold data
    judge, noise   rows whose label a language model or a student finds wrong
    sampler        of more rows than are needed, those that are spread as they should be
    guidance       gold rows that a second round of writing is to follow

`curate` does the first three; a row is dropped for the first reason that holds. Which of the others run is the pipeline's
affair.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from japagen.curate import duplicates
from japagen.curate.contamination import contaminated
from japagen.curate.filters import Check, Finding, Known, Limits, Repair, checks, repairs
from japagen.endings import plain_form
from japagen.japanese import canonical
from japagen.progress import Listener, Progress, silent
from japagen.records import Dropped, Example

__all__ = ["Known", "Limits", "Rules", "curate", "mend"]

REPORT_EVERY = 1000  # rows between two reports of progress
MENDED = "mended"
"""Column of the repairs that a row has had."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows are asked.

    Attributes:
        limits: of the filters.
        known: what of the prompts must not come back.
        near_duplicate: Jaccard similarity of character 3-grams from which two texts of one label are near-duplicates (pairs:
            each text against the one at its place); None does not look for any.
        wording: whether labels judge wording: then texts that differ in politeness alone are two texts.
        gold: gold rows by split, none of which may be among the rows; empty: they are not compared.
    """

    limits: Limits = field(default_factory=Limits)
    known: Known = field(default_factory=Known)
    near_duplicate: float | None = 0.8
    wording: bool = False
    gold: Mapping[str, Sequence[Example]] = field(default_factory=dict)


def curate(
    examples: Sequence[Example],
    rules: Rules | None = None,
    *,
    settled: Sequence[Example] = (),
    on_progress: Listener = silent,
) -> tuple[list[Example], list[Dropped]]:
    """Sort rows into those to train on and those dropped, both in their order; each row is in exactly one of the two.

    Args:
        examples: what was generated.
        rules: what is asked of them; None takes the defaults.
        settled: rows that were kept before: they stay, and what repeats them goes.
        on_progress: told how far each label is; the last word on a label comes after all rows were compared.

    Returns:
        rows kept, mended where that was possible (their meta says how), and rows dropped, as they were.
    """
    rules = rules or Rules()
    rows, findings = _look_at_each(examples, rules, on_progress)
    _look_across(rows, findings, rules, settled)
    kept = [row for i, row in enumerate(rows) if i not in findings]
    dropped = [Dropped(examples[i], *findings[i]) for i in range(len(rows)) if i in findings]
    totals, losses = Counter(e.label for e in examples), Counter(d.example.label for d in dropped)
    for label, total in totals.items():
        lost = losses[label]
        on_progress(Progress("curate", label, done=total, total=total, kept=total - lost, dropped=lost))
    return kept, dropped


def mend(example: Example, mending: Sequence[Repair]) -> Example:
    """The row with all repairs that it needs; their names are in its meta."""
    done = []
    for repair in mending:
        if found := repair.mend(example):
            example, _ = found
            done.append(repair.name)
    return replace(example, meta={**example.meta, MENDED: ", ".join(done)}) if done else example


def _look_at_each(
    examples: Sequence[Example], rules: Rules, on_progress: Listener
) -> tuple[list[Example], dict[int, Finding]]:
    mending, asked = repairs(rules.limits), checks(rules.limits, rules.known)
    totals = Counter(example.label for example in examples)
    done: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    rows: list[Example] = []
    findings: dict[int, Finding] = {}
    for i, example in enumerate(examples):
        label = example.label
        if done[label] % REPORT_EVERY == 0:
            kept = done[label] - lost[label]
            on_progress(Progress("curate", label, done[label], totals[label], kept=kept, dropped=lost[label]))
        rows.append(mend(example, mending))
        if found := first_finding(rows[-1], asked):
            findings[i] = found
            lost[label] += 1
        done[label] += 1
    return rows, findings


def first_finding(example: Example, asked: Sequence[Check]) -> Finding | None:
    """What the first check with a finding says; None where none has."""
    return next((found for check in asked if (found := check.ask(example))), None)


def _look_across(
    rows: Sequence[Example],
    findings: dict[int, Finding],
    rules: Rules,
    settled: Sequence[Example],
) -> None:
    """Add to the findings what shows when the rows without one are compared: with one another, then with gold."""
    form = cache(canonical if rules.wording else plain_form)  # asked for the same and for the near texts
    start = len(settled)

    def left() -> list[int]:
        return [i for i in range(len(rows)) if i not in findings]

    def add(places: Sequence[int], found: Mapping[int, Finding]) -> None:
        for j, finding in found.items():
            if j >= start:
                findings[places[j - start]] = finding

    places = left()
    add(places, duplicates.same_texts([*settled, *(rows[i] for i in places)], form=form))
    if rules.near_duplicate is not None:
        places = left()
        together = [*settled, *(rows[i] for i in places)]
        add(places, duplicates.near_texts(together, rules.near_duplicate, form=form))
    if rules.gold:
        places = left()
        found = contaminated([rows[i] for i in places], rules.gold, wording=rules.wording)
        findings.update((places[j], finding) for j, finding in found.items())
