"""The steps of curation by name and question, in their order, and one row's way through them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from japagen.curate import Rules
from japagen.curate.filters import checks, repairs
from japagen.records import Dropped, Example

ACROSS: Mapping[str, str] = {
    "duplicate": "Does an earlier row of the label say the same?",
    "label_conflict": "Does a row of another label say the same?",
    "near_duplicate": "Is an earlier row of the label nearly the same?",
    "contamination": "Does it stand in the gold data?",
    "surplus": "Are there enough rows of the label already?",
    "judge": "Does the judge give it another label?",
    "label_noise": "Does a student that has not seen it give it another label?",
    "not_sampled": "Are there enough rows of its kind already?",
}
"""What rows are asked together or by others than the filters; name and question."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one step says of one row.

    Attributes:
        step: name of a repair, a check or another step.
        question: what was asked.
        outcome: "passed", "mended", "dropped", or "would drop": a check after the one that dropped it.
        detail: what exactly.
    """

    step: str
    question: str
    outcome: str
    detail: str = ""


def told_steps(
    rules: Rules,
    rows: Sequence[Example],
    dropped: Sequence[Dropped],
    labels: Sequence[str],
    others: Collection[str] = (),
) -> list[dict[str, Any]]:
    """For each step how many rows of each label it saw and dropped, as JSON; a row is seen until it is dropped.

    Args:
        rules: what was asked.
        rows: all that came in.
        dropped: those of them that fell.
        labels: of the task.
        others: which of the steps beyond the rules were taken: "top_up", "judge", "noise", "sample".
    """
    left = Counter(row.label for row in rows)
    lost = Counter((drop.reason, drop.example.label) for drop in dropped)
    told = []
    for name, question in _asked(rules, others).items():
        gone = {label: lost[name, label] for label in labels}
        told.append(
            {"name": name, "question": question, "seen": {label: left[label] for label in labels}, "dropped": gone}
        )
        left -= Counter(gone)
    return told


def way(example: Example, rules: Rules, fate: Dropped | None, others: Collection[str] = ()) -> list[Answer]:
    """One row's way through all steps.

    Repairs and checks are asked anew, all of them; what needs other rows is known from what became of the row.

    Args:
        example: the row as it was written.
        rules: what is asked.
        fate: the row as dropped; None where it was kept.
        others: see `told_steps`.
    """
    found = []
    for repair in repairs(rules.limits):
        outcome = repair.mend(example)
        if outcome:
            example, detail = outcome
        found.append(Answer(repair.name, repair.question, *(("mended", detail) if outcome else ("passed", ""))))
    for check in checks(rules.limits, rules.known):
        finding = check.ask(example)
        found.append(Answer(check.name, check.question, *(("would drop", finding[1]) if finding else ("passed", ""))))
    asked = _asked(rules, others)
    found += [Answer(name, question, "passed") for name, question in asked.items() if name in ACROSS]
    if fate is None:
        return found
    for place, answer in enumerate(found):
        if answer.step == fate.reason:
            later = [replace(one, outcome="not asked") if one.step in ACROSS else one for one in found[place + 1 :]]
            return [*found[:place], replace(answer, outcome="dropped", detail=fate.detail), *later]
    return [*found, Answer(fate.reason, "Was it dropped for another reason?", "dropped", fate.detail)]


def _asked(rules: Rules, others: Collection[str]) -> dict[str, str]:
    """Names and questions of the steps that were taken, in their order."""
    taken = {
        "near_duplicate": rules.near_duplicate is not None,
        "contamination": bool(rules.gold),
        "surplus": "top_up" in others,
        "judge": "judge" in others,
        "label_noise": "noise" in others,
        "not_sampled": "sample" in others,
    }
    named = {check.name: check.question for check in checks(rules.limits, rules.known)}
    return named | {name: question for name, question in ACROSS.items() if taken.get(name, True)}
