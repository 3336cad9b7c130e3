"""Texts from anywhere, analysed without a run: a file of another pipeline beside human-labelled data.

With a task its labels hold, and columns are found as for gold data. Without one the file says what there is: the columns of
the texts and, where there is one, of the label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import Field

from japagen.analyze import Facts, analyze
from japagen.anyfile.plain import UNLABELLED, attributes_of, plain_rows
from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.evaluate.contamination import contamination
from japagen.evaluate.gold import GoldSource, load_gold_data
from japagen.evaluate.gold.columns import find_columns
from japagen.goldfiles import Gold
from japagen.goldsets import PUBLISHED
from japagen.groups import image_groups
from japagen.pipeline.people import read_people
from japagen.progress import Listener, silent
from japagen.records import Example
from japagen.report import ReportData
from japagen.report.language import Language
from japagen.rundir import now, versions
from japagen.sections import AnalyzeSection, Section
from japagen.student import load_student
from japagen.tables import FORMATS, file_digest, read_rows
from japagen.task import Task


class FileSettings(Section):
    """What of an experiment holds for a file without one."""

    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    analyze: AnalyzeSection = AnalyzeSection()


@dataclass(frozen=True, slots=True)
class FileAnalysis:
    """What was found of a file.

    Attributes:
        rows: how many were analysed, and how many gold rows beside them.
        analysis: as `analyze.analyze` gives it.
        contamination: rows of gold that stand in the file, as `evaluate.contamination` counts them.
        data: what `write_report` needs.
    """

    rows: tuple[int, int]
    analysis: dict[str, Any]
    contamination: list[dict[str, Any]]
    data: ReportData


@dataclass(frozen=True, slots=True)
class _Source:
    """What a user named."""

    file: Path
    against: str | None
    columns: Mapping[str, str]
    gold_columns: Mapping[str, str] | None
    labels: Mapping[str, str]

    def columns_of(self, gold: Path) -> Mapping[str, str]:
        """The columns of the human texts: those that were named for them; else the file's, where they have them."""
        if self.gold_columns is not None or gold.is_dir() or not self.columns:
            return self.gold_columns or {}
        rows = read_rows(gold)
        return self.columns if rows and set(self.columns.values()) <= set(rows[0]) else {}


@dataclass(frozen=True, slots=True)
class _Read:
    """Rows of two files on one set of labels; what else the file tells of its rows stands in their meta (`attributes`)."""

    rows: list[Example]
    gold: list[Example]
    labels: tuple[str, ...]
    about: Mapping[str, Any]
    attributes: tuple[str, ...]
    task: Task | None = None
    sources: tuple[GoldSource, ...] = ()

    @property
    def values(self) -> dict[str, float] | None:
        """The number of each label, for similarity."""
        task = self.task
        if task is None or task.kind != "similarity":
            return None
        return {label: task.value(label) or 0.0 for label in self.labels}


def analyze_file(
    file: Path,
    *,
    against: str | None = None,
    task: str | None = None,
    columns: Mapping[str, str] | None = None,
    gold_columns: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    settings: FileSettings | None = None,
    language: Language = "en",
    command: str = "",
    on_progress: Listener = silent,
) -> FileAnalysis:
    """Analyse a file of texts.

    Args:
        file: JSONL, CSV, TSV or Parquet.
        against: a file of human texts, or a published set; None: the task's own gold data, if it has any here.
        task: a built-in task or a task file; None: labels are those of the file.
        columns: of the file by what they hold (text, text_pair, label, id), where their names are not customary.
        gold_columns: the same of the human texts; None: as of the file, where they have such columns.
        labels: what the files call a label, to the task's name of it.
        settings: what is measured, and the seed of all draws.
        language: of the report.
        command: that the report names.
        on_progress: told of each measure.

    Raises:
        ConfigError: no such task or label.
        DataError: a file cannot be read, or its columns or labels cannot be told.
    """
    settings = settings or FileSettings()
    if settings.analyze.oracle is not None:
        load_student(settings.analyze.oracle)
    source = _Source(file, against, columns or {}, gold_columns, labels or {})
    if against is None and gold_columns:
        raise ConfigError(
            "names columns of human texts, but none are given", where="--gold", remedy="add --against GOLD"
        )
    read = _of_task(source, task) if task else _of_file(source)
    facts = Facts(values=read.values, attributes=read.attributes, people=_people(settings.analyze.people, read))
    found = analyze(
        read.rows,
        {"gold": read.gold},
        labels=read.labels,
        seed=settings.seed,
        settings=settings.analyze,
        facts=facts,
        on_progress=on_progress,
    )
    shared = [asdict(one) for one in contamination({"gold": read.gold}, {str(file.name): read.rows})]
    data = ReportData(
        name=file.name,
        task=read.about,
        experiment={**settings.model_dump(mode="json"), "report": {"language": language}},
        scores={
            "contamination": shared,
            "gold": {"files": [asdict(source) for source in read.sources], "groups": _images(read.gold)},
            "labels": list(read.labels),
            "kind": read.about["kind"],
        },
        analysis=found,
        kept=[_shown(row) for row in read.rows],
        file={"name": file.name, "rows": len(read.rows), "gold_rows": len(read.gold)},
        provenance={
            "file": file.name,
            "sha256": file_digest(file) if file.is_file() else None,
            "seed": settings.seed,
            "finished": now(),
            "command": command,
            "versions": versions(),
        },
    )
    return FileAnalysis((len(read.rows), len(read.gold)), found, shared, data)


