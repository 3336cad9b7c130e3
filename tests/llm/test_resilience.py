"""Whatever a server does, no row is lost, paid for twice or kept broken: the client and the store, as users get them.

Rows are 5,000 wherever a fault costs no real seconds; the server runs in its own process. 42 requests are hit once each.
"""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from japagen.errors import ModelError
from japagen.llm import load_llm
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.faults import Fault
from japagen.llm.fakeserver.process import FakeProcess
from japagen.llm.fakeserver.replies import sentence
from japagen.llm.store import ReplyStore
from japagen.records import Message, Reply, Request
from japagen.sections import LLMSection

ROWS = 5000
HIT = 42
KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def plan(rows: int) -> Iterator[Request]:
    """Requests whose last message is their own name."""
    for i in range(rows):
        name = f"声/{i:06}"
        yield Request(
            name, (Message("system", "客の声を一つ書いてください。"), Message("user", name)), seed=i, label="a"
        )


def section(url: str, *, n: int = 1, min_japanese: float | None = None, **http: Any) -> LLMSection:
    quick = {"concurrency": 64, "backoff": 0.02, "backoff_max": 0.2, "timeout": 20, "deadline": 120}
    return LLMSection(name="openai:fake", base_url=url, n=n, min_japanese=min_japanese, http={**quick, **http})


@dataclass(frozen=True)
class Run:
    """What came of the rows, by name, and how long it took."""

    replies: dict[str, Reply]
    stored: int
    seconds: float

    @property
    def failed(self) -> dict[str, str]:
        return {name: reply.failed for name, reply in self.replies.items() if reply.failed is not None}


def ask(folder: Path, settings: LLMSection, requests: Iterable[Request]) -> Run:
    began, replies, known = time.monotonic(), {}, 0
    with ReplyStore(folder / "replies.sqlite") as store:
        for request, reply, stored in store.complete(load_llm(settings), requests):
            assert request.id not in replies
            replies[request.id] = reply
            known += stored
    return Run(replies, known, time.monotonic() - began)


def by_row(journal: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The calls of each row, in order of arrival; `journal` with bodies."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for entry in sorted(journal, key=lambda e: e["number"]):
        if entry["path"].endswith("/chat/completions"):
            rows.setdefault(orjson.loads(entry["body"])["messages"][-1]["content"], []).append(entry)
    return rows


def check_all_rows(run: Run, journal: list[dict[str, Any]], rows: int) -> None:
    """Every row has the very text that the server wrote for it, and was completed once."""
    assert not run.failed
    calls = by_row(journal)
    assert len(run.replies) == len(calls) == rows
    for name, reply in run.replies.items():
        complete = [entry for entry in calls[name] if entry["complete"]]
        assert len(complete) == 1, f"{name} was completed {len(complete)} times"
        assert reply.text == sentence(complete[0]["digest"])


def hit_once(*faults: Fault) -> list[Fault]:
    """Each of the faults hits 42 requests, once each, spread over the run."""
    gaps = (89, 97, 101, 103, 107)
    return [replace(fault, every=gap, limit=HIT) for fault, gap in zip(faults, gaps, strict=False)]


TRANSIENT = {
    "errors": [*(Fault("status", status=status) for status in (500, 503, 408, 409)), Fault("html")],
    "bodies": [Fault(kind) for kind in ("malformed", "wrong_shape", "truncated")] + [Fault("html", status=200)],
    "contents": [Fault(kind) for kind in ("empty", "null")],
    "language": [Fault("wrong_language")],
    "connections": [Fault("reset"), Fault("trickle", seconds=0.5), Fault("hang")],
}


@pytest.mark.parametrize("name", TRANSIENT)
def test_no_row_is_lost_to_a_transient_fault(name: str, tmp_path: Path) -> None:
    least = 0.5 if name == "language" else None
    with FakeProcess(hit_once(*TRANSIENT[name])) as server:
        run = ask(tmp_path, section(server.url, min_japanese=least, concurrency=128, timeout=2), plan(ROWS))
        journal = server.journal(bodies=True)
    assert sum(entry["fault"] != "" for entry in journal) == HIT * len(TRANSIENT[name])
    check_all_rows(run, journal, ROWS)


def test_no_row_is_lost_to_a_429(tmp_path: Path) -> None:
    """1,000 rows, 8 of them refused once: the client rightly slows down after each."""
    with FakeProcess([Fault("status", status=429, every=120, limit=8)]) as server:
        run = ask(tmp_path, section(server.url), plan(1000))
        journal = server.journal(bodies=True)
    assert sum(entry["status"] == 429 for entry in journal) == 8
    check_all_rows(run, journal, 1000)


def test_a_huge_body_is_refused_while_it_comes(tmp_path: Path) -> None:
    """A body of 65 MiB would be a good reply, were it read; few rows, because each costs a tenth of a second."""
    with FakeProcess([Fault("huge", every=50, limit=3)]) as server:
        run = ask(tmp_path, section(server.url), plan(200))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, 200)


