"""Rows that a person labels, so that a judge can be judged: some are drawn, written without their label, and read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from japagen.curate.independence import Audited
from japagen.curate.judge import Verdict, agrees
from japagen.errors import DataError, did_you_mean
from japagen.records import Example, digest
from japagen.streams import stream
from japagen.tables import read_rows
from japagen.task import Task


def draw_audit(examples: Sequence[Example], n: int, *, seed: int) -> list[dict[str, str]]:
    """Rows for a person to label, as JSON: equally many of each label as far as there are so many, in random order.

    A row has its texts, an empty label and a `blind_id`: its own would tell with which label it was generated.
    """
    random = stream(seed, "audit")
    of_label: dict[str, list[Example]] = {}
    for example in examples:
        of_label.setdefault(example.label, []).append(example)
    for rows in of_label.values():
        random.shuffle(rows)
    turns = [
        rows[i]
        for i in range(max(map(len, of_label.values()), default=0))
        for rows in of_label.values()
        if i < len(rows)
    ]
    drawn = turns[:n]
    random.shuffle(drawn)
    return [
        {"id": blind_id(row.id), "text": row.text}
        | ({} if row.text_pair is None else {"text_pair": row.text_pair})
        | {"label": ""}
        for row in drawn
    ]


def blind_id(identifier: str) -> str:
    """A name for a row that says nothing of its label: twelve hexadecimal digits."""
    return digest(["audit", identifier])[:12]


def read_audit(file: Path, task: Task, examples: Iterable[Example] | None) -> dict[str, str]:
    """The labels that a person gave, by row. Rows that have none yet are left out.

    Args:
        file: rows with ``id`` (the row's own, or its `blind_id`) and ``label``; where they have ``text`` and ``text_pair``
            too, these must be the row's own.
        task: its labels.
        examples: every row that was generated; None looks at labels alone.

    Raises:
        DataError: the file cannot be read, or a line has no id, an id or a label that there is not, an id for the second
            time, or the text of another row.
    """
    rows = list(examples or ())
    known = {blind_id(row.id): row for row in rows} | {row.id: row for row in rows}
    found: dict[str, str] = {}
    for number, row in enumerate(read_rows(file), 1):
        where = f"{file}, row {number}"
        identifier, label = _text(row, "id", where), _text(row, "label", where)
        if not label:
            continue
        if label not in task.labels:
            hint = did_you_mean(label, task.label_names)
            raise DataError(f"there is no label '{label}'; {hint}", where=where, remedy="write a label of the task")
        if examples is None:
            found[identifier] = label
            continue
        if (example := known.get(identifier)) is None:
            hint = did_you_mean(identifier, [row.id for row in rows]) if len(rows) < 10_000 else "nothing is called so"
            raise DataError(
                f"there is no row '{identifier}'; {hint[:200]}", where=where, remedy="keep the ids as drawn"
            )
        if example.id in found:
            raise DataError(f"row '{identifier}' is labelled twice", where=where, remedy="keep one of the two")
        if (
            row.get("text", example.text) != example.text
            or row.get("text_pair", example.text_pair) != example.text_pair
        ):
            raise DataError(
                f"row '{identifier}' has another text in this run",
                where=where,
                remedy="the rows were generated anew since: draw others (japagen curate RUN --audit FILE)",
            )
        found[example.id] = label
    return found


def audited(
    examples: Sequence[Example], verdicts: Sequence[Verdict], labels: Mapping[str, str], task: Task
) -> list[Audited]:
    """The rows that have both a person's label and a verdict.

    Args:
        examples: the rows that the judge has read.
        verdicts: of each, in the same order.
        labels: a person's, by row (`read_audit`).
        task: says which labels agree.
    """
    return [
        Audited(row.label, agrees(task, row.label, labels[row.id]), agrees(task, row.label, verdict.label))
        for row, verdict in zip(examples, verdicts, strict=True)
        if row.id in labels and verdict.label is not None
    ]


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    if name not in row:
        raise DataError(f"has no '{name}'", where=where, remedy='write {"id": "…", "label": "…"} per line')
    return "" if row[name] is None else str(row[name])
