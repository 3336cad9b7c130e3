"""Correlations of many resamples at once: worked by hand, and equal to scipy on the rows that were drawn."""

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.correlation import measure
from japagen.metrics import CORRELATIONS, Undefined

relaxed = settings(deadline=None, max_examples=60)
values = st.integers(0, 4).map(float) | st.floats(-100, 100).map(lambda x: round(x, 2))


def test_ranks_with_ties_by_hand() -> None:
    gold, run = [1.0, 2.0, 2.0, 4.0], [1.0, 3.0, 2.0, 2.0]
    # Each item once: ranks 1, 2.5, 2.5, 4 and 1, 4, 2.5, 2.5; minus 2.5 their products sum to 2.25, their squares to 4.5.
    # The last one twice, the second never: 1, 2, 4, 4 against 1, 2, 2, 2 with the ranks 1, 2, 3.5, 3.5 and 1, 3, 3, 3;
    # minus 2.5 the products sum to 2.25 - .25 + .5 + .5 = 3, the squares to 4.5 and 3.
    weights = np.array([[1, 1, 1, 1], [1, 0, 1, 2]], np.float32)
    found = measure("spearman", gold, [run])(weights)
    np.testing.assert_allclose(found, [[2.25 / 4.5], [3 / np.sqrt(4.5 * 3)]])


def test_a_constant_resample_has_no_value() -> None:
    weights = np.array([[1, 1, 1], [3, 0, 0], [0, 2, 1], [0, 0, 2]], np.float32)
    for metric in CORRELATIONS:
        first, second = measure(metric, [1.0, 2.0, 3.0], [[1.0, 5.0, 5.0], [3.0, 2.0, 1.0]])(weights).T
        np.testing.assert_array_equal(np.isnan(first), [False, True, True, True])
        np.testing.assert_array_equal(np.isnan(second), [False, True, False, True])
        np.testing.assert_allclose(second[[0, 2]], -1)


@relaxed
@given(
    st.lists(st.tuples(values, values, values), min_size=2, max_size=14), st.integers(0, 99), st.sampled_from([1, 7])
)
def test_same_as_scipy_on_what_was_drawn(rows: list[tuple[float, float, float]], seed: int, scale: int) -> None:
    gold, *runs = (np.array([row[i] for row in rows]) * scale for i in range(3))
    weights = np.random.default_rng(seed).integers(0, 3, size=(6, len(rows))).astype(np.float32)
    weights[:, 0] += 1
    for metric, theirs in (("spearman", scipy.stats.spearmanr), ("pearson", scipy.stats.pearsonr)):
        if any(np.ptp(series) == 0 for series in (gold, *runs)):
            with pytest.raises(Undefined, match="with a constant"):
                measure(metric, gold.tolist(), [run.tolist() for run in runs])
            continue
        found = measure(metric, gold.tolist(), [run.tolist() for run in runs])(weights)
        assert found.shape == (6, 2)
        for r, weight in enumerate(weights):
            drawn = np.repeat(np.arange(len(rows)), weight.astype(int))
            for s, run in enumerate(runs):
                x, y = gold[drawn], run[drawn]
                if np.ptp(x) == 0 or np.ptp(y) == 0:
                    assert np.isnan(found[r, s])
                else:
                    assert found[r, s] == pytest.approx(theirs(x, y).statistic, abs=1e-6)


def test_numbers_of_any_size() -> None:
    weights = np.ones((300, 4), np.float32)  # more resamples than are taken at once
    for scale in (1e-300, 1.0, 1e300):
        for metric in CORRELATIONS:
            found = measure(metric, [1, 2, 3, 4], [[scale, 3 * scale, 2 * scale, 4 * scale]])(weights)
            np.testing.assert_allclose(found, 0.8)
