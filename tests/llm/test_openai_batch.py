"""The batch backend against the fake server: whatever happens on the way, no batch is made twice and no row is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import ConfigError, JapagenError, ModelError, RunError
from japagen.llm import load_llm
from japagen.llm.batch import calls as batchcalls
from japagen.llm.batch import record as batchrecord
from japagen.llm.batch.lines import body_of, read_line, write_line
from japagen.llm.batch.record import Limits, load_batches
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.batch import FakeBatches
from japagen.llm.fakeserver.faults import Fault
from japagen.llm.fakeserver.replies import Answer
from japagen.llm.openai import responses
from japagen.llm.openai.responses import Trouble
from japagen.llm.openai_api import OpenAILLM
from japagen.llm.openai_batch import OpenAIBatchLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Reply, Request
from japagen.sections import LLMSection

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def plan(rows: int, start: int = 0) -> Iterator[Request]:
    for i in range(start, rows):
        yield Request(f"声/{i:04}", (Message("user", f"声/{i:04}を一つ書いてください。"),), seed=i)


def section(url: str, **settings: Any) -> LLMSection:
    http = {"backoff": 0.01, "backoff_max": 0.02, "timeout": 20, "tries": 4} | settings.pop("http", {})
    return LLMSection(**{"name": "openai-batch:fake", "base_url": url, "http": http} | settings)


class Time:
    """Time that passes only where somebody sleeps; too much sleep ends the test."""

    def __init__(self, most: int = 500, at: dict[int, BaseException] | None = None) -> None:
        self.slept: list[float] = []
        self._most, self._at = most, at or {}

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if error := self._at.get(len(self.slept)):
            raise error
        assert len(self.slept) < self._most, "it waits for ever"

    def clock(self) -> float:
        return sum(self.slept)


def model(
    url: str, folder: Path | None, time: Time | None = None, *, limits: Limits | None = None, **settings: Any
) -> OpenAIBatchLLM:
    time = time or Time()
    return OpenAIBatchLLM(section(url, **settings), folder=folder, sleep=time.sleep, clock=time.clock, limits=limits)


def answers(llm: Any, requests: Iterable[Request]) -> dict[str, Reply]:
    replies = [reply for together in llm.complete(requests) for reply in together]
    assert len(replies) == len({reply.request for reply in replies})
    return {reply.request: reply for reply in replies}


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ---- what comes back ----------------------------------------------------------------------------------------------------


def test_the_replies_are_those_of_the_direct_api(tmp_path: Path) -> None:
    requests = [*plan(30), replace(next(plan(1)), id="判定", choices=("はい", "いいえ"))]
    batches = FakeBatches()
    with FakeServer(routes=batches.routes) as server:
        llm = model(server.url, tmp_path)
        direct = OpenAILLM(section(server.url, name="openai:fake"))
        found, expected = answers(llm, requests), answers(direct, requests)
    assert {k: replace(r, seconds=0) for k, r in found.items()} == {
        k: replace(r, seconds=0) for k, r in expected.items()
    }
    assert len(found["判定"].logprobs) == 2
    assert llm.name.replace("openai-batch:", "openai:") == direct.name != llm.name
    assert len(batches.made) == 1
    assert batches.made[0]["endpoint"] == "/v1/chat/completions"
    assert left(tmp_path) == []


def test_loaded_by_name_and_without_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    batches = FakeBatches()
    with FakeServer(routes=batches.routes) as server:
        llm = load_llm(section(server.url))
        assert isinstance(llm, OpenAIBatchLLM)
        assert "24 hours" in llm.notice
        assert len(answers(llm, plan(5))) == 5
        assert answers(llm, []) == {}
    assert len(batches.made) == 1
    assert left(tmp_path) == []


def test_batches_keep_to_the_limits_and_requests_are_pulled_as_there_is_room(tmp_path: Path) -> None:
    pulled = 0

    def counted() -> Iterator[Request]:
        nonlocal pulled
        for request in plan(100):
            pulled += 1
            yield request

    batches = FakeBatches(looks=None)
    with FakeServer(routes=batches.routes) as server:
        time = Time(at={3: KeyboardInterrupt()})
        with pytest.raises(KeyboardInterrupt):
            answers(model(server.url, tmp_path, time, limits=Limits(rows=10)), counted())
        assert len(batches.made) == 4  # no more at a time
        assert pulled == 51  # theirs, a fifth batch that waits, and the one that did not fit in it
        batches.looks = 0
        assert len(answers(model(server.url, tmp_path, limits=Limits(rows=10)), plan(100))) == 100
        assert len(batches.made) == 10
        assert set(batches.done.values()) == {1}
        few = model(server.url, tmp_path, limits=Limits(size=2000))
        assert len(answers(few, plan(150, start=100))) == 50
    sizes = [len(batches.files[batch["input_file_id"]]) for batch in batches.made[10:]]
    assert max(sizes) <= 2000
    assert len(sizes) < 20
    assert left(tmp_path) == []


def test_looks_become_rarer(tmp_path: Path) -> None:
    time = Time()
    with FakeServer(routes=FakeBatches(looks=9).routes) as server:
        answers(model(server.url, tmp_path, time), plan(3))
    assert time.slept == pytest.approx([5, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60, 60])


# ---- rows that fail -----------------------------------------------------------------------------------------------------


def only(text: str, kind: Any, **how: Any) -> Fault:
    return Fault(kind, contains=text, **how)


def test_each_row_gets_what_its_error_means(tmp_path: Path) -> None:
    faults = [
        only("声/0001", "status", status=400),
        only("声/0002", "content_filter"),
        only("声/0003", "status", status=500),
        only("声/0004", "status", status=429, times=2),
        only("声/0005", "empty"),
        only("声/0006", "status", status=500, times=None),
        only("声/0007", "empty", times=None),
        only("声/0008", "refusal"),
        only("声/0009", "wrong_language"),
        only("声/0010", "status", status=404),
    ]
    batches = FakeBatches(faults=faults)
    with FakeServer(routes=batches.routes) as server:
        found = answers(model(server.url, tmp_path, min_japanese=0.5), plan(20))
    reply = {int(name[-4:]): reply for name, reply in found.items()}
    assert {i: r.failed for i, r in reply.items() if r.failed} == {1: "HTTP 400", 6: "HTTP 500", 10: "HTTP 404"}
    assert (reply[2].finish, reply[2].text) == ("content_filter", "")
    assert (reply[8].finish, bool(reply[8].text)) == ("content_filter", True)
    assert reply[7].text == ""  # empty in all its tries: that is the model's answer
    tries = {i: r.tries for i, r in reply.items() if r.tries > 1}
    assert tries == {3: 2, 4: 3, 5: 2, 6: 4, 7: 4, 9: 2}
    assert len(batches.made) == 4
    assert reply[7].prompt_tokens == 4 * reply[0].prompt_tokens  # every answer was billed
    assert reply[5].prompt_tokens == 2 * reply[0].prompt_tokens
    assert reply[3].prompt_tokens == reply[0].prompt_tokens  # an error was not
    assert left(tmp_path) == []


def test_what_all_rows_are_refused_for_is_an_error_and_mended_by_the_same_command(tmp_path: Path) -> None:
    faults = [Fault("status", status=404, message="The model 'fake' does not exist", limit=5)]
    batches = FakeBatches(faults=faults)
    with FakeServer(routes=batches.routes) as server:
        with pytest.raises(ModelError, match="does not exist"):
            answers(model(server.url, tmp_path), plan(5))
        assert left(tmp_path) == []
        assert len(answers(model(server.url, tmp_path), plan(5))) == 5


def test_hostile_results(tmp_path: Path) -> None:
    def garble(lines: list[bytes]) -> list[bytes]:
        if len(lines) < 5:
            return lines
        first, _, third, *rest = lines
        unknown = first.replace(b'"custom_id":"r0"', b'"custom_id":"r999"')
        shapes = [b"[]", b"null", b'{"custom_id":7}', b"{", b"\xff\xfe", b"", b'"x"', b"[" * 5000]
        poor = b'{"custom_id":"r2","response":{"status_code":"200","body":[]},"error":{"code":"<b>"}}'
        return [*shapes, first, first, unknown, third[: len(third) // 2], poor, *rest]  # the second line is missing

    batches = FakeBatches(garble=garble)
    with FakeServer(routes=batches.routes) as server:
        llm = model(server.url, tmp_path)
        found = answers(llm, plan(8))
    assert all(reply.failed is None for reply in found.values())
    assert {name[-1]: reply.tries for name, reply in found.items() if reply.tries > 1} == {"1": 2, "2": 2}
    assert llm.odd == {"malformed": 8, "repeated": 1, "unknown": 1}


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(st.text(), x))
)
def test_no_value_breaks_the_reading_of_a_line(value: Any) -> None:
    for line in (value, {"custom_id": "r1", "response": value, "error": value}):
        read_line(json.dumps(line).encode())
    for status in (200, 400, 503):
        response = {"status_code": status, "body": value}
        name, outcome = read_line(json.dumps({"custom_id": "r1", "response": response}).encode()) or ("", None)
        assert name == "r1"
        assert isinstance(outcome, Trouble)


def test_lines_by_hand() -> None:
    line = write_line(3, '{"a":"改\\n行"}'.encode())
    assert line.decode() == ('{"custom_id":"r3","method":"POST","url":"/v1/chat/completions","body":{"a":"改\\n行"}}\n')
    assert body_of(line).decode() == '{"a":"改\\n行"}'
    expired = b'{"custom_id":"r3","response":null,"error":{"code":"batch_expired","message":"..."}}'
    assert read_line(expired) == ("r3", Trouble("again", "batch expired"))
    assert read_line(b"oops") is None
    half = rb'{"custom_id":"r1","response":{"status_code":200,"body":{"choices":[{"message":{"content":"\ud83d"}}]}}}'
    unreported = responses.Answer((responses.Choice("?"),), prompt_tokens=None, completion_tokens=1)
    assert read_line(half) == ("r1", unreported)  # no usage: reckoned by characters


# ---- batches that do not complete ---------------------------------------------------------------------------------------


def test_an_expired_batch_is_used_and_its_rest_sent_again(tmp_path: Path) -> None:
    batches = FakeBatches(endings=["expired", "expired"])
    with FakeServer(routes=batches.routes) as server:
        found = answers(model(server.url, tmp_path), plan(20))
        assert len(batches.made) == 3
        assert [r.tries for _, r in sorted(found.items())] == [1] * 10 + [2] * 5 + [3] * 5
        assert set(batches.done.values()) == {1}
        assert sum(batches.done.values()) == 20
        never = FakeBatches(endings=["expired"] * 9)
    with FakeServer(routes=never.routes) as server:
        found = answers(model(server.url, tmp_path), plan(1))
    assert found["声/0000"].failed == "batch expired"
    assert len(never.made) == 4
    assert left(tmp_path) == []


def test_a_batch_that_fails_says_why(tmp_path: Path) -> None:
    batches = FakeBatches(endings=["failed"], message="Line 1: unknown parameter 'foo'")
    with FakeServer(routes=batches.routes) as server:
        with pytest.raises(ModelError, match="refused a batch: Line 1: unknown parameter 'foo'"):
            answers(model(server.url, tmp_path), plan(4))
        assert left(tmp_path) == []
        assert len(answers(model(server.url, tmp_path), plan(4))) == 4


def test_a_cancelled_batch_gives_what_it_has_and_says_so(tmp_path: Path) -> None:
    batches = FakeBatches(endings=["cancelled"])
    with FakeServer(routes=batches.routes) as server:
        came = model(server.url, tmp_path).complete(plan(6))
        assert [reply.request[-1] for reply in next(came)] == ["0", "1", "2"]
        with pytest.raises(ModelError, match="cancelled with 3 requests unanswered"):
            next(came)
        assert left(tmp_path) == []
        assert len(answers(model(server.url, tmp_path), plan(6, start=3))) == 3
    assert set(batches.done.values()) == {1}


def test_where_too_much_is_queued_a_batch_waits_for_the_others(tmp_path: Path) -> None:
    batches = FakeBatches(endings=["failed"], code="token_limit_exceeded")
    with FakeServer(routes=batches.routes) as server:
        assert len(answers(model(server.url, tmp_path, limits=Limits(rows=8)), plan(16))) == 16
        calls = [(served.call.method, served.call.path.removeprefix("/v1")) for served in server.journal]
    first, second, third = (batch["input_file_id"] for batch in batches.made)
    assert first == third != second
    made = [i for i, call in enumerate(calls) if call == ("POST", "/batches")]
    assert made[2] > calls.index(("GET", "/files/file-3/content"))  # the results of the second


def test_where_too_much_is_queued_for_one_batch_it_is_halved(tmp_path: Path) -> None:
    batches = FakeBatches(most_rows=10)
    with FakeServer(routes=batches.routes) as server:
        found = answers(model(server.url, tmp_path, limits=Limits(rows=32)), plan(80))
        assert len(found) == 80
        assert set(batches.done.values()) == {1}
        assert max(reply.tries for reply in found.values()) == 1
        assert left(tmp_path) == []
        batches = FakeBatches(most_rows=0)
    with FakeServer(routes=batches.routes) as server, pytest.raises(ModelError, match="Enqueued token limit"):
        answers(model(server.url, tmp_path), plan(4))


# ---- calls that fail ----------------------------------------------------------------------------------------------------

UNLUCKY = {
    "500": Fault("status", path="", limit=1, contains=""),
    "429": Fault("status", path="", status=429, retry_after=3, limit=1),
    "page": Fault("html", path="", status=503, limit=1),
    "reset": Fault("reset", path="", limit=1),
    "truncated": Fault("truncated", path="", limit=1),
    "malformed": Fault("malformed", path="", limit=1),
    "another shape": Fault("wrong_shape", path="", limit=1),
}
CALLS = {"upload": 1, "create": 2, "look": 3, "download": 4}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", UNLUCKY)
def test_an_unlucky_call_is_repeated_and_no_batch_is_made_twice(name: str, call: str, tmp_path: Path) -> None:
    batches = FakeBatches()
    with FakeServer([replace(UNLUCKY[name], at=(CALLS[call],))], routes=batches.routes) as server:
        found = answers(model(server.url, tmp_path), plan(5))
        hit = [served for served in server.journal if served.fault]
    assert len(hit) == 1
    assert all(reply.failed is None for reply in found.values())
    assert set(batches.done.values()) == {1}
    assert len(batches.made) == 1


def test_a_wait_that_the_server_asks_for_is_kept(tmp_path: Path) -> None:
    time = Time()
    with FakeServer([replace(UNLUCKY["429"], at=(2,))], routes=FakeBatches().routes) as server:
        answers(model(server.url, tmp_path, time), plan(2))
        assert time.slept == [3]
        server.faults = [Fault("status", path="/files", status=503, retry_after=7200)]
        with pytest.raises(ModelError, match="asks us to wait 7,200 s"):
            answers(model(server.url, tmp_path), plan(2))


def test_a_server_that_is_away_while_we_wait_is_waited_for(tmp_path: Path) -> None:
    away = [Fault("status", path="/batches/batch_1", status=503, times=None, limit=40)]
    batches = FakeBatches()
    with FakeServer(away, routes=batches.routes) as server:
        assert len(answers(model(server.url, tmp_path), plan(3))) == 3
        assert len(batches.made) == 1
        server.faults = [Fault("status", path="/batches/batch_2", status=503, times=None)]
        with pytest.raises(ModelError, match="no luck in 4 tries: HTTP 503"):
            answers(model(server.url, tmp_path, Time(5000)), plan(3))
        server.faults = []
        assert len(answers(model(server.url, tmp_path), plan(3))) == 3
    assert len(batches.made) == 2


def test_a_batch_is_found_on_a_later_page(tmp_path: Path) -> None:
    """Its making was never heard of, and other users of the account made 250 since."""
    batches = FakeBatches()
    routes = batches.routes

    def create(call: Any) -> Answer:
        answer = batches.routes["POST */batches"](call)
        batches.made += [{"id": f"batch_x{i}", "status": "completed", "metadata": None} for i in range(250)]
        return answer

    routes["POST */batches"] = create
    with FakeServer([Fault("reset", path="/batches", limit=1)], routes=routes) as server:
        assert len(answers(model(server.url, tmp_path), plan(3))) == 3
        pages = [served for served in server.journal if served.call.path.endswith("/batches")]
    assert len(pages) == 4  # the creation, and three pages
    assert sum(batch.get("input_file_id") == "file-1" for batch in batches.made) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_the_key_appears_nowhere(status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    echo = f"Incorrect API key provided: {KEY}"
    fault = Fault("status", path="/batches", status=status, message=echo, limit=1)
    batches = FakeBatches(garble=lambda lines: [line.replace("届".encode(), KEY.encode()) for line in lines])
    with FakeServer([fault], routes=batches.routes) as server:
        llm = model(server.url, tmp_path)
        with pytest.raises(ModelError, match="Incorrect API key provided") as caught:
            answers(llm, plan(40))
        seen = str(caught.value) + repr(llm) + repr(caught.value.__context__) + repr(caught.value.__cause__)
        for path in tmp_path.iterdir():
            seen += path.name + path.read_text("utf-8")
        found = answers(llm, plan(40))
        assert server.journal[0].call.header("authorization") == f"Bearer {KEY}"
    assert any("[key]" in reply.text for reply in found.values())
    assert KEY not in seen + repr(found)
    assert "sk-planted" not in seen + repr(found)


def test_an_escaped_key_is_in_no_reply_and_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "P/kq7"
    monkeypatch.setenv("OPENAI_API_KEY", key)

    def garble(lines: list[bytes]) -> list[bytes]:
        return [line.replace("届".encode(), b"\\u0050\\/kq7") for line in lines]

    with FakeServer(routes=FakeBatches(garble=garble).routes) as server:
        found = answers(model(server.url, tmp_path), plan(40))
    assert any("[key]" in reply.text for reply in found.values())
    assert key not in repr(found)


def test_tokens_that_are_not_reported_are_estimated(tmp_path: Path) -> None:
    def garble(lines: list[bytes]) -> list[bytes]:
        return [line.replace(b'"usage"', b'"used"') for line in lines]

    with FakeServer(routes=FakeBatches(garble=garble).routes) as server:
        found = answers(model(server.url, tmp_path), plan(5))
    asked = {request.id: sum(len(message.content) for message in request.messages) for request in plan(5)}
    assert {name: reply.prompt_tokens for name, reply in found.items()} == asked
    assert all(reply.completion_tokens == len(reply.text) for reply in found.values())


def test_refusals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FakeServer() as server:
        with pytest.raises(ModelError, match="has no batch API") as caught:
            answers(model(server.url, tmp_path), plan(2))
        assert "openai:MODEL" in caught.value.remedy
        with pytest.raises(ConfigError, match="cannot be set here"):
            model(server.url, tmp_path, extra_body={"stream": True})
        (tmp_path / "file").touch()
        with pytest.raises(RunError, match="cannot be recorded"):
            answers(model(server.url, tmp_path / "file"), plan(2))
    url = server.url
    with pytest.raises(ModelError, match="no server answers"):
        answers(model(url, tmp_path / "b"), plan(2))
    redirect = [Fault("redirect", path="/files")]
    with FakeServer(redirect, routes=FakeBatches().routes) as server, pytest.raises(ModelError, match="redirects to"):
        answers(model(server.url, tmp_path / "c"), plan(2))
    with pytest.raises(ConfigError, match="needs a key"):
        OpenAIBatchLLM(LLMSection(name="openai-batch:m"))

    def full(_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(batchrecord.os, "fsync", full)
    with (
        FakeServer(routes=FakeBatches().routes) as server,
        pytest.raises(RunError, match="cannot be recorded: No space left"),
    ):
        answers(model(server.url, tmp_path / "d"), plan(2))


# ---- interrupted and gone on with ---------------------------------------------------------------------------------------


class Killed(BaseException):
    """In place of SIGKILL, at a moment of our choice."""


def telling(step: Callable[..., Any], name: str, stop: Callable[[str], None]) -> Callable[..., Any]:
    def told(*args: Any, **more: Any) -> Any:
        result = step(*args, **more)
        stop(name)
        return result

    return told


def moments(monkeypatch: pytest.MonkeyPatch, stop: Callable[[str], None]) -> None:
    """Tell `stop` of every step that leaves a trace at the server or on disk, once it is done."""
    steps = [(batchrecord.Batch, "save"), (batchrecord.Batch, "forget"), (batchrecord.Batch, "remove")]
    steps += [(batchcalls.BatchCalls, name) for name in ("upload", "create", "look", "download")]
    for owner, name in steps:
        monkeypatch.setattr(owner, name, telling(getattr(owner, name), name, stop))


def test_a_run_stopped_after_any_step_goes_on_with_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    stop_at: int | None = None

    def stop(name: str) -> None:
        steps.append(name)
        if len(steps) == stop_at:
            raise Killed

    moments(monkeypatch, stop)

    def whole(folder: Path) -> FakeBatches:
        """Fill a store until it is full, killed once on the way."""
        batches = FakeBatches(endings=["completed", "expired"], faults=[only("声/0003", "status", status=500)])
        with FakeServer(routes=batches.routes) as server:
            for _ in range(2):
                llm = model(server.url, folder / "batches", limits=Limits(rows=5))
                try:
                    with ReplyStore(folder / "replies.sqlite") as store:
                        replies = {request.id: reply for request, reply, _ in store.complete(llm, list(plan(12)))}
                    break
                except Killed:
                    pass
        assert len(replies) == 12
        assert not any(reply.failed for reply in replies.values())
        assert set(batches.done.values()) == {1}, "a row was paid for twice"
        assert sum(reply.tries for reply in replies.values()) == 16, (
            "row 3 and the last half of the second batch, twice"
        )
        assert left(folder / "batches") == []
        return batches

    usual = len(whole(tmp_path / "0").made) if not (tmp_path / "0").mkdir() else 0
    assert usual == 4  # two full ones, the remaining two rows, and what the second and row 3 left open
    total = len(steps)
    for number in range(1, total + 1):
        steps, stop_at = [], number
        (tmp_path / str(number)).mkdir()
        made = whole(tmp_path / str(number)).made
        files = [batch["input_file_id"] for batch in made]
        assert len(files) == len(set(files)), f"two batches of one file after a stop at step {number}"


SERVER = """
import sys
from japagen.llm.fakeserver.batch import FakeBatches
from japagen.llm.fakeserver import FakeServer
with FakeServer(routes=FakeBatches().routes) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""

