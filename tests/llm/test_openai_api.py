"""The client of OpenAI's chat API against a server that answers by script: one test for each rule."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import logging
import math
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from japagen.errors import ConfigError, ModelError
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.faults import Fault
from japagen.llm.fakeserver.replies import Answer
from japagen.llm.openai import bridge
from japagen.llm.openai_api import OpenAILLM
from japagen.records import Message, Reply, Request, Sampling
from japagen.sections import LLMSection

KEY = "sk-planted-0123456789abcdefXYZ"
QUICK = {"concurrency": 16, "backoff": 0.01, "backoff_max": 0.05, "timeout": 10.0, "deadline": 60.0}


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


class Scripted(FakeServer):
    """A server whose answers a function makes, from a call's number (from 1) and body."""

    def __init__(self, script: Callable[[int, dict[str, Any]], Answer], *, latency: float = 0.0) -> None:
        super().__init__(latency=latency)
        self.bodies: list[dict[str, Any]] = []
        self.heads: list[bytes] = []
        self._script = script

    def _answer(self, call: Any, fault: Any) -> Answer:
        self.bodies.append(orjson.loads(call.body))
        self.heads.append(call.head)
        return self._script(len(self.bodies), self.bodies[-1])


def said(*texts: str | None, finish: str = "stop", **more: Any) -> Answer:
    choices = [{"message": {"content": text}, "finish_reason": finish} for text in texts]
    usage = {"prompt_tokens": 10, "completion_tokens": 3 * len(texts)}
    return Answer.json({"model": "fake-1", "system_fingerprint": "fp", "choices": choices, "usage": usage} | more)


def model(server: FakeServer, *, patience: float = 20.0, http: dict[str, Any] | None = None, **more: Any) -> OpenAILLM:
    section = LLMSection(name="openai:m", base_url=server.url, http={**QUICK, **(http or {})}, **more)
    return OpenAILLM(section, patience=patience)


def requests(n: int, **more: Any) -> list[Request]:
    return [Request(f"a/{i}", (Message("user", f"{i}番の声"),), seed=i, **more) for i in range(n)]


def ask(llm: OpenAILLM, asked: list[Request]) -> dict[str, Reply]:
    replies = [reply for together in llm.complete(asked) for reply in together]
    found = {reply.request: reply for reply in replies}
    assert len(found) == len(replies)
    return found


def collect(stream: Iterator[list[Reply]], into: list[Reply]) -> None:
    for together in stream:
        into += together


def only(llm: OpenAILLM, **more: Any) -> Reply:
    return ask(llm, requests(1, **more))["a/0"]


# ---- names and settings ----------------------------------------------------------------------------------------------


def test_a_name_tells_replies_apart() -> None:
    def name(**more: Any) -> str:
        return OpenAILLM(LLMSection(**({"name": "openai:org/m", "base_url": "http://gpu1:8000/v1"} | more))).name

    assert name() == "openai:org/m@gpu1:8000/v1"
    assert name(http={"concurrency": 3, "tries": 2}) == name()
    assert name(temperature=0.1, max_tokens=5) == name()  # these stand in each request
    shaping = [{"extra_body": {"a": 1}}, {"reasoning": True}, {"min_japanese": 0.5}, {"send_seed": False}, {"n": 2}]
    shaping += [{"json_schema": False}, {"logprobs": False}, {"base_url": "http://gpu1:8000/v1?v=1"}]
    shaping += [{"name": "openai:x"}, {"base_url": "http://gpu1:8000/v2"}, {"base_url": "http://gpu2:8000/v1"}]
    names = [name(**more) for more in shaping]
    assert len({*names, name()}) == len(names) + 1
    assert name(reasoning=True).startswith("openai:org/m@gpu1:8000/v1#")
    assert len(name(reasoning=True).partition("#")[2]) == 8


def test_settings_are_checked_before_anything_is_sent() -> None:
    with pytest.raises(ConfigError, match="'model' cannot be set"):
        OpenAILLM(LLMSection(name="openai:m", base_url="http://localhost", extra_body={"model": "x"}))
    with pytest.raises(ConfigError, match="OPENAI_API_KEY"):
        OpenAILLM.from_settings(LLMSection(name="openai:m"))


