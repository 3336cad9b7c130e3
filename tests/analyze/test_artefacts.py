"""What one text of a pair gives away: ratios by hand, what counts once, alarms on planted endings and none without."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze import analyze
from japagen.analyze.artefacts import LEAST_TEXTS, GiveAway, artefacts, give_aways
from japagen.groups import IMAGE
from japagen.records import Example
from japagen.sections import AnalyzeSection

LIGHT = AnalyzeSection(encoder=False, oracle=None)
LABELS = ["yes", "no"]
ANIMALS = "犬猫鳥馬牛豚羊猿熊狐"
ENDINGS = {"yes": "に違いない", "no": "はずがない"}


def listed(texts: dict[str, list[str]], **options: object) -> dict[str, list[GiveAway]]:
    pairs = [(text, label) for label, rows in texts.items() for text in rows]
    found = give_aways([text for text, _ in pairs], [label for _, label in pairs], LABELS, **options)  # type: ignore[arg-type]
    return {label: list(rows) for label, rows in found.by_label.items()}


def pairs(count: int, given_away: float, seed: int = 0) -> list[Example]:
    """Pairs whose label no text tells, but for a share of second texts with an ending of their label."""
    draw = random.Random(seed)

    def text() -> str:
        return "".join(
            f"{draw.choice('山海川森町')}で{draw.choice(ANIMALS)}が{draw.choice(['走る', '寝る'])}" for _ in "ab"
        )

    rows = []
    for number in range(count):
        label = draw.choice(LABELS)
        second = text() + (ENDINGS[label] if draw.random() < given_away else "")
        rows.append(Example(str(number), text(), label, second))
    return rows


def test_an_expression_of_one_label_by_hand() -> None:
    texts = {"yes": [f"{animal}が好き" for animal in ANIMALS], "no": [f"{animal}は嫌い" for animal in ANIMALS]}
    found = listed(texts)
    # ten of ten against none of ten: 2 (10 ln 2 + 10 ln 2)
    assert found["yes"] == [GiveAway("が好き", pytest.approx(40 * math.log(2)), 10, 0)]
    assert found["no"] == [GiveAway("は嫌い", pytest.approx(40 * math.log(2)), 10, 0)]


def test_the_limit_is_shared_by_all_that_is_looked_at() -> None:
    texts = [f"{animal}がいる" for animal in ANIMALS]
    found = give_aways(texts, ["yes"] * 5 + ["no"] * 5, LABELS)
    assert found.looked_at == 3  # が, いる, がいる; each animal is in one text
    assert found.least == pytest.approx(6.96, abs=0.01)  # the square of the normal deviate of .05 / 6, two-sided
    assert found.texts == {"yes": 5, "no": 5}
    assert found.by_label == {"yes": (), "no": ()}


def test_repeated_texts_and_texts_of_a_group_count_once() -> None:
    other = [f"{animal}は嫌い" for animal in ANIMALS]
    assert listed({"yes": ["犬が好き", "犬が好き。"] * 10, "no": other})["yes"] == []
    texts = {"yes": [f"{animal}が好き" for animal in ANIMALS], "no": other}
    one_image = ["image"] * 10 + [str(n) for n in range(10)]
    assert listed(texts, groups=one_image)["yes"] == []
    assert listed(texts, groups=[*map(str, range(20))])["yes"][0].texts == 10


def test_captions_of_one_image_give_nothing_away_together() -> None:
    def rows(images: list[str]) -> list[Example]:
        texts = [("yes", f"{animal}が好き") for animal in ANIMALS] + [("no", f"{animal}は嫌い") for animal in ANIMALS]
        return [
            Example(str(n), "山がある", label, text, meta={IMAGE: image})
            for n, ((label, text), image) in enumerate(zip(texts, images, strict=True))
        ]

    apart = artefacts(rows([str(n) for n in range(20)]), [], LABELS, seed=0)["give_aways"]["second"]["by_label"]
    together = artefacts(rows(["1"] * 10 + [str(n) for n in range(2, 12)]), [], LABELS, seed=0)["give_aways"]["second"]
    assert apart["yes"]
    assert not together["by_label"]["yes"]


def test_no_expression_reaches_from_one_text_of_a_group_into_the_next() -> None:
    texts = {"yes": ["犬", "好き"] * 10, "no": [f"{animal}は嫌い" for animal in ANIMALS]}
    groups = [str(n // 2) for n in range(20)] + [f"no {n}" for n in range(10)]
    assert [(one.expression, one.texts) for one in listed(texts, groups=groups)["yes"]] == [("好き", 10)]


def test_what_every_text_or_few_texts_have_gives_nothing_away() -> None:
    same = {
        "yes": [f"{animal}がいる" for animal in ANIMALS],
        "no": [f"{animal}がいる！" for animal in "蛇亀鯨鮫蟹蛸貝魚鷹鷲"],
    }
    assert [one.expression for one in listed(same)["no"]] == ["がいる!"]
    assert listed(same)["yes"] == []
    few = {"yes": [f"{animal}が好き" for animal in ANIMALS[: LEAST_TEXTS - 1]], "no": [str(n) for n in range(10, 900)]}
    assert listed(few)["yes"] == []
    assert listed({"yes": [f"{animal}が好き" for animal in ANIMALS]}) == {"yes": [], "no": []}


def test_the_most_of_a_label() -> None:
    texts = {
        "yes": [f"{animal}{end}" for end in ("が好き", "を見る") for animal in ANIMALS],
        "no": [*"一二三四五六七八九十"] * 2,
    }
    assert len(listed(texts)["yes"]) == 2
    assert len(listed(texts, top=1)["yes"]) == 1


def test_planted_endings_raise_the_alarm_and_are_named() -> None:
    found = artefacts(pairs(400, 0.4), pairs(400, 0.0, seed=1), LABELS, seed=0)
    json.dumps(found, allow_nan=False)
    first, second = found["probes"]["synthetic"]
    assert (first["text"], first["artefact"]) == ("first", False)
    assert (second["text"], second["artefact"]) == ("second", True)
    assert not any(one["artefact"] for one in found["probes"]["gold"])
    named = found["give_aways"]["second"]["by_label"]
    assert {label: named[label][0]["expression"] for label in LABELS} == ENDINGS
    assert found["give_aways"]["first"]["by_label"] == {"yes": (), "no": ()}


def test_too_few_pairs_say_why_and_no_gold_is_none() -> None:
    found = artefacts(pairs(3, 0.0, seed=2), [], LABELS, seed=0)
    assert "too few" in found["probes"]["synthetic"]["undefined"]
    assert found["probes"]["gold"] is None


def test_the_analysis_holds_it_for_pairs_alone() -> None:
    found = analyze(pairs(60, 0.5), {}, labels=LABELS, seed=0, settings=LIGHT)
    assert set(found["artefacts"]) == {"probes", "give_aways"}
    assert "artefacts" not in analyze([Example("1", "犬がいる", "yes")], {}, labels=LABELS, seed=0, settings=LIGHT)


@given(st.lists(st.tuples(st.text("犬猫がは走る。", max_size=5), st.sampled_from(LABELS)), max_size=30), st.randoms())
def test_the_order_of_texts_does_not_matter(rows: list[tuple[str, str]], draw: random.Random) -> None:
    def found(each: list[tuple[str, str]]) -> object:
        return give_aways([text for text, _ in each], [label for _, label in each], LABELS)

    before = give_aways([text for text, _ in rows], [label for _, label in rows], LABELS)
    for label, listed_ones in before.by_label.items():
        for one in listed_ones:
            assert one.ratio >= before.least
            assert 0 < one.texts <= before.texts[label]
    shuffled = rows[:]
    draw.shuffle(shuffled)
    assert found(shuffled) == found(rows)
