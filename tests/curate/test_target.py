"""Targets: how rows are described, even shares, shares of target texts, and what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate.target import Target, even, of_texts, read_texts
from japagen.curate.topics import Topics
from japagen.errors import ConfigError, DataError
from japagen.records import Example

FOOD = (
    "このラーメンはとても美味しい。",
    "寿司を腹いっぱい食べました。",
    "カレーが少し辛かった。",
    "パンを焼いて食べた。",
)
TRAINS = ("電車が駅に着きました。", "新幹線で大阪へ行った。", "列車が橋を渡っています。", "地下鉄の駅で電車を待つ。")


def rows(*texts: str, **meta: str) -> list[Example]:
    return [Example(f"r{i}", text, "p", meta=meta) for i, text in enumerate(texts)]


def test_lengths_by_hand() -> None:
    target = Target({"length": None}, edges=(3, 5))
    assert target.values(rows("あ", "ああ", "あああ", "ああああ", "あああああ"))["length"] == [
        "<3", "<3", "3-4", "3-4", "5+",
    ]  # fmt: skip
    assert target.values([Example("a", "あ", "p", "ああああああ")])["length"] == ["3-4"]  # (1 + 6) / 2
    assert Target({"length": None}).values(rows("あ"))["length"] == ["any"]


def test_register_and_columns() -> None:
    found = Target({"register": None, "word": None}).values(rows("雨です。", "雨だ。", "123", word="傘"))
    assert found == {"register": ["polite", "plain", "unknown"], "word": ["傘"] * 3}
    pair = Example("a", "雨だ。", "p", "雨です。傘をさします。")
    assert Target({"register": None}).values([pair])["register"] == ["polite"]


def test_a_row_without_the_column_has_no_value() -> None:
    mixed = [*rows("あ", word="傘"), *rows("い")]
    assert Target({"word": None}).values(mixed)["word"] == ["傘", ""]


def test_a_column_that_no_row_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="no row has a column 'lenght'") as caught:
        Target({"lenght": None}).values(rows("あ"))
    assert caught.value.remedy == "did you mean 'length'?"


def test_shares_sum_to_one() -> None:
    assert Target({"word": {"a": 3, "b": 1}}).shares == {"word": {"a": 0.75, "b": 0.25}}


@pytest.mark.parametrize("shares", [{}, {"a": 0}, {"a": -1, "b": 2}, {"a": float("nan")}, {"a": float("inf")}])
def test_what_are_no_shares(shares: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match="are no shares"):
        Target({"word": shares})


def test_a_register_that_is_none() -> None:
    with pytest.raises(ConfigError, match="no register is called 'polit'") as caught:
        Target({"register": {"polit": 1}})
    assert caught.value.remedy == "did you mean 'polite'?"


def test_topics_need_topics() -> None:
    with pytest.raises(ValueError, match="needs the topics"):
        Target({"topic": None})


def test_even_registers_leave_the_unknown_their_share() -> None:
    target = even(rows("雨です。", "雪です。", "雨だ。", "123"), ["register", "word"])
    assert target.shares == {"register": {"polite": 0.375, "plain": 0.375, "unknown": 0.25}, "word": None}


def test_even_lengths_have_bins_of_equal_width() -> None:
    target = even(rows(*("あ" * n for n in range(0, 101))), ["length"])
    assert target.edges == (23, 41, 59, 77)  # 5 to 95 in five parts of 18


def test_target_texts_by_hand() -> None:
    target = of_texts(rows("雨です。", "雪だ。", "雨です。雪です。", "晴れだ。"), ["length", "register", "word"])
    assert target.shares["register"] == {"plain": 0.5, "polite": 0.5}
    assert target.shares["word"] is None
    lengths = target.shares["length"]
    assert lengths is not None
    assert sum(lengths.values()) == pytest.approx(1)


@given(st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_quintiles_describe_every_text(texts: list[str]) -> None:
    target = of_texts(rows(*texts), ["length"])
    shares = target.shares["length"]
    assert shares is not None
    assert set(target.values(rows(*texts))["length"]) == set(shares)
    assert set(even(rows(*texts), ["length"]).values(rows(*texts))) == {"length"}


def test_topics_part_food_from_trains() -> None:
    examples = rows(*FOOD, *TRAINS)
    topics = Topics.fit(examples, 2, seed=0)
    found = topics.of(examples)
    assert len(set(found[:4])) == len(set(found[4:])) == 1
    assert found[0] != found[4]
    assert topics.names[0].startswith("01 ")
    assert found == Topics.fit(examples, 2, seed=0).of(examples)


def test_topics_come_by_size_and_never_outnumber_the_rows() -> None:
    topics = Topics.fit(rows(*FOOD, *TRAINS[:3]), 2, seed=0)
    assert topics.of(rows(*TRAINS)) == [topics.names[1]] * 4
    assert len(Topics.fit(rows("犬", "犬", "猫"), 20, seed=0).names) == 2
    assert topics.of([]) == []


def test_a_pair_has_a_topic_too() -> None:
    topics = Topics.fit(rows(*FOOD, *TRAINS), 2, seed=0)
    pair = Example("a", TRAINS[0], "p", TRAINS[1])
    assert topics.of([pair]) == topics.of(rows(TRAINS[0]))


def test_topics_of_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="20 topics in 0 rows"):
        Topics.fit([], 20, seed=0)


def test_target_topics_have_the_shares_of_the_target() -> None:
    target = of_texts(rows(*FOOD, *TRAINS[:3]), ["topic"], topics=2)
    shares = target.shares["topic"]
    assert shares is not None
    assert sorted(shares.values()) == pytest.approx([3 / 7, 4 / 7])


def test_no_target_texts_are_refused() -> None:
    with pytest.raises(DataError, match="there are no target texts"):
        of_texts([], ["length"])


def test_even_of_no_rows_describes_no_rows() -> None:
    assert even([], ["topic", "length", "register"]).values([]) == {"length": [], "register": []}


def test_reading_target_texts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("雨です。\n\n雪だ。\n", encoding="utf-8")
    assert [e.text for e in read_texts(tmp_path / "a.txt")] == ["雨です。", "雪だ。"]
    (tmp_path / "a.jsonl").write_text('{"text": "雨", "text_pair": "雪"}\n{"text": "風", "text_pair": "嵐"}\n')
    assert [(e.text, e.text_pair) for e in read_texts(tmp_path / "a.jsonl")] == [("雨", "雪"), ("風", "嵐")]
    (tmp_path / "b.csv").write_text("body\n雨\n", encoding="utf-8")
    assert [e.text for e in read_texts(tmp_path / "b.csv", text="body")] == ["雨"]


def test_target_texts_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_texts(tmp_path / "absent.txt")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(DataError, match="holds no texts"):
        read_texts(tmp_path / "empty.txt")
    (tmp_path / "b.csv").write_text("texts\n雨\n", encoding="utf-8")
    with pytest.raises(DataError, match="there is no column 'text'"):
        read_texts(tmp_path / "b.csv")