def test_the_key_goes_into_one_header(monkeypatch: pytest.MonkeyPatch) -> None:
    with Scripted(lambda i, b: said("はい")) as server:
        only(model(server))
        assert b"authorization" not in server.heads[0].lower()
        monkeypatch.setenv("MY_KEY", KEY)
        only(model(server, api_key_env="MY_KEY"))
        assert f"Authorization: Bearer {KEY}".encode() in server.heads[1]


# ---- replies ---------------------------------------------------------------------------------------------------------


def test_a_reply_says_where_it_comes_from() -> None:
    with Scripted(lambda i, b: said("良い本。")) as server:
        found = ask(model(server), requests(3, sampling=Sampling(0.5, None, 9)))
    reply = found["a/1"]
    assert (reply.text, reply.finish, reply.failed, reply.tries) == ("良い本。", "stop", None, 1)
    assert (reply.prompt_tokens, reply.completion_tokens) == (10, 3)
    assert (reply.model, reply.fingerprint) == ("fake-1", "fp")
    assert reply.parameters == {"model": "m", "temperature": 0.5, "max_tokens": 9}
    assert reply.parameters is found["a/2"].parameters  # one object, so that the store writes it once
    assert reply.seconds > 0


def test_refusals_and_cut_texts_are_replies() -> None:
    script = {
        1: said(None, finish="content_filter"),
        2: said("途中で", finish="length"),
        3: said("", finish="length"),
        4: Answer.error(400, "the prompt was filtered", code="content_filter"),
    }
    with Scripted(lambda i, b: script[i]) as server:
        found = [only(model(server)) for _ in script]
    assert [(r.text, r.finish, r.failed, r.tries) for r in found] == [
        ("", "content_filter", None, 1),
        ("途中で", "length", None, 1),
        ("", "length", None, 1),
        ("", "content_filter", None, 1),
    ]


def test_likelihoods_of_choices() -> None:
    with FakeServer(answers=("はい", "いいえ")) as server:
        llm = model(server)
        reply = only(llm, choices=("はい", "いいえ"))
        assert reply.text in ("はい", "いいえ")
        assert len(reply.logprobs) == 2
        assert all(math.isfinite(value) and value < 0 for value in reply.logprobs)
        assert only(llm, choices=("猫", "犬")).logprobs == ()


def test_a_server_without_likelihoods_is_asked_without() -> None:
    def script(i: int, body: dict[str, Any]) -> Answer:
        return Answer.error(400, "logprobs is not supported by this model") if "logprobs" in body else said("はい")

    with Scripted(script) as server:
        found = ask(model(server, http={"concurrency": 1}), requests(5, choices=("はい", "いいえ")))
    assert [(r.text, r.logprobs, r.tries) for r in found.values()] == [("はい", (), 1)] * 5
    assert [body.get("top_logprobs") for body in server.bodies[:4]] == [20, 5, None, None]
    assert len(server.bodies) == 7  # learnt once for the whole run


def test_a_server_without_schemas_is_asked_for_json_then_for_nothing() -> None:
    def script(i: int, body: dict[str, Any]) -> Answer:
        refused = Answer.error(400, "'response_format' of this type is not supported")
        return refused if "response_format" in body else said('{"texts": ["あ", "い"]}')

    with Scripted(script) as server:
        found = ask(model(server), requests(40, samples=2))
    assert all(reply.failed is None for reply in found.values())
    forms = [body.get("response_format", {}).get("type") for body in server.bodies]
    assert forms[0] == "json_schema"
    assert forms[-1] is None
    assert "json_object" in forms
    assert len(forms) <= 40 + 4 * 16  # each of those in flight learns it at most twice


