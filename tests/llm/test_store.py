"""The store of replies: durable, found again by key, never overwritten when damaged."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from japagen.errors import RunError
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Message, Reply, Request


def requests(n: int) -> list[Request]:
    return [Request(f"a/{i}", (Message("user", f"書いて{i}"),), label="a") for i in range(n)]


def test_replies_come_back_as_they_were(tmp_path: Path) -> None:
    odd = Reply("a/0", "改行\n\u2028🐈\x00引用'\"", (-0.1, -2.5), "length", None, 3, 4, 0.25)
    with ReplyStore(tmp_path / "s") as store:
        store.put([("key", requests(1)[0], odd)])
    with ReplyStore(tmp_path / "s") as store:
        assert store.get("key") == odd
        assert store.get("other") is None


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
            return (reply for i, reply in enumerate(super().complete(requests)) if i != 2)

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
