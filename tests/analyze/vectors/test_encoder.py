"""Vectors of rows: single texts and pairs, an order of their own, principal components, refusals."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors.encoder import Encoder, in_own_order, principal, row_vectors, sentence_encoder
from japagen.progress import Progress
from japagen.records import Example
from japagen.student.vectors import encoder_version


def by_first_letter(texts: Sequence[str]) -> np.ndarray:
    return np.eye(4, dtype=np.float32)[["abcd".index(text[0]) for text in texts]]


LETTERS = Encoder("letters-1", by_first_letter)


def test_single_texts() -> None:
    rows = [Example("1", "b", "x"), Example("2", "a", "x")]
    assert row_vectors(rows, LETTERS).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]


def test_a_pair_is_both_texts_and_the_product_is_the_mean_of_both_cosines() -> None:
    rows = [Example("1", "a", "x", "b"), Example("2", "a", "x", "c"), Example("3", "b", "x", "a")]
    found = row_vectors(rows, LETTERS)
    assert found.shape == (3, 8)
    assert (found @ found.T).round(9).tolist() == [[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]]  # which came first matters


def test_progress_counts_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("japagen.analyze.vectors.encoder.AT_A_TIME", 2)
    told: list[Progress] = []
    row_vectors([Example(str(n), "a", "x") for n in range(3)], LETTERS, told.append)
    assert [(one.item, one.done, one.total) for one in told] == [
        ("vectors", 0, 3),
        ("vectors", 2, 3),
        ("vectors", 3, 3),
    ]


def test_the_encoder_of_the_package_is_named_with_its_version() -> None:
    encoder = sentence_encoder()
    assert encoder.name == encoder_version()
    found = encoder.encode(["犬が走る。", "犬が走る。", "税金を払う。"])
    assert np.array_equal(found[0], found[1])
    assert float(found[0] @ found[2]) < 0.9


@given(st.permutations(range(6)))
def test_an_order_that_depends_on_nothing_but_the_rows(order: list[int]) -> None:
    rows = np.random.default_rng(0).normal(size=(6, 3))
    rows[1] = rows[4]
    assert np.array_equal(rows[order][in_own_order(rows[order])], rows[in_own_order(rows)])


def test_principal_components_by_hand() -> None:
    rows = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]])  # variances 8 and 2
    assert np.abs(principal(rows)).round(9).tolist() == [[2, 0], [2, 0], [0, 1], [0, 1]]
    assert principal(rows, share=0.8).shape == (4, 1)
    assert principal(rows, share=0.81).shape == (4, 2)
    assert principal(rows, most=1).shape == (4, 1)


@given(st.integers(2, 8), st.integers(1, 8), st.integers(0, 9))
def test_all_components_keep_all_distances(n: int, d: int, seed: int) -> None:
    rows = np.random.default_rng(seed).normal(size=(n, d))
    found = principal(rows)
    for one, other in ((rows, found), (rows[::-1], found[::-1])):
        assert np.linalg.norm(one[0] - one[-1]) == pytest.approx(np.linalg.norm(other[0] - other[-1]))


def test_rows_that_are_all_alike_have_one_component() -> None:
    assert principal(np.ones((3, 4))).tolist() == [[0], [0], [0]]


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="no texts"):
        row_vectors([], LETTERS)
    with pytest.raises(UndefinedError, match="pairs and single texts"):
        row_vectors([Example("1", "a", "x"), Example("2", "a", "x", "b")], LETTERS)
    with pytest.raises(UndefinedError, match="no vectors"):
        principal(np.zeros((0, 3)))
