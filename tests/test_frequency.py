"""Frequencies of words, and the random nouns that stand in for KADG's words."""

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen import frequency as module
from japagen.errors import DataError, MissingExtra
from japagen.frequency import FLOOR, frequency, random_nouns
from japagen.japanese import script_shares
from japagen.nouns import is_common_noun

pytest.importorskip("wordfreq", reason="the extra 'words' is not installed")


def test_common_words_are_frequent_and_unseen_ones_at_the_floor() -> None:
    assert 1e-2 < frequency("の") < 1e-1
    assert frequency("の") > frequency("犬") > frequency("消火栓") > FLOOR
    assert frequency("スポーツ用品") == frequency("") == frequency("\udc00") == FLOOR
    assert frequency("00") == frequency("2024") == FLOOR  # the list's 00 stands for any two digits
    assert frequency("ＩＰＨＯＮＥ") == frequency("iphone") > FLOOR


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    module._listed.cache_clear()
    try:
        with pytest.raises(MissingExtra, match=r"'wordfreq' is not installed\n.*japagen\[words\]"):
            frequency("犬")
    finally:
        module._listed.cache_clear()


def test_one_random_noun_per_word_of_its_length_and_scripts() -> None:
    words = ["漫画", "スケート", "食べ物", "本"]
    found = random_nouns(words, seed=0)
    assert list(found) == words
    assert all(is_common_noun(noun) for noun in found.values())
    assert [script_shares(noun) for noun in found.values()] == [script_shares(word) for word in words]


def test_marks_stay_and_long_words_become_compounds_of_the_same_length() -> None:
    found = random_nouns(
        ["本・漫画・雑誌", "食品、飲料", "スポーツ用品", "インターネット通信販売事業者一覧", "CD・DVD"], seed=3
    )
    book = found["本・漫画・雑誌"]
    assert [len(part) for part in book.split("・")] == [1, 2, 2]
    assert set(book) & set("本漫画雑誌") == set()
    assert found["食品、飲料"][2] == "、"
    sports = found["スポーツ用品"]
    assert is_common_noun(sports[:4])
    assert is_common_noun(sports[4:])
    assert all(len(word) == len(noun) for word, noun in found.items())


def test_hiragana_is_never_a_noun_of_its_own() -> None:
    assert all(is_common_noun(random_nouns(["受け身文"], seed=seed)["受け身文"]) for seed in range(5))


def test_no_part_of_a_word_is_drawn() -> None:
    nouns = module._nouns_by_length()[1]
    word = "・".join(nouns[15:])
    assert set(random_nouns([word], seed=0)[word].split("・")) <= set(nouns[:15])


def test_a_compound_that_is_one_of_the_words_is_drawn_anew() -> None:
    first = random_nouns(["スポーツ用品"], seed=0)["スポーツ用品"]
    second = random_nouns(["スポーツ用品", first], seed=0)["スポーツ用品"]
    assert second not in (first, "スポーツ用品")


def test_the_same_seed_draws_the_same_and_one_more_word_moves_nothing() -> None:
    words = ["犬", "時計", "野球場"]
    assert random_nouns(words, seed=5) == random_nouns(words, seed=5)
    assert random_nouns(words, seed=5) != random_nouns(words, seed=6)
    assert random_nouns(["猫舌", *words], seed=5).items() >= random_nouns(words, seed=5).items()


def test_no_noun_is_drawn_twice_nor_is_one_of_the_words() -> None:
    words = list(random_nouns([f"語{i}" for i in range(1000, 1100)], seed=1).values())
    words += ["山", "川"]
    found = random_nouns(words, seed=2)
    assert len(set(found.values())) == len(words)
    assert not set(found.values()) & set(words)


def test_more_words_than_nouns() -> None:
    with pytest.raises(DataError, match="no random noun of one character is left"):
        random_nouns([chr(0x4E00 + i) for i in range(600)], seed=0)


@settings(max_examples=50)
@given(st.lists(st.text(min_size=1, max_size=15).filter(str.strip), max_size=8), st.integers(0, 9))
def test_any_words(words: list[str], seed: int) -> None:
    found = random_nouns(words, seed=seed)
    assert set(found) == set(words)
    assert len(set(found.values())) == len(found)
    assert not set(found.values()) & set(words)
    for word, noun in found.items():
        assert len(noun) == len(unicodedata.normalize("NFKC", word))
