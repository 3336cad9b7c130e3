"""The six stages in order, bound to a run: the only module that knows the order.

Each stage reads what earlier stages left on disk and leaves its own files; the stages themselves know nothing of runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from japagen.analyze import analyze
from japagen.classifiers import trained_models
from japagen.curate import CurateSettings, curate
from japagen.errors import ConfigError, Interrupted, RunError, did_you_mean
from japagen.evaluate import evaluate
from japagen.evaluate.gold import load_gold
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.llm import LLM, check_llm, load_llm
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, silent
from japagen.records import Accounting, Dropped, Example, digest
from japagen.report import write_report
from japagen.reportdata import report_data
from japagen.rundir import STAGES, Run, digest_or_none
from japagen.student import Classifier, load_classifier
from japagen.tables import read_rows, write_json, write_jsonl
from japagen.task import Task
from japagen.train import train

Say = Callable[[str], None]
_REPLIES = "replies.sqlite"


@dataclass(slots=True)
class _Pipeline:
    experiment: Experiment
    task: Task
    run: Run
    on_progress: Listener
    say: Say
    llm: LLM | None = None

    def model(self) -> LLM:
        """The language model, loaded when it is first needed."""
        if self.llm is None:
            self.llm = load_llm(self.experiment.llm.name)
            if self.llm.notice:
                self.say(self.llm.notice)
        return self.llm

    # ---- inputs: what a stage's result depends on -------------------------------------------------------------------

    def inputs(self, stage: str) -> dict[str, Any]:
        """The named inputs of a stage; a change of any of them makes it stale."""
        settings = self.experiment.model_dump(mode="json")
        task = self.task.model_dump(mode="json")
        upstream = {
            "generate": [],
            "curate": ["generate"],
            "train": ["curate"],
            "evaluate": ["train"],
            "analyze": ["curate"],
            "report": ["generate", "curate", "train", "evaluate", "analyze"],
        }[stage]
        named: dict[str, Any] = {stage: settings[stage], "seed": settings["seed"]}
        named |= {f"stage {name}": self.run.outputs_digest(name) for name in upstream}
        match stage:
            case "generate":
                named["llm"] = settings["llm"]
                named |= {f"task.{key}": digest(task[key]) for key in ("system", "document", "knowledge", "title")}
                named["task.labels"] = digest([[name, label] for name, label in task["labels"].items()])
            case "curate":
                named["task.max_chars"] = task["max_chars"]
            case "train":
                if self.experiment.train.dev == "gold":
                    named |= self._gold_inputs("dev")
            case "evaluate":
                named["llm"] = settings["llm"]["name"]
                named["task.metric"] = task["metric"]
                named["task.prompting"] = digest(task["prompting"])
                named |= self._gold_inputs("dev", "test")
            case "analyze":
                named |= self._gold_inputs("dev", "test")
            case "report":
                named["task"] = digest(task)
        return named

    def _gold_inputs(self, *splits: str) -> dict[str, Any]:
        gold = self.task.gold
        files = {split: getattr(gold, split) for split in splits} if gold else {}
        return {
            f"gold.{split}": digest([file.model_dump(mode="json"), digest_or_none(self.task.path(file.file))])
            for split, file in files.items()
            if file is not None
        }

    def gold(self, split: str) -> list[Example]:
        """The gold rows of a split; none where the task has none."""
        return load_gold(self.task, getattr(self.task.gold, split) if self.task.gold else None)

    # ---- stages -----------------------------------------------------------------------------------------------------

    def generate(self, folder: Path) -> dict[str, Any]:
        llm = self.model()
        with ReplyStore(folder / _REPLIES) as store:
            result = generate(self.experiment, self.task, llm, store, on_progress=self.on_progress)
        write_jsonl(folder / "examples.jsonl", map(_row, result.kept))
        write_jsonl(folder / "dropped.jsonl", map(_dropped_row, result.dropped))
        failed = [{"id": request, "reason": reason} for request, reason in result.failed.items()]
        write_jsonl(folder / "failed.jsonl", failed)
        per_label = self.experiment.generate.per_label
        usage = {
            "prompt_tokens": result.prompt_tokens,
            "completion_tokens": result.completion_tokens,
            "called": result.called,
        }
        labels = {}
        for label in self.task.label_names:
            reasons = [reason for request, reason in result.failed.items() if request.rpartition("/")[0] == label]
            labels[label] = _account(per_label, result.kept, result.dropped, label, reasons)
        total = per_label * len(labels)
        account = asdict(Accounting.count(total, result.kept, result.dropped, result.failed.values()))
        return {"accounting": account, "by_label": labels, "usage": usage, "llm": llm.name}

    def curate(self, folder: Path) -> dict[str, Any]:
        examples = self._examples("generate")
        given = self.experiment.curate
        settings = CurateSettings(
            min_chars=given.min_chars,
            max_chars=given.max_chars or self.task.max_chars,
            min_japanese=given.min_japanese,
            shot_similarity=given.shot_similarity,
            near_duplicate=given.near_duplicate,
        )
        labels = self.task.labels.values()
        shots = [shot.text for label in labels for shot in label.shots]
        fragments = [self.task.system, self.task.document.heading, self.task.document.lead]
        fragments += [
            text for label in labels for text in (label.meaning, label.instruction, label.heading or "") if text
        ]
        kept, dropped = curate(
            examples, settings=settings, shots=shots, fragments=fragments, on_progress=self.on_progress
        )
        write_jsonl(folder / "examples.jsonl", map(_row, kept))
        write_jsonl(folder / "dropped.jsonl", map(_dropped_row, dropped))
        by_label = {
            label: _account(sum(e.label == label for e in examples), kept, dropped, label)
            for label in self.task.label_names
        }
        return {"accounting": asdict(Accounting.count(len(examples), kept, dropped)), "by_label": by_label}

    def train(self, folder: Path) -> dict[str, Any]:
        examples = self._examples("curate")
        gold_dev = self.gold("dev") if self.experiment.train.dev == "gold" else []
        trained = train(
            self.experiment, examples, gold_dev, folder, labels=self.task.label_names, on_progress=self.on_progress
        )
        write_json(folder / "models.json", [asdict(model) for model in trained])
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def evaluate(self, folder: Path) -> dict[str, Any]:
        trained: dict[str, list[tuple[Classifier, int]]] = {}
        for model in trained_models(self.run):
            classifier = load_classifier(self.run.folder("train") / model.folder)
            trained.setdefault(model.student, []).append((classifier, model.train_rows))
        test = self.gold("test")
        with ReplyStore(folder / _REPLIES) as store:
            result = evaluate(
                self.experiment,
                self.task,
                trained,
                self.gold("dev"),
                test,
                self.model,
                store,
                on_progress=self.on_progress,
            )
        write_json(folder / "scores.json", result.summary)
        rows = (
            {
                "system": system.name,
                "seed": number,
                "id": p.id,
                "gold": example.label,
                "label": p.label,
                "scores": dict(p.scores),
            }
            for system in result.systems
            for number, run in enumerate(system.predictions)
            for example, p in zip(test, run, strict=True)
        )
        write_jsonl(folder / "predictions.jsonl", rows)
        return {"accounting": asdict(Accounting(len(test), len(test)))}

    def analyze(self, folder: Path) -> dict[str, Any]:
        examples, gold = self._examples("curate"), [*self.gold("dev"), *self.gold("test")]
        found = analyze(
            examples, gold, labels=self.task.label_names, seed=self.experiment.seed, on_progress=self.on_progress
        )
        write_json(folder / "analysis.json", {"yield": self._yields(), **found})
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def report(self, folder: Path) -> dict[str, Any]:
        write_report(report_data(self.run, self.experiment, self.task, self.gold("test")), folder)
        return {}

    def _yields(self) -> dict[str, Any]:
        """Of each label the texts asked for, those left after curation, and their share."""
        asked, left = (self.run.done(stage) or {} for stage in ("generate", "curate"))
        counts = {
            label: (asked["by_label"][label]["requested"], left["by_label"][label]["kept"])
            for label in self.task.label_names
        }
        return {label: {"requested": n, "kept": kept, "value": kept / n} for label, (n, kept) in counts.items()}

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _examples(self, stage: str) -> list[Example]:
        return [_example(row) for row in read_rows(self.run.folder(stage) / "examples.jsonl")]


def run(
    experiment: Experiment | str | Path,
    *,
    runs: str | Path = "runs",
    redo: str | None = None,
    until: str = "report",
    llm: LLM | None = None,
    on_progress: Listener = silent,
    say: Say = lambda text: None,
) -> Run:
    """Run an experiment's stages in order; those that stand are skipped.

    Args:
        experiment: an experiment, or the path of its file.
        runs: folder that gets the run's folder, named after the experiment.
        redo: a stage that is made again, with all after it.
        until: the last stage to run.
        llm: a language model to use instead of the one that the experiment names.
        on_progress: told how far each stage is.
        say: told what a user should read once (licence notices).

    Returns:
        The run; its files are described in `rundir`.

    Raises:
        JapagenError: see `errors`; Interrupted after Ctrl-C.
    """
    for stage in (until, *([redo] if redo else [])):
        if stage not in STAGES:
            raise ConfigError(f"no stage is called '{stage}'", where="run", remedy=did_you_mean(stage, STAGES))
    if redo is not None and STAGES.index(redo) > STAGES.index(until):
        raise ConfigError(
            f"'{redo}' comes after '{until}', where this command stops",
            where="--redo",
            remedy=f"give: japagen {redo} EXPERIMENT --redo {redo}",
        )
    if not isinstance(experiment, Experiment):
        experiment = Experiment.load(experiment)
    task = experiment.load_task()
    check(experiment, task)
    place = Run.create(Path(runs) / experiment.name, experiment=experiment.name, task=task.name)
    with place.lock():
        pipeline = _Pipeline(experiment, task, place, on_progress, say, llm)
        for stage in STAGES[: STAGES.index(redo or until) + (redo is None)]:
            place.is_fresh(stage, pipeline.inputs(stage))  # refuse before anything is changed
        _save_settings(pipeline)
        if redo is not None:
            place.redo(redo)
        for stage in STAGES[: STAGES.index(until) + 1]:
            inputs = pipeline.inputs(stage)
            if place.is_fresh(stage, inputs):
                continue
            started = time.monotonic()
            with _resumable(place, stage):
                facts = getattr(pipeline, stage)(place.begin(stage))
                place.finish(stage, inputs, **facts, seconds=round(time.monotonic() - started, 3))
    return place


def check(experiment: Experiment, task: Task) -> None:
    """Find what can be found wrong before any work is done: names of models and students, gold files.

    Raises:
        ConfigError, DataError: what is wrong.
    """
    from japagen.student import load_student

    check_llm(experiment.llm.name)
    for name in experiment.train.students:
        load_student(name)
    if task.gold:
        load_gold(task, task.gold.dev)
        load_gold(task, task.gold.test)


def _save_settings(pipeline: _Pipeline) -> None:
    write_json(pipeline.run.path / "experiment.json", pipeline.experiment.model_dump(mode="json"))
    write_json(pipeline.run.path / "task.json", pipeline.task.model_dump(mode="json"))


@contextmanager
def _resumable(place: Run, stage: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped during '{stage}'; what was done is safe", where=place.path, remedy="go on with the same command"
        ) from None
    except OSError as error:
        raise RunError(
            f"'{stage}' could not be written: {error.strerror or error}; what was done is safe",
            where=place.path,
            remedy="make room or check permissions, then give the same command again",
        ) from error


def _account(
    requested: int, kept: Sequence[Example], dropped: Sequence[Dropped], label: str, failed: Sequence[str] = ()
) -> dict[str, Any]:
    return asdict(
        Accounting.count(
            requested,
            [example for example in kept if example.label == label],
            [drop for drop in dropped if drop.example.label == label],
            failed,
        )
    )


def _row(example: Example) -> dict[str, Any]:
    return {"id": example.id, "text": example.text, "label": example.label, **example.meta}


def _dropped_row(drop: Dropped) -> dict[str, Any]:
    return {**_row(drop.example), "reason": drop.reason, "detail": drop.detail}


def _example(row: dict[str, Any]) -> Example:
    meta = {key: value for key, value in row.items() if key not in ("id", "text", "label")}
    return Example(row["id"], row["text"], row["label"], meta=meta)
