"""The figures of fidelity: vocabulary and style beside their ceilings, lengths of texts. Drawn from the JSON as it is."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from japagen.report.fidelity import ASPECTS, PARTS, vocabulary_of
from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure
from japagen.report.words import JSON, finite, number, source_name

Range = tuple[float, float, float]
LEGEND = {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"}
MOST = 12
"""Labels whose lengths are drawn."""


def drawn(analysis: JSON, labels: Sequence[str]) -> dict[str, Figure]:
    """fidelity-vocabulary, fidelity-style, and fidelity-lengths-1 and so on, those that the data allows."""
    found = {
        "fidelity-vocabulary": _vocabulary(vocabulary_of(analysis)),
        "fidelity-style": _style((analysis.get("style") or {}).get("aspects") or {}),
    }
    sides = (analysis.get("style") or {}).get("lengths") or {}
    found |= {f"fidelity-lengths-{at}": one for at, one in enumerate(_lengths(sides, labels[:MOST]), 1)}
    return {name: one for name, one in found.items() if one}


def _vocabulary(told: JSON) -> Figure | None:
    parts: JSON = told.get("by_part") or {}
    rows = [(say("all words"), told), *((say(PARTS[part]), parts[part]) for part in PARTS if part in parts)]
    found = [
        (name, (ours, ceiling))
        for name, one in rows
        if (ours := _range(one.get("synthetic_gold"))) and (ceiling := _range(one.get("gold_gold")))
    ]
    names = (say("synthetic and gold"), say("gold and gold"))
    return _beside(found, names, say("vocabulary shared (Jaccard)")) if found else None


def _style(aspects: JSON) -> Figure | None:
    found = []
    for name in ASPECTS:
        one = ((aspects.get(name) or {}).get("distance") or {}).get("all") or {}
        ceiling = {"value": one.get("ceiling"), "low": one.get("ceiling_low"), "high": one.get("ceiling_high")}
        if (ours := _range(one)) and (gold := _range(ceiling)):
            found.append((say(ASPECTS[name]), (ours, gold)))
    names = (say("synthetic and gold"), say("gold and gold"))
    return _beside(found, names, say("distance in bits (Jensen-Shannon)")) if found else None


def _range(one: JSON | None) -> Range | None:
    low, value, high = (finite((one or {}).get(key)) for key in ("low", "value", "high"))
    return None if low is None or value is None or high is None else (low, value, high)


def _beside(rows: Sequence[tuple[str, tuple[Range, Range]]], names: tuple[str, str], title: str) -> Figure:
    """Two dots with the range of their draws on each line: ours above, the ceiling below."""
    traces = []
    for place, (name, shade, symbol) in enumerate(zip(names, ("japagen", "gold"), ("circle", "diamond"), strict=True)):
        ranges = [sides[place] for _, sides in rows]
        error = {
            "type": "data",
            "symmetric": False,
            "array": [high - value for _, value, high in ranges],
            "arrayminus": [value - low for low, value, _ in ranges],
            "width": 0,
            "thickness": 2.2,
            "color": colour(shade),
        }
        traces.append(
            go.Scatter(
                x=[value for _, value, _ in ranges],
                y=[at - 0.13 + 0.26 * place for at in range(len(rows))],
                mode="markers",
                name=name,
                marker={"color": colour(shade), "size": 9, "symbol": symbol, "line": {"width": 0}},
                error_x=error,
                text=[
                    f"{escape(row)}: {number(value, 3)} [{number(low, 3)}, {number(high, 3)}]"
                    for (row, _), (low, value, high) in zip(rows, ranges, strict=True)
                ],
                hovertemplate="%{text}<extra>" + escape(name) + "</extra>",
            )
        )
    return figure(
        traces,
        90 + 38 * len(rows),
        {"font": SMALL},
        showlegend=True,
        legend=LEGEND,
        xaxis={"title": title, "rangemode": "tozero", "nticks": 7},
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [escape(name) for name, _ in rows],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "tickfont": {"color": colour("ink")},
        },
    )


def _lengths(sides: JSON, labels: Sequence[str]) -> list[Figure]:
    """For each label the lengths of synthetic and gold texts, as densities, so that unequal numbers compare."""
    told = {source: sides.get(source) or {} for source in ("synthetic", "gold")}
    steps = {
        (label, source): found
        for label in labels
        for source in told
        if (found := _density((told[source].get(label) or {}).get("histogram")))
    }
    if not steps:
        return []
    right, top = max(xs[-1] for xs, _ in steps.values()), max(max(ys) for _, ys in steps.values()) * 1.06
    drawn_ones = []
    for label in labels:
        traces = [_step(*steps[label, source], source) for source in told if (label, source) in steps]
        if traces:
            x = {"title": say("characters"), "range": [0, right], "showgrid": False, "nticks": 6}
            y = {"range": [0, top], "nticks": 4, "tickformat": ".1%"}
            drawn_ones.append(figure(traces, 260, showlegend=True, legend=LEGEND, xaxis=x, yaxis=y) | {"title": label})
    return drawn_ones


def _step(xs: list[float], ys: list[float], source: str) -> Any:
    shade, dash = ("japagen", "solid") if source == "synthetic" else ("gold", "dash")
    return go.Scatter(
        x=xs,
        y=ys,
        mode="lines",
        name=source_name(source),
        line={"color": colour(shade), "width": 1.8, "shape": "hv", "dash": dash},
        fill="tozeroy",
        fillcolor=colour(shade, 0.13),
        hovertemplate=say("{n} characters and more: {share} per character", n="%{x}", share="%{y:.1%}")
        + "<extra></extra>",
    )


def _density(histogram: JSON | None) -> tuple[list[float], list[float]] | None:
    """A histogram as a step line of shares per character; None for what is no histogram or empty.

    A last bin much wider than the others, of the few texts that are longer than nearly all, is cut at twice their width.
    """
    edges, counts = list((histogram or {}).get("edges") or []), (histogram or {}).get("counts") or []
    total = sum(counts)
    if not total or len(edges) != len(counts) + 1 or sorted(set(edges)) != edges:
        return None
    heights = [n / total / (right - left) for n, (left, right) in zip(counts, pairwise(edges), strict=True)]
    if len(edges) > 2:
        edges[-1] = min(edges[-1], edges[-2] + 2 * (edges[1] - edges[0]))
    return [float(edge) for edge in edges], [*heights, 0.0]
