"""The store of replies: durable, found again by key, never overwritten when damaged."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from japagen.errors import RunError
from japagen.llm.budget import Budget, Usage
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Reply, Request
from japagen.sections import BudgetSection


def requests(n: int) -> list[Request]:
    return [Request(f"a/{i}", (Message("user", f"書いて{i}"),), label="a") for i in range(n)]


def test_replies_come_back_as_they_were(tmp_path: Path) -> None:
    odd = Reply(
        "a/0", "改行\n\u2028🐈\x00引用'\"", (-0.1, -2.5), "length", None, 3, 4, 0.25, 2, "m-1", "fp", {"top_p": 0.5}
    )
    request = requests(1)[0]
    key = request.key("m")
    with ReplyStore(tmp_path / "s") as store:
        store.put([(key, request, odd)])
    with ReplyStore(tmp_path / "s") as store:
        assert store.get(key) == odd
        assert store.messages(key) == request.messages
        assert store.get(request.key("other")) is None
        assert store.messages(request.key("other")) is None
        assert store.usage() == Usage(2, 3, 4)


def test_only_new_requests_reach_the_model(tmp_path: Path) -> None:
    first, second = ScriptedLLM(), ScriptedLLM()
    with ReplyStore(tmp_path / "s") as store:
        before = {r.id: reply.text for r, reply, _ in store.complete(first, requests(100))}
        after = list(store.complete(second, requests(150)))
    assert (first.calls, second.calls) == (100, 50)
    assert sum(stored for _, _, stored in after) == 100
    assert {r.id: reply.text for r, reply, stored in after if stored} == before
    with ReplyStore(tmp_path / "s") as store:  # another model's replies are other replies
        list(store.complete(other := ScriptedLLM(name="other"), requests(10)))
    assert other.calls == 10


def test_what_is_stored_comes_before_the_model_is_asked(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        list(store.complete(ScriptedLLM(), requests(10)))
        model = ScriptedLLM()
        stream = store.complete(model, requests(12))
        assert [next(stream)[2] for _ in range(10)] == [True] * 10
        assert model.calls == 0
        assert [stored for _, _, stored in stream] == [False, False]


def test_a_crash_of_the_backend_keeps_what_was_answered(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        with pytest.raises(RuntimeError, match="scripted crash"):
            list(store.complete(ScriptedLLM(misbehave={"a/37": "crash"}), requests(100)))
        assert len(store) == 37


def test_failed_replies_are_asked_for_again(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        done = list(store.complete(ScriptedLLM(misbehave={"a/1": "fail"}), requests(3)))
        assert [reply.failed for _, reply, _ in done] == [None, "server error", None]
        again = list(store.complete(ScriptedLLM(), requests(3)))
    assert [stored for _, _, stored in again].count(False) == 1
    assert all(reply.failed is None for _, reply, _ in again)


def test_a_backend_that_forgets_a_request_is_found_out(tmp_path: Path) -> None:
    class Forgetful(ScriptedLLM):
        def complete(self, requests):  # type: ignore[no-untyped-def]
            return (replies for i, replies in enumerate(super().complete(requests)) if i != 2)

    with ReplyStore(tmp_path / "s") as store:
        done = {r.id: reply.failed for r, reply, _ in store.complete(Forgetful(), requests(5))}
    assert done == {"a/0": None, "a/1": None, "a/2": "no reply", "a/3": None, "a/4": None}


def test_damaged_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "s"
    file.write_bytes(b"this is no database, but somebody's notes" * 100)
    with pytest.raises(RunError, match="nothing was overwritten"):
        ReplyStore(file)
    assert file.read_bytes().startswith(b"this is no database")

    good = tmp_path / "good"
    with ReplyStore(good) as store:
        list(store.complete(ScriptedLLM(), requests(500)))
    content = bytearray(good.read_bytes())
    content[4096 * 3 : 4096 * 5] = b"\xff" * 8192
    good.write_bytes(content)
    with pytest.raises(RunError, match="cannot be used"):
        ReplyStore(good)
    assert good.read_bytes() == bytes(content)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere, so the refusal cannot be provoked")
def test_unwritable_store(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s"):
        pass
    (tmp_path / "s").chmod(0o400)
    tmp_path.chmod(0o500)
    with pytest.raises(RunError):
        ReplyStore(tmp_path / "s")


def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Request
requests = (Request(f"a/{i}", (Message("user", f"書いて{i}"),), label="a") for i in range(100_000))
with ReplyStore(Path(sys.argv[1])) as store:
    for request, reply, _ in store.complete(ScriptedLLM(), requests):
        sys.stdout.write(request.id + "\\n")
        sys.stdout.flush()
"""
    for wanted in (1, 100, 777):
        file = tmp_path / f"s{wanted}"
        with subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            seen = [process.stdout.readline().strip() for _ in range(wanted)]
            process.kill()
        with ReplyStore(file) as store:
            for row in requests(100_000):
                if row.id in seen[-3:]:
                    assert store.get(row.key("scripted")) is not None
            assert len(store) >= wanted


