"""The scores as CSV in long form, for a program: a row for each task, method and student, numbers in full."""

from __future__ import annotations

import csv
import io

from japagen.compare.printed import visible
from japagen.compare.table import Comparison

COLUMNS = (
    "task",
    "metric",
    "kind",
    "method",
    "student",
    "runs",
    "value",
    "low",
    "high",
    "seeds",
    "n",
    "p",
    "p_holm",
    "best",
    "tied",
)


def to_csv(comparison: Comparison) -> str:
    """One line for each cell of the table that was measured; a value that is undefined is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in comparison.rows:
        for column, cell in zip(comparison.columns, row.cells, strict=True):
            if cell is None:
                continue
            method = row.method
            names = (column.task, column.metric, method.kind, method.name, method.student, " ".join(cell.runs))
            numbers = (cell.value, cell.low, cell.high, cell.seeds, cell.n, cell.p, cell.p_holm)
            marks = (str(cell.best).lower(), str(cell.tied).lower())
            writer.writerow([*map(harmless, names), *("" if x is None else x for x in numbers), *marks])
    return text.getvalue()


def harmless(text: str) -> str:
    """A text that a spreadsheet does not take for a formula: an apostrophe stands before what begins like one.

    >>> harmless("=1+1"), harmless("jnli")
    ("'=1+1", 'jnli')
    """
    shown = visible(text)
    return f"'{shown}" if shown.startswith(("=", "+", "-", "@")) else shown
