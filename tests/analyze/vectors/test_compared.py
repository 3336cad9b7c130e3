"""Value and ceiling with their intervals: by hand, the gap's side, bounds; how often rows are drawn."""

import numpy as np
import pytest

from japagen.analyze.vectors.compared import compared, weights


def test_by_hand() -> None:
    # of 0..40 the 95 % lie between 1 and 39, around 20; of the ceiling's ten times as far; their difference 9 times
    steps = np.arange(41.0)
    found = compared("m", (100.0, 500.0), (steps, 10 * steps), "n=2")
    assert (found.low, found.high) == (pytest.approx(81), pytest.approx(119))
    assert (found.ceiling_low, found.ceiling_high) == (pytest.approx(310), pytest.approx(690))
    assert (found.gap, found.gap_low, found.gap_high) == (400, pytest.approx(229), pytest.approx(571))
    assert found.signature == (
        "m = 100.000 [81.000, 119.000], gold 500.000 (n=2, 95% bootstrap of rows, 41 resamples centred on the value)"
    )


def test_the_gap_strays_further_to_the_side_that_the_ceiling_does() -> None:
    ceiling = np.array([0.0] * 9 + [1.0])  # its mean .1, far above it once
    found = compared("m", (0.4, 0.5), (np.zeros(10), ceiling), "n=2")
    assert found.gap_high - found.gap > found.gap - found.gap_low > 0


def test_intervals_stay_within_what_there_is() -> None:
    found = compared("m", (0.01, 0.99), (np.linspace(0, 1, 9), np.linspace(0, 1, 9)), "n=2", most=1.0)
    assert (found.low, found.ceiling_high) == (0, 1)
    assert found.gap_low == found.gap == found.gap_high  # both stray together


def test_each_set_is_drawn_from_its_own_stream() -> None:
    sets = weights(5, resamples=40, seed=0, name="x")
    assert all(one.shape == (40, 5) and (one.sum(axis=1) == 5).all() for one in sets)
    assert not np.array_equal(sets[0], sets[1])
    assert np.array_equal(sets[2], weights(5, resamples=40, seed=0, name="x")[2])
