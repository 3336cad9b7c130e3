"""The language model, how it is called, and what it may cost."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from japagen.sections.section import Section


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
    """What a run may spend at most, all stages together (a judge has a budget of its own); null: no limit. May be changed at
    any time.
    """

    usd: float | None = Field(default=None, ge=0, description="money, by the table of prices")
    tokens: int | None = Field(default=None, ge=0, description="tokens, prompts and replies together")
    requests: int | None = Field(default=None, ge=0, description="calls, those that failed included")
    prices: str | None = Field(
        default=None, description="YAML file with prices of models that the built-in table lacks, or other prices"
    )
