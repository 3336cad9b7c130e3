"""Rows of one image stay together in every split, fold, draw and resample of gold rows (issue 5, item 2)."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.evaluate.gold.splits import split_rows
from japagen.evaluate.resampling import Resampler
from japagen.evaluate.summary import summarise
from japagen.evaluate.system import System, prediction_rows
from japagen.experiment import Experiment
from japagen.groups import IMAGE, image_groups
from japagen.records import Example, Prediction
from japagen.sections import AnchorSection, DecisionSection
from japagen.student import logistic
from japagen.student import probe as probing
from japagen.student.decision import crossvalidation as cv
from japagen.student.decision import learning
from japagen.student.embedding import EmbeddingStudent
from japagen.student.holdout import apart_from, hold_out
from japagen.student.linear import LinearStudent
from japagen.student.rows import groups_of
from japagen.task import Task
from japagen.train import _rows_of_seed, draw_anchor

LABELS = ("entailment", "contradiction", "neutral")


def about(image: str, number: int, label: str) -> Example:
    return Example(
        f"{image}/{number}",
        f"{image}の写真{number}です。",
        label,
        f"{label}の文{number}。",
        meta={IMAGE: f"{image}-{number}-0"},
    )


def rows_of(images: int, each: int = 3) -> list[Example]:
    """Three rows of each image, one of each label; every tenth row is about the next image too."""
    rows = [about(str(image), n, LABELS[n % 3]) for image in range(images) for n in range(each)]
    for image in range(0, images - 1, 10):
        rows.append(about(f"{image}_{image + 1}", 9, LABELS[image % 3]))
    return rows


def groups(rows: Sequence[Example], among: Sequence[Example]) -> set[str]:
    """The groups of some rows, among all rows."""
    named = dict(zip((row.id for row in among), image_groups(among) or [], strict=True))
    return {named[row.id] for row in rows}


ROWS = rows_of(60)


def apart(one: Sequence[Example], two: Sequence[Example]) -> None:
    assert one
    assert two
    assert not groups(one, ROWS) & groups(two, ROWS)


@pytest.mark.parametrize("seed", range(3))
def test_gold_that_is_split(seed: int) -> None:
    parts = split_rows(ROWS, image_groups(ROWS) or [], {"dev": 0.2, "test": 0.3}, seed=seed)
    apart(parts["train"], parts["dev"])
    apart(parts["train"], parts["test"])
    apart(parts["dev"], parts["test"])


@pytest.mark.parametrize("number", range(3))
def test_rows_to_choose_settings_on(number: int) -> None:
    apart(*hold_out(ROWS, 0.2, seed=1, number=number))


@pytest.mark.parametrize("number", range(3))
def test_rows_that_are_left_when_some_are_learnt_from(number: int) -> None:
    anchors, left = draw_anchor(ROWS, AnchorSection(rows=12, weight=1.0), seed=0, number=number)
    assert groups(anchors, ROWS) & groups(left, ROWS), "the draw itself is by row: whoever uses the rest must part them"
    apart(anchors, apart_from(ROWS, anchors))


@pytest.mark.parametrize("number", range(3))
def test_gold_rows_to_choose_settings_on_beside_anchors(number: int) -> None:
    anchored = {"students": ["linear"], "dev": "gold", "anchor": {"rows": 12}}
    experiment = Experiment.model_validate({"name": "x", "task": "jnli", "train": anchored})
    _, dev, anchors = _rows_of_seed(experiment, [], ROWS, number)
    apart(dev, anchors)


@pytest.mark.parametrize("student", [LinearStudent(grid=(1.0,)), EmbeddingStudent(grid=(1.0,))])
def test_folds_in_which_a_student_chooses_its_regularisation(student: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = "linear" if isinstance(student, LinearStudent) else "embedding"
    if module == "embedding":
        vectors = np.random.default_rng(0).normal(size=(len(ROWS) + 1, 4))
        monkeypatch.setattr("japagen.student.embedding.features", lambda rows, pair: vectors[: len(rows)])
    seen: list[list[Any]] = []

    def chosen(x: Any, y: Any, weights: Any, grid: Any, seed: int, parts: list[Any]) -> float:
        seen.append(parts)
        return 1.0

    monkeypatch.setattr(logistic, "_cross_validated", chosen)
    generated = Example("s", "生成した文です。", "neutral", "二つ目です。")
    student.fit([*ROWS, generated], (), seed=0)
    (parts,) = seen
    assert len(parts) == logistic.FOLDS
    held_out = Counter(int(place) for _, outside in parts for place in outside)
    assert held_out == Counter(range(len(ROWS) + 1))
    for inside, outside in parts:
        inner, outer = ([ROWS[i] for i in side if i < len(ROWS)] for side in (inside, outside))
        apart(inner, outer)


def test_a_row_without_an_image_is_a_group_of_its_own() -> None:
    plain = Example("p", "文。", "neutral", "文。")
    numbers = groups_of([about("1", 0, "neutral"), plain, about("1", 1, "neutral"), plain, about("2", 0, "neutral")])
    assert numbers is not None
    first, second, third, fourth, fifth = numbers.tolist()
    assert first == third
    assert len({first, second, fourth, fifth}) == 4
    assert groups_of([plain]) is None


def test_a_label_that_one_group_holds_leaves_nothing_to_choose_by() -> None:
    labels = np.array([0] * 10 + [1] * 5)
    together = np.array([*range(10), *[10] * 5])
    none = np.empty((0, 1)), np.empty(0, dtype=np.intp)
    x = labels[:, None].astype(float)
    found = logistic.fit_best(x, labels, *none, grid=[5.0], seed=0, groups=together)
    assert found.c == logistic.C_WITHOUT_EVIDENCE
    assert logistic.fit_best(x, labels, *none, grid=[5.0], seed=0).c == 5.0


sizes = st.lists(st.integers(1, 4), min_size=2, max_size=30)


@given(sizes, st.integers(0, 3), st.integers(2, 10))
def test_folds_hold_each_group_whole_and_each_row_once(sizes: list[int], seed: int, count: int) -> None:
    together = np.repeat(np.arange(len(sizes)), sizes)
    gold = together % 3
    parts = list(cv.folds(gold, together, seed=seed, count=count))
    assert len(parts) == min(count, len(sizes))
    for inside, outside in parts:
        assert not set(together[inside]) & set(together[outside])
    assert sorted(place for _, outside in parts for place in outside) == list(range(len(together)))


@given(sizes)
def test_resamples_of_a_decision_take_groups_whole(sizes: list[int]) -> None:
    together = np.repeat(np.arange(len(sizes)), sizes)
    weights = cv.resamples(together, seed=0)
    for group in set(together):
        of_group = weights[:, together == group]
        assert (of_group == of_group[:, :1]).all()


def test_a_decision_is_told_the_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    class Same:
        def predict(self, examples: Sequence[Example]) -> list[Prediction]:
            return [Prediction(row.id, "neutral", dict.fromkeys(LABELS, 1 / 3)) for row in examples]

        def save(self, folder: Path) -> None: ...

    told: dict[str, Any] = {}

    def fit(scores: Any, labels: Any, answers: Any, **options: Any) -> Any:
        told.update(options, answers=answers)
        raise StopIteration

    monkeypatch.setattr(learning, "fit_decision", fit)
    with pytest.raises(StopIteration):
        learning.learn_decision(Same(), ROWS, (), ROWS, Task.load("jnli"), DecisionSection(rows=100), seed=0)
    assert len(told["groups"]) == len(told["answers"]) == 100
    assert len(set(told["groups"])) < 100


def test_intervals_draw_groups_whole() -> None:
    # Group a is all right, b all wrong: a resample has both, or one of them twice.
    gold, said = ["x"] * 6, ["x"] * 3 + ["y"] * 3
    whole = Resampler(6, resamples=200, seed=0, groups=list("aaabbb")).measure(gold, [said], ["x", "y"], "accuracy")
    assert set(np.unique(whole.values).tolist()) == {0.0, 0.5, 1.0}
    single = Resampler(6, resamples=200, seed=0).measure(gold, [said], ["x", "y"], "accuracy")
    assert len(np.unique(single.values)) > 3


def test_scores_of_rows_about_images_say_their_groups() -> None:
    experiment = Experiment.model_validate({"name": "x", "task": "jnli", "evaluate": {"resamples": 100}})
    same = [Prediction(row.id, "neutral", dict.fromkeys(LABELS, 1 / 3)) for row in ROWS]
    system = System("japagen/linear", "japagen", (same,), "linear", 1)
    found = summarise(experiment, Task.load("jnli"), [system], ROWS)
    count = len(set(image_groups(ROWS) or []))
    assert f"n={len(ROWS)} in {count} groups" in found["systems"][0]["scores"]["accuracy"]["signature"]
    assert [row["group"] for row in prediction_rows([system], ROWS)] == image_groups(ROWS)


def test_a_sample_that_is_probed_holds_groups_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST_ROWS", 50)
    named = image_groups(ROWS) or []
    kept = probing._sample(named, seed=0)
    assert 40 < len(kept) <= 50
    sizes = Counter(named)
    assert all(count == sizes[name] for name, count in Counter(named[i] for i in kept).items())
