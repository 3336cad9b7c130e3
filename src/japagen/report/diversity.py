"""How varied synthetic texts are beside as many gold texts: measures, verdicts, labels, and curves of growing sets.

Drawn from the analysis' `diversity`; whether a difference is more than chance was decided there. An alarm where the
synthetic texts have far fewer different pairs of words than gold. Knows nothing of HTML.
"""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.language import message, say
from japagen.report.look import SMALL, Figure, colour, figure, log_ticks
from japagen.report.words import JSON, count, finite, number

Row = dict[str, Any]

ALIKE = {
    "self_bleu_2": message("how much of a text stands in the others, up to 2 words in a row"),
    "self_bleu_3": message("up to 3 words in a row"),
    "self_bleu_4": message("up to 4 words in a row"),
    "self_bleu_5": message("up to 5 words in a row"),
    "compression": message("how much smaller zlib makes the texts"),
    "self_repetition": message("in how many other texts the runs of 4 words of a text stand, as a logarithm"),
    "repeated_8": message("share of texts with a run of 8 words that another one has too"),
}
VARIED = {
    "distinct_1": message("share of different words"),
    "distinct_2": message("share of different pairs of words"),
    "distinct_3": message("share of different runs of 3 words"),
    "entropy_1": message("bits of surprise in a word"),
    "entropy_2": message("in a pair of words"),
    "entropy_3": message("in a run of 3 words"),
}
NAMES = {
    "compression": message("compression ratio"),
    "self_repetition": message("self-repetition"),
    "repeated_8": message("repeated runs of 8"),
}
BY_LABEL = ("self_bleu_4", "distinct_2", "entropy_2", "compression")
FEW = 30
"""Texts of each set below which nothing is said of how varied they are."""
FEW_PAIRS = 0.75
"""Alarm where distinct-2 is below this share of gold's, beyond chance."""
UNEQUAL = 1.25
"""Lengths that differ by more than this factor are said to move the measures."""
SIDES = {"synthetic": "japagen", "gold": "gold"}


def diversity(analysis: JSON) -> Row | None:
    """Measures overall and by label, alarms and sentences; None where nothing was measured."""
    told: JSON = analysis.get("diversity") or {}
    measures: JSON = told.get("measures") or {}
    known = {name: one for name, one in measures.items() if finite((one or {}).get("synthetic")) is not None}
    if not known:
        return None
    measured = finite(told.get("n"))
    if measured is not None and measured < FEW:
        said = say("Diversity was not measured: of each set {n} texts are too few, {least} are needed.",
                   n=count(measured), least=count(FEW))  # fmt: skip
        return {"sentences": [said], "alarms": [], "groups": [], "by_label": None, "signatures": []}
    groups = [
        {
            "title": say("Larger when texts are alike"),
            "rows": [_row(n, known[n], about) for n, about in _in(ALIKE, known)],
        },
        {
            "title": say("Larger when texts are varied"),
            "rows": [_row(n, known[n], about) for n, about in _in(VARIED, known)],
        },
    ]
    return {
        "sentences": _sentences(analysis, told, known),
        "alarms": _alarms(known),
        "n": count(told.get("n")),
        "tokeniser": str(told.get("tokeniser") or ""),
        "deals": count(told["deals"]) if finite(told.get("deals")) else "",
        "gold": any(finite(one.get("gold")) is not None for one in known.values()),
        "groups": [group for group in groups if group["rows"]],
        "by_label": _by_label(told.get("by_label") or {}),
        "signatures": [str(one["signature"]) for one in known.values() if one.get("signature")],
    }


def measure_name(name: str) -> str:
    """A measure as one says it, such as Self-BLEU-4."""
    if name in NAMES:
        return say(NAMES[name])
    kind, _, order = name.rpartition("_")
    match kind:
        case "self_bleu":
            return f"Self-BLEU-{order}"
        case "entropy":
            return say("entropy of {n}-grams", n=order)
        case _:
            return f"{kind}-{order}"


def _in(explained: dict[str, str], known: JSON) -> list[tuple[str, str]]:
    return [(name, about) for name, about in explained.items() if name in known]


