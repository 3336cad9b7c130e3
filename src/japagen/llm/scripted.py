"""A language model that follows a script: deterministic, instant, and able to misbehave on request. It ships, because
tests and dry runs of users need it as much as ours do.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal

from japagen.llm import Style
from japagen.records import Reply, Request

Misbehaviour = Literal["fail", "empty", "refuse", "truncate", "crash"]

_OPENINGS = ("この", "届いた", "母に贈った", "昨日使った", "二つ目の", "妹が選んだ", "駅前で見つけた", "やっと買えた")
_MIDDLES = ("品は", "箱は", "道具は", "贈り物は", "一品は", "商品は", "包みは", "買い物は")
_ENDINGS = (
    "期待どおりでした。",
    "思ったより軽い。",
    "毎日使っています。",
    "すぐに壊れました。",
    "色が違った。",
    "また頼みます。",
)


class ScriptedLLM:
    """Replies made from the request's own digest (LLM).

    Args:
        reply: makes the text of a request; by default a short Japanese sentence, and a marker of the label, so that
            there is something to learn.
        misbehave: request id to what goes wrong with it: "fail" (a failed reply), "empty" (no text), "refuse", "truncate"
            (cut off by the length limit), "crash" (raises, as a bug in a backend would).
        delay: seconds per request, for tests that kill a run in the middle.
    """

    style: Style = "chat"
    notice = ""

    def __init__(
        self,
        reply: Callable[[Request], str] | None = None,
        *,
        name: str = "scripted",
        misbehave: dict[str, Misbehaviour] | None = None,
        delay: float = 0.0,
    ) -> None:
        self.name = name
        self.calls = 0
        self._reply = reply or _sentence
        self._misbehave = misbehave or {}
        self._delay = delay

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        """See `LLM.complete`."""
        for request in requests:
            self.calls += 1
            if self._delay:
                time.sleep(self._delay)
            yield [self._answer(request)]

    def _answer(self, request: Request) -> Reply:
        match self._misbehave.get(request.id):
            case "fail":
                return Reply(request.id, failed="server error")
            case "empty":
                return Reply(request.id, text="")
            case "refuse":
                return Reply(request.id, text="お答えできません。", finish="content_filter")
            case "truncate":
                return Reply(request.id, text=self._reply(request)[:10], finish="length")
            case "crash":
                raise RuntimeError(f"scripted crash at {request.id}")
        if request.choices:
            return Reply(request.id, logprobs=tuple(-1.0 - _number(request, c) / 100 for c in request.choices))
        if request.samples > 1:
            texts = [self._reply(replace(request, id=f"{request.id}+{i}")) for i in range(request.samples)]
            text = json.dumps({"texts": texts}, ensure_ascii=False)
        else:
            text = self._reply(request)
        size = sum(len(m.content) for m in request.messages)
        return Reply(request.id, text=text, prompt_tokens=size, completion_tokens=len(text))


def _number(request: Request, salt: str = "") -> int:
    """A number below 1,000 that depends on the whole request and the salt."""
    return int(hashlib.sha256((request.key("scripted") + salt).encode()).hexdigest(), 16) % 1000


def _sentence(request: Request) -> str:
    parts = (_OPENINGS, _MIDDLES, _ENDINGS)
    text = "".join(options[_number(request, str(i)) % len(options)] for i, options in enumerate(parts))
    return f"{text}{request.label or ''}の{_number(request, 'n')}番です。"
