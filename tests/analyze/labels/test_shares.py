"""Shares and their intervals, the exact test against the rest, Holm, kappa: worked by hand, as properties, refusals."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.labels.shares import Share, against_the_rest, agreement, weighted, wilson
from japagen.metrics import Undefined


def test_wilson_by_hand() -> None:
    # 8 of 10, z = 1.95996: (8 + 1.92073 ± 1.95996 √(1.6 + .96036)) / 13.84146
    found = wilson(8, 10)
    assert (found.value, found.right, found.rows) == (0.8, 8, 10)
    assert found.low == pytest.approx(0.49016, abs=1e-5)
    assert found.high == pytest.approx(0.94332, abs=1e-5)
    assert wilson(0, 3).low == 0
    assert wilson(3, 3).high == 1
    assert wilson(3, 3).low == pytest.approx(0.43850, abs=1e-5)  # 3 / (3 + z²)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval_and_in_the_range(counts: tuple[int, int]) -> None:
    right, rows = counts
    found, other = wilson(right, rows), wilson(rows - right, rows)
    assert 0 <= found.low <= found.value <= found.high <= 1
    assert found.low == pytest.approx(1 - other.high)


def test_labels_count_by_their_rows() -> None:
    halves = weighted([(wilson(10, 10), 90.0), (wilson(0, 10), 10.0)])
    assert halves.value == pytest.approx(0.9)
    # below: √((.9 (1 - .72246))² + 0), above: √(0 + (.1 · .27754)²)
    assert halves.low == pytest.approx(0.9 - 0.9 * 0.27754, abs=1e-4)
    assert halves.high == pytest.approx(0.9 + 0.1 * 0.27754, abs=1e-4)
    assert (halves.right, halves.rows) == (10, 20)
    one = wilson(3, 7)
    assert weighted([(one, 5.0)]) == one


@pytest.mark.parametrize(("right", "rows"), [(0, 0), (3, 2), (-1, 2)])
def test_no_share(right: int, rows: int) -> None:
    with pytest.raises(Undefined, match="no share"):
        wilson(right, rows)


@pytest.mark.parametrize(
    "parts", [[], [(Share(1, 2, 0.5, 0.1, 0.9), 0.0)], [(Share(1, 2, 0.5, 0.1, 0.9), float("nan"))]]
)
def test_no_mean_of_shares(parts: list[tuple[Share, float]]) -> None:
    with pytest.raises(Undefined):
        weighted(parts)


def test_the_test_by_hand() -> None:
    # Tea tasting (Fisher 1935): 3 of 4 among 8 of which 4 are right; p = (16 + 16 + 1 + 1) / 70
    assert against_the_rest([(3, 4, 4, 8)]) == (pytest.approx(0.25), pytest.approx(34 / 70))
    # two labels: 0 of 1 where 3 of 4 are right, 0 of 1 where 1 of 2 is: sums 0, 1, 2 have 1/8, 4/8, 3/8
    expected, p = against_the_rest([(0, 1, 3, 4), (0, 1, 1, 2)])
    assert (expected, p) == (pytest.approx((1 + 1) / 2), pytest.approx(1 / 8))


def test_a_label_without_others_is_left_out() -> None:
    assert against_the_rest([(3, 4, 4, 8), (0, 9, 0, 9), (0, 0, 2, 5)]) == against_the_rest([(3, 4, 4, 8)])
    with pytest.raises(Undefined, match="no others"):
        against_the_rest([(2, 5, 2, 5)])
    with pytest.raises(Undefined, match="cannot be"):
        against_the_rest([(3, 2, 4, 8)])
    with pytest.raises(Undefined, match="cannot be"):
        against_the_rest([(0, 6, 4, 8)])  # two others cannot be four right ones


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, int, int]:
    rows = draw(st.integers(2, 30))
    n, right = draw(st.integers(1, rows - 1)), draw(st.integers(0, rows))
    return draw(st.integers(max(0, n - rows + right), min(n, right))), n, right, rows


@given(tables())
def test_with_one_label_it_is_fishers_test(table: tuple[int, int, int, int]) -> None:
    seen, n, right, rows = table
    chances = [Fraction(comb(right, k) * comb(rows - right, n - k), comb(rows, n)) for k in range(n + 1)]
    wanted = sum(chance for chance in chances if chance <= chances[seen])
    assert against_the_rest([table])[1] == pytest.approx(float(wanted), rel=1e-6)


@given(st.lists(tables(), min_size=1, max_size=4))
def test_right_and_wrong_change_places(strata: list[tuple[int, int, int, int]]) -> None:
    mirrored = [(n - seen, n, rows - right, rows) for seen, n, right, rows in strata]
    (expected, p), (other, q) = against_the_rest(strata), against_the_rest(mirrored)
    assert 0 < p <= 1
    assert p == pytest.approx(q)
    assert expected == pytest.approx(1 - other)


def test_agreement_by_hand() -> None:
    # Cohen's kappa of 20 both right, 5 and 10 only one, 15 both wrong: (.7 - .5) / .5
    said = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    first, second = ({str(i): pair[side] for i, pair in enumerate(said)} for side in (0, 1))
    found = agreement(first | {"alone": True}, second, seed=0)
    assert (found.both, found.first, found.second, found.neither) == (20, 5, 10, 15)
    assert found.value == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    # Large-sample standard error (Fleiss, Cohen and Everitt 1969) .127: .4 ± .25
    assert found.kappa_low == pytest.approx(0.15, abs=0.05)
    assert found.kappa_high == pytest.approx(0.65, abs=0.05)
    assert agreement(second, first, seed=0).kappa == pytest.approx(0.4)
    assert agreement(first, second, seed=0) == agreement(first, second, seed=0)


def test_two_that_never_doubt_have_no_kappa() -> None:
    found = agreement({"a": True, "b": True}, {"a": True, "b": True}, seed=0)
    assert (found.value, found.kappa, found.kappa_low, found.kappa_high) == (1.0, None, None, None)
    constant = agreement({str(i): True for i in range(9)}, {str(i): i > 2 for i in range(9)}, seed=0)
    assert constant.kappa == pytest.approx(0)
    with pytest.raises(Undefined, match="no row has both"):
        agreement({"a": True}, {"b": True}, seed=0)
