"""Coverage of the intervals, and errors of the tests, on simulated test sets and training runs.

    export OPENBLAS_NUM_THREADS=1
    python benchmarks/quality/coverage.py [--trials 1000] [--resamples 500] [--processes 2] [--quick] [--output FILE]

A population of items and of training runs is made up, of which the true score is known; a trial draws a test set and seeds
from it, and asks for the interval that a run would report. `covered` is the share of trials whose interval holds the truth
(.95 is right), `below` and `above` those whose interval lies wholly below or above it, `width` the mean width.

Items have a difficulty, half of whose variance is their group's (up to 10 items about one image, as in JNLI). Label metrics:
three labels of unequal frequency, the prediction right with a probability that depends on the item, the label and the seed.
Numbers: gold and prediction are normal, correlated as much as the seed makes them. `seed_sd` is the standard deviation of
the seeds' expected scores, in points. With one seed the truth is that of the one trained model, but in the cells called
"one seed for all", where it is that of all seeds, and no interval can know how much they differ.

Tests: two systems of equal expected score (`error`: share of p < .05, .05 is right) and of different scores (`power`). The
permutation test takes the trained models as given, so that its error is near .05 only where seeds do not differ.

The result is written to results/quality_coverage.json after every cell; cells that are there already, made with the same
settings, are not done again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from japagen.evaluate.resampling import Resampled, Resampler
from japagen.evaluate.statistics import permutation_test
from japagen.metrics import METRICS

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import processor

Floats = NDArray[np.float64]
RESULT = Path(__file__).parents[1] / "results" / "quality_coverage.json"
LABELS = ("entailment", "contradiction", "neutral")
PRIOR = np.array([0.15, 0.30, 0.55])
EASE = np.array([-0.4, 0.0, 0.2])  # some labels are easier
DIFFICULTY = 2.0  # sd of the items' difficulty, beside which chance of a seed on an item has 1
LEVEL = {"labels": 2.0, "numbers": 0.8}  # of latent skill; of Pearson's correlation
GROUP_SHARE = 0.5
NAMES = {"labels": ("accuracy", "macro_f1", "mcc"), "numbers": ("spearman",)}
POINT = 0.01


@dataclass(frozen=True)
class Cell:
    """What is simulated; see the module. `gap`: true difference of two systems, in points, for a test; None: one score."""

    kind: str
    n: int
    groups: bool
    seeds: int
    seed_sd: float
    gap: float | None = None
    one_for_all: bool = False


def sizes(rng: np.random.Generator, n: int) -> NDArray[np.intp]:
    """Group of each item: groups of 1 to 10, as many items as asked for."""
    drawn = np.minimum(1 + rng.geometric(0.45, size=n) - 1 + (rng.random(n) < 0.1) * 3, 10)
    return np.repeat(np.arange(n), drawn)[:n]


def effects(rng: np.random.Generator, group: NDArray[np.intp], clustered: bool) -> Floats:
    """Standard normal of each item, part of it its group's."""
    own = rng.normal(size=len(group))
    if not clustered:
        return own
    shared = rng.normal(size=len(group))[group]
    return math.sqrt(GROUP_SHARE) * shared + math.sqrt(1 - GROUP_SHARE) * own


def confusion(skill: Floats) -> Floats:
    """Expected confusion matrices of seeds of that skill, shape (..., L, L)."""
    right = norm.cdf((np.asarray(skill)[..., None] + EASE) / math.sqrt(1 + DIFFICULTY**2))
    others = np.where(np.eye(3, dtype=bool), 0.0, PRIOR)
    wrong = PRIOR[:, None] * others / others.sum(1, keepdims=True)
    return right[..., None] * np.diag(PRIOR) + (1 - right)[..., None] * wrong


def true_scores(kind: str, skill: Floats) -> dict[str, Floats]:
    """Expected scores of seeds of that skill."""
    if kind == "numbers":
        return {"spearman": 6 / math.pi * np.arcsin(np.asarray(skill) / 2)}
    return {name: METRICS[name](confusion(skill)) for name in NAMES["labels"]}


