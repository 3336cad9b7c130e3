"""The set join: by hand, and against comparing every two sets, counted, compiled and in blocks."""

from __future__ import annotations

import random
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import setjoin
from japagen.ngrams import jaccard, trigrams
from japagen.setjoin import Pairs, Sets, first_similar, join, self_join

SIMILARITIES = st.sampled_from([0.3, 0.5, 0.55, 0.6, 0.7, 0.8, 0.9, 1.0]) | st.floats(0.3, 1)
HOSTILE = st.text(st.characters(codec=None, exclude_categories=()), max_size=8)
TEXTS = st.lists(st.text("あいう2", max_size=12) | HOSTILE, max_size=25)

Found = dict[tuple[int, int], float]


@pytest.fixture(params=["counted", "compiled"])
def few(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "compiled":
        monkeypatch.setattr(setjoin, "FEW", 0)


def found(pairs: Pairs) -> Found:
    return dict(zip(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True), pairs.scores.tolist(), strict=True))


def brute(texts: list[str], similarity: float) -> Found:
    grams = [trigrams(text) for text in texts]
    scores = {(i, j): jaccard(grams[i], grams[j]) for i, j in combinations(range(len(texts)), 2)}
    return {pair: score for pair, score in scores.items() if score >= similarity}


def varied(number: int, length: int, seed: int) -> list[str]:
    """Texts of two alphabets, half of them earlier ones with up to three changes."""
    rng = random.Random(seed)
    made: list[str] = []
    for i in range(number):
        if i and rng.random() < 0.5:
            chars = list(rng.choice(made))
            for _ in range(rng.randrange(4)):
                place = rng.randrange(len(chars) + 1)
                chars[place : place + 1] = rng.choice(["", "異", "変わ"])
            made.append("".join(chars))
        else:
            made.append("".join(rng.choices("あいうえおかきくけこさしすせそ漢字", k=rng.randrange(1, length))))
    return made


@pytest.mark.usefixtures("few")
def test_by_hand() -> None:
    # あいうえおかき has 5 trigrams; without き 4, all shared: 4/5; あいうえお 3 of 5 and of 4
    sets = Sets.of_texts(["あいうえおかき", "別", "あいうえおか", "あいうえお", "別"])
    assert sets.sizes.tolist() == [5, 1, 4, 3, 1]
    pairs = self_join(sets, 0.6)
    assert found(pairs) == {(0, 2): 0.8, (0, 3): 0.6, (1, 4): 1.0, (2, 3): 0.75}
    assert found(self_join(sets, 0.76)) == {(0, 2): 0.8, (1, 4): 1.0}
    assert found(self_join(sets, 0.6, groups=[0, 1, 1, 0, 1])) == {(0, 3): 0.6, (1, 4): 1.0}
    assert found(join(sets, Sets.of_texts(["あいうえおか", "別"]), 0.75)) == {
        (0, 0): 0.8,
        (1, 1): 1.0,
        (2, 0): 1.0,
        (3, 0): 0.75,
        (4, 1): 1.0,
    }
    likes, scores = first_similar(sets, 0.7)
    assert (likes.tolist(), scores.tolist()) == ([-1, -1, 0, -1, 1], [1, 1, 0.8, 1, 1])  # the fourth is like a gone one


@pytest.mark.usefixtures("few")
def test_short_texts_are_their_own_token() -> None:
    sets = Sets.of_texts(["", "", "あ", "ああ", "あああ", "\x00", "\ud800", "\ud800"])
    assert found(self_join(sets, 0.3)) == {(0, 1): 1.0, (6, 7): 1.0}


@pytest.mark.usefixtures("few")
def test_tokens_of_pairs_keep_their_place() -> None:
    sets = Sets.of_texts(["犬", "猫", "犬"], ["猫", "犬", "猫"])
    assert found(self_join(sets, 0.3)) == {(0, 2): 1.0}


@pytest.mark.usefixtures("few")
def test_a_similarity_right_at_the_limit_counts() -> None:
    whole = "".join(map(chr, range(0x4E00, 0x4E00 + 102)))  # 100 trigrams; .55 * 100 is a little more than 55
    assert found(self_join(Sets.of_texts([whole, whole[:57]]), 0.55)) == {(0, 1): 0.55}


