"""The data set of a run as it is pushed: the rows that were kept and, if asked for, those dropped, as Parquet with a card.

Gold rows, replies and prompts are not read here. Rows that were dropped because they hold words of a prompt keep their
reason and lose their texts: those words are a person's, not the model's.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from japagen.errors import RunError
from japagen.push.facts import Facts, stage_file
from japagen.rundir import Run
from japagen.tables import read_rows

KEPT, DROPPED = "data/train.parquet", "data/dropped.parquet"
WITHHELD = ("shot_copy", "prompt_echo")  # reasons of rows that repeat what a person wrote
_TEXTS = {"single": ("text",), "pair": ("text", "text_pair"), "similarity": ("text", "text_pair")}
_REASONS = ("stage", "reason", "detail")


def tables(place: Run, facts: Facts, *, with_dropped: bool) -> dict[str, pl.DataFrame]:
    """The tables of the data set, by the file they go to.

    Columns are id, text, text_pair (pairs), label, value (similarity), then the attributes of the rows; of dropped rows
    also stage, reason and detail.

    Raises:
        RunError: a file is gone, was changed or is damaged, or no row was kept.
    """
    kept = read_rows(stage_file(place, "curate", "examples.jsonl"))
    if not kept:
        raise RunError(
            "no text was kept, so there is nothing to push", where=place.path, remedy="see: japagen show RUN"
        )
    if not with_dropped:
        return {KEPT: _table(kept, facts.task.kind)}
    dropped = []
    for stage in ("generate", "curate"):
        for row in read_rows(stage_file(place, stage, "dropped.jsonl")):
            hidden = dict.fromkeys(("text", "text_pair", "detail")) if row.get("reason") in WITHHELD else {}
            dropped.append({**row, **hidden, "stage": stage})
    return {KEPT: _table(kept, facts.task.kind), DROPPED: _table(dropped, facts.task.kind, _REASONS)}


def parquet(table: pl.DataFrame) -> bytes:
    """A table as a Parquet file; the same table gives the same bytes."""
    place = io.BytesIO()
    table.write_parquet(place, compression="zstd")
    return place.getvalue()


def _table(rows: Sequence[Mapping[str, Any]], kind: str, last: Sequence[str] = ()) -> pl.DataFrame:
    first = ["id", *_TEXTS[kind], "label", *(("value",) if kind == "similarity" else ())]
    given = dict.fromkeys(key for row in rows for key in row)
    usual = ("id", "text", "text_pair", "label", "value", *last)
    columns = [*first, *(key for key in given if key not in usual), *last]
    return pl.DataFrame(
        {column: [_cell(row.get(column), column) for row in rows] for column in columns},
        schema={column: pl.Float64 if column == "value" else pl.String for column in columns},
    )


def _cell(value: Any, column: str) -> str | float | None:
    """A value as its column holds it; half a pair of surrogates, which no file can hold, becomes a question mark."""
    if value is None:
        return None
    if column == "value":
        return float(value)
    return str(value).encode("utf-8", "replace").decode()
