"""The sections of an experiment, one for each stage, plus the language model, how it is called, and the budget.

The defaults are what most users want; what is said of a key here is what its reference says. The larger ones have files of
their own: `calling`, `curation`, `training`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from japagen.knowledge import FileName, Text
from japagen.sections.calling import BudgetSection, HTTPSection, LLMSection
from japagen.sections.curation import CurateSection, JudgeSection, NoiseSection, SampleSection
from japagen.sections.section import Section
from japagen.sections.training import AnchorSection, DecisionSection, EncoderSection, TrainSection

__all__ = [
    "AnalyzeSection",
    "AnchorSection",
    "BudgetSection",
    "ContrastSection",
    "CurateSection",
    "DecisionSection",
    "EncoderSection",
    "EvaluateSection",
    "GenerateSection",
    "HTTPSection",
    "JudgeSection",
    "LLMSection",
    "NoiseSection",
    "ReportSection",
    "SampleSection",
    "Section",
    "StopSection",
    "TrainSection",
]


class StopSection(Section):
    """When writing stops by itself: texts are asked for in doublings, and a student is measured after each."""

    epsilon: float = Field(
        default=0.002,
        gt=0,
        lt=1,
        description="stop where twice the texts are expected to gain less, in the task's metric",
    )
    start: int = Field(default=100, ge=10, description="texts per label asked for at first; doubled each time")
    student: str | None = Field(default=None, description="that is measured; null: the first of train.students")


class GenerateSection(Section):
    """How many texts are asked for, and with what in the prompt."""

    per_label: int = Field(default=300, ge=1, le=10_000_000, description="texts asked for per label")
    shots: int = Field(default=5, ge=0, le=64, description="example texts in each prompt, drawn anew per request")
    kadg: bool | Text | tuple[Text, ...] = Field(
        default=True,
        description="KADG: true takes all the task has; false none; or a list of its attributes' names, rule and "
        "descriptions; random-word puts random nouns of the same length in place of the words (control)",
    )
    first_sentence: Literal["own", "shared"] = Field(
        default="own", description="pair tasks: a first sentence for each row, or one for all labels together"
    )
    samples_per_call: int = Field(
        default=1, ge=1, le=100, description="texts asked for in one structured reply; more is cheaper and less varied"
    )
    stop_rule: StopSection | None = Field(
        default=None, description="ask for no more texts than pay, and at most per_label; measured on gold dev rows"
    )

    @field_validator("stop_rule", mode="before")
    @classmethod
    def _rule(cls, given: Any) -> Any:
        if given is not None and not isinstance(given, dict | StopSection):
            raise ValueError("must be keys with values, e.g. {epsilon: 0.002, start: 100}, or null")
        return given

    @field_validator("kadg", mode="before")
    @classmethod
    def _form(cls, given: Any) -> Any:
        if not isinstance(given, bool | str | list | tuple):
            raise ValueError("must be true, false, random-word, or a list of names")
        return given


class ContrastSection(Section):
    """The one comparison that the experiment is about, named before anything is measured."""

    system: str = Field(min_length=1, description="a system by its name, e.g. japagen/linear")
    against: str = Field(min_length=1, description="the other one, e.g. zero-shot or gold-20/linear")


class EvaluateSection(Section):
    """What the students are measured against."""

    gold_shots: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(1, 5, 10, 20), description="train on K gold rows per label, for each K"
    )
    supervised: bool = Field(
        default=True, description="train the students on all gold train rows as well, where there are any"
    )
    prompting: tuple[Literal["zero-shot", "few-shot"], ...] = Field(
        default=("zero-shot", "few-shot"), description="ask the language model directly"
    )
    prompting_shots: int = Field(default=4, ge=1, le=64, description="examples per label in the few-shot question")
    prompting_draws: int = Field(
        default=5, ge=1, le=100, description="few-shot questions with other examples, so often"
    )
    calibrate: bool = Field(default=True, description="also with contextual calibration (Zhao et al. 2021)")
    self_consistency: int = Field(
        default=0,
        ge=0,
        le=1000,
        description="also by the majority of so many written answers, drawn at llm.temperature (Wang et al. 2022); 0: not",
    )
    contrast: ContrastSection | None = Field(
        default=None,
        description="the primary comparison, declared beforehand; null: with rounds: 2 the errors against their control; "
        "else the first student against zero-shot where it is "
        "asked, else its largest K of gold_shots, else the majority label",
    )
    sizes: tuple[Annotated[int, Field(ge=10)], ...] = Field(
        default=(),
        description="the learning curve: students are trained on so many of the synthetic rows too, each size holding the "
        "smaller ones",
    )
    resamples: int = Field(default=5000, ge=100, le=1_000_000, description="bootstrap resamples of each interval")

    @field_validator("sizes", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            raise ValueError("must be a list of numbers of rows, e.g. [250, 500, 1000]")
        return given

    @field_validator("gold_shots", "prompting", "sizes")
    @classmethod
    def _once(cls, given: tuple[int | str, ...]) -> tuple[int | str, ...]:
        if len(set(given)) != len(given):
            raise ValueError("names one thing twice")
        return given

    @field_validator("self_consistency")
    @classmethod
    def _several(cls, given: int) -> int:
        if given == 1:
            raise ValueError("one answer has nothing to be consistent with; 2 or more, or 0 for none")
        return given


class AnalyzeSection(Section):
    """What is measured of the synthetic texts."""

    tokeniser: Literal["unidic-lite", "ipadic", "sudachi-a", "sudachi-c", "character"] = Field(
        default="unidic-lite", description="what cuts texts into words; ipadic and sudachi need the extra tokenisers"
    )
    encoder: bool = Field(
        default=True, description="measures and the map that need sentence vectors (MAUVE, coverage, Vendi score)"
    )
    oracle: str | None = Field(
        default="embedding", description="student that learns from gold and judges the labels; null: none"
    )
    people: FileName | None = Field(
        default=None, description="file of labels that people gave to synthetic rows (columns id and verdict)"
    )
    epsilon: float = Field(
        default=0.002, gt=0, lt=1, description="gain in the task's metric below which more texts do not pay"
    )


class ReportSection(Section):
    """What the report shows."""

    examples: int = Field(
        default=25_000, ge=0, le=100_000, description="rows to browse at most; fewer where the page would pass 6 MB"
    )
    language: Literal["en", "ja"] = Field(default="en", description="of the report")