@pytest.mark.usefixtures("few")
def test_no_sets() -> None:
    none, one = Sets.of_texts([]), Sets.of_texts(["あ"])
    assert len(self_join(none, 0.8)) == len(join(none, one, 0.8)) == len(join(one, none, 0.8)) == 0
    assert first_similar(none, 0.8)[0].tolist() == []


@pytest.mark.usefixtures("few")
def test_refusals() -> None:
    sets = Sets.of_texts(["あ", "い"])
    for similarity in (0, -1, 1.5):
        for ask in (lambda s: self_join(sets, s), lambda s: join(sets, sets, s), lambda s: first_similar(sets, s)):
            with pytest.raises(ValueError, match="similarity must be above 0 and at most 1"):
                ask(similarity)
    with pytest.raises(ValueError, match="2 sets, but 1 groups"):
        self_join(sets, 0.8, groups=[0])
    with pytest.raises(ValueError, match="1 first texts, but 2 second ones"):
        Sets.of_texts(["あ"], ["い", "う"])


@given(TEXTS, SIMILARITIES)
def test_self_join_finds_what_comparing_all_finds(texts: list[str], similarity: float) -> None:
    wanted = brute(texts, similarity)
    assert found(self_join(Sets.of_texts(texts), similarity)) == wanted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setjoin, "FEW", 0)
        pairs = self_join(Sets.of_texts(texts), similarity)
    assert found(pairs) == wanted
    assert list(found(pairs)) == sorted(wanted)


@given(TEXTS, TEXTS, SIMILARITIES)
def test_join_finds_what_comparing_all_finds(left: list[str], right: list[str], similarity: float) -> None:
    scores = {
        (i, j): jaccard(trigrams(left[i]), trigrams(right[j])) for i, j in product(range(len(left)), range(len(right)))
    }
    wanted = {pair: score for pair, score in scores.items() if score >= similarity}
    assert found(join(Sets.of_texts(left), Sets.of_texts(right), similarity)) == wanted
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setjoin, "FEW", 0)
        assert found(join(Sets.of_texts(left), Sets.of_texts(right), similarity)) == wanted


@given(TEXTS, SIMILARITIES, st.randoms(use_true_random=False))
def test_the_first_of_its_kind_stays(texts: list[str], similarity: float, rng: random.Random) -> None:
    groups = [rng.randrange(2) for _ in texts]
    wanted: dict[int, tuple[int, float]] = {}
    for (i, j), score in sorted(brute(texts, similarity).items(), key=lambda item: (item[0][1], item[0][0])):
        if groups[i] == groups[j] and i not in wanted and j not in wanted:
            wanted[j] = i, score
    for few in (2000, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(setjoin, "FEW", few)
            likes, scores = first_similar(Sets.of_texts(texts), similarity, groups=groups)
        pairs = enumerate(zip(likes.tolist(), scores.tolist(), strict=True))
        assert {row: like for row, like in pairs if like[0] >= 0} == wanted


@pytest.mark.parametrize("similarity", [0.3, 0.5, 0.7, 0.8, 0.95, 1.0])
@pytest.mark.parametrize("length", [30, 250])
def test_many_varied_texts(monkeypatch: pytest.MonkeyPatch, similarity: float, length: int) -> None:
    texts = varied(300, length, seed=length)
    sets = Sets.of_texts(texts)
    wanted = found(self_join(sets, similarity))
    if similarity != 0.3:
        assert wanted == brute(texts, similarity)
    across = found(join(sets.take(np.arange(100)), sets.take(np.arange(100, 300)), similarity))
    monkeypatch.setattr(setjoin, "FEW", 0)
    sets = Sets.of_texts(texts)
    assert found(self_join(sets, similarity)) == wanted
    assert found(join(sets.take(np.arange(100)), sets.take(np.arange(100, 300)), similarity)) == across
    assert len(wanted) > 40


def test_where_no_cache_can_be_written_the_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    from japagen.setjoin import compiled

    asked: list[bool] = []

    def njit(*, nogil: bool, cache: bool = False) -> object:
        asked.append(cache)
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(compiled, "njit", njit)
    assert compiled.compiled(len)("あい") == 2
    assert asked == [True, False]
