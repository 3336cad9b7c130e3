"""Which students learn, and how."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from japagen.sections.section import Section


class EncoderSection(Section):
    """The student `encoder`: a pretrained encoder, fine-tuned. The defaults are the paper's recipe, with JGLUE's own
    values for what the paper leaves open, and temporal ensembling against noisy labels (0: the paper's plain training);
    null takes what the model needs.
    """

    model: str = Field(
        default="tohoku-nlp/bert-base-japanese-v3",
        min_length=1,
        description="a name on the Hugging Face Hub, a folder, or use-multilingual (no hub needed)",
    )
    revision: str | None = Field(
        default=None,
        pattern=r"^[\w-][\w.-]*(/[\w-][\w.-]*){0,3}$",
        description="commit of the model on the hub; null: the one that japagen pins, else the newest",
    )
    batch_size: int = Field(default=32, ge=1, le=65_536, description="rows per step")
    min_steps: int = Field(
        default=100, ge=0, le=100_000, description="fewest steps: with few rows the epochs are as many as that takes"
    )
    epochs: int | None = Field(
        default=None, ge=1, le=1000, description="passes over the rows; null: 4, for use-multilingual 3"
    )
    learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="of the pretrained part; null: 5e-5, for use-multilingual 3e-4"
    )
    head_learning_rate: float | None = Field(
        default=None, gt=0, le=1, description="of the new part; null: as the other, for use-multilingual 1e-3"
    )
    warmup: float = Field(default=0.1, ge=0, lt=1, description="share of the steps in which the learning rate rises")
    weight_decay: float = Field(default=0.01, ge=0, le=1, description="of all but biases and layer norms")
    max_length: int | None = Field(
        default=None, ge=8, le=8192, description="tokens; longer texts are cut; null: 512, for pairs 128"
    )
    batching: Literal["bucket", "plain", "tokens"] = Field(
        default="bucket",
        description="rows of a step: of like length; as they come; or as many as fit batch_size rows of mean length",
    )
    packing: bool = Field(
        default=False,
        description="rows end to end, without padding, for GPUs; for models without dropout in their attention (ModernBERT)",
    )
    micro_batch: int | None = Field(
        default=None, ge=1, description="rows computed at a time, gradients are added up; null: the whole batch"
    )
    precision: Literal["fp32", "bf16"] | None = Field(
        default=None, description="of the arithmetic; null: bf16 where the machine has it"
    )
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="share of the label spread over all labels")
    temporal_ensemble: float = Field(
        default=1.0,
        ge=0,
        le=1000,
        description="weight of agreement with a row's earlier predictions (SuperGen), from a third of the training on; "
        "0: off, as in the paper",
    )
    temporal_momentum: float = Field(default=0.8, ge=0, lt=1, description="how slowly those predictions change")
    temporal_threshold: float = Field(
        default=0.2,
        ge=0,
        lt=1,
        description="rows whose label has less than that in them are left out from then on; 0: none",
    )
    r_drop: float = Field(default=0.0, ge=0, le=100, description="weight of agreement between two dropouts; 0: off")
    patience: int | None = Field(
        default=None,
        ge=1,
        description="epochs without a better dev score until it stops; null: all epochs, last weights",
    )
    checkpoint_seconds: float = Field(
        default=120, ge=0, description="between two checkpoints, from which an interrupted training goes on"
    )
    threads: int | None = Field(default=None, ge=1, le=1024, description="of the processor; null: all")
    devices: int = Field(default=1, ge=1, le=1024, description="GPUs (or processes) that share each batch")


class AnchorSection(Section):
    """A few human-labelled rows among the synthetic ones, each counting more."""

    rows: int = Field(default=150, ge=1, description="gold dev rows, the same share of every label as there")
    weight: float = Field(default=5.0, gt=0, le=1000, description="of each, where a synthetic row has 1")


class DecisionSection(Section):
    """What turns scores into labels, learnt from gold dev rows or from texts without labels."""

    source: Literal["gold", "em"] = Field(
        default="gold", description="labelled dev rows; or their texts alone, by expectation maximisation"
    )
    rows: int = Field(default=50, ge=20, description="dev rows that it may look at")


class TrainSection(Section):
    """Which students learn, how often, and what they choose their settings on."""

    students: tuple[str, ...] = Field(
        default=("embedding", "linear"),
        min_length=1,
        description="which students learn; the first is the primary one, which answers for the run",
    )
    seeds: int = Field(
        default=5, ge=1, le=1000, description="how often each student learns, each time with another seed"
    )
    dev: Literal["synthetic", "gold"] = Field(
        default="synthetic", description="settings are chosen on held-out synthetic rows, or on the gold dev split"
    )
    dev_share: float = Field(default=0.1, gt=0, lt=0.5, description="share of synthetic rows held out as dev")
    anchor: AnchorSection | None = Field(default=None, description="gold dev rows among the synthetic ones; null: none")
    decision: DecisionSection | None = Field(
        default=None, description="labels that follow the metric, where that helps; null: the highest score"
    )
    ensemble: bool = Field(
        default=False, description="also measure the mean of all seeds, and let it answer for the run"
    )
    encoder: EncoderSection = EncoderSection()

    @field_validator("students")
    @classmethod
    def _once(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(given)) != len(given):
            raise ValueError("a student is named twice")
        return given
