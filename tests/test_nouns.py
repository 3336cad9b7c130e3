"""Nouns of a text: runs, what may stand alone, numbers, spaces; and how neighbours are joined."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.nouns import Noun, Tagged, is_common_noun, joined, tagged
from japagen.words.compounds import LONGEST, join_compounds

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


def runs(text: str) -> list[str]:
    return ["+".join(noun.text for noun in run) for run in tagged(text).runs]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("白い冷蔵庫が二台と、犬がいます。", ["冷蔵+庫", "犬"]),
        ("Google Play Storeで新製品を発売", ["Google+Play+Store", "新+製品", "発売"]),
        ("新機能 発表会", ["新+機能", "発表+会"]),  # a space ends a Japanese compound
        ("12月に3匹", []),
        ("先生達と会員様", ["先生", "会員"]),
        ("ｶﾒﾗを買う", ["カメラ"]),
        ("", []),
        ("12345", []),
        ("😀。、", []),
    ],
)
def test_runs(text: str, expected: list[str]) -> None:
    assert runs(text) == expected


def test_words_are_counted_without_marks() -> None:
    assert tagged("犬と、猫。").words == 3


@pytest.mark.parametrize("word", ["こと", "横", "上", "田中", "き", "ア", "A"])
def test_what_says_nothing_alone(word: str) -> None:
    assert not any(noun.stands for run in tagged(f"{word}がある。").runs for noun in run)


def test_compound_as_written() -> None:
    assert [joined(run) for run in tagged("Sports Watchと無料通話アプリ").runs] == ["Sports Watch", "無料通話アプリ"]


@pytest.mark.parametrize(
    ("word", "common"),
    [("時計", True), ("東京", False), ("こと", False), ("走る", False), ("ググルブ", False), ("き", False)],
)
def test_common_nouns(word: str, common: bool) -> None:
    assert is_common_noun(word) == common


@given(ANY_TEXT)
def test_any_text_has_nouns_or_none(text: str) -> None:
    found = tagged(text)
    assert found.words >= 0
    assert all(run and all(noun.text for noun in run) for run in found.runs)


def test_a_long_text_is_cut_and_survives() -> None:
    assert tagged("犬" + "。" * 100_000 + "猫").words == 2
    assert runs("犬。" * 60_000) == ["犬"] * 60_000


def compounds(texts: Sequence[str], min_count: int = 3) -> list[list[str]]:
    return [[joined(c) for c in found] for found in join_compounds([tagged(t) for t in texts], min_count=min_count)]


def test_neighbours_that_belong_together_are_joined() -> None:
    texts = ["冷蔵庫と犬を見る。"] * 6 + ["犬を撮る写真。"] * 6
    assert compounds(texts)[0] == ["冷蔵庫", "犬"]
    assert compounds(texts, min_count=7)[0] == ["冷蔵", "庫", "犬"]  # not often enough


def test_three_and_four_parts_are_joined() -> None:
    texts = ["無料通話アプリを使う。"] * 8 + ["犬と猫。"] * 20
    assert compounds(texts)[0] == ["無料通話アプリ"]


def test_neighbours_by_chance_stay_apart() -> None:
    """音楽 stands as often after anything else as after 時計: by hand the ratio is 0."""
    texts = [f"{first}{second}" for first in ("時計", "電車", "野球") for second in ("音楽", "写真", "会議")] * 3
    assert compounds(texts, min_count=1)[0] == ["時計", "音楽"]


def runs_of(*runs: str) -> list[Tagged]:
    return [Tagged(0, (tuple(Noun(char, True) for char in run),)) for run in runs]


def test_a_pair_that_its_partners_rarely_form_is_not_joined() -> None:
    """9 of 100 after 犬 is surely more than 91 of 9,900 elsewhere, but less than a tenth of either's occurrences."""
    found = join_compounds(runs_of(*["犬絵"] * 9, *["犬"] * 91, *["絵"] * 91, *["木"] * 9800), min_count=3)
    assert [joined(c) for c in found[0]] == ["犬", "絵"]
    found = join_compounds(runs_of(*["犬絵"] * 11, *["犬"] * 89, *["絵"] * 89, *["木"] * 9800), min_count=3)
    assert [joined(c) for c in found[0]] == ["犬絵"]


def test_the_surer_of_two_overlapping_pairs_is_joined() -> None:
    texts = runs_of("犬絵木", *["犬絵"] * 5, *["絵木"] * 40, *["犬"] * 30, *["山"] * 2000)
    assert [joined(c) for c in join_compounds(texts, min_count=3)[0]] == ["犬", "絵木"]


def test_texts_of_one_compound_alone() -> None:
    assert compounds(["時計"] * 5) == [["時計"]] * 5
    assert compounds([]) == []


@given(st.lists(st.text("犬猫冷蔵庫電話時計、のが", max_size=12), max_size=12))
def test_joining_loses_no_noun(texts: list[str]) -> None:
    parsed = [tagged(text) for text in texts]
    found = join_compounds(parsed, min_count=1)
    assert [[n for c in text for n in c] for text in found] == [[n for run in t.runs for n in run] for t in parsed]
    assert all(len(c) <= LONGEST for text in found for c in text)
