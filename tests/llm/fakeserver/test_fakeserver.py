"""The fake server: what it says, what it counts, and that each fault looks at the socket as it does in the wild."""

from __future__ import annotations

import email.utils
import http.client
import itertools
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import ConfigError
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.faults import Fault, FaultBook, Kind, dump_faults, load_faults
from japagen.llm.fakeserver.http import Call
from japagen.llm.fakeserver.process import FakeProcess
from japagen.llm.fakeserver.replies import Answer

PATH = "/v1/chat/completions"


def body(text: str = "傘について書いて", **more: Any) -> bytes:
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": text}], **more}).encode()


@contextmanager
def calling(url: str, seconds: float = 10) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=seconds)
    try:
        yield connection
    finally:
        connection.close()


def post(url: str, sent: bytes, seconds: float = 10) -> tuple[int, dict[str, str], bytes]:
    with calling(url, seconds) as connection:
        connection.request("POST", PATH, sent, {"Authorization": "Bearer sk-test"})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()


def text(answer: tuple[int, dict[str, str], bytes]) -> Any:
    return json.loads(answer[2])["choices"][0]["message"]["content"]


def test_replies_depend_on_the_body_alone() -> None:
    with FakeServer() as server, FakeServer() as other:
        first = post(server.url, body("傘"))
        assert first[0] == 200
        assert post(server.url, body("傘"))[2] == first[2] == post(other.url, body("傘"))[2]
        assert text(post(server.url, body("鍋"))) != text(first)
        reply = json.loads(first[2])
        assert reply["usage"] == {
            "prompt_tokens": 1,
            "completion_tokens": len(text(first)),
            "total_tokens": 1 + len(text(first)),
        }
        assert reply["choices"][0]["finish_reason"] == "stop"
        assert list(server.completed().values()) == [2, 1]
        assert [s.call.json["messages"][0]["content"] for s in server.journal] == ["傘", "傘", "鍋"]
        assert server.journal[0].call.header("authorization") == "Bearer sk-test"


def test_choices_structured_replies_and_log_probabilities() -> None:
    schema = {"type": "object", "properties": {"texts": {"type": "array", "minItems": 3}}}
    form = {"type": "json_schema", "json_schema": {"name": "texts", "schema": schema}}
    with FakeServer(answers=("肯定", "否定")) as server:
        choices = json.loads(post(server.url, body(n=3))[2])["choices"]
        assert len({c["message"]["content"] for c in choices}) == 3
        assert [c["index"] for c in choices] == [0, 1, 2]
        assert len(set(json.loads(text(post(server.url, body(response_format=form))))["texts"])) == 3
        loose = post(server.url, body("2つ書いて", response_format={"type": "json_object"}))
        assert len(json.loads(text(loose))["texts"]) == 2
        scored = json.loads(post(server.url, body(logprobs=True, top_logprobs=5))[2])["choices"][0]
        offered = scored["logprobs"]["content"][0]["top_logprobs"]
        assert {t["token"] for t in offered[:2]} == {"肯", "否"}
        assert len(offered) == 5
        assert all(a["logprob"] > b["logprob"] for a, b in itertools.pairwise(offered))
        short = json.loads(post(server.url, body(max_tokens=4))[2])["choices"][0]
        assert (len(short["message"]["content"]), short["finish_reason"]) == (4, "length")


def test_models_unknown_paths_own_routes_and_refusals() -> None:
    def batch(call: Call) -> Answer:
        return Answer.json({"id": call.path.rsplit("/", 1)[1], "got": call.json})

    with FakeServer(routes={"POST /v1/batches/*": batch}) as server, calling(server.url) as connection:

        def ask(method: str, path: str, sent: bytes | None = None) -> tuple[int, Any]:
            connection.request(method, path, sent)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

        assert ask("GET", "/v1/models")[1]["data"][0]["id"] == "fake"
        assert ask("POST", "/v1/batches/b7", b"[1]") == (200, {"id": "b7", "got": [1]})
        assert ask("GET", "/v1/batches/b7")[0] == 404
        assert ask("POST", PATH, b"{}")[0] == 400
        assert ask("POST", PATH, b"{broken")[0] == 400
        assert ask("POST", PATH, body(stream=True))[0] == 400


def test_bodies_in_chunks() -> None:
    whole = body("傘" * 3000)
    with FakeServer() as server, calling(server.url) as connection:
        for sent in (iter([whole[:9], whole[9:5000], whole[5000:]]), iter([whole])):
            connection.request("POST", PATH, sent)
            response = connection.getresponse()
            assert (response.status, bool(response.read())) == (200, True)
        assert [s.call.body for s in server.journal] == [whole, whole]


