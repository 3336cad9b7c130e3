"""The single-input probe: silent where there is nothing, loud where a phrase gives labels away, and on the real JNLI."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from japagen.evaluate.gold import load_gold
from japagen.goldfiles import GoldFile
from japagen.groups import IMAGE
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.student import probe as probing
from japagen.student.probe import Probe, probe
from japagen.task import Task

JNLI = Path(__file__).resolve().parents[3] / "shared" / "gold" / "jnli" / "valid-v1.3.json"
NOUNS = "犬猫鳥馬牛豚羊猿熊狐虎象"
PLACES = "山海川森町駅店庭橋道"
DOES = ("走る", "眠る", "食べる", "歩く", "座る", "鳴く", "遊ぶ", "立つ")
ENDINGS = {"yes": "のだ", "no": "はずがない", "may": "かもしれない"}


def pairs(count: int, *, seed: int = 0, given_away: float = 0.0) -> list[Example]:
    """Pairs whose label is drawn without a look at the texts; a share of second texts ends as only their label does."""
    draw = random.Random(seed)

    def text() -> str:
        return "".join(f"{draw.choice(PLACES)}で{draw.choice(NOUNS)}が{draw.choice(DOES)}" for _ in range(2))

    rows = []
    for number in range(count):
        label = draw.choice(list(ENDINGS))
        second = text() + (ENDINGS[label] if draw.random() < given_away else "")
        rows.append(Example(str(number), text(), label, second, meta={IMAGE: f"{number // 2}-1-2"}))
    return rows


def test_labels_that_no_text_tells_raise_no_alarm() -> None:
    for seed in range(2):
        for found in probe(pairs(600, seed=seed)):
            assert not found.artefact
            assert not found.leaking
            assert found.measure == "accuracy"
            assert (found.rows, found.groups) == (600, 300)
            assert found.guess == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_endings_that_give_labels_away_raise_it(share: float) -> None:
    for seed in range(2):
        first, second = probe(pairs(600, seed=seed, given_away=share))
        assert not first.artefact
        assert second.artefact
        assert second.grouped > second.guess + share / 2


def test_rows_that_share_a_text_and_a_label_leak() -> None:
    rows = pairs(300)
    copies = [replace(row, id=f"{row.id}+", text=f"{row.text}！", meta={}) for row in rows]
    found = probe([*(replace(row, meta={}) for row in rows), *copies])[1]
    assert 295 <= found.groups <= 300  # a few texts are drawn twice
    assert found.leaking
    assert found.random > 0.8
    assert not found.artefact


def test_similarity_is_measured_by_ranks() -> None:
    values = {"yes": 5.0, "may": 2.5, "no": 0.0}
    for share, alarm in ((0.0, False), (0.5, True)):
        rows = [replace(row, value=values[row.label]) for row in pairs(600, given_away=share)]
        second = probe(rows)[1]
        assert second.measure == "spearman"
        assert second.guess == 0.0
        assert second.artefact is alarm


def test_it_repeats_itself_and_samples_whole_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST_ROWS", 101)
    found = probe(pairs(400), seed=3)
    assert found == probe(pairs(400), seed=3)
    assert (found[0].rows, found[0].groups) == (100, 50)


def test_a_group_that_does_not_fit_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "MOST_ROWS", 101)
    whole = [replace(row, id=f"{row.id}+", meta={IMAGE: "large-1-2"}) for row in pairs(102, seed=1)]
    for seed in range(5):
        found = probe([*pairs(400), *whole], seed=seed)[0]
        assert (found.rows, found.groups) == (100, 50)


def test_small_sets_need_a_larger_difference() -> None:
    # 100 groups: two standard errors are .1, so that .08 above a guess is no alarm; in 2,500 groups it is.
    few = Probe("second", "accuracy", 100, 100, guess=0.5, random=0.66, grouped=0.58)
    many = replace(few, rows=2500, groups=2500)
    assert (few.artefact, few.leaking) == (False, False)
    assert (many.artefact, many.leaking) == (True, True)
    assert not replace(many, measure="spearman", guess=0.0, grouped=0.19).artefact
    assert replace(many, measure="spearman", guess=0.0, grouped=0.21).artefact


def test_what_has_no_value_says_so() -> None:
    with pytest.raises(Undefined, match="for pairs"):
        probe([Example("1", "文", "yes")])
    with pytest.raises(Undefined, match="for pairs"):
        probe([])
    with pytest.raises(Undefined, match="all rows have the label 'yes'"):
        probe([replace(row, label="yes") for row in pairs(20)])
    with pytest.raises(Undefined, match="4 groups are too few"):
        probe(pairs(8))
    rows = [replace(row, label="no" if row.meta[IMAGE].startswith("7-") else "yes") for row in pairs(40)]
    with pytest.raises(Undefined, match="all rows of a label are in one fold"):
        probe(rows)
    rows = [replace(row, text_pair="はい", meta={}) for row in pairs(probing.MOST_ROWS + 1)]
    with pytest.raises(Undefined, match="larger than 3000 rows"):
        probe(rows)
    with pytest.raises(Undefined, match="empty"):
        probe([replace(row, text="") for row in pairs(20)])


def test_jnli() -> None:
    if not JNLI.is_file():
        pytest.skip("the gold file jnli/valid-v1.3.json is not here")
    columns = {"text": "sentence1", "text_pair": "sentence2", "id": "sentence_pair_id"}
    rows = load_gold(Task.load("jnli"), GoldFile(file=str(JNLI), **columns))
    for found in probe(rows):
        assert found.groups == 1089
        assert found.grouped <= 0.56
        assert found.random >= 0.70
        assert found.leaking
        assert not found.artefact
