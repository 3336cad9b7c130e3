"""Scores that are damaged and yet bear the digest of their stage: one error that names the run, for every part of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from japagen.cli.compare import compare as command
from japagen.compare import compare
from japagen.errors import ConfigError, RunError
from japagen.rundir import Run
from japagen.tables import file_digest

GOLD = ["a", "b"] * 20
SYSTEMS = {"japagen/linear": [["a", "b"] * 20], "zero-shot": [["a", "a"] * 20]}


def damaged(run: Path, change: dict[str, Any], system: dict[str, Any]) -> Path:
    folder = Run.open(run).folder("evaluate")
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    scores |= change
    scores["systems"][0]["scores"]["accuracy"] |= system
    (folder / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    done = json.loads((folder / "done.json").read_text(encoding="utf-8"))
    done["outputs"]["scores.json"] = file_digest(folder / "scores.json")
    (folder / "done.json").write_text(json.dumps(done), encoding="utf-8")
    return run


@pytest.mark.parametrize(
    ("change", "system", "said"),
    [
        ({}, {"value": "high"}, "value is 'high'"),
        ({}, {"value": float("nan")}, "value is nan"),
        ({}, {"low": [1]}, "low is"),
        ({"metric": "nosuch"}, {}, "nosuch"),
        ({"contrast": {"system": "a"}}, {}, "against"),
        (
            {"contrast": {"system": "a", "against": "zero-shot", "declared": True, "difference": None}},
            {},
            "systems that were not measured",
        ),
        ({"contamination": "x"}, {}, "damaged"),
        ({"contamination": [{"set": "test"}]}, {}, "of"),
        ({"contamination": [{"set": "test", "of": 1, "exact": "x", "canonical": 0, "near": 0}]}, {}, "is no count"),
    ],
)
def test_damaged_scores_are_an_error_and_not_a_bug(
    plant: Any, change: dict[str, Any], system: dict[str, Any], said: str
) -> None:
    run = damaged(plant("one", systems=SYSTEMS, gold=GOLD), change, system)
    with pytest.raises(RunError, match="damaged") as caught:
        compare([run])
    assert said in caught.value.what
    assert "--redo evaluate" in caught.value.remedy


def test_a_place_that_is_none_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="its folder does not exist"):
        command([tmp_path / "no run"], output=tmp_path / "nowhere" / "t.md")