STATUSES: list[tuple[Fault, int, str]] = [
    (Fault("status"), 500, "server had an error"),
    (Fault("status", status=503), 503, ""),
    (Fault("status", status=401), 401, "Bearer sk-test"),
    (Fault("status", status=400, code="context_length_exceeded", message="長すぎます"), 400, "context_length_exceeded"),
    (Fault("rate_cap", per_second=1, burst=0), 429, "rate_limit_exceeded"),
    (Fault("quota"), 429, "insufficient_quota"),
    (Fault("content_filter"), 400, "content_filter"),
    (Fault("html"), 502, "<h1>502</h1>"),
    (Fault("html", status=200), 200, "<h1>200</h1>"),
    (Fault("redirect"), 307, ""),
    (Fault("wrong_shape"), 200, "result"),
]


@pytest.mark.parametrize(("fault", "status", "words"), STATUSES, ids=lambda x: getattr(x, "kind", None))
def test_errors_of_http(fault: Fault, status: int, words: str) -> None:
    with FakeServer([fault]) as server:
        found = post(server.url, body())
        assert found[0] == status
        assert words in found[2].decode()
        if fault.kind == "redirect":
            assert found[1]["location"] == f"http://elsewhere.invalid{PATH}"
        assert not server.completed()
        assert server.journal[0].fault == fault.kind
        if fault.kind != "rate_cap":
            assert post(server.url, body())[0] == 200  # hit once


def test_retry_after_in_three_forms() -> None:
    def told(form: Any, after: float) -> dict[str, str]:
        with FakeServer([Fault("status", status=429, retry_after=after, retry_form=form)]) as server:
            return post(server.url, body())[1]

    assert told("seconds", 2)["retry-after"] == "2"
    assert told("seconds", 0.25)["retry-after"] == "0.25"
    assert told("ms", 0.25)["retry-after-ms"] == "250"
    before = time.time()
    date = email.utils.parsedate_to_datetime(told("date", 2)["retry-after"]).timestamp()
    assert before + 2 <= date <= time.time() + 3


def test_a_reset_is_an_rst_and_a_truncated_body_ends_early() -> None:
    with FakeServer([Fault("reset", contains="reset"), Fault("truncated", contains="half")]) as server:
        with pytest.raises(ConnectionResetError):
            post(server.url, body("reset"))
        with pytest.raises(http.client.IncompleteRead) as caught:
            post(server.url, body("half"))
        assert caught.value.partial
        assert [s.status for s in server.journal] == [0, 200]
        assert not server.completed()
        assert {post(server.url, body(t))[0] for t in ("reset", "half")} == {200}


def test_a_hang_never_answers() -> None:
    with FakeServer([Fault("hang")]) as server:
        with pytest.raises(TimeoutError):
            post(server.url, body(), seconds=0.2)
        assert post(server.url, body())[0] == 200


def test_a_trickle_is_a_good_answer_and_a_huge_body_has_no_length() -> None:
    with FakeServer([Fault("trickle", seconds=0.2, at=(1,)), Fault("huge", at=(2,), size=100_000)]) as server:
        assert len(text(post(server.url, body()))) > 10
        answer = post(server.url, body("次"))
        assert "content-length" not in answer[1]
        assert len(answer[2]) == 100_000
        assert [s.complete for s in server.journal] == [True, False]


CONTENTS: list[tuple[Kind, Any]] = [
    ("empty", lambda t: t == ""),
    ("null", lambda t: t is None),
    ("refusal", lambda t: t is None),
    ("wrong_schema", lambda t: "texts" not in json.loads(t)),
    ("wrong_language", lambda t: t.isascii()),
    ("length", lambda t: len(t) == 5),
]


@pytest.mark.parametrize(("kind", "spoilt"), CONTENTS, ids=[kind for kind, _ in CONTENTS])
def test_spoilt_contents(kind: Kind, spoilt: Any) -> None:
    with FakeServer([Fault(kind)]) as server:
        assert spoilt(text(post(server.url, body())))
        assert not spoilt(json.dumps({"texts": [text(post(server.url, body()))]}, ensure_ascii=False))


def test_a_malformed_body_is_no_json_and_choices_may_lack() -> None:
    with FakeServer([Fault("malformed", at=(1,)), Fault("fewer_choices", at=(2,))]) as server:
        with pytest.raises(ValueError, match="delimiter|Expecting|Unterminated"):
            json.loads(post(server.url, body())[2])
        assert len(json.loads(post(server.url, body(n=4))[2])["choices"]) == 3


@pytest.mark.parametrize("kind", ["outage", "outage_reset"])
def test_an_outage_ends_at_the_same_address(kind: Kind) -> None:
    refused = ConnectionRefusedError if kind == "outage" else ConnectionResetError
    with FakeServer([Fault(kind, at=(2,), seconds=0.5)], latency=0.01) as server:
        assert post(server.url, body())[0] == 200
        with pytest.raises(ConnectionResetError):
            post(server.url, body("次"))
        with pytest.raises(refused):
            post(server.url, body("次"))
        for _ in range(200):
            try:
                assert post(server.url, body("次"))[0] == 200
                break
            except ConnectionError:
                time.sleep(0.02)
        assert [(s.status, s.fault) for s in server.journal] == [(200, ""), (0, "outage"), (200, "")]


