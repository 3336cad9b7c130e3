"""The six stages in order, bound to a run: the only module that knows the order.

Each stage reads what earlier stages left on disk and leaves its own files; the stages themselves know nothing of runs.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from japagen.analyze import analyze
from japagen.cache import shared_replies
from japagen.classifiers import trained_models
from japagen.curate import CurateSettings, curate
from japagen.errors import ConfigError, Interrupted, ModelError, RunError, did_you_mean
from japagen.evaluate import evaluate, prediction_rows
from japagen.evaluate.gold import GoldData, load_gold_data
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.llm import LLM, check_llm, load_llm
from japagen.llm.budget import Budget, Usage
from japagen.llm.prices import experiment_price
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, silent
from japagen.records import Accounting, Dropped, Example, Failed, digest, rows_digest
from japagen.report import write_report
from japagen.reportdata import report_data
from japagen.rundir import REPLIES, STAGES, Run
from japagen.student import Classifier, Training, load_classifier, prepare_student
from japagen.tables import jsonl_writer, read_rows, write_json, write_jsonl
from japagen.task import Task
from japagen.train import check_gold_rows, train

Say = Callable[[str], None]
_BATCHES = "batches"
_CHECKPOINTS = "checkpoints"
_PROMPT_TEXTS = (
    "system",
    "system_without_word",
    "instruction",
    "instruction_without_word",
    "meaning",
    "description",
    "heading",
    "lead",
    "lead_with_word",
    "lead_pair",
    "rule",
)
_ASKED_WITH = (
    "kind",
    "title",
    "system",
    "system_without_word",
    "first",
    "instruction",
    "instruction_without_word",
    "document",
    "knowledge",
)


@dataclass(slots=True)
class _Pipeline:
    experiment: Experiment
    task: Task
    run: Run
    on_progress: Listener
    say: Say
    gold: GoldData
    llm: LLM | None = None
    budget: Budget | None = None

    def model(self) -> LLM:
        """The language model, loaded when it is first needed."""
        if self.llm is None:
            self.llm = load_llm(self.experiment.llm, folder=self.run.path / _BATCHES)
            if self.llm.notice:
                self.say(self.llm.notice)
        return self.llm

    @contextmanager
    def store(self, stage: str) -> Iterator[ReplyStore]:
        """The replies of a stage, within the budget of the whole run."""
        if self.budget is None:
            price = experiment_price(self.experiment)
            self.budget = Budget(self.experiment.budget, price, spent=self._spent("generate") + self._spent("evaluate"))
        shared = shared_replies() if self.experiment.llm.shared_cache else None
        with ReplyStore(self.run.folder(stage) / REPLIES, shared=shared, budget=self.budget) as store:
            yield store

    def _spent(self, stage: str) -> Usage:
        file = self.run.folder(stage) / REPLIES
        if not file.is_file():
            return Usage()
        with ReplyStore(file) as store:
            return store.usage()

    def _usage(self, store: ReplyStore) -> dict[str, Any]:
        """What a stage has used, over all its sessions."""
        usage = store.usage()
        usd = self.budget.usd(usage) if self.budget else None
        return {**asdict(usage), "usd": usd}

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
                named["llm"] = self._llm_inputs()
                named |= {f"task.{key}": digest(task[key]) for key in _ASKED_WITH}
                named["task.labels"] = digest([[name, label] for name, label in task["labels"].items()])
            case "curate":
                named["task.max_chars"] = task["max_chars"]
                named["task.kind"] = task["kind"]
                named["task.shots"] = digest(self._shots())
                named["task.prompts"] = digest(self._fragments())
            case "train":
                named["train"] = self._train_inputs()
                named["task.metric"] = task["metric"]
                if self._learns_from_gold:
                    named |= self._gold_inputs("dev")
            case "evaluate":
                named["llm"] = self._llm_inputs()
                named["task.metric"] = task["metric"]
                named["task.kind"] = task["kind"]
                named["task.prompting"] = digest(task["prompting"])
                named["task.answers"] = digest(
                    [
                        [name, label["verbalisation"], label["value"], label["shots"]]
                        for name, label in task["labels"].items()
                    ]
                )
                named |= self._gold_inputs("train", "dev", "test")
            case "analyze":
                named |= self._gold_inputs("dev", "test")
            case "report":
                named["task"] = digest(task)
        return named

    def _llm_inputs(self) -> dict[str, Any]:
        """What of the model shapes its replies; how it is called may be changed at any time."""
        return self.experiment.llm.model_dump(mode="json", exclude={"http", "shared_cache", "api_key_env"})

    def _train_inputs(self) -> dict[str, Any]:
        """What shapes the students: the encoder's settings only where it is one of them."""
        section = self.experiment.train
        unused = set() if "encoder" in section.students else {"encoder"}
        settings = section.model_dump(mode="json", exclude=unused)
        for key in ("checkpoint_seconds", "threads"):
            settings.get("encoder", {}).pop(key, None)
        return settings

    def _gold_inputs(self, *splits: str) -> dict[str, Any]:
        """The rows themselves: where their files lie makes no difference."""
        rows = {split: getattr(self.gold, split) for split in splits}
        return {f"gold.{split}": rows_digest(found) for split, found in rows.items() if found}

    # ---- stages -----------------------------------------------------------------------------------------------------

    def generate(self, folder: Path) -> dict[str, Any]:
        llm = self.model()
        counts: dict[str, Counter[tuple[str, str]]] = {label: Counter() for label in self.task.label_names}
        with (
            self.store("generate") as store,
            jsonl_writer(folder / "examples.jsonl") as kept,
            jsonl_writer(folder / "dropped.jsonl") as dropped,
            jsonl_writer(folder / "failed.jsonl") as failed,
        ):
            for row in generate(self.experiment, self.task, llm, store, on_progress=self.on_progress):
                match row:
                    case Example():
                        kept(_row(row))
                        counts[row.label]["kept", ""] += 1
                    case Dropped():
                        dropped(_dropped_row(row))
                        counts[row.example.label]["dropped", row.reason] += 1
                    case Failed():
                        failed(asdict(row))
                        counts[row.label]["failed", row.reason] += 1
            usage = self._usage(store)
        per_label = self.experiment.generate.per_label
        by_label = {label: asdict(_counted(per_label, found)) for label, found in counts.items()}
        total = _counted(per_label * len(counts), sum(counts.values(), Counter()))
        if not total.kept and total.failed:
            reasons = ", ".join(f"{reason} ({n})" for reason, n in total.failed.items())
            raise ModelError(
                f"not one text came of {total.requested} rows: {reasons}",
                where=f"llm '{llm.name}'",
                remedy="mend it and give the same command again: what failed is asked for again",
            )
        return {"accounting": asdict(total), "by_label": by_label, "usage": usage, "llm": llm.name}

    def curate(self, folder: Path) -> dict[str, Any]:
        examples = self._examples("generate")
        given = self.experiment.curate
        settings = CurateSettings(
            min_chars=given.min_chars,
            max_chars=given.max_chars or self.task.max_chars,
            min_japanese=given.min_japanese,
            shot_similarity=given.shot_similarity,
            near_duplicate=given.near_duplicate,
            same_sentences=self._nearest_label(),
        )
        kept, dropped = curate(
            examples,
            settings=settings,
            shots=self._shots(),
            fragments=self._fragments(),
            on_progress=self.on_progress,
        )
        write_jsonl(folder / "examples.jsonl", map(_row, kept))
        write_jsonl(folder / "dropped.jsonl", map(_dropped_row, dropped))
        by_label = {
            label: _account(sum(e.label == label for e in examples), kept, dropped, label)
            for label in self.task.label_names
        }
        return {"accounting": asdict(Accounting.count(len(examples), kept, dropped)), "by_label": by_label}

    @property
    def _learns_from_gold(self) -> bool:
        section = self.experiment.train
        return bool(section.dev == "gold" or section.anchor or section.decision)

    def _nearest_label(self) -> str | None:
        """The label of pairs that may be twice the same text; None where no label is such."""
        if self.task.kind != "similarity":
            return None
        return max(self.task.label_names, key=lambda label: self.task.value(label) or 0.0)

    def _shot_rows(self) -> list[Example]:
        return [
            Example(f"shot/{name}/{n}", shot.text, name, shot.text_pair)
            for name, label in self.task.labels.items()
            for n, shot in enumerate(label.shots)
        ]

    def _shots(self) -> list[tuple[str, str | None]]:
        return [(shot.text, shot.text_pair) for shot in self._shot_rows()]

    def _fragments(self) -> list[str]:
        """Parts of the prompts that must not turn up in a text."""
        task = self.task
        parts: list[object] = [task, task.document, task.first, task.knowledge, *task.labels.values()]
        parts += task.attributes.values()
        found = [getattr(part, name, None) for part in parts for name in _PROMPT_TEXTS]
        return list(dict.fromkeys(text for text in found if isinstance(text, str)))

    def train(self, folder: Path) -> dict[str, Any]:
        examples = self._examples("curate")
        trained = train(
            self.experiment,
            examples,
            self.gold.dev if self._learns_from_gold else [],
            folder,
            task=self.task,
            checkpoints=self.run.path / _CHECKPOINTS,
            on_progress=self.on_progress,
            say=self.say,
        )
        write_json(folder / "models.json", [asdict(model) for model in trained])
        shutil.rmtree(self.run.path / _CHECKPOINTS, ignore_errors=True)
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def evaluate(self, folder: Path) -> dict[str, Any]:
        trained: dict[str, list[tuple[Classifier, int]]] = {}
        for model in trained_models(self.run):
            classifier = load_classifier(self.run.folder("train") / model.folder)
            trained.setdefault(model.student, []).append((classifier, model.train_rows))
        with self.store("evaluate") as store:
            found = evaluate(
                self.experiment,
                self.task,
                trained,
                self.gold,
                self.model,
                store,
                learnt={"training texts": self._examples("curate"), "shots": self._shot_rows()},
                checkpoints=self.run.path / _CHECKPOINTS,
                on_progress=self.on_progress,
                say=self.say,
            )
            usage = self._usage(store)
        write_json(folder / "scores.json", found.summary)
        write_jsonl(folder / "predictions.jsonl", prediction_rows(found.systems, self.gold.test))
        shutil.rmtree(self.run.path / _CHECKPOINTS, ignore_errors=True)
        rows = len(self.gold.test)
        return {"accounting": asdict(Accounting(rows, rows)), "usage": usage}

    def analyze(self, folder: Path) -> dict[str, Any]:
        examples, gold = self._examples("curate"), [*self.gold.dev, *self.gold.test]
        found = analyze(
            examples, gold, labels=self.task.label_names, seed=self.experiment.seed, on_progress=self.on_progress
        )
        write_json(folder / "analysis.json", {"yield": self._yields(), **found})
        return {"accounting": asdict(Accounting(len(examples), len(examples)))}

    def report(self, folder: Path) -> dict[str, Any]:
        write_report(report_data(self.run, self.experiment, self.task, self.gold.test), folder)
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
    gold = check(experiment, task)
    place = Run.create(Path(runs) / experiment.name, experiment=experiment.name, task=task.name)
    with place.lock():
        pipeline = _Pipeline(experiment, task, place, on_progress, say, gold, llm)
        for stage in STAGES[: STAGES.index(redo or until) + (redo is None)]:
            place.is_fresh(stage, pipeline.inputs(stage))  # refuse before anything is changed
        if STAGES.index("train") <= STAGES.index(until) and (redo is not None or place.done("train") is None):
            for name in experiment.train.students:
                prepare_student(name, Training(experiment.train.encoder))
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


