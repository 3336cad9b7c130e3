"""What all ways of `llm_calls.py` share: the prompts, the arguments and the stop-watch. It runs in the peers' environments
too, so it needs the standard library only.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

SYSTEM = "あなたは通信販売の客です。買った品の感想を、客の口調で一文だけ書いてください。前置きも説明も要りません。"


def prompt(i: int) -> str:
    return f"満足している客になって、品番{i:06}の品の感想を書いてください。"


def messages(i: int) -> list[dict[str, str]]:
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt(i)}]


def measure(way: Callable[[str, int, int], int], *packages: str) -> None:
    """Run a way with the arguments ``URL CALLS CONCURRENCY`` and print what it cost.

    The way returns how many usable texts came. Imports are not measured; processes that it starts and ends are. The
    versions of the packages are printed too.
    """
    url, calls, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    cpu, wall = _cpu(), time.perf_counter()
    usable = way(url, calls, concurrency)
    wall, cpu = time.perf_counter() - wall, _cpu() - cpu
    largest = max(_peak(), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
    found = {"requests_per_second": calls / wall, "wall_seconds": wall, "cpu_seconds": cpu}
    found |= {"max_rss_mb": largest / 1024, "usable": usable}
    print(json.dumps({**found, "versions": {name: version(name) for name in packages}}), flush=True)


def _peak() -> int:
    """Most KiB in memory since this program began; `ru_maxrss` would count the process that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)
