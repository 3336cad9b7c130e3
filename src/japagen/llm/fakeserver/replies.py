"""What the fake server says: chat completions made from the digest of what was asked, and the same spoilt by a fault.

One character counts as one token. Nothing here is random: the same body gets the same bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from japagen.llm.fakeserver.faults import Fault

_SUBJECTS = ("昨日届いた鞄は", "父に贈った時計は", "駅前の店で買った傘は", "三年使っている鍋は", "試しに頼んだ茶葉は")
_REMARKS = (
    "手触りがよく、",
    "思ったより小さく、",
    "色が写真と少し違い、",
    "包みがていねいで、",
    "説明書が分かりにくく、",
)
_VERDICTS = ("家族も気に入っています。", "少しがっかりしました。", "また買うつもりです。", "使うのをやめました。")
_FILLERS = "のにをはがでともやかさたなられりるれわん"

Manner = Literal["whole", "truncated", "trickle", "unbounded", "reset", "hang"]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the server, and the manner in which it is sent."""

    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    content_type: str = "application/json"
    manner: Manner = "whole"

    @classmethod
    def json(cls, value: Any, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """A JSON response."""
        return cls(status, orjson.dumps(value), headers)

    @classmethod
    def error(cls, status: int, message: str, *, code: str = "", headers: tuple[tuple[str, str], ...] = ()) -> Answer:
        """An error in the form of OpenAI's API."""
        kind = "invalid_request_error" if status < 429 else "server_error"
        error = {"message": message, "type": code or kind, "param": None, "code": code or None}
        return cls.json({"error": error}, status=status, headers=headers)


def sentence(digest: str, index: int = 0) -> str:
    """A short Japanese sentence that depends on a hexadecimal digest and an index."""
    number = int(digest[:12], 16) + 7919 * index
    subject = _SUBJECTS[number % 5]
    remark = _REMARKS[number // 5 % 5]
    verdict = _VERDICTS[number // 25 % 4]
    return f"{subject}{remark}{verdict}（{number // 100 % 100_000}号）"


def completion(body: bytes, digest: str, *, answers: tuple[str, ...], fault: Fault | None = None) -> Answer:
    """The answer to a chat completion.

    Args:
        body: the request as it came.
        digest: of the body, hexadecimal.
        answers: what a call that asks for `logprobs` is answered with; their first characters are the alternatives.
        fault: one of those that spoil the content, or None.
    """
    try:
        asked = orjson.loads(body)
        messages = asked["messages"]
        size = sum(len(message["content"]) for message in messages)
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return Answer.error(400, "the body is no chat completion: 'messages' is required")
    if asked.get("stream"):
        return Answer.error(400, "this server does not stream", code="unsupported_value")
    count = asked.get("n") or 1
    limit = asked.get("max_tokens") or asked.get("max_completion_tokens")
    if fault is not None and fault.kind == "fewer_choices":
        count = max(count - 1, 0)
    choices, written = [], 0
    for index in range(count):
        choice = _choice(asked, digest, index, answers, limit, fault)
        choices.append(choice)
        written += len(choice["message"]["content"] or "")
    usage = {"prompt_tokens": size, "completion_tokens": written, "total_tokens": size + written}
    return Answer.json(
        {
            "id": f"chatcmpl-{digest[:24]}",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": asked.get("model", "fake"),
            "system_fingerprint": "fp_fake",
            "choices": choices,
            "usage": usage,
        }
    )


def _choice(
    asked: dict[str, Any],
    digest: str,
    index: int,
    answers: tuple[str, ...],
    limit: int | None,
    fault: Fault | None,
) -> dict[str, Any]:
    logprobs, refusal, finish = None, None, "stop"
    text: str | None
    if asked.get("logprobs"):
        text = answers[(int(digest[:8], 16) + index) % len(answers)]
        logprobs = _logprobs(text, answers, asked.get("top_logprobs") or 0)
    elif asked.get("response_format"):
        text = _structured(asked, digest, index)
    else:
        text = sentence(digest, index)
    match fault.kind if fault else None:
        case "empty":
            text = ""
        case "null":
            text = None
        case "wrong_schema":
            text = json.dumps({"answer": {"value": text}}, ensure_ascii=False)
        case "wrong_language":
            text = "I am sorry, but here is a sentence in English instead."
        case "refusal":
            text, refusal, finish = None, "その依頼にはお答えできません。", "content_filter"
        case "length":
            text, finish = (text or "")[:5], "length"
    if text is not None and limit is not None and len(text) > limit:
        text, finish = text[:limit], "length"
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": finish}


def _structured(asked: dict[str, Any], digest: str, index: int) -> str:
    """One of the labels that the schema lists, or as many texts as it asks for; without a schema, as many as the last number
    below 101 in the last message says, or one.
    """
    form = asked["response_format"]
    schema = (form.get("json_schema") or {}).get("schema") or {}
    properties = schema.get("properties") or {}
    if labels := (properties.get("label") or {}).get("enum"):
        return json.dumps({"label": labels[(int(digest[:8], 16) + index) % len(labels)]}, ensure_ascii=False)
    texts = properties.get("texts") or {}
    count = texts.get("minItems") or texts.get("maxItems")
    if count is None:
        numbers = [int(n) for n in re.findall(r"\d+", asked["messages"][-1]["content"]) if 0 < int(n) <= 100]
        count = numbers[-1] if numbers else 1
    written = [sentence(digest, 1000 * index + i) for i in range(count)]
    return json.dumps({"texts": written}, ensure_ascii=False)


def _logprobs(text: str, answers: tuple[str, ...], top: int) -> dict[str, Any]:
    firsts = list(dict.fromkeys([text[0], *(answer[0] for answer in answers)]))
    alternatives = [*firsts, *(kana for kana in _FILLERS if kana not in firsts)][:top]
    rows = []
    for i, token in enumerate(text):
        offered = alternatives if i == 0 else [token][:top]
        ranked = [_token(other, -0.5 - rank) for rank, other in enumerate(offered)]
        rows.append({**_token(token, -0.5), "top_logprobs": ranked})
    return {"content": rows, "refusal": None}


def _token(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}


def spoilt(fault: Fault, good: Answer, *, path: str, authorization: str) -> Answer:
    """What a fault makes of a good answer; faults of the content are in it already, and pass.

    Args:
        fault: any but an outage.
        good: the answer without it.
        path: that was called, for a redirect.
        authorization: what the caller sent to prove who it is; servers like to echo it.
    """
    match fault.kind:
        case "status":
            words = fault.message or _words(fault.http_status, authorization)
            return Answer.error(fault.http_status, words, code=fault.code, headers=fault.retry_headers())
        case "rate_cap":
            return Answer.error(
                429, "too many requests", code=fault.code or "rate_limit_exceeded", headers=fault.retry_headers()
            )
        case "quota":
            return Answer.error(429, "You exceeded your current quota", code="insufficient_quota")
        case "content_filter":
            return Answer.error(400, "The prompt was stopped by the content filter", code="content_filter")
        case "reset":
            return Answer(0, manner="reset")
        case "hang":
            return Answer(0, manner="hang")
        case "truncated":
            return Answer(200, good.body, manner="truncated")
        case "trickle":
            return Answer(200, good.body, manner="trickle")
        case "malformed":
            return Answer(200, good.body[: len(good.body) // 2] + b"}")
        case "wrong_shape":
            return Answer.json({"result": {"status": "ok", "data": []}})
        case "html":
            page = f"<!DOCTYPE html><html><body><h1>{fault.http_status}</h1>しばらくお待ちください。</body></html>"
            return Answer(fault.http_status, page.encode(), content_type="text/html; charset=utf-8")
        case "huge":
            return Answer(200, good.body + b" " * (fault.size - len(good.body)), manner="unbounded")
        case "redirect":
            return Answer(fault.http_status, b"", (("Location", f"http://{fault.to}{path}"),))
    return good


def _words(status: int, authorization: str) -> str:
    match status:
        case 401:
            return f"Incorrect API key provided: {authorization or 'none'}. Check the key of your account."
        case 403:
            return "The project has no access to this model"
        case 404:
            return "The model does not exist"
        case 400:
            return "Unsupported value in the request"
        case 429:
            return "too many requests"
    return "The server had an error while processing the request"
