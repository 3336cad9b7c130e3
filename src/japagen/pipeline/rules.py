"""What the rows of an experiment are asked when they are curated, and which of those dropped a person wants back."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from japagen.curate import Known, Limits, Rules
from japagen.curate.contamination import REASON as CONTAMINATION
from japagen.curate.filters import CHECKS, REPAIRS
from japagen.errors import ConfigError, MissingExtra, RunError, did_you_mean
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.llm import check_llm
from japagen.llm.prices import experiment_price
from japagen.pipeline.prompted import fragments, nearest_label, shots
from japagen.pipeline.rows import as_example
from japagen.records import Example
from japagen.rundir import Run
from japagen.sections import JudgeSection
from japagen.student import load_student
from japagen.tables import read_rows, write_text
from japagen.task import Task
from japagen.yamlfile import check_path

RESTORED = "restored.txt"
"""File of a run: ids of dropped rows that are to be kept, a line each."""


def check_curation(experiment: Experiment, task: Task) -> None:
    """Whether what the experiment asks of curation is there: names of filters, files, students, models, packages.

    Raises:
        ConfigError, DataError, MissingExtra: what is not.
    """
    settings, where = experiment.curate, f"experiment '{experiment.name}'"
    known = [*REPAIRS, *CHECKS]
    for name in settings.filters:
        if name not in known:
            raise ConfigError(
                f"curate.filters: there is no filter '{name}'; {did_you_mean(name, known)}",
                where=where,
                remedy="japagen filters lists them",
            )
    for key, on in (("too_few_words", settings.min_words), ("too_many_words", settings.max_words)):
        if settings.filters.get(key) and on is None:
            limit = "min_words" if key == "too_few_words" else "max_words"
            raise ConfigError(
                f"curate.filters asks for {key}, but curate.{limit} is not set",
                where=where,
                remedy=f"set curate.{limit}",
            )
    if settings.min_words and settings.max_words and settings.min_words > settings.max_words:
        raise ConfigError(
            "curate.min_words is larger than curate.max_words", where=where, remedy="lower the one, or raise the other"
        )
    if settings.noise:
        load_student(settings.noise.student)
        if task.kind == "similarity":
            raise ConfigError(
                "curate.noise asks which label is wrong, but the labels of a similarity task are steps of a number",
                where=where,
                remedy="remove curate.noise",
            )
        if find_spec("cleanlab") is None:
            raise MissingExtra("cleanlab", "noise", needed_by="curate.noise")
    if settings.judge:
        _check_judge(experiment, settings.judge, where)
    if settings.sample and settings.sample.target != "uniform":
        _check_file(experiment, settings.sample.target, "curate.sample.target", "uniform, or a file of texts", where)


def _check_judge(experiment: Experiment, judge: JudgeSection, where: str) -> None:
    if judge.llm is not None:
        check_llm(judge.llm.name)
        if judge.llm.name.startswith("openai"):
            from japagen.llm.openai.endpoint import check_address

            check_address(judge.llm.base_url)
        experiment_price(experiment.model_copy(update={"llm": judge.llm, "budget": judge.budget}))
    if judge.audit is not None:
        how = "rows that a person has labelled: japagen curate RUN --audit FILE draws some"
        _check_file(experiment, judge.audit, "curate.judge.audit", how, where)


def _check_file(experiment: Experiment, named: str, key: str, what: str, where: str) -> None:
    check_path(named)
    file = target_file(experiment, named)
    if not file.is_file():
        near = [one.name for one in file.parent.iterdir() if one.is_file()] if file.parent.is_dir() else []
        hint = f"; {did_you_mean(file.name, near)[:160]}" if near else ""
        raise ConfigError(f"{key}: there is no file '{named}'{hint}", where=where, remedy=f"name {what}")


def limits_of(experiment: Experiment, task: Task) -> Limits:
    """The limits of the filters."""
    given = experiment.curate
    by_task = {"incomplete": False} if task.judges == "wording" else {}  # a sentence may be wrong by breaking off
    return Limits(
        min_chars=given.min_chars,
        max_chars=given.max_chars or task.max_chars,
        min_words=given.min_words,
        max_words=given.max_words,
        min_japanese=given.min_japanese,
        shot_similarity=given.shot_similarity,
        same_sentences=nearest_label(task),
        switched=by_task | given.filters,
    )


def rules_of(experiment: Experiment, task: Task, gold: GoldData | None = None) -> Rules:
    """All that rows are asked; without gold data they are not compared with them."""
    names = {name: (name, label.verbalisation) for name, label in task.labels.items()}
    splits = (
        {"test": gold.test, "dev": gold.dev, "train": gold.train} if gold and experiment.curate.contamination else {}
    )
    return Rules(
        limits=limits_of(experiment, task),
        known=Known(shots=shots(task), fragments=fragments(task), label_names=names),
        near_duplicate=experiment.curate.near_duplicate,
        wording=task.judges == "wording",
        gold={name: rows for name, rows in splits.items() if rows},
    )


def restored_ids(run: Run) -> tuple[str, ...]:
    """The rows that a person wants kept, sorted."""
    file = run.path / RESTORED
    if not file.is_file():
        return ()
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise RunError(f"cannot be read: {error}", where=file, remedy="mend or remove it") from error
    return tuple(sorted({line.strip() for line in lines if line.strip()}))


def restore(run: Run, ids: list[str]) -> int:
    """Note rows that were dropped as wanted back; the stage `curate` keeps them when it is made again.

    Returns:
        how many are noted by now.

    Raises:
        RunError: nothing has been curated yet, a row was not dropped, stands in the gold data or has no text.
    """
    dropped = {row["id"]: row for row in dropped_rows(run)}
    known = restored_ids(run)
    for name in ids:
        if name in known:
            continue
        row = dropped.get(name)
        if row is None:
            raise RunError(
                f"no row '{name}' was dropped; {did_you_mean(name, list(dropped)[:100_000])[:200]}",
                where=run.path,
                remedy=f"{run.folder('curate').name}/dropped.jsonl has all of them",
            )
        if row["reason"] == CONTAMINATION:
            raise RunError(
                f"row '{name}' stands in the gold data ({row['detail']}): learnt from, it would make the scores too good",
                where=run.path,
                remedy="leave it out, or set curate.contamination: false and say so where you tell the scores",
            )
        if not row["text"].strip():
            raise RunError(f"row '{name}' has no text ({row['reason']})", where=run.path, remedy="leave it out")
    wanted = sorted({*known, *ids})
    write_text(run.path / RESTORED, "".join(f"{name}\n" for name in wanted))
    return len(wanted)


def dropped_rows(run: Run) -> list[dict[str, str]]:
    """What was dropped in writing and in curation, as JSON rows.

    Raises:
        RunError: nothing has been curated yet.
    """
    if run.done("curate") is None:
        raise RunError("nothing has been curated yet", where=run.path, remedy="make it with: japagen curate EXPERIMENT")
    return [row for stage in ("generate", "curate") for row in read_rows(run.folder(stage) / "dropped.jsonl")]


def target_file(experiment: Experiment, named: str) -> Path:
    """A file named in the experiment, relative to where it was read from."""
    return (experiment.folder or Path()) / named


def restored_drops(run: Run, ids: tuple[str, ...]) -> list[Example]:
    """The rows dropped in writing that are wanted back."""
    if not ids:
        return []
    rows = read_rows(run.folder("generate") / "dropped.jsonl")
    wanted = [row for row in rows if row["id"] in ids and row["text"].strip()]
    return [as_example({k: v for k, v in row.items() if k not in ("reason", "detail")}) for row in wanted]
