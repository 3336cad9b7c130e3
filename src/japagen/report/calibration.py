"""Whether the scores of systems can be believed: calibration errors as rows, and in sentences. Knows nothing of HTML.

A calibration is the JSON that `evaluate` wrote: ece and bins (low, high, n, confidence, accuracy), or why there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.report.language import quoted, say
from japagen.report.scoretable import groups
from japagen.report.words import (
    JSON,
    count,
    finite,
    metric_of,
    number,
    primary_of,
    score_of,
    system_label,
    system_phrase,
)

Row = dict[str, Any]


def calibration(scores: JSON) -> Row | None:
    """The error of every system, by kind as in the table of scores; None where no run says anything of calibration."""
    primary = primary_of(scores)
    found = [
        {"kind": kind, "title": title, "rows": [_row(s, s is primary) for s in members if s.get("calibration")]}
        for kind, title, members in groups(scores)
    ]
    found = [group for group in found if group["rows"]]
    return {"groups": found, "sentences": sentences(primary)} if found else None


def _row(system: JSON, primary: bool) -> Row:
    told, bins = system["calibration"], bins_of(system)
    error = finite(told.get("ece"))
    return {
        "label": system_label(system),
        "primary": primary,
        "ece": number(error, 3) if error is not None else say("undefined"),
        "reason": "" if error is not None else quoted(str(told.get("undefined") or "")),
        "answers": count(sum(one["n"] for one in bins)) if bins else "",
    }


def bins_of(system: JSON | None) -> list[JSON]:
    """The bins of a reliability plot that say all that a point needs."""
    told: Sequence[JSON] = ((system or {}).get("calibration") or {}).get("bins") or ()
    return [one for one in told if all(finite(one.get(key)) is not None for key in ("n", "confidence", "accuracy"))]


def sentences(primary: JSON | None) -> list[str]:
    """What the primary's error is, on which side of the diagonal it lies as a whole, and what not to read into it."""
    bins, error = bins_of(primary), finite(((primary or {}).get("calibration") or {}).get("ece"))
    said = []
    if primary is not None and error is not None and bins:
        n = sum(one["n"] for one in bins)
        confidence, accuracy = (sum(one["n"] * one[key] for one in bins) / n for key in ("confidence", "accuracy"))
        said.append(
            say(
                "The calibration error of the primary system, {system}, is {error}: its mean confidence is {confidence}, "
                "and {accuracy} of its answers are right.",
                system=system_phrase(primary),
                error=number(error, 3),
                confidence=number(confidence),
                accuracy=number(accuracy),
            )
        )
    said.append(
        say(
            "The expected calibration error (ECE) is the mean gap between confidence and accuracy, zero at best. It has no "
            "interval here, and grows by chance alone where answers are few: small differences of it mean nothing."
        )
    )
    return said


def shown(scores: JSON, most: int = 4) -> list[JSON]:
    """The systems of a reliability plot: the primary, then the best of each other kind, then others as in the table."""
    listed = [(kind, system) for kind, _, members in groups(scores) for system in members if bins_of(system)]

    def value(system: JSON) -> float:
        return finite(score_of(system, metric_of(scores)).get("value")) or 0.0

    primary = primary_of(scores)
    first = [system for _, system in listed if system is primary]
    kinds = dict.fromkeys(kind for kind, _ in listed if kind not in ("majority", (primary or {}).get("kind")))
    best = [max((s for of, s in listed if of == kind), key=value) for kind in kinds]
    others = [s for kind, s in listed if kind != "majority" and not any(s is one for one in [*first, *best])]
    return [*first, *best, *others][:most]
