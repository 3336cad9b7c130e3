"""Lengths: by hand, bins that hold every text, outliers that do not widen them, refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.fidelity.histogram import BINS, bin_edges, describe_lengths
from japagen.analyze.sampling import UndefinedError


def test_by_hand() -> None:
    found = describe_lengths([2, 4, 4, 10, 30], [0, 10, 20, 30, 40])
    assert (found.n, found.mean) == (5, 10)
    assert found.sd == pytest.approx(math.sqrt((64 + 36 + 36 + 0 + 400) / 4))
    assert found.quantiles == pytest.approx({"5": 2.4, "25": 4, "50": 4, "75": 10, "95": 26})
    assert found.edges == (0, 10, 20, 30, 40)
    assert found.counts == (3, 1, 0, 1)  # 10 and 30 open the next bin


def test_one_text_has_no_deviation() -> None:
    assert describe_lengths([1], [0, 2]).sd is None


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=300))
def test_every_text_is_in_one_bin(lengths: list[int]) -> None:
    edges = bin_edges(lengths)
    found = describe_lengths(lengths, edges)
    assert sum(found.counts) == found.n == len(lengths)
    assert len(found.edges) == len(found.counts) + 1 <= BINS + 2
    assert list(edges) == sorted(set(edges))


@pytest.mark.parametrize(
    ("lengths", "edges"),
    [
        ([0], (0, 1)),
        ([3], (0, 1, 2, 3, 4)),
        ([29], tuple(range(31))),
        ([30], tuple(range(0, 33, 2))),
        ([300], tuple(range(0, 321, 20))),
    ],
)
def test_edges(lengths: list[int], edges: tuple[int, ...]) -> None:
    assert bin_edges(lengths) == edges


def test_a_text_as_long_as_a_book_does_not_push_all_others_into_one_bin() -> None:
    edges = bin_edges([*range(100, 300)] * 2 + [100_000])
    assert edges == (*range(0, 301, 10), 100_001)
    assert describe_lengths([100_000], edges).counts[-1] == 1


def test_undefined() -> None:
    with pytest.raises(UndefinedError, match="no texts, no lengths"):
        bin_edges([])
    with pytest.raises(UndefinedError, match="no texts, no lengths"):
        describe_lengths([], [0, 1])
    with pytest.raises(UndefinedError, match="lengths 3 to 3 are not within 0 to 2"):
        describe_lengths([3], [0, 2])
