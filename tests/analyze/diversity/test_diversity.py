"""Diversity beside gold: equal sizes, what chance makes of a difference, labels, growth; the same for the same seed."""

import json
import random
from typing import Any

import numpy as np
import pytest

from japagen.analyze import diversity as module
from japagen.analyze.corpus import Corpus, corpora
from japagen.analyze.diversity import diversity
from japagen.analyze.diversity.variety import ALIKE, MEASURES, VARIED
from japagen.records import Example

LABELS = ("肯定", "否定")
LETTERS = "靴色形値段店箱紐底革布軽重硬柔速遅良悪高安赤青白黒大小古新長短"


def texts(n: int, letters: str, seed: int, length: int = 12) -> list[Example]:
    """Rows of random letters, of both labels in turn."""
    rng = random.Random(seed)
    return [
        Example(f"{seed}-{at}", "".join(rng.choice(letters) for _ in range(length)), LABELS[at % 2]) for at in range(n)
    ]


def found(ours: list[Example], theirs: list[Example], **options: Any) -> dict[str, Any]:
    mine, yours = corpora([ours, theirs], LABELS, "character")
    told = diversity(mine, yours, labels=LABELS, seed=0, **({"deals": 60} | options))
    assert told is not None
    return told


def test_synthetic_texts_of_few_words_differ_from_gold_in_every_measure() -> None:
    told = found(texts(120, LETTERS[:6], 1), texts(90, LETTERS, 2))
    assert (told["n"], told["deals"], told["tokeniser"]) == (90, 60, "character")
    assert told["mean_words"] == {"synthetic": 12.0, "gold": 12.0}
    for name in ("self_bleu_4", "compression", "self_repetition", "distinct_1", "distinct_2", "entropy_2"):
        one = told["measures"][name]
        assert one["differs"], name
        assert (one["difference"] > one["high"] > 0) if name in ALIKE else (one["difference"] < one["low"] < 0), name
        assert one["difference"] == pytest.approx(one["synthetic"] - one["gold"])


def test_sets_of_one_kind_hardly_ever_differ() -> None:
    """All measures at once pass in 95 % of such sets; so many failures as these are less likely than 1 in 1,000."""
    differing = 0
    for seed in range(20):
        told = found(texts(40, LETTERS, seed), texts(40, LETTERS, 100 + seed), deals=40)
        differing += any(one["differs"] for one in told["measures"].values())
    assert differing <= 5


def test_the_interval_holds_all_measures_at_once() -> None:
    """Worked anew from the deals: the largest standardised difference of each."""
    rng = np.random.default_rng(3)
    mine, yours = corpora([texts(30, LETTERS, 1), texts(30, LETTERS, 2)], LABELS, "character")
    pool = module.Pool.of(module.together([mine, yours]))
    limits = module._limits(pool, 30, 20, rng)
    rng = np.random.default_rng(3)
    orders = [np.arange(60), *(rng.permutation(60) for _ in range(19))]
    rows = [module._differences(*pool.measured([order[:30], order[30:]])) for order in orders]
    spread = {name: (sum(row[name] ** 2 for row in rows) / 20) ** 0.5 for name in limits}  # type: ignore[operator]
    largest = sorted(max(abs(row[name]) / spread[name] for name in limits if spread[name]) for row in rows)  # type: ignore[arg-type]
    assert sum(one <= limits["distinct_2"] / spread["distinct_2"] + 1e-9 for one in largest) >= 19
    assert limits["distinct_2"] / spread["distinct_2"] == pytest.approx(limits["entropy_1"] / spread["entropy_1"])


def test_values_say_how_they_were_made() -> None:
    told = found(texts(50, LETTERS, 1), texts(40, LETTERS, 2, length=6))
    one = told["measures"]["distinct_2"]
    assert one["signature"] == (
        f"distinct-2 = {one['synthetic']:.3f}, gold {one['gold']:.3f} (n=40 texts a set, 12.0 and 6.0 words a text, "
        "character, seed 0; 60 deals of both sets, all measures at once)"
    )
    assert told["growth"]["gold"]["signature"] == "growth (up to n=40 of 40 texts, character, seed 0)"


def test_without_gold_there_is_no_difference() -> None:
    told = found(texts(50, LETTERS, 1), [])
    assert told["deals"] is None
    assert told["mean_words"]["gold"] is None
    assert list(told["growth"]) == ["synthetic"]
    one = told["measures"]["self_bleu_2"]
    assert one["synthetic"] > 0
    assert {one[key] for key in ("gold", "difference", "low", "high", "differs")} == {None}
    mine, _ = corpora([texts(50, LETTERS, 1), []], LABELS, "character")
    assert diversity(mine, None, labels=LABELS, seed=0) == told


