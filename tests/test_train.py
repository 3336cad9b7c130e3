"""Training as a stage: gold rows among the synthetic ones, and that none of them is looked at twice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import train as stage
from japagen.errors import DataError
from japagen.experiment import Experiment
from japagen.records import Example
from japagen.sections import AnchorSection, DecisionSection
from japagen.train import Trained, draw_anchor, shares, train

LABELS = ("glad", "angry")
SYNTHETIC = [Example(f"s{i}", f"声{i}", LABELS[i % 2]) for i in range(40)]
GOLD = [Example(f"g{i}", f"人の声{i}", LABELS[i % 4 == 0]) for i in range(20)]  # 15 glad, 5 angry


class Recorder:
    """A student that keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[list[Example], list[Example]]] = []

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Any:
        self.given.append((list(train), list(dev)))
        return self

    def save(self, folder: Path) -> None:
        pass


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(stage, "load_student", lambda *_, **__: recorder)
    return recorder


def trained(experiment: Experiment, folder: Path, gold: Sequence[Example] = GOLD, **settings: Any) -> list[Trained]:
    section = experiment.train.model_copy(update=settings)
    return train(experiment.model_copy(update={"train": section}), SYNTHETIC, gold, folder, task=experiment.load_task())


def ids(rows: Sequence[Example]) -> set[str]:
    return {row.id for row in rows}


def test_anchor_joins_the_synthetic_rows(experiment: Experiment, student: Recorder, tmp_path: Path) -> None:
    models = trained(experiment, tmp_path, anchor=AnchorSection(rows=8, weight=5))
    assert [(m.train_rows, m.dev_rows, m.anchor_rows) for m in models] == [(44, 4, 8)] * 2
    for rows, dev in student.given:
        gold = [row for row in rows if row.id.startswith("g")]
        assert [row.weight for row in gold] == [5.0] * 8
        assert {row.weight for row in rows if row not in gold} == {1.0}
        assert [row.label for row in gold].count("angry") == 2  # a quarter, as among all gold rows
        assert ids(dev) <= ids(SYNTHETIC)
        assert ids(rows) | ids(dev) == ids(SYNTHETIC) | ids(gold)
        assert not ids(rows) & ids(dev)


def test_anchor_is_no_part_of_a_gold_dev_set(experiment: Experiment, student: Recorder, tmp_path: Path) -> None:
    models = trained(experiment, tmp_path, dev="gold", anchor=AnchorSection(rows=8))
    assert [(m.train_rows, m.dev_rows, m.anchor_rows) for m in models] == [(48, 12, 8)] * 2
    for rows, dev in student.given:
        assert not ids(rows) & ids(dev)
        assert ids(rows) | ids(dev) == ids(SYNTHETIC) | ids(GOLD)
        assert {row.weight for row in dev} == {1.0}


def test_each_seed_draws_its_own_anchor(experiment: Experiment, student: Recorder, tmp_path: Path) -> None:
    anchor = AnchorSection(rows=8)
    trained(experiment, tmp_path, anchor=anchor)
    first, second = (ids(rows) - ids(SYNTHETIC) for rows, _ in student.given)
    assert first != second
    trained(experiment, tmp_path / "again", anchor=anchor)
    assert ids(student.given[2][0]) - ids(SYNTHETIC) == first
    # The draw moves nothing else: the synthetic rows are split as without an anchor.
    trained(experiment, tmp_path / "without")
    assert ids(student.given[4][1]) == ids(student.given[0][1])


def test_without_an_anchor_no_gold_row_is_learnt_from(
    experiment: Experiment, student: Recorder, tmp_path: Path
) -> None:
    assert {model.anchor_rows for model in trained(experiment, tmp_path)} == {0}
    for rows, dev in student.given:
        assert ids(rows) | ids(dev) == ids(SYNTHETIC)


@pytest.mark.parametrize(
    ("gold", "dev", "rows", "what"),
    [
        ([], "synthetic", 8, r"train\.anchor asks for gold rows, but the task has no gold\.dev"),
        (GOLD, "synthetic", 21, r"train\.anchor\.rows is 21, but gold\.dev has 20 rows"),
        (GOLD, "gold", 20, r"train\.anchor takes all 20 rows of gold\.dev"),
    ],
)
def test_refusals(
    gold: list[Example], dev: str, rows: int, what: str, experiment: Experiment, student: Recorder, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=what):
        trained(experiment, tmp_path, gold, dev=dev, anchor=AnchorSection(rows=rows))
    assert not student.given


def test_a_decision_is_learnt_from_rows_that_are_no_anchors(
    experiment: Experiment, student: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []
    monkeypatch.setattr(
        stage, "learn_decision", lambda c, learnt, held, left, *_, **__: given.append((learnt, left)) or c
    )
    trained(experiment, tmp_path, anchor=AnchorSection(rows=8), decision=DecisionSection())
    for learnt, left in given:
        assert len(left) == 12
        assert not ids(learnt) & ids(left)
    with pytest.raises(DataError, match="takes all rows of gold.dev, and none is left for train.decision"):
        trained(experiment, tmp_path / "none", anchor=AnchorSection(rows=20), decision=DecisionSection())


def test_all_gold_rows_may_be_the_anchor(experiment: Experiment, student: Recorder, tmp_path: Path) -> None:
    models = trained(experiment, tmp_path, anchor=AnchorSection(rows=20))
    assert {model.anchor_rows for model in models} == {20}


def test_shares_by_hand() -> None:
    assert shares({"a": 90, "b": 30, "c": 1}, 9) == {"a": 6, "b": 2, "c": 1}
    assert shares({"a": 1, "b": 5}, 1) == {"a": 0, "b": 1}
    assert shares({"a": 2, "b": 2}, 4) == {"a": 2, "b": 2}
    assert shares({"a": 4}, 0) == {"a": 0}


@given(st.data(), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_shares_are_proportional(data: st.DataObject, counts: list[int]) -> None:
    total = sum(counts)
    wanted = data.draw(st.integers(0, total))
    given_ = shares({str(i): n for i, n in enumerate(counts)}, wanted)
    assert sum(given_.values()) == wanted
    for i, n in enumerate(counts):
        assert given_[str(i)] <= n
        assert given_[str(i)] >= (1 if wanted >= len(counts) else 0)
        assert abs(given_[str(i)] - wanted * n / total) <= len(counts)


def test_drawn_rows_and_the_rest_are_the_pool() -> None:
    rows, rest = draw_anchor(GOLD, AnchorSection(rows=6, weight=2), seed=0, number=0)
    assert [row.weight for row in rows] == [2.0] * 6
    assert sorted(ids(rows) | ids(rest)) == sorted(ids(GOLD))
    assert len(rows) + len(rest) == len(GOLD)
