"""Pairs: how alike their two texts are, and lengths of each of them."""

import json

import pytest

from japagen.analyze import analyze
from japagen.analyze.pairs import likeness
from japagen.analyze.sampling import UndefinedError
from japagen.records import Example
from japagen.sections import AnalyzeSection

LIGHT = AnalyzeSection(encoder=False, oracle=None)
LABELS = ["entailment", "neutral"]
SYNTHETIC = [
    Example("1", "犬がいる", "entailment", "犬がいる。"),
    Example("2", "犬がいる", "entailment", "猫がいる"),
    Example("3", "犬がいる", "neutral", "空は青いです"),
]
GOLD = [Example("g", "鳥が飛ぶ", "entailment", "鳥が飛ぶ")]


def test_likeness_by_hand() -> None:
    # 犬 が いる against 犬 が いる 。: 3 of 4 words; 犬 が いる against 猫 が いる: 2 of 4.
    found = likeness([("犬がいる", "犬がいる。"), ("犬がいる", "猫がいる")])
    assert found.value == pytest.approx((3 / 4 + 2 / 4) / 2)
    assert found.signature == "word-jaccard = 0.625 (n=2 pairs, fugashi/unidic-lite)"
    with pytest.raises(UndefinedError, match="no pairs"):
        likeness([])


def test_pairs_are_described_as_a_whole_and_text_by_text() -> None:
    found = analyze(SYNTHETIC, {"test": GOLD}, labels=LABELS, seed=0, settings=LIGHT)
    json.dumps(found, allow_nan=False)
    assert found["unit"] == "pair"
    style = found["style"]
    means = [style[part]["synthetic"]["entailment"]["mean"] for part in ("lengths_first", "lengths_second", "lengths")]
    assert means == [4, 4.5, 9.5]  # the line break between both counts
    assert style["lengths_second"]["gold"] == {
        "entailment": style["lengths_first"]["gold"]["entailment"],
        "neutral": None,
    }
    assert found["pair_likeness"]["synthetic"]["entailment"]["value"] == pytest.approx(0.625)
    assert found["pair_likeness"]["gold"]["entailment"]["value"] == 1.0
    assert found["pair_likeness"]["gold"]["neutral"] is None


def test_pairs_without_gold_and_single_texts() -> None:
    found = analyze(SYNTHETIC, {}, labels=LABELS, seed=0, settings=LIGHT)
    assert found["style"]["lengths_first"]["gold"] is found["pair_likeness"]["gold"] is None
    single = analyze([Example("1", "犬がいる", "neutral")], {}, labels=LABELS, seed=0, settings=LIGHT)
    assert single["unit"] == "text"
    assert "pair_likeness" not in single
    assert "lengths_first" not in single["style"]
