"""The sections of an experiment, one for each stage, plus the language model, how it is called, and the budget.

The defaults are what most users want; what is said of a key here is what its reference says.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from japagen.knowledge import Text


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HTTPSection(Section):
    """How a server is called: none of it changes what is written, so it may be changed at any time."""

    concurrency: int = Field(
        default=64, ge=1, le=4096, description="most calls in flight; fewer while the server is slow or says 429"
    )
    requests_per_minute: float | None = Field(default=None, gt=0, description="limit of calls; null: none")
    tokens_per_minute: float | None = Field(
        default=None, gt=0, description="limit of tokens, prompt and reply together; null: none"
    )
    timeout: float = Field(default=120, gt=0, le=86400, description="seconds until one try is given up")
    deadline: float = Field(
        default=1800, gt=0, le=7 * 86400, description="seconds until a request with all its tries is given up"
    )
    tries: int = Field(
        default=8, ge=1, le=100, description="most tries of a request; waiting for an absent server is not counted"
    )
    backoff: float = Field(
        default=0.5, gt=0, le=600, description="seconds before the second try; doubled each time, with jitter"
    )
    backoff_max: float = Field(default=30, gt=0, le=3600, description="longest wait of that kind, in seconds")


class LLMSection(Section):
    """Which language model writes, and how it draws its words."""

    name: str = Field(
        default="embedded",
        description="embedded, gguf:/path/model.gguf, openai:MODEL (any OpenAI-compatible server), "
        "openai-batch:MODEL or scripted",
    )
    base_url: str = Field(
        default="https://api.openai.com/v1", description="openai: where the server is, up to and including /v1"
    )
    api_key_env: str = Field(
        default="OPENAI_API_KEY",
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="openai: environment variable that holds the key; the key itself is never written anywhere",
    )
    style: Literal["chat", "document"] | None = Field(
        default=None, description="prompts as a conversation or as a document to continue; null: what the model needs"
    )
    temperature: float | None = Field(
        default=1.0, ge=0, le=5, description="0 takes the most probable word each time; null: not sent"
    )
    top_p: float | None = Field(default=0.95, gt=0, le=1, description="nucleus sampling; null: not sent")
    max_tokens: int | None = Field(
        default=80, ge=1, le=128_000, description="length limit of one reply, in tokens; null: not sent"
    )
    send_seed: bool = Field(default=True, description="openai: send each request's seed")
    reasoning: bool = Field(
        default=False,
        description="openai: a reasoning model: max_completion_tokens instead of max_tokens, no temperature, no top_p",
    )
    n: int = Field(
        default=1, ge=1, le=128, description="openai: replies per call, where prompts are equal and the server can"
    )
    json_schema: bool = Field(
        default=True,
        description="openai: enforce the form of structured replies (generate.samples_per_call), and of labels asked "
        "for without likelihoods",
    )
    logprobs: bool = Field(
        default=True, description="openai: ask for the likelihoods of labels when the model is asked for one"
    )
    min_japanese: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="openai: ask again for a reply with a smaller share of kana and kanji; null: take it",
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description="openai: anything else to send, e.g. {reasoning_effort: low}"
    )
    shared_cache: bool = Field(
        default=False, description="share replies with other runs of this user (japagen cache shows them)"
    )
    http: HTTPSection = HTTPSection()

    @property
    def prompt_style(self) -> Literal["chat", "document"]:
        """How prompts look: as asked for, else a document for the models in this process, which are base models."""
        return self.style or ("document" if self.name.partition(":")[0] in ("embedded", "gguf") else "chat")


class BudgetSection(Section):
    """What a run may spend at most, all stages together; null: no limit. May be changed at any time."""

    usd: float | None = Field(default=None, ge=0, description="money, by the table of prices")
    tokens: int | None = Field(default=None, ge=0, description="tokens, prompts and replies together")
    requests: int | None = Field(default=None, ge=0, description="calls, those that failed included")
    prices: str | None = Field(
        default=None, description="YAML file with prices of models that the built-in table lacks, or other prices"
    )


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

    @field_validator("kadg", mode="before")
    @classmethod
    def _form(cls, given: Any) -> Any:
        if not isinstance(given, bool | str | list | tuple):
            raise ValueError("must be true, false, random-word, or a list of names")
        return given


class CurateSection(Section):
    """Which texts are dropped."""

    min_chars: int = Field(default=5, ge=0, description="length of the shortest text kept, in characters")
    max_chars: int | None = Field(
        default=None, ge=1, description="length of the longest text kept, in characters; null: the task's own limit"
    )
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
        description="the primary comparison, declared beforehand; null: the first student against zero-shot where it is "
        "asked, else its largest K of gold_shots, else the majority label",
    )
    resamples: int = Field(default=5000, ge=100, le=1_000_000, description="bootstrap resamples of each interval")

    @field_validator("gold_shots", "prompting")
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
    """Analysis of the synthetic data (no settings yet)."""


class ReportSection(Section):
    """What the report shows."""

    examples: int = Field(default=200, ge=0, le=100_000, description="rows shown of each kind")
