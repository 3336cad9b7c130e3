"""Self-BLEU: by hand, beside a plain reading of its definition, both ways of counting, properties, refusals.

Equal to NLTK's sentence_bleu with method 1 where NLTK is installed (it is no dependency; `benchmarks/self_bleu.py` too).
"""

import math
import random
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.analyze.corpus import corpora
from japagen.analyze.diversity import clipped
from japagen.analyze.diversity.self_bleu import nearest_other, numbered, self_bleu, text_scores
from japagen.analyze.sampling import UndefinedError
from japagen.records import Example

Text = Sequence[str]
TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=9), min_size=2, max_size=8)


@pytest.fixture(params=["sorted", "compiled"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test counts by sorting and by the compiled loops."""
    monkeypatch.setattr(clipped, "FEW", {"sorted": 10**9, "compiled": -1}[request.param])


def scores(texts: Sequence[Text], orders: int = 5) -> list[list[float]]:
    return text_scores(*numbered(texts), orders).tolist()  # type: ignore[no-any-return]


def plain_bleu(texts: Sequence[Text], own: int, order: int) -> float:
    """BLEU as it is written down: one text, all others as references, n-grams as tuples."""
    text, references = texts[own], [other for at, other in enumerate(texts) if at != own]
    logs = []
    for n in range(1, order + 1):
        grams = [Counter(tuple(row[i : i + n]) for i in range(len(row) - n + 1)) for row in (text, *references)]
        matches = sum(min(c, max(other[gram] for other in grams[1:])) for gram, c in grams[0].items())
        if n == 1 and not matches:
            return 0.0
        logs.append(math.log((matches or 0.1) / max(1, grams[0].total())))
    nearest = min((abs(len(row) - len(text)), len(row)) for row in references)[1]
    penalty = 1.0 if len(text) > nearest else math.exp(1 - nearest / len(text))
    return penalty * math.exp(sum(logs) / order)


def random_texts(rng: random.Random) -> list[list[str]]:
    """Few or many words, short or long, some repeated, some empty."""
    words, length = rng.choice([1, 2, 5, 30]), rng.choice([0, 2, 6, 20])
    texts = [[f"w{rng.randrange(words)}" for _ in range(rng.randint(0, length))] for _ in range(rng.randint(2, 9))]
    return texts + [list(rng.choice(texts)) for _ in range(rng.choice([0, 2]))]


def test_by_hand() -> None:
    # 犬 が 走る | 犬 が 寝る: 2 of 3 words, 1 of 2 pairs, no run of three: (.1 / 1); equal lengths, no penalty
    found = scores([["犬", "が", "走る"], ["犬", "が", "寝る"]], 4)
    assert found[0] == found[1]
    assert found[0] == pytest.approx([2 / 3, (1 / 3) ** 0.5, (1 / 30) ** (1 / 3), (1 / 300) ** (1 / 4)])


def test_clipping_takes_the_largest_count_of_any_other_text() -> None:
    # a a a: the others have a twice at most, so 2 of 3; a a is told by the three a's in full; b a: a, not b
    found = [row[0] for row in scores([["a", "a", "a"], ["a", "a", "c"], ["b", "a", "a", "d"]])]
    assert found == pytest.approx([2 / 3, 2 / 3, 2 / 4])


def test_a_text_is_not_its_own_reference() -> None:
    assert scores([["a", "b", "c"], ["d", "e", "f"]]) == [[0.0] * 5] * 2


def test_a_shorter_text_pays_and_the_nearest_length_is_that_of_another() -> None:
    short, long = scores([["a"], ["a", "b", "c", "d"]], 1)
    assert short[0] == pytest.approx(math.exp(1 - 4 / 1))
    assert long[0] == pytest.approx(1 / 4)


def test_repeated_texts_are_found_whole() -> None:
    assert scores([["a", "b", "c", "d", "e"], ["a", "b", "c", "d", "e"], ["x"] * 5])[0] == pytest.approx([1.0] * 5)


def test_empty_texts_have_zero() -> None:
    assert scores([[], [], ["a"], ["a"]])[0] == [0.0] * 5
    assert scores([[], []]) == [[0.0] * 5] * 2


@settings(max_examples=300)
@given(TEXTS)
def test_equal_to_the_definition(texts: list[list[str]]) -> None:
    found = scores(texts)
    for own in range(len(texts)):
        assert found[own] == pytest.approx([plain_bleu(texts, own, order) for order in range(1, 6)], abs=1e-12)


def test_equal_to_the_definition_on_600_random_sets() -> None:
    rng = random.Random(0)
    for _ in range(600):
        texts = random_texts(rng)
        own = rng.randrange(len(texts))
        told = [plain_bleu(texts, own, order) for order in range(1, 6)]
        assert scores(texts)[own] == pytest.approx(told, abs=1e-12), texts


def test_equal_to_nltk() -> None:
    translate = pytest.importorskip("nltk.translate.bleu_score")
    rng, smooth = random.Random(1), translate.SmoothingFunction().method1
    for _ in range(600):
        texts = random_texts(rng)
        own = rng.randrange(len(texts))
        others, weights = texts[:own] + texts[own + 1 :], [(1 / n,) * n for n in range(2, 6)]
        told = [float(one) for one in translate.sentence_bleu(others, texts[own], [(1.0,), *weights], smooth)]
        assert scores(texts)[own] == pytest.approx(told, abs=1e-12), texts


@given(TEXTS, st.randoms())
def test_order_and_names_of_words_do_not_matter(texts: list[list[str]], rng: random.Random) -> None:
    order = rng.sample(range(len(texts)), len(texts))
    renamed = [[f"{word}!" for word in texts[at]] for at in order]
    assert scores(renamed) == [scores(texts)[at] for at in order]


@given(TEXTS)
def test_a_set_twice_stands_wholly_in_itself(texts: list[list[str]]) -> None:
    for text, found in zip(texts, scores(texts * 2), strict=False):
        told = [1.0 if len(text) >= order else 0.0 for order in range(1, 6)]
        assert all(0 <= value <= 1 + 1e-12 for value in found)
        assert [value for value, full in zip(found, told, strict=True) if full] == pytest.approx([1.0] * int(sum(told)))


def test_many_different_n_grams_fill_the_table_more_than_once() -> None:
    words = np.arange(90_000, dtype=np.int32).repeat(2).reshape(-1, 2).T.copy().ravel()  # every pair of words twice
    found = text_scores(words, np.array([0, 90_000, 180_000]), 3)
    assert found.tolist() == [[pytest.approx(1.0)] * 3] * 2


@given(st.lists(st.integers(0, 12), min_size=2, max_size=9))
def test_nearest_other_length(sizes: list[int]) -> None:
    told = [min((abs(b - a), b) for j, b in enumerate(sizes) if j != i)[1] for i, a in enumerate(sizes)]
    assert nearest_other(np.array(sizes)).tolist() == told


def test_of_a_corpus_says_how() -> None:
    (corpus,) = corpora([[Example("a", "犬が走る", "x"), Example("b", "犬が寝る", "x")]], ["x"])
    found = self_bleu(corpus, 2)
    assert found.values == pytest.approx((2 / 3, (1 / 3) ** 0.5))
    assert found.signature == (
        "self-bleu-1..2 = 0.667, 0.577 (n=2, 3.0 words a text, unidic-lite, all references, smoothing 1)"
    )


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="two texts or more"):
        scores([["a"]])
    with pytest.raises(ValueError, match="orders must be at least 1, not 0"):
        scores([["a"], ["a"]], 0)
