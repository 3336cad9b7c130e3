"""What several texts per call save, and what they cost in variety: generate.samples_per_call 1 against 4 and 8.

    python benchmarks/samples_per_call.py [--rows 128]

The embedded model writes the demo's reviews in the style of a document, once without KADG and once with it; each arm
runs in its own process and with nothing stored. A base model writes no JSON: where several texts are asked for, it goes
on writing lines until its length limit, and they are read one by one. Those lines stand in for the structured replies of
a model that follows instructions: figures of calls and prompt tokens carry over, those of quality and speed do not.

The result is written to results/samples_per_call.json. Duplicates are what `curate` finds, with its default limits and
nothing filtered before; distinct-2 is of equally many texts in every arm.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

from japagen.analyze.sampling import draw, stream
from japagen.curate.duplicates import near_texts, same_texts
from japagen.estimate import estimate
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.japanese import words
from japagen.llm import load_llm
from japagen.llm.store import ReplyStore
from japagen.records import Dropped, Example, Failed
from japagen.sections import CurateSection
from machine import processor

RESULT = Path(__file__).parent / "results" / "samples_per_call.json"
MAX_TOKENS = 30  # for each text: reviews have about 15, and a base model goes on up to the limit
ARMS = [(kadg, samples) for kadg in (False, True) for samples in (1, 4, 8)]


def distinct_2(texts: list[list[str]]) -> float:
    """Share of different pairs of neighbouring words among all."""
    pairs = [pair for words in texts for pair in pairwise(words)]
    return len(set(pairs)) / len(pairs)


def measure(kadg: bool, samples: int, rows: int) -> dict[str, Any]:
    """One arm, in this process; the texts are returned with the figures."""
    asked = Experiment(
        name="benchmark",
        task="reviews",
        llm={"temperature": 0.8, "max_tokens": MAX_TOKENS},
        generate={"per_label": rows // 2, "kadg": kadg, "samples_per_call": samples},
        evaluate={"prompting": []},
    )
    llm = load_llm(asked.llm)
    with tempfile.TemporaryDirectory() as folder:
        expected = estimate(asked, runs=folder, until="generate").expected
        with ReplyStore(Path(folder) / "replies.sqlite") as store:
            wall, cpu = time.perf_counter(), time.process_time()
            found = list(generate(asked, asked.load_task(), llm, store))
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            usage = store.usage()
    kept = [row for row in found if isinstance(row, Example)]
    same = same_texts(kept)
    rest = [row for i, row in enumerate(kept) if i not in same]
    near = near_texts(rest, CurateSection().near_duplicate or 1.0)
    return {
        "kadg": kadg,
        "samples_per_call": samples,
        "rows_asked": len(found),
        "rows_kept": len(kept),
        "rows_dropped": dict(Counter(row.reason for row in found if isinstance(row, Dropped))),
        "rows_failed": dict(Counter(row.reason for row in found if isinstance(row, Failed))),
        "calls": usage.requests,
        "prompt_tokens": usage.prompt_tokens,
        "prompt_tokens_estimated": expected.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "completion_tokens_estimated": expected.completion_tokens,
        "seconds": round(wall, 1),
        "cpu_seconds": round(cpu, 1),
        "exact_duplicates": len(same),
        "near_duplicates": len(near),
        "mean_characters": round(statistics.mean(len(row.text) for row in kept), 1),
        "texts": [row.text for row in kept],
    }


def compared(arms: list[dict[str, Any]]) -> None:
    """Add to each arm what needs the others: distinct-2 at equal n, and tokens against the arm of one text per call."""
    n = min(len(arm["texts"]) for arm in arms)
    for arm in arms:
        texts = [words(text) for text in arm.pop("texts")]
        arm["distinct_2"] = round(distinct_2(draw(texts, n, stream(0, "distinct-n"))), 3)
        arm["distinct_2_of"] = n
        (one,) = (other for other in arms if other["kadg"] == arm["kadg"] and other["samples_per_call"] == 1)
        for key in ("prompt_tokens", "prompt_tokens_estimated"):
            arm[f"{key}_times_one_per_call"] = round(arm[key] / one[key], 3)
        arm["tokens_per_kept_row"] = round((arm["prompt_tokens"] + arm["completion_tokens"]) / arm["rows_kept"], 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=128, help="of each arm")
    parser.add_argument("--arm", type=int, choices=range(len(ARMS)), help="measure this arm alone and print it")
    options = parser.parse_args()
    if options.arm is not None:
        print(json.dumps(measure(*ARMS[options.arm], options.rows), ensure_ascii=False), flush=True)
        return
    arms = []
    for number, (kadg, samples) in enumerate(ARMS):
        command = [sys.executable, __file__, "--arm", str(number), "--rows", str(options.rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        arms.append(json.loads(done.stdout.splitlines()[-1]))
        seconds = arms[-1]["seconds"]
        print(f"kadg {kadg!s:5}  {samples} per call  {arms[-1]['rows_kept']} rows kept, {seconds} s", flush=True)
    compared(arms)
    result = {
        "what": "several texts per call, embedded base model in document style: its lines stand in for structured replies",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {name: version(name) for name in ("japagen", "xllamacpp")} | {"python": platform.python_version()},
        "max_tokens": MAX_TOKENS,
        "arms": arms,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
