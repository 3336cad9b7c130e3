"""Curating as a whole: no row vanishes, the first reason wins, order is kept, and progress adds up."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from japagen.curate import MENDED, Known, Limits, Rules, curate
from japagen.progress import Progress
from japagen.records import Accounting, Example

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=30)
LIKELY_TEXT = st.text("良いです。2ab", min_size=3, max_size=12)
EXAMPLES = st.lists(
    st.builds(
        Example,
        id=st.text("123"),
        text=ANY_TEXT | LIKELY_TEXT,
        label=st.sampled_from(["p", "n"]),
        text_pair=st.none() | LIKELY_TEXT,
    ),
    max_size=20,
)


@given(EXAMPLES, st.none() | st.floats(0.1, 1))
def test_every_row_is_kept_or_dropped(examples: list[Example], near: float | None) -> None:
    known = Known(shots=["良いです"], fragments=["良いです良いです"])
    examples = [replace(example, id=f"{example.id}/{place}") for place, example in enumerate(examples)]
    kept, dropped = curate(examples, Rules(Limits(min_chars=3), known, near_duplicate=near))
    outcomes = iter(kept), iter(d.example for d in dropped)
    gone = {d.example.id for d in dropped}
    assert len(kept) + len(dropped) == len(examples)
    for example in examples:  # in their order; what is dropped is as it was
        outcome = next(outcomes[example.id in gone])
        assert outcome.id == example.id
        assert outcome == example or MENDED in outcome.meta
    Accounting.count(len(examples), kept, dropped)


def test_each_row_has_its_first_reason() -> None:
    texts = {
        "keep": "履きやすくて毎日使っています。",
        "short": "ab",  # not Japanese either
        "long": "長い文です、" * 40,  # a loop, too
        "garbled": "とても良い\ufffd商品",
        "english": "This is a good product.",
        "loop": "すごいすごいすごいすごいすごいすごいすごいすごい",
        "echo": "レビュー：履きやすくて毎日使っています。",
        "shot": "三日で壊れてしまいました",
        "same": "履きやすくて、毎日使っています！",
        "near": "履きやすくて毎日使っています。良",
        "other": "色がきれいで気に入った。",
    }
    examples = [Example(name, text, "positive") for name, text in texts.items()]
    kept, dropped = curate(examples, Rules(known=Known(shots=["三日で壊れてしまいました。"])))
    assert [e.id for e in kept] == ["keep", "other"]
    assert [(d.example.id, d.reason) for d in dropped] == [
        ("short", "too_short"),
        ("long", "too_long"),
        ("garbled", "garbled"),
        ("english", "not_japanese"),
        ("loop", "repetition"),
        ("echo", "prompt_echo"),
        ("shot", "shot_copy"),
        ("same", "duplicate"),
        ("near", "near_duplicate"),
    ]
    assert [d.detail for d in dropped][-2:] == ["keep", "keep (0.92)"]


def test_a_conflict_leaves_no_twin_behind() -> None:
    # The two in conflict go; the near-duplicate of one of them has nobody to be a duplicate of, and stays.
    examples = [
        Example("a", "この靴はとても履きやすいので好き", "p"),
        Example("b", "この靴はとても履きやすいので好き。", "n"),
        Example("c", "この靴はとても履きやすいので好きだ", "p"),
    ]
    kept, dropped = curate(examples)
    assert [e.id for e in kept] == ["c"]
    assert {d.reason for d in dropped} == {"label_conflict"}


def test_near_duplicates_can_be_left_alone() -> None:
    examples = [Example("a", "履きやすくて毎日使う。", "p"), Example("b", "履きやすくて毎日使うよ", "p")]
    assert len(curate(examples)[0]) == 1
    assert curate(examples, Rules(near_duplicate=None)) == (examples, [])


def test_copies_of_shots_can_be_left_alone() -> None:
    examples = [Example("a", "履きやすくて毎日使う。", "p")]
    shots = [examples[0].text]
    assert len(curate(examples, Rules(known=Known(shots=shots)))[1]) == 1
    assert curate(examples, Rules(Limits(shot_similarity=None), Known(shots=shots))) == (examples, [])


def test_progress_ends_with_the_truth_for_each_label() -> None:
    heard: list[Progress] = []
    examples = [
        Example("a", "履きやすくて毎日使う。", "p"),
        Example("b", "履きやすくて毎日使う", "p"),
        Example("c", "すぐ穴があいた", "n"),
    ]
    curate(examples, on_progress=heard.append)
    assert {p.stage for p in heard} == {"curate"}
    assert heard[0] == Progress("curate", "p", done=0, total=2)
    assert {p.item: (p.done, p.total, p.kept, p.dropped) for p in heard} == {"p": (2, 2, 1, 1), "n": (1, 1, 1, 0)}


def test_nothing_gives_nothing() -> None:
    assert curate([]) == ([], [])


def test_what_is_settled_stays_and_what_repeats_it_goes() -> None:
    settled = [Example("a", "この靴を毎日履いている。", "p"), Example("b", "短", "p")]
    new = [Example("c", "この靴を毎日履いています！", "p"), Example("e", "色がきれいで気に入っている。", "p")]
    kept, dropped = curate(new, settled=settled)
    assert [row.id for row in kept] == ["e"]
    assert [(drop.example.id, drop.reason, drop.detail) for drop in dropped] == [("c", "duplicate", "a")]
    kept, dropped = curate([Example("d", "この靴を毎日履いている", "n")], settled=settled)
    assert [(drop.example.id, drop.reason) for drop in dropped] == [("d", "label_conflict")]


def test_politeness_makes_no_new_text_but_where_wording_is_judged() -> None:
    examples = [Example("a", "犬が庭を走っています。", "p"), Example("b", "犬が庭を走っている。", "p")]
    assert [drop.reason for drop in curate(examples, Rules(near_duplicate=None))[1]] == ["duplicate"]
    assert curate(examples, Rules(near_duplicate=None, wording=True))[1] == []


def test_gold_rows_do_not_come_back() -> None:
    examples = [Example("a", "香りがよくて毎朝飲んでいます。", "p"), Example("b", "色がきれいで気に入った。", "p")]
    gold = {
        "test": [Example("g", "香りが良くて、毎朝飲んでいます", "p"), Example("h", "香りがよくて毎朝飲んでいる！", "p")]
    }
    kept, dropped = curate(examples, Rules(gold=gold))
    assert [row.id for row in kept] == ["b"]
    assert [(drop.reason, drop.detail.split()[:2]) for drop in dropped] == [("contamination", ["test", "h"])]


def test_repairs_are_noted() -> None:
    kept, dropped = curate([Example("a", "1. 「毎日の茶の時間が楽しみになった。」", "p", meta={"word": "茶"})])
    assert not dropped
    assert kept[0].text == "毎日の茶の時間が楽しみになった。"
    assert kept[0].meta == {"word": "茶", MENDED: "list_mark, quotes"}
    off = Rules(Limits(switched={"list_mark": False, "quotes": False}))
    assert curate([Example("a", "「毎日の茶の時間が楽しみになった。」", "p")], off)[0][0].text.startswith("「")
