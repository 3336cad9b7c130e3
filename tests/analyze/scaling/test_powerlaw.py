"""Curves a - b n^-c: found again where they are, bounded where they are not, refused where there is nothing to fit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.scaling.powerlaw import EXPONENTS, Curve, fit_curve, fit_curves
from japagen.metrics import Undefined

SIZES = (250, 500, 1000, 2000, 4000)


def scores_of(ceiling: float, b: float, c: float, sizes: tuple[int, ...] = SIZES) -> list[float]:
    return [ceiling - b * n**-c for n in sizes]


def test_a_curve_is_found_again() -> None:
    """.9 - 2 n^-.5: .9 - 2 / 63.2456 at 4,000; a doubling of 10,000 gains 2 (1 - 2^-.5) / 100 = .0058579."""
    curve = fit_curve(SIZES, scores_of(0.9, 2, 0.5), [1] * 5)
    assert curve.ceiling == pytest.approx(0.9, abs=1e-6)
    assert curve.exponent == pytest.approx(0.5, abs=1e-5)
    assert curve.at(4000) == pytest.approx(0.868377, abs=1e-6)
    assert curve.gain(10_000) == pytest.approx(0.0058579, abs=1e-6)
    assert curve.enough(0.01) == pytest.approx((2 * (1 - 2**-0.5) / 0.01) ** 2, rel=1e-4)  # 3,431


@given(
    ceiling=st.floats(0.3, 0.99),
    drop=st.floats(0.02, 0.3),
    exponent=st.floats(0.1, 2.0),
    start=st.integers(10, 1000),
    weights=st.lists(st.floats(0.1, 10), min_size=5, max_size=5),
)
def test_any_curve_is_found_again_whatever_the_weights(
    ceiling: float, drop: float, exponent: float, start: int, weights: list[float]
) -> None:
    sizes = [start * 2**k for k in range(5)]
    size = start * 4
    truth = Curve(ceiling, drop, exponent, size)
    curve = fit_curve(sizes, [truth.at(n) for n in sizes], weights)
    for n in (*sizes, 2 * sizes[-1]):
        assert curve.at(n) == pytest.approx(truth.at(n), abs=1e-5)
    if curve.drop:
        assert curve.gain(curve.enough(0.002)) == pytest.approx(0.002, rel=1e-6)


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_no_curve_falls_and_none_passes_the_top(scores: list[float]) -> None:
    curve = fit_curve((10, 20, 40, 80), scores, [1] * 4)
    assert curve.ceiling <= 1
    assert curve.drop >= 0
    assert EXPONENTS[0] <= curve.exponent * 1.000001 <= EXPONENTS[1] * 1.00001
    assert curve.gain(80) >= 0
    # no worse than the mean, which is a curve too
    errors = sum((curve.at(n) - y) ** 2 for n, y in zip((10, 20, 40, 80), scores, strict=True))
    assert errors <= sum((y - np.mean(scores)) ** 2 for y in scores) + 1e-9


def test_the_top_binds_where_the_best_line_would_pass_it() -> None:
    curve = fit_curve(SIZES, [0.5, 0.6, 0.7, 0.8, 0.9], [1] * 5)  # a straight line over log n
    assert curve.ceiling == 1.0
    assert fit_curve(SIZES, [0.5, 0.6, 0.7, 0.8, 0.9], [1] * 5, top=2.0).ceiling > 1


def test_what_falls_or_stands_still_is_a_level() -> None:
    for scores in ([0.9, 0.8, 0.7, 0.6, 0.5], [0.7] * 5):
        curve = fit_curve(SIZES, scores, [1] * 5)
        assert (curve.ceiling, curve.drop) == (pytest.approx(0.7), pytest.approx(0, abs=1e-12))
        assert curve.enough(0.002) == 0.0


def test_weights_decide_between_points_that_disagree() -> None:
    bent = [*scores_of(0.9, 2, 0.5)[:4], 0.5]
    light = fit_curve(SIZES, bent, [1, 1, 1, 1, 1e-9])
    assert light.at(4000) == pytest.approx(0.868377, abs=1e-4)
    assert fit_curve(SIZES, bent, [1, 1, 1, 1, 1e9]).at(4000) == pytest.approx(0.5, abs=1e-3)


def test_many_curves_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(0)
    scores = np.array(scores_of(0.8, 1, 0.3)) + rng.normal(0, 0.01, (20, 5))
    for row, curve in zip(scores, fit_curves(SIZES, scores, [1, 2, 3, 4, 5]), strict=True):
        alone = fit_curve(SIZES, row.tolist(), [1, 2, 3, 4, 5])
        assert curve.at(8000) == pytest.approx(alone.at(8000), abs=1e-6)


@pytest.mark.parametrize(
    ("sizes", "scores", "weights"),
    [
        ((100, 200), [0.5, 0.6], [1, 1]),
        ((100, 200, 200), [0.5, 0.6, 0.61], [1, 1, 1]),
        ((), [], []),
        ((0, 100, 200), [0.4, 0.5, 0.6], [1, 1, 1]),
        ((100, 200, 400), [0.4, math.nan, 0.6], [1, 1, 1]),
        ((100, 200, 400), [0.4, 0.5, 0.6], [1, 0, 1]),
        ((100, 200, 400), [0.4, 0.5], [1, 1, 1]),
    ],
)
def test_what_is_no_curve_is_refused(sizes: tuple[int, ...], scores: list[float], weights: list[float]) -> None:
    with pytest.raises(Undefined):
        fit_curve(sizes, scores, weights)


def test_an_epsilon_of_nothing_is_refused() -> None:
    with pytest.raises(Undefined, match="never comes"):
        Curve(0.9, 0.1, 0.5, 100).enough(0.0)


def test_a_gain_that_hardly_falls_needs_more_rows_than_can_be_told() -> None:
    assert Curve(1.0, 1.0, 0.05, 100).enough(1e-20) == math.inf
