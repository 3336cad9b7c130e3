"""How many gold labels a score is worth: between the measured numbers, and never beyond them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.scaling.worth import bounded, labels_for, rising
from japagen.metrics import Undefined


def test_curves_that_fall_are_pooled() -> None:
    """3, 1, 2 has the mean 2; of 1, 3, 2 the last two have 2.5; what rises stays."""
    found = rising(np.array([[3.0, 1, 2], [1, 3, 2], [1, 2, 3], [4, 4, 1]]))
    assert found.tolist() == [[2, 2, 2], [1, 2.5, 2.5], [1, 2, 3], [3, 3, 3]]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=7))
def test_a_pooled_curve_is_the_isotonic_regression(scores: list[float]) -> None:
    from sklearn.isotonic import IsotonicRegression

    expected = IsotonicRegression().fit_transform(np.arange(len(scores)), scores)
    assert rising(np.array([scores]))[0] == pytest.approx(expected, abs=1e-9)


def test_a_score_between_two_points_stands_on_a_straight_line_over_the_logarithm() -> None:
    """20 labels score .6 and 80 score .8: half way up is 40, a quarter 28.28; the ends are themselves."""
    found = labels_for([0.7, 0.65, 0.6, 0.8, 0.59, 0.81], [20, 80], np.tile([0.6, 0.8], (6, 1)))
    assert found.tolist() == pytest.approx([40, 20 * 4**0.25, 20, 80, 0, math.inf])


def test_on_a_level_stretch_the_fewest_labels_count() -> None:
    assert labels_for([0.7], [10, 20, 40], np.array([[0.6, 0.7, 0.7]])).tolist() == [20]


@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_a_better_score_is_never_worth_fewer_labels(curve: list[float], one: float, other: float) -> None:
    curves = rising(np.array([curve, curve]))
    low, high = labels_for(sorted((one, other)), [4, 10, 50, 100], curves).tolist()
    assert low <= high


@pytest.mark.parametrize("labels", [[20], [], [20, 20], [80, 20], [0, 20]])
def test_no_curve_of_gold_labels_is_refused(labels: list[float]) -> None:
    with pytest.raises(Undefined, match="gold curve"):
        labels_for([0.7], labels, np.array([[0.6] * len(labels)]))


def test_nothing_is_told_beyond_what_was_measured() -> None:
    draws = np.array([0.0] * 30 + [40.0] * 930 + [math.inf] * 40)
    told = bounded(40.0, draws, 20, 80)
    assert told == {
        "least": 20, "most": 80, "value": 40.0, "side": "within", "low": None, "low_side": "below",
        "high": None, "high_side": "above",
    }  # fmt: skip
    above = bounded(math.inf, np.full(10, math.inf), 20, 80)
    assert (above["value"], above["side"], above["low"], above["low_side"]) == (None, "above", None, "above")
    below = bounded(0.0, np.array([0.0] * 9 + [25.0]), 20, 80)
    assert (below["side"], below["low_side"], below["high"], below["high_side"]) == ("below", "below", 25.0, "within")
