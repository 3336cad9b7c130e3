"""An experiment as data: one section for each stage, plus the language model and the seed.

Read strictly: a key that is not known is an error, never ignored. The defaults are what most users want.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from japagen.errors import ConfigError
from japagen.task import Name, Task
from japagen.yamlfile import read_model


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LLMSection(_Section):
    """Which language model writes, and how it draws its words."""

    name: str = Field(default="embedded", description="embedded, gguf:/path/model.gguf or scripted")
    temperature: float = Field(default=1.0, ge=0, le=5, description="0 takes the most probable word each time")
    top_p: float = Field(default=0.95, gt=0, le=1, description="nucleus sampling")
    max_tokens: int = Field(default=80, ge=1, le=8192, description="length limit of one reply")


class GenerateSection(_Section):
    """How many texts are asked for, and with what in the prompt."""

    per_label: int = Field(default=300, ge=1, le=10_000_000, description="requests per label")
    shots: int = Field(default=5, ge=0, le=64, description="example texts in each prompt, drawn anew per request")
    kadg: bool = Field(default=True, description="put one of the task's words into each prompt (KADG)")


class CurateSection(_Section):
    """Which texts are dropped."""

    min_chars: int = Field(default=5, ge=0)
    max_chars: int | None = Field(default=None, ge=1, description="default: the task's own limit")
    min_japanese: float = Field(default=0.6, ge=0, le=1, description="least share of kana and kanji among the letters")
    shot_similarity: float | None = Field(
        default=0.8,
        gt=0,
        le=1,
        description="character 3-gram Jaccard with a shot from which a text is a copy; null keeps copies",
    )
    near_duplicate: float | None = Field(
        default=0.8, gt=0, le=1, description="the same between two texts of one label; null keeps them"
    )


class TrainSection(_Section):
    """Which students learn, how often, and what they choose their settings on."""

    students: tuple[str, ...] = Field(default=("embedding", "linear"), min_length=1)
    seeds: int = Field(default=5, ge=1, le=1000)
    dev: Literal["synthetic", "gold"] = Field(
        default="synthetic", description="settings are chosen on held-out synthetic rows, or on the gold dev split"
    )
    dev_share: float = Field(default=0.1, gt=0, lt=0.5, description="share of synthetic rows held out as dev")

    @model_validator(mode="after")
    def _check(self) -> TrainSection:
        if len(set(self.students)) != len(self.students):
            raise ValueError("a student is named twice")
        return self


class EvaluateSection(_Section):
    """What the students are measured against."""

    gold_shots: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(1, 5, 10, 20), description="train on K gold rows per label, for each K"
    )
    prompting: tuple[Literal["zero-shot", "few-shot"], ...] = Field(
        default=("zero-shot", "few-shot"), description="ask the language model directly"
    )
    prompting_shots: int = Field(default=4, ge=1, le=64, description="examples per label in the few-shot question")
    prompting_draws: int = Field(
        default=2, ge=1, le=100, description="few-shot questions with other examples, so often"
    )
    calibrate: bool = Field(default=True, description="also with contextual calibration (Zhao et al. 2021)")
    resamples: int = Field(default=5000, ge=100, le=1_000_000, description="bootstrap resamples of each interval")

    @model_validator(mode="after")
    def _check(self) -> EvaluateSection:
        for key, values in (("gold_shots", self.gold_shots), ("prompting", self.prompting)):
            if len(set(values)) != len(values):
                raise ValueError(f"{key} names one thing twice")
        return self


class AnalyzeSection(_Section):
    """Analysis of the synthetic data (no settings yet)."""


class ReportSection(_Section):
    """What the report shows."""

    examples: int = Field(default=200, ge=0, le=100_000, description="rows shown of each kind")


class Experiment(_Section):
    """An experiment (see the module); `folder` is where it was read from."""

    name: Name
    task: str = Field(description="a built-in task, or the path of a task file")
    seed: int = Field(default=0, ge=0, le=2**63 - 1)
    llm: LLMSection = LLMSection()
    generate: GenerateSection = GenerateSection()
    curate: CurateSection = CurateSection()
    train: TrainSection = TrainSection()
    evaluate: EvaluateSection = EvaluateSection()
    analyze: AnalyzeSection = AnalyzeSection()
    report: ReportSection = ReportSection()
    folder: Path | None = Field(default=None, exclude=True)

    @classmethod
    def load(cls, path: str | Path) -> Experiment:
        """Read an experiment file.

        Raises:
            ConfigError: it is absent or says something that cannot be used.
        """
        file = Path(path)
        if not file.suffix and not file.exists():
            known = f"{file}.yaml" if Path(f"{file}.yaml").exists() else "an experiment's file, which ends in .yaml"
            raise ConfigError("there is no such file", where=file, remedy=f"give {known}")
        return read_model(cls, file).model_copy(update={"folder": file.resolve().parent})

    def load_task(self) -> Task:
        """The experiment's task; a path is relative to the experiment's file.

        Raises:
            ConfigError: no such task, or one that this experiment cannot use.
        """
        name = self.task
        if name.endswith((".yaml", ".yml")):
            name = str((self.folder or Path()) / name)
        task = Task.load(name)
        if self.generate.kadg and task.knowledge is None:
            raise ConfigError(
                f"generate.kadg is on, but task '{task.name}' has no knowledge.words",
                where=f"experiment '{self.name}'",
                remedy="add words to the task, or set generate.kadg: false",
            )
        if self.evaluate.prompting and task.gold and task.prompting is None:
            raise ConfigError(
                "evaluate.prompting asks the model directly, but the task has no 'prompting' section",
                where=f"task '{task.name}'",
                remedy="add it (see: japagen new NAME), or set evaluate.prompting: []",
            )
        if self.train.dev == "gold" and (task.gold is None or task.gold.dev is None):
            raise ConfigError(
                "train.dev is 'gold', but the task has no gold.dev",
                where=f"experiment '{self.name}'",
                remedy="add gold.dev to the task, or use train.dev: synthetic",
            )
        if self.curate.min_chars > (self.curate.max_chars or task.max_chars):
            raise ConfigError(
                "curate.min_chars is larger than the longest text allowed",
                where=f"experiment '{self.name}'",
                remedy="lower curate.min_chars, or raise max_chars",
            )
        for label, spec in task.labels.items():
            if len(spec.shots) < self.generate.shots:
                raise ConfigError(
                    f"label '{label}' has {len(spec.shots)} shots, but generate.shots asks for {self.generate.shots}",
                    where=f"task '{task.name}'",
                    remedy="write more shots for this label, or lower generate.shots",
                )
        return task