def _row(name: str, one: JSON, about: str) -> Row:
    verdict = _verdict(name, one)
    low, high = finite(one.get("low")), finite(one.get("high"))
    return {
        "name": measure_name(name),
        "about": say(about),
        "synthetic": number(one.get("synthetic"), 3),
        "gold": number(one.get("gold"), 3) if finite(one.get("gold")) is not None else "",
        "difference": number(one.get("difference"), 3, sign=True) if finite(one.get("difference")) is not None else "",
        "chance": "" if low is None or high is None else f"[{number(low, 3, sign=True)}, {number(high, 3, sign=True)}]",
        "verdict": say(VERDICTS[verdict]) if verdict else "",
        "alike": verdict == "alike",
    }


VERDICTS = {
    "alike": message("more alike than gold"),
    "varied": message("more varied than gold"),
    "unclear": message("as gold, within chance"),
}


def _verdict(name: str, one: JSON) -> str:
    """Which side of gold a measure puts the synthetic texts on; empty where nothing was dealt anew."""
    differs, apart = one.get("differs"), finite(one.get("difference"))
    if differs is None or apart is None:
        return ""
    if not differs:
        return "unclear"
    return "alike" if (apart > 0) == (name in ALIKE or name.startswith("self_bleu")) else "varied"


def _sentences(analysis: JSON, told: JSON, known: JSON) -> list[str]:
    lengths: JSON = told.get("mean_words") or {}
    mine, yours = finite(lengths.get("synthetic")), finite(lengths.get("gold"))
    values = {
        "n": count(told.get("n")),
        "tokeniser": str(told.get("tokeniser") or ""),
        "mine": number(mine, 1),
        "yours": number(yours, 1),
    }
    if yours is None:
        said = [say("{n} synthetic texts were measured, of {mine} words each on average ({tokeniser}).", **values)]
        said.append(say("There are no gold texts to say how varied texts of this kind are."))
    else:
        said = [
            say(
                "{n} texts of each set were measured: {mine} words in a synthetic text and {yours} in a gold one on average "
                "({tokeniser}).",
                **values,
            )
        ]
    said += _compared(analysis)
    if one := known.get("self_bleu_4"):
        said.append(_headline(one))
    verdicts = [_verdict(name, one) for name, one in known.items() if name in ALIKE or name in VARIED]
    if any(verdicts):
        said.append(
            say(
                "Of {all} measures {alike} find the synthetic texts more alike than gold, {varied} more varied, and "
                "{unclear} find no difference beyond chance.",
                all=len([one for one in verdicts if one]),
                **{name: verdicts.count(name) for name in VERDICTS},
            )
        )
    if mine and yours and max(mine, yours) > UNEQUAL * min(mine, yours):
        said.append(
            say(
                "The texts differ in length, which moves Self-BLEU and self-repetition; words, pairs and bytes are counted "
                "at the same number."
            )
        )
    return said + _grown(told)


def _compared(analysis: JSON) -> list[str]:
    """Said where not every row was compared: rows of one image are not independent, and very many take too long."""
    said = []
    for source, text in (
        ("gold", message("Gold rows about one image are not independent: one of each, {kept} of {all}, is compared.")),
        ("synthetic", message("Of {all} synthetic texts a random sample of {kept} is compared.")),
    ):
        kept = finite((analysis.get("compared") or {}).get(source))
        every = sum(finite(n) or 0 for n in ((analysis.get("counts") or {}).get(source) or {}).values())
        if kept is not None and kept < every:
            said.append(say(text, kept=count(kept), all=count(every)))
    return said


def _headline(one: JSON) -> str:
    values = {"mine": number(one.get("synthetic"), 3), "yours": number(one.get("gold"), 3)}
    match _verdict("self_bleu_4", one):
        case "alike":
            return say(
                "They repeat one another more than gold texts do: Self-BLEU-4 is {mine}, of gold {yours}.", **values
            )
        case "varied":
            return say(
                "They repeat one another less than gold texts do: Self-BLEU-4 is {mine}, of gold {yours}.", **values
            )
        case "unclear":
            return say(
                "They repeat one another about as much as gold texts do: Self-BLEU-4 is {mine}, of gold {yours}, a "
                "difference that chance makes too.",
                **values,
            )
    return say("Their Self-BLEU-4 is {mine}.", **values)