def test_a_label_is_constrained_where_likelihoods_are_refused() -> None:
    def script(i: int, body: dict[str, Any]) -> Answer:
        if "logprobs" in body:
            return Answer.error(400, "logprobs is not supported by this model")
        labels = body["response_format"]["json_schema"]["schema"]["properties"]["label"]["enum"]
        return said(f'{{"label": "{labels[-1]}"}}')

    with Scripted(script) as server:
        found = ask(model(server, http={"concurrency": 1}), requests(3, choices=("はい", "いいえ")))
    assert [(r.text, r.logprobs) for r in found.values()] == [('{"label": "いいえ"}', ())] * 3
    assert found["a/0"].parameters["response_format"]["json_schema"]["name"] == "label"


@pytest.mark.parametrize("words", ["'response_format' is not supported", "grammars with this are not supported"])
def test_a_label_that_cannot_be_constrained_is_asked_for_in_words(words: str) -> None:
    def script(i: int, body: dict[str, Any]) -> Answer:
        return Answer.error(400, words) if "response_format" in body else said("はい")

    with Scripted(script) as server:
        llm = model(server, http={"concurrency": 1}, logprobs=False)
        found = ask(llm, requests(5, choices=("はい", "いいえ")))
    assert [(r.text, r.tries) for r in found.values()] == [("はい", 1)] * 5
    assert ["response_format" in body for body in server.bodies] == [True] + [False] * 5  # learnt once


def test_a_refusal_for_another_reason_is_told_all_the_same() -> None:
    with (
        Scripted(lambda i, b: Answer.error(400, "this temperature is not supported")) as server,
        pytest.raises(ModelError, match="this temperature is not supported"),
    ):
        only(model(server, logprobs=False), choices=("はい", "いいえ"))
    assert len(server.bodies) == 2
    own = {"response_format": {"type": "text"}}
    with (
        Scripted(lambda i, b: Answer.error(400, "not so")) as server,
        pytest.raises(ModelError, match="not so"),
    ):
        only(model(server, logprobs=False, extra_body=own), choices=("はい", "いいえ"))
    assert len(server.bodies) == 1


def test_a_form_of_the_users_own_is_not_dropped() -> None:
    with Scripted(lambda i, b: Answer.error(400, "response_format?")) as server, pytest.raises(ModelError):
        only(model(server, extra_body={"response_format": {"type": "text"}}))


# ---- asking again ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Answer.error(500, "oops"), "HTTP 500"),
        (Answer.error(503, "busy"), "HTTP 503"),
        (Answer.error(408, "slow"), "HTTP 408"),
        (Answer.error(409, "conflict"), "HTTP 409"),
        (Answer(200, b"{"), "malformed reply"),
        (Answer(200, b"<html>", content_type="text/html"), "malformed reply"),
        (Answer(204, b""), "malformed reply"),
    ],
)
def test_what_passes_is_tried_again_and_what_stays_is_a_failure(bad: Answer, reason: str) -> None:
    with Scripted(lambda i, b: said("はい") if i % 3 == 0 else bad) as server:
        reply = only(model(server))
        assert (reply.text, reply.failed, reply.tries) == ("はい", None, 3)
        reply = only(model(server, http={"tries": 2}))
    assert (reply.text, reply.failed, reply.tries) == ("", reason, 2)
    assert len(server.bodies) == 5


def test_empty_texts_are_asked_for_again_and_all_is_billed() -> None:
    with Scripted(lambda i, b: said(["", " \n", None, "はい", ""][min(i, 5) - 1])) as server:
        reply = only(model(server))
        assert (reply.text, reply.tries, reply.prompt_tokens, reply.completion_tokens) == ("はい", 4, 40, 12)
        reply = only(model(server, http={"tries": 3}))
    assert (reply.text, reply.failed, reply.finish, reply.tries) == ("", None, "stop", 3)
    assert (reply.prompt_tokens, reply.completion_tokens) == (30, 9)


def test_other_languages_are_asked_for_again() -> None:
    with Scripted(lambda i, b: said("good" if i < 3 else "良い")) as server:
        assert only(model(server)).text == "good"
        server.bodies.clear()
        assert (only(model(server, min_japanese=0.5))).text == "良い"
        server.bodies.clear()
        assert only(model(server, min_japanese=0.5, http={"tries": 2})).text == "good"  # for the parser to judge


