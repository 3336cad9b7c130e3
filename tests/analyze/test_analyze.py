"""The analysis as a whole: its shape, equal sizes, JSON without NaN, gold that is absent, and refusals."""

import json
import random

import pytest

from japagen.analyze import Facts, UndefinedError, _without_copies, analyze
from japagen.errors import DataError
from japagen.groups import IMAGE
from japagen.progress import Progress
from japagen.records import Example
from japagen.sections import AnalyzeSection

LABELS = ["positive", "negative"]


def examples(prefix: str, texts: dict[str, str]) -> list[Example]:
    return [Example(f"{prefix}{i}", text, label) for i, (text, label) in enumerate(texts.items())]


SYNTHETIC = examples(
    "s",
    {
        "とても良い商品です。": "positive",
        "とても満足です！": "positive",
        "とても残念です。": "negative",
        "とても悪いです。": "negative",
        "とても困りました。": "negative",
    },
)
GOLD = examples("g", {"うますぎて草": "positive", "履きやすい靴でした": "positive", "すぐ破れた😡": "negative"})


LIGHT = AnalyzeSection(encoder=False, oracle=None)


def many(prefix: str, n: int) -> list[Example]:
    """Rows of two labels that have little in common but a word each."""
    told = {"positive": ("満足", "便利"), "negative": ("不満", "故障")}
    return [
        Example(
            f"{prefix}{label}{i}",
            f"{prefix}の{i}番の品は{told[label][i % 2]}でした。",
            label,
            meta={"word": f"語{i % 2}"},
        )
        for label in LABELS
        for i in range(n)
    ]


def test_everything_is_there_and_json_can_hold_it() -> None:
    found = analyze(SYNTHETIC, {"test": GOLD}, labels=LABELS, seed=0, settings=LIGHT)
    json.dumps(found, allow_nan=False)
    assert found["labels"] == LABELS
    assert found["unit"] == "text"
    assert found["tokeniser"] == "unidic-lite"
    assert found["counts"] == {
        "synthetic": {"positive": 2, "negative": 3},
        "gold": {"positive": 2, "negative": 1},
    }
    aspects = found["style"]["aspects"]
    assert aspects["register"]["shares"]["synthetic"]["by_label"]["negative"] == [1, 0, 0]
    assert found["style"]["lengths"]["gold"]["positive"]["mean"] == 7.5
    assert found["diversity"]["n"] == 3
    assert found["vocabulary"]["n"] == 1
    assert found["correctness"] is None
    assert found["scaling"] is None
    assert "embedding" not in found


