"""OpenAI's chat API, the way there: a request as a JSON body. The way back is in `responses`.

Pure functions, shared by the direct and the batch backend. Nothing here sends, waits or knows a key.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from japagen.errors import ConfigError
from japagen.records import Request
from japagen.sections import LLMSection

OURS = ("messages", "model", "n", "stream")  # what extra_body may not set
_FORMS: tuple[Form, ...] = ("json_schema", "json_object", "none")
_CHOICE_TOKENS = 16  # least room for the answer to a multiple-choice question
_FORM_TOKENS = 16  # more room for the JSON around it

Form = Literal["json_schema", "json_object", "none"]


@dataclass(frozen=True, slots=True)
class Ability:
    """What a server is believed to understand; it shrinks when the server refuses something.

    Attributes:
        form: how the form of structured replies is enforced; of answers to multiple-choice questions by a schema or not.
        top_logprobs: alternatives asked for at each position; 0 asks for no likelihoods.
    """

    form: Form = "json_schema"
    top_logprobs: int = 20

    @classmethod
    def of(cls, settings: LLMSection) -> Ability:
        """What the settings allow."""
        wanted = settings.logprobs and not settings.reasoning
        structured = settings.json_schema and settings.prompt_style == "chat"  # documents are read line by line
        return cls("json_schema" if structured else "none", 20 if wanted else 0)

    def without(self, refused: Literal["form", "logprobs"]) -> Ability:
        """One step less of what was refused."""
        if refused == "form":
            return replace(self, form=_FORMS[min(_FORMS.index(self.form) + 1, len(_FORMS) - 1)])
        return replace(self, top_logprobs=5 if self.top_logprobs > 5 else 0)


def check_settings(settings: LLMSection) -> None:
    """Refuse settings that cannot be sent.

    Raises:
        ConfigError: extra_body sets what is ours, or cannot be written as JSON.
    """
    for name in OURS:
        if name in settings.extra_body:
            raise ConfigError(
                f"'{name}' cannot be set here",
                where="llm.extra_body",
                remedy="use llm.n" if name == "n" else f"leave it out; japagen sets '{name}' itself",
            )
    try:
        orjson.dumps(settings.extra_body)
    except TypeError as error:
        raise ConfigError(f"cannot be written as JSON: {error}", where="llm.extra_body") from None


def model_of(settings: LLMSection) -> str:
    """The model's name at its server: what follows the first colon of llm.name."""
    return settings.name.partition(":")[2]


def parameters(request: Request, settings: LLMSection, ability: Ability, n: int = 1) -> dict[str, Any]:
    """The body without messages and seed: equal for many requests."""
    sampling = request.sampling
    sent: dict[str, Any] = {"model": model_of(settings)}
    constrained = _constrained(request, settings, ability)
    length = sampling.max_tokens
    if request.choices:
        length = max(_CHOICE_TOKENS, 2 * max(map(len, request.choices))) + _FORM_TOKENS * constrained
    if settings.reasoning:
        if request.choices:  # what the model thinks counts as well, so its own limit holds
            length = max(length or 0, settings.max_tokens) if settings.max_tokens else None
        if length is not None:
            sent["max_completion_tokens"] = length
    else:
        if (temperature := 0 if request.choices else sampling.temperature) is not None:
            sent["temperature"] = temperature
        if sampling.top_p is not None and not request.choices:
            sent["top_p"] = sampling.top_p
        if length is not None:
            sent["max_tokens"] = length
        if sampling.stop and not request.choices:
            sent["stop"] = list(sampling.stop)
    if n > 1:
        sent["n"] = n
    if request.choices and ability.top_logprobs:
        sent |= {"logprobs": True, "top_logprobs": ability.top_logprobs}
    if constrained:
        sent["response_format"] = _schema("label", {"type": "string", "enum": list(dict.fromkeys(request.choices))})
    elif request.samples > 1 and ability.form != "none":
        sent["response_format"] = _response_format(request.samples, ability.form)
    return sent | settings.extra_body


def _constrained(request: Request, settings: LLMSection, ability: Ability) -> bool:
    """Whether the answer to a multiple-choice question is to be ``{"label": ...}`` with one of the choices.

    Not where likelihoods are asked for: those of the form's first token would come. Nor in a batch, in which a server
    that refuses the form could not be asked again without it.
    """
    live = not settings.name.startswith("openai-batch:")
    return live and bool(request.choices) and ability.form == "json_schema" and not ability.top_logprobs


def _response_format(samples: int, form: Form) -> dict[str, Any]:
    """The form ``{"texts": [...]}`` with so many texts."""
    if form == "json_object":
        return {"type": "json_object"}
    return _schema("texts", {"type": "array", "items": {"type": "string"}, "minItems": samples, "maxItems": samples})


def _schema(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """The form of an object with one key."""
    schema = {"type": "object", "properties": {name: value}, "required": [name], "additionalProperties": False}
    return {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}


def body(request: Request, settings: LLMSection, ability: Ability | None = None, n: int = 1) -> dict[str, Any]:
    """The whole body of a request.

    Args:
        request: what is asked.
        settings: how; `check_settings` has passed.
        ability: what the server understands; by default all that the settings ask for.
        n: replies asked for in this one call.
    """
    return complete_body(parameters(request, settings, ability or Ability.of(settings), n), request, settings)


def complete_body(shared: Mapping[str, Any], request: Request, settings: LLMSection) -> dict[str, Any]:
    """The body from its `parameters`: messages and seed come with it (31 bits of the seed: some servers take no more)."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    sent = {**shared, "messages": messages}
    if settings.send_seed and "seed" not in shared:
        sent["seed"] = request.seed & 0x7FFFFFFF
    return sent


def encode(sent: Mapping[str, Any]) -> bytes:
    """A body as JSON in UTF-8; lone surrogates become question marks, as no server could read them."""
    try:
        return orjson.dumps(sent)
    except TypeError:
        return orjson.dumps(whole(json.loads(json.dumps(sent))))


def whole(value: Any) -> Any:
    """A JSON value without lone surrogates, which UTF-8 cannot hold: each becomes a question mark."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value