def _grown(told: JSON) -> list[str]:
    grown: JSON = (told.get("growth") or {}).get("synthetic") or {}
    sizes, values = list(grown.get("n") or ()), list(grown.get("self_bleu_4") or ())
    if (
        len(sizes) < 2
        or len(values) != len(sizes)
        or finite(values[-1]) is None
        or sizes[-1] <= (finite(told.get("n")) or 0)
    ):
        return []
    return [
        say(
            "Self-BLEU rises with the number of texts: among {n} synthetic ones it is {value}.",
            n=count(sizes[-1]),
            value=number(values[-1], 3),
        )
    ]


def _alarms(known: JSON) -> list[str]:
    one = known.get("distinct_2") or {}
    mine, yours = finite(one.get("synthetic")), finite(one.get("gold"))
    if mine is None or yours is None or not one.get("differs") or mine >= FEW_PAIRS * yours:
        return []
    return [
        say(
            "The synthetic texts are much alike: of their pairs of words {mine} are different, of gold's {yours}. A higher "
            "temperature, other shots in each prompt or words to write about (KADG) make them more varied.",
            mine=number(mine, 3),
            yours=number(yours, 3),
        )
    ]


def _by_label(told: JSON) -> Row | None:
    labels: JSON = told.get("labels") or {}
    rows = []
    for label, sides in labels.items():
        if not (sides or {}).get("synthetic"):
            continue
        cells = []
        for name in BY_LABEL:
            values = [finite(((sides or {}).get(side) or {}).get(name)) for side in SIDES]
            cells.append([number(value, 3) if value is not None else "" for value in values])
        rows.append({"label": str(label), "cells": cells})
    if not rows:
        return None
    return {"n": count(told.get("n")), "names": [measure_name(name) for name in BY_LABEL], "rows": rows}


def diversity_figures(analysis: JSON) -> dict[str, Figure]:
    """Growth of the vocabulary and of Self-BLEU, synthetic beside gold, by the names of their places."""
    growth: JSON = (analysis.get("diversity") or {}).get("growth") or {}
    drawn = {
        "diversity-words": _curves(
            growth, "words", "types", say("words|counted"), say("different words"), logarithmic=True
        ),
        "diversity-bleu": _curves(growth, "n", "self_bleu_4", say("number of texts"), "Self-BLEU-4", logarithmic=False),
    }
    return {name: one for name, one in drawn.items() if one}


def _curves(growth: JSON, x: str, y: str, across: str, up: str, *, logarithmic: bool) -> Figure | None:
    traces = []
    drawn: list[tuple[float, float]] = []
    for side, shade in SIDES.items():
        told: JSON = growth.get(side) or {}
        pairs = zip(told.get(x) or (), told.get(y) or (), strict=False)
        points = [(a, b) for a, b in pairs if (finite(a) or 0) > 0 and finite(b) is not None]
        if len(points) < 2:
            continue
        drawn += points
        name = say("synthetic") if side == "synthetic" else say("gold")
        traces.append(
            go.Scatter(
                x=[a for a, _ in points],
                y=[b for _, b in points],
                mode="lines+markers",
                name=escape(name),
                line={"color": colour(shade), "width": 2.2, "dash": "solid" if side == "synthetic" else "dash"},
                marker={"size": 6, "symbol": "circle" if side == "synthetic" else "diamond"},
                text=[f"{count(a)}: {count(b) if logarithmic else number(b, 3)}" for a, b in points],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    if not traces:
        return None
    rising: dict[str, Any] = {"title": up, "nticks": 5}
    if logarithmic:
        rising |= {"type": "log", **log_ticks(b for _, b in drawn)}
    return figure(
        traces,
        300,
        {"font": SMALL},
        showlegend=len(traces) > 1,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": across, "type": "log", "showgrid": False, **log_ticks(a for a, _ in drawn)},
        yaxis=rising,
    )
