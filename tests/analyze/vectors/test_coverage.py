"""Density and coverage: by hand on a line, equal and distant sets, order of rows, the ceiling's theory, refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.coverage import compared_coverage, coverage, density, inside


def line(*places: float) -> np.ndarray:
    return np.array(places)[:, None]


def cloud(n: int, seed: int, centre: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(centre, 1, (n, 3))


def test_by_hand() -> None:
    # one neighbour: 0 reaches 1 far, 1 reaches 1 far (to 0), 3 reaches 2 far (to 1); 10 lies in none
    lies = inside(line(0, 1, 3), line(0.5, 10), k=1)
    assert lies.tolist() == [[True, False], [True, False], [False, False]]
    assert density(lies, k=1) == 1.0  # 2 and 0 balls
    assert coverage(lies) == pytest.approx(2 / 3)


def test_two_neighbours_by_hand() -> None:
    lies = inside(line(0, 1, 3), line(-3, 6), k=2)  # radii 3, 2, 3
    assert lies.tolist() == [[True, False], [False, False], [False, True]]
    assert (density(lies, k=2), coverage(lies)) == (0.5, pytest.approx(2 / 3))


def test_edges_belong_to_a_ball_so_that_equal_texts_cover_one_another() -> None:
    alike = line(1, 1, 1, 1)
    assert coverage(inside(alike, line(1), k=2)) == 1
    assert coverage(inside(line(0, 1), line(2), k=1)) == 0.5


@given(st.integers(3, 30), st.integers(1, 2), st.integers(0, 9))
def test_equal_sets_are_covered_and_distant_ones_are_not(n: int, k: int, seed: int) -> None:
    rows = cloud(n, seed)
    assert coverage(inside(rows, rows, k=k)) == 1
    assert density(inside(rows, rows, k=k), k=k) >= 1
    away = inside(rows, rows + 1000, k=k)
    assert (coverage(away), density(away, k=k)) == (0, 0)


@given(st.permutations(range(20)), st.permutations(range(20)))
def test_the_order_of_rows_does_not_matter(one: list[int], other: list[int]) -> None:
    gold, ours = cloud(20, 1), cloud(20, 2)
    here, there = inside(gold, ours), inside(gold[one], ours[other])
    assert (density(here), coverage(here)) == pytest.approx((density(there), coverage(there)))


def expected_coverage(n: int, *, k: int = 5) -> float:
    """What n rows of the same distribution as the n rows of the reference cover on average, whatever it is.

    A ball stays empty where the k nearest of the 2 n - 1 other rows are all of the reference (Naeem et al. 2020, lemma 2).
    """
    empty = 1.0
    for step in range(1, k + 1):
        empty *= (n - step) / (2 * n - step)
    return 1 - empty


@pytest.mark.parametrize("k", [1, 3, 5])
def test_gold_covers_gold_as_theory_says(k: int) -> None:
    n, draws = 40, 150
    found = [coverage(inside(cloud(n, 2 * i), cloud(n, 2 * i + 1), k=k)) for i in range(draws)]
    assert np.mean(found) == pytest.approx(expected_coverage(n, k=k), abs=0.02)


def test_expected_coverage_by_hand() -> None:
    # two rows of each set: the nearest of the three others is of the reference with chance 1/3
    assert expected_coverage(2, k=1) == pytest.approx(2 / 3)
    assert expected_coverage(10_000) == pytest.approx(1 - 2**-5, abs=1e-3)


def test_beside_the_ceiling() -> None:
    gold, other, near, far = cloud(80, 1), cloud(80, 2), cloud(80, 3), cloud(80, 4, 3.0)
    found = compared_coverage(gold, far, other, encoder="fake-1", seed=0)
    for one in found.values():
        assert one.low <= one.value <= one.high < one.ceiling
        assert one.gap_low > 0
    same = compared_coverage(gold, near, other, encoder="fake-1", seed=0)
    assert all(one.gap_low <= 0 <= one.gap_high for one in same.values())
    assert found["coverage"].ceiling == same["coverage"].ceiling == coverage(inside(gold, other))
    assert found["density"].value == density(inside(gold, far))
    assert "(n=80 a set, k=5 neighbours, Euclidean, fake-1, seed 0, 95% bootstrap" in found["density"].signature


def test_rows_in_another_order_give_the_same_intervals() -> None:
    gold, ours, other = cloud(40, 1), cloud(40, 2), cloud(40, 3)
    there = compared_coverage(gold[::-1], ours[::-1], other[::-1], encoder="x", seed=0)
    assert there == compared_coverage(gold, ours, other, encoder="x", seed=0)


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="5 rows of reference"):
        inside(cloud(5, 1), cloud(5, 2), k=5)
    with pytest.raises(UndefinedError, match="0 others"):
        inside(cloud(9, 1), cloud(0, 2), k=5)
    with pytest.raises(ValueError, match="k must be at least 1"):
        inside(cloud(9, 1), cloud(9, 2), k=0)
    with pytest.raises(ValueError, match="sets of 9, 8 and 9 rows"):
        compared_coverage(cloud(9, 1), cloud(8, 1), cloud(9, 1), encoder="x", seed=0)