CLIENT = """
import os, signal, sys
from pathlib import Path
from japagen.sections import LLMSection
from japagen.llm.batch import calls as batchcalls
from japagen.llm.batch import record as batchrecord
from japagen.llm import load_llm
from japagen.llm.openai import responses
from japagen.llm import store
from japagen.records import Message, Request

folder, url, kill = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
owners = {"save": batchrecord.Batch, "put": store.ReplyStore}
if kill:
    name, count = kill.split(":")
    owner, left = owners.get(name, batchcalls.BatchCalls), [int(count)]
    done = getattr(owner, name)
    def killing(*args, **more):
        result = done(*args, **more)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, killing)
section = LLMSection(name="openai-batch:fake", base_url=url)
llm = load_llm(section, folder=folder / "batches")
requests = [Request(f"r/{i}", (Message("user", f"{i}番"),), seed=i) for i in range(50)]
with store.ReplyStore(folder / "replies.sqlite") as replies:
    print(len([1 for _ in replies.complete(llm, requests)]))
"""


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL")
def test_kill_9_at_one_stage_after_the_other(tmp_path: Path) -> None:
    """One batch, and eight processes that are killed, each a step further on; the second upload is free of charge."""
    stages = ("save:1", "upload:1", "save:1", "create:1", "save:1", "look:1", "download:1", "put:1")
    program = tmp_path / "client.py"
    program.write_text(CLIENT, encoding="utf-8")
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=pipe, stdout=pipe, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()

        def run(kill: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, str(program), str(tmp_path), url, kill]
            return subprocess.run(command, capture_output=True, text=True)

        for stage in stages:
            killed = run(stage)
            assert killed.returncode == -signal.SIGKILL, killed.stderr
        last = run("")
        journal = f"{url.removesuffix('/v1')}/_journal"
        with urllib.request.urlopen(f"{url}/batches") as made, urllib.request.urlopen(journal) as told:
            batches, served = orjson.loads(made.read())["data"], orjson.loads(told.read())
        server.communicate()
    assert (last.returncode, last.stdout) == (0, "50\n"), last.stderr
    assert len(batches) == 1
    assert sum(row["path"].endswith("/files") for row in served) == 2
    assert sum(row["path"].endswith("/content") for row in served) == 2  # before and after the kill while downloading