class Rows:
    """A plan of requests that remembers which it was asked to make."""

    def __init__(self, n: int, digest: str = "plan", text: str = "書いて") -> None:
        self.n, self.digest, self.text = n, digest, text
        self.made: list[str] = []

    def ids(self) -> Iterator[str]:
        return (f"a/{i}" for i in range(self.n))

    def request(self, row: str) -> Request | None:
        self.made.append(row)
        return None if row == "a/13" else Request(row, (Message("user", f"{self.text}{row}"),), label="a")


def fill(store: ReplyStore, llm: ScriptedLLM, plan: Rows) -> tuple[list[str], list[str]]:
    found: list[str] = []
    new = [request.id for batch in store.fill(llm, plan, on_found=lambda r: found.append(r.id)) for request, _ in batch]
    return new, found


def test_a_resumed_plan_makes_only_what_is_missing(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        new, _ = fill(store, ScriptedLLM(misbehave={"a/7": "fail"}), Rows(30))
        assert len(new) == 29  # a/13 cannot be made
    with ReplyStore(tmp_path / "s") as store:
        again = Rows(40)
        assert store.answered(again) == {f"a/{i}" for i in range(30)} - {"a/7", "a/13"}
        new, found = fill(store, llm := ScriptedLLM(), again)
        assert again.made == ["a/7", "a/13", *(f"a/{i}" for i in range(30, 40))]
        assert (llm.calls, new, found) == (11, [r for r in again.made if r != "a/13"], [])
        reply = store.reply(again, "a/35")
        assert reply is not None
        assert reply.text
        assert store.reply(again, "a/13") is None


def test_the_same_requests_of_another_plan_are_not_sent_again(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        fill(store, ScriptedLLM(), Rows(1200))
        other = Rows(1210, digest="other plan")
        new, found = fill(store, llm := ScriptedLLM(), other)
        assert (llm.calls, len(found), len(new)) == (10, 1199, 10)
        assert len(store.answered(other)) == 1209
        different = Rows(5, digest="third", text="別の文を書いて")
        assert fill(store, ScriptedLLM(), different) == ([f"a/{i}" for i in range(5)], [])
        assert store.usage().requests == 1199 + 10 + 5


def test_a_shared_store_serves_other_runs_at_no_cost(tmp_path: Path) -> None:
    shared = tmp_path / "cache" / "replies.sqlite"
    with ReplyStore(tmp_path / "one", shared=shared) as store:
        fill(store, ScriptedLLM(), Rows(20))
        texts = [store.reply(Rows(20), f"a/{i}") for i in range(12)]
    with ReplyStore(tmp_path / "two", shared=shared) as store:
        new, found = fill(store, llm := ScriptedLLM(), Rows(25, digest="other"))
        assert (llm.calls, len(found), len(new)) == (5, 19, 5)
        assert [store.reply(Rows(25, digest="other"), f"a/{i}") for i in range(12)] == texts
        assert store.usage().requests == 5
        done = list(store.complete(llm, requests(3)))  # the rows are others: same ids, other prompts
        assert [stored for _, _, stored in done] == [False] * 3
    with ReplyStore(tmp_path / "three", shared=shared) as store:
        assert [stored for _, _, stored in store.complete(llm, requests(3))] == [True] * 3
    with ReplyStore(tmp_path / "three") as store:  # the run has its own copy
        assert [stored for _, _, stored in store.complete(llm, requests(3))] == [True] * 3
    with ReplyStore(tmp_path / "four") as store:
        assert fill(store, ScriptedLLM(), Rows(5))[1] == []  # not asked for, not used


def test_the_budget_stops_requests_and_counts_failed_ones(tmp_path: Path) -> None:
    budget = Budget(BudgetSection(requests=10), None, spent=Usage())
    with ReplyStore(tmp_path / "s", budget=budget) as store:
        new, _ = fill(store, ScriptedLLM(misbehave={"a/3": "fail"}), Rows(30))
        assert len(new) == 10
        assert store.usage().requests == 10
        assert len(store) == 9


def test_prompts_and_parameters_are_kept_once(tmp_path: Path) -> None:
    same = [Request(f"a/{i}", (Message("user", "書いて"),), seed=i) for i in range(50)]
    with ReplyStore(tmp_path / "s") as store:
        list(store.complete(ScriptedLLM(), same))
    with closing(sqlite3.connect(tmp_path / "s")) as db:
        assert db.execute("SELECT count(*) FROM sent").fetchone()[0] == 2  # one prompt, one set of parameters


def test_a_store_of_another_format_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s")) as db:
        db.execute("CREATE TABLE replies (key TEXT)")
    with pytest.raises(RunError, match="has format 1, this japagen reads 2"):
        ReplyStore(tmp_path / "s")


def test_a_full_disk_is_a_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    program = """
import resource, sys
from pathlib import Path
from japagen.errors import RunError
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Request
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
requests = [Request(f"a/{i}", (Message("user", f"書いて{i}" * 30),), label="a") for i in range(5_000)]
count = 0
with ReplyStore(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
    try:
        for request, reply, _ in store.complete(ScriptedLLM(), requests):
            count += 1
    except RunError as error:
        print(count, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "s")], capture_output=True, text=True, timeout=120, check=False
    )
    count, _, said = done.stdout.partition(" ")
    assert "could not be stored" in said, done.stderr
    assert "make room" in said
    assert int(count) > 10
    with ReplyStore(tmp_path / "s") as store:  # once there is room
        assert len(store) == int(count)
        model = ScriptedLLM()
        rows = [Request(f"a/{i}", (Message("user", f"書いて{i}" * 30),), label="a") for i in range(int(count) + 5)]
        assert len(list(store.complete(model, rows))) == int(count) + 5
        assert model.calls == 5


def test_a_store_made_read_only_under_way(tmp_path: Path) -> None:
    with ReplyStore(tmp_path / "s") as store:
        fill(store, ScriptedLLM(), Rows(5))
        store._db.execute("PRAGMA query_only = ON")  # what the file system would do to one who is not root
        with pytest.raises(RunError, match="all earlier ones are safe"):
            fill(store, ScriptedLLM(), Rows(9))
    with ReplyStore(tmp_path / "s") as store:
        assert len(store) == 5


def test_two_processes_share_a_file_without_loss(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Request
who = sys.argv[2]
requests = (Request(f"{who}/{i}", (Message("user", f"書いて{i}"),)) for i in range(400))
with ReplyStore(Path(sys.argv[1]), shared=Path(sys.argv[3])) as store:
    print(len(list(store.complete(ScriptedLLM(), requests))))
"""
    shared = tmp_path / "shared"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path / who), who, str(shared)], stdout=subprocess.PIPE, text=True
        )
        for who in "ab"
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in running] == ["400", "400"]
    with ReplyStore(shared) as store:
        assert len(store) == 800


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE replies SET logprobs = '[1,'",
        "UPDATE replies SET logprobs = '[\"x\"]'",
        "UPDATE replies SET text = x'ff'",
        "UPDATE sent SET json = '{'",
        "UPDATE sent SET json = '3'",
        "UPDATE spent SET requests = 9e999",
        "UPDATE spent SET requests = -3",
    ],
)
def test_readable_but_damaged_rows_are_one_clear_error(tmp_path: Path, damage: str) -> None:
    with ReplyStore(tmp_path / "s") as store:
        fill(store, ScriptedLLM(), Rows(3))
    with closing(sqlite3.connect(tmp_path / "s")) as db:
        db.execute(damage)
        db.commit()
    with ReplyStore(tmp_path / "s") as store, pytest.raises(RunError, match="cannot be used"):
        _ = store.usage(), store.reply(Rows(3), "a/1")
