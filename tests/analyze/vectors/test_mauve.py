"""MAUVE: by hand on histograms, equal and disjoint sets, order of rows, gold against gold, refusals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.mauve import area, bucket_number, compared_mauve, mauve

COUNTS = st.lists(st.integers(0, 20), min_size=2, max_size=6).filter(any)


def cloud(n: int, seed: int, centre: float = 0.0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(centre, 1, (n, 8))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def shares(counts: list[int]) -> np.ndarray:
    return np.array(counts) / sum(counts)


def test_histograms_that_share_no_bucket() -> None:
    # the curve is (s^5, (1 - s)^5); the area below it is 5 B(5, 6) = 1/252
    assert float(area(np.array([1.0, 0.0]), np.array([0.0, 1.0]))) == pytest.approx(1 / 252, abs=5e-5)


def test_one_mixture_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("japagen.analyze.vectors.mauve.POINTS", 1)
    p, q = np.array([0.5, 0.5]), np.array([1.0, 0.0])  # their mixture is .75, .25
    x = math.exp(-5 * math.log(1 / 0.75))
    y = math.exp(-5 * (0.5 * math.log(0.5 / 0.75) + 0.5 * math.log(0.5 / 0.25)))
    by_hand = x * (1 + y) / 2 + (1 - x) * y / 2  # the curve (0, 1), (x, y), (1, 0)
    assert float(area(p, q)) == pytest.approx(by_hand, abs=1e-12)


@given(COUNTS)
def test_equal_histograms_reach_one(counts: list[int]) -> None:
    assert float(area(shares(counts), shares(counts))) == pytest.approx(1, abs=1e-12)


@given(COUNTS, COUNTS)
def test_area_is_symmetric_and_within_bounds(one: list[int], other: list[int]) -> None:
    size = min(len(one), len(other))
    if not (any(one[:size]) and any(other[:size])):
        return
    p, q = shares(one[:size]), shares(other[:size])
    assert float(area(p, q)) == pytest.approx(float(area(q, p)), abs=1e-9)
    assert 1 / 252 - 1e-9 <= float(area(p, q)) <= 1 + 1e-9


def test_histograms_come_in_stacks() -> None:
    p, q = np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0.2, 0.8])
    assert area(p, q).tolist() == pytest.approx([float(area(one, q)) for one in p])


def test_equal_and_disjoint_sets() -> None:
    here, there = cloud(60, 1, 5.0), cloud(60, 1, -5.0)
    assert mauve(here, here, seed=0) == pytest.approx(1)
    assert mauve(here, there, seed=0) == pytest.approx(1 / 252, abs=1e-4)


def test_nearer_sets_score_higher() -> None:
    gold = cloud(100, 1)
    near, far = (mauve(cloud(100, 2, shift), gold, seed=0) for shift in (0.2, 1.0))
    assert far < near


@settings(max_examples=15)
@given(st.permutations(range(30)), st.permutations(range(30)))
def test_the_order_of_rows_does_not_matter(one: list[int], other: list[int]) -> None:
    ours, theirs = cloud(30, 3), cloud(30, 4, 0.3)
    assert mauve(ours[one], theirs[other], seed=0) == mauve(ours, theirs, seed=0)


def test_texts_that_are_all_alike() -> None:
    alike = np.tile(cloud(1, 5), (20, 1))
    assert mauve(alike, alike, seed=0) == pytest.approx(1)


def test_buckets_are_a_tenth_of_the_rows() -> None:
    assert [bucket_number(n) for n in (1, 20, 440, 1000, 100_000)] == [2, 2, 44, 100, 500]


def test_beside_the_ceiling() -> None:
    gold, other, near, far = cloud(80, 1), cloud(80, 2), cloud(80, 3), cloud(80, 4, 1.5)
    found = compared_mauve(gold, far, other, encoder="fake-1", seed=0)
    assert found.value < found.high < found.ceiling_low <= found.ceiling <= found.ceiling_high <= 1
    assert found.gap == pytest.approx(found.ceiling - found.value)
    assert found.gap_low > 0
    same = compared_mauve(gold, near, other, encoder="fake-1", seed=0)
    assert same.gap_low <= 0 <= same.gap_high
    assert same.ceiling == found.ceiling  # of the same gold rows
    assert found.signature == (
        f"mauve = {found.value:.3f} [{found.low:.3f}, {found.high:.3f}], gold {found.ceiling:.3f}"
        " (n=80 a set, k=8 buckets, mean of 5 k-means of both sets, c=5, PCA 90%, fake-1, seed 0,"
        " 95% bootstrap of rows, 200 resamples centred on the value)"
    )


def test_the_seed_repeats_it_and_k_is_told() -> None:
    sets = cloud(40, 1), cloud(40, 2), cloud(40, 3)
    once, again = (compared_mauve(*sets, encoder="x", seed=7, k=3) for _ in range(2))
    assert once == again
    assert "k=3 buckets" in once.signature
    assert once != compared_mauve(*sets, encoder="x", seed=8, k=3)


def test_rows_in_another_order_give_the_same_intervals() -> None:
    gold, ours, other = cloud(30, 1), cloud(30, 2, 0.5), cloud(30, 3)
    there = compared_mauve(gold[::-1], ours[::-1], other[::-1], encoder="x", seed=0)
    assert there == compared_mauve(gold, ours, other, encoder="x", seed=0)


def test_refusals() -> None:
    some, none = cloud(5, 1), cloud(0, 1)
    with pytest.raises(UndefinedError, match="empty set"):
        mauve(some, none, seed=0)
    with pytest.raises(UndefinedError, match="without buckets"):
        area(np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="-1 buckets"):
        mauve(some, some, k=-1, seed=0)
    with pytest.raises(ValueError, match="sets of 5, 4 and 5 rows"):
        compared_mauve(some, cloud(4, 1), some, encoder="x", seed=0)