def test_a_caller_that_leaves_and_a_line_of_callers() -> None:
    with FakeServer(latency=0.05, capacity=1) as server:
        sockets = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(3)]
        for i, raw in enumerate(sockets):
            sent = body(str(i))
            raw.sendall(b"POST %s HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (PATH.encode(), len(sent), sent))
        sockets[2].close()
        for raw in sockets[:2]:
            with raw.makefile("rb") as answer:
                assert answer.readline() == b"HTTP/1.1 200 OK\r\n"
            raw.close()
        times = sorted(s.left for s in server.journal if s.status == 200)
        assert times[1] - times[0] >= 0.04  # one at a time
        assert sorted(s.status for s in server.journal) == [200, 200, 499]


def test_in_a_process_of_its_own() -> None:
    with FakeProcess([Fault("status", at=(1,), status=503)], latency=0.05) as server:
        assert [post(server.url, body())[0] for _ in range(3)] == [503, 200, 200]
        assert server.count() == 3
        rows = server.journal(bodies=True)
        assert [(r["status"], r["complete"]) for r in rows] == [(503, False), (200, True), (200, True)]
        assert rows[0]["body"].encode() == body()
        assert rows[0]["left"] - rows[0]["arrived"] > 0.04
    with FakeProcess(keep=False) as server:
        post(server.url, body())
        assert server.journal(bodies=True)[0]["body"] == ""


def hits(faults: list[Fault], digests: list[str], now: float = 0.0) -> list[str | None]:
    book = FaultBook(faults)
    found = [book.choose(i, PATH, digest, b"x", now) for i, digest in enumerate(digests, start=1)]
    return [fault.kind if fault else None for fault in found]


def test_which_calls_are_hit() -> None:
    a, b = "00000000", "ffffffff"
    assert hits([Fault("reset")], [a, a, b]) == ["reset", None, "reset"]
    assert hits([Fault("reset", times=2)], [a, a, a]) == ["reset", "reset", None]
    assert hits([Fault("reset", every=2, times=None)], [a, a, a, a]) == [None, "reset", None, "reset"]
    assert hits([Fault("reset", at=(1, 2))], [a, b, b]) == ["reset", "reset", None]
    assert hits([Fault("reset", share=0.5, times=None)], [a, b, a]) == ["reset", None, "reset"]
    assert hits([Fault("reset", times=None, limit=2)], [a, a, a]) == ["reset", "reset", None]
    assert hits([Fault("reset", at=(1,)), Fault("hang", times=None)], [a, a]) == ["reset", "hang"]
    assert hits([Fault("reset", contains="y"), Fault("reset", path="/models")], [a]) == [None]


def test_a_rate_cap_by_hand() -> None:
    book = FaultBook([Fault("rate_cap", per_second=10, burst=2)])
    times = [0.0, 0.0, 0.0, 0.05, 0.1, 0.11, 9.0, 9.0, 9.0]
    refused = [book.choose(1, PATH, "00000000", b"", now) is not None for now in times]
    assert refused == [False, False, True, True, False, True, False, False, True]


@given(
    rate=st.floats(1, 1000),
    burst=st.integers(1, 50),
    gaps=st.lists(st.floats(0, 0.2), min_size=1, max_size=200),
)
def test_a_rate_cap_never_passes_more_than_its_rate(rate: float, burst: int, gaps: list[float]) -> None:
    book, now, passed = FaultBook([Fault("rate_cap", per_second=rate, burst=burst)]), 0.0, 0
    for gap in gaps:
        now += gap
        passed += book.choose(1, PATH, "00000000", b"", now) is None
        assert passed <= burst + rate * now + 1e-6


@given(st.lists(st.sampled_from(["00000000", "11111111", "ffffffff"])), st.integers(1, 3))
def test_hit_so_often_and_no_more(digests: list[str], times: int) -> None:
    found = hits([Fault("reset", times=times)], digests)
    for digest in set(digests):
        mine = [kind for kind, other in zip(found, digests, strict=True) if other == digest]
        assert mine == (["reset"] * times + [None] * len(mine))[: len(mine)]


def test_faults_as_json() -> None:
    faults = [Fault("outage", at=(3, 5), seconds=2), Fault("status", status=429, retry_after=1.5)]
    assert load_faults(dump_faults(faults)) == faults
    for text_, words in (
        ('[{"kind": "rest"}]', "did you mean 'reset'"),
        ('[{"kind": "reset", "evry": 2}]', "did you mean 'every'"),
        ("{broken", "not a list of faults"),
        ('["reset"]', "not a list of faults"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_faults(text_)
        assert words in str(caught.value)
