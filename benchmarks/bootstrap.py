"""Seconds for 10,000 resamples of five systems, five seeds each: ours, and scipy's BCa bootstrap on the same data.

    python benchmarks/bootstrap.py [--resamples 10000] [--output FILE]

Labels: 2,434 items, three labels, as JNLI's valid, on their own and in 1,089 groups; accuracy alone, and accuracy, macro-F1
and MCC together. Numbers: 1,457 items, Spearman, as JSTS's valid. `seconds` is all of it: drawing, measuring, the intervals
of five systems and the differences of four to the first, each with p.

scipy.stats.bootstrap knows neither seeds nor groups nor pairs of systems nor several labels, so it has less to do: the
interval of accuracy of five systems of one seed each, from whether each answer is right (vectorised, in batches, with its
own jackknife). Ours is measured on that too, and the two intervals compared. Spearman by scipy is reckoned from a fiftieth
of the resamples, of one system with one seed. The best of three rounds; the machine is shared. The result is written to
results/bootstrap.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats

from japagen.evaluate.resampling import Resampler
from japagen.records import Score
from machine import processor

RESULT = Path(__file__).parent / "results" / "bootstrap.json"
LABELS = ("entailment", "contradiction", "neutral")
SYSTEMS, SEEDS, REPEATS = 5, 5, 3


def label_data(rng: np.random.Generator, n: int) -> tuple[list[str], list[list[list[str]]]]:
    """Gold labels, and answers by system and seed, about .8 of them right."""
    gold = rng.choice(LABELS, size=n, p=(0.15, 0.3, 0.55))
    runs = [
        [np.where(rng.random(n) < 0.75, gold, rng.choice(LABELS, size=n)).tolist() for _ in range(SEEDS)]
        for _ in range(SYSTEMS)
    ]
    return gold.tolist(), runs


def number_data(rng: np.random.Generator, n: int) -> tuple[list[float], list[list[list[float]]]]:
    """Gold numbers 0, .2, ... 5, and answers that scatter about them."""
    gold = rng.integers(0, 26, size=n) / 5
    runs = [[(gold + rng.normal(size=n)).tolist() for _ in range(SEEDS)] for _ in range(SYSTEMS)]
    return gold.tolist(), runs


def ours(
    gold: Any, systems: Any, labels: Any, metrics: tuple[str, ...], resamples: int, groups: list[int] | None = None
) -> list[Score]:
    """Intervals of all systems, and of the differences to the first."""
    resampler = Resampler(len(gold), groups=groups, resamples=resamples, seed=0)
    scores = []
    for metric in metrics:
        measured = [resampler.measure(gold, runs, labels, metric) for runs in systems]
        scores += [each.score() for each in measured] + [each.minus(measured[0]) for each in measured[1:]]
    return scores


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What it gives, seconds on the clock, and CPU seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    found = call()
    return found, time.perf_counter() - clock, time.process_time() - cpu


def best(calls: dict[str, Callable[[], Any]]) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """What each call gives, and its best times of some rounds."""
    found, times = {}, dict.fromkeys(calls, (np.inf, np.inf))
    for _ in range(REPEATS):
        for name, call in calls.items():
            found[name], *taken = timed(call)
            times[name] = min(times[name], (taken[0], taken[1]))
    return found, {
        name: {"seconds": round(clock, 2), "cpu_seconds": round(cpu, 2)} for name, (clock, cpu) in times.items()
    }


def scipy_accuracy(right: list[np.ndarray], resamples: int) -> list[Any]:
    """BCa intervals of shares of right answers."""
    return [
        scipy.stats.bootstrap(
            (each,), np.mean, n_resamples=resamples, method="BCa", batch=1000, rng=np.random.default_rng(0)
        ).confidence_interval
        for each in right
    ]


def scipy_spearman(gold: list[float], run: list[float], resamples: int) -> Any:
    """The BCa interval of one correlation."""
    return scipy.stats.bootstrap(
        (gold, run),
        lambda x, y: scipy.stats.spearmanr(x, y).statistic,
        n_resamples=resamples,
        method="BCa",
        paired=True,
        vectorized=False,
        rng=np.random.default_rng(0),
    ).confidence_interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    count = options.resamples
    rng = np.random.default_rng(0)
    gold, systems = label_data(rng, 2434)
    values, numbers = number_data(rng, 1457)
    groups = rng.integers(0, 1089, size=2434).tolist()
    every = ("accuracy", "macro_f1", "mcc")
    single = [[runs[0]] for runs in systems]
    right = [np.array([a == b for a, b in zip(gold, runs[0], strict=True)], dtype=float) for runs in single]
    found, times = best(
        {
            "accuracy": lambda: ours(gold, systems, LABELS, ("accuracy",), count),
            "accuracy, in groups": lambda: ours(gold, systems, LABELS, ("accuracy",), count, groups),
            "accuracy, macro-F1 and MCC": lambda: ours(gold, systems, LABELS, every, count),
            "Spearman": lambda: ours(values, numbers, (), ("spearman",), count),
            "accuracy, one seed each": lambda: ours(gold, single, LABELS, ("accuracy",), count),
            "accuracy, one seed each, scipy": lambda: scipy_accuracy(right, count),
        }
    )
    mine, theirs = found["accuracy, one seed each"][:SYSTEMS], found["accuracy, one seed each, scipy"]
    apart = [max(abs(a.low - b.low), abs(a.high - b.high)) for a, b in zip(mine, theirs, strict=True)]
    part = max(1, count // 50)
    _, clock, _ = timed(lambda: scipy_spearman(values, numbers[0][0], part))
    # Of scipy's time the jackknife, as many calls as there are items, does not grow with the resamples.
    each = clock / (part + len(values))
    result = {
        "what": "seconds for the intervals of five systems and their differences; ours and scipy.stats.bootstrap",
        "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
        "versions": {
            "japagen": version("japagen"),
            **{name: version(name) for name in ("numpy", "scipy")},
            "python": platform.python_version(),
        },
        "resamples": count,
        "systems": SYSTEMS,
        "seeds": SEEDS,
        "items": {"labels": 2434, "numbers": 1457},
        "times": times,
        "largest difference of a bound to scipy's, one seed": round(max(apart), 4),
        "seconds of scipy for Spearman, five systems of one seed, reckoned": round(
            SYSTEMS * each * (count + len(values)), 1
        ),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    print(json.dumps(result, ensure_ascii=False, indent=1))
    options.output.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