def check(experiment: Experiment, task: Task) -> GoldData:
    """Find what can be found wrong before any work is done: names of models and students, gold files.

    Returns:
        The gold rows.

    Raises:
        ConfigError, DataError: what is wrong.
    """
    from japagen.student import load_student

    check_llm(experiment.llm.name)
    if experiment.llm.name.startswith("openai"):
        from japagen.llm.openai.endpoint import check_address

        check_address(experiment.llm.base_url)
    experiment_price(experiment)
    for name in experiment.train.students:
        load_student(name)
    gold = load_gold_data(task)
    if task.gold:
        check_gold_rows(experiment, len(gold.dev))
    return gold


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


def _counted(requested: int, found: Counter[tuple[str, str]]) -> Accounting:
    """Counts by kind and reason as an account."""
    dropped, failed = (
        {reason: n for (kind, reason), n in sorted(found.items()) if kind == wanted} for wanted in ("dropped", "failed")
    )
    return Accounting(requested, found["kept", ""], dropped, failed)


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
    row: dict[str, Any] = {"id": example.id, "text": example.text}
    if example.text_pair is not None:
        row["text_pair"] = example.text_pair
    row["label"] = example.label
    if example.value is not None:
        row["value"] = example.value
    return {**row, **example.meta}


def _dropped_row(drop: Dropped) -> dict[str, Any]:
    return {**_row(drop.example), "reason": drop.reason, "detail": drop.detail}


def _example(row: dict[str, Any]) -> Example:
    meta = {key: value for key, value in row.items() if key not in ("id", "text", "text_pair", "label", "value")}
    return Example(row["id"], row["text"], row["label"], row.get("text_pair"), row.get("value"), meta)