def test_a_batch_counts_as_done_only_when_the_caller_has_come_back(tmp_path: Path) -> None:
    batches = FakeBatches()
    with FakeServer(routes=batches.routes) as server:
        came = model(server.url, tmp_path).complete(plan(5))
        assert len(next(came)) == 5
        assert left(tmp_path) == ["batch-0001.json", "batch-0001.jsonl"]
        came.close()  # type: ignore[attr-defined]
        assert len(answers(model(server.url, tmp_path), plan(5))) == 5
        assert len(batches.made) == 1
        assert left(tmp_path) == []


def test_what_nobody_asks_for_stays_recorded(tmp_path: Path) -> None:
    batches = FakeBatches(looks=None)
    with FakeServer(routes=batches.routes) as server:
        with pytest.raises(KeyboardInterrupt):
            answers(model(server.url, tmp_path, Time(at={1: KeyboardInterrupt()})), plan(10))
        batches.looks = 0
        other = model(server.url, tmp_path, name="openai-batch:other")
        assert len(answers(other, plan(10))) == 10
        assert len(batches.made) == 2
        assert len(answers(model(server.url, tmp_path), plan(4))) == 4  # some of the batch
        assert len(answers(model(server.url, tmp_path), plan(12, start=4))) == 8  # the others, and two more
        assert len(batches.made) == 3
        assert left(tmp_path) == []
    assert sorted(batches.done.values()) == [1] * 22


