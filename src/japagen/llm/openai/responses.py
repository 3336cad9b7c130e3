"""OpenAI's chat API, the way back: a response as an answer, or as the trouble that it means. The way there is in `wire`.

Pure functions, shared by the direct and the batch backend. A server is not trusted: any bytes give a value, never an
exception.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import orjson

from japagen.japanese import japanese_share
from japagen.llm.openai.wire import whole
from japagen.records import Request

LOADING = "the server is loading its model"  # the reason of a server that is there, and cannot answer yet
_LIKELIHOODS = (-1e6, 0.01)  # natural logarithms that are taken for likelihoods
_UNREADABLE = 1 / 3  # share of replacement characters (U+FFFD) above which a text was not sent in UTF-8
_AMBIGUOUS = 0.01  # share of the likelihood that may lie on tokens which begin several choices

Kind = Literal["again", "throttled", "overloaded", "fatal", "filtered", "form", "logprobs"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One text of an answer.

    Attributes:
        text: as the model wrote it; a refusal's words where it refused.
        finish: "stop", "length" or "content_filter".
        first: the alternatives of the first token, as bytes with natural-log likelihoods.
    """

    text: str
    finish: str = "stop"
    first: tuple[tuple[bytes, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; see `records.Reply` for the fields.

    Attributes:
        prompt_tokens: None where the server did not report them.
        completion_tokens: of all choices together; where the server did not report them, their characters.
    """

    choices: tuple[Choice, ...]
    prompt_tokens: int | None = 0
    completion_tokens: int = 0
    model: str = ""
    fingerprint: str = ""

    def prompt_tokens_or(self, characters: int) -> int:
        """Tokens of the prompt; where the server did not report them, its characters (of Japanese about as many)."""
        return characters if self.prompt_tokens is None else self.prompt_tokens


@dataclass(frozen=True, slots=True)
class Trouble:
    """A response that is no answer.

    Attributes:
        kind: what to do: ask "again"; wait ("throttled"); send less and ask again ("overloaded"); give up the run ("fatal");
            take it as the model's refusal ("filtered"); or leave out what the server does not know ("form", "logprobs").
        reason: short and equal for equal causes, so that reasons can be counted.
        words: what the server said, not scrubbed: it may echo the key.
        status: of HTTP.
    """

    kind: Kind
    reason: str
    words: str = ""
    status: int = 200


def read_response(status: int, raw: bytes) -> Answer | Trouble:
    """What a response means, by its status and body; the content type is not trusted."""
    if 200 <= status < 300:
        value = parse_json(raw)
        return read_body(value) if isinstance(value, dict) else Trouble("again", "malformed reply")
    return read_trouble(status, raw)


def read_body(value: Mapping[str, Any]) -> Answer | Trouble:
    """What a parsed body means that came with status 200 (of a call, or of a line in a batch).

    Usage that is absent, or no count below 2^40, is estimated, so that budgets hold: a token per character.
    """
    error = value.get("error")
    if isinstance(error, dict) and isinstance(code := error.get("code"), int) and 400 <= code < 600:
        return trouble_of(code, value)  # some gateways put the true status here
    listed = value.get("choices")
    if not isinstance(listed, list) or not listed:
        return Trouble("again", "malformed reply")
    choices = []
    for entry in listed:
        if (choice := _read_choice(entry)) is None:
            return Trouble("again", "malformed reply")
        if choice.text.count("\ufffd") > _UNREADABLE * len(choice.text):
            return Trouble("again", "malformed reply")
        choices.append(choice)
    usage = value.get("usage")
    usage = usage if isinstance(usage, dict) else {}
    completion = _count(usage.get("completion_tokens"))
    model, fingerprint = value.get("model"), value.get("system_fingerprint")
    return Answer(
        tuple(choices),
        _count(usage.get("prompt_tokens")),
        sum(len(choice.text) for choice in choices) if completion is None else completion,
        model if isinstance(model, str) else "",
        fingerprint if isinstance(fingerprint, str) else "",
    )


def parse_json(raw: bytes) -> Any:
    """JSON, or None. A byte order mark is cut; half a surrogate pair, which a model may cause, is repaired."""
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        pass
    try:
        return whole(json.loads(raw.decode("utf-8", "replace")))
    except (ValueError, RecursionError):
        return None


def without_key(outcome: Answer | Trouble, clean: Callable[[str], str]) -> Answer | Trouble:
    """The same outcome, each of its strings as `clean` (of `Endpoint.without_key`) makes it."""
    if isinstance(outcome, Trouble):
        return replace(outcome, reason=clean(outcome.reason), words=clean(outcome.words))
    choices = tuple(replace(choice, text=clean(choice.text)) for choice in outcome.choices)
    return replace(outcome, choices=choices, model=clean(outcome.model), fingerprint=clean(outcome.fingerprint))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None


def _read_choice(entry: object) -> Choice | None:
    message = entry.get("message") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(message, dict):
        return None
    content = message.get("content")
    if isinstance(content, list):  # parts, some of them thoughts
        parts = [p.get("text") for p in content if isinstance(p, dict) and p.get("type", "text") == "text"]
        content = "".join(part for part in parts if isinstance(part, str))
    if content is not None and not isinstance(content, str):
        return None
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        return Choice(refusal, "content_filter")
    match entry.get("finish_reason"):
        case "length" | "max_tokens" | "model_length":
            finish = "length"
        case "content_filter":
            finish = "content_filter"
        case _:
            finish = "stop"
    return Choice(content or "", finish, _first_alternatives(entry.get("logprobs")))


def _first_alternatives(logprobs: object) -> tuple[tuple[bytes, float], ...]:
    positions = logprobs.get("content") if isinstance(logprobs, dict) else None
    first = positions[0] if isinstance(positions, list) and positions else None
    listed = first.get("top_logprobs") if isinstance(first, dict) else None
    found: dict[bytes, float] = {}
    for entry in [*(listed if isinstance(listed, list) else []), first]:
        if not isinstance(entry, dict) or not isinstance(logprob := entry.get("logprob"), int | float):
            continue
        if not _LIKELIHOODS[0] <= logprob <= _LIKELIHOODS[1]:
            continue
        token, raw = entry.get("token"), entry.get("bytes")
        if isinstance(raw, list) and raw and all(isinstance(b, int) and 0 <= b < 256 for b in raw):
            found.setdefault(bytes(raw), float(logprob))
        elif isinstance(token, str):
            found.setdefault(token.encode("utf-8", "replace"), float(logprob))
    return tuple(found.items())


def score_choices(choices: Sequence[str], first: Sequence[tuple[bytes, float]]) -> tuple[float, ...]:
    """Natural-log likelihoods of answers, from the alternatives of the reply's first token.

    A choice has the likelihood of all tokens that it begins with. A choice without any is given that of the least likely
    alternative returned, an upper bound. The result is empty, and the reply's text is all there is, where no choice was
    found or where more than 1 % of what was found lies on tokens that begin several choices.

    >>> [round(x, 2) for x in score_choices(["満足", "不満"], [("満".encode(), -0.1), ("不".encode(), -2.5)])]
    [-0.1, -2.5]
    >>> score_choices(["満足", "満点"], [("満".encode(), -0.1)])
    ()
    """
    wanted = [choice.strip().encode("utf-8", "replace") for choice in choices]
    masses = [0.0] * len(wanted)
    shared = 0.0
    for token, logprob in first:
        start = token.lstrip()
        if not start:
            continue
        begun = [i for i, choice in enumerate(wanted) if choice.startswith(start)]
        if len(begun) == 1:
            masses[begun[0]] += math.exp(logprob)
        elif begun:
            shared += math.exp(logprob)
    if not any(masses) or shared > _AMBIGUOUS * (sum(masses) + shared):
        return ()
    floor = min(logprob for _, logprob in first)
    return tuple(math.log(mass) if mass > 0 else floor for mass in masses)


def enough_japanese(request: Request, text: str, least: float) -> bool:
    """Whether a reply's share of kana and kanji suffices; of a structured reply its texts are judged."""
    if request.samples > 1:
        value = parse_json(text.encode("utf-8", "replace"))
        texts = value.get("texts") if isinstance(value, dict) else None
        if isinstance(texts, list):
            text = "\n".join(part for part in texts if isinstance(part, str))
    return japanese_share(text) >= least


def read_trouble(status: int, raw: bytes) -> Trouble:
    """What a status outside 2xx means, with the server's words."""
    return trouble_of(status, parse_json(raw), raw[:4000].decode("utf-8", "replace"))


def trouble_of(status: int, value: object, raw: str = "") -> Trouble:
    """What a status outside 2xx means, with the words of a parsed body, or the raw ones where it has none."""
    words, codes = _words(value)
    words = words or raw
    reason = f"HTTP {status}"
    lowered = words.lower()
    if status == 429:
        quota = "insufficient_quota" in codes
        return Trouble("fatal" if quota else "throttled", "insufficient_quota" if quota else reason, words, status)
    if status == 503:
        return Trouble("overloaded", LOADING if "loading model" in lowered else reason, words, status)
    if status in (408, 409, 425) or status >= 500:
        return Trouble("again", reason, words, status)
    if status == 400 and codes & {"content_filter", "ResponsibleAIPolicyViolation"}:
        return Trouble("filtered", "content_filter", words, status)
    if status in (400, 422):
        if "response_format" in lowered or "json_schema" in lowered or "response_format" in codes:
            return Trouble("form", reason, words, status)
        if "logprob" in lowered or codes & {"logprobs", "top_logprobs"}:
            return Trouble("logprobs", reason, words, status)
    return Trouble("fatal", reason, words, status)


def _words(value: object) -> tuple[str, set[str]]:
    """A server's message, and the codes that say what kind of error it is."""
    if not isinstance(value, dict):
        return "", set()
    error = value.get("error", value)
    if not isinstance(error, dict):
        return _said(error), set()
    inner = error.get("innererror")
    sources = [error, inner] if isinstance(inner, dict) else [error]
    codes = {source[key] for source in sources for key in ("code", "type", "param") if isinstance(source.get(key), str)}
    for key in ("message", "detail", "msg"):
        if said := error.get(key):
            return _said(said), codes
    return "", codes


def _said(words: object) -> str:
    try:
        return words if isinstance(words, str) else json.dumps(words, ensure_ascii=False)
    except (RecursionError, ValueError):  # nested too deeply, or a number of thousands of digits
        return ""
