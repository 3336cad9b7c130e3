"""Wilson's interval and Holm's correction, against published and hand-worked values."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.metrics import Undefined
from japagen.significance import holm, wilson


def test_wilson_from_newcombe_1998() -> None:
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3
    for hits, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        assert wilson(hits, n) == pytest.approx((low, high), abs=6e-5)


@pytest.mark.parametrize(("hits", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_no_share(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="is no share"):
        wilson(hits, n)


def test_holm_by_hand() -> None:
    # .01 x 4, .02 x 3, .03 x 2 (which stays .06), .5 x 1; the order of the names is kept.
    corrected = holm({"c": 0.03, "a": 0.01, "d": 0.5, "b": 0.02})
    assert list(corrected) == ["c", "a", "d", "b"]
    assert corrected == pytest.approx({"a": 0.04, "b": 0.06, "c": 0.06, "d": 0.5})
    assert holm({"a": 0.6, "b": 0.7}) == {"a": 1.0, "b": 1.0}
    assert holm({}) == {}


@given(st.dictionaries(st.text(max_size=3), st.floats(0, 1), max_size=8))
def test_holm_keeps_the_order_and_never_helps(p: dict[str, float]) -> None:
    corrected = holm(p)
    assert list(corrected) == list(p)
    for name, value in p.items():
        assert value <= corrected[name] <= min(1.0, len(p) * value)
        for other in p:
            if value <= p[other]:
                assert corrected[name] <= corrected[other]
    # Rejected at a level by Holm's own steps: the smallest below level / m, the next below level / (m - 1), ...
    names = sorted(p, key=lambda name: p[name])
    for step, name in enumerate(names):
        holds = all(p[n] * (len(p) - i) <= 0.05 for i, n in enumerate(names[: step + 1]))
        assert holds == (corrected[name] <= 0.05)


@pytest.mark.parametrize("value", [1.5, -0.1, math.nan])
def test_what_is_no_probability(value: float) -> None:
    with pytest.raises(Undefined, match="is no p-value"):
        holm({"a": value})
