"""The store at the size of the paper and beyond: memory while a large plan is answered, and how soon a resumed run goes on.

    python benchmarks/store_scale.py [--requests 250000] [--rows 650000]

Memory: the stage `generate` on the demo's plan, whole, with the scripted model, which answers 64 requests at a time; each
size in its own process. The peak of a run that is flat does not depend on the size, but for the set of answered rows.
Resume: a store that holds a reply for each of 650,000 rows (the paper's size) is opened, and asked what is missing.
The result is written to results/store_scale.json.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.generate.plan import Plan
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Example, Message, Reply, Request
from machine import processor

RESULT = Path(__file__).parent / "results" / "store_scale.json"
AT_ONCE = 64


class Many(ScriptedLLM):
    """The scripted model, with as many replies at a time as a server with 64 calls in flight gives."""

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        asked = iter(requests)
        while some := list(islice(asked, AT_ONCE)):
            yield [reply for replies in super().complete(some) for reply in replies]


def experiment(rows: int) -> Experiment:
    return Experiment(name="benchmark", task="reviews", llm={"name": "scripted"}, generate={"per_label": rows // 2})


def memory(rows: int, folder: Path) -> dict[str, float]:
    asked = experiment(rows)
    before, began = peak(), time.perf_counter()
    with ReplyStore(folder / "replies.sqlite") as store:
        kept = sum(isinstance(row, Example) for row in generate(asked, asked.load_task(), Many(), store))
        assert kept == len(store) == rows
    seconds = time.perf_counter() - began
    return {"requests": rows, "peak_mb": peak(), "of_it_imports_mb": before, "seconds": seconds}


def resume(rows: int, folder: Path) -> dict[str, float]:
    asked = experiment(rows)
    plan = Plan(asked, asked.load_task(), style="chat")
    with ReplyStore(folder / "replies.sqlite") as store:
        ids = plan.ids()
        while some := list(islice(ids, 5000)):
            store.put(map(answered, some), plan=plan.digest)
    size = (folder / "replies.sqlite").stat().st_size
    began = time.perf_counter()
    with ReplyStore(folder / "replies.sqlite") as store:
        llm = Many()
        assert not list(store.fill(llm, plan))
        seconds = time.perf_counter() - began
        assert llm.calls == 0
    return {"rows": rows, "file_mb": size / 2**20, "seconds_until_nothing_is_missing": seconds, "peak_mb": peak()}


def answered(row: str) -> tuple[str, Request, Reply]:
    text = f"昨日届いた鞄は手触りがよく、家族も気に入っています。{row}"
    request = Request(row, (Message("system", "客の声を一つ書いてください。"), Message("user", f"品番{row}")))
    reply = Reply(row, text, prompt_tokens=120, completion_tokens=30, seconds=0.5, model="scripted")
    return hashlib.sha256(row.encode()).hexdigest(), request, reply


def peak() -> float:
    """Most MiB in memory since this program began."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def alone(what: str, rows: int) -> dict[str, float]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--only", what, "--requests", str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    print(what, found, flush=True)
    return {key: round(value, 2) for key, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=250_000)
    parser.add_argument("--rows", type=int, default=650_000)
    parser.add_argument("--only", choices=["memory", "resume"], help="measure this once and print it")
    options = parser.parse_args()
    if options.only:
        with tempfile.TemporaryDirectory() as folder:
            measured = {"memory": memory, "resume": resume}[options.only](options.requests, Path(folder))
        print(json.dumps(measured))
        return
    sizes = [options.requests // 10, options.requests // 2, options.requests]
    result = {
        "what": "peak memory of the stage generate with a streaming plan; seconds that a finished plan is looked through",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version()},
        "memory": [alone("memory", size) for size in sizes],
        "resume": alone("resume", options.rows),
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
