"""The figures of the report, as Plotly's JSON: flow of rows, scores, learning from gold, calibration, the analysis.

Drawn in the light colours of the palette, which the page's script swaps in the dark. `narrow` holds the changes of the
layout for a small screen. Text is escaped, because Plotly takes some HTML in labels.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.correctnessplot import correctness_figures
from japagen.report.diversity import diversity_figures
from japagen.report.embedding import map_figure
from japagen.report.fidelity import fidelity_figures
from japagen.report.flow import flow
from japagen.report.keyness import keyness_figures
from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure, margin_note
from japagen.report.reliability import reliability
from japagen.report.scalingplot import scaling_figures
from japagen.report.scoretable import groups
from japagen.report.words import (
    JSON,
    bounds,
    count,
    finite,
    metric_name,
    metric_of,
    number,
    primary_of,
    score_of,
    system_label,
    systems_of,
)

SYMBOLS = {
    "japagen": "circle",
    "arm": "circle-open",
    "gold": "diamond",
    "supervised": "star-diamond",
    "prompted": "square",
    "majority": "circle",
}
SHADES = {"supervised": "gold", "arm": "japagen"}
"""The colour of a kind that has none of its own name."""


def figures(stages: JSON, scores: JSON, analysis: JSON, labels: Sequence[str]) -> dict[str, Figure]:
    """Every figure that the data allows, by the name of its place in the page."""
    drawn = {"rows": flow(stages, labels), "scores": intervals(scores), "gold": learning(scores)}
    drawn |= {"reliability": reliability(scores), "map": map_figure(analysis)}
    drawn |= scaling_figures(analysis) | correctness_figures(analysis, labels) | diversity_figures(analysis)
    drawn |= fidelity_figures(analysis, labels) | keyness_figures(analysis, labels)
    return {name: one for name, one in drawn.items() if one}


def intervals(scores: JSON) -> Figure | None:
    """Every system as a dot with its 95 % interval and its seeds, below the heading of its kind."""
    metric, primary = metric_of(scores), primary_of(scores)
    band = score_of(primary or {}, metric)
    names: dict[float, str] = {}
    traces, notes, ends, at = [], [], [], 0.0
    for kind, title, members in groups(scores):
        shade = SHADES.get(kind, kind if kind in SYMBOLS else "majority")
        members = [s for s in members if finite(score_of(s, metric).get("value")) is not None]
        if not members:
            continue
        heading = {"x": 0, "xref": "paper", "xanchor": "left", "xshift": 6, "y": at, "yref": "y", "yanchor": "middle"}
        notes.append(
            {**heading, "text": f"<b>{escape(title)}</b>", "showarrow": False, "font": {"color": colour(shade)}}
        )
        places = [at + 1 + step for step in range(len(members))]
        at = places[-1] + 1.5
        told = [score_of(s, metric) for s in members]
        names |= {place: escape(system_label(system)) for place, system in zip(places, members, strict=True)}
        values = [finite(score["value"]) or 0.0 for score in told]
        seeds = [
            (s, p)
            for score, p in zip(told, places, strict=True)
            for s in score.get("by_seed") or ()
            if finite(s) is not None
        ]
        ends += [s for s, _ in seeds]
        if len(seeds) > len(members):
            dots = {"color": colour(shade, 0.38), "size": 5}
            xs, ys = [s for s, _ in seeds], [p + 0.27 for _, p in seeds]
            traces.append(
                go.Scatter(
                    x=xs,
                    y=ys,
                    mode="markers",
                    marker=dots,
                    hovertemplate=say("seed: {score}", score="%{x:.3f}") + "<extra></extra>",
                )
            )
        up = [_reach(v, s.get("high")) for s, v in zip(told, values, strict=True)]
        down = [_reach(v, s.get("low")) for s, v in zip(told, values, strict=True)]
        ends += [v + u for v, u in zip(values, up, strict=True)] + [v - d for v, d in zip(values, down, strict=True)]
        line = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 0, "thickness": 2.2}
        traces.append(
            go.Scatter(
                x=values,
                y=places,
                mode="markers",
                marker={
                    "color": colour(shade),
                    "size": 10,
                    "symbol": SYMBOLS.get(kind, "circle"),
                    "line": {"width": 0},
                },
                error_x={**line, "color": colour(shade)},
                text=[
                    f"{names[p]} {number(v, 3)} {bounds(s, 3)}" for p, v, s in zip(places, values, told, strict=True)
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
        notes += [margin_note(place, number(value, 3), shade) for place, value in zip(places, values, strict=True)]
    if not traces:
        return None
    room = 0.03 * (max(ends) - min(ends)) or 0.05
    return figure(
        traces,
        int(70 + 27 * at),
        {"font": SMALL},
        annotations=notes,
        shapes=_band(band, "x"),
        margin={"l": 8, "r": 46, "t": 8, "b": 8},
        xaxis={"title": metric_name(metric), "nticks": 7, "range": [min(ends) - room, max(ends) + room]},
        yaxis={
            "tickvals": list(names),
            "ticktext": list(names.values()),
            "range": [at - 0.4, -0.7],
            "showgrid": False,
            "tickfont": {"color": colour("ink")},
        },
    )


def _reach(value: float, bound: object) -> float:
    """How far an interval reaches from its value; 0 where it has no bound."""
    end = finite(bound)
    return 0.0 if end is None else abs(end - value)


def _band(score: JSON, axis: str) -> list[dict[str, Any]]:
    """The primary's interval across the plot, and its value as a dotted line."""
    low, value, high = (finite(score.get(key)) for key in ("low", "value", "high"))
    across = {"xref": "x", "yref": "paper"} if axis == "x" else {"xref": "paper", "yref": "y"}
    other = "y" if axis == "x" else "x"
    ends = {f"{other}0": 0, f"{other}1": 1, "layer": "below", **across}
    shapes: list[dict[str, Any]] = []
    if low is not None and high is not None:
        fill = {"fillcolor": colour("japagen", 0.13), "line": {"width": 0}}
        shapes.append({"type": "rect", f"{axis}0": low, f"{axis}1": high, **ends, **fill})
    if value is not None:
        line = {"color": colour("japagen"), "width": 1.2, "dash": "dot"}
        shapes.append({"type": "line", f"{axis}0": value, f"{axis}1": value, **ends, "line": line})
    return shapes