def test_a_body_may_be_compressed_but_not_without_end() -> None:
    packed = gzip.compress(said("はい").body)
    bomb = gzip.compress(b" " * (33 * 2**20))
    headers = (("Content-Encoding", "gzip"),)
    with Scripted(lambda i, b: Answer(200, bomb if i == 1 else packed, headers)) as server:
        reply = only(model(server))
    assert (reply.text, reply.tries) == ("はい", 2)


def test_a_try_and_a_request_have_their_time() -> None:
    with FakeServer([Fault("hang", times=None, contains="1番")]) as server:
        found = ask(model(server, http={"timeout": 0.3, "tries": 2}), requests(8))
        assert {i: r.failed for i, r in found.items() if r.failed} == {"a/1": "timeout"}
        assert found["a/1"].tries == 2
        found = ask(model(server, http={"timeout": 5, "deadline": 0.4}), requests(3))
        assert {i: r.failed for i, r in found.items() if r.failed} == {"a/1": "timeout"}
    with FakeServer([Fault("status", status=500, times=None)]) as server:
        reply = only(model(server, http={"tries": 100, "deadline": 0.5, "backoff": 0.1, "backoff_max": 0.1}))
    assert reply.failed == "HTTP 500"
    assert reply.tries < 20


# ---- 429 and outages -------------------------------------------------------------------------------------------------


def test_being_told_to_wait_uses_up_no_try() -> None:
    wait = Answer.error(429, "slow down", headers=(("retry-after-ms", "20"),))
    with Scripted(lambda i, b: said("はい") if i > 12 else wait) as server:
        reply = only(model(server, http={"tries": 1}))
        assert (reply.text, reply.tries) == ("はい", 1)
    with Scripted(lambda i, b: said("はい") if i > 5 else Answer.error(429, "slow down")) as server:
        assert only(model(server, http={"tries": 1})).text == "はい"


def test_all_wait_until_the_time_told() -> None:
    with FakeServer([Fault("status", status=429, at=(20,), retry_after=1)], latency=0.01) as server:
        assert len(ask(model(server), requests(60))) == 60
    refused = next(entry for entry in server.journal if entry.status == 429)
    after = sorted(e.call.arrived - refused.left for e in server.journal if e.call.arrived > refused.left + 0.2)
    assert 1.0 <= after[0] < 3.0


def test_a_wait_beyond_the_deadline_ends_the_run() -> None:
    headers = (("Retry-After", "86400"),)
    with (
        Scripted(lambda i, b: Answer.error(429, "tomorrow", headers=headers)) as server,
        pytest.raises(ModelError, match="asks us to wait 86,400 s") as caught,
    ):
        ask(model(server), requests(30))
    assert "llm.http.deadline" in caught.value.remedy


@pytest.mark.parametrize("headers", [(), (("retry-after-ms", "20"),)])
def test_a_server_that_says_429_for_ever_ends_the_run(headers: tuple[tuple[str, str], ...]) -> None:
    replies: list[Reply] = []
    with Scripted(lambda i, b: Answer.error(429, "come back later", headers=headers)) as server:
        with pytest.raises(ModelError, match="come back later") as caught:
            collect(model(server, http={"deadline": 0.8}).complete(requests(600)), replies)
        assert len(server.bodies) > 1
    assert "HTTP 429" in caught.value.what
    assert "limits" in caught.value.remedy
    assert replies == []


def test_a_server_that_begins_to_say_429_for_ever_ends_the_run() -> None:
    replies: list[Reply] = []
    with (
        Scripted(lambda i, b: said("はい") if i <= 20 else Answer.error(429, "come back later")) as server,
        pytest.raises(ModelError, match="come back later"),
    ):
        collect(model(server, http={"deadline": 0.8, "concurrency": 4}).complete(requests(600)), replies)
    refused = [reply for reply in replies if reply.failed]
    assert len(replies) - len(refused) == 20
    assert len(refused) <= 4  # those that began while it answered still