@cache
def slope(kind: str) -> float:
    """Points of the first metric by skill."""
    name, step = NAMES[kind][0], 1e-3
    low, high = (float(true_scores(kind, np.array(LEVEL[kind] + d))[name]) for d in (-step, step))
    return (high - low) / (2 * step)


def expected(kind: str, mean: float, sd: float) -> dict[str, float]:
    """Expected scores over all seeds."""
    grid = norm.ppf((np.arange(2000) + 0.5) / 2000)
    return {name: float(v.mean()) for name, v in true_scores(kind, mean + sd * grid).items()}


def system(rng: np.random.Generator, kind: str, item: Floats, gold: Any, skills: Floats) -> list[Any]:
    """Predictions of one system by seed, of items whose difficulty is `item`."""
    runs = []
    for skill in skills:
        own = rng.normal(size=len(item))
        if kind == "numbers":
            error = (DIFFICULTY * item + own) / math.sqrt(1 + DIFFICULTY**2)
            runs.append(skill * gold + math.sqrt(1 - skill**2) * error)
            continue
        right = skill + EASE[gold] + DIFFICULTY * item + own > 0
        draw = rng.random(len(item))
        first, second = np.array([1, 0, 0])[gold], np.array([2, 2, 1])[gold]
        other = np.where(draw < PRIOR[first] / (PRIOR[first] + PRIOR[second]), first, second)
        runs.append(np.where(right, gold, other))
    return [run.tolist() if kind == "numbers" else [LABELS[i] for i in run] for run in runs]


def trial(cell: Cell, resamples: int, seed: int) -> dict[str, tuple[float, ...]]:
    """Of each metric: truth, low and high; or the p-values of bootstrap and permutation."""
    rng = np.random.default_rng([seed, cell.n, cell.seeds, int(cell.seed_sd * 10), cell.groups])
    group = sizes(rng, cell.n) if cell.groups else np.arange(cell.n)
    groups = group.tolist() if cell.groups else None
    sd = cell.seed_sd * POINT / slope(cell.kind)
    item = effects(rng, group, cell.groups)
    if cell.kind == "numbers":
        values = effects(rng, group, cell.groups)
        gold, told, labels = values, values.tolist(), ()
    else:
        gold = rng.choice(3, size=cell.n, p=PRIOR)
        told, labels = [LABELS[i] for i in gold], LABELS
    resampler = Resampler(cell.n, groups=groups, resamples=resamples, seed=seed)

    def measured(shift: float, difficulty: Floats) -> tuple[list[Any], Floats, dict[str, Resampled]]:
        skills = LEVEL[cell.kind] + shift + sd * rng.normal(size=cell.seeds)
        runs = system(rng, cell.kind, difficulty, gold, skills)
        return runs, skills, {m: resampler.measure(told, runs, labels, m) for m in NAMES[cell.kind]}

    if cell.gap is None:
        _, skills, found = measured(0.0, item)
        truth = expected(cell.kind, LEVEL[cell.kind], sd)
        if cell.seeds == 1 and not cell.one_for_all:
            truth = {m: float(v[0]) for m, v in true_scores(cell.kind, skills).items()}
        scores = {m: each.score() for m, each in found.items()}
        return {m: (truth[m], s.low, s.high) for m, s in scores.items()}
    shared, own = math.sqrt(0.75), math.sqrt(0.25)  # most of what is hard is hard for both
    sides = [
        measured(shift, shared * item + own * effects(rng, group, cell.groups))
        for shift in (cell.gap * POINT / slope(cell.kind), 0.0)
    ]
    p = {}
    for m in NAMES[cell.kind]:
        swapped = permutation_test(
            told, sides[0][0], sides[1][0], labels, m, resamples=resamples, seed=seed, groups=groups
        )
        score = sides[0][2][m].minus(sides[1][2][m])
        p[m] = (score.p if score.p is not None else math.nan, swapped)
    return p