def learning(scores: JSON) -> Figure | None:
    """What K gold examples per label give, beside the level of the primary."""
    metric, primary = metric_of(scores), primary_of(scores)
    mine = (primary or {}).get("student")
    sized = [s for s in systems_of(scores, "gold") if (finite(s.get("k")) or 0) > 0]
    sized = [s for s in sized if finite(score_of(s, metric).get("value")) is not None]
    students = sorted({str(s.get("student")) for s in sized}, key=lambda name: (name != str(mine), name))
    if not students or len({s["k"] for s in sized}) < 2:
        return None
    traces: list[Any] = []
    for place, student in enumerate(students):
        line = sorted((s for s in sized if str(s.get("student")) == student), key=lambda s: s["k"])
        told = [score_of(s, metric) for s in line]
        ks, values = [s["k"] for s in line], [score["value"] for score in told]
        both = [(k, finite(s.get("low")), finite(s.get("high"))) for k, s in zip(ks, told, strict=True)]
        if place == 0 and all(low is not None and high is not None for _, low, high in both):
            edge = {"x": [*ks, *reversed(ks)], "y": [high for *_, high in both] + [low for _, low, _ in reversed(both)]}
            traces.append(
                go.Scatter(
                    **edge,
                    fill="toself",
                    fillcolor=colour("gold", 0.13),
                    line={"width": 0},
                    mode="lines",
                    hoverinfo="skip",
                    showlegend=False,
                )
            )
        style = {
            "color": colour("gold"),
            "width": 2.4 if place == 0 else 1.4,
            "dash": ("solid", "dash", "dot")[min(place, 2)],
        }
        traces.append(
            go.Scatter(
                x=ks,
                y=values,
                mode="lines+markers",
                name=say("gold, {student}", student=escape(student)),
                line=style,
                marker={"size": 8 if place == 0 else 6, "symbol": ("diamond", "circle", "square")[min(place, 2)]},
                text=[
                    say("{n} per label: {score}", n=count(k), score=f"{number(v, 3)} {bounds(s, 3)}")
                    for k, v, s in zip(ks, values, told, strict=True)
                ],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    anchored = finite((primary or {}).get("anchor_rows"))
    learnt_from = say("synthetic and gold") if anchored else say("synthetic")
    name = say("{data}, {student}", data=learnt_from, student=escape(str(mine)))
    level = {"color": colour("japagen"), "width": 1.2, "dash": "dot"}
    traces.append(go.Scatter(x=[None], y=[None], mode="lines", line=level, name=name))
    return figure(
        traces,
        380,
        {"font": SMALL},
        shapes=_band(score_of(primary or {}, metric), "y"),
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={
            "type": "log",
            "title": say("gold examples per label"),
            "tickvals": sorted({s["k"] for s in sized}),
            "showgrid": False,
        },
        yaxis={"title": metric_name(metric), "nticks": 6},
    )