def test_a_row_that_fails_counts_the_calls_that_were_refused() -> None:
    def script(i: int, body: dict[str, Any]) -> Answer:
        return Answer.error(429, "later") if body["messages"][0]["content"].startswith("0番") else said("はい")

    with Scripted(script, latency=0.05) as server:
        found = ask(model(server, http={"deadline": 0.8, "concurrency": 4}), requests(60))
        calls = sum(body["messages"][0]["content"].startswith("0番") for body in server.bodies)
    assert found["a/0"].failed
    assert found["a/0"].tries >= calls - 1 > 0
    assert all(reply.failed is None for reply in found.values() if reply.request != "a/0")


def test_tokens_that_are_not_reported_are_estimated() -> None:
    with Scripted(lambda i, b: said("良い本。", usage=None)) as server:
        reply = only(model(server))
    assert (reply.prompt_tokens, reply.completion_tokens) == (len("0番の声"), len("良い本。"))


@pytest.mark.parametrize("spelled", [("/", "\\/"), ("P", "\\u0050"), ("P", "P")])
def test_an_escaped_key_is_not_in_the_reply(spelled: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    key = "P/kq"
    monkeypatch.setenv("OPENAI_API_KEY", key)
    body = said(f"鍵は{key}です", model=f"m {key}", system_fingerprint=key).body
    with Scripted(lambda i, b: Answer(200, body.replace(*(part.encode() for part in spelled)))) as server:
        reply = only(model(server))
    assert (reply.text, reply.model, reply.fingerprint) == ("鍵は[key]です", "m [key]", "[key]")


def test_limits_per_minute() -> None:
    with FakeServer() as server:
        began = time.monotonic()
        ask(model(server, http={"requests_per_minute": 3000}), requests(60))
        assert time.monotonic() - began >= 1.0
        arrived = sorted(entry.call.arrived for entry in server.journal)
        began = time.monotonic()
        llm = model(server, http={"tokens_per_minute": 60_000}, max_tokens=20)
        found = ask(llm, requests(60))
        used = sum(reply.prompt_tokens + reply.completion_tokens for reply in found.values())
        assert time.monotonic() - began >= (used - 1000) / 1000 * 0.5
    assert max(sum(t <= x < t + 1 for x in arrived) for t in arrived) <= 52


def test_a_server_that_never_answers() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        section = LLMSection(name="openai:m", base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1", http=QUICK)
        with pytest.raises(ModelError, match="no server answers at http://127.0.0.1") as caught:
            ask(OpenAILLM(section, patience=0.5), requests(50))
    assert "start the server" in caught.value.remedy


@pytest.mark.parametrize("kind", ["outage", "outage_reset"])
def test_an_outage_uses_up_no_try(kind: Any) -> None:
    with FakeServer([Fault(kind, at=(100,), seconds=1.5)], latency=0.01) as server:
        found = ask(model(server, http={"tries": 3}), requests(300))
    assert all(reply.failed is None for reply in found.values())
    assert len(found) == 300


def test_an_outage_ends_with_the_deadline() -> None:
    with FakeServer(latency=0.01) as server:
        stream = model(server, http={"deadline": 1.0}).complete(requests(100))
        assert next(stream)
    with pytest.raises(ModelError, match="no server answers"):
        collect(stream, [])


def test_encryption_that_fails_is_told_at_once() -> None:
    def refuse() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=refuse)
    thread.start()
    section = LLMSection(name="openai:m", base_url=f"https://127.0.0.1:{listener.getsockname()[1]}/v1", http=QUICK)
    with pytest.raises(ModelError, match="no secure connection") as caught:
        ask(OpenAILLM(section), requests(3))
    assert "http or https" in caught.value.remedy
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_a_server_that_loads_its_model_is_waited_for() -> None:
    """llama.cpp listens before its model is there, and says 503 meanwhile: no row is to lose a try by that."""
    loading = Answer.error(503, "Loading model")
    with Scripted(lambda i, _: loading if i <= 20 else said("はい")) as server:
        found = ask(model(server, patience=0.5, http={"tries": 2, "concurrency": 16}), requests(60))
        assert len(server.bodies) == 20 + 60
    assert {(reply.failed, reply.tries) for reply in found.values()} == {(None, 1)}


# ---- the end of a run ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "what", "remedy"),
    [
        (Answer.error(400, "temperature must be 1"), "temperature must be 1", "section llm"),
        (Answer.error(400, "use max_completion_tokens instead"), "max_completion_tokens", "llm.reasoning: true"),
        (Answer.error(400, "maximum context length is 10"), "context length", "fewer or shorter shots"),
        (Answer.error(400, "request exceeds the available context size (8 tokens)"), "context size", "shorter shots"),
        (Answer.error(401, "who are you?"), "HTTP 401", "OPENAI_API_KEY"),
        (Answer.error(402, "pay"), "HTTP 402", "credit"),
        (Answer.error(403, "no"), "HTTP 403", "may not use model 'm'"),
        (Answer.error(404, "no such model"), "no such model", "'m'"),
        (Answer.error(405, "no"), "HTTP 405", "/v1"),
        (Answer.error(413, "too much"), "HTTP 413", "too long"),
        (Answer.error(422, "no"), "HTTP 422", "section llm"),
        (Answer.error(418, "teapot"), "teapot", "llm.base_url"),
        (Answer.error(429, "no money", code="insufficient_quota"), "no quota", "credit"),
        (
            Answer(301, b"", (("Location", "https://other.example/v1/chat?key=1"),)),
            "redirects to other.example",
            "base_url",
        ),
        (Answer(308, b"", (("Location", "/v2/chat/completions"),)), "redirects", "base_url"),
    ],
)
def test_what_no_repeat_can_mend_ends_the_run(answer: Answer, what: str, remedy: str) -> None:
    replies: list[Reply] = []
    with Scripted(lambda i, b: answer if i >= 40 else said("はい"), latency=0.01) as server:
        with pytest.raises(ModelError) as caught:
            collect(model(server).complete(requests(5000)), replies)
        assert len(server.bodies) < 120
    assert what in caught.value.what
    assert remedy in caught.value.remedy
    assert "key=1" not in str(caught.value)
    assert len(replies) == 39  # those that came before, those in flight included


