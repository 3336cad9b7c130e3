"""Which rows are worth training on: filters, duplicates, contamination, judge, label noise, sampling, topping up."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from japagen.sections.calling import BudgetSection, LLMSection
from japagen.sections.section import Section

Attribute = Literal["word", "topic", "length", "register"]


class NoiseSection(Section):
    """Confident learning (Northcutt et al. 2021): rows whose label a student, which has not seen them, finds wrong.

    They are dropped only if that lifts the student on gold dev rows by more than a standard error; else they are only told.
    """

    student: str = Field(default="linear", description="whose opinion is asked; it learns once per fold")
    folds: int = Field(default=5, ge=2, le=100, description="rows that share a text are in one of them")
    seeds: int = Field(default=5, ge=2, le=100, description="trainings with and without the doubted rows, for the gate")


class JudgeSection(Section):
    """A language model's verdict on the label of each row.

    Rows that it doubts are dropped only if audited rows show that its verdicts have something to do with the truth.
    """

    llm: LLMSection | None = Field(default=None, description="the judge; null: the experiment's own model")
    budget: BudgetSection = Field(
        default=BudgetSection(), description="what the judge may spend, beside the run's budget"
    )
    audit: str | None = Field(
        default=None,
        description="JSON lines of generated rows that a person has labelled: id and label; null: nothing is dropped. "
        "japagen curate RUN --audit FILE draws some",
    )
    drop: bool = Field(default=True, description="drop what it doubts, where the audit allows; false: only tell")


class SampleSection(Section):
    """Of more rows than are needed those that are spread as they should be; the others are left out."""

    per_label: int = Field(ge=1, description="rows chosen of each label")
    by: tuple[Attribute, ...] = Field(
        default=("word", "length", "register"),
        min_length=1,
        description="what is spread: word, topic, length, register",
    )
    target: str = Field(
        default="uniform",
        description="uniform; or a file of texts without labels, a line each or JSON lines with 'text', whose spread is met",
    )
    topics: int = Field(default=20, ge=2, le=1000, description="how many topics are told apart")

    @field_validator("by")
    @classmethod
    def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) != len(given):
            raise ValueError("names one thing twice")
        return given


class CurateSection(Section):
    """Which texts are dropped, and what is done about those that are missing then."""

    filters: dict[str, bool] = Field(
        default_factory=dict,
        description="filters and repairs turned on or off by name, e.g. {incomplete: true}; japagen filters lists them",
    )
    min_chars: int = Field(default=3, ge=0, description="length of the shortest text kept, in characters")
    max_chars: int | None = Field(
        default=None, ge=1, description="length of the longest text kept, in characters; null: the task's own limit"
    )
    min_words: int | None = Field(
        default=None, ge=1, description="the same in words, as MeCab cuts them; null: no limit"
    )
    max_words: int | None = Field(default=None, ge=1, description="the same of the longest; null: no limit")
    min_japanese: float = Field(default=0.6, ge=0, le=1, description="least share of kana and kanji among the letters")
    shot_similarity: float | None = Field(
        default=0.8,
        gt=0,
        le=1,
        description="character 3-gram Jaccard with a shot from which a text is a copy; null keeps copies",
    )
    near_duplicate: float | None = Field(
        default=0.8, ge=0.2, le=1, description="the same between two texts of one label; null keeps them"
    )
    contamination: bool = Field(default=True, description="drop rows that stand in any split of the gold data")
    top_up: bool = Field(
        default=False, description="ask for more until each label has generate.per_label rows after curation"
    )
    top_up_factor: float = Field(
        default=3.0, gt=1, le=100, description="at most so many times generate.per_label are asked for in all"
    )
    judge: JudgeSection | None = Field(default=None, description="a language model's verdict on each label; null: none")
    noise: NoiseSection | None = Field(default=None, description="confident learning, gated by gold; null: none")
    sample: SampleSection | None = Field(default=None, description="rows chosen to meet a spread; null: all are kept")
