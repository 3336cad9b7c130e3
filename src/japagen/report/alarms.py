"""What of curation should worry a reader, each with what can be done about it. Knows nothing of HTML.

An alarm is no verdict: the thresholds below are where a look at the rows pays, chosen by hand, not by a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from japagen.report.tables import share, total
from japagen.report.trials import is_missed
from japagen.report.words import JSON, count, finite, join, percent

MUCH = 0.25
"""Share of a label's rows above which one check takes too much to be about single rows."""
LEAKED = 0.01
"""Share of the rows above which those that stand in gold are no accident."""
DOUBTED = 0.2
"""Share of a label's rows above which doubts about the label concern the prompt."""
UNREAD = 0.1
"""Share of unread verdicts above which the judge does not understand the question."""
UNEVEN = 2 / 3
"""Rows left of the rarest label, as a share of those of the most frequent one."""

PASSED_OVER = ("surplus", "not_sampled")
"""Steps that pass good rows over: there are enough of them."""

REMEDIES = {
    "near_duplicate": "the model repeats itself; more words (KADG), more shots or a higher temperature spread its texts",
    "duplicate": "the model repeats itself; more words (KADG), more shots or a higher temperature spread its texts",
    "label_conflict": "the model writes the same under several labels; look at the labels' instructions",
    "shot_copy": "the model copies its examples; give it more to draw from, or none",
    "too_short": "look at some of them: the limit or the prompt's rule on length may not fit the task",
    "too_long": "look at some of them: the limit or the prompt's rule on length may not fit the task",
}
LOOK = "look at some of them: the fault may lie in the prompt, or in the check"


def alarms(told: JSON, labels: Sequence[str]) -> list[str]:
    """Each alarm as one sentence or two, the gravest first; empty where there is none."""
    return [
        *_short(told),
        *_leaked(told),
        *_greedy(told, labels),
        *_uneven(told, labels),
        *_doubted(told),
        *_missed(told),
    ]


def _short(told: JSON) -> list[str]:
    one = told.get("top_up") or {}
    reached = one.get("reached") or {}
    parts = [f"{count(reached.get(label))} of '{label}'" for label in one.get("short") or ()]
    if not parts:
        return []
    wanted = (
        f"{count(one.get('wanted'))} of each label were wanted" if finite(one.get("wanted")) else "More were wanted"
    )
    return [f"{wanted}; topped up as far as curate.top_up_factor allows, there are only {join(parts)}."]


def _leaked(told: JSON) -> list[str]:
    step = _step(told, "contamination")
    hits, seen = total(step.get("dropped")), total(step.get("seen"))
    if not seen or hits / seen < LEAKED:
        return []
    return [
        f"{count(hits)} of {count(seen)} rows stand in gold and went ({percent(hits / seen)}): the language model may know "
        f"the gold set by heart, and then paraphrases of it, which no search finds, may be among the rest."
    ]


def _greedy(told: JSON, labels: Sequence[str]) -> list[str]:
    said = []
    for step in told.get("steps") or ():
        name = str(step.get("name") or "unnamed")
        if name in (*PASSED_OVER, "contamination"):
            continue
        dropped, seen = (step.get(key) or {} for key in ("dropped", "seen"))
        over = [label for label in labels if share(dropped.get(label), seen.get(label)) > MUCH]
        if over:
            parts = [f"{percent(share(dropped[label], seen[label]))} of '{label}'" for label in over]
            remedy = REMEDIES.get(name, LOOK)
            said.append(f"The check '{name.replace('_', ' ')}' takes {join(parts)}: {remedy}.")
    return said


def _uneven(told: JSON, labels: Sequence[str]) -> list[str]:
    """Said of runs that do not top up; the shortage of those that do is told already."""
    steps = told.get("steps") or ()
    if told.get("top_up") or not steps or len(labels) < 2:
        return []
    left = {
        label: _number(steps[0].get("seen"), label) - sum(_number(step.get("dropped"), label) for step in steps)
        for label in labels
    }
    rare, frequent = min(left, key=lambda label: left[label]), max(left, key=lambda label: left[label])
    if left[rare] >= UNEVEN * left[frequent]:
        return []
    return [
        f"{count(left[rare])} rows of '{rare}' are left, but {count(left[frequent])} of '{frequent}': students learn that "
        f"mix of labels too. curate.top_up asks for the missing ones."
    ]


def _doubted(told: JSON) -> list[str]:
    """Many doubts about a label; those of a judge that failed its audit say nothing."""
    said = []
    noise, judge = told.get("noise") or {}, told.get("judge") or {}
    failed = judge.get("independence") and judge.get("applied") is not True
    for who, step, counts in (
        ("a student that has not seen the rows", "label_noise", noise.get("flagged")),
        ("the judge", "judge", None if failed else judge.get("doubted")),
    ):
        seen = _step(told, step).get("seen") or {}
        shares = {label: share(n, seen.get(label)) for label, n in (counts or {}).items()}
        many = [f"{percent(part)} of the labels '{label}'" for label, part in shares.items() if part > DOUBTED]
        if many:
            said.append(
                f"{who[0].upper()}{who[1:]} doubts {join(many)}: the model may not write what is asked for. Read some of "
                f"these rows before you train on them."
            )
    asked, unread = finite(judge.get("rows")), finite(judge.get("unread"))
    if asked and unread and unread / asked > UNREAD:
        said.append(
            f"{percent(unread / asked)} of the judge's verdicts could not be read: it may not follow the question."
        )
    return said


def _missed(told: JSON) -> list[str]:
    missed = [quota for quota in (told.get("sample") or {}).get("quotas") or () if is_missed(quota)]
    if not missed:
        return []
    worst = max(missed, key=lambda quota: abs(quota["reached"] - quota["target"]))
    return [
        f"{count(len(missed))} quotas are missed by more than two points, most of all {worst.get('by')} "
        f"'{worst.get('value')}': {percent(worst['target'])} wanted, {percent(worst['reached'])} reached."
    ]


def _step(told: JSON, name: str) -> JSON:
    return next((step for step in told.get("steps") or () if step.get("name") == name), {})


def _number(counts: JSON | None, label: str) -> float:
    return finite((counts or {}).get(label)) or 0.0