def test_requests_that_cannot_be_made() -> None:
    def source() -> Iterator[Request]:
        for request in requests(5000):
            if replies:
                raise RuntimeError("the plan is broken")
            yield request

    replies: list[Reply] = []
    with Scripted(lambda i, b: said("はい"), latency=0.05) as server:
        with pytest.raises(RuntimeError, match="the plan is broken"):
            collect(model(server).complete(source()), replies)
        assert len(replies) == server.next_number() - 1 > 16  # all that was sent was handed out


def test_requests_are_pulled_as_they_are_needed() -> None:
    pulled = 0

    def source() -> Iterator[Request]:
        nonlocal pulled
        for request in requests(3000):
            pulled += 1
            yield request

    with FakeServer(latency=0.005) as server:
        received, most = 0, 0
        for together in model(server, http={"concurrency": 20}).complete(source()):
            received += len(together)
            most = max(most, pulled - received)
    assert (received, pulled) == (3000, 3000)
    assert most <= 20 + 5 + 20


def test_no_more_calls_than_allowed_are_in_flight() -> None:
    most = 0

    class Counting(FakeServer):
        def _finish(self, *given: Any) -> None:
            nonlocal most
            most = max(most, self._working)
            super()._finish(*given)

    with Counting(latency=0.02) as server:
        ask(model(server, http={"concurrency": 7}), requests(100))
    assert most == 7


def test_stopping_early_leaves_nothing_behind(caplog: pytest.LogCaptureFixture) -> None:
    threads = threading.active_count()
    with FakeServer(latency=0.02) as server:
        stream = model(server).complete(requests(100_000))
        assert next(stream)
        stream.close()
        del stream
        gc.collect()
        for _ in range(100):
            if not server.connections:
                break
            time.sleep(0.02)
        assert not server.connections
    assert threading.active_count() == threads
    assert caplog.records == []


