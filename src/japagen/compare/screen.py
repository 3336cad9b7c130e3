"""The comparison in a terminal: tables as wide as it is, intervals below their scores where there is no room beside them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text as Styled

from japagen.compare.printed import MARK, Printed, Text

_STYLES = {"japagen": "cyan", "prompted": "magenta", "gold": "yellow", "supervised": "yellow"}


def print_tables(tables: Sequence[Printed], console: Console) -> None:
    """Print what was found, then every table with what it means below it."""
    for table in tables:
        if table.lead:
            console.print(Styled(" ".join(table.lead)), soft_wrap=False)
            console.print()
        beside = _Cells(table, beside=True)
        console.print(_table(beside if beside.width <= console.width else _Cells(table, beside=False)))
        console.print(Styled(" ".join(table.caption), style="dim"), soft_wrap=False)
        console.print()


class _Cells:
    """The cells of a table, notes behind what they belong to or below it, and how wide each column is."""

    def __init__(self, table: Printed, *, beside: bool) -> None:
        gaps = [(" · " if place < table.left else " ") if beside else "\n" for place in range(len(table.head))]
        self.table = table
        self.head = [_cell(text, "\n") for text in table.head]
        self.parts = [[[*map(_cell, row, gaps)] for row in part.rows] for part in table.parts]
        columns = zip(*(row for part in self.parts for row in part), strict=True)
        widths = [max(_widest(cell) for cell in column) for column in columns]
        self.widths = [max(width, _longest_word(text)) for width, text in zip(widths, self.head, strict=True)]

    @property
    def width(self) -> int:
        """Of the whole table, with its lines."""
        return sum(self.widths) + 3 * len(self.widths) + 1


def _widest(cell: Styled) -> int:
    return max((cell_len(line) for line in cell.plain.split("\n")), default=0)


def _longest_word(cell: Styled) -> int:
    return max((cell_len(word) for word in cell.plain.split()), default=0)


def _table(cells: _Cells) -> Table:
    table = cells.table
    drawn = Table(title=Styled(table.title, style="bold"), title_justify="left", pad_edge=False)
    for place, (text, width) in enumerate(zip(cells.head, cells.widths, strict=True)):
        if place < table.left:
            drawn.add_column(text, overflow="fold", max_width=width)
        else:
            drawn.add_column(text, justify="right", min_width=width, max_width=width)
    for part, rows in zip(table.parts, cells.parts, strict=True):
        if part.title:
            drawn.add_section()
            heading = Styled(part.title, style=f"bold {_STYLES.get(part.kind, '')}".strip())
            drawn.add_row(heading, *[""] * (len(table.head) - 1))
        for row in rows:
            drawn.add_row(*row)
    return drawn


def _cell(text: Text, gap: str) -> Styled:
    found = Styled(text.main, style="bold" if text.bold else "")
    if text.marked:
        found.append(MARK)
    return found.append(gap + text.note, style="dim not bold") if text.note else found