def test_choices_that_lack_are_asked_for_again(tmp_path: Path) -> None:
    same = (Message("user", "客の声を書いてください。"),)
    with FakeServer([Fault("fewer_choices", every=3, times=None, limit=HIT)]) as server:
        asked = [Request(f"声/{i}", same, seed=i) for i in range(600)]
        run = ask(tmp_path, section(server.url, n=4), asked)
    assert not run.failed
    assert len(run.replies) == 600
    assert all(reply.text for reply in run.replies.values())


def test_everything_at_once(tmp_path: Path) -> None:
    kinds = ("status", "malformed", "reset", "truncated", "wrong_shape", "html")
    faults = [Fault(kind, share=0.1, status=200 if kind == "html" else 0) for kind in kinds]
    faults += [Fault("empty", every=41), Fault("null", every=53)]  # after these a row comes with another seed
    with FakeProcess(faults, latency=0.002) as server:
        run = ask(tmp_path, section(server.url, tries=20), plan(2000))
        journal = server.journal(bodies=True)
    assert {entry["fault"] for entry in journal} == {*kinds, "empty", "null", ""}
    check_all_rows(run, journal, 2000)


def test_permanent_failures_are_reported_by_row_and_asked_for_again(tmp_path: Path) -> None:
    with FakeProcess([Fault("status", share=0.01, times=None)]) as server:
        run = ask(tmp_path, section(server.url, tries=3), plan(ROWS))
        calls = by_row(server.journal(bodies=True))
        never = {name for name, entries in calls.items() if not any(entry["complete"] for entry in entries)}
        assert 20 <= len(never) <= 100
        assert set(run.failed) == never
        assert {len(calls[name]) for name in never} == {3}
        assert len(set(run.failed.values())) == 1
        assert "500" in run.failed[min(never)]
        again = ask(tmp_path, section(server.url, tries=1), plan(ROWS))
        assert again.stored == ROWS - len(never)
        assert set(again.failed) == never


def test_an_outage_of_five_seconds_costs_at_most_eight(tmp_path: Path) -> None:
    (tmp_path / "calm").mkdir()
    with FakeProcess(latency=0.01) as server:
        calm = ask(tmp_path / "calm", section(server.url), plan(2000))
    with FakeProcess([Fault("outage", at=(1000,), seconds=5)], latency=0.01) as server:
        run = ask(tmp_path, section(server.url, backoff=0.5, backoff_max=30), plan(2000))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, 2000)
    assert 5 <= run.seconds <= calm.seconds + 8


def test_an_outage_uses_up_no_tries(tmp_path: Path) -> None:
    """Connections that are accepted and reset; one second. What was in flight when it began may count as one try."""
    with FakeProcess([Fault("outage_reset", at=(300,), seconds=1)], latency=0.005) as server:
        run = ask(tmp_path, section(server.url, tries=2, backoff=0.01, backoff_max=0.05), plan(1000))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, 1000)


def test_a_capped_server_is_used_to_nine_tenths(tmp_path: Path) -> None:
    """300 calls a second, 429 above, without a word when to come again; 2,000 rows are 6.7 seconds."""
    rows, cap, burst = 2000, 300, 30
    with FakeProcess([Fault("rate_cap", per_second=cap, burst=burst)], latency=0.01) as server:
        run = ask(tmp_path, section(server.url, concurrency=256, backoff=0.5, backoff_max=30), plan(rows))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, rows)
    assert rows / served_for(journal) >= 0.9 * cap


def test_a_capped_server_that_tells_when_to_come_again(tmp_path: Path) -> None:
    """The same with Retry-After: one second. A refusal costs all callers that second, so that five seconds, the first
    of which teaches the pace, are used less well; nobody is early all the same."""
    rows, cap, burst = 1500, 300, 30
    fault = Fault("rate_cap", per_second=cap, burst=burst, retry_after=1)
    with FakeProcess([fault], latency=0.01) as server:
        run = ask(tmp_path, section(server.url, concurrency=256, backoff=0.5, backoff_max=30), plan(rows))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, rows)
    check_nobody_is_early(journal, 1.0)
    assert (rows - burst) / (served_for(journal) - 1) >= 0.6 * cap


def served_for(journal: list[dict[str, Any]]) -> float:
    """Seconds from the first call to the last good answer."""
    return max(e["left"] for e in journal if e["complete"]) - min(e["arrived"] for e in journal)


GRACE = 0.3  # seconds in which calls may still come that were sent before the 429 was read


def check_nobody_is_early(journal: list[dict[str, Any]], pause: float) -> None:
    """The row that was refused comes no sooner than told, and after a moment no other row either."""
    arrivals = sorted(entry["arrived"] for entry in journal)
    told = [entry for entry in journal if entry["status"] == 429]
    assert told
    for row in by_row(journal).values():
        for before, after in itertools.pairwise(row):
            if before["status"] == 429:
                assert after["arrived"] >= before["left"] + pause
    for entry in told:
        early = [t for t in arrivals if entry["left"] + GRACE < t < entry["left"] + pause]
        assert not early, f"{len(early)} calls came {entry['left'] + pause - early[-1]:.3f} s early"


