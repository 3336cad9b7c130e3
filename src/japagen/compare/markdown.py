"""The comparison as Markdown, for a README, an issue or a pull request; everything is escaped, tables are GitHub's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from japagen.compare.printed import MARK, Printed, Text
from japagen.report import escaped


def to_markdown(tables: Sequence[Printed]) -> str:
    """What was found, then every table below its title, what it means below it."""
    return "\n".join(_table(table) for table in tables)


def _table(table: Printed) -> str:
    lead = [" ".join(map(escaped, table.lead)), ""] if table.lead else []
    lines = [*lead, f"## {escaped(table.title)}", "", _line(_heading(text) for text in table.head)]
    lines.append(_line("---" if place < table.left else "--:" for place in range(len(table.head))))
    for part in table.parts:
        if part.title:
            lines.append(_line([f"**{escaped(part.title)}**", *[""] * (len(table.head) - 1)]))
        for row in part.rows:
            lines.append(_line(_cell(text, " · " if place < table.left else " ") for place, text in enumerate(row)))
    return "\n".join([*lines, "", " ".join(map(escaped, table.caption)), ""])


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _heading(text: Text) -> str:
    return escaped(f"{text.main} ({text.note.replace(chr(10), ', ')})" if text.note else text.main)


def _cell(text: Text, gap: str) -> str:
    main = f"**{escaped(text.main)}**" if text.bold and text.main else escaped(text.main)
    return gap.join(filter(None, [main + (MARK if text.marked else ""), escaped(text.note)]))
