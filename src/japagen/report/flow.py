"""Where the rows went, as a Sankey diagram: from each label to what was kept or why it was not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from unicodedata import east_asian_width

import plotly.graph_objects as go

from japagen.report.language import say
from japagen.report.look import SMALL, Figure, colour, figure, margin_note
from japagen.report.words import JSON, asked_later, count, finite, reason_name

KEPT = 9
"""Stage of what is kept: behind all others."""


@dataclass(eq=False, slots=True)
class _Node:
    name: str
    tint: str
    rows: float = 0
    stage: int = 0  # losses of later stages stand nearer to what is kept, so that the flows do not cross

    def __str__(self) -> str:
        return f"{escape(self.name)}  {count(self.rows)}"


def flow(stages: JSON, labels: Sequence[str]) -> Figure | None:
    """Draw it from the accounting of the first two stages; None where there is none.

    Rows that joined in curation start from their label, too, and join those that were written before.
    """
    told = [(stage, (stages or {}).get(stage) or {}) for stage in ("generate", "curate")]
    told = [(stage, one) for stage, one in told if one.get("accounting") or one.get("by_label")]
    if not told:
        return None
    first = told[0][1].get("by_label") or {say("all texts"): told[0][1]["accounting"]}
    names = sorted(first, key=lambda label: labels.index(label) if label in labels else len(labels))
    columns: list[dict[str, _Node]] = [{} for _ in range(len(told) + 1)]
    links: list[tuple[_Node, _Node, float, str]] = []
    for place, label in enumerate(names):
        tint = f"label{place % 6 + 1}"
        more = asked_later(first[label], _book(told[-1][1], label, names))
        asked = (finite(first[label].get("requested")) or 0) + more
        at = columns[0][label] = _Node(str(label), colour(tint), asked)
        for step, (stage, one) in enumerate(told, 1):
            book = _book(one, label, names)
            lost = [(r, n) for kind in ("failed", "dropped") for r, n in (book.get(kind) or {}).items() if finite(n)]
            for reason, n in lost:
                end = columns[-1].setdefault(
                    f"{stage}/{reason}", _Node(reason_name(reason), colour("lost"), stage=step)
                )
                end.rows += n
                links.append((at, end, n, colour(tint, 0.13)))
            if n := (finite(book.get("kept")) or 0) + (more if step < len(told) else 0):
                name = say("kept") if step == len(told) else say("written")
                passed = columns[step].setdefault(name, _Node(name, colour("japagen"), stage=KEPT))
                passed.rows += n
                links.append((at, passed, n, colour(tint, 0.38)))
                at = passed
    return _sankey(columns, links) if links else None


def _book(stage: JSON, label: str, names: Sequence[str]) -> JSON:
    """The account of a label; that of the stage where there is one label only."""
    return (stage.get("by_label") or {}).get(label) or (stage.get("accounting") if len(names) == 1 else None) or {}


def _width(text: str) -> int:
    """Of a text in Latin characters; a Japanese one is as wide as two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def _sankey(columns: Sequence[Mapping[str, _Node]], links: Sequence[tuple[_Node, _Node, float, str]]) -> Figure:
    """Columns of nodes from left to right, each stacked from the top; the names of the last one stand in the margin."""
    ends = sorted(columns[-1].values(), key=lambda node: (-node.stage, -node.rows))
    stacks = [*(list(column.values()) for column in columns[:-1]), ends]
    pad, tall = 19, 210 + 24 * len(ends)
    scale = min((tall - pad * (len(stack) - 1)) / sum(node.rows for node in stack) for stack in stacks)
    nodes, xs, ys = [], [], []
    for step, stack in enumerate(stacks):
        top = 0.0
        for node in stack:
            nodes.append(node)
            xs.append(min(max(step / (len(stacks) - 1), 0.001), 0.999))
            ys.append(min(max((top + node.rows * scale / 2) / tall, 0.001), 0.999))
            top += node.rows * scale + pad
    index = {id(node): at for at, node in enumerate(nodes)}
    links = sorted(links, key=lambda link: (index[id(link[0])], index[id(link[1])]))  # flows leave a node in that order
    inner = len(nodes) - len(ends)
    sankey = go.Sankey(
        arrangement="fixed",
        node={
            "label": [*map(str, nodes[:inner]), *([""] * len(ends))],
            "customdata": [*map(str, nodes)],
            "color": [node.tint for node in nodes],
            "x": xs,
            "y": ys,
            "pad": pad,
            "thickness": 9,
            "line": {"width": 0},
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        link={
            "source": [index[id(source)] for source, *_ in links],
            "target": [index[id(target)] for _, target, *_ in links],
            "value": [n for _, _, n, _ in links],
            "color": [tint for *_, tint in links],
            "customdata": [f"{escape(a.name)} → {escape(b.name)}: {count(n)}" for a, b, n, _ in links],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
    )
    notes = [
        margin_note(1 - y, str(node), "ink" if node.stage == KEPT else "muted")
        for node, y in zip(ends, ys[inner:], strict=True)
    ]
    wide = 7.2 * max(_width(f"{node.name} {count(node.rows)}") for node in ends) + 24
    margin = {"l": 2, "r": wide, "t": 10, "b": 10}
    narrow = {"font": SMALL, "margin": {**margin, "r": wide * 0.85}}
    return figure([sankey], tall + 20, narrow, annotations=[note | {"yref": "paper"} for note in notes], margin=margin)