def test_records_that_are_of_no_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(at: str) -> None:
        """A run that ends after a step, in an empty folder."""
        for path in tmp_path.iterdir():
            path.unlink()

        def stop(name: str) -> None:
            if name == at:
                raise Killed

        with monkeypatch.context() as patch:
            moments(patch, stop)
            with pytest.raises(Killed):
                answers(model(server.url, tmp_path), plan(3))

    batches = FakeBatches()
    with FakeServer(routes=batches.routes) as server:
        name = model(server.url, None).name
        stopped("save")  # the requests were lost before they were uploaded
        (tmp_path / "batch-0001.jsonl").write_bytes(b"")
        assert load_batches(tmp_path, name) == []
        assert left(tmp_path) == []
        stopped("create")  # so old that no server keeps its results
        record = json.loads((tmp_path / "batch-0001.json").read_text())
        (tmp_path / "batch-0001.json").write_text(json.dumps(record | {"created": record["created"] - 30 * 86400}))
        assert load_batches(tmp_path, name) == []
        assert left(tmp_path) == []
        stopped("create")  # requests without a record, and a half-written one
        (tmp_path / "batch-0007.jsonl").touch()
        (tmp_path / "batch-0001.partial").touch()
        assert [len(batch.rows) for batch in load_batches(tmp_path, name)] == [3]
        assert left(tmp_path) == ["batch-0001.json", "batch-0001.jsonl"]
        for damage in (b"", b"[]", b'{"format":1}', json.dumps(record | {"format": 9}).encode()):
            (tmp_path / "batch-0001.json").write_bytes(damage)
            with pytest.raises(RunError, match="record of a batch cannot be read"):
                answers(model(server.url, tmp_path), plan(3))


def test_a_batch_that_the_server_does_not_know(tmp_path: Path) -> None:
    batches = FakeBatches(looks=None)
    with FakeServer(routes=batches.routes) as server:
        with pytest.raises(KeyboardInterrupt):
            answers(model(server.url, tmp_path, Time(at={1: KeyboardInterrupt()})), plan(3))
        batches.made.clear()
        with pytest.raises(JapagenError, match="does not know batch") as caught:
            answers(model(server.url, tmp_path), plan(3))
        assert "delete its record" in caught.value.remedy
    assert left(tmp_path) != []
