"""The figure of the learning curve: synthetic rows with fit and band, gold rows beside them, twice the rows as expected.

Drawn from the analysis' `scaling`. Knows nothing of HTML but that Plotly takes some in labels.
"""

from __future__ import annotations

import math
from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure, log_ticks
from japagen.report.words import JSON, count, finite, metric_name, scored


def scaling_figures(analysis: JSON) -> dict[str, Figure]:
    """The learning curve of synthetic rows with its band, beside that of gold, by the name of its place."""
    told: JSON = analysis.get("scaling") or {}
    students = list(told.get("students") or ())
    if not students or len(students[0].get("points") or ()) < 2:
        return {}
    traces: list[Any] = []
    for place, one in enumerate(students):
        traces += _student_traces(one, place)
    values = [tick for one in students for key in ("points", "gold") for tick in (p["n"] for p in one.get(key) or ())]
    drawn = figure(
        traces,
        420,
        {"font": SMALL},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={
            "type": "log",
            "title": say("rows learnt from"),
            "range": [math.log10(min(values)) - 0.06, math.log10(2 * max(values)) + 0.06],
            "showgrid": False,
            **log_ticks([min(values), 2 * max(values)]),
        },
        yaxis={"title": metric_name(str(told.get("metric"))), "nticks": 6},
    )
    return {"scaling": drawn}


def _student_traces(one: JSON, place: int) -> list[Any]:
    """Band, curve and points of one student; that of the first is drawn whole, others as lines."""
    student, traces = escape(str(one.get("student"))), []
    width, dash = (2.2, "solid") if not place else (1.3, ("dash", "dot")[min(place - 1, 1)])
    band: JSON = one.get("band") or {}
    if band and not place:
        xs, ends = list(band["n"]), [*band["high"], *reversed(band["low"])]
        area = {"fill": "toself", "fillcolor": colour("japagen", 0.13), "line": {"width": 0}, "hoverinfo": "skip"}
        traces.append(go.Scatter(x=[*xs, *reversed(xs)], y=ends, mode="lines", showlegend=False, **area))
    if band:
        line = {"color": colour("japagen"), "width": width, "dash": dash}
        traces.append(
            go.Scatter(x=band["n"], y=band["value"], mode="lines", line=line, hoverinfo="skip", showlegend=False)
        )
    for key, shade, symbol, name in (
        ("points", "japagen", "circle", say("synthetic, {student}", student=student)),
        ("gold", "gold", "diamond", say("gold, {student}", student=student)),
    ):
        points = list(one.get(key) or ())
        if not points:
            continue
        scores = [point["score"] for point in points]
        up, down = ([abs((finite(s.get(end)) or s["value"]) - s["value"]) for s in scores] for end in ("high", "low"))
        bars = {"type": "data", "symmetric": False, "array": up, "arrayminus": down, "width": 0, "thickness": 1.6}
        lines = key == "gold" or not band
        traces.append(
            go.Scatter(
                x=[point["n"] for point in points],
                y=[score["value"] for score in scores],
                mode="lines+markers" if lines else "markers",
                name=name,
                line={"color": colour(shade), "width": width, "dash": dash},
                marker={"color": colour(shade), "size": 9 if not place else 6, "symbol": symbol, "line": {"width": 0}},
                error_y={**bars, "color": colour(shade)} if not place else None,
                text=[say("{n} rows: {score}", n=count(p["n"]), score=scored(p["score"], 3)) for p in points],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    twice: JSON = one.get("twice") or {}
    if twice and not place:
        open_circle = {"color": colour("japagen"), "size": 10, "symbol": "circle-open", "line": {"width": 2}}
        traces.append(
            go.Scatter(
                x=[twice["n"]],
                y=[twice["value"]],
                mode="markers",
                name=say("expected of twice the rows"),
                marker=open_circle,
                text=[say("{n} rows: {score}", n=count(twice["n"]), score=scored(twice, 3))],
                hovertemplate="%{text}<extra></extra>",
            )
        )
    return traces
