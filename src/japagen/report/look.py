"""The look of the figures and the page: colours for light and dark, fonts, the layout that all figures share.

Blue, orange and plum stay apart for every common kind of colour blindness. Figures are drawn in the light colours;
`dark_twins` says what each becomes in the dark, and the page's script swaps them. A figure is Plotly's JSON with
`narrow`: what changes in its layout on a small screen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

Figure = dict[str, Any]
FONT = (
    '"Inter", "Helvetica Neue", "Segoe UI", Arial, "Noto Sans JP", "Hiragino Sans", "Yu Gothic", "Noto Sans CJK JP", '
    "sans-serif"
)
# name: (light, dark); no two light colours are alike, or the swap could not tell them apart
PALETTE = {
    "ink": ("#20242a", "#e6e3dd"),
    "muted": ("#5c636d", "#a5a9b0"),
    "rule": ("#e2ded6", "#34383e"),
    "paper": ("#fbfaf7", "#15171a"),
    "surface": ("#f3f1eb", "#1e2125"),
    "japagen": ("#0f5f87", "#62b6dd"),
    "gold": ("#9c5a00", "#e3a54a"),
    "prompted": ("#8f4580", "#d596c6"),
    "majority": ("#636970", "#989da5"),
    "lost": ("#8d8a83", "#7b7f86"),
    "label1": ("#3c7796", "#6fa9c8"),
    "label2": ("#bd7b3f", "#d39a63"),
    "label3": ("#6c8a4a", "#97b574"),
    "label4": ("#8c6a9c", "#b493c4"),
    "label5": ("#4f8f86", "#79b8ae"),
    "label6": ("#a85f66", "#cf8c92"),
}
LEAST_TICKS = 3
"""Of a logarithmic axis, before ticks of another kind are tried."""
FADES = (0.13, 0.38)
SMALL = {"family": FONT, "size": 11, "color": PALETTE["ink"][0]}


def colour(name: str, fade: float | None = None) -> str:
    """A light colour of the palette, opaque or faded."""
    return _faded(PALETTE[name][0], fade)


def _faded(hexed: str, fade: float | None) -> str:
    if fade is None:
        return hexed
    red, green, blue = (int(hexed[at : at + 2], 16) for at in (1, 3, 5))
    return f"rgba({red},{green},{blue},{fade})"


def dark_twins() -> dict[str, str]:
    """What each colour of a figure becomes in the dark."""
    return {_faded(light, f): _faded(dark, f) for light, dark in PALETTE.values() for f in (None, *FADES)}


def figure(traces: Sequence[Any], height: int, narrow: Mapping[str, Any] | None = None, **layout: Any) -> Figure:
    """A figure in the look of the report."""
    axis = {
        "fixedrange": True,
        "gridcolor": colour("rule"),
        "linecolor": colour("rule"),
        "zeroline": False,
        "tickfont": {"color": colour("muted")},
        "automargin": True,
    }
    given = {
        "template": go.layout.Template(),
        "height": height,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 13, "color": colour("ink")},
        "hoverlabel": {"bgcolor": colour("surface"), "bordercolor": colour("rule"), "font": {"color": colour("ink")}},
        "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
        "dragmode": False,
        "showlegend": False,
        **layout,
    }
    for key in ("xaxis", "yaxis"):
        title = {"text": layout.get(key, {}).get("title"), "font": {"color": colour("muted"), "size": 13}}
        given[key] = {**axis, **layout.get(key, {}), "title": title}
    drawn: Figure = go.Figure(list(traces), go.Layout(**given)).to_plotly_json()
    return {"data": drawn["data"], "layout": drawn["layout"], "narrow": dict(narrow or {})}


def log_ticks(values: Iterable[float], most: int = 6) -> dict[str, Any]:
    """Ticks of a logarithmic axis within the range of its values, from two to about `most`, with their texts.

    Powers of ten where they are enough; else also their doubles and fivefolds; else steps of one size.

    >>> log_ticks([3, 1200])["ticktext"], log_ticks([146, 300])["ticktext"], log_ticks([20, 90])["ticktext"]
    (['10', '100', '1,000'], ['150', '200', '250', '300'], ['20', '40', '60', '80'])
    """
    given = [value for value in values if value > 0]
    if not given:
        return {}
    low, high = min(given), max(given)
    powers = [10.0**at for at in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    for series in ((1,), (1, 2, 5)):
        ticks = [step * power for power in powers for step in series if low <= step * power <= high]
        if len(ticks) > most:
            ticks = ticks[:: -(-len(ticks) // most)]
        if len(ticks) >= LEAST_TICKS:
            return _ticks(ticks)
    return _ticks(_even(low, high) or [low])


def _even(low: float, high: float) -> list[float]:
    """Multiples of a round step between two bounds: three to six, as long as the bounds differ."""
    if high <= low:
        return []
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough * (1 - 1e-9))
    return [at * step for at in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _ticks(values: Sequence[float]) -> dict[str, Any]:
    return {"tickvals": list(values), "ticktext": [f"{value:,.10g}" for value in values]}


def margin_note(y: float, text: str, shade: str) -> dict[str, Any]:
    """A text beside the plot, to its right."""
    font = {"color": colour(shade)}
    place = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": 8, "y": y, "yref": "y", "yanchor": "middle"}
    return {**place, "text": text, "showarrow": False, "font": font}
