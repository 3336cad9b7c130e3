"""Gold data: human-labelled rows, read from the file that a task names. Never generated, never changed."""

from __future__ import annotations

from japagen.errors import DataError
from japagen.records import Example
from japagen.tables import column, read_rows
from japagen.task import GoldFile, Task

_META = ("product", "register", "traits")


def load_gold(task: Task, gold: GoldFile | None) -> list[Example]:
    """The rows of a gold file; none where the task names no file.

    Raises:
        DataError: unreadable, empty, a column missing, an id twice, or a label that the task does not have.
    """
    if gold is None:
        return []
    file = task.path(gold.file)
    rows = read_rows(file)
    if not rows:
        raise DataError("the file holds no rows", where=file, remedy="give a file with at least one labelled row")
    texts, labels = column(rows, gold.text, file), column(rows, gold.label, file)
    ids = column(rows, gold.id, file) if gold.id else [f"{file.stem}-{n:06d}" for n in range(1, len(rows) + 1)]
    unknown = sorted(set(labels) - set(task.label_names))
    if unknown:
        meant = next((name for name, spec in task.labels.items() if spec.verbalisation == unknown[0].strip()), None)
        row = next(n for n, label in enumerate(labels, 1) if label == unknown[0])
        raise DataError(
            f"label '{unknown[0]}' is not one of the task's ({', '.join(task.label_names)})",
            where=f"{file}, row {row}",
            remedy=f"write '{meant}' for it"
            if meant
            else f"rename it; labels in the file: {', '.join(map(repr, sorted(set(labels))))}",
        )
    seen: set[str] = set()
    for number, identifier in enumerate(ids, 1):
        if identifier in seen:
            raise DataError(f"id '{identifier}' stands twice", where=f"{file}, row {number}", remedy="make ids unique")
        seen.add(identifier)
    return [
        Example(identifier, text, label, meta={k: row[k] for k in _META if k in row})
        for identifier, text, label, row in zip(ids, texts, labels, rows, strict=True)
    ]