def _images(rows: Sequence[Example]) -> int | None:
    """How many images the rows are about; None where they name none."""
    groups = image_groups(rows)
    return None if groups is None else len(set(groups))


def _shown(row: Example) -> dict[str, Any]:
    shown = {"id": row.id, "label": row.label, "text": row.text, **row.meta}
    return shown | ({} if row.text_pair is None else {"text_pair": row.text_pair})


def _of_task(source: _Source, name: str) -> _Read:
    """Both files read as rows of a task."""
    task, file = Task.load(name), source.file
    gold_task = task
    if source.against is not None:
        gold_task = task.model_copy(update={"gold": _gold_of(task, source)})
    gold = load_gold_data(gold_task) if gold_task.gold else None
    found = find_columns(task, file, source.columns, source.labels)
    rows = load_gold_data(task.model_copy(update={"gold": Gold(test=found)})).test
    attributes: list[str] = []
    if file.suffix.lower() in FORMATS:
        table = read_rows(file)
        attributes = attributes_of(table, {found.text, found.text_pair, found.label, found.id})
        rows = [_with(row, told, attributes) for row, told in zip(rows, table, strict=True)]
    return _Read(
        rows,
        [] if gold is None else [*gold.train, *gold.dev, *gold.test],
        task.label_names,
        {
            "name": task.name,
            "description": task.description,
            "kind": task.kind,
            "metric": task.metric,
            "labels": {one: {"meaning": label.meaning} for one, label in task.labels.items()},
        },
        tuple(attributes),
        task,
        () if gold is None else gold.files,
    )


def _with(row: Example, told: Mapping[str, Any], attributes: Sequence[str]) -> Example:
    return replace(row, meta={**row.meta, **{key: told[key] for key in attributes if key in told}})


def _people(named: str | None, read: _Read) -> dict[str, bool] | None:
    """What people said of the rows."""
    if named is None:
        return None
    if read.task is None:
        raise ConfigError("analyze.people: labels are explained by a task", where="--set", remedy="add --task NAME")
    return read_people(Path(named), read.task, read.rows)


def _gold_of(task: Task, source: _Source) -> Gold:
    against = str(source.against)
    if against in PUBLISHED and not Path(against).exists():
        return Gold.model_validate(against)
    path = _human(against)
    return Gold(test=find_columns(task, path, source.columns_of(path), source.labels))


def _human(against: str) -> Path:
    """The file of human texts.

    Raises:
        DataError: there is none.
    """
    path = Path(against)
    if not path.exists():
        raise DataError(
            f"'{against}' is neither a file nor a published set; {did_you_mean(against, PUBLISHED)}",
            where="--against",
            remedy="japagen gold lists the published sets",
        )
    return path


def _of_file(source: _Source) -> _Read:
    """Both files as they are; the gold rows must have the labels of the others, if those have any."""
    against, file = source.against, source.file
    if against is not None and against in PUBLISHED and not Path(against).exists():
        raise ConfigError(
            f"'{against}' is a published set, whose labels a task explains",
            where="--against",
            remedy=f"add --task {against}",
        )
    rows, kind, attributes = plain_rows(file, source.columns)
    gold: list[Example] = []
    if against is not None:
        path = _human(against)
        gold, gold_kind, _ = plain_rows(path, source.columns_of(path), "--gold ")
        if kind != gold_kind:
            what = "pairs of texts in the one file, single texts in the other"
            raise DataError(what, where=against, remedy="name the columns: --gold text=COLUMN --gold text_pair=COLUMN")
    if unknown := set(source.labels) - {row.label for row in (*rows, *gold)}:
        written = sorted({row.label for row in (*rows, *gold)})
        raise ConfigError(
            f"no row has the label '{min(unknown)}'",
            where="--map",
            remedy=f"the labels that are there: {', '.join(written)}",
        )
    rows, gold = (
        [replace(row, label=source.labels.get(row.label, row.label)) for row in side] for side in (rows, gold)
    )
    named = tuple(sorted({row.label for row in rows}))
    others = sorted({row.label for row in gold} - set(named))
    if UNLABELLED in (*named, *others):
        rows, gold = ([replace(row, label=UNLABELLED) for row in side] for side in (rows, gold))
        named, others = (UNLABELLED,), []
    if others:
        raise DataError(
            f"has the label '{others[0]}', which {file.name} has not (it has {', '.join(named)})",
            where=against,
            remedy=f"say what it means: --map '{others[0]}=LABEL', or add --task NAME",
        )
    meanings = {name: {"meaning": ""} for name in named}
    about = {"name": file.stem, "description": "", "kind": kind, "metric": "accuracy", "labels": meanings}
    return _Read(rows, gold, named, about, tuple(attributes))
