"""Contamination: counts by hand, what is not compared, and which rows a clean score leaves out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.endings import plain_form
from japagen.evaluate.contamination import Contamination, contaminated_rows, contamination
from japagen.records import Example


def rows(prefix: str, *texts: str | tuple[str, str]) -> list[Example]:
    return [
        Example(f"{prefix}{n}", *((text, "a") if isinstance(text, str) else (text[0], "a", text[1])))
        for n, text in enumerate(texts)
    ]


def test_a_row_counts_once_by_its_strongest_kind_the_most_alike_first() -> None:
    # the near ones share 4 of 5 and 5 of 6 trigrams with あいうえおかきく and あいうえおかき
    test = rows("t", "何もない", "あいうえおか", "ＡＢＣ", "馬が走る", "馬が走る。", "かきくけこさしす")
    training = rows("s", "abc", "あいうえおかき", "馬が走る", "馬が走る！", "かきくけこさし")
    assert contamination({"test": test}, {"training texts": training}) == [
        Contamination("test", "training texts", 6, 1, 2, 2, None, ("t3", "t2", "t4", "t5", "t1"))
    ]


def test_pairs_of_which_one_text_stands_there() -> None:
    test = rows("t", ("犬がいる", "猫がいる"), ("猫がいる。", "鳥がいる"), ("牛", "馬"), ("犬がいる。", "猫がいる"))
    training = rows("s", ("猫がいる", "犬がいる"), ("羊", "山"))
    assert contamination({"test": test}, {"training texts": training}) == [
        Contamination("test", "training texts", 4, 1, 1, 0, 1, ("t0", "t3"))
    ]


def test_another_form_finds_changed_endings() -> None:
    test, training = rows("t", "犬が走っています。"), rows("s", "犬が走っている。")
    assert contamination({"test": test}, {"training texts": training})[0].ids == ()
    assert contamination({"test": test}, {"training texts": training}, form=plain_form)[0].canonical == 1


@pytest.mark.parametrize(
    ("kind", "planted"),
    [
        ("exact", "ガラス窓の前で、黒いネコが2匹ならんで寝ています。"),
        ("width", "ｶﾞﾗｽ窓の前で､黒いﾈｺが２匹ならんで寝ています｡"),
        ("punctuation", "ガラス窓の前で黒いネコが2匹ならんで寝ています！"),
        ("ending", "ガラス窓の前で、黒いネコが2匹ならんで寝ている。"),
        ("space", "ガラス窓の 前で、黒いネコが2匹　ならんで寝ています。"),
    ],
)
def test_planted_rows_are_found_however_they_are_written(kind: str, planted: str) -> None:
    """The same on the human-labelled data: benchmarks/quality/contamination.py."""
    test = rows(
        "t", "ガラス窓の前で、黒いネコが2匹ならんで寝ています。", "台所のすみで、白い犬がひとりで水を飲んでいます。"
    )
    (found,) = contamination({"test": test}, {"training texts": rows("s", "別の話です。", planted)})
    assert found.ids == ("t0",), kind


def test_every_set_is_compared_with_every_other_but_not_with_itself() -> None:
    test, dev, shots = rows("t", "あ", "い"), rows("d", "い"), rows("s", "あ", "い")
    found = contamination(
        {"test": test, "dev": dev, "none": []}, {"shots": shots, "gold dev": dev, "dev": list(dev), "train": []}
    )
    compared = [(one.set, one.against, one.exact) for one in found]
    assert compared == [("test", "shots", 2), ("test", "gold dev", 1), ("test", "dev", 1), ("dev", "shots", 1)]


def test_a_set_that_holds_the_same_rows_as_another_is_compared() -> None:
    test = rows("t", "あ", "い")
    assert contamination({"test": test}, {"gold dev": list(test)})[0].exact == 2


def test_rows_with_a_hit_in_what_was_learnt_from() -> None:
    found = [
        Contamination("test", "training texts", 3, 1, 0, 0, None, ("a",)),
        Contamination("test", "shots", 3, 1, 0, 1, None, ("b", "a")),
        Contamination("test", "gold dev", 3, 1, 0, 0, None, ("c",)),
        Contamination("dev", "shots", 3, 1, 0, 0, None, ("d",)),
    ]
    assert contaminated_rows(found, "test", ["training texts", "shots"]) == {"a", "b"}
    assert contaminated_rows(found, "test", []) == frozenset()


@given(st.lists(st.text("あい、", max_size=6), min_size=1), st.lists(st.text("あい。", max_size=6), min_size=1))
def test_counts_add_up_to_the_rows_named(left: list[str], right: list[str]) -> None:
    (found,) = contamination({"test": rows("t", *left)}, {"training texts": rows("s", *right)})
    assert found.exact + found.canonical + found.near == len(found.ids) == len(set(found.ids)) <= found.of
