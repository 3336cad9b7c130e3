"""The analysis as a whole: its shape, equal sizes, JSON without NaN, gold that is absent, and refusals."""

import json

import pytest

from japagen.analyze import UndefinedError, analyze
from japagen.errors import DataError
from japagen.progress import Progress
from japagen.records import Example

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


def test_everything_is_there_and_json_can_hold_it() -> None:
    found = analyze(SYNTHETIC, GOLD, labels=LABELS, seed=0)
    json.dumps(found, allow_nan=False)
    assert found["labels"] == LABELS
    assert found["counts"] == {
        "synthetic": {"positive": 2, "negative": 3},
        "gold": {"positive": 2, "negative": 1},
    }
    assert found["register"]["synthetic"]["negative"] == {"polite": 1, "plain": 0, "unknown": 0}
    assert found["register"]["gold"]["positive"] == {"polite": 0.5, "plain": 0.5, "unknown": 0}
    assert found["scripts"]["gold"]["negative"]["emoji"] == 1 / 6
    assert found["lengths"]["gold"]["negative"]["sd"] is None
    assert found["lengths"]["gold"]["positive"]["mean"] == 7.5
    edges = [found["lengths"][name][label]["histogram"]["edges"] for name in ("synthetic", "gold") for label in LABELS]
    assert all(each == edges[0] for each in edges)
    word, ratio, in_synthetic, in_gold = found["characteristic_words"]["synthetic"][0]
    assert (word, in_synthetic, in_gold) == ("とても", 5, 0)
    assert ratio > 0
    assert all(in_gold > 0 for _, _, _, in_gold in found["characteristic_words"]["gold"])


def test_sets_are_compared_at_the_same_size() -> None:
    found = analyze(SYNTHETIC, GOLD, labels=LABELS, seed=3)
    for name in ("synthetic", "gold"):
        assert "(n=3 texts, " in found["distinct_n"][name]["1"]["signature"]
        assert set(found["distinct_n"][name]) == {"1", "2", "3"}
    sizes = {found["type_token"][name]["signature"].split(" (")[1] for name in ("synthetic", "gold")}
    assert len(sizes) == 1
    for pair in ("synthetic_gold", "gold_gold"):
        overlap = found["vocabulary_jaccard"][pair]
        assert "(n=1 texts a side, " in overlap["signature"]
        assert overlap["low"] <= overlap["value"] <= overlap["high"]


def test_the_seed_decides_and_nothing_else() -> None:
    assert analyze(SYNTHETIC, GOLD, labels=LABELS, seed=0) == analyze(SYNTHETIC, GOLD, labels=LABELS, seed=0)
    assert analyze(SYNTHETIC, GOLD, labels=LABELS, seed=0) != analyze(SYNTHETIC, GOLD, labels=LABELS, seed=1)


def test_without_gold() -> None:
    found = analyze(SYNTHETIC, [], labels=LABELS, seed=0)
    for part in ("lengths", "register", "scripts", "distinct_n", "type_token"):
        assert found[part]["gold"] is None
        assert found[part]["synthetic"] is not None
    assert found["vocabulary_jaccard"] == {"synthetic_gold": None, "gold_gold": None}
    assert found["characteristic_words"] == {"synthetic": None, "gold": None}
    assert found["counts"]["gold"] == {"positive": 0, "negative": 0}


def test_a_label_without_rows_has_no_numbers() -> None:
    found = analyze(SYNTHETIC[:1], GOLD[:1], labels=LABELS, seed=0)
    assert found["lengths"]["synthetic"]["negative"] is None
    assert found["register"]["gold"]["negative"] is None
    assert found["vocabulary_jaccard"]["gold_gold"] is None  # one text has no halves


def test_a_pair_is_one_text_of_both() -> None:
    pair = [Example("1", "犬がいる", "positive", "猫がいます")]
    found = analyze(pair, [], labels=LABELS, seed=0)
    assert found["lengths"]["synthetic"]["positive"]["mean"] == 10  # 4, the line break, 5


def test_progress_begins_and_ends_each_measure() -> None:
    heard: list[Progress] = []
    analyze(SYNTHETIC, GOLD, labels=LABELS, seed=0, on_progress=heard.append)
    assert {(p.stage, p.total) for p in heard} == {("analyze", 1)}
    assert [p.item for p in heard if p.done == 0] == [p.item for p in heard if p.done == 1]


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="no synthetic texts"):
        analyze([], GOLD, labels=LABELS, seed=0)
    with pytest.raises(DataError, match="unknown label 'positiv'") as caught:
        analyze([Example("1", "良い", "positiv")], [], labels=LABELS, seed=0)
    assert caught.value.remedy == "did you mean 'positive'?"
