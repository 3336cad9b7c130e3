"""Parts of the rows: nested, of even labels, trained as the run trains; told apart from the table of systems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.evaluate import evaluate
from japagen.evaluate.arms import ArmTrainings
from japagen.evaluate.gold import load_gold_data
from japagen.evaluate.sizes import SizeTrainings, nested, told_sizes
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Example, Prediction
from japagen.task import Task

ROWS = [
    Example(
        f"{i}",
        f"犬{i % 7}が庭を走る{i}",
        ("entailment", "neutral")[i % 3 == 0],
        f"犬{i % 7}が{('走る', '眠る')[i % 2]}",
    )
    for i in range(60)
]
DEV = [Example(f"d{i}", f"猫が{i}", ("entailment", "neutral")[i % 3 == 0], f"猫{i}が走る") for i in range(30)]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(0, 3), st.integers(0, 2**31), st.data())
def test_every_beginning_has_each_labels_share(counts: list[int], number: int, seed: int, data: st.DataObject) -> None:
    rows = [Example(f"{label}/{i}", "文", str(label)) for label, n in enumerate(counts) for i in range(n)]
    order = nested(rows, seed=seed, number=number)
    assert sorted(row.id for row in order) == sorted(row.id for row in rows)
    size = data.draw(st.integers(len(counts), len(rows)))
    found = Counter(row.label for row in order[:size])
    for label, n in enumerate(counts):
        assert found[str(label)] >= 1
        assert abs(found[str(label)] - size * n / len(rows)) <= len(counts)


def test_turns_worked_by_hand() -> None:
    """Of 4 a and 2 b: first one of each, then a at 1/4, a and b at 1/2, a at 3/4."""
    rows = [Example(f"a{i}", "文", "a") for i in range(4)] + [Example(f"b{i}", "文", "b") for i in range(2)]
    assert [row.label for row in nested(rows, seed=0, number=0)] == ["a", "b", "a", "a", "b", "a"]


def test_each_seed_has_an_order_of_its_own_that_only_the_seed_decides() -> None:
    assert nested(ROWS, seed=1, number=0) == nested(ROWS, seed=1, number=0)
    assert nested(ROWS, seed=1, number=0) != nested(ROWS, seed=1, number=1)
    assert nested(ROWS, seed=1, number=0) != nested(ROWS, seed=2, number=0)


def test_a_system_for_each_size_and_what_is_left_out(nli: Task, settings: Callable[..., Experiment]) -> None:
    trainings = SizeTrainings(settings(nli), nli, DEV)
    systems, left_out = trainings.sizes(ROWS, (40, 10, 60, 61))
    assert [(s.name, s.kind, s.train_rows, len(s.predictions)) for s in systems] == [
        ("japagen-10/linear", "size", 10, 2),
        ("japagen-40/linear", "size", 40, 2),
    ]
    assert left_out == ["japagen-61: there are 60 rows to learn from"]  # 60 is the run's own training
    rare = [*ROWS[1:3], ROWS[0]]
    assert trainings.sizes([row for row in rare if row.label == "entailment"] * 6, (10,))[1] == [
        "japagen-10: there is no row of label 'neutral' to learn from"
    ]


def test_a_size_learns_the_beginning_of_its_seeds_order(nli: Task, settings: Callable[..., Experiment]) -> None:
    """The same predictions as an arm of these rows, seed by seed."""
    experiment = settings(nli)
    [system], _ = SizeTrainings(experiment, nli, DEV).sizes(ROWS, (20,))
    for number in range(2):
        part = nested(ROWS, seed=experiment.seed, number=number)[:20]
        [arm], _ = ArmTrainings(experiment, nli, DEV).arms({"part": part})
        assert arm.predictions[number] == system.predictions[number]


def right(share: int, rows: list[Example]) -> list[Prediction]:
    """A run that gets the first rows right."""
    other = {"entailment": "neutral", "neutral": "entailment"}
    return [
        Prediction(row.id, row.label if i < share else other[row.label], {row.label: 1.0}) for i, row in enumerate(rows)
    ]


def test_points_are_told_in_order_with_their_covariance(nli: Task, settings: Callable[..., Experiment]) -> None:
    """15 and 24 of 30 rows right; the 15 are among the 24: covariance (.5 - .5 * .8) / 30, a 29th more for the resamples."""
    systems = [
        System("gold-2/linear", "gold", (right(10, DEV),), "linear", 4, 2),
        System("japagen/linear", "japagen", (right(24, DEV),), "linear", 54),
        System("japagen-20/linear", "size", (right(15, DEV),), "linear", 20),
        System("japagen/linear ensemble", "japagen", (right(30, DEV),), "linear", 54),
        System("zero-shot", "prompted", (right(5, DEV),)),
    ]
    told = told_sizes(settings(nli, resamples=1000), nli, systems, DEV, rows=60, left_out=["japagen-99: no"])
    assert (told["rows"], told["metric"], told["left_out"]) == (60, "accuracy", ["japagen-99: no"])
    [one] = told["students"]
    assert [(p["name"], p["kind"], p["n"], p["k"]) for p in one["points"]] == [
        ("japagen-20/linear", "size", 20, None),
        ("japagen/linear", "japagen", 60, None),
        ("gold-2/linear", "gold", 4, 2),
    ]
    assert [p["score"]["value"] for p in one["points"]] == pytest.approx([0.5, 0.8, 1 / 3])
    assert one["covariance"][0][1] == pytest.approx((0.5 - 0.5 * 0.8) / 29, rel=0.2)
    assert one["covariance"][0][0] == pytest.approx(0.25 / 29, rel=0.1)


def test_a_point_without_a_score_is_left_out_and_it_is_said(sts: Task, settings: Callable[..., Experiment]) -> None:
    test = [Example(f"{i}", "文", "2", "文", value=float(i)) for i in range(12)]
    varied = [Prediction(e.id, "2", {"2": 1.0}, value=float(i * 7 % 12)) for i, e in enumerate(test)]
    constant = [Prediction(e.id, "2", {"2": 1.0}, value=2.0) for e in test]
    systems = [
        System("japagen-20/linear", "size", (constant,), "linear", 20),
        System("japagen/linear", "japagen", (varied,), "linear", 54),
    ]
    told = told_sizes(settings(sts), sts, systems, test, rows=60)
    assert [p["name"] for p in told["students"][0]["points"]] == ["japagen/linear"]
    assert told["left_out"][0].startswith("japagen-20/linear: ")
    assert np.shape(told["students"][0]["covariance"]) == (1, 1)


def test_sizes_stand_apart_from_the_systems_that_are_compared(
    nli: Task, settings: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = settings(nli, prompting=[], sizes=[10, 30, 500])
    trained: dict[str, Any] = {"linear": []}
    gold = load_gold_data(nli)

    def summary(given: Experiment) -> dict[str, Any]:
        with ReplyStore(tmp_path / "replies.sqlite") as store:
            return evaluate(given, nli, trained, gold, ScriptedLLM(), store, rows=ROWS).summary

    trainings = ArmTrainings(experiment, nli, gold.test)
    [arm], _ = trainings.arms({"japagen": ROWS})

    class Known:
        def predict(self, examples: object) -> list[Prediction]:
            return arm.predictions[0]

    trained["linear"] = [(Known(), 54)]
    told = summary(experiment)
    sizes = told.pop("sizes")
    plain = summary(settings(nli, prompting=[]))
    assert "sizes" not in plain
    assert told == plain  # the family of Holm's correction too
    assert [p["n"] for p in sizes["students"][0]["points"]] == [10, 30, 60, 4]
    assert sizes["left_out"] == ["japagen-500: there are 60 rows to learn from"]
