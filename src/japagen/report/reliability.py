"""The reliability plot: accuracy against confidence, in bins, of the primary system and up to three others."""

from __future__ import annotations

import math
from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.calibration import bins_of, shown
from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure
from japagen.report.words import JSON, count, number, primary_of, system_phrase

SHADES = {"supervised": "gold", "gold": "gold", "japagen": "japagen", "arm": "japagen", "prompted": "prompted"}
SYMBOLS = {
    "japagen": "circle",
    "arm": "circle-open",
    "gold": "diamond",
    "supervised": "star-diamond",
    "prompted": "square",
}
SMALLEST, LARGEST = 5.0, 22.0


def reliability(scores: JSON) -> Figure | None:
    """A line for each system, its points as large as the share of its answers that they hold; None where no bins are."""
    primary, systems = primary_of(scores), shown(scores)
    if not systems:
        return None
    traces: list[Any] = [_diagonal()]
    used: dict[str, int] = {}
    for system in systems:
        kind = str(system.get("kind"))
        shade = SHADES.get(kind, "majority")
        nth = used[shade] = used.get(shade, -1) + 1
        traces.append(_line(system, shade, SYMBOLS.get(kind, "circle"), nth, mine=system is primary))
    ends = {"range": [-0.03, 1.03], "tickvals": [0, 0.2, 0.4, 0.6, 0.8, 1]}
    return figure(
        traces,
        500,
        {"font": SMALL},
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "itemsizing": "constant"},
        xaxis={"title": say("mean confidence"), **ends},
        yaxis={"title": say("accuracy"), **ends},
    )


def _diagonal() -> Any:
    line = {"color": colour("muted"), "width": 1.2, "dash": "dot"}
    ends = {"x": [0, 1], "y": [0, 1]}
    return go.Scatter(**ends, mode="lines", line=line, hoverinfo="skip", showlegend=False)


def _line(system: JSON, shade: str, symbol: str, nth: int, *, mine: bool) -> Any:
    """One system; the `nth` of its colour has its own dashes."""
    bins, name = bins_of(system), escape(system_phrase(system).removeprefix("the "))
    total = sum(one["n"] for one in bins)
    sizes = [SMALLEST + (LARGEST - SMALLEST) * math.sqrt(one["n"] / total) for one in bins]
    text = [
        f"{name}<br>"
        + say(
            "confidence {confidence}, accuracy {accuracy}, {n} answers",
            confidence=number(one["confidence"]),
            accuracy=number(one["accuracy"]),
            n=count(one["n"]),
        )
        for one in bins
    ]
    return go.Scatter(
        x=[one["confidence"] for one in bins],
        y=[one["accuracy"] for one in bins],
        mode="lines+markers",
        name=name,
        line={"color": colour(shade), "width": 2.4 if mine else 1.4, "dash": ("solid", "dash", "dot")[min(nth, 2)]},
        marker={"color": colour(shade), "size": sizes, "symbol": symbol, "line": {"width": 0}, "opacity": 1},
        text=text,
        hovertemplate="%{text}<extra></extra>",
    )
