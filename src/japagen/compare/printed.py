"""A table as it is printed, in whatever format: texts in cells, what is bold, what is marked, what stands below it.

Every text of a user's has been made visible here (`visible`): one line, no control characters. Formats escape it further.
"""

from __future__ import annotations

from dataclasses import dataclass

from japagen.report.words import number

MARK = "†"
NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Text:
    """What stands in a cell.

    Attributes:
        main: the number or name.
        note: what is less important, behind it or below it; in a heading it may be of several lines.
        bold, marked: how it is set off.
        span: low, value and high as shares of the column's range, where a format can draw them.
    """

    main: str
    note: str = ""
    bold: bool = False
    marked: bool = False
    span: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows under a heading; an empty title is no heading. `kind` is that of the methods in it."""

    title: str
    kind: str
    rows: tuple[tuple[Text, ...], ...]


@dataclass(frozen=True, slots=True)
class Printed:
    """A table.

    Attributes:
        name: short, for anchors.
        title: what it is.
        caption: how it is to be read, by sentence.
        head: headings; notes are of lesser importance.
        left: so many columns hold texts, the others numbers.
        parts: its rows.
        lead: what was found, by sentence; of the first table only, above it.
    """

    name: str
    title: str
    caption: tuple[str, ...]
    head: tuple[Text, ...]
    left: int
    parts: tuple[Part, ...]
    lead: tuple[str, ...] = ()


def visible(text: object) -> str:
    r"""A text on one line, control characters and the like as escapes.

    >>> visible("a\n  b\x1b[2J")
    'a b\\x1b[2J'
    """
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(str(text).split()))


def probability(p: float | None) -> str:
    """A p-value.

    >>> probability(0.0004), probability(0.0312), probability(1.0), probability(None)
    ('< .001', '.031', '1.00', '–')
    """
    if p is None:
        return NOTHING
    return "< .001" if p < 0.001 else "1.00" if p >= 0.9995 else number(p, 3)
