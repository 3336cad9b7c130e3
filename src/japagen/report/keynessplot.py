"""The figure of key words: how sure it is that a word sets the sets apart, by how much more often one of them uses it."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure, log_ticks
from japagen.report.words import JSON, count, finite, number, source_name

NAMED = 12
"""Words of a side that are written beside their dots."""


def drawn(analysis: JSON) -> dict[str, Figure]:
    """`keyness-words`; nothing where no word is key."""
    told = (analysis.get("keyness") or {}).get("all") or {}
    traces, ends, heights = [], [], []
    for source, shade, symbol, side in (("synthetic", "japagen", "circle", 1), ("gold", "gold", "diamond", -1)):
        words = [one for one in told.get(source) or () if _placed(one)]
        if not words:
            continue
        xs = [side * (finite(one.get("log_ratio")) or 0.0) for one in words]
        ends += xs
        ys = [min(one["ratio"], one["texts_ratio"]) for one in words]
        heights += ys
        traces.append(
            go.Scatter(
                x=xs,
                y=ys,
                mode="markers+text",
                name=source_name(source),
                marker={"color": colour(shade), "size": 8, "symbol": symbol, "line": {"width": 0}},
                text=[escape(str(one.get("word"))) if at < NAMED else "" for at, one in enumerate(words)],
                textposition="top center",
                textfont={"color": colour(shade), "size": 12},
                customdata=[_says(one) for one in words],
                hovertemplate="%{customdata}<extra></extra>",
                cliponaxis=False,
            )
        )
    if not traces:
        return {}
    reach = max(abs(end) for end in ends) * 1.15 + 0.5
    line = {"type": "line", "x0": 0, "x1": 0, "y0": 0, "y1": 1, "yref": "paper", "layer": "below"}
    return {
        "keyness-words": figure(
            traces,
            440,
            {"font": SMALL},
            showlegend=True,
            legend={"orientation": "h", "x": 0, "y": 1.04, "yanchor": "bottom"},
            margin={"l": 8, "r": 8, "t": 30, "b": 8},
            shapes=[{**line, "line": {"color": colour("muted"), "width": 1, "dash": "dot"}}],
            xaxis={
                "title": say("log ratio: 1 is twice as often; right: synthetic, left: gold"),
                "range": [-reach, reach],
            },
            yaxis={"title": "G²", "type": "log", **log_ticks(heights)},
        )
    }


def _placed(one: JSON) -> bool:
    """Whether the word has a place: both ratios above 0, for the axis is logarithmic."""
    return (
        all((finite(one.get(key)) or 0.0) > 0 for key in ("ratio", "texts_ratio"))
        and finite(one.get("log_ratio")) is not None
    )


def _says(one: JSON) -> str:
    values: dict[str, Any] = {key: count(one.get(key)) for key in ("count", "count_other", "texts", "texts_other")}
    told = say("{count} times in {texts} texts; in the other set {count_other} times in {texts_other}", **values)
    return f"{escape(str(one.get('word')))}: {told}, G² {number(min(one['ratio'], one['texts_ratio']), 1)}"
