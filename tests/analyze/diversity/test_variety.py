"""Measures of variety: by hand, beside plain readings of their definitions, equal sizes, refusals."""

import math
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.corpus import Corpus
from japagen.analyze.diversity.self_bleu import numbered, text_scores
from japagen.analyze.diversity.variety import (
    ALIKE,
    MEASURES,
    VARIED,
    Pool,
    compression,
    distinct,
    entropy,
    gram_numbers,
)
from japagen.analyze.sampling import UndefinedError

TEXTS = [["靴", "が", "いい"], ["靴", "が", "いい", "靴", "が"], ["は", "い"]]
ROWS = st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=6)


def corpus(texts: Sequence[Sequence[str]]) -> Corpus:
    words, offsets = numbered(texts)
    n = len(texts)
    known = list(dict.fromkeys(word for text in texts for word in text))
    parts = np.zeros(len(words), np.int8)
    ids = [str(at) for at in range(n)]
    return Corpus(
        ["".join(text) for text in texts], ids, np.zeros(n, np.int16), words, parts, offsets, known, "by hand"
    )


def grams(text: Sequence[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(text[i : i + n]) for i in range(len(text) - n + 1)]


def measured(texts: Sequence[Sequence[str]], *groups: Sequence[int]) -> list[dict[str, float | None]]:
    rows = groups or [range(len(texts))]
    return [dict(one) for one in Pool.of(corpus(texts)).measured([np.array(group, np.int64) for group in rows])]


def test_distinct_and_entropy_by_hand() -> None:
    (found,) = measured(TEXTS)
    assert found["distinct_1"] == 5 / 10  # 靴 が いい は い of ten words
    assert found["distinct_2"] == 4 / 7  # 靴が がいい いい靴 はい; none reaches from one text into the next
    assert found["distinct_3"] == 3 / 4  # 靴がいい (twice) がいい靴 いい靴が
    assert found["entropy_3"] == pytest.approx(1.5)  # halves and two quarters
    assert found["entropy_1"] == pytest.approx(
        2 * 0.3 * math.log2(1 / 0.3) + 0.2 * math.log2(5) + 2 * 0.1 * math.log2(10)
    )


def test_self_repetition_by_hand() -> None:
    # abcd stands in texts 1, 2 and 3; bcde in 1 and 2: text 1 has 2 + 1, text 2 the same, text 3 has 2, text 4 none
    (found,) = measured([list("abcde"), list("abcde"), list("abcd"), list("xyz")])
    assert found["self_repetition"] == pytest.approx((2 * math.log(4) + math.log(3) + 0) / 4)
    assert found["repeated_8"] == 0.0


def test_a_run_that_one_text_has_twice_is_no_repetition() -> None:
    (found,) = measured([list("abcdabcd"), list("efgh")])
    assert found["self_repetition"] == 0.0


def test_repeated_runs_of_eight_by_hand() -> None:
    (found,) = measured([list("abcdefgh"), list("zabcdefghz"), list("abcdefgx"), ["a"]])
    assert found["repeated_8"] == 2 / 4


def test_compression_by_hand() -> None:
    data = b"ab" * 500
    assert compression(data) == 1000 / len(zlib.compress(data, 6))
    (found,) = measured([["あ"] * 30, ["い"] * 30])
    text = ("あ" * 30 + "\n" + "い" * 30).encode()
    assert found["compression"] == len(text) / len(zlib.compress(text, 6))


def test_every_group_is_cut_to_the_smallest() -> None:
    texts = [list("abab"), list("aaaaaaaaaaaa")]
    one, other = measured(texts, [0], [1])
    assert one["distinct_1"] == 2 / 4
    assert other["distinct_1"] == 1 / 4  # of the first four, not of all twelve
    assert one["distinct_3"] == 2 / 2
    assert other["distinct_3"] == 1 / 2


def test_groups_know_nothing_of_one_another() -> None:
    texts = [list("abcdefgh"), list("abcdefgh"), list("ijklmnop"), list("qrstuvwx")]
    for groups in ([[0, 2], [1, 3]], [[2, 0], [3, 1]]):
        for found in measured(texts, *groups):
            assert (found["self_bleu_1"], found["self_repetition"], found["repeated_8"]) == (0, 0, 0)
    together = measured(texts, [0, 1], [2, 3])
    assert [one["repeated_8"] for one in together] == [1.0, 0.0]
    assert [one["self_bleu_5"] for one in together] == [pytest.approx(1.0), 0.0]


@given(ROWS)
def test_equal_to_the_definitions(texts: list[list[str]]) -> None:
    (found,) = measured(texts)
    for n in (1, 2, 3):
        counts = Counter(gram for text in texts for gram in grams(text, n))
        total = counts.total()
        told = found[f"distinct_{n}"], found[f"entropy_{n}"]
        if not total:
            assert told == (None, None)
            continue
        assert told[0] == pytest.approx(len(counts) / total)
        assert told[1] == pytest.approx(-sum(c / total * math.log2(c / total) for c in counts.values()), abs=1e-9)
    if len(texts) < 2:
        assert {found[f"self_bleu_{n}"] for n in range(1, 6)} | {found["self_repetition"]} == {None}
        return
    assert found["self_bleu_3"] == pytest.approx(text_scores(*numbered(texts), 3)[:, 2].mean())
    for name, n in (("self_repetition", 4), ("repeated_8", 8)):
        sets = [set(grams(text, n)) for text in texts]
        sums = [sum(gram in b for gram in a for j, b in enumerate(sets) if j != i) for i, a in enumerate(sets)]
        if name == "self_repetition":
            assert found[name] == pytest.approx(sum(math.log(1 + s) for s in sums) / len(texts))
        else:
            assert found[name] == pytest.approx(sum(s > 0 for s in sums) / len(texts))


@given(ROWS, st.integers(1, 6))
def test_n_grams_have_the_same_number_where_they_are_equal(texts: list[list[str]], n: int) -> None:
    words, offsets = numbered(texts)
    numbers = gram_numbers(words, offsets, n)
    known: dict[int, tuple[str, ...]] = {}
    for text, begin in zip(texts, offsets.tolist(), strict=False):
        for at in range(len(text)):
            gram = tuple(text[at : at + n])
            number = int(numbers[begin + at])
            assert (number >= 0) == (len(gram) == n)
            if number >= 0:
                assert known.setdefault(number, gram) == gram
    assert len(set(known.values())) == len(known)
    assert sorted(known) == list(range(len(known)))


def test_every_measure_is_named_once() -> None:
    assert set(measured(TEXTS)[0]) == set(MEASURES) == set(ALIKE) | set(VARIED)
    assert len(MEASURES) == len(ALIKE) + len(VARIED)


@pytest.mark.parametrize("texts", [[], [[]], [[], []]])
def test_nothing_to_measure_is_none_and_never_zero(texts: list[list[str]]) -> None:
    (found,) = measured(texts)
    assert found["distinct_1"] is None
    assert found["entropy_2"] is None
    assert found["compression"] is None or len(texts) > 1  # a line break between two empty texts


def test_refusals() -> None:
    with pytest.raises(UndefinedError):
        distinct(np.array([0, 0]))
    with pytest.raises(UndefinedError):
        entropy(np.zeros(0, np.int64))
    with pytest.raises(UndefinedError):
        compression(b"")
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        gram_numbers(*numbered([["a"]]), 0)