def test_the_seed_decides_and_nothing_else() -> None:
    ours, theirs = many("s", 30), many("g", 12)
    first, again, other = (
        analyze(ours, {"dev": theirs}, labels=LABELS, seed=seed, settings=LIGHT) for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_texts_are_compared_with_dev_and_test_and_with_train_where_that_is_all() -> None:
    gold = {"train": many("t", 20), "dev": GOLD, "test": []}
    found = analyze(SYNTHETIC, gold, labels=LABELS, seed=0, settings=LIGHT)
    assert found["counts"]["gold"] == {"positive": 2, "negative": 1}
    found = analyze(SYNTHETIC, {"train": GOLD, "dev": [], "test": []}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["counts"]["gold"] == {"positive": 2, "negative": 1}


def test_texts_of_one_image_are_compared_as_one_draw() -> None:
    """Gold against gold of other images: with captions of one image as draws of their own it would look unlike itself."""
    rng = random.Random(0)
    nouns = ["犬", "猫", "鳥", "馬", "牛", "船", "車", "塔", "橋", "花", "海", "山"]
    rows = []
    for image in range(240):
        noun, other = rng.sample(nouns, 2)
        rows += [
            Example(f"{image}-{n}", f"{noun}が{image}番の{other}の{place}にいる", LABELS[n % 2], f"{noun}と{other}", None,
                    {IMAGE: f"{image}-1-2"})
            for n, place in enumerate(("前", "横", "上", "下"))
        ]  # fmt: skip
    ours, theirs = rows[: 80 * 4], rows[80 * 4 :]
    found = analyze(ours, {"test": theirs}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["counts"]["gold"] == {"positive": 320, "negative": 320}
    assert found["compared"] == {"synthetic": 80, "gold": 160}
    assert found["diversity"]["n"] == 80
    assert not any(one["differs"] for one in found["diversity"]["measures"].values())
    assert found["keyness"]["all"] == {"synthetic": [], "gold": []}
    assert found["vocabulary"]["of_ceiling"] > 0.95


def test_of_very_many_texts_a_sample_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("japagen.analyze.MOST_CHARACTERS", 500)
    found = analyze(many("s", 30), {"test": many("g", 12)}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["counts"]["synthetic"] == {"positive": 30, "negative": 30}
    assert found["compared"]["gold"] == 24
    assert 30 < found["compared"]["synthetic"] < 50
    assert found["keyness"]["texts"]["synthetic"] <= found["compared"]["synthetic"]


def test_what_stands_in_the_whole_of_the_other_set_is_not_far_from_it() -> None:
    row = Example("g", "犬がいる", "positive")
    far = {"gold": [{"id": "g"}, {"id": "h"}], "synthetic": [{"id": "s"}]}
    gold = [row, Example("h", "空", "positive")]
    found = _without_copies(far, [Example("s", "犬がいる", "negative"), Example("t", "海", "negative")], gold)
    assert found == {"gold": [{"id": "h"}], "synthetic": []}
    assert _without_copies(None, gold, gold) is None


def test_without_gold() -> None:
    found = analyze(SYNTHETIC, {}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["style"]["lengths"]["gold"] is None
    assert found["vocabulary"]["synthetic_gold"] is None
    assert found["counts"]["gold"] == {"positive": 0, "negative": 0}
    assert analyze(SYNTHETIC, {}, labels=LABELS, seed=0, settings=AnalyzeSection(encoder=False))["correctness"] is None


def test_the_oracle_the_judge_and_people_say_how_many_labels_are_right() -> None:
    ours, theirs = many("s", 20), many("g", 40)
    wrong = {row.id for row in ours[:5]}
    facts = Facts(attributes=("word",), people={row.id: row.id not in wrong for row in ours[:20]})
    settings = AnalyzeSection(encoder=False, oracle="linear")
    found = analyze(ours, {"test": theirs}, labels=LABELS, seed=0, settings=settings, facts=facts)["correctness"]
    assert found["oracle"]["overall"]["corrected"] > 0.9
    assert found["people"]["overall"]["rows"] == 20
    assert set(found["attributes"]["word"]) == {"oracle", "people"}
    alone = analyze(ours, {}, labels=LABELS, seed=0, settings=settings, facts=facts)["correctness"]
    assert alone["oracle"] is None
    assert alone["people"]["overall"]["rows"] == 20


def test_a_label_without_rows_has_no_numbers() -> None:
    found = analyze(SYNTHETIC[:1], {"test": GOLD[:1]}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["style"]["lengths"]["synthetic"]["negative"] is None
    assert found["vocabulary"]["gold_gold"] is None  # one text has no halves


def test_a_pair_is_one_text_of_both() -> None:
    pair = [Example("1", "犬がいる", "positive", "猫がいます")]
    found = analyze(pair, {}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["unit"] == "pair"
    assert found["style"]["lengths"]["synthetic"]["positive"]["mean"] == 10  # 4, the line break, 5
    assert found["style"]["lengths_first"]["synthetic"]["positive"]["mean"] == 4
    assert found["pair_likeness"]["gold"] is None
    assert found["pair_likeness"]["synthetic"]["positive"]["value"] == pytest.approx(1 / 6)  # が of six words


def test_progress_begins_and_ends_each_measure() -> None:
    heard: list[Progress] = []
    analyze(SYNTHETIC, {"test": GOLD}, labels=LABELS, seed=0, settings=LIGHT, on_progress=heard.append)
    assert {p.stage for p in heard} == {"analyze"}
    assert {p.item for p in heard if p.done == 0} == {p.item for p in heard if p.done == p.total}


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="no synthetic texts"):
        analyze([], {"test": GOLD}, labels=LABELS, seed=0)
    with pytest.raises(DataError, match="unknown label 'positiv'") as caught:
        analyze([Example("1", "良い", "positiv")], {}, labels=LABELS, seed=0)
    assert caught.value.remedy == "did you mean 'positive'?"
