"""Rows of a file that no task explains: which columns hold the texts and the label, and which say more of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from japagen.errors import DataError, did_you_mean
from japagen.evaluate.gold.columns import LABELS, PAIRS, SINGLES
from japagen.records import Example
from japagen.tables import column, read_rows

UNLABELLED = "all texts"
"""The label of rows of a file that has none."""
MOST_LABELS = 50
"""More different labels than this are taken for texts in the wrong column."""
MOST_NUMBERS = 12
"""More different numbers than this are measurements, not labels."""
KADG_COLUMNS = 5
"""Most different columns beside texts, label and id that are kept as attributes of the rows."""
_MOST_VALUES = 200
RESERVED = frozenset(("id", "label", "text", "text_pair", "value", "reason", "detail"))
"""Columns of every row, which no attribute may be called."""


def plain_rows(file: Path, columns: Mapping[str, str], option: str = "--") -> tuple[list[Example], str, list[str]]:
    """Rows of a file without a task, their kind, and the names of their attributes."""
    table = read_rows(file)
    if not table:
        raise DataError("the file holds no rows", where=file, remedy="give a file with at least one text")
    header = list(dict.fromkeys(key for row in table[:100] for key in row))
    first, second = _texts(file, header, columns, option)
    label = columns.get("label") or next((name for name in LABELS if name in header), None)
    texts = column(table, first, file)
    seconds = column(table, second, file) if second else [None] * len(table)
    written = column(table, label, file) if label else [UNLABELLED] * len(table)
    different = Counter(written)
    if len(different) > MOST_NUMBERS and all(_is_number(one) for one in different):
        raise DataError(
            f"column '{label}' holds {len(different):,} different numbers, which are no labels",
            where=file,
            remedy="add --task NAME for a task of similarity (e.g. jsts), or name another column: --label COLUMN",
        )
    if len(different) > MOST_LABELS:
        raise DataError(
            f"column '{label}' has {len(different):,} different values, which are no labels",
            where=file,
            remedy=f"name the column of the labels: {_named(option, 'label')}",
        )
    named = columns.get("id") or ("id" if "id" in header else None)
    ids = column(table, named, file) if named else [f"{file.stem}-{n:06d}" for n in range(1, len(table) + 1)]
    if len(set(ids)) < len(ids):
        again = next(one for one, n in Counter(ids).items() if n > 1)
        raise DataError(
            f"id '{again}' stands twice", where=file, remedy="make ids unique, or name another: --id COLUMN"
        )
    attributes = attributes_of(table, {first, second, label, named})
    rows = [
        Example(identifier, text, name, pair, None, {key: row[key] for key in attributes if key in row})
        for identifier, text, name, pair, row in zip(ids, texts, written, seconds, table, strict=True)
    ]
    return rows, "pair" if second else "single", attributes


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def attributes_of(table: Sequence[Mapping[str, Any]], taken: set[str | None]) -> list[str]:
    """Further columns with few different texts: what a generator was told of each row, such as a topic."""
    found = []
    for name in table[0]:
        if name in taken or name in RESERVED:
            continue
        values = {row.get(name) for row in table if isinstance(row.get(name), str)}
        if 1 < len(values) <= min(_MOST_VALUES, len(table) // 2):
            found.append(name)
    return found[:KADG_COLUMNS]


def _named(option: str, part: str) -> str:
    """How a column is named on the command line."""
    return f"{option}{part}=COLUMN" if option.endswith(" ") else f"{option}{part.replace('_', '-')} COLUMN"


def _texts(file: Path, header: Sequence[str], columns: Mapping[str, str], option: str) -> tuple[str, str | None]:
    """The columns of the texts: those that were named, else customary ones."""
    for name in columns.values():
        if name not in header:
            raise DataError(
                f"there is no column '{name}'; it has: {', '.join(header[:12])}",
                where=file,
                remedy=did_you_mean(name, header),
            )
    if "text" in columns:
        return columns["text"], columns.get("text_pair")
    for first, second in PAIRS:
        if first in header and second in header:
            return first, second
    for name in SINGLES:
        if name in header:
            return name, columns.get("text_pair")
    raise DataError(
        f"which column holds the texts is unclear; it has: {', '.join(header[:12])}",
        where=file,
        remedy=f"name it: {_named(option, 'text')}",
    )