def test_replies_that_are_ready_are_not_held_back() -> None:
    with FakeServer([Fault("hang", contains="0番", times=None)]) as server:
        stream = model(server, http={"timeout": 30}).complete(requests(5))
        received: list[Reply] = []
        while len(received) < 4:
            received += next(stream)
        stream.close()
    assert {reply.request for reply in received} == {f"a/{i}" for i in range(1, 5)}


def test_an_empty_run_sends_nothing() -> None:
    with FakeServer() as server:
        assert list(model(server).complete([])) == []
        assert server.journal == []


# ---- event loops -----------------------------------------------------------------------------------------------------


def test_inside_a_running_event_loop() -> None:
    """As in Jupyter: the loop of the caller's thread is busy with us, and requests are still made in that thread."""
    threads = set()

    def source() -> Iterator[Request]:
        for request in requests(200):
            threads.add(threading.get_ident())
            yield request

    async def cell() -> tuple[int, int]:
        stream = model(server).complete(source())
        first = len(next(stream))
        return first, first + sum(map(len, stream))

    async def stopped() -> None:
        stream = model(server).complete(requests(10_000))
        next(stream)
        stream.close()

    with FakeServer(latency=0.005) as server:
        assert asyncio.run(cell())[1] == 200
        asyncio.run(stopped())
    assert threads == {threading.get_ident()}
    assert not [t for t in threading.enumerate() if t.name.startswith("japagen-llm")]


def test_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    loop = bridge._new_loop()
    assert type(loop).__module__.startswith("asyncio")
    loop.close()
    with FakeServer([Fault("reset", every=10)], latency=0.005) as server:
        assert len(ask(model(server), requests(200))) == 200