def simulate(cell: Cell, trials: int, resamples: int) -> dict[str, Any]:
    """One cell: what came out, by metric."""
    began = time.process_time()
    found = [trial(cell, resamples, seed) for seed in range(trials)]
    told: dict[str, Any] = {}
    for metric in NAMES[cell.kind]:
        rows = np.array([each[metric] for each in found])
        if cell.gap is None:
            truth, low, high = rows.T
            told[metric] = {
                "covered": round(float(((low <= truth) & (truth <= high)).mean()), 4),
                "below": round(float((high < truth).mean()), 4),
                "above": round(float((low > truth).mean()), 4),
                "width": round(float((high - low).mean()), 4),
            }
        else:
            share = [round(float(v), 4) for v in (rows < 0.05).mean(axis=0)]
            what = "power" if cell.gap else "error"
            told[metric] = {f"{what}_bootstrap": share[0], f"{what}_permutation": share[1]}
    seconds = round(time.process_time() - began, 1)
    return {**asdict(cell), "trials": trials, "resamples": resamples, "found": told, "cpu_seconds": seconds}


def cells(quick: bool) -> Iterator[Cell]:
    """All cells, those of one score first."""
    for kind, counts in (("labels", (200, 865, 2434)), ("numbers", (200, 865, 1457))):
        for n in counts[: 1 if quick else None]:
            for groups in (False, True):
                yield Cell(kind, n, groups, 1, 0.0)
                for seed_sd in (0.0, 1.0) if kind == "numbers" or quick else (0.0, 0.5, 1.0, 2.0):
                    yield Cell(kind, n, groups, 5, seed_sd)
                if kind == "numbers" and n == 200 and not quick:
                    yield from (Cell(kind, n, groups, 5, seed_sd) for seed_sd in (0.5, 2.0))
    for n in (200,) if quick else (200, 2434):
        yield Cell("labels", n, True, 2, 1.0)
        yield Cell("labels", n, True, 3, 1.0)
        yield Cell("labels", n, True, 1, 1.0, one_for_all=True)
    for n in (200,) if quick else (200, 865):
        for groups in (False, True):
            for seeds, seed_sd in ((1, 0.0), (5, 0.0), (5, 1.0)):
                yield Cell("labels", n, groups, seeds, seed_sd, 0.0)
                yield Cell("labels", n, groups, seeds, seed_sd, 5.0)
    yield from (Cell("numbers", 200, True, 5, sd, gap) for sd in (0.0, 1.0) for gap in (0.0, 3.0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--resamples", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="the smallest test set only")
    parser.add_argument("--output", type=Path, default=RESULT)
    options = parser.parse_args()
    done: list[dict[str, Any]] = []
    if options.output.exists():
        done = json.loads(options.output.read_text(encoding="utf-8"))["cells"]
    made = {"trials": options.trials, "resamples": options.resamples}
    key = {json.dumps({k: v for k, v in row.items() if k not in ("found", "cpu_seconds")}) for row in done}
    todo = [c for c in cells(options.quick) if json.dumps(asdict(c) | made) not in key]
    with ProcessPoolExecutor(options.processes) as pool:
        for row in pool.map(simulate, todo, *zip(*[(options.trials, options.resamples)] * len(todo), strict=True)):
            done.append(row)
            print(json.dumps(row), flush=True)
            result = {
                "what": "coverage of 95 % intervals and errors of tests at level .05, on simulated systems",
                "machine": {"processor": processor(), "cores": os.cpu_count(), "shared with other work": True},
                "versions": {
                    "japagen": version("japagen"),
                    **{name: version(name) for name in ("numpy", "scipy")},
                    "python": platform.python_version(),
                },
                "cells": done,
            }
            text = json.dumps(result, ensure_ascii=False, indent=1)
            options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
