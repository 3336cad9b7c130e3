"""Filters: each on what it must drop and on its neighbour that it must keep. More cases are in quality/ja.tsv."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate import filters
from japagen.curate.filters import CHECKS, REPAIRS, Filter, Known, Limits, checks, repairs
from japagen.records import Example

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
LIKELY_TEXT = st.text('「」『』"①②1.)(・-*　 良いです。、な縺ã‚@0-', max_size=25)

SHOTS = ["使い始めて3週間、ファンデの粉ふきがなくなりました。", "最高です"]
FRAGMENTS = ["商品に満足しているレビュー", "満足", "ジャンル：", "good：", ""]
TEMPLATES = [
    "あなたは通販の利用者です。\n一行で、200字以内。本文だけを書くこと。",
    "「{word}」を買った客の感想を書いてください。短く。",
    "{word}の感想（短い）：",
    "説明：{text}　もう一つの説明（{verbalisation}）：",
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
        ("軽いです。 もう一つの説明（矛盾）：重い", "opens with the field もう一つの説明(矛盾):"),  # behind the {text}
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


def names(switched: dict[str, bool] | None = None, **limits) -> list[str]:
    return [check.name for check in checks(Limits(switched=switched or {}, **limits), Known())]


def test_checks_are_asked_in_the_order_of_the_table() -> None:
    assert names() == [
        "too_short", "too_long", "garbled", "not_japanese", "repetition", "prompt_echo", "meta_talk", "refusal",
        "incomplete", "same_sentences", "shot_copy",
    ]  # fmt: skip
    everything = names(dict.fromkeys(CHECKS, True), min_words=1, max_words=9)
    assert everything == list(CHECKS)


def test_checks_and_repairs_are_switched_by_name() -> None:
    assert "repetition" not in names({"repetition": False})
    assert "personal_data" in names({"personal_data": True})
    assert [repair.name for repair in repairs(Limits())] == list(REPAIRS)
    assert [repair.name for repair in repairs(Limits(switched={"list_mark": False}))] == ["whitespace", "quotes"]


def test_a_check_without_its_limit_is_not_asked() -> None:
    on = dict.fromkeys(CHECKS, True)
    assert "shot_copy" not in names(on, shot_similarity=None)
    assert {"too_few_words", "too_many_words"}.isdisjoint(names(on))
    assert "too_few_words" in names(min_words=2)


def test_a_finding_bears_the_name_of_its_check() -> None:
    bad = Example("1", "\ufffd", "満足", "\ufffd")
    known = Known(shots=[("\ufffd", None)], fragments=["123456"])
    for check in checks(Limits(switched=dict.fromkeys(CHECKS, True), min_words=3, max_words=5), known):
        found = check.ask(bad)
        assert found is None or found[0] == check.name
        assert check.question.endswith("?")


@pytest.mark.parametrize(
    ("ask", "text", "expected"),
    [
        (filters.too_few_words(4), "犬が走る", ("too_few_words", "3 words, fewer than 4")),
        (filters.too_few_words(3), "犬が走る", None),
        (filters.too_many_words(3), "犬が走る。", ("too_many_words", "4 words, more than 3")),
        (filters.too_many_words(4), "犬が走る。", None),
    ],
)
def test_words_are_counted(ask: Filter, text: str, expected: tuple[str, str] | None) -> None:
    assert ask(Example("1", text, "positive")) == expected


def test_a_latin_word_counts_for_two_letters_and_a_name_for_half_a_letter() -> None:
    # 2 kanji against 1 word: 2/4; against 1 name: 2/2.5; against 3 names: 2/3.5
    assert reason(filters.not_japanese(0.6), "最高product") == "not_japanese"
    assert reason(filters.not_japanese(0.6), "最高Product") is None
    found = filters.not_japanese(0.6)(Example("1", "最高 Product Of Sony", "positive"))
    assert found == ("not_japanese", "0.57 of the letters are Japanese, less than 0.60")


def test_one_letter_in_a_row_is_a_loop_above_thirty() -> None:
    assert reason(filters.repetition(0.35), "うま" + "い" * 30) is None
    assert reason(filters.repetition(0.35), "うま" + "い" * 31) == "repetition"


def test_a_label_is_leaked_by_its_own_name_alone() -> None:
    ask = filters.label_leak({"positive": ("満足", " ", "Good"), "negative": ("不満",), "3": ("3",)})
    assert ask(Example("1", "3匹います", "3")) is None
    assert ask(Example("1", "満足です", "positive")) == ("label_leak", "names its label 満足")
    assert ask(Example("1", "満足です", "negative")) is None
    assert ask(Example("1", "満足です", "other")) is None
    assert ask(Example("1", "良い", "positive", "ＧＯＯＤだ")) == ("label_leak", "names its label Good")


def test_both_texts_of_a_pair_are_mended() -> None:
    row = Example("1", "1. 犬がいる。", "neutral", "「猫がいる。」", meta={"word": "犬"})
    mend = {repair.name: repair.mend for repair in repairs(Limits())}
    assert mend["list_mark"](row) == (
        Example("1", "犬がいる。", "neutral", "「猫がいる。」", meta={"word": "犬"}),
        "1.",
    )
    found = mend["quotes"](row)
    assert found
    assert (found[0].text, found[0].text_pair, found[1]) == ("1. 犬がいる。", "猫がいる。", "「」")
    assert mend["whitespace"](row) is None


@given(ANY_TEXT | LIKELY_TEXT, st.none() | LIKELY_TEXT)
def test_repairs_only_take_away_and_never_all(text: str, pair: str | None) -> None:
    row = Example("1", text, "positive", pair)
    for repair in repairs(Limits()):
        found = repair.mend(row)
        if found is None:
            continue
        for before, after in zip(filters.texts(row), filters.texts(found[0]), strict=True):
            assert after in before
            assert after or not before
        assert found[0] != row
        assert found[1]
        row = found[0]


@given(ANY_TEXT | LIKELY_TEXT, st.none() | LIKELY_TEXT)
def test_checks_take_any_text(text: str, pair: str | None) -> None:
    known = Known(["最高です良い"], ["良いです良いです"], {"positive": ("良い",)})
    limits = Limits(switched=dict.fromkeys(CHECKS, True), min_words=2, max_words=30)
    for check in checks(limits, known):
        found = check.ask(Example("1", text, "positive", pair))
        assert found is None or (found[0] == check.name and found[1])