INTERRUPTED = """
import sys
if sys.argv[2] == "asyncio":
    sys.modules["uvloop"] = None
from japagen.sections import LLMSection
from japagen.llm.openai_api import OpenAILLM
from japagen.records import Message, Request
llm = OpenAILLM(LLMSection(name="openai:m", base_url=sys.argv[1]))
def run():
    for together in llm.complete(Request(str(i), (Message("user", "声"),)) for i in range(10**9)):
        print(len(together), flush=True)
try:
    if sys.argv[2] == "inside":
        import asyncio
        async def main(): run()
        loop = asyncio.new_event_loop()  # asyncio.run would take the first Ctrl-C for itself
        try:
            loop.run_until_complete(main())
        finally:
            loop.close()
    else:
        run()
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("where", ["uvloop", "asyncio", "inside"])
def test_ctrl_c_ends_it_cleanly(where: str) -> None:
    with FakeServer(latency=0.05) as server:
        command = [sys.executable, "-W", "error", "-c", INTERRUPTED, server.url, where]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=30)
    assert output.splitlines()[-1] == "interrupted"
    assert errors == ""


# ---- several replies per call ----------------------------------------------------------------------------------------


def equal(n: int) -> list[Request]:
    return [Request(f"{label}/{i}", (Message("user", label),), seed=i) for i in range(n) for label in ("a", "b")]


def test_equal_prompts_share_a_call() -> None:
    with Scripted(lambda i, b: said(*(f"{b['messages'][0]['content']}{k}" for k in range(b.get("n", 1))))) as server:
        found = ask(model(server, n=4, http={"concurrency": 1}), equal(20))
    assert len(found) == 40
    assert all(reply.text.startswith(request[0]) for request, reply in found.items())
    assert [body.get("n") for body in server.bodies] == [4] * 10
    assert sum(reply.prompt_tokens for reply in found.values()) == 10 * 10  # a prompt is paid for once
    assert sum(reply.completion_tokens for reply in found.values()) == 40 * 3
    assert {reply.prompt_tokens for reply in found.values()} == {0, 10}


def test_questions_with_choices_do_not_share_a_call() -> None:
    with Scripted(lambda i, b: said("はい")) as server:
        asked = [Request(f"a/{i}", (Message("user", "同じ"),), choices=("はい", "いいえ")) for i in range(6)]
        assert len(ask(model(server, n=4), asked)) == 6
    assert all("n" not in body for body in server.bodies)


@pytest.mark.parametrize("gives", [1, 3])
def test_a_server_that_gives_fewer(gives: int) -> None:
    with Scripted(lambda i, b: said(*["はい"] * min(gives, b.get("n", 1)))) as server:
        found = ask(model(server, n=4, http={"concurrency": 2}), equal(40))
    assert len(found) == 80
    assert {(reply.text, reply.tries) for reply in found.values()} == {("はい", 1)}
    if gives == 1:  # then n is not used any more
        assert sum("n" in body for body in server.bodies) <= 4


def test_one_empty_text_of_several_is_asked_for_again() -> None:
    with Scripted(lambda i, b: said("良い", "", "良い") if i == 1 else said(*["後で"] * b.get("n", 1))) as server:
        found = ask(model(server, n=3, http={"concurrency": 1}), [r for r in equal(3) if r.id[0] == "a"])
    assert [(found[f"a/{i}"].text, found[f"a/{i}"].tries) for i in range(3)] == [("良い", 1), ("後で", 2), ("良い", 1)]
    assert "n" not in server.bodies[1]


# ---- the key ---------------------------------------------------------------------------------------------------------


def echo(i: int, body: dict[str, Any]) -> Answer:
    return said(f"鍵は{KEY}です。")


ECHOES: dict[str, Callable[[int, dict[str, Any]], Answer]] = {
    "success": echo,
    "401": lambda i, b: Answer.error(401, f"Incorrect API key provided: {KEY[:7]}*******{KEY[-4:]}, {KEY}"),
    "400": lambda i, b: Answer.error(400, "x" * 280 + KEY),
    "500": lambda i, b: Answer.error(500, f"Bearer {KEY}"),
    "html": lambda i, b: Answer(403, f"<html>{KEY}</html>".encode(), content_type="text/html"),
    "redirect": lambda i, b: Answer(307, b"", (("Location", f"http://{KEY.lower()}.example/{KEY}?k={KEY}"),)),
}


@pytest.mark.parametrize("kind", [*ECHOES, "hang", "reset", "truncated", "absent"])
def test_the_key_is_shown_nowhere(
    kind: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    if kind in ECHOES:
        server: FakeServer = Scripted(ECHOES[kind])
    else:
        server = FakeServer([] if kind == "absent" else [Fault(kind, times=None)])  # type: ignore[arg-type]
    shown: list[str] = []
    with server:
        http = {"tries": 2, "timeout": 0.2, "deadline": 1.0}
        llm = model(server, http=http, patience=0.3)
        if kind == "absent":
            server.__exit__(None, None, None)
        try:
            replies = ask(llm, requests(3))
            shown += [repr(replies), json.dumps([dict(reply.parameters) for reply in replies.values()])]
        except ModelError as error:
            shown += [str(error), repr(error), repr(error.__dict__), "".join(traceback.format_exception(error))]
            chained = error.__context__
            while chained is not None:
                shown.append(repr(chained))
                chained = chained.__context__
        if kind == "absent":
            server.__enter__()
    out, err = capfd.readouterr()
    shown += [repr(llm), repr(llm.endpoint), llm.name, repr(vars(llm)), caplog.text, out, err]
    for text in shown:
        assert KEY not in text
        assert KEY.lower() not in text
        assert KEY[:12] not in text
        assert "sk-" not in text


def test_an_empty_text_is_asked_for_with_another_seed() -> None:
    with Scripted(lambda n, body: said("" if n == 1 else "届きました。")) as server:
        replies = ask(model(server), requests(1))
        assert [body["seed"] for body in server.bodies] == [0, 1]  # or a server that repeats itself would repeat it
    assert replies["a/0"].text == "届きました。"
    with Scripted(lambda n, body: Answer(500, b"{}") if n == 1 else said("届きました。")) as server:
        ask(model(server), requests(1))
        assert [body["seed"] for body in server.bodies] == [0, 0]  # what failed is the same request again
