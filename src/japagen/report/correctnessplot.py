"""The figure of label correctness: shares of right labels by label and source, drawn from the analysis' JSON."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from japagen.report.correctnesswords import is_weak, scored_share, source_name, sources_of
from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure
from japagen.report.words import JSON, finite

SHADES = {"oracle": "japagen", "judge": "prompted", "people": "gold"}
SYMBOLS = {"oracle": "circle", "judge": "square", "people": "diamond"}


def correctness_figures(analysis: JSON, labels: Sequence[str]) -> dict[str, Figure]:
    """For each label the share of right labels by source, with its interval; the oracle's bare agreement hollow."""
    told: JSON = analysis.get("correctness") or {}
    sources = sources_of(told)
    places = [label for label in labels if any((told[s].get("by_label") or {}).get(label) for s in sources)]
    if not sources or not places:
        return {}
    names = [None, *places]
    traces: list[Any] = []
    for step, source in enumerate(sources):
        part, aside = told[source], 0.22 * (step - (len(sources) - 1) / 2)
        found = [(at + aside, _of(part, label)) for at, label in enumerate(names)]
        found = [(at, one) for at, one in found if finite(one.get(_key(source))) is not None]
        traces += _dots(source, found, weak=is_weak(told, source))
    ticks = [say("all labels"), *(escape(label) for label in places)]
    height = int(110 + 46 * len(names))
    drawn = figure(
        traces,
        height,
        {"font": SMALL, "height": height + 18 * len(traces)},  # the legend stands in lines
        showlegend=True,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": say("share of right labels"), "range": [-0.02, 1.02], "nticks": 6},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": ticks,
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "tickfont": {"color": colour("ink")},
        },
    )
    return {"correctness": drawn}


def _key(source: str) -> str:
    return "corrected" if source == "oracle" else "value"


def _name(source: str, *, weak: bool) -> str:
    if source != "oracle":
        return source_name(source)
    return say("oracle, corrected: not to be relied on") if weak else say("oracle, corrected")


def _of(part: JSON, label: str | None) -> JSON:
    found: JSON = (part.get("overall") if label is None else (part.get("by_label") or {}).get(label)) or {}
    return found


def _dots(source: str, found: Sequence[tuple[float, JSON]], *, weak: bool) -> list[Any]:
    """Shares of one source with their intervals, (height, share) each; those that say nothing are grey crosses."""
    shade, key, places = colour("lost" if weak else SHADES[source]), _key(source), [at for at, _ in found]
    values = [one[key] for _, one in found]
    low, high = (
        [value if finite(one.get(end)) is None else one[end] for value, (_, one) in zip(values, found, strict=True)]
        for end in ("low", "high")
    )
    line = {
        "type": "data",
        "symmetric": False,
        "array": [end - value for end, value in zip(high, values, strict=True)],
        "arrayminus": [value - end for end, value in zip(low, values, strict=True)],
        "width": 0,
        "thickness": 2.2,
        "color": shade,
    }
    dots = go.Scatter(
        x=values,
        y=places,
        mode="markers",
        name=_name(source, weak=weak),
        marker={"color": shade, "size": 10, "symbol": "x-thin-open" if weak else SYMBOLS[source]},
        error_x=line,
        text=[scored_share(one, key) for _, one in found],
        hovertemplate="%{text}<extra></extra>",
    )
    if source != "oracle":
        return [dots]
    bare = go.Scatter(
        x=[finite(one.get("raw")) for _, one in found],
        y=places,
        mode="markers",
        name=say("oracle, as it says"),
        marker={"color": colour(SHADES[source]), "size": 8, "symbol": "circle-open"},
        hovertemplate="%{x:.2f}<extra></extra>",
    )
    return [dots, bare]
