"""BCa intervals: against scipy, worked by hand, and where nothing can be corrected."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from japagen.evaluate.interval import Draws, draws


def of_mean(values: list[float], resamples: int = 20_000, seed: int = 0) -> Draws:
    """Draws of a mean."""
    x = np.array(values)
    drawn = np.random.default_rng(seed).choice(x, size=(resamples, len(x))).mean(axis=1)
    left_out = (x.sum() - x) / (len(x) - 1)
    influence = (left_out.mean() - left_out) * math.sqrt((len(x) - 1) / len(x))
    return draws(float(x.mean()), drawn, influence, len(x))


def test_bias_and_acceleration_by_hand() -> None:
    # 2 draws of 10 below the value, 2 equal it: z0 of (2 + 1) / 10. Influences -1, -1, 2: a = 6 / (6 · 6^1.5).
    drawn = np.array([0.0, 0, 1, 1, 2, 2, 2, 3, 3, 3])
    found = draws(1.0, drawn, np.array([-1.0, -1.0, 2.0]), 10)
    assert found.bias == pytest.approx(scipy.stats.norm.ppf(0.3))
    assert found.acceleration == pytest.approx(6**-1.5)
    assert found.corrected


def test_levels_by_hand() -> None:
    # z0 = .2, a = .05, so many units that z is 1.96: levels Φ(z0 + (z0 ± z) / (1 - a (z0 ± z))).
    found = Draws(0.5, np.linspace(0, 1, 10_001), np.zeros(1), 10**7, 0.2, 0.05, True)
    lower, upper = 0.2 - 1.76 / 1.088, 0.2 + 2.16 / 0.892
    assert found.interval() == pytest.approx((scipy.stats.norm.cdf(lower), scipy.stats.norm.cdf(upper)), abs=2e-4)


def test_p_by_hand() -> None:
    # A tenth of the draws below 0: w = Φ⁻¹(.1) - .2 = -1.4816, z = w / (1 - .05 · 1.4816) - .2 = -1.8001, p = 2 Φ(z).
    found = Draws(0.4, np.linspace(-0.1, 0.9, 99_998), np.zeros(1), 10**7, 0.2, 0.05, True)
    assert found.p_value() == pytest.approx(2 * scipy.stats.norm.cdf(-1.8001), abs=1e-4)


def test_same_as_scipy() -> None:
    values = np.random.default_rng(1).exponential(size=150).tolist()
    found = of_mean(values)
    theirs = scipy.stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(2))
    low, high = found.interval()
    # Ours is wider by about t √(G / (G - 1)) / z = 1.0117 at 150 units.
    middle = found.value
    assert (middle - low) / 1.0117 == pytest.approx(middle - theirs.confidence_interval.low, rel=0.06)
    assert (high - middle) / 1.0117 == pytest.approx(theirs.confidence_interval.high - middle, rel=0.06)
    assert high - middle > 1.1 * (middle - low)  # skewed as the values are


def test_few_units_are_expanded() -> None:
    values = np.random.default_rng(3).normal(size=8).tolist()
    low, high = of_mean(values).interval()
    half = scipy.stats.t.ppf(0.975, 7) * np.std(values, ddof=1) / math.sqrt(8)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)


def test_p_is_that_of_students_t() -> None:
    values = np.random.default_rng(4).normal(loc=0.5, size=30).tolist()
    assert of_mean(values, 100_000).p_value() == pytest.approx(scipy.stats.ttest_1samp(values, 0).pvalue, rel=0.3)


@given(st.lists(st.integers(-5, 9), min_size=8, max_size=30))
def test_p_and_interval_agree(values: list[int]) -> None:
    found = of_mean([float(v) for v in values], 2000)
    low, high = found.interval()
    p = found.p_value()
    assert low <= high
    assert 0 < p <= 1
    if p < 0.045:
        assert low >= 0 or high <= 0
    if p > 0.055:
        assert low <= 0 <= high


@given(st.floats(-10, 10))
def test_equal_draws_are_a_point(value: float) -> None:
    found = draws(value, np.full(500, value), np.zeros(20), 20)
    assert (found.bias, found.interval()) == (0.0, (value, value))
    assert found.p_value() == 1.0 if abs(value) <= 1e-9 else found.p_value() < 0.05


def test_draws_on_one_side_are_not_corrected() -> None:
    drawn = np.linspace(0.1, 0.9, 201)
    found = draws(1.0, drawn, np.array([1.0, -3.0]), 1000)
    assert (found.corrected, found.bias, found.acceleration) == (False, 0.0, 0.0)
    assert found.interval() == pytest.approx((0.12, 0.88), abs=0.002)


@pytest.mark.parametrize("outlier", [4.0, -4.0])
def test_two_units_and_an_outlying_seed_reach_to_the_last_draw(outlier: float) -> None:
    # t with one degree of freedom is 12.7, times √2 is 18: times the acceleration of (4, -1, -1, -1, -1) it is above 1.
    drawn = np.linspace(-1, 1, 501)
    found = draws(0.0, drawn, np.array([outlier, *[-outlier / 4] * 4]), 2)
    assert abs(found.acceleration) > 0.1
    low, high = found.interval()
    assert low <= 0 <= high
    assert (low, high)[outlier > 0] == pytest.approx(math.copysign(1, outlier))


def test_p_is_never_zero() -> None:
    found = draws(5.0, np.random.default_rng(0).normal(5, 0.1, size=999), np.array([1.0, -1.0]), 1000)
    assert 1e-3 <= found.p_value() <= 3e-3
