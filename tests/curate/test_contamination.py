"""The contamination gate: copies are found however they are written, what only looks like one stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate.contamination import contaminated, one_text_rows
from japagen.endings import plain_form
from japagen.japanese import canonical
from japagen.records import Example

GOLD = Path(__file__).resolve().parents[3] / "shared" / "gold"
LONG = "公園の広い芝生の上で、{}頭の茶色い馬が頭を下げて静かに草を食べています。"


def rows(prefix: str, *texts: str | tuple[str, str], label: str = "a") -> list[Example]:
    return [
        Example(f"{prefix}{n}", *((text, label) if isinstance(text, str) else (text[0], label, text[1])))
        for n, text in enumerate(texts)
    ]


def details(examples: list[Example], *gold: str | tuple[str, str], **options: bool) -> dict[int, str]:
    found = contaminated(examples, {"test": rows("t", *gold)}, **options)
    assert all(reason == "contamination" for reason, _ in found.values())
    return {position: detail for position, (_, detail) in found.items()}


@pytest.mark.parametrize(
    ("written", "how"),
    [
        ("ガラス窓の前で、黒いネコが2匹ならんで寝ています。", "exact"),
        ("ｶﾞﾗｽ窓の前で､黒いﾈｺが２匹ならんで寝ています｡", "canonical"),
        ("ガラス窓の前で黒いネコが2匹ならんで寝ています！", "canonical"),
        ("ガラス窓の 前で、黒いネコが2匹　ならんで寝ています。", "canonical"),
        ("ガラス窓の前で、黒いネコが2匹ならんで寝ている。", "canonical"),
        ("ガラス窓の前で、黒いネコが2匹ならんで寝ていた。", "near, 0.90"),
    ],
)
def test_a_planted_row_is_found_however_it_is_written(written: str, how: str) -> None:
    gold = ("台所のすみで白い犬が水を飲んでいます。", "ガラス窓の前で、黒いネコが2匹ならんで寝ています。")
    assert details(rows("s", "別の話です。", written), *gold) == {1: f"test t1 ({how})"}


def test_the_detail_of_a_near_copy_counts_shared_grams() -> None:
    # あいう, いうえ, うえお, えおか are in both; おかき only in one: 4 of 5
    assert details(rows("s", "あいうえおかき"), "あいうえおか") == {0: "test t0 (near, 0.80)"}
    assert details(rows("s", "あいうえおかきく"), "あいうえおか") == {}


@pytest.mark.parametrize("count", ["3", "12", "2.5", "３"])
def test_texts_of_other_numbers_are_no_copies(count: str) -> None:
    assert details(rows("s", LONG.format(count)), LONG.format("2")) == {}
    assert details(rows("s", LONG.format("２")), LONG.format("2")) == {0: "test t0 (canonical)"}


def test_a_nearer_row_of_other_numbers_does_not_hide_the_one_of_the_same() -> None:
    mine, same = LONG.format("2"), LONG.format("2").replace("広い", "")
    assert details(rows("s", mine), LONG.format("3"), same) == {0: "test t1 (near, 0.82)"}


def test_of_a_pair_both_texts_must_match_in_some_order() -> None:
    gold = ("犬が走っています。", "猫が寝ています。")
    pairs = [("猫が寝ている", "犬が走っている"), ("犬が走っています。", "鳥が飛んでいる。"), ("牛", "馬")]
    assert details(rows("s", *pairs), gold) == {0: "test t0 (canonical)"}
    assert one_text_rows(rows("s", *pairs), rows("t", gold)) == [0, 1]


def test_texts_that_trade_their_numbers_are_no_copy() -> None:
    one, two = LONG, LONG.replace("馬", "牛").replace("草", "枯れ草")
    gold = (one.format("2"), two.format("3"))
    assert details(rows("s", (one.format("3"), two.format("2"))), gold) == {}
    changed = (two.format("3").replace("静かに", "静か"), one.format("2"))
    assert details(rows("s", changed), gold)[0].startswith("test t0 (near")


def test_the_strongest_match_of_all_splits_is_named() -> None:
    gold = {"test": rows("t", "犬が走る。"), "dev": rows("d", "犬が走る", "犬が走る")}
    assert contaminated(rows("s", "犬が走る"), gold) == {0: ("contamination", "dev d0 (exact)")}
    assert contaminated(rows("s", "犬が走る!"), gold) == {0: ("contamination", "test t0 (canonical)")}
    assert contaminated(rows("s", "犬が走る"), {"test": [], "dev": rows("d", "鳥")}) == {}
    assert contaminated([], gold) == {}


def test_where_wording_is_judged_only_the_same_wording_is_a_copy() -> None:
    gold = {"test": rows("t", "太郎は、本を読みました。", label="acceptable")}

    def found(text: str, label: str) -> dict[int, tuple[str, str]]:
        return contaminated(rows("s", text, label=label), gold, wording=True)

    assert found("太郎は、本を読みました。", "unacceptable") == {0: ("contamination", "test t0 (exact)")}
    assert found("太郎は本を読みました", "acceptable") == {0: ("contamination", "test t0 (canonical)")}
    assert found("太郎は本を読みました", "unacceptable") == {}  # a comma may be what makes it so
    assert found("太郎は、本を読んだ。", "acceptable") == {}
    assert found("太郎に、本を読みました。", "unacceptable") == {}
    assert found("太郎は、本を本を本を読みました。", "acceptable") == {}


def test_equal_grams_of_other_texts_are_no_copy_where_wording_is_judged() -> None:
    gold = {"test": rows("t", "ああああ")}
    assert contaminated(rows("s", "あああああ"), gold, wording=True) == {}
    assert contaminated(rows("s", "あああああ"), gold) == {0: ("contamination", "test t0 (near, 1.00)")}


def test_minimal_pairs_of_jcola_stay() -> None:
    file = GOLD / "jcola" / "in_domain_valid-v1.0.json"
    if not file.is_file():
        pytest.skip("the gold file jcola/in_domain_valid-v1.0.json is not here")
    read = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    sides = [[Example(str(r["uid"]), r["sentence"], str(r["label"])) for r in read if r["label"] == n] for n in (0, 1)]
    assert all(sides)
    assert contaminated(sides[0], {"test": sides[1]}, wording=True) == {}
    assert len(contaminated(sides[0], {"test": sides[0]}, wording=True)) == len(sides[0])


@pytest.mark.parametrize("similarity", [0, -0.1, 1.1])
def test_refusals(similarity: float) -> None:
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        contaminated(rows("s", "あ"), {"test": rows("t", "あ")}, similarity=similarity)


TEXTS = st.text("あいう2３、。 ", max_size=8)


@given(st.lists(TEXTS, max_size=6), st.lists(TEXTS, max_size=6), st.booleans())
def test_every_copy_and_every_canonical_copy_is_found(mine: list[str], theirs: list[str], wording: bool) -> None:
    form = canonical if wording else plain_form
    found = contaminated(rows("s", *mine), {"test": rows("t", *theirs)}, wording=wording)
    forms = set(map(form, theirs))
    assert {position for position, text in enumerate(mine) if form(text) in forms} <= set(found)
    if wording:
        assert all(form(mine[position]) in forms for position in found)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5), st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_the_order_of_a_pair_does_not_matter(mine: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    gold = {"test": rows("t", *theirs)}
    swapped = [(second, first) for first, second in mine]
    assert contaminated(rows("s", *mine), gold).keys() == contaminated(rows("s", *swapped), gold).keys()
