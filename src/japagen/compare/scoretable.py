"""The first table as it is printed: scores of methods by task, and the sentences that say how to read it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from japagen.compare.printed import MARK, NOTHING, Part, Printed, Text, visible
from japagen.compare.table import Cell, Column, Comparison, Method, Row
from japagen.report.words import bounds, count, join, metric_name, number

TITLES = {
    "japagen": "Trained on synthetic texts",
    "arm": "Trained on the rounds of synthetic texts",
    "prompted": "The LLM asked directly",
    "gold": "Trained on gold, K rows per label",
    "supervised": "Trained on all gold rows",
    "majority": "No learning",
}


def score_table(comparison: Comparison) -> Printed:
    """Methods in rows, by kind; tasks in columns."""
    columns, rows = comparison.columns, comparison.rows
    ranges = [_range([row.cells[place] for row in rows]) for place in range(len(columns))]
    parts = []
    for kind, members in groupby(rows, key=lambda row: row.method.kind):
        printed = tuple(_row(row, ranges, averaged=comparison.averaged) for row in members)
        parts.append(Part(TITLES.get(kind, visible(kind)), kind, printed))
    head = [Text("method"), *map(heading, columns), *([Text("mean")] if comparison.averaged else [])]
    return Printed("scores", "Scores", reading(comparison), tuple(head), 1, tuple(parts))


def heading(column: Column) -> Text:
    """A task, its metric and how many rows it is tested on."""
    lines = [metric_name(visible(column.metric)), f"n = {count(column.n)}"]
    if column.groups is not None:
        lines.append(f"{count(column.groups)} groups")
    return Text(visible(column.task), "\n".join(lines))


def label(method: Method) -> Text:
    """A method, with its student and, where there is need, its run."""
    return Text(visible(method.name), " · ".join(visible(part) for part in (method.student, method.run) if part))


def _row(row: Row, ranges: Sequence[tuple[float, float] | None], *, averaged: bool) -> tuple[Text, ...]:
    cells = [_cell(cell, over) for cell, over in zip(row.cells, ranges, strict=True)]
    mean = [Text(NOTHING if row.average is None else number(row.average, 3))] if averaged else []
    return (label(row.method), *cells, *mean)


def _cell(cell: Cell | None, over: tuple[float, float] | None) -> Text:
    if cell is None:
        return Text(NOTHING)
    if cell.value is None:
        return Text("undefined")
    interval = bounds({"low": cell.low, "high": cell.high}, 3)
    seeds = f"{interval} ({cell.seeds})".lstrip()
    return Text(number(cell.value, 3), seeds, cell.best, cell.tied, _span(cell, over))


def _range(cells: Sequence[Cell | None]) -> tuple[float, float] | None:
    """From the lowest to the highest end of a column's intervals."""
    found = [x for cell in cells if cell is not None for x in (cell.low, cell.value, cell.high) if x is not None]
    return (min(found), max(found)) if found and min(found) < max(found) else None


def _span(cell: Cell, over: tuple[float, float] | None) -> tuple[float, float, float] | None:
    if over is None or cell.value is None or cell.low is None or cell.high is None:
        return None
    low, value, high = ((x - over[0]) / (over[1] - over[0]) for x in (cell.low, cell.value, cell.high))
    return low, value, high


def reading(comparison: Comparison) -> tuple[str, ...]:
    """What the numbers and marks mean, by sentence."""
    grouped = [column.groups is not None for column in comparison.columns]
    over = "groups of rows" if all(grouped) else "rows, or groups of rows," if any(grouped) else "rows"
    resamples = " or ".join(dict.fromkeys(count(column.resamples) for column in comparison.columns))
    fixed = any(each.declared for each in comparison.contrasts)
    told = ["On human-labelled test rows, with 95 % intervals; in parentheses the number of seeds."]
    told.append("Bold: the best of its column.")
    if comparison.tests:
        told.append(
            f"{MARK}: not distinguishable from the best, p ≥ .05 in a two-sided paired bootstrap over {over} and seeds "
            f"({resamples} resamples), after Holm's correction over the {count(comparison.tests)} comparisons with a "
            f"best in this table. {MARK} does not mean equal."
        )
        told.append(
            "The best was chosen on the same rows that test it. A method named beforehand that is as good as the best "
            f"lacks its {MARK} in at most 5 % of such tables; that some one of many equally good methods lacks it is "
            f"likelier than that.{' For what was to be shown, see the contrasts fixed beforehand.' if fixed else ''}"
        )
    if any(cell is not None and cell.value is None for row in comparison.rows for cell in row.cells):
        told.append("Undefined: the metric has no value for these answers.")
    if comparison.averaged:
        metrics = dict.fromkeys(metric_name(column.metric) for column in comparison.columns)
        mixed = f" Mixed in it are {join(list(metrics))}: it orders methods and measures nothing."
        mixed = mixed if len(metrics) > 1 else ""
        told.append(f"The mean is over all columns, of methods that have a score in each.{mixed}")
    return tuple(told)
