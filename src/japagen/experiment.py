"""An experiment as data: one section for each stage, plus the language model and the seed.

Read strictly: a key that is not known is an error, never ignored. The defaults are what most users want.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from japagen.errors import ConfigError, did_you_mean
from japagen.japanese import japanese_share
from japagen.knowledge import Mechanisms
from japagen.sections import (
    AnalyzeSection,
    BudgetSection,
    CurateSection,
    EvaluateSection,
    GenerateSection,
    LLMSection,
    ReportSection,
    Section,
    TrainSection,
)
from japagen.sections.arms import check_arms
from japagen.task import Gold, Name, Task, built_in_tasks
from japagen.yamlfile import check_model, check_path, read_model

_TASK_FILES = {".yaml", ".yml", ".json"}
ARMS = ("round-1", "guided", "control")
"""With `rounds: 2` students are trained on these rows besides: the first round alone, and with each way of the second."""


class Experiment(Section):
    """An experiment (see the module); `folder` is where it was read from."""

    name: Name = Field(description="of the experiment, and of its run's folder")
    task: str = Field(description="a built-in task, or the path of a task file")
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="every random choice follows from it")
    rounds: int = Field(
        default=1,
        ge=1,
        le=2,
        description="2: texts are written once more after the example of gold dev rows that a student got wrong, beside a "
        "control of the same size",
    )
    llm: LLMSection = LLMSection()
    budget: BudgetSection = BudgetSection()
    generate: GenerateSection = GenerateSection()
    curate: CurateSection = CurateSection()
    train: TrainSection = TrainSection()
    evaluate: EvaluateSection = EvaluateSection()
    analyze: AnalyzeSection = AnalyzeSection()
    report: ReportSection = ReportSection()
    arms: dict[Name, dict[str, Any]] = Field(
        default_factory=dict,
        description="variants to run side by side: name to the keys that differ, dotted, e.g. {no-kadg: {generate.kadg: "
        "false}}",
    )
    gold: Gold | None = Field(
        default=None, description="human-labelled data in place of the task's; files relative to this one"
    )
    folder: Path | None = Field(default=None, exclude=True)

    @field_validator("arms", mode="before")
    @classmethod
    def _arms(cls, given: Any) -> Any:
        return check_arms(given)

    @classmethod
    def load(
        cls, path: str | Path | None = None, *, task: str | None = None, changes: Mapping[str, Any] | None = None
    ) -> Experiment:
        """Read an experiment file, or make an experiment of a task with everything else at its default.

        Args:
            path: the file; None needs a `task`.
            task: a task (name or path) in place of the file's.
            changes: values in place of the file's, by dotted key, e.g. ``{"generate.per_label": 50}``.

        Raises:
            ConfigError: a file is absent or says something that cannot be used.
        """
        changes = dict(changes or {})
        if task is not None:
            is_file = Path(task).suffix in _TASK_FILES
            check_path(task)
            changes["task"] = str(Path(task).resolve()) if is_file else task
        if path is None:
            return _of_task(cls, str(changes["task"]), changes)
        file = Path(path)
        check_path(path)
        if not file.exists():
            raise ConfigError("there is no such file", where=file, remedy=_near(file))
        if file.suffix == ".json":
            remedy = f"to run a configuration of the paper's authors: japagen run --task '{file}'"
            raise ConfigError("is no experiment, which ends in .yaml", where=file, remedy=remedy)
        return _found_model(read_model(cls, file, changes), file.resolve().parent)

    def changed(self, changes: Mapping[str, Any]) -> Experiment:
        """The same experiment with other values, by dotted key; what was read from its file stays.

        Raises:
            ConfigError: a key or value cannot be used.
        """
        data = self.model_dump(mode="json", exclude_unset=True)
        return _found_model(check_model(type(self), data, Path(self.name), changes=changes), self.folder or Path())

    def load_task(self) -> Task:
        """The experiment's task; a path is relative to the experiment's file.

        Raises:
            ConfigError: no such task, or one that this experiment cannot use.
        """
        name = self.task
        check_path(name)
        if Path(name).suffix in _TASK_FILES:
            name = str((self.folder or Path()) / name)
        task = Task.load(name)
        if self.gold is not None:
            task = task.model_copy(update={"gold": self.gold.within(self.folder or Path())})
        here = f"experiment '{self.name}'"
        used = task.mechanisms(self.generate.kadg)
        if self.generate.kadg is True and used == Mechanisms():
            raise ConfigError(
                f"generate.kadg is on, but task '{task.name}' has no knowledge.words",
                where=here,
                remedy="add words to the task, or set generate.kadg: false",
            )
        if self.evaluate.prompting and task.gold and task.prompting is None:
            raise ConfigError(
                "evaluate.prompting asks the model directly, but the task has no 'prompting' section",
                where=f"task '{task.name}'",
                remedy="add it (see: japagen new NAME), or set evaluate.prompting: []",
            )
        if self.train.dev == "gold" and not (task.gold and task.gold.has_dev):
            raise ConfigError(
                "train.dev is 'gold', but the task has no gold.dev",
                where=here,
                remedy="add gold.dev to the task, or use train.dev: synthetic",
            )
        if (self.train.anchor or self.train.decision) and not (task.gold and task.gold.has_dev):
            part = "train.anchor" if self.train.anchor else "train.decision"
            raise ConfigError(
                f"{part} needs gold dev rows, but the task has no gold.dev",
                where=here,
                remedy=f"add gold.dev to the task, or remove {part}",
            )
        if self.train.ensemble and self.train.decision and task.metric in ("mcc", "macro_f1"):
            raise ConfigError(
                f"train.ensemble takes the mean of scores, to which thresholds for {task.metric} cannot be applied",
                where=here,
                remedy="use train.ensemble or train.decision",
            )
        if self.curate.min_chars > (self.curate.max_chars or task.max_chars):
            raise ConfigError(
                "curate.min_chars is larger than the longest text allowed",
                where=here,
                remedy="lower curate.min_chars, or raise max_chars",
            )
        _check_curation(self, task)
        for label, spec in task.labels.items():
            if len(spec.shots) < self.generate.shots:
                raise ConfigError(
                    f"label '{label}' has {len(spec.shots)} shots, but generate.shots asks for {self.generate.shots}",
                    where=f"task '{task.name}'",
                    remedy="write more shots for this label, or lower generate.shots",
                )
        _check_self_consistency(self, task)
        _check_stop_rule(self, task)
        _check_contrast(self, task)
        return task


def _check_curation(experiment: Experiment, task: Task) -> None:
    """Whether the task has what curation and a second round need."""
    here, settings = f"experiment '{experiment.name}'", experiment.curate
    if experiment.rounds > 1 and not (task.gold and task.gold.has_dev):
        raise ConfigError(
            "rounds: 2 learns from errors on gold dev rows, but the task has no gold.dev",
            where=here,
            remedy="add gold.dev to the task, or set rounds: 1",
        )
    if experiment.rounds > 1 and not experiment.generate.shots:
        raise ConfigError(
            "rounds: 2 shows gold rows in place of the task's shots, but generate.shots is 0",
            where=here,
            remedy="set generate.shots to 1 or more, or rounds: 1",
        )
    if experiment.rounds > 1 and settings.sample:
        raise ConfigError(
            "curate.sample chooses among the rows of one round", where=here, remedy="remove it, or set rounds: 1"
        )
    if settings.judge and task.prompting is None:
        raise ConfigError(
            "curate.judge asks for labels, but the task has no 'prompting' section",
            where=f"task '{task.name}'",
            remedy="add it (see: japagen new NAME), or remove curate.judge",
        )


def _check_stop_rule(experiment: Experiment, task: Task) -> None:
    """Whether a stop rule has what it measures on, and nothing else decides how much is written."""
    rule, here = experiment.generate.stop_rule, f"experiment '{experiment.name}'"
    if rule is None:
        return
    if not (task.gold and task.gold.has_dev):
        raise ConfigError(
            "generate.stop_rule measures a student on gold dev rows, but the task has no gold.dev",
            where=here,
            remedy="add gold.dev to the task, or remove generate.stop_rule",
        )
    if rule.start > experiment.generate.per_label:
        raise ConfigError(
            f"generate.stop_rule.start is {rule.start}, but generate.per_label allows {experiment.generate.per_label}",
            where=here,
            remedy="raise generate.per_label, which is the most that is written, or lower the start",
        )
    others = {
        "rounds: 2 writes more after the rule has stopped": experiment.rounds > 1,
        "curate.top_up asks for generate.per_label rows, whatever the rule says": experiment.curate.top_up,
        "curate.sample leaves out rows that the rule has found worth having": experiment.curate.sample is not None,
    }
    for reason, given in others.items():
        if given:
            raise ConfigError(reason, where=here, remedy="remove it, or generate.stop_rule")


def planned_systems(experiment: Experiment, task: Task) -> tuple[str, ...]:
    """The names of all systems that the experiment will measure, in the order of the table; none without gold data.

    One of them may be missing in the end: K gold rows per label, where the dev rows are fewer; calibrated prompting, where
    the model gives no likelihoods.
    """
    if task.gold is None:
        return ()
    train, settings = experiment.train, experiment.evaluate
    own = [f"japagen/{student}" for student in train.students]
    rounds = [f"{arm}/{student}" for arm in ARMS for student in train.students if experiment.rounds > 1]
    gold = [f"gold-{k}/{student}" for k in settings.gold_shots for student in train.students if task.gold.has_dev]
    supervised = [f"supervised/{student}" for student in train.students if settings.supervised and task.gold.has_train]
    if train.ensemble:
        own, supervised = ([*names, *(f"{name} ensemble" for name in names)] for names in (own, supervised))
    ways = [""] + [" calibrated"] * settings.calibrate + [" self-consistency"] * bool(settings.self_consistency)
    prompted = [f"{way}{how}" for way in settings.prompting for how in ways]
    return (*own, *rounds, *gold, *supervised, *prompted, "majority")


def _check_contrast(experiment: Experiment, task: Task) -> None:
    contrast, names = experiment.evaluate.contrast, planned_systems(experiment, task)
    if contrast is None or not names:
        return
    for key, name in (("system", contrast.system), ("against", contrast.against)):
        if name not in names:
            raise ConfigError(
                f"evaluate.contrast.{key}: the experiment measures no system '{name}'",
                where=f"experiment '{experiment.name}'",
                remedy=did_you_mean(name, names),
            )
    if contrast.system == contrast.against:
        raise ConfigError(
            f"evaluate.contrast compares '{contrast.system}' with itself",
            where=f"experiment '{experiment.name}'",
            remedy="name two systems",
        )


def _check_self_consistency(experiment: Experiment, task: Task) -> None:
    llm, here = experiment.llm, f"experiment '{experiment.name}'"
    if not experiment.evaluate.self_consistency:
        return
    if not experiment.evaluate.prompting:
        raise ConfigError(
            "evaluate.self_consistency repeats the questions of evaluate.prompting, which asks none",
            where=here,
            remedy="add zero-shot or few-shot to evaluate.prompting, or set evaluate.self_consistency: 0",
        )
    if llm.temperature == 0:
        raise ConfigError(
            "evaluate.self_consistency draws different answers, but llm.temperature is 0, where all are the same",
            where=here,
            remedy="raise llm.temperature, or set evaluate.self_consistency: 0",
        )
    for spec in task.labels.values():
        if llm.min_japanese is not None and japanese_share(spec.verbalisation) < llm.min_japanese:
            raise ConfigError(
                f"llm.min_japanese would refuse the answer '{spec.verbalisation}', which evaluate.self_consistency reads",
                where=here,
                remedy="set llm.min_japanese: null, or evaluate.self_consistency: 0",
            )


def _found_model(experiment: Experiment, folder: Path) -> Experiment:
    """The experiment with its folder; an encoder's folder that stands beside its file is found from anywhere."""
    encoder = experiment.train.encoder
    beside = folder / encoder.model
    if beside.is_dir() and not Path(encoder.model).is_absolute():
        encoder = encoder.model_copy(update={"model": str(beside.resolve())})
    train = experiment.train.model_copy(update={"encoder": encoder})
    return experiment.model_copy(update={"folder": folder, "train": train})


