"""What a reader must know before any number: each warning with what can be done, and the section that tells more.

The gravest come first: what makes the scores wrong, then what makes the texts doubtful, then what makes differences
unsure. Everything is read off the JSON and off the alarms of the sections; nothing is estimated here. Knows nothing of HTML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from japagen.report.alarms import PASSED_OVER
from japagen.report.language import message, quoted, say, several
from japagen.report.words import JSON, count, finite, number, verdict

LEVEL = 0.05
"""Of the tests of differences, all together."""
FEW = 500
"""Test rows below which hardly any difference between two good classifiers can be shown."""
SECTIONS = (
    "artefacts", "correctness", "curation", "scaling", "diversity", "fidelity", "keyness", "embedding", "map",
)  # fmt: skip
"""Sections that raise alarms, the gravest first."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A warning.

    Attributes:
        text: what is the matter.
        remedy: what can be done; empty where the text says it, or the section does.
        section: the section that tells more; empty where none does.
    """

    text: str
    remedy: str = ""
    section: str = ""


def notices(
    scores: JSON,
    stages: JSON,
    experiment: JSON,
    ledger: Sequence[JSON],
    views: Mapping[str, Any],
    given: Sequence[str],
    *,
    held: JSON | None = None,
) -> list[Notice]:
    """Every warning of a run, or of the analysis of a file, the gravest first.

    Args:
        scores: of `evaluate`.
        stages: accounting of the stages.
        experiment: the settings.
        ledger: the rows of the accounting, with whether they add up (see `japagen.report.tables.ledger`).
        views: sections by name; what they raise stands under "alarms".
        given: other warnings, as they are.
        held: of the analysis of a file, how many of the human rows stand in it (see `contamination.held`).
    """
    return [
        *(Notice(text) for text in given),
        *_held(held or {}),
        *_accounts(ledger),
        *_unmeasured(scores),
        *_contaminated(scores),
        *_raised(views),
        *_short(stages, experiment),
        *_small(scores),
        *_undecided(scores),
        *_unanswered(scores),
        *_settings(scores, experiment),
    ]


def _accounts(ledger: Sequence[JSON]) -> list[Notice]:
    return [
        Notice(say("The rows of the stage '{stage}' do not add up.", stage=book["stage"]), "", "rows")
        for book in ledger
        if not book["adds_up"]
    ]


def _unmeasured(scores: JSON) -> list[Notice]:
    if not scores or scores.get("systems"):
        return []
    remedy = say("Some hundred labelled texts are enough to begin with: name them under gold.")
    return [Notice(say("The task names no gold data, so nothing was measured."), remedy)]


def _held(held: JSON) -> list[Notice]:
    n = finite(held.get("n"))
    if not n:
        return []
    text = several(
        n,
        "{n} of the {all} human rows stands in the file.",
        "{n} of the {all} human rows stand in the file.",
        all=count(held.get("of")),
    )
    remedy = say(
        "What is said of nearness compares such rows with themselves. Take them out of the file, and measure nothing on "
        "them that learns from it."
    )
    return [Notice(text, remedy, "contamination")]


def _contaminated(scores: JSON) -> list[Notice]:
    hits = finite(scores.get("contaminated"))
    if not hits:
        return []
    text = say(
        "Test rows that stand in the training texts or among the examples shown: {hits} of {n}.",
        hits=count(hits),
        n=count(scores.get("n")),
    )
    remedy = say("Read the scores without them; curate.contamination drops such rows before anything learns from them.")
    return [Notice(text, remedy, "contamination")]


def _raised(views: Mapping[str, Any]) -> list[Notice]:
    """The first alarm of every section, and how many more there are."""
    found = []
    for name in SECTIONS:
        alarms = [str(alarm) for alarm in (views.get(name) or {}).get("alarms") or ()]
        if alarms:
            more = say("{n} more alarms stand in that section.", n=len(alarms) - 1) if len(alarms) > 2 else ""
            more = say("One more alarm stands in that section.") if len(alarms) == 2 else more
            found.append(Notice(alarms[0], more, name))
    return found


def _short(stages: JSON, experiment: JSON) -> list[Notice]:
    """Labels of which fewer than half of the texts are left; those that were good but not chosen are counted as left."""
    asked, curated = (((stages or {}).get(stage) or {}).get("by_label") or {} for stage in ("generate", "curate"))
    per_label = (experiment.get("generate") or {}).get("per_label")
    remedy = say("Look at what was dropped and why; curate.top_up asks for the missing ones.")
    found = []
    for label, book in curated.items():
        wanted = finite((asked.get(label) or {}).get("requested")) or finite(per_label)
        kept = finite((book or {}).get("kept"))
        if not wanted or kept is None:
            continue
        spared = sum(finite((book.get("dropped") or {}).get(reason)) or 0 for reason in PASSED_OVER)
        if kept + spared < wanted / 2:
            text = say(
                "Of {wanted} texts asked for of label '{label}', {kept} are left.",
                wanted=count(wanted),
                label=label,
                kept=count(kept),
            )
            found.append(Notice(text, remedy, "rows"))
    return found


def _small(scores: JSON) -> list[Notice]:
    n = finite(scores.get("n"))
    if not scores.get("systems") or n is None or n >= FEW:
        return []
    least, accuracy = finite(scores.get("smallest_detectable_difference")), scores.get("metric") == "accuracy"
    if not least:
        text = say("The test set has only {n} rows. Hardly any difference can be told from chance.", n=count(n))
    else:
        found = (
            message(
                "The test set has only {n} rows. Differences below about {points} points cannot be told from chance."
            )
            if accuracy
            else message(
                "The test set has only {n} rows. Differences below about {points} points of accuracy cannot be told from "
                "chance."
            )
        )
        text = say(found, n=count(n), points=number(100 * least, 1))
    remedy = say("Label more test rows, or read the intervals and not the order of the systems.")
    return [Notice(text, remedy, "scores")]


def _undecided(scores: JSON) -> list[Notice]:
    """The primary comparison decides nothing."""
    difference = (scores.get("contrast") or {}).get("difference") or {}
    if not difference or verdict({**difference, "p_holm": finite(difference.get("p"))}) != "unclear":
        return []
    text = say("The primary comparison cannot tell its two systems apart.")
    remedy = say("That is no proof that they are equal: more test rows or more seeds make the interval narrower.")
    return [Notice(text, remedy, "scores")]


def _unanswered(scores: JSON) -> list[Notice]:
    found = []
    for system in scores.get("systems") or ():
        if not finite(system.get("unparsed")):
            continue
        counted = say("the mean answer") if scores.get("kind") == "similarity" else say("wrong")
        numbers = {key: count(system.get(key)) for key in ("unparsed", "answers")}
        text = say(
            "{system}: {unparsed} of {answers} answers failed, were refused or could not be read; they count as {counted}.",
            system=system.get("name"),
            counted=counted,
            **numbers,
        )
        found.append(Notice(text, "", "scores"))
    return found


def _left_out(told: str) -> str:
    """What was left out, and why in brackets."""
    name, _, why = quoted(told).replace("：", ": ", 1).partition(": ")
    if not why:
        return say("Left out: {what}.", what=name)
    return say("Left out: {what} ({why}).", what=name, why=why)


def _settings(scores: JSON, experiment: JSON) -> list[Notice]:
    found = [Notice(_left_out(str(what)), "", "scores") for what in scores.get("left_out") or ()]
    resamples = finite((experiment.get("evaluate") or {}).get("resamples"))
    tests = len((scores.get("tests") or {}).get("family") or ())
    if resamples and 2 * tests / resamples >= LEVEL:
        text = say(
            "With {resamples} resamples no difference can stand the correction for {tests} comparisons.",
            resamples=count(resamples),
            tests=count(tests),
        )
        remedy = say("Set evaluate.resamples to {enough} or more.", enough=count(math.ceil(4 * tests / LEVEL)))
        found.append(Notice(text, remedy, "scores"))
    if (experiment.get("train") or {}).get("dev") == "gold":
        text = say("Settings of the students were chosen on gold labels (train.dev: gold).")
        found.append(
            Notice(text, say("The scores are then not those of a classifier without labelled data."), "students")
        )
    return found
