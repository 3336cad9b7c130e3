"""How fast chat completions come: japagen's client, alone and with everything on, against a bare loop and against peers.

    python benchmarks/llm_calls.py [--calls 5000] [--rounds 3] [--venvs FOLDER]

The server is `japagen.llm.fakeserver` in its own process: 50 ms to each answer, never the bottleneck (20,000 a second and
more). Each way runs in its own process, all in turn, several rounds; imports are not measured. The bound is calls in
flight over latency. Peers need environments of their own, FOLDER/NAME, made with ``python -m venv FOLDER/NAME``:

    official: pip install 'openai[aiohttp]'        litellm: pip install litellm
    curator: pip install bespokelabs-curator       distilabel: pip install 'distilabel[openai]' requests beautifulsoup4

A peer whose environment is absent is left out. The result is written to results/llm_calls.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from japagen.llm.fakeserver.process import FakeProcess
from machine import processor

HERE = Path(__file__).parent
RESULT = HERE / "results" / "llm_calls.json"
LATENCY = 0.05
IN_FLIGHT = 256
WAYS: dict[str, tuple[str, list[str]]] = {  # name: environment ("" is this one), script and its last argument
    "bare aiohttp loop": ("", ["bare_aiohttp.py"]),
    "japagen, everything on": ("", ["japagen_calls.py", "store"]),
    "japagen, client alone": ("", ["japagen_calls.py", "client"]),
    "japagen, the whole stage": ("", ["japagen_calls.py", "generate"]),
    "official client": ("official", ["official_client.py", "default"]),
    "official client on aiohttp": ("official", ["official_client.py", "aiohttp"]),
    "litellm": ("litellm", ["litellm_calls.py"]),
    "Bespoke Curator": ("curator", ["curator_calls.py"]),
    "distilabel": ("distilabel", ["distilabel_calls.py"]),
}


def measure(name: str, calls: int, venvs: Path) -> dict[str, Any]:
    """One round of one way, with a server of its own."""
    venv, (script, *rest) = WAYS[name]
    python = str(venvs / venv / "bin" / "python") if venv else sys.executable
    with FakeProcess(latency=LATENCY, keep=False) as server:
        command = [python, str(HERE / "peers" / script), server.url, str(calls), str(IN_FLIGHT), *rest]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name}: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--venvs", type=Path, default=Path("peers"))
    options = parser.parse_args()
    names = [name for name, (venv, _) in WAYS.items() if not venv or (options.venvs / venv).exists()]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            found = measure(name, options.calls, options.venvs)
            rows[name].append(found)
            rate, cpu = found["requests_per_second"], found["cpu_seconds"]
            print(f"{name:28} {rate:7.0f}/s {cpu:6.2f} CPU s {found['usable']} usable", flush=True)
    for name in names:  # pair by pair, because the machine's speed changes from minute to minute
        for row, bare in zip(rows[name], list(rows["bare aiohttp loop"]), strict=True):
            row["share_of_bare_loop"] = row["requests_per_second"] / bare["requests_per_second"]
    versions = {"python": platform.python_version()}
    ways = {}
    for name, found in rows.items():
        versions |= found[0].pop("versions")
        numbers = {key: statistics.median(row[key] for row in found) for key in found[0]}
        ways[name] = {key: round(value, 2 if value < 100 else 0) for key, value in numbers.items()}
    result = {
        "what": "chat completions per second of one process, medians of rounds taken in turn; a fake server on loopback",
        "machine": {"processor": processor(), "cores": os.cpu_count()},
        "versions": dict(sorted(versions.items())),
        "calls": options.calls,
        "in_flight": IN_FLIGHT,
        "latency_seconds": LATENCY,
        "bound_per_second": IN_FLIGHT / LATENCY,
        "rounds": options.rounds,
        "ways": ways,
    }
    RESULT.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(ways, indent=1))


if __name__ == "__main__":
    main()