def _of_task(kind: type[Experiment], name: str, changes: Mapping[str, Any]) -> Experiment:
    """An experiment on a task: as many shots and as much KADG as the task has, baselines that it has words for."""
    task = Task.load(name)
    fewest = min(len(label.shots) for label in task.labels.values())
    data = {
        "name": task.name,
        "llm": {"max_tokens": max(LLMSection().max_tokens or 0, 2 * task.max_chars)},
        "generate": {"shots": min(GenerateSection().shots, fewest), "kadg": task.mechanisms(True) != Mechanisms()},
        "evaluate": {} if task.prompting else {"prompting": []},
    }
    made = check_model(kind, data, Path(task.name), changes=changes)
    return made.model_copy(update={"folder": Path.cwd()})


def _near(file: Path) -> str:
    """What may have been meant by a file that is not there."""
    if Path(f"{file}.yaml").exists():
        return f"give {file}.yaml"
    if str(file) in built_in_tasks():
        return f"this is a task; give: japagen run --task {file}"
    if not file.parent.is_dir() and file.parent.parent.is_dir():
        folders = sorted(str(each) for each in file.parent.parent.iterdir() if each.is_dir())
        return f"there is no folder {file.parent}; {did_you_mean(str(file.parent), folders)}"
    near = sorted(str(each) for each in file.parent.glob("*.yaml")) if file.parent.is_dir() else []
    return did_you_mean(str(file), near) if near else "give an experiment's file, which ends in .yaml"
