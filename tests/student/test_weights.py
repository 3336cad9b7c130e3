"""Weights of rows: weight 2 is the row twice, weight 1 is no weight, and what is no weight is refused."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.errors import DataError
from japagen.records import Example
from japagen.student import load_student, logistic
from japagen.student.embedding import EmbeddingStudent
from japagen.student.weights import weights_of

NONE = np.zeros((0, 2)), np.zeros(0, np.intp)
GOOD = ["とても良い店でした。", "また行きたいです。", "味も良く安い。", "店員が親切だった。"]
BAD = ["二度と行かない。", "味が悪く高い。", "店員が無愛想だった。", "とても待たされた。"]
ROWS = [
    Example(f"{label}{i}", text, label) for label, texts in (("良", GOOD), ("悪", BAD)) for i, text in enumerate(texts)
]


def test_weights_of() -> None:
    assert weights_of(ROWS) is None
    assert weights_of([]) is None
    weights = weights_of([ROWS[0], replace(ROWS[1], weight=2.5)])
    assert weights is not None
    assert weights.tolist() == [1.0, 2.5]


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("student", ["linear", "embedding"])
def test_refuses_what_is_no_weight(student: str, weight: float) -> None:
    with pytest.raises(DataError, match="良0: the weight is"):
        load_student(student).fit([replace(ROWS[0], weight=weight), *ROWS[1:]], (), seed=0)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 999), times=st.lists(st.integers(1, 4), min_size=12, max_size=12))
def test_weight_is_repetition(seed: int, times: list[int]) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(12, 3)), np.arange(12) % 3
    dev = rng.normal(size=(5, 3)), np.arange(5) % 3
    weighted = logistic.fit_best(x, y, *dev, grid=[0.1], seed=0, weights=np.array(times, float))
    repeated = logistic.fit_best(np.repeat(x, times, 0), np.repeat(y, times), *dev, grid=[0.1], seed=0)
    np.testing.assert_allclose(weighted.coef, repeated.coef, atol=2e-3)
    np.testing.assert_allclose(weighted.intercept, repeated.intercept, atol=2e-3)


def test_weight_of_dev_rows_is_repetition() -> None:
    # One dev row is right and surest with the largest C, the other wrong and cheapest with the smallest.
    x, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array([0, 0, 1, 1])
    dev = np.array([[2.0], [2.0]]), np.array([1, 0])
    grid = [0.01, 10.0]
    chosen = {
        weights: logistic.fit_best(x, y, *dev, grid=grid, seed=0, dev_weights=np.array(weights)).c
        for weights in ((1.0, 1.0), (50.0, 1.0), (1.0, 50.0))
    }
    assert chosen == {(1.0, 1.0): 0.01, (50.0, 1.0): 10.0, (1.0, 50.0): 0.01}


def test_weights_count_in_the_folds() -> None:
    """A column that is right for half of the rows and wrong for the other: the heavy half decides."""
    x = np.tile([[-1.0], [1.0]], (20, 1)) + np.linspace(0, 0.1, 40)[:, None]
    y = np.tile([0, 1], 20)
    y[20:] = 1 - y[20:]
    rest = np.zeros((0, 1)), np.zeros(0, np.intp)
    heavy = np.where(np.arange(40) < 20, 20.0, 1.0)
    models = [logistic.fit_best(x, y, *rest, grid=[0.001, 10.0], seed=0, weights=w) for w in (heavy, heavy[::-1])]
    assert models[0].coef[1, 0] > 0 > models[1].coef[1, 0]
    assert models[0].c == 10.0


def test_embedding_standardises_with_weights() -> None:
    """So that the whole student, not only its solver, takes weight 3 for the row three times."""
    heavy = [replace(row, weight=3.0 if i in (0, 5) else 1.0) for i, row in enumerate(ROWS)]
    repeated = [copy for i, row in enumerate(ROWS) for copy in [row] * (3 if i in (0, 5) else 1)]
    student = EmbeddingStudent(grid=(0.01,))
    one, other = (student.fit(rows, ROWS, seed=0) for rows in (heavy, repeated))
    for a, b in zip(one.predict(ROWS), other.predict(ROWS), strict=True):
        assert a.scores == pytest.approx(b.scores, abs=2e-3)
    plain = student.fit(ROWS, ROWS, seed=0)
    assert plain.predict(ROWS[:1])[0].scores["良"] < one.predict(ROWS[:1])[0].scores["良"]


@pytest.mark.parametrize("student", ["linear", "embedding"])
def test_a_heavy_row_has_its_way(student: str) -> None:
    contradicted = [*ROWS, replace(ROWS[0], id="again", label="悪")]
    for heavy, label in ((0, "良"), (len(ROWS), "悪")):
        rows = [replace(row, weight=20.0 if i == heavy else 1.0) for i, row in enumerate(contradicted)]
        assert load_student(student).fit(rows, (), seed=0).predict(ROWS[:1])[0].label == label


def test_weight_one_is_no_weight() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(40, 4)), np.arange(40) % 2
    for dev in ((x[:7], y[:7]), (np.zeros((0, 4)), np.zeros(0, np.intp))):
        ones = {"weights": np.ones(40), "dev_weights": np.ones(len(dev[1]))}
        plain, weighted = (logistic.fit_best(x, y, *dev, grid=[0.1, 1.0], seed=3, **each) for each in ({}, ones))
        np.testing.assert_allclose(plain.coef, weighted.coef, rtol=1e-12)
        assert plain.c == weighted.c