@pytest.mark.parametrize(("form", "told"), [("seconds", 1.5), ("ms", 1.5), ("date", 1)])
def test_retry_after_is_honoured_by_all(form: Any, told: float, tmp_path: Path) -> None:
    """800 rows: each case costs the seconds that the server asks for (a date is rounded up to a whole second)."""
    fault = Fault("status", status=429, at=(300,), retry_after=told, retry_form=form)
    with FakeProcess([fault], latency=0.01) as server:
        run = ask(tmp_path, section(server.url), plan(800))
        journal = server.journal(bodies=True)
    check_all_rows(run, journal, 800)
    check_nobody_is_early(journal, told)
    (refused,) = [entry for entry in journal if entry["status"] == 429]
    late = min(e["arrived"] for e in journal if e["arrived"] > refused["left"] + GRACE) - refused["left"] - told
    assert late <= (2.5 if form == "date" else 1.5)


CLIENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from test_resilience import ask, plan, section
ask(Path(sys.argv[2]), section(sys.argv[3]), plan(int(sys.argv[4])))
"""


def test_nothing_that_was_completed_is_sent_again_after_a_kill(tmp_path: Path) -> None:
    """kill -9 at 2,500 served. Completed is what the store holds at the kill."""
    with FakeProcess(latency=0.02) as server:
        client = [sys.executable, "-c", CLIENT, str(Path(__file__).parent), str(tmp_path), server.url, str(ROWS)]
        with subprocess.Popen(client) as process:
            while server.count() < ROWS // 2:
                assert process.poll() is None
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        before = by_row(server.journal(bodies=True))
        with ReplyStore(tmp_path / "replies.sqlite") as store:
            name = load_llm(section(server.url)).name
            kept = {r.id for r in plan(ROWS) if store.get(r.key(name)) is not None}
        assert ROWS // 4 <= len(kept) <= len(before) < ROWS
        run = ask(tmp_path, section(server.url), plan(ROWS))
        after = by_row(server.journal(bodies=True))
    assert not run.failed
    assert len(run.replies) == ROWS
    assert run.stored == len(kept)
    again = {name for name, calls in after.items() if len(calls) > 1}
    assert not again & kept
    assert len(again) <= 2 * 64  # in flight, or answered and not yet on disk


def test_a_redirect_is_refused_and_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with FakeServer() as other, FakeServer([Fault("redirect", times=None, to=f"127.0.0.1:{other.port}")]) as server:
        with pytest.raises(ModelError, match="127.0.0.1") as caught:
            ask(tmp_path, section(server.url), plan(200))
        assert not other.journal
        assert len(server.journal) <= 64
    assert KEY not in str(caught.value)


FATAL = {
    "401": Fault("status", status=401, times=None),
    "403": Fault("status", status=403, times=None),
    "404": Fault("status", status=404, times=None),
    "400": Fault("status", status=400, times=None),
    "empty account": Fault("quota", times=None),
}


@pytest.mark.parametrize("name", FATAL)
def test_what_no_repeat_can_mend_is_told_at_once(name: str, tmp_path: Path) -> None:
    with FakeServer([FATAL[name]]) as server:
        with pytest.raises(ModelError) as caught:
            ask(tmp_path, section(server.url), plan(ROWS))
        assert caught.value.remedy
        assert max(Counter(served.call.digest for served in server.journal).values()) == 1
        assert len(server.journal) <= 64


def test_a_prompt_that_the_filter_stops_is_an_answer(tmp_path: Path) -> None:
    with FakeServer([Fault("content_filter", contains="000007", times=None)]) as server:
        run = ask(tmp_path, section(server.url), plan(50))
        calls = Counter(served.call.digest for served in server.journal)
    assert not run.failed
    assert [name for name, reply in run.replies.items() if reply.finish == "content_filter"] == ["声/000007"]
    assert set(calls.values()) == {1}


LEAKS = {
    "success": (),
    "key echoed": (Fault("status", status=401, at=(10,)),),
    "redirect": (Fault("redirect", at=(10,)),),
    "key echoed for every row": (
        Fault("status", status=500, times=None, message=f"no, {KEY}, not now; sk-plan...cdef"),
    ),
    "hang": (Fault("hang", times=None, share=0.2),),
    "refused": (Fault("outage", at=(10,), seconds=600),),
}


@pytest.mark.parametrize("name", LEAKS)
def test_the_key_is_written_nowhere(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    caplog.set_level(0)
    said = []
    with FakeServer(LEAKS[name]) as server:
        settings = section(server.url, tries=2, timeout=0.3, deadline=1.5, concurrency=16)
        said.append(repr(load_llm(settings)))
        try:
            run = ask(tmp_path, settings, plan(30))
            said.append(repr(run))
        except ModelError as error:
            said += [str(error), repr(error), repr(error.args), "".join(traceback.format_exception(error))]
        assert any(served.call.header("authorization") == f"Bearer {KEY}" for served in server.journal)
    said += [caplog.text, *capfd.readouterr()]
    said += [file.read_bytes().decode("latin-1") for file in tmp_path.rglob("*") if file.is_file()]
    for text in said:
        assert KEY not in text
        assert KEY.removeprefix("sk-") not in text
