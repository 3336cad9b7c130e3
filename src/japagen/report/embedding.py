"""Synthetic beside gold texts as their vectors show them: MAUVE, density, coverage, Vendi score, and the map of texts.

Drawn from the analysis' `embedding` and `map`. An alarm where whole intervals lie below half of what gold reaches: coverage
(kinds of texts are missing) or the Vendi score (texts are much alike). Knows nothing of HTML.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.language import message, say
from japagen.report.look import SMALL, Figure, colour, figure
from japagen.report.words import JSON, bounds, count, finite, number, scored

Row = dict[str, Any]

MEASURES = {"mauve": message("MAUVE"), "density": message("density"), "coverage": message("coverage")}
EXPLAINED = {
    "mauve": message("how near the two distributions are as a whole; 1 is equal"),
    "density": message("whether synthetic texts lie where gold texts lie"),
    "coverage": message("how much of where gold texts lie the synthetic ones reach"),
}
SHAPES = (("circle", "diamond-open"), ("square", "cross-open"), ("triangle-up", "star-open"))
"""Of synthetic and of gold texts; the next pair once the colours of labels are used up."""
TINTS = 6
LOW = 0.5
"""Alarm below this share of what gold reaches."""
LINE = 26  # characters of a line that a point shows


def embedding(analysis: JSON) -> Row | None:
    """Figures overall and by label, texts far from the other side, alarms and sentences; None where there are no vectors."""
    told: JSON = analysis.get("embedding") or {}
    if not told:
        return None
    overall: JSON = told.get("overall") or {}
    rows = [_row(name, overall[name]) for name in MEASURES if overall.get(name)]
    named: JSON = told.get("by_label") or {}
    columns = [name for name in MEASURES if any((one or {}).get(name) for one in named.values())]
    by_label = [_label(label, one or {}, columns) for label, one in named.items()]
    far: JSON = told.get("far") or {}
    return {
        "sentences": _sentences(told, overall),
        "alarms": _alarms(overall),
        "n": count(overall.get("n")),
        "encoder": str(told.get("encoder") or ""),
        "rows": rows,
        "vendi": _vendi(overall.get("vendi") or {}),
        "columns": [say(MEASURES[name]) for name in columns],
        "by_label": [one for one in by_label if one["known"]],
        "unknown": [one["label"] for one in by_label if not one["known"]],
        "far": [
            {"source": side, "rows": [_far(one) for one in far[side]]}
            for side in ("synthetic", "gold")
            if far.get(side)
        ],
        "signatures": _signatures(overall),
        "map": _map(analysis.get("map") or {}),
    }


def _row(name: str, one: JSON) -> Row:
    gap = {"value": one.get("gap"), "low": one.get("gap_low"), "high": one.get("gap_high")}
    ceiling = {"value": one.get("ceiling"), "low": one.get("ceiling_low"), "high": one.get("ceiling_high")}
    return {
        "name": say(MEASURES[name]),
        "about": say(EXPLAINED[name]),
        "value": number(one.get("value")),
        "interval": bounds(one),
        "ceiling": number(one.get("ceiling")),
        "ceiling_interval": bounds(ceiling),
        "gap": number(one.get("gap")),
        "gap_interval": bounds(gap),
    }


def _vendi(told: JSON) -> Row | None:
    mine, yours, ratio = (told.get(key) or {} for key in ("synthetic", "gold", "ratio"))
    if not mine:
        return None
    return {
        "synthetic": scored(mine, 1),
        "gold": scored(yours, 1) if yours else "",
        "ratio": scored(ratio) if ratio else "",
    }


def _label(label: str, one: JSON, columns: Sequence[str]) -> Row:
    ratio = (one.get("vendi") or {}).get("ratio") or {}
    return {
        "label": label,
        "n": count(one.get("n")),
        "cells": [_cell(one.get(name) or {}) for name in columns],
        "ratio": scored(ratio) if ratio else "",
        "known": any(one.get(name) for name in columns),
    }


def _cell(told: JSON) -> Row:
    """A value with its ceiling behind a stroke; empty where there is none."""
    if finite(told.get("value")) is None:
        return {"value": "", "interval": ""}
    return {"value": f"{number(told.get('value'))} / {number(told.get('ceiling'))}", "interval": bounds(told)}


def _far(one: JSON) -> Row:
    return {
        "id": str(one.get("id") or ""),
        "label": str(one.get("label") or ""),
        "text": str(one.get("text") or "").replace("\n", " / "),
        "similarity": number(one.get("similarity")),
        "nearest": str(one.get("nearest_text") or "").replace("\n", " / "),
    }


def _signatures(overall: JSON) -> list[str]:
    parts = [overall.get(name) or {} for name in MEASURES]
    parts += [(overall.get("vendi") or {}).get(key) or {} for key in ("synthetic", "gold", "ratio")]
    return [str(one["signature"]) for one in parts if one.get("signature")]


def _map(told: JSON) -> Row | None:
    points: JSON = told.get("points") or {}
    sides = [int(side) for side in points.get("set") or ()]
    if not sides:
        return None
    return {
        "signature": str(told.get("signature") or ""),
        "says": say(
            "{synthetic} synthetic and {gold} gold texts on a plane. Of each text's ten nearest neighbours the map keeps "
            "{kept} (chance: {chance}); distances between groups, and their sizes, mean nothing.",
            synthetic=count(sides.count(0)),
            gold=count(sides.count(1)),
            kept=number(told.get("neighbours_kept")),
            chance=number(told.get("by_chance")),
        ),
    }


def _sentences(told: JSON, overall: JSON) -> list[str]:
    sampled: JSON = told.get("sampled") or {}
    sample = message(
        "A sample of {synthetic} synthetic and {gold} gold rows was turned into vectors by the encoder {encoder}."
    )
    if not finite(sampled.get("gold")):
        sample = message("A sample of {synthetic} synthetic rows was turned into vectors by the encoder {encoder}.")
    said = [
        say(
            sample,
            synthetic=count(sampled.get("synthetic")),
            gold=count(sampled.get("gold")),
            encoder=str(told.get("encoder") or ""),
        )
    ]
    if told.get("unit") == "pair":
        said.append(say("A pair is the vectors of both its texts, one behind the other."))
    if why := _undefined(overall, told.get("least")):
        said.append(why)
    for name in MEASURES:
        if one := overall.get(name) or {}:
            said.append(_compared(say(MEASURES[name]), one, count(overall.get("n"))))
        elif name == "mauve" and overall.get("coverage"):
            said.append(say("MAUVE takes at least {least} rows of each set.", least=count(told.get("least_for_mauve"))))
    vendi = overall.get("vendi") or {}
    if (ratio := vendi.get("ratio") or {}) and finite(ratio.get("value")) is not None:
        said.append(
            say(
                "By the Vendi score the synthetic rows are worth {mine} wholly different ones, as many gold rows {yours}: a "
                "ratio of {ratio}.",
                mine=number((vendi.get("synthetic") or {}).get("value"), 0),
                yours=number((vendi.get("gold") or {}).get("value"), 0),
                ratio=scored(ratio),
            )
        )
    elif mine := vendi.get("synthetic") or {}:
        said.append(
            say("By the Vendi score the synthetic rows are worth {mine} wholly different ones.", mine=scored(mine, 1))
        )
    return said


def _undefined(overall: JSON, least: object) -> str:
    """Why synthetic and gold were not compared; empty where they were."""
    rows: JSON = overall.get("rows") or {}
    if not overall.get("undefined"):
        return ""
    if not finite(rows.get("gold")):
        return say("There are no gold rows to compare with.")
    return say(
        "They are too few to compare: it takes {least} synthetic rows, and twice as many of gold.", least=count(least)
    )


def _compared(name: str, one: JSON, n: str) -> str:
    """A measure beside its ceiling, with what the gap's interval allows to say."""
    low, high = finite(one.get("gap_low")), finite(one.get("gap_high"))
    values = {
        "name": f"{name[0].upper()}{name[1:]}",
        "value": scored(one),
        "ceiling": number(one.get("ceiling")),
        "n": n,
        "gap": scored({"value": one.get("gap"), "low": low, "high": high}),
    }
    if low is not None and low > 0:
        return say("{name} is {value}; other gold rows reach {ceiling} at the same n of {n}: a gap of {gap}.", **values)
    if high is not None and high < 0:
        return say("{name} is {value}, above the {ceiling} of other gold rows at the same n of {n}.", **values)
    return say(
        "{name} is {value}, not distinguishable from the {ceiling} of other gold rows at the same n of {n}.", **values
    )


