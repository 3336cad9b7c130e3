"""Vendi score: alike, orthogonal and by hand; both ways of reckoning agree; the interval's width; refusals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.vendi import entropy, vendi, vendi_ratio


def cloud(n: int, d: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0.3, 1, (n, d))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@pytest.mark.parametrize(("n", "d"), [(1, 4), (3, 8), (9, 4)])
def test_texts_that_are_all_alike_are_worth_one(n: int, d: int) -> None:
    assert vendi(np.tile(cloud(1, d, 0), (n, 1)), encoder="x").value == pytest.approx(1)


@given(st.integers(1, 12), st.integers(0, 5))
def test_texts_without_anything_in_common_are_worth_their_number(n: int, more: int) -> None:
    assert vendi(np.eye(n + more)[:n], encoder="x").value == pytest.approx(n)


def test_two_texts_by_hand() -> None:
    # cosine .6: the eigenvalues of K / 2 are .8 and .2
    rows = np.array([[1.0, 0.0], [0.6, 0.8]])
    by_hand = math.exp(-0.8 * math.log(0.8) - 0.2 * math.log(0.2))
    assert vendi(rows, encoder="x").value == pytest.approx(by_hand)
    assert vendi(np.vstack([rows, rows, rows]), encoder="x").value == pytest.approx(by_hand)  # by the moments


@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 20))
def test_the_gram_matrix_says_the_same(n: int, d: int, seed: int) -> None:
    rows = cloud(n, d, seed)
    values = np.linalg.eigvalsh(rows @ rows.T / n)
    values = values[values > 1e-12]
    found, influence = entropy(rows)
    assert found == pytest.approx(-(values * np.log(values)).sum(), abs=1e-9)
    assert 1 - 1e-9 <= math.exp(found) <= min(n, d) + 1e-9
    assert influence.mean() == pytest.approx(0, abs=1e-8)


@given(st.permutations(range(15)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    rows = cloud(15, 6, 1)
    assert vendi(rows[order], encoder="x") == vendi(rows, encoder="x")


@pytest.mark.parametrize("d", [3, 30])
def test_influence_is_what_a_little_more_weight_does(d: int) -> None:
    rows, step = cloud(12, d, 2), 1e-5
    found, influence = entropy(rows)
    for at in range(len(rows)):
        weights = np.full(len(rows), (1 - step) / len(rows))
        weights[at] += step
        values = np.linalg.eigvalsh((rows * np.sqrt(weights)[:, None]) @ (rows * np.sqrt(weights)[:, None]).T)
        values = values[values > 1e-12]
        moved = -(values * np.log(values)).sum() - found
        assert moved / step == pytest.approx(influence[at], abs=1e-2)


def test_the_interval_is_as_wide_as_samples_stray() -> None:
    found = [vendi(cloud(200, 5, seed), encoder="x") for seed in range(60)]
    spread = np.std([math.log(one.value) for one in found])
    widths = [(math.log(one.high) - math.log(one.low)) / 2 / 1.96 for one in found]
    assert np.mean(widths) == pytest.approx(spread, rel=0.3)


def test_the_ratio() -> None:
    varied, alike = cloud(50, 20, 1), cloud(50, 2, 2)
    alike = np.hstack([alike, np.zeros((50, 18))])
    found = vendi_ratio(alike, varied, encoder="fake-1")
    assert found.value == pytest.approx(vendi(alike, encoder="x").value / vendi(varied, encoder="x").value)
    assert found.low < found.value < found.high < 1
    assert found.signature == (
        f"vendi-ratio = {found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
        " (n=50 a set, products of vectors, exact, fake-1, 95% infinitesimal jackknife)"
    )
    assert vendi_ratio(varied, varied, encoder="x").value == pytest.approx(1)


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="no texts"):
        vendi(np.zeros((0, 4)), encoder="x")
    with pytest.raises(ValueError, match="of length 1"):
        vendi(np.ones((2, 4)), encoder="x")
    with pytest.raises(ValueError, match="3 and 2 rows"):
        vendi_ratio(np.eye(3), np.eye(3)[:2], encoder="x")
