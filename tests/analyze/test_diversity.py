"""Distinct-n and type-token ratio: by hand, the property that makes the size matter, and refusals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.diversity import distinct_n, type_token
from japagen.analyze.sampling import UndefinedError

TEXTS = [["靴", "が", "いい"], ["靴", "が", "いい", "靴", "が"], ["は", "い"]]
WORDS = st.lists(st.lists(st.sampled_from("abcd"), min_size=3, max_size=8), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("n", "value", "grams"),
    [
        (1, 5 / 10, 10),  # 靴 が いい は い of ten words
        (2, 4 / 7, 7),  # 靴が がいい いい靴 はい of 2 + 4 + 1; none reaches from one text into the next
        (3, 3 / 4, 4),  # 靴がいい がいい靴 いい靴が of 1 + 3 + 0
    ],
)
def test_distinct_n_by_hand(n: int, value: float, grams: int) -> None:
    found = distinct_n(TEXTS, n, sample=3, seed=0)
    assert found.value == pytest.approx(value)
    assert found.signature == f"distinct-{n} = {value:.3f} (n=3 texts, {grams} {n}-grams, fugashi/unidic-lite, seed 0)"


def test_type_token_by_hand() -> None:
    assert type_token(TEXTS, tokens=10, seed=0).value == 5 / 10
    assert type_token([["a", "a", "b"]], tokens=2, seed=0).value == 1 / 2
    assert type_token([["a", "b"]], tokens=2, seed=7).signature == (
        "type-token = 1.000 (2 words, fugashi/unidic-lite, seed 7)"
    )


@given(WORDS, st.integers(1, 3), st.integers(0, 5))
def test_all_of_a_set_needs_no_luck_and_twice_the_set_is_half_as_varied(
    texts: list[list[str]], n: int, seed: int
) -> None:
    whole = distinct_n(texts, n, sample=len(texts), seed=seed).value
    assert 0 < whole <= 1
    assert distinct_n(texts, n, sample=len(texts), seed=seed + 1).value == whole
    assert distinct_n(texts * 2, n, sample=2 * len(texts), seed=seed).value == pytest.approx(whole / 2)


def test_the_seed_draws() -> None:
    texts = [["a"] * k for k in range(1, 30)]
    values = [distinct_n(texts, 1, sample=3, seed=seed).value for seed in (0, 0, 1)]
    assert values[0] == values[1] != values[2]


def test_undefined() -> None:
    with pytest.raises(UndefinedError, match="cannot draw 1 of 0 rows"):
        distinct_n([], 1, sample=1, seed=0)
    with pytest.raises(UndefinedError, match="none of 1 texts has 3 words"):
        distinct_n([["は", "い"]], 3, sample=1, seed=0)
    with pytest.raises(UndefinedError, match="cannot take 0 of 0 words"):
        type_token([], tokens=0, seed=0)
    with pytest.raises(UndefinedError, match="cannot take 3 of 2 words"):
        type_token([["は", "い"]], tokens=3, seed=0)
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        distinct_n(TEXTS, 0, sample=1, seed=0)
