"""Rows as the stages write and read them, and the accounts of what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from japagen.records import Accounting, Dropped, Example
from japagen.rundir import Run
from japagen.tables import read_rows


def counted(requested: int, found: Counter[tuple[str, str]]) -> Accounting:
    """Counts by kind and reason as an account."""
    dropped, failed = (
        {reason: n for (kind, reason), n in sorted(found.items()) if kind == wanted} for wanted in ("dropped", "failed")
    )
    return Accounting(requested, found["kept", ""], dropped, failed)


def account(
    requested: int, kept: Sequence[Example], dropped: Sequence[Dropped], label: str, failed: Sequence[str] = ()
) -> dict[str, Any]:
    """The account of one label, as JSON."""
    return asdict(
        Accounting.count(
            requested,
            [example for example in kept if example.label == label],
            [drop for drop in dropped if drop.example.label == label],
            failed,
        )
    )


def as_row(example: Example) -> dict[str, Any]:
    """An example as a line of JSON: its meta are columns of their own."""
    row: dict[str, Any] = {"id": example.id, "text": example.text}
    if example.text_pair is not None:
        row["text_pair"] = example.text_pair
    row["label"] = example.label
    if example.value is not None:
        row["value"] = example.value
    return {**row, **example.meta}


def as_dropped_row(drop: Dropped) -> dict[str, Any]:
    """A dropped example as a line of JSON: with reason and detail."""
    return {**as_row(drop.example), "reason": drop.reason, "detail": drop.detail}


def as_example(row: dict[str, Any]) -> Example:
    """An example from its line; all columns that are not its own are meta."""
    meta = {key: value for key, value in row.items() if key not in ("id", "text", "text_pair", "label", "value")}
    return Example(row["id"], row["text"], row["label"], row.get("text_pair"), row.get("value"), meta)


def as_dropped(row: dict[str, Any]) -> Dropped:
    """A dropped example from its line."""
    own = {key: value for key, value in row.items() if key not in ("reason", "detail")}
    return Dropped(as_example(own), row["reason"], row["detail"])


def read_examples(file: Path) -> list[Example]:
    """The examples of a file."""
    return [as_example(row) for row in read_rows(file)]


def written_rows(run: Run) -> list[Example]:
    """Every row that a language model wrote in a run and that could be read: of the first stage, and of curation."""
    more = run.folder("curate") / "more.jsonl"
    return read_examples(run.folder("generate") / "examples.jsonl") + (read_examples(more) if more.is_file() else [])