def _alarms(overall: JSON) -> list[str]:
    said = []
    reached: JSON = overall.get("coverage") or {}
    high, ceiling = finite(reached.get("high")), finite(reached.get("ceiling"))
    if high is not None and ceiling is not None and high < LOW * ceiling:
        said.append(
            say(
                "The synthetic texts reach {value} of where gold texts lie; other gold texts reach {ceiling}. Whole kinds "
                "of texts are missing. Read the gold texts that have nothing near, and give the language model words, "
                "registers or shots of their kind.",
                value=scored(reached),
                ceiling=number(ceiling),
            )
        )
    ratio: JSON = (overall.get("vendi") or {}).get("ratio") or {}
    high = finite(ratio.get("high"))
    if high is not None and high < LOW:
        said.append(
            say(
                "The synthetic texts are much alike: their Vendi score is {ratio} of that of as many gold texts. A higher "
                "temperature, more shots or more words (KADG) make them more varied.",
                ratio=scored(ratio),
            )
        )
    return said


def map_figure(analysis: JSON) -> Figure | None:
    """The map: a colour for each label, filled points are synthetic, open ones gold; a point shows its text."""
    told: JSON = analysis.get("map") or {}
    points: JSON = told.get("points") or {}
    rows = list(zip(*(points.get(key) or () for key in ("x", "y", "set", "label", "id", "text")), strict=False))
    labels = [str(label) for label in told.get("labels") or ()]
    rows = [row for row in rows if finite(row[0]) is not None and finite(row[1]) is not None]
    if not rows:
        return None
    sides = (say("synthetic"), say("gold"))
    present = {row[2] for row in rows}
    traces: list[Any] = [
        go.Scatter(
            x=[None], y=[None], mode="markers", name=name, hoverinfo="skip",
            marker={"symbol": SHAPES[0][side], "color": colour("muted"), "size": 9},
        )
        for side, name in enumerate(sides) if side in present
    ]  # fmt: skip
    for place in [*range(len(labels)), None]:
        label = say("another label") if place is None else labels[place]
        tint = colour("lost" if place is None else f"label{place % TINTS + 1}")
        sets = [[row for row in rows if row[2] == side and _place(row, labels) == place] for side in (0, 1)]
        for side in (1, 0):  # synthetic points lie on top
            if sets[side]:
                symbol = SHAPES[((place or 0) // TINTS) % len(SHAPES)][side]
                listed = side == 0 or not sets[0]
                group = f"label-{place}"  # not the label itself: Plotly keeps groups as keys of an object
                traces.append(_points(sets[side], f"{sides[side]} · {label}", label, group, symbol, tint, listed))
    bare = {"visible": False}
    legend = {"orientation": "h", "x": 0, "y": 1.01, "yanchor": "bottom", "itemsizing": "constant"}
    return figure(
        traces,
        620,
        {"font": SMALL, "height": 560},
        hovermode="closest",
        showlegend=True,
        legend=legend,
        xaxis=bare,
        yaxis=bare,
    )


def _place(row: Sequence[Any], labels: Sequence[str]) -> int | None:
    """Position of a point's label; None for one that the task does not have."""
    return row[3] if isinstance(row[3], int) and 0 <= row[3] < len(labels) else None


def _points(
    rows: Sequence[Sequence[Any]], name: str, label: str, group: str, symbol: str, tint: str, listed: bool
) -> Any:
    gold = symbol.endswith("-open")
    return go.Scatter(
        x=[row[0] for row in rows],
        y=[row[1] for row in rows],
        mode="markers",
        name=escape(label),
        legendgroup=group,
        showlegend=listed,
        marker={
            "symbol": symbol,
            "color": tint,
            "size": 7 if gold else 6,
            "opacity": 0.85,
            "line": {"width": 1.2 if gold else 0},
        },
        text=[_hover(str(row[4]), str(row[5])) for row in rows],
        hovertemplate=f"<b>{escape(name).replace('%{', '% {')}</b><br>%{{text}}<extra></extra>",
    )


def _hover(name: str, text: str) -> str:
    """Id and text in short lines, escaped: Plotly reads HTML."""
    lines = [part[at : at + LINE] for part in text.split("\n") for at in range(0, len(part), LINE)]
    return "<br>".join(escape(line) for line in [*lines, name])
