"""Vocabulary overlap: by hand, symmetric, disjoint halves, refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.overlap import ceiling, jaccard, vocabulary_jaccard
from japagen.analyze.sampling import UndefinedError

VOCABULARY = st.frozensets(st.sampled_from("abcdef"), min_size=1)


def test_by_hand() -> None:
    left, right = [["a", "b"], ["b", "c"]], [["b"], ["c", "d", "c"]]
    found = vocabulary_jaccard(left, right, n=2, draws=3, seed=0)
    assert found.value == found.low == found.high == 2 / 4  # b c of a b c d, whatever the order
    assert found.signature == (
        "vocabulary-jaccard = 0.500 [0.500, 0.500]"
        " (n=2 texts a side, mean and range of 3 draws, fugashi/unidic-lite, seed 0)"
    )


def test_mean_and_range_of_draws() -> None:
    found = vocabulary_jaccard([["a"], ["b"]], [["a"]], n=1, draws=40, seed=0)
    assert (found.low, found.high) == (0, 1)
    assert 0.2 < found.value < 0.8


@given(VOCABULARY, VOCABULARY)
def test_jaccard_is_symmetric(left: frozenset[str], right: frozenset[str]) -> None:
    assert jaccard(left, right) == jaccard(right, left)
    assert jaccard(left, left) == 1


def test_ceiling_never_compares_a_text_with_itself() -> None:
    assert ceiling([[f"{i}"] for i in range(10)], n=5, draws=20, seed=0).high == 0
    assert ceiling([["a"], ["a"]], n=1, draws=2, seed=0).value == 1


def test_more_texts_overlap_more() -> None:
    # why both sides are drawn at the same number: the value depends on it
    texts = [[str(i % 17), str(i % 23)] for i in range(60)]
    small, large = (ceiling(texts, n=n, draws=20, seed=0).value for n in (5, 30))
    assert small < large


def test_undefined() -> None:
    with pytest.raises(UndefinedError, match="two empty vocabularies"):
        jaccard(frozenset(), frozenset())
    with pytest.raises(UndefinedError, match="cannot draw 2 of 1 rows"):
        vocabulary_jaccard([["a"]], [["a"], ["b"]], n=2, draws=1, seed=0)
    with pytest.raises(UndefinedError, match="cannot draw 2 of 1 rows"):
        ceiling([["a"]], n=1, draws=1, seed=0)
    with pytest.raises(UndefinedError, match="cannot draw 0 of 2 rows"):
        ceiling([["a"], ["b"]], n=0, draws=1, seed=0)
    with pytest.raises(UndefinedError, match="no draws, no mean"):
        ceiling([["a"], ["b"]], n=1, draws=0, seed=0)
