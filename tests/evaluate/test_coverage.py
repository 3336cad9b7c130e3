"""Intervals cover the truth as often as they say, and tests err as seldom: benchmarks/quality/coverage.py in small."""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "quality" / "coverage.py"


@pytest.fixture(scope="module")
def coverage() -> Any:
    """The benchmark, as a module."""
    spec = spec_from_file_location("japagen_coverage", FILE)
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = module_from_spec(spec)
    before = list(sys.path)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    sys.path[:] = before
    yield module
    del sys.modules[spec.name]


def test_truth_of_the_simulation(coverage: Any) -> None:
    """What is simulated scores what it is said to score."""
    rng = np.random.default_rng(0)
    gold = rng.choice(3, size=200_000, p=coverage.PRIOR)
    [run] = coverage.system(rng, "labels", rng.normal(size=len(gold)), gold, np.array([2.0]))
    right = np.mean([coverage.LABELS[g] == said for g, said in zip(gold, run, strict=True)])
    assert right == pytest.approx(coverage.true_scores("labels", np.array(2.0))["accuracy"], abs=0.005)


@pytest.mark.parametrize(
    ("groups", "seeds", "seed_sd"), [(False, 1, 0.0), (True, 5, 0.0), (True, 5, 2.0), (False, 3, 2.0)]
)
def test_covers_the_truth(coverage: Any, groups: bool, seeds: int, seed_sd: float) -> None:
    found = coverage.simulate(coverage.Cell("labels", 200, groups, seeds, seed_sd), 100, 200)["found"]
    for metric in ("accuracy", "macro_f1", "mcc"):
        assert 0.88 <= found[metric]["covered"] <= 1.0
        assert found[metric]["width"] < 0.35


def test_covers_correlations(coverage: Any) -> None:
    found = coverage.simulate(coverage.Cell("numbers", 150, True, 5, 1.0), 80, 200)["found"]
    assert 0.87 <= found["spearman"]["covered"] <= 1.0


@pytest.mark.parametrize("seed_sd", [0.0, 1.0])
def test_errs_as_seldom_as_it_says(coverage: Any, seed_sd: float) -> None:
    found = coverage.simulate(coverage.Cell("labels", 200, True, 5, seed_sd, 0.0), 80, 200)["found"]
    assert all(0.0 <= each["error_bootstrap"] <= 0.13 for each in found.values())
    found = coverage.simulate(coverage.Cell("labels", 200, True, 5, seed_sd, 8.0), 25, 200)["found"]
    assert all(each["power_bootstrap"] >= 0.6 for each in found.values())
