"""What people said of the labels of synthetic rows: a file of verdicts, read strictly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from japagen.curate.audit import blind_id, read_audit
from japagen.curate.judge import agrees
from japagen.errors import DataError, did_you_mean
from japagen.pipeline.rules import near_row
from japagen.records import Example
from japagen.tables import read_rows
from japagen.task import Task

RIGHT, WRONG = "right", "wrong"
SUSPICIOUS = 10
"""Rows that all have the label they were generated with, under their own ids, look like the rows themselves."""


def read_people(file: Path, task: Task, rows: Iterable[Example]) -> dict[str, bool]:
    """Whether a person calls the label of a row right, by row; rows without a verdict yet are left out.

    A file with a column ``verdict`` says ``right``, ``wrong`` or the right label's name, and any other column but the
    texts is not looked at. One without is read as `japagen curate RUN --audit FILE` wrote it: the person's label in
    ``label``. A label agrees as for the judge: of similarity tasks also the next step.

    Args:
        file: JSONL, CSV, TSV or Parquet with ``id`` (the row's own, or that of the audit) and ``verdict`` or ``label``;
            where it has ``text`` and ``text_pair`` too, these must be the row's own.
        task: its labels.
        rows: every row that the file may name; of those with the same id, as before and after mending, each text counts.

    Raises:
        DataError: the file cannot be read or has no rows, or a line has no id, an id or a verdict that there is not, an id
            for the second time, or the text of another row; or it holds the rows themselves, without a verdict.
    """
    known: dict[str, list[Example]] = {}
    for row in rows:
        known.setdefault(row.id, []).append(row)
    written = read_rows(file)
    if not written:
        raise DataError("the file is empty", where=file, remedy='write {"id": "…", "verdict": "right"} per line')
    if any("verdict" in row for row in written):
        return _verdicts(file, written, task, known)
    said = read_audit(file, task, (versions[-1] for versions in known.values()))
    found = {name: agrees(task, known[name][-1].label, label) for name, label in said.items()}
    own = sum(str(row.get("id")) in known for row in written)
    if own == len(said) >= SUSPICIOUS and all(label == known[name][-1].label for name, label in said.items()):
        raise DataError(
            f"all {own} labels are those that the rows were generated with: these seem to be the rows themselves",
            where=file,
            remedy="add a column 'verdict': right, wrong or the right label; or let japagen curate RUN --audit FILE "
            "draw rows without labels",
        )
    return found


def _verdicts(
    file: Path, written: Iterable[Mapping[str, Any]], task: Task, known: Mapping[str, list[Example]]
) -> dict[str, bool]:
    blind = {blind_id(name): name for name in known}
    found: dict[str, bool] = {}
    for number, row in enumerate(written, 1):
        where = f"{file}, row {number}"
        said = str(row.get("verdict") or "").strip()
        if not said:
            continue
        if row.get("id") in (None, ""):
            raise DataError("has no 'id'", where=where, remedy="give each verdict the id of its row")
        given = str(row["id"])
        name = given if given in known else blind.get(given, "")
        if not name:
            raise DataError(
                f"there is no row '{given}'{near_row(given, known)}", where=where, remedy="keep the ids as drawn"
            )
        if name in found:
            raise DataError(f"row '{given}' has two verdicts", where=where, remedy="keep one of the two")
        versions = known[name]
        if not any(_same_texts(row, example) for example in versions):
            raise DataError(
                f"row '{given}' has another text in this run",
                where=where,
                remedy="the rows were generated anew since: judge them again",
            )
        found[name] = _is_right(said, versions[-1].label, task, where)
    return found


def _is_right(said: str, label: str, task: Task, where: str) -> bool:
    if said in (RIGHT, WRONG):
        if said in task.labels:
            raise DataError(
                f"'{said}' is a label of the task, and a verdict too",
                where=where,
                remedy="write the right labels in a column 'label', and none called 'verdict'",
            )
        return said == RIGHT
    if said not in task.labels:
        hint = did_you_mean(said, [RIGHT, WRONG, *task.label_names])
        raise DataError(
            f"there is no verdict '{said}'; {hint}", where=where, remedy="write right, wrong, or a label of the task"
        )
    return agrees(task, label, said)


def _same_texts(row: Mapping[str, Any], example: Example) -> bool:
    """Whether what texts a row has are the example's; a cell that is empty is none."""
    own = {"text": example.text, "text_pair": example.text_pair}
    return all(not row.get(name) or row[name] == text for name, text in own.items())
