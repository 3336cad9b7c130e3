"""Filters: each on what it must drop and on its neighbour that it must keep. More cases are in quality/ja.tsv."""

import pytest

from japagen.curate import filters
from japagen.curate.filters import Filter
from japagen.records import Example

SHOTS = ["使い始めて3週間、ファンデの粉ふきがなくなりました。", "最高です"]
FRAGMENTS = ["商品に満足しているレビュー", "満足", "ジャンル：", "good：", ""]
TEMPLATES = [
    "あなたは通販の利用者です。\n一行で、200字以内。本文だけを書くこと。",
    "「{word}」を買った客の感想を書いてください。短く。",
    "{word}の感想（短い）：",
]


def reason(ask: Filter, text: str, pair: str | None = None) -> str | None:
    found = ask(Example("1", text, "positive", pair))
    return found[0] if found else None


@pytest.mark.parametrize(
    ("ask", "text", "expected"),
    [
        (filters.too_short(5), "あいうえ", ("too_short", "4 characters, fewer than 5")),
        (filters.too_short(5), "あいうえお", None),
        (filters.too_short(5), "　あいう\n　", ("too_short", "3 characters, fewer than 5")),
        (filters.too_long(5), "あいうえおか", ("too_long", "6 characters, more than 5")),
        (filters.too_long(5), "あいうえお ", None),
        (filters.not_japanese(0.6), "あいうえab", None),
        (filters.not_japanese(0.6), "あいab", ("not_japanese", "0.50 of the letters are Japanese, less than 0.60")),
        (filters.not_japanese(0.6), "良" * 15, None),
        (filters.not_japanese(0.6), "良" * 16, ("not_japanese", "16 kanji and no kana")),
        (filters.garbled(), "一行目\n二行目\t。", None),
        (filters.garbled(), "縺れた糸がほどけない", None),
        (filters.garbled(), "▂▃▅▇█最高█▇▅▃▂", None),
        (filters.garbled(), "<|im_end|>です", ("garbled", "token <|im_end|>")),
        (filters.garbled(), "字\ue000", ("garbled", "character U+E000")),
    ],
)
def test_limits(ask: Filter, text: str, expected: tuple[str, str] | None) -> None:
    assert ask(Example("1", text, "positive")) == expected


def test_repetition_counts_repeated_grams() -> None:
    text = "あいうえお" * 5  # 25 characters, 22 4-grams, 5 different: 17/22 are repeats
    assert filters.repetition(0.77)(Example("1", text, "x")) == (
        "repetition",
        "0.77 of the character 4-grams are repeats, more than 0.77",
    )
    assert reason(filters.repetition(0.78), text) is None
    assert reason(filters.repetition(0.1), "あいうえお" * 4) is None  # 20 characters: too short to call a loop


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("これは商品に満足しているレビューです", "contains 商品に満足しているレビュー"),
        ("これは商品に 満足しているレビューです", None),
        ("満足しました", None),  # a short fragment is a common word
        ("ジャンル:本。面白い", "opens with the field ジャンル:"),
        ("一行目。\nジャンル： 本", "opens with the field ジャンル:"),
        ("本のジャンル：いろいろ", None),  # a field's name opens a line or is none
        ("【レビュー】：よい", "opens with the field 【レビュー】:"),
        ("ＲＥＶＩＥＷ：よい", "opens with the field REVIEW:"),
        ("レビューを見て買いました", None),
        ("例のあれ、買いました", None),
    ],
)
def test_prompt_echo(text: str, detail: str | None) -> None:
    found = filters.prompt_echo(FRAGMENTS)(Example("1", text, "positive"))
    assert found == (detail and ("prompt_echo", detail))


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("一行で、200字以内", "contains 一行で、200字以内"),  # one sentence of several
        ("あなたは通販の利用者ですか", "contains あなたは通販の利用者です"),
        ("家電を買った客の感想を書いてください", "contains を買った客の感想を書いてください"),
        ("家電の感想(短い)：静かです", "opens with the field 家電の感想(短い):"),
        ("静かです。家電の感想（短い）", None),
        ("短くて軽い", None),
    ],
)
def test_prompts_are_echoed_in_parts(text: str, detail: str | None) -> None:
    found = filters.prompt_echo(TEMPLATES)(Example("1", text, "positive"))
    assert found == (detail and ("prompt_echo", detail))


@pytest.mark.parametrize(
    ("text", "starts"),
    [
        ("使い始めて３週間、ファンデの粉ふきがなくなりました！", "the same as 使い"),
        ("使い始めて4週間、ファンデの粉ふきがなくなりました", "0.76 similar"),  # 19 of 25 trigrams
        ("本当です。使い始めて3週間、ファンデの粉ふきがなくなりました。うれしい", "contains 使い"),
        ("この味、最高ですね", None),  # a short shot within is no copy
        ("最高です！", "the same as 最高です"),
        ("三週間使っていますが、粉ふきはありません。", None),
    ],
)
def test_shot_copy(text: str, starts: str | None) -> None:
    found = filters.shot_copy(SHOTS, 0.75)(Example("1", text, "positive"))
    assert found is None if starts is None else found and found[1].startswith(starts)


def test_similarity_to_a_shot_is_at_least_the_limit() -> None:
    # あいうえおか: 4 trigrams; あいうえお: 3, all of them shared: 3/4
    assert reason(filters.shot_copy(["あいうえおか"], 0.75), "あいうえお") == "shot_copy"
    assert reason(filters.shot_copy(["あいうえおか"], 0.76), "あいうえお") is None


def test_the_second_text_of_a_pair_is_looked_at() -> None:
    assert reason(filters.too_short(5), "十分な長さの文です") is None
    assert reason(filters.too_short(5), "十分な長さの文です", "短い") == "too_short"
    assert reason(filters.garbled(), "十分な長さの文です", "壊れた\ufffd") == "garbled"