def test_by_label_all_are_measured_at_the_smallest_size() -> None:
    few = [row for row in texts(200, LETTERS, 1) if row.label == "肯定"][:40]
    told = found([*few, *(row for row in texts(200, LETTERS[:4], 2) if row.label == "否定")], texts(90, LETTERS, 3))
    labels = told["by_label"]["labels"]
    assert told["by_label"]["n"] == 40
    assert labels["否定"]["synthetic"]["distinct_2"] < labels["肯定"]["synthetic"]["distinct_2"]
    assert set(labels["肯定"]["gold"]) == set(MEASURES)
    assert told["by_label"]["signature"] == "diversity by label (n=40 texts of each label and set, character, seed 0)"


def test_a_label_with_few_texts_is_not_measured() -> None:
    many = [row for row in texts(120, LETTERS, 1) if row.label == "肯定"]
    few = [row for row in texts(120, LETTERS, 2) if row.label == "否定"][:29]
    labels = found([*many, *few], [])["by_label"]["labels"]
    assert labels["否定"] == {"synthetic": None, "gold": None}
    assert labels["肯定"]["synthetic"] is not None
    assert found(texts(40, LETTERS, 1), [])["by_label"] is None


def test_growth_by_hand() -> None:
    told = found(texts(600, "靴", 1, length=2), [])["growth"]["synthetic"]
    assert told["n"] == [150, 300, 600]
    assert told["words"] == [300, 600, 1200]
    assert told["types"] == [1, 1, 1]
    told = found(texts(500, LETTERS, 1), [])["growth"]["synthetic"]
    assert told["n"] == [125, 250, 500]
    assert told["types"] == [len(LETTERS)] * 3
    assert told["self_bleu_4"] == sorted(told["self_bleu_4"])


def test_growth_counts_the_different_words_of_each_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROWTH_FROM", 1)
    rows = [
        Example(str(at), text, LABELS[0])
        for at, text in enumerate(["靴", "靴色", "形", "靴", "色形", "値", "店", "店"])
    ]
    (corpus,) = corpora([rows], LABELS, "character")
    told = module._growth(corpus, 0)
    order = np.random.default_rng(module.stream_seed(0, "growth")).permutation(8)
    assert told["n"] == [1, 2, 4, 8]
    assert told["types"] == [len(set("".join(rows[at].text for at in order[:n]))) for n in (1, 2, 4, 8)]
    assert told["words"][-1] == 10
    assert told["self_bleu_4"][0] is None


def test_growth_stops_at_a_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROWTH_WORDS", 100)
    told = found(texts(600, LETTERS, 1, length=10), [])["growth"]["synthetic"]
    assert (told["n"], told["words"]) == ([10], [100])
    assert "up to n=10 of 600" in told["signature"]


def test_long_texts_are_measured_in_smaller_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WORDS", 600)
    told = found(texts(90, LETTERS, 1, length=6), texts(90, LETTERS, 2, length=20))
    assert told["n"] == 30


def test_the_same_seed_the_same_values_and_another_seed_others() -> None:
    mine, yours = corpora([texts(90, LETTERS, 1), texts(40, LETTERS, 2)], LABELS, "character")
    first, again, other = (diversity(mine, yours, labels=LABELS, seed=seed, deals=10) for seed in (0, 0, 1))
    assert json.dumps(first) == json.dumps(again) != json.dumps(other)


@pytest.mark.parametrize("tokeniser", ["character", "unidic-lite"])
@pytest.mark.parametrize("hostile", [[""], ["", ""], ["\ud800", "\x00"], ["靴"], ["靴" * 3000, ""], ["靴", "靴"]])
def test_hostile_texts_have_none_or_a_number(hostile: list[str], tokeniser: str) -> None:
    rows = [Example(str(at), text, LABELS[0]) for at, text in enumerate(hostile)]
    for theirs in ([], rows, texts(5, LETTERS, 1)):
        mine, yours = corpora([rows, theirs], LABELS, tokeniser)
        told = diversity(mine, yours, labels=LABELS, seed=0, deals=5)
        assert told is not None
        json.dumps(told, allow_nan=False)
        assert set(told["measures"]) == set(MEASURES) == {*ALIKE, *VARIED}


def test_nothing_synthetic_is_nothing() -> None:
    (empty,) = corpora([[]], LABELS, "character")
    assert isinstance(empty, Corpus)
    assert diversity(empty, None, labels=LABELS, seed=0) is None
