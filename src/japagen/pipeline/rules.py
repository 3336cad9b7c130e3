"""What the rows of an experiment are asked when they are curated, and which of those dropped a person wants back."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path

from japagen.curate import Known, Limits, Rules
from japagen.curate.audit import read_audit
from japagen.curate.contamination import REASON as CONTAMINATION
from japagen.curate.filters import CHECKS, REPAIRS
from japagen.curate.target import read_texts
from japagen.errors import ConfigError, MissingExtra, RunError, did_you_mean
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.llm import check_llm
from japagen.llm.prices import Price, experiment_price
from japagen.pipeline.prompted import fragments, nearest_label, shots
from japagen.pipeline.rows import as_dropped
from japagen.records import Dropped, digest
from japagen.rundir import Run
from japagen.sections import JudgeSection, SampleSection
from japagen.student import load_student
from japagen.tables import read_rows, write_text
from japagen.task import Task
from japagen.yamlfile import check_path

RESTORED = "restored.txt"
"""File of a run: dropped rows that are to be kept, a line each: id, and after a tab the digest of the text meant."""


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
        _check_judge(experiment, task, settings.judge, where)
    if settings.sample:
        _check_sample(experiment, task, settings.sample, where)
    if settings.sample and settings.sample.target != "uniform":
        _check_file(experiment, settings.sample.target, "curate.sample.target", "uniform, or a file of texts", where)
        read_texts(target_file(experiment, settings.sample.target))


def _check_sample(experiment: Experiment, task: Task, sample: SampleSection, where: str) -> None:
    used = task.mechanisms(experiment.generate.kadg).attributes
    if "word" in sample.by and "word" not in used:
        raise ConfigError(
            "curate.sample.by names 'word', but no text is asked for with one",
            where=where,
            remedy="set by: [length, register], or turn generate.kadg on",
        )
    if sample.per_label >= experiment.generate.per_label:
        raise ConfigError(
            f"curate.sample.per_label is {sample.per_label}, but generate.per_label asks for "
            f"{experiment.generate.per_label}: there is nothing to choose from",
            where=where,
            remedy="ask for more than you need",
        )


def _check_judge(experiment: Experiment, task: Task, judge: JudgeSection, where: str) -> None:
    if judge.llm is not None:
        check_llm(judge.llm.name)
        if judge.llm.name.startswith("openai"):
            from japagen.llm.openai.endpoint import check_address

            check_address(judge.llm.base_url)
    judge_price(experiment, judge)
    if judge.audit is not None:
        how = "rows that a person has labelled: japagen curate RUN --audit FILE draws some"
        _check_file(experiment, judge.audit, "curate.judge.audit", how, where)
        read_audit(target_file(experiment, judge.audit), task, None)


def judge_price(experiment: Experiment, judge: JudgeSection) -> Price | None:
    """What the judge's model costs, by its own file of prices or else by the run's.

    Raises:
        ConfigError: the file cannot be used, or the judge's budget is in money and the price is not known.
    """
    budget = judge.budget.model_copy(update={"prices": judge.budget.prices or experiment.budget.prices})
    return experiment_price(experiment.model_copy(update={"llm": judge.llm or experiment.llm, "budget": budget}))


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
    # Where wording is judged, a sentence may be wrong by breaking off.
    by_task = {"incomplete": task.judges == "meaning", "same_sentences": task.is_pair}
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


def restored_rows(run: Run) -> dict[str, str]:
    """The rows that a person wants kept: their ids, and the digest of the text that was meant ("" for any)."""
    file = run.path / RESTORED
    if not file.exists():
        return {}
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise RunError(f"cannot be read: {error}", where=file, remedy="mend or remove it") from error
    found = (line.split("\t") for line in lines if line.strip())
    return {name.strip(): rest[0].strip() if rest else "" for name, *rest in found}


def text_digest(text: str, text_pair: str | None) -> str:
    """Twelve hexadecimal digits that stand for the texts of a row."""
    return digest([text, text_pair])[:12]


def restore(run: Run, ids: list[str]) -> int:
    """Note rows that were dropped as wanted back; the stage `curate` keeps them when it is made again.

    Returns:
        how many are noted by now.

    Raises:
        RunError: nothing has been curated yet, a row was not dropped, stands in the gold data or has no text.
    """
    dropped = {row["id"]: row for row in dropped_rows(run)}
    known = restored_rows(run)
    kept = {row["id"] for row in read_rows(run.folder("curate") / "examples.jsonl")}
    for name in ids:
        if name in known:
            continue
        row = dropped.get(name)
        if row is None and name in kept:
            raise RunError(f"row '{name}' is kept already", where=run.path, remedy="name a row that was dropped")
        if row is None:
            raise RunError(
                f"no row '{name}' was dropped{near_row(name, dropped)}",
                where=run.path,
                remedy=f"{run.folder('curate').name}/dropped.jsonl has all of them",
            )
        if row["reason"] == CONTAMINATION:
            raise RunError(
                f"row '{name}' stands in the gold data ({row['detail']}): learnt from, it would make the scores too good",
                where=run.path,
                remedy="leave it out, or set curate.contamination: false and say so where you tell the scores",
            )
        if not row["text"].strip() or not row.get("text_pair", "-").strip():
            raise RunError(f"row '{name}' has no text ({row['reason']})", where=run.path, remedy="leave it out")
    for name in ids:
        if name not in known:
            known[name] = text_digest(dropped[name]["text"], dropped[name].get("text_pair"))
    write_text(run.path / RESTORED, "".join(f"{name}\t{known[name]}\n" for name in sorted(known)))
    return len(known)


def near_row(name: str, rows: Collection[str]) -> str:
    """A hint that names the row that may have been meant; nothing where none is near: there are too many to list."""
    hint = did_you_mean(name, list(rows)[:100_000])
    return f"; {hint}" if hint.startswith("did you mean") else ""


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


def lost_in_writing(run: Run) -> list[Dropped]:
    """What the first stage dropped."""
    return [as_dropped(row) for row in read_rows(run.folder("generate") / "dropped.jsonl")]
