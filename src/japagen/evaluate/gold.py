"""Gold data: human-labelled rows, read from the file that a task names. Never generated, never changed.

A row is a text or two and a label; for similarity the file holds a number, and the label is the nearest one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.groups import IMAGE, image_groups
from japagen.records import Example
from japagen.tables import column, read_rows
from japagen.task import GoldFile, Task

_META = ("product", "register", "traits", IMAGE)


def load_gold(task: Task, gold: GoldFile | None) -> list[Example]:
    """The rows of a gold file; none where the task names no file.

    Raises:
        ConfigError: the task names one text of a pair, a second text where there is none, or a label that it does not have.
        DataError: unreadable, empty, a column missing, an id twice, a label that the task does not have, or a number
            outside the range of the labels.
    """
    if gold is None:
        return []
    file = task.path(gold.file)
    _check(task, gold)
    rows = read_rows(file)
    if not rows:
        raise DataError("the file holds no rows", where=file, remedy="give a file with at least one labelled row")
    texts, written = column(rows, gold.text, file), column(rows, gold.label, file)
    seconds = column(rows, gold.text_pair, file) if gold.text_pair else [None] * len(rows)
    ids = column(rows, gold.id, file) if gold.id else [f"{file.stem}-{n:06d}" for n in range(1, len(rows) + 1)]
    _check_ids(ids, file)
    names = {label: label for label in task.label_names} | gold.labels
    values: list[float | None] = [None] * len(rows)
    if task.kind == "similarity":
        numbers = [_number(task, names, label, f"{file}, row {n}") for n, label in enumerate(written, 1)]
        labels = [nearest_label(task, number) for number in numbers]
        values = [*numbers]
    else:
        labels = _labels(task, names, written, file)
    return [
        Example(identifier, text, label, second, value, {k: row[k] for k in _META if k in row})
        for identifier, text, second, label, value, row in zip(ids, texts, seconds, labels, values, rows, strict=True)
    ]


def nearest_label(task: Task, value: float) -> str:
    """The label of a task of similarity whose value is nearest; of two equally near ones the first."""
    return min(task.label_names, key=lambda name: abs(value - (task.value(name) or 0.0)))


def _check(task: Task, gold: GoldFile) -> None:
    where = f"task '{task.name}', gold, {gold.file}"
    if task.is_pair != (gold.text_pair is not None):
        what = "no 'text_pair' is named, but a row has two texts" if task.is_pair else "'text_pair' is named"
        remedy = "name the column of the second text" if task.is_pair else "remove it, or use kind: pair"
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
    unknown = sorted({label for label in written if _whole(label) not in names})
    if unknown:
        meant = next((name for name, spec in task.labels.items() if spec.verbalisation == unknown[0].strip()), None)
        row = written.index(unknown[0]) + 1
        in_file = ", ".join(map(repr, sorted(set(written))[:10]))
        raise DataError(
            f"label '{unknown[0]}' is not one of the task's ({', '.join(task.label_names)})",
            where=f"{file}, row {row}",
            remedy=f"write '{meant}' for it"
            if meant
            else f"rename it, or say what it means in the task's gold 'labels'; labels in the file: {in_file}",
        )
    return [names[_whole(label)] for label in written]


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


__all__ = ["image_groups", "load_gold", "nearest_label"]
