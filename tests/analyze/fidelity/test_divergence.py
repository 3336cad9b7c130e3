"""Jensen-Shannon divergence: by hand, against scipy, bounds; the ceiling; p values that keep their promise; Holm by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from japagen.analyze.fidelity.divergence import _permuted, distances, jensen_shannon
from japagen.analyze.sampling import UndefinedError

COUNTS = arrays(np.int64, 5, elements=st.integers(0, 1000)).filter(lambda counts: counts.sum() > 0)


def test_by_hand() -> None:
    assert jensen_shannon([1, 0], [0, 3]) == 1  # nothing in common
    assert jensen_shannon([1, 1], [50, 50]) == 0
    # (1, 0) against (1/2, 1/2): the middle is (3/4, 1/4)
    expected = (math.log2(4 / 3) + 0.5 * math.log2(2 / 3) + 0.5 * math.log2(2)) / 2
    assert jensen_shannon([7, 0], [2, 2]) == pytest.approx(expected)
    assert expected == pytest.approx(0.3113, abs=1e-4)


@given(COUNTS, COUNTS)
def test_as_scipy_has_it_symmetric_and_bounded(left: np.ndarray, right: np.ndarray) -> None:
    from scipy.spatial.distance import jensenshannon

    value = float(jensen_shannon(left, right))
    assert value == pytest.approx(float(np.nan_to_num(jensenshannon(left, right, base=2))) ** 2, abs=1e-7)
    assert value == pytest.approx(float(jensen_shannon(right, left)))
    assert 0 <= value <= 1


def test_many_at_once() -> None:
    left, right = np.array([[1, 0], [1, 1]]), np.array([[0, 1], [1, 1]])
    assert jensen_shannon(left, right).tolist() == [1, 0]


def test_a_distribution_of_nothing_has_no_distance() -> None:
    with pytest.raises(UndefinedError, match="a distribution of nothing"):
        jensen_shannon([0, 0], [1, 0])


def one_of(shares: list[float], n: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multinomial(1, shares, n)


def test_a_difference_lies_above_its_ceiling_and_is_no_chance() -> None:
    [found] = distances(one_of([0.9, 0.1], 200, 0), one_of([0.3, 0.7], 400, 1), [slice(0, 2)], seed=0)
    assert found is not None
    assert found.n == 200
    assert found.low <= found.value <= found.high
    assert found.ceiling_low <= found.ceiling <= found.ceiling_high < found.low
    assert found.ceiling > 0  # halves of gold differ by chance
    assert found.value == pytest.approx(float(jensen_shannon([9, 1], [3, 7])), abs=0.08)
    assert found.p == 1 / 1000


def test_the_same_distribution_is_seldom_called_different() -> None:
    shares = [0.5, 0.3, 0.2]
    p_values = []
    for seed in range(60):
        [found] = distances(one_of(shares, 60, 2 * seed), one_of(shares, 80, 2 * seed + 1), [slice(0, 3)], seed=seed)
        assert found is not None
        p_values.append(found.p)
    assert sum(p < 0.05 for p in p_values) <= 8  # 3 expected; more than 8 once in 200 times
    assert 0.3 < np.mean(p_values) < 0.7


def test_texts_are_dealt_as_a_whole() -> None:
    # 50 marks of one text are no 50 findings: one odd text explains all of the difference
    ours, theirs = np.tile([2, 0], (20, 1)), np.tile([2, 0], (20, 1))
    ours[0] = [0, 100]
    [found] = distances(ours, theirs, [slice(0, 2)], seed=0)
    assert found is not None
    assert found.p > 0.4


def test_a_permutation_keeps_the_sizes_of_the_sides() -> None:
    ours, theirs = np.ones((7, 1), int), np.ones((12, 1), int)
    first, second = _permuted(ours, theirs, 20, np.random.default_rng(0))
    assert set(first.ravel()) == {7}
    assert set(second.ravel()) == {12}


def test_aspects_are_their_columns_and_an_empty_one_has_no_distance() -> None:
    ours = np.array([[1, 0, 0, 0, 3]] * 10)
    theirs = np.array([[0, 1, 0, 0, 4]] * 20)
    first, second, third = distances(ours, theirs, [slice(0, 2), slice(2, 4), slice(4, 5)], seed=0)
    assert first is not None
    assert (first.value, first.ceiling, first.n) == (1, 0, 10)
    assert second is None
    assert third is not None
    assert (third.value, third.p) == (0, 1)


def test_the_same_seed_gives_the_same() -> None:
    sides = one_of([0.5, 0.5], 50, 0), one_of([0.4, 0.6], 60, 1)
    assert distances(*sides, [slice(0, 2)], seed=3) == distances(*sides, [slice(0, 2)], seed=3)
    assert distances(*sides, [slice(0, 2)], seed=3) != distances(*sides, [slice(0, 2)], seed=4)


def test_more_tests_have_more_permutations() -> None:
    sides = one_of([0.9, 0.1], 100, 0), one_of([0.1, 0.9], 100, 1)
    [found] = distances(*sides, [slice(0, 2)], tests=100, seed=0)
    assert found is not None
    assert found.p == 1 / 2001
    assert 100 * found.p < 0.05  # as Holm takes the smallest of a hundred


@pytest.mark.parametrize(("mine", "gold"), [(4, 100), (100, 9)])
def test_too_few_texts(mine: int, gold: int) -> None:
    with pytest.raises(UndefinedError, match="needs 5 synthetic and 10 gold texts"):
        distances(np.ones((mine, 2), int), np.ones((gold, 2), int), [slice(0, 2)], seed=0)
