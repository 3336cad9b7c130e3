"""Log-likelihood ratio: by hand, zero for equal rates, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.likelihood import log_likelihood_ratio


def test_ratio_by_hand() -> None:
    # 10 of 100 against 5 of 100: 7.5 expected on both sides
    assert log_likelihood_ratio(10, 100, 5, 100) == pytest.approx(2 * (10 * math.log(4 / 3) + 5 * math.log(2 / 3)))
    # 1 of 10 against 3 of 10: 2 expected on both sides
    assert log_likelihood_ratio(1, 10, 3, 10) == pytest.approx(2 * (math.log(1 / 2) + 3 * math.log(3 / 2)))
    # 4 of 20 against 0 of 60: 1 expected here, and what does not occur adds nothing
    assert log_likelihood_ratio(4, 20, 0, 60) == pytest.approx(2 * 4 * math.log(4))


@given(st.integers(0, 50), st.integers(50, 90), st.integers(1, 50), st.integers(50, 90))
def test_ratio_is_symmetric_and_zero_at_equal_rates(a: int, n: int, b: int, m: int) -> None:
    assert log_likelihood_ratio(a, n, b, m) == pytest.approx(log_likelihood_ratio(b, m, a, n))
    assert log_likelihood_ratio(a, n, b, m) >= -1e-9
    assert log_likelihood_ratio(b, n, 2 * b, 2 * n) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("counts", [(0, 5, 0, 5), (0, 0, 1, 5), (1, 5, 0, 0)])
def test_undefined(counts: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="a frequency needs"):
        log_likelihood_ratio(*counts)
