"""Curating pairs: each of the two texts must pass, both are compared with shots and with other rows, and may not be one."""

import pytest

from japagen.curate import Known, Limits, Rules, curate
from japagen.curate import filters as f
from japagen.records import Example

FIRST, SECOND = "犬が庭を元気に走り回っています。", "動物が外で遊んでいます。"
SHOTS = [("子どもが赤い傘を差して歩いています。", "雨の日に子どもが出かけています。")]


def pair(name: str, text: str, text_pair: str, label: str = "entailment", value: float | None = None) -> Example:
    return Example(name, text, label, text_pair, value)


def test_each_text_of_a_pair_must_pass() -> None:
    bad = {
        "too_short": "犬。",
        "too_long": "犬がいて、" * 60,
        "garbled": "犬が\ufffd走っています。",
        "not_japanese": "A dog is running.",
        "repetition": "走る走る走る走る走る走る走る走る走る走る走る",
        "prompt_echo": "文２：動物が外で遊んでいます。",
    }
    examples = [pair(f"{reason}/1", text, SECOND) for reason, text in bad.items()]
    examples += [pair(f"{reason}/2", FIRST, text) for reason, text in bad.items()]
    kept, dropped = curate([*examples, pair("good", FIRST, SECOND)], Rules(known=Known(fragments=["文２："])))
    assert [e.id for e in kept] == ["good"]
    assert {d.example.id for d in dropped if d.example.id.startswith(d.reason)} == {e.id for e in examples}


@pytest.mark.parametrize(
    ("text", "text_pair", "detail"),
    [
        ("子どもが赤い傘を差して歩いています！", SECOND, "the same as 子どもが赤い"),
        (FIRST, "雨の日に子どもが出かけています。", "the same as 雨の日に"),
        (FIRST, "ある雨の日に子どもが出かけています。", "contains 雨の日に"),
        ("雨の日に子どもが出かけています。", SECOND, None),  # the second text of a shot is no copy as a first one
        (FIRST, "子どもが赤い傘を差して歩いています。", None),
    ],
)
def test_copies_of_shots_are_looked_for_at_their_place(text: str, text_pair: str, detail: str | None) -> None:
    found = f.shot_copy(SHOTS, 0.8)(pair("1", text, text_pair))
    assert found is None if detail is None else found and found[1].startswith(detail)


def test_shots_of_single_texts_are_compared_with_the_first_text_only() -> None:
    assert f.shot_copy([SECOND], 0.8)(pair("1", SECOND, FIRST))
    assert f.shot_copy([SECOND], 0.8)(pair("1", FIRST, SECOND)) is None
    assert f.shot_copy([(SECOND, None)], 0.8)(Example("1", SECOND, "x"))


def test_one_sentence_twice_is_no_pair() -> None:
    twice = pair("1", FIRST, "犬が庭を、元気に走り回っています！")
    kept, [dropped] = curate([twice])
    assert (kept, dropped.reason) == ([], "same_sentences")
    assert curate([Example("1", FIRST, "entailment")])[1] == []  # a single text is none either
    assert f.same_sentences()(pair("1", FIRST, SECOND)) is None


def test_one_sentence_twice_may_have_the_highest_similarity() -> None:
    examples = [pair("5/1", FIRST, FIRST, "5", 5.0), pair("3/1", SECOND, SECOND, "3", 3.0)]
    kept, dropped = curate(examples, Rules(Limits(same_sentences="5")))
    assert [e.id for e in kept] == ["5/1"]
    assert [(d.example.id, d.reason) for d in dropped] == [("3/1", "same_sentences")]


def test_duplicates_are_rows_of_which_both_texts_are_alike() -> None:
    examples = [
        pair("a", FIRST, SECOND),
        pair("other second", FIRST, "机の上に古い本が三冊置かれています。"),
        pair("other label", FIRST, "動物が外で遊んでいます。二匹です。", "neutral"),
        pair("same", FIRST, "動物が、外で遊んでいます"),
        pair("near", FIRST, "動物が外で遊んでいますよ。"),
        pair("turned", SECOND, FIRST),
    ]
    kept, dropped = curate(examples)
    assert [e.id for e in kept] == ["a", "other second", "other label", "turned"]
    assert [(d.example.id, d.reason) for d in dropped] == [("same", "duplicate"), ("near", "near_duplicate")]


def test_one_pair_under_two_labels_goes_altogether() -> None:
    examples = [pair("a", FIRST, SECOND), pair("b", FIRST, SECOND, "neutral")]
    kept, dropped = curate(examples)
    assert (kept, {d.reason for d in dropped}) == ([], {"label_conflict"})
