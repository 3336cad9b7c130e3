"""One row's way through curation, and rows for a person to label: what can be asked of a finished curation."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from japagen.curate import mend
from japagen.curate.audit import draw_audit
from japagen.curate.filters import repairs
from japagen.curate.steps import way
from japagen.errors import DataError, RunError, did_you_mean
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.pipeline.rows import as_example, read_examples
from japagen.pipeline.rules import restored_ids, rules_of
from japagen.records import Dropped, Example
from japagen.rundir import Run, read_json
from japagen.tables import read_rows, write_jsonl
from japagen.task import Task


def explained(path: str | Path, row: str) -> dict[str, Any]:
    """What each step said of one row, as JSON: id, label, text, text_pair, steps, the text as mended or None, outcome.

    Raises:
        RunError: nothing has been curated yet, or there is no such row.
    """
    run = Run.open(path)
    if run.done("curate") is None:
        raise RunError("nothing has been curated yet", where=run.path, remedy="make it with: japagen curate EXPERIMENT")
    written = {one.id: one for one in _written(run)}
    fates = {one.example.id: (stage, one) for stage in ("generate", "curate") for one in _dropped(run, stage)}
    if row not in written and row not in fates:
        raise RunError(
            f"there is no row '{row}'; {did_you_mean(row, list(written)[:100_000])[:200]}",
            where=run.path,
            remedy="ids stand in examples.jsonl and dropped.jsonl of the stages generate and curate",
        )
    stage, fate = fates.get(row, ("", None))
    example = written.get(row) or fate.example  # type: ignore[union-attr]
    told = {"id": row, "label": example.label, "text": example.text, "text_pair": example.text_pair, "mended": None}
    if fate is not None and stage == "generate" and row not in restored_ids(run):
        why = f"dropped when it was written: {fate.reason}" + (f", {fate.detail}" if fate.detail else "")
        return told | {"steps": [], "outcome": why}
    settings, facts = Experiment.model_validate(read_json(run.path / "experiment.json")), _facts(run)
    task = Task.model_validate(read_json(run.path / "task.json"))
    rules = rules_of(settings, task, _some_gold(facts))
    mended = mend(example, repairs(rules.limits))
    if mended.text != example.text or mended.text_pair != example.text_pair:
        told["mended"] = " / ".join(text for text in (mended.text, mended.text_pair) if text is not None)
    kept_by_hand = row in restored_ids(run)
    fate = None if fate is not None and stage == "generate" else fate
    steps = [asdict(answer) for answer in way(example, rules, fate, facts)]
    if fate is not None:
        outcome = f"dropped: {fate.reason}" + (f", {fate.detail}" if fate.detail else "")
    else:
        outcome = "kept, because a person wants it back" if kept_by_hand else "kept"
        if any(one.id == row for one in _control(run)):
            outcome += ", as control of the second round"
    return told | {"steps": steps, "outcome": outcome}


def write_audit(path: str | Path, file: Path, n: int) -> int:
    """Write rows without their label for a person to label; how many.

    Raises:
        RunError: nothing has been curated yet.
        DataError: the file is there already, or cannot be written.
    """
    run = Run.open(path)
    if run.done("curate") is None:
        raise RunError("nothing has been curated yet", where=run.path, remedy="make it with: japagen curate EXPERIMENT")
    if file.exists():
        raise DataError("is there already", where=file, remedy="choose another name: what a person wrote is not lost")
    seed = int(read_json(run.path / "experiment.json")["seed"])
    rows = draw_audit(read_examples(run.folder("curate") / "examples.jsonl"), n, seed=seed)
    try:
        write_jsonl(file, rows)
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror or error}", where=file, remedy="name another file"
        ) from error
    return len(rows)


def _written(run: Run) -> list[Example]:
    more = run.folder("curate") / "more.jsonl"
    return read_examples(run.folder("generate") / "examples.jsonl") + (read_examples(more) if more.is_file() else [])


def _control(run: Run) -> list[Example]:
    file = run.folder("curate") / "control.jsonl"
    return read_examples(file) if file.is_file() else []


def _dropped(run: Run, stage: str) -> list[Dropped]:
    rows = read_rows(run.folder(stage) / "dropped.jsonl")
    columns = ("reason", "detail")
    return [
        Dropped(as_example({k: v for k, v in row.items() if k not in columns}), row["reason"], row["detail"])
        for row in rows
    ]


def _facts(run: Run) -> dict[str, Any]:
    """What the steps told; their names say which were taken."""
    return dict(read_json(run.folder("curate") / "curation.json"))


def _some_gold(facts: dict[str, Any]) -> GoldData | None:
    """Whether rows were compared with gold is all that counts here: what came of it is known from the rows."""
    if "contamination" not in facts:
        return None
    row = Example("gold", "", "")
    return GoldData(test=[row])
