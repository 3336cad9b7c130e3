"""What of curation should worry a reader, each with what can be done about it. Knows nothing of HTML.

An alarm is no verdict: the thresholds below are where a look at the rows pays, chosen by hand, not by a test.
"""

from __future__ import annotations

from collections.abc import Sequence

from japagen.report.language import message, say
from japagen.report.tables import share, total
from japagen.report.trials import is_missed
from japagen.report.words import JSON, count, finite, join, percent, reason_name, run_on

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
    "near_duplicate": message(
        "the model repeats itself; more words (KADG), more shots or a higher temperature spread its texts"
    ),
    "duplicate": message(
        "the model repeats itself; more words (KADG), more shots or a higher temperature spread its texts"
    ),
    "label_conflict": message("the model writes the same under several labels; look at the labels' instructions"),
    "shot_copy": message("the model copies its examples; give it more to draw from, or none"),
    "too_short": message("look at some of them: the limit or the prompt's rule on length may not fit the task"),
    "too_long": message("look at some of them: the limit or the prompt's rule on length may not fit the task"),
}
LOOK = message("look at some of them: the fault may lie in the prompt, or in the check")
UNSEEN = message("A student that has not seen the rows doubts {labels}: the model may not write what is asked for.")
JUDGE = message("The judge doubts {labels}: the model may not write what is asked for.")


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
    parts = [say("{n} of '{label}'", n=count(reached.get(label)), label=label) for label in one.get("short") or ()]
    if not parts:
        return []
    if not finite(one.get("wanted")):
        return [
            say(
                "More were wanted; topped up as far as curate.top_up_factor allows, there are only {parts}.",
                parts=join(parts),
            )
        ]
    return [
        say(
            "{n} of each label were wanted; topped up as far as curate.top_up_factor allows, there are only {parts}.",
            n=count(one.get("wanted")),
            parts=join(parts),
        )
    ]


def _leaked(told: JSON) -> list[str]:
    step = _step(told, "contamination")
    hits, seen = total(step.get("dropped")), total(step.get("seen"))
    if not seen or hits / seen < LEAKED:
        return []
    return [
        say(
            "{n} of {all} rows stand in gold and went ({percent}): the language model may know the gold set by heart, and "
            "then paraphrases of it, which no search finds, may be among the rest.",
            n=count(hits),
            all=count(seen),
            percent=percent(hits / seen),
        )
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
            parts = [
                say("{percent} of '{label}'", percent=percent(share(dropped[label], seen[label])), label=label)
                for label in over
            ]
            remedy = say(REMEDIES.get(name, LOOK))
            told_of = {"check": reason_name(name), "parts": join(parts), "remedy": remedy}
            said.append(say("The check '{check}' takes {parts}: {remedy}.", **told_of))
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
        say(
            "{few} rows of '{rare}' are left, but {many} of '{frequent}': students learn that mix of labels too. "
            "curate.top_up asks for the missing ones.",
            few=count(left[rare]),
            rare=rare,
            many=count(left[frequent]),
            frequent=frequent,
        )
    ]


def _doubted(told: JSON) -> list[str]:
    """Many doubts about a label; those of a judge that failed its audit say nothing."""
    said = []
    noise, judge = told.get("noise") or {}, told.get("judge") or {}
    failed = judge.get("independence") and judge.get("applied") is not True
    for sentence, step, counts in (
        (UNSEEN, "label_noise", noise.get("flagged")),
        (JUDGE, "judge", None if failed else judge.get("doubted")),
    ):
        seen = _step(told, step).get("seen") or {}
        shares = {label: share(n, seen.get(label)) for label, n in (counts or {}).items()}
        many = [
            say("{percent} of the labels '{label}'", percent=percent(part), label=label)
            for label, part in shares.items()
            if part > DOUBTED
        ]
        if many:
            advice = say("Read some of these rows before you train on them.")
            said.append(run_on([say(sentence, labels=join(many)), advice]))
    asked, unread = finite(judge.get("rows")), finite(judge.get("unread"))
    if asked and unread and unread / asked > UNREAD:
        said.append(
            say(
                "{percent} of the judge's verdicts could not be read: it may not follow the question.",
                percent=percent(unread / asked),
            )
        )
    return said


def _missed(told: JSON) -> list[str]:
    missed = [quota for quota in (told.get("sample") or {}).get("quotas") or () if is_missed(quota)]
    if not missed:
        return []
    worst = max(missed, key=lambda quota: abs(quota["reached"] - quota["target"]))
    return [
        say(
            "{n} quotas are missed by more than two points, most of all {by} '{value}': {wanted} wanted, {reached} reached.",
            n=count(len(missed)),
            by=worst.get("by"),
            value=worst.get("value"),
            wanted=percent(worst["target"]),
            reached=percent(worst["reached"]),
        )
    ]


def _step(told: JSON, name: str) -> JSON:
    return next((step for step in told.get("steps") or () if step.get("name") == name), {})


def _number(counts: JSON | None, label: str) -> float:
    return finite((counts or {}).get(label)) or 0.0
