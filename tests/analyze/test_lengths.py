"""Lengths, register and scripts of a set: by hand, sums, and refusals."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.lengths import bin_edges, length_distribution, pooled_script_shares, register_shares
from japagen.analyze.sampling import UndefinedError


def test_lengths_by_hand() -> None:
    found = length_distribution(["あ" * n for n in (2, 4, 4, 10, 30)])
    assert (found.n, found.mean) == (5, 10)
    assert found.sd == pytest.approx(math.sqrt((64 + 36 + 36 + 0 + 400) / 4))
    assert found.quantiles == pytest.approx({"5": 2.4, "25": 4, "50": 4, "75": 10, "95": 26})
    assert found.edges == (0, 10, 20, 30, 40)
    assert found.histogram == (3, 1, 0, 1)  # 10 and 30 open the next bin


def test_one_text_has_no_deviation() -> None:
    assert length_distribution(["あ"]).sd is None


@given(st.lists(st.text("あ", max_size=700), min_size=1, max_size=10))
def test_every_text_is_in_one_bin(texts: list[str]) -> None:
    found = length_distribution(texts)
    assert sum(found.histogram) == found.n == len(texts)
    assert len(found.edges) == len(found.histogram) + 1 <= 32


@pytest.mark.parametrize(
    ("longest", "edges"), [(0, (0, 10)), (9, (0, 10)), (10, (0, 10, 20)), (300, tuple(range(0, 321, 20)))]
)
def test_bin_edges(longest: int, edges: tuple[int, ...]) -> None:
    assert bin_edges(longest) == edges


def test_register_shares() -> None:
    shares = register_shares(["いいです", "いい", "良いです", "OK"])
    assert shares == {"polite": 0.5, "plain": 0.25, "unknown": 0.25}


def test_scripts_are_pooled_by_character() -> None:
    shares = pooled_script_shares(["あああ漢", "1", "。"])
    assert (shares["hiragana"], shares["kanji"], shares["digit"]) == (3 / 5, 1 / 5, 1 / 5)
    assert sum(shares.values()) == pytest.approx(1)


def test_undefined() -> None:
    with pytest.raises(UndefinedError, match="no texts, no lengths"):
        length_distribution([])
    with pytest.raises(UndefinedError, match="lengths 3 to 3 are not within 0 to 2"):
        length_distribution(["あああ"], [0, 2])
    with pytest.raises(UndefinedError, match="no texts, no register"):
        register_shares([])
    with pytest.raises(UndefinedError, match="no characters, no scripts"):
        pooled_script_shares(["。"])
