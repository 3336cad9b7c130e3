"""One row's way through curation, and rows for a person to label: what can be asked of a finished curation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from japagen.curate import mend
from japagen.curate.audit import draw_audit
from japagen.curate.filters import repairs
from japagen.curate.steps import way
from japagen.errors import DataError, RunError
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.pipeline.curating import RESTORED_COLUMN
from japagen.pipeline.rows import as_dropped, read_examples, written_rows
from japagen.pipeline.rules import near_row, rules_of
from japagen.records import Dropped, Example
from japagen.rundir import STAGES, Run, read_json
from japagen.sections import CurateSection
from japagen.tables import read_rows, write_jsonl
from japagen.task import Task


def explained(path: str | Path, row: str) -> dict[str, Any]:
    """What each step said of one row, as JSON: id, label, text, text_pair, steps, the text as mended or None, outcome.

    Raises:
        RunError: nothing has been curated yet, there is no such row, or a file of the run is damaged.
    """
    run = _curated(path)
    with _undamaged(run):
        return _explained(run, row)


def _explained(run: Run, row: str) -> dict[str, Any]:
    written = {one.id: one for one in written_rows(run)}
    lost = {one.example.id: one for one in _dropped(run, "generate")}
    fates = {one.example.id: one for one in _dropped(run, "curate")}
    stands = {one.id: one for one in (*read_examples(run.folder("curate") / "examples.jsonl"), *_control(run))}
    if not any(row in known for known in (written, lost, fates, stands)):
        raise RunError(
            f"there is no row '{row}'{near_row(row, written)}",
            where=run.path,
            remedy="ids stand in examples.jsonl and dropped.jsonl of the stages generate and curate",
        )
    by_hand = str(stands[row].meta.get(RESTORED_COLUMN) or "") if row in stands else ""
    example = written.get(row) or (fates.get(row) or lost.get(row) or Dropped(stands[row], "")).example
    told = {"id": row, "label": example.label, "text": example.text, "text_pair": example.text_pair, "mended": None}
    if row not in written:  # nothing that could be asked about ever came
        fate = fates.get(row) or lost.get(row)
        why = f"dropped when it was written: {_said(fate)}" if fate and not by_hand else ""
        return told | {"steps": [], "outcome": why or f"kept, because a person wants it back; else dropped: {by_hand}"}
    task = Task.model_validate(read_json(run.path / "task.json"))
    facts = _facts(run)
    rules = rules_of(_settings(run), task, _some_gold(facts))
    mended = mend(example, repairs(rules.limits))
    if mended.text != example.text or mended.text_pair != example.text_pair:
        told["mended"] = " / ".join(text for text in (mended.text, mended.text_pair) if text is not None)
    fate = fates.get(row)
    if by_hand:
        reason, _, detail = by_hand.partition(", ")
        fate = Dropped(example, reason, detail)
    steps = [asdict(answer) for answer in way(example, rules, fate, facts)]
    if by_hand:
        steps = [step | {"outcome": "would drop"} if step["outcome"] == "dropped" else step for step in steps]
        outcome = f"kept, because a person wants it back; else dropped: {by_hand}"
    else:
        outcome = f"dropped: {_said(fate)}" if fate else "kept"
    if any(one.id == row for one in _control(run)):
        outcome += ", as control of the second round"
    return told | {"steps": steps, "outcome": outcome}


def _said(fate: Dropped) -> str:
    return f"{fate.reason}, {fate.detail}" if fate.detail else fate.reason


def _curated(path: str | Path) -> Run:
    run = Run.open(path)
    if run.done("curate") is None:
        raise RunError("nothing has been curated yet", where=run.path, remedy="make it with: japagen curate EXPERIMENT")
    return run


@contextmanager
def _undamaged(run: Run) -> Iterator[None]:
    """Files that were written by other hands are no bugs of ours.

    Raises:
        RunError: a file does not hold what a stage writes.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        first = str(error).partition("\n")[0][:120]
        what = f"a file of the run is damaged: {type(error).__name__} {first}"
        raise RunError(what, where=run.path, remedy="make the stage again with --redo curate") from error


def _settings(run: Run) -> Experiment:
    """The experiment with the settings by which rows were curated: those of the run may be newer."""
    given = Experiment.model_validate(read_json(run.path / "experiment.json"))
    done = (run.done("curate") or {})["inputs"]["curate"]
    return given.model_copy(update={"curate": CurateSection.model_validate(done)})


def write_audit(path: str | Path, file: Path, n: int) -> int:
    """Write rows without their label for a person to label; how many.

    Raises:
        RunError: nothing has been curated yet.
        DataError: the file is there already, or cannot be written.
    """
    run = _curated(path)
    if file.suffix != ".jsonl":
        raise DataError("rows are written as JSON lines", where=file, remedy="name a file that ends in .jsonl")
    if any(run.folder(stage).resolve() in file.resolve().parents for stage in STAGES):
        raise DataError(
            "lies in a stage's folder, which is emptied when the stage is made again",
            where=file,
            remedy="name another place",
        )
    with _undamaged(run):
        seed = int(read_json(run.path / "experiment.json")["seed"])
        rows = draw_audit(read_examples(run.folder("curate") / "examples.jsonl"), n, seed=seed)
    try:
        if file.exists():
            raise DataError(
                "is there already", where=file, remedy="choose another name: what a person wrote is not lost"
            )
        write_jsonl(file, rows)
    except OSError as error:
        raise DataError(
            f"cannot be written: {error.strerror or error}", where=file, remedy="name another file"
        ) from error
    return len(rows)


def _control(run: Run) -> list[Example]:
    file = run.folder("curate") / "control.jsonl"
    return read_examples(file) if file.is_file() else []


def _dropped(run: Run, stage: str) -> list[Dropped]:
    return [as_dropped(row) for row in read_rows(run.folder(stage) / "dropped.jsonl")]


def _facts(run: Run) -> dict[str, Any]:
    """What the steps told; their names say which were taken."""
    return dict(read_json(run.folder("curate") / "curation.json"))


def _some_gold(facts: dict[str, Any]) -> GoldData | None:
    """Whether rows were compared with gold is all that counts here: what came of it is known from the rows."""
    if "contamination" not in facts:
        return None
    row = Example("gold", "", "")
    return GoldData(test=[row])
