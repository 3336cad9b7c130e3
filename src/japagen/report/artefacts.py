"""What one text of a pair gives away: what the probe reaches beside gold, and the expressions that tell labels.

Drawn from the analysis' `artefacts`. An alarm is the probe's own verdict (`student.probe`); expressions alone raise none.
Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from japagen.report.language import message, quoted, say
from japagen.report.tables import share
from japagen.report.words import JSON, count, finite, metric_name, number, percent, run_on

Row = dict[str, Any]
TEXTS = {"first": message("first"), "second": message("second")}
HARM = message("A student can learn that and never compare the two texts.")
REMEDY = message(
    "The expressions are listed below: rules of the task can forbid them, or ask for them under every label."
)
NONE_STANDS_OUT = message("No single expression stands out; read some of these texts label by label.")
ALONE = {"synthetic": message("The synthetic pairs could not be probed: {why}.")} | {
    "gold": message("The gold pairs could not be probed: {why}.")
}


def artefacts(analysis: JSON, labels: Sequence[str]) -> Row | None:
    """Figures of the probe, expressions by text and label, alarms and sentences; None where rows are no pairs."""
    told: JSON = analysis.get("artefacts") or {}
    if not told:
        return None
    probes = told.get("probes") or {}
    rows = [_row(source, one) for text in TEXTS for source, one in _found(probes) if one.get("text") == text]
    words = [_words(text, (told.get("give_aways") or {}).get(text) or {}, labels) for text in TEXTS]
    listed = [one["text"] for one in words if one["labels"]]
    return {
        "measure": metric_name(next((str(one.get("measure")) for _, one in _found(probes)), "accuracy")),
        "rows": rows,
        "alarms": _alarms(probes, listed),
        "sentences": _sentences(probes),
        "expressions": [one for one in words if one["labels"]],
        "silent": [text_name(one["text"]) for one in words if one["looked_at"] and not one["labels"]],
    }


def text_name(text: object) -> str:
    """Which text of a pair it is, as one says it."""
    return say(TEXTS[str(text)]) if text in TEXTS else str(text or "")


def _found(probes: JSON) -> list[tuple[str, JSON]]:
    """(source, probe) of the sets that could be probed."""
    sides = ((source, probes.get(source)) for source in ("synthetic", "gold"))
    return [(source, one) for source, side in sides if isinstance(side, list | tuple) for one in side]


def _row(source: str, one: JSON) -> Row:
    return {
        "text": str(one.get("text") or ""),
        "source": source,
        "rows": count(one.get("rows")),
        "groups": count(one.get("groups")),
        "figures": [number(one.get(key), 3) for key in ("guess", "grouped", "random")],
        "alarm": bool(one.get("artefact")),
    }


def _alarms(probes: JSON, listed: Sequence[str]) -> list[str]:
    gold = {one.get("text"): one for source, one in _found(probes) if source == "gold"}
    said = []
    for source, one in _found(probes):
        if source == "gold" or not one.get("artefact"):
            continue
        human = gold.get(one.get("text"))
        told = {
            "text": text_name(one.get("text")),
            "grouped": number(one.get("grouped")),
            "beside": say(" (of gold pairs {grouped})", grouped=number(human.get("grouped"))) if human else "",
        }
        if one.get("measure") == "accuracy":
            start = say(
                "The {text} text alone tells the label of {grouped} of the synthetic pairs{beside}; a guess is right in "
                "{guess}.",
                guess=number(one.get("guess")),
                **told,
            )
        else:
            start = say(
                "The {text} text alone ranks the synthetic pairs with a Spearman correlation of {grouped}{beside}.",
                **told,
            )
        remedy = REMEDY if one.get("text") in listed else NONE_STANDS_OUT
        said.append(run_on([start, say(HARM), say(remedy)]))
    return said


def _sentences(probes: JSON) -> list[str]:
    said = [
        say(
            "A linear classifier sees one text of each pair and not the other: what it reaches above a guess is no "
            "understanding of pairs, but a habit of whoever wrote them."
        )
    ]
    for source in ("synthetic", "gold"):
        side = probes.get(source)
        if isinstance(side, Mapping) and side.get("undefined"):
            said.append(say(ALONE[source], why=quoted(str(side["undefined"]))))
    ours = [one for source, one in _found(probes) if source == "synthetic"]
    if ours and not any(one.get("artefact") for one in ours):
        said.append(say("Neither text of the synthetic pairs gives the label away."))
    human = [one for source, one in _found(probes) if source == "gold" and one.get("artefact")]
    said += [say("In gold the {text} text alone gives it away.", text=text_name(one.get("text"))) for one in human]
    return said


def _words(text: str, told: JSON, labels: Sequence[str]) -> Row:
    """The expressions of one text of the pairs, by label."""
    sizes, by_label = told.get("texts") or {}, told.get("by_label") or {}
    top = max((finite(one.get("ratio")) or 0.0 for found in by_label.values() for one in found), default=0.0)
    listed = []
    for label in labels:
        size = finite(sizes.get(label)) or 0.0
        rest = sum(finite(n) or 0.0 for n in sizes.values()) - size
        rows = [
            {
                "expression": str(one.get("expression") or ""),
                "bar": share(one.get("ratio"), top),
                "ratio": number(one.get("ratio"), 1),
                "texts": count(one.get("texts")),
                "texts_share": percent(share(one.get("texts"), size)),
                "others": count(one.get("others")),
                "others_share": percent(share(one.get("others"), rest)),
            }
            for one in by_label.get(label) or ()
        ]
        if rows:
            listed.append({"label": label, "rows": rows})
    return {
        "text": text,
        "labels": listed,
        "looked_at": count(told["looked_at"]) if finite(told.get("looked_at")) else "",
        "least": number(told.get("least"), 1),
    }
