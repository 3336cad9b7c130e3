"""How fast the embedded model writes: several requests at a time and shared prefixes, against one at a time.

    python benchmarks/embedded_batching.py [--requests 96] [--rounds 3]

All ways answer the same requests (the demo task's, half of each label) with the same settings, in turn, several rounds;
the result is written to results/embedded_batching.json. "server, one at a time" is llama.cpp's own server, in this
process, as xllamacpp offers it: the peer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from japagen.experiment import Experiment
from japagen.generate.plan import Plan
from japagen.llm.embedded import EmbeddedLLM, render
from japagen.llm.models import bundled_model
from japagen.records import Request
from machine import processor

RESULT = Path(__file__).parent / "results" / "embedded_batching.json"


def requests(n: int) -> list[Request]:
    experiment = Experiment(name="benchmark", task="reviews", llm={"temperature": 0.8})
    task = experiment.load_task()
    plan = Plan(experiment, task, style="document")
    rows = [f"{label}/{i:06d}" for label in task.label_names for i in range(n // 2)]
    return [request for row in rows if (request := plan.request(row))]


def ours(slots: int, reuse: bool, threads: int) -> Callable[[list[Request]], tuple[int, int]]:
    path, name, _ = bundled_model()
    llm = EmbeddedLLM(path, name=name, slots=slots, reuse=reuse, threads=threads)

    def go(asked: list[Request]) -> tuple[int, int]:
        replies = [reply for batch in llm.complete(asked) for reply in batch]
        assert len(replies) == len(asked)
        return sum(r.prompt_tokens for r in replies), sum(r.completion_tokens for r in replies)

    return go


def peer(threads: int) -> Callable[[list[Request]], tuple[int, int]]:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(bundled_model()[0])
    params.n_ctx, params.n_parallel, params.verbosity, params.ui = 1024, 1, -1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    server = xllamacpp.Server(params)

    def go(asked: list[Request]) -> tuple[int, int]:
        prompt = written = 0
        for request in asked:
            s = request.sampling
            body = {"prompt": "".join(render(request.messages)), "max_tokens": s.max_tokens, "stop": list(s.stop)}
            body |= {
                "temperature": s.temperature,
                "top_p": s.top_p,
                "top_k": 0,
                "min_p": 0,
                "seed": request.seed % 2**31,
            }
            usage = server.handle_completions(body)["usage"]
            prompt, written = prompt + usage["prompt_tokens"], written + usage["completion_tokens"]
        return prompt, written

    return go


WAYS: dict[str, Callable[[int], Callable[[list[Request]], tuple[int, int]]]] = {
    "server, one at a time": peer,
    "one at a time": lambda threads: ours(1, False, threads),
    "one at a time, shared prefixes": lambda threads: ours(1, True, threads),
    "16 at a time": lambda threads: ours(16, False, threads),
    "16 at a time, shared prefixes (the default)": lambda threads: ours(16, True, threads),
    "32 at a time, shared prefixes": lambda threads: ours(32, True, threads),
}


def measure(name: str, n: int, threads: int) -> dict[str, float]:
    """One round of one way, in this process."""
    asked = requests(n)
    way = WAYS[name](threads)
    way(asked[:4])
    wall, cpu = time.perf_counter(), time.process_time()
    prompt, written = way(asked)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "samples_per_second": n / wall,
        "written_tokens_per_second": written / wall,
        "cpu_seconds_per_sample": cpu / n,
        "prompt_tokens": prompt / n,
        "written_tokens": written / n,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--way", choices=WAYS, help="measure this way once and print it (each runs in its own process)")
    options = parser.parse_args()
    if options.way:
        print(json.dumps(measure(options.way, options.requests, options.threads)), flush=True)
        os._exit(0)  # the peer's server threads do not end by themselves
    rows: dict[str, list[dict[str, float]]] = {name: [] for name in WAYS}
    for _ in range(options.rounds):
        for name in WAYS:
            command = [sys.executable, __file__, "--way", name, "--requests", str(options.requests)]
            command += ["--threads", str(options.threads)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            rows[name].append(json.loads(done.stdout.splitlines()[-1]))
            print(f"{name:45} {rows[name][-1]['samples_per_second']:6.2f} samples/s", flush=True)
    base, own = rows["server, one at a time"], rows["one at a time"]
    medians = {}
    for name, found in rows.items():
        medians[name] = {key: round(statistics.median(row[key] for row in found), 3) for key in found[0]}
        for ratio, against in (("times_server", base), ("times_one_at_a_time", own)):
            pairs = zip(found, against, strict=True)
            ratios = [one["samples_per_second"] / other["samples_per_second"] for one, other in pairs]
            medians[name][ratio] = round(statistics.median(ratios), 2)
    packages = {"python": platform.python_version(), "xllamacpp": version("xllamacpp"), "japagen": version("japagen")}
    result = {
        "what": "samples per second of the embedded model, medians of rounds taken in turn; ratios pair by pair",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "threads": options.threads},
        "versions": packages,
        "requests": options.requests,
        "rounds": options.rounds,
        "ways": medians,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(medians, indent=1))


if __name__ == "__main__":
    main()
