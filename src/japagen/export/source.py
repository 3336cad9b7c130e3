"""What is exported: the classifier that answers for a run, or one in a folder of its own; and texts to try it on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from japagen.classifiers import trained_models
from japagen.errors import DataError, JapagenError, RunError
from japagen.evaluate.gold import load_gold_data
from japagen.records import Example, rows_digest
from japagen.rundir import Run, check_name, read_json
from japagen.tables import column, read_rows
from japagen.task import Task
from japagen.train import Trained

MOST_TEXTS = 2_000
"""Curated texts that are tried where there are no gold rows."""


@dataclass(frozen=True, slots=True)
class Source:
    """A classifier and where it comes from.

    Attributes:
        folder: the classifier's own.
        run: that trained it; None where the folder stands alone.
        trained: what the run says of it.
        others: folders of the other seeds, where the mean of all answers for the run (`train.ensemble`).
    """

    folder: Path
    run: Run | None = None
    trained: Trained | None = None
    others: tuple[Path, ...] = ()

    @property
    def one_of(self) -> int:
        """How many seeds answer together for the run, of which this classifier is one alone; else 0."""
        if self.run is None or self.trained is None or self.others:
            return 0
        together = find(self.run.path)
        seeds = (together.folder, *together.others)
        return len(seeds) if len(seeds) > 1 and self.folder.resolve() in {seed.resolve() for seed in seeds} else 0

    @property
    def task(self) -> Task | None:
        """The run's task, without its shots.

        Raises:
            RunError: the run's file of it is damaged.
        """
        if self.run is None:
            return None
        file = self.run.path / "task.json"
        saved = read_json(file)
        try:
            for label in saved["labels"].values():
                label["shots"] = []
            return Task.model_validate(saved)
        except (TypeError, LookupError, AttributeError, ValidationError) as error:
            raise RunError("damaged: no task", where=file, remedy="make it again with --redo report") from error


@dataclass(frozen=True, slots=True)
class Trial:
    """Texts on which an export must answer as its original does.

    Attributes:
        examples: the texts.
        what: they are, for a reader: "gold test rows".
    """

    examples: list[Example]
    what: str


def find(path: Path) -> Source:
    """The classifier of a run (the one that answers for it), or that of a folder.

    Raises:
        RunError: there is neither, or the run has trained none.
    """
    check_name(path)
    if (path / "run.json").is_file():
        run = Run.open(path)
        models = trained_models(run)
        first, *others = [model for model in models if model.student == models[0].student]
        train = read_json(path / "experiment.json").get("train") or {}
        more = tuple(run.folder("train") / model.folder for model in others) if train.get("ensemble") else ()
        return Source(run.folder("train") / first.folder, run, first, more)
    if not (path / "classifier.json").is_file():
        near = Path("runs") / path
        hint = f"did you mean {near}?" if (near / "run.json").is_file() else "make one with: japagen run EXPERIMENT"
        raise RunError("there is no run in this folder, and no classifier", where=path, remedy=hint)
    above = path.resolve().parents
    if len(above) > 2 and (above[2] / "run.json").is_file():
        run = Run.open(above[2])
        for trained in trained_models(run):
            if (run.folder("train") / trained.folder).resolve() == path.resolve():
                return Source(path, run, trained)
    return Source(path)


def trial(source: Source, check: Path | None) -> Trial:
    """Texts to try an export on: those of a file, else the run's gold test rows, else its curated texts.

    Args:
        source: what is exported.
        check: a file with the columns text and, for pairs, text_pair.

    Raises:
        DataError: there are none.
    """
    if check is not None:
        return Trial(_of_file(check), f"rows of {check.name}")
    if source.run is None:
        raise DataError(
            "an export is tried on texts, and a classifier without its run has none",
            where=source.folder,
            remedy="give some with --check FILE (columns text and, for pairs, text_pair)",
        )
    if gold := _gold(source.run, source.task):
        return Trial(gold, "gold test rows")
    rows = read_rows(source.run.folder("curate") / "examples.jsonl")
    if not rows:
        raise DataError("the run has no texts to try an export on", where=source.run.path, remedy="give --check FILE")
    step = max(1, -(-len(rows) // MOST_TEXTS))
    curated = [Example(row["id"], row["text"], row["label"], row.get("text_pair")) for row in rows[::step]]
    return Trial(curated, "curated texts (the gold test rows are not at hand)")


def _of_file(file: Path) -> list[Example]:
    rows = read_rows(file)
    if not rows:
        raise DataError("the file holds no rows", where=file, remedy="give at least one text")
    texts = column(rows, "text", file)
    seconds: list[Any] = column(rows, "text_pair", file) if "text_pair" in rows[0] else [None] * len(rows)
    return [Example(str(n), text, "", second) for n, (text, second) in enumerate(zip(texts, seconds, strict=True), 1)]


def _gold(run: Run, task: Task | None) -> list[Example]:
    """The gold test rows that the run was measured on; none where they are not found, or were changed since."""
    done = run.done("evaluate")
    if task is None or task.gold is None or done is None:
        return []
    for folder in _folders(run):
        try:
            rows = load_gold_data(task.model_copy(update={"folder": folder})).test
        except JapagenError:  # not here, or changed so that it cannot be read
            continue
        if rows_digest(rows) == done["inputs"].get("gold.test"):
            return rows
    return []


def _folders(run: Run) -> list[Path]:
    """Where a file that the task names may lie: a run does not say where its experiment lay."""
    from japagen.task import built_in_tasks

    name = Path(str(read_json(run.path / "experiment.json").get("task", "")))
    bases = [Path(), run.path.parent.parent, run.path.parent, run.path]
    built_in = [file.parent for file in built_in_tasks().values()][:1]
    return [folder for base in bases for folder in ((base / name).parent, base)] + built_in
