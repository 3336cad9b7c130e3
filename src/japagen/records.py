"""The records that stages pass to one another: frozen, without I/O, each one concept.

Request and Reply travel between `generate` or `evaluate` and a language model; Example is a labelled text (synthetic or
gold); Dropped is an example that was removed, with the reason; Prediction is what a classifier says of one example;
Score is a number that tells how it was made. Accounting proves that no row vanished.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

Role = Literal["system", "user", "assistant"]


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a language model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a language model is to draw its text. None leaves a setting to the model or its server.

    Attributes:
        temperature: 0 takes the most probable token each time.
        top_p: nucleus sampling (Holtzman et al. 2020), in (0, 1].
        max_tokens: length limit of one reply, in the model's tokens.
        stop: strings that end a reply; not part of it.
    """

    temperature: float | None = 1.0
    top_p: float | None = 1.0
    max_tokens: int | None = 128
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a language model.

    With `choices`, nothing is written: the reply holds the log-likelihood of each choice as a continuation, or, from a
    backend that has no likelihoods, the answer as text.

    Attributes:
        id: name of the row within its stage, e.g. ``positive/000012``; of the first row, where `samples` is larger than 1.
        messages: what is sent.
        sampling: how to draw.
        seed: seed of this request alone; a backend that can, repeats the reply byte for byte.
        choices: continuations to score instead of writing text.
        samples: texts asked for in one structured reply, a JSON object ``{"texts": [...]}``.
        label: the label asked for (generation only).
        attributes: KADG attributes of the row, by name, e.g. its word.
    """

    id: str
    messages: tuple[Message, ...]
    sampling: Sampling = Sampling()
    seed: int = 0
    choices: tuple[str, ...] = ()
    samples: int = 1
    label: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)

    def key(self, llm: str) -> str:
        """Digest of what is sent to the named model, plus the row's name: replies are stored under it."""
        s = self.sampling
        sent = (
            llm,
            self.id,
            [(m.role, m.content) for m in self.messages],
            (s.temperature, s.top_p, s.max_tokens, s.stop),
            self.seed,
            self.choices,
            self.samples,
        )
        try:
            data = orjson.dumps(sent)
        except TypeError:  # lone surrogates
            data = json.dumps(sent, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
        return hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request: a text, or log-likelihoods of its choices, or the reason of a failure.

    Attributes:
        request: id of the request.
        text: the text as the model wrote it, unparsed.
        logprobs: natural-log likelihood of each choice, in their order.
        finish: why the text ended: "stop", "length" or "content_filter" (the model or its server refused).
        failed: reason of the failure; None when the call succeeded.
        prompt_tokens, completion_tokens: usage as the backend reports it, over all tries that were billed.
        seconds: from the backend's taking up of the request to its last token.
        tries: calls made for it, the successful one included.
        model: the model that answered, as the server names it.
        fingerprint: the server's system fingerprint.
        parameters: what was sent beside the messages, keys excepted; one object for many replies.
    """

    request: str
    text: str = ""
    logprobs: tuple[float, ...] = ()
    finish: str = "stop"
    failed: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    tries: int = 1
    model: str = ""
    fingerprint: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text, or pair of texts.

    Attributes:
        id: name of the row.
        text: the text, or the first of two.
        label: its label; for similarity the nearest label.
        text_pair: the second text of a pair.
        value: the number that is to be predicted, for similarity.
        weight: how much the row counts in training; 1 is usual.
        meta: what is worth keeping as columns (word, register, traits).
    """

    id: str
    text: str
    label: str
    text_pair: str | None = None
    value: float | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0


def rows_digest(examples: Iterable[Example]) -> str:
    """SHA-256 (hex) of rows with all that they hold, in their order."""
    return digest([[e.id, e.text, e.text_pair, e.label, e.value, dict(e.meta)] for e in examples])


@dataclass(frozen=True, slots=True)
class Dropped:
    """An example that a stage removed.

    Attributes:
        example: the row as it was.
        reason: short name of the reason, e.g. ``near_duplicate``; counted in the accounting.
        detail: what exactly, for a reader: the twin's id, the length, the share of Japanese letters.
    """

    example: Example
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """A row that was asked for and never came: its id, its label and the reason."""

    id: str
    label: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a classifier says of one example: a score for every label (they sum to 1) and the label it settles on;
    for similarity also the number.
    """

    id: str
    label: str
    scores: Mapping[str, float]
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """A number that says how it was made.

    Attributes:
        name: the metric, e.g. ``accuracy``.
        value: mean over seeds.
        by_seed: one value for each seed.
        low, high: bounds of the 95 % interval.
        signature: everything needed to make the number again: n, seeds, method of the interval, version.
        p: of a difference, the two-sided p-value of "there is none"; None for what is no difference.
    """

    name: str
    value: float
    by_seed: tuple[float, ...]
    low: float
    high: float
    signature: str
    p: float | None = None

    def __str__(self) -> str:
        return f"{self.name} = {self.value:.3f} [{self.low:.3f}, {self.high:.3f}] ({self.signature})"


@dataclass(frozen=True, slots=True)
class Accounting:
    """Where the rows of a stage went. requested = kept + sum(dropped) + sum(failed), or it cannot be made."""

    requested: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    failed: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        total = self.kept + sum(self.dropped.values()) + sum(self.failed.values())
        if total != self.requested:
            raise ValueError(f"rows do not add up: {self.requested} requested, {total} accounted for ({self})")

    @classmethod
    def count(
        cls, requested: int, kept: Sequence[Example], dropped: Iterable[Dropped], failed: Iterable[str] = ()
    ) -> Accounting:
        """Count rows and reasons; raises ValueError when they do not add up."""
        reasons = Counter(d.reason for d in dropped)
        return cls(requested, len(kept), dict(sorted(reasons.items())), dict(sorted(Counter(failed).items())))
