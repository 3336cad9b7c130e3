"""japagen itself. Last argument: ``client`` (the client alone), ``store`` (every reply on disk before it counts, budget and
accounting on) or ``generate`` (the whole stage: the demo's plan with shots, prompts, store, budget, parsing).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from calls import measure, messages

import japagen.llm.openai_api  # noqa: F401  as in the other ways, imports are not measured
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.llm import load_llm
from japagen.llm.budget import Budget
from japagen.llm.prices import Price
from japagen.llm.store import ReplyStore
from japagen.records import Accounting, Example, Message, Request, Sampling
from japagen.sections import BudgetSection, LLMSection


class Calls:
    """The prompts of all ways as a plan."""

    digest = "benchmark"

    def __init__(self, calls: int) -> None:
        self._calls = calls

    def ids(self) -> Iterator[str]:
        return (f"満足/{i:06d}" for i in range(self._calls))

    def request(self, row: str) -> Request:
        i = int(row.rpartition("/")[2])
        said = tuple(Message(m["role"], m["content"]) for m in messages(i))
        return Request(row, said, Sampling(1.0, None, 128), seed=i, label="満足")


def section(url: str, concurrency: int) -> LLMSection:
    return LLMSection(name="openai:fake", base_url=url, top_p=None, max_tokens=128, http={"concurrency": concurrency})


def budget() -> Budget:
    return Budget(BudgetSection(usd=1000, tokens=10**9, requests=10**6), Price("fake", 0.15, 0.6))


def client(url: str, calls: int, concurrency: int) -> int:
    plan, usable = Calls(calls), 0
    for replies in load_llm(section(url, concurrency)).complete(plan.request(row) for row in plan.ids()):
        usable += sum(bool(reply.text) for reply in replies)
    return usable


def store(url: str, calls: int, concurrency: int) -> int:
    usable, failed = 0, Counter[str]()
    with tempfile.TemporaryDirectory() as folder, ReplyStore(Path(folder, "replies.sqlite"), budget=budget()) as kept:
        for batch in kept.fill(load_llm(section(url, concurrency)), Calls(calls)):
            for _, reply in batch:
                if reply.failed:
                    failed[reply.failed] += 1
                else:
                    usable += bool(reply.text)
        Accounting(calls, usable, failed=failed)
        assert len(kept) == calls
    return usable


def whole_stage(url: str, calls: int, concurrency: int) -> int:
    experiment = Experiment(
        name="benchmark", task="reviews", llm=section(url, concurrency), generate={"per_label": calls // 2}
    )
    with tempfile.TemporaryDirectory() as folder, ReplyStore(Path(folder, "replies.sqlite"), budget=budget()) as kept:
        rows = generate(experiment, experiment.load_task(), load_llm(experiment.llm), kept)
        return sum(isinstance(row, Example) for row in rows)


if __name__ == "__main__":
    os.environ.pop("OPENAI_API_KEY", None)
    measure({"client": client, "store": store, "generate": whole_stage}[sys.argv[-1]], "japagen", "aiohttp")
