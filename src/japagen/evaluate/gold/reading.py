"""Rows of one gold file. A row is a text or two and a label; for similarity the file holds a number, and the label is the
nearest one.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.evaluate.gold import published
from japagen.evaluate.gold.livedoor import check_part, is_livedoor, read_articles
from japagen.goldfiles import GoldFile
from japagen.goldsets import PREFIX
from japagen.groups import IMAGE
from japagen.records import Example
from japagen.tables import column, read_rows
from japagen.task import Task

_LONGEST = 60
_META = ("product", "register", "traits", IMAGE)


def load_gold(task: Task, gold: GoldFile | None) -> list[Example]:
    """The rows of a gold file; none where the task names no file.

    Raises:
        ConfigError: the task names one text of a pair, a second text where there is none, or a label that it does not have.
        DataError: unreadable, empty, a column missing, an id twice, a label that the task does not have, a number
            outside the range of the labels, or a published file that was not fetched.
    """
    if gold is None:
        return []
    file = task.path(gold.file)
    _check(task, gold)
    check_plain(file)
    if known := published.of_path(file):
        published.check_here(file, *known)
    read = _articles if is_livedoor(file) else _table
    ids, texts, seconds, written, meta = read(file, gold)
    _check_ids(ids, file)
    if gold.max_chars is not None:
        texts = [text[: gold.max_chars] for text in texts]
        seconds = [text and text[: gold.max_chars] for text in seconds]
    names = {label: label for label in task.label_names} | gold.labels
    values: list[float | None] = [None] * len(ids)
    if task.kind == "similarity":
        numbers = [_number(task, names, label, f"{file}, row {n}") for n, label in enumerate(written, 1)]
        labels = [nearest_label(task, number) for number in numbers]
        values = [*numbers]
    else:
        labels = _labels(task, names, written, file)
    rows = zip(ids, texts, seconds, labels, values, meta, strict=True)
    return [
        Example(identifier, text, label, second, value, more) for identifier, text, second, label, value, more in rows
    ]


def nearest_label(task: Task, value: float) -> str:
    """The label of a task of similarity whose value is nearest; of two equally near ones the first."""
    return min(task.label_names, key=lambda name: abs(value - (task.value(name) or 0.0)))


_Columns = tuple[list[str], list[str], list[str | None], list[str], list[dict[str, Any]]]
"""Ids, texts, second texts, labels as they are written, and what else is kept of each row."""


def _table(file: Path, gold: GoldFile) -> _Columns:
    rows = read_rows(file)
    if not rows:
        raise DataError("the file holds no rows", where=file, remedy="give a file with at least one labelled row")
    texts, written = column(rows, gold.text, file), column(rows, gold.label, file)
    seconds: list[str | None] = [None] * len(rows)
    if gold.text_pair:
        seconds = [*column(rows, gold.text_pair, file)]
    ids = column(rows, gold.id, file) if gold.id else [f"{file.stem}-{n:06d}" for n in range(1, len(rows) + 1)]
    return ids, texts, seconds, written, [{key: row[key] for key in _META if key in row} for row in rows]


def _articles(file: Path, gold: GoldFile) -> _Columns:
    check_part(gold.text, f"gold, {gold.file}")
    articles = read_articles(file)
    texts = [article.text(gold.text) for article in articles]
    for article, text in zip(articles, texts, strict=True):
        if not text:
            where = f"{file}, {article.category}/{article.name}.txt"
            raise DataError("has no body", where=where, remedy="use text: both, or remove the article")
    names = [article.name for article in articles]
    return names, texts, [None] * len(names), [article.category for article in articles], [{} for _ in names]


def shortened(label: str) -> str:
    """A label for a message: the wrong column holds whole texts."""
    return label if len(label) <= _LONGEST else f"{label[:_LONGEST]}…"


def check_plain(file: Path) -> None:
    """Refuse a pipe or a device, which would be waited for, and could not be read a second time for its digest.

    Raises:
        DataError: it is one.
    """
    try:
        mode = file.stat().st_mode
    except (OSError, ValueError):
        return  # absent: said where it is opened
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError("is no ordinary file", where=file, remedy="gold data are read from files; write them into one")


def _check(task: Task, gold: GoldFile) -> None:
    where = f"task '{task.name}', gold, {gold.file}"
    if task.is_pair != (gold.text_pair is not None):
        what = "no 'text_pair' is named, but a row has two texts" if task.is_pair else "'text_pair' is named"
        remedy = "name the column of the second text" if task.is_pair else "remove it, or use kind: pair"
        if gold.file.startswith(PREFIX):
            remedy = "is it the set of another task? japagen gold lists the sets"
        raise ConfigError(f"{what} (kind {task.kind})", where=where, remedy=remedy)
    for written, name in gold.labels.items():
        if name not in task.labels:
            remedy = did_you_mean(name, task.label_names)
            raise ConfigError(f"labels: '{written}' is to be '{name}', which is no label", where=where, remedy=remedy)


def _check_ids(ids: Sequence[str], file: Path) -> None:
    seen: set[str] = set()
    for number, identifier in enumerate(ids, 1):
        if identifier in seen:
            raise DataError(f"id '{identifier}' stands twice", where=f"{file}, row {number}", remedy="make ids unique")
        seen.add(identifier)


def _labels(task: Task, names: dict[str, str], written: Sequence[str], file: Path) -> list[str]:
    named = {label: names.get(label, names.get(_whole(label))) for label in set(written)}
    unknown = sorted(label for label, name in named.items() if name is None)
    if unknown:
        meant = next((name for name, spec in task.labels.items() if spec.verbalisation == unknown[0].strip()), None)
        row = written.index(unknown[0]) + 1
        in_file = ", ".join(repr(shortened(label)) for label in sorted(named)[:10])
        raise DataError(
            f"label '{shortened(unknown[0])}' is not one of the task's ({', '.join(task.label_names)})",
            where=f"{file}, row {row}",
            remedy=f"write '{meant}' for it"
            if meant
            else f"rename it, or say what it means in the task's gold 'labels'; labels in the file: {in_file}",
        )
    return [name for label in written if (name := named[label]) is not None]


def _whole(label: str) -> str:
    """A label as its name is written: columns with gaps turn the number 1 into 1.0."""
    return label[:-2] if label.endswith(".0") and label[:-2].isdecimal() else label


def _number(task: Task, names: dict[str, str], written: str, where: str) -> float:
    if written in names:
        return task.value(names[written]) or 0.0
    known = [task.value(name) or 0.0 for name in task.label_names]
    low, high = min(known), max(known)
    try:
        value = float(written)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise DataError(
            f"'{written}' is no number from {low:g} to {high:g}, the values of the task's labels",
            where=where,
            remedy="correct the row, or name the column that holds the number (gold 'label')",
        )
    return value
