"""Facts about gold rows by hand, what splits share, the advice that follows, and splits that are refused."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from japagen.errors import DataError
from japagen.evaluate.gold import GoldData, GoldSource
from japagen.evaluate.gold.advice import advice, short
from japagen.evaluate.gold.check import Facts, Probed, check_gold, check_splits, grouping, split_facts
from japagen.evaluate.gold.leakage import Overlap, leak
from japagen.groups import IMAGE
from japagen.records import Example
from japagen.student.probe import Probe
from japagen.task import Task


def single(*rows: tuple[str, str], start: int = 0) -> list[Example]:
    return [Example(str(number), text, label) for number, (text, label) in enumerate(rows, start)]


def pairs(*rows: tuple[str, str, str]) -> list[Example]:
    return [Example(str(number), *row[:1], row[2], row[1]) for number, row in enumerate(rows)]


@pytest.fixture
def jcola() -> Task:
    return Task.load("jcola")


def test_single_texts_by_hand(jcola: Task) -> None:
    rows = single(
        ("犬が走る。", "acceptable"), ("犬が走る。", "acceptable"), ("犬が走る！", "unacceptable"), ("猫", "acceptable")
    )
    facts = split_facts(jcola, "test", rows)
    assert facts.rows == 4
    assert facts.labels == {"unacceptable": 1, "acceptable": 3}
    assert (facts.exact, facts.canonical) == (1, 2)
    assert (facts.contradictions, facts.contradictory) == (3, ("0", "1", "2"))
    assert (facts.text.low, facts.text.median, facts.text.mean, facts.text.high) == (1, 5, 4, 5)
    assert facts.text_pair is facts.both_ways is facts.values is None
    # Three rows of one text and one of another: (9 + 1) / 4.
    assert facts.groups == grouping(rows)
    assert (facts.groups.by, facts.groups.count, facts.groups.largest, facts.groups.design_effect) == (
        "text",
        2,
        3,
        2.5,
    )


def test_pairs_in_both_directions_are_no_contradiction_for_inference() -> None:
    task = Task.load("jnli")
    rows = pairs(
        ("犬", "猫", "neutral"), ("猫", "犬", "entailment"), ("鳥", "鳥", "entailment"), ("犬。", "猫", "neutral")
    )
    facts = split_facts(task, "dev", rows)
    assert facts.both_ways == 3
    assert facts.contradictions == 0
    assert (facts.exact, facts.canonical) == (0, 1)
    assert split_facts(task, "dev", [*rows, replace(rows[0], id="x", label="entailment")]).contradictions == 3


def test_similarity_contradicts_itself_by_a_whole_step_in_either_order() -> None:
    task = Task.load("jsts")
    rows = [
        replace(row, value=value)
        for row, value in zip(
            pairs(("犬", "猫", "1"), ("猫", "犬", "2"), ("鳥", "馬", "3"), ("馬", "鳥", "3")),
            (1.0, 2.0, 2.6, 3.4),
            strict=True,
        )
    ]
    facts = split_facts(task, "dev", rows)
    assert facts.contradictory == ("0", "1")
    assert facts.values is not None
    assert (facts.values.low, facts.values.median, facts.values.high) == (1.0, 2.3, 3.4)


def test_groups_of_images_count_before_texts() -> None:
    rows = [Example(str(n), f"{n}", "x", meta={IMAGE: image}) for n, image in enumerate(["1-0-0", "1-0-1", "2-0-0"])]
    found = grouping(rows)
    assert (found.by, found.count, found.largest) == ("image", 2, 2)
    assert found.design_effect == pytest.approx(5 / 3)


LONG = "公園の入り口に白い自転車が三台並べて停めてあり、その横で子どもたちが元気に遊んでいます"


def test_what_one_split_has_of_another() -> None:
    rows = single(("犬。", "a"), ("犬！", "a"), (LONG, "b"), ("ほかの文です", "a"))
    others = single(("犬。", "b"), (LONG.replace("白い", "青い"), "b"), start=100)
    found = leak("test", rows, "train", others)
    assert (found.rows, found.exact, found.canonical, found.near, found.relabelled) == (4, 1, 1, 1, 2)
    assert found.ids == ("0", "1", "2")
    assert found.same_image is found.one_text is None


def test_images_and_single_texts_of_pairs_that_splits_share() -> None:
    def seen(image: str, *texts: str) -> Example:
        return Example(image, texts[0], "x", texts[1], meta={IMAGE: image})

    rows = [seen("1-0-0", "あ", "い"), seen("2_3-0-0", "う", "え"), seen("4-0-0", "お", "か")]
    others = [seen("3-0-0", "い", "き"), seen("1-1-1", "く", "け")]
    found = leak("test", rows, "dev", others)
    assert (found.same_image, found.one_text) == (2, 1)
    assert (found.exact, found.canonical, found.near) == (0, 0, 0)


def test_facts_are_json_and_compare_the_test_set_first(jcola: Task) -> None:
    rows = single(("犬。", "acceptable"), ("猫。", "unacceptable"))
    facts = check_gold(jcola, {"train": rows, "dev": rows[:1], "test": rows[1:], "more": []})
    assert [split.split for split in facts.splits] == ["train", "dev", "test"]
    assert [(each.split, each.other) for each in facts.leaks] == [("test", "dev"), ("test", "train"), ("dev", "train")]
    assert facts.probed == ()
    json.dumps(asdict(facts), allow_nan=False)
    pair = check_gold(Task.load("jnli"), {"file": pairs(("犬", "猫", "neutral"))})
    assert pair.probed == (Probed("file", (), "all rows have the label 'neutral'"),)


def test_advice_says_what_is_wrong_and_what_follows(jcola: Task) -> None:
    rows = single(("犬。", "acceptable"), ("犬。", "unacceptable"))
    facts = check_gold(jcola, {"train": rows, "test": single(("犬。", "acceptable"), start=5)})
    assert advice(facts) == [
        "test: 1 of 1 rows also stand in train (1 to the letter); leave them out of it",
        "train: rows whose text also stands with another label: 2 (0, 1)",
        "train: rows that repeat an earlier one: 1, 1 of them to the letter",
        "test: no row has the label 'unacceptable'",
    ]
    loud = Probe("second", "accuracy", 2000, 2000, guess=0.5, random=0.8, grouped=0.6)
    artefact, leaking = advice(Facts((), (), (Probed("test", (replace(loud, text="first", grouped=0.8), loud)),)))[1:]
    assert artefact.startswith("test: the second text alone tells the label: accuracy .600, a guess .500;")
    assert leaking.startswith(
        "test: a random split of these rows leaks (the second text alone: .800 in random folds, .600 by"
    )
    assert advice(Facts((), (), ())) == []
    assert (short(-0.25), short(1.0), short(0.0)) == ("-.250", "1.000", ".000")


def data(
    test: Sequence[Example], dev: Sequence[Example] = (), train: Sequence[Example] = (), same: bool = False
) -> GoldData:
    files = tuple(
        GoldSource(split, f"{split}.csv", "0" if same else split, len(rows))
        for split, rows in (("train", train), ("dev", dev), ("test", test))
        if rows
    )
    return GoldData(train=list(train), dev=list(dev), test=list(test), files=files)


TEN = single(*((f"{n}番の文", "a") for n in range(10)))


def test_a_test_set_that_is_the_dev_set_is_refused() -> None:
    with pytest.raises(DataError, match=r"gold.dev and gold.test are the same file \(test.csv\)") as caught:
        check_splits(data(TEN, TEN, same=True))
    assert "let one file be split" in caught.value.remedy
    renamed = [replace(row, id=f"x{row.id}", text=f"{row.text}。") for row in TEN]
    with pytest.raises(DataError, match=r"gold.test, test.csv: 10 of 10 rows of gold.test stand in gold.train too"):
        check_splits(data(TEN, train=renamed))
    with pytest.raises(DataError, match="5 of 10 rows of gold.test stand in gold.dev too"):
        check_splits(data(TEN, TEN[:5]))


def test_a_smaller_overlap_is_told_and_dev_may_be_of_train() -> None:
    assert check_splits(data(TEN, TEN[:4])) == [Overlap("test", "dev", 4, 10)]
    other = single(*((f"別の{n}", "a") for n in range(4)))
    assert check_splits(data(TEN, other, other)) == [Overlap("dev", "train", 4, 4)]
    assert check_splits(data(TEN, other)) == []
    assert check_splits(data(TEN)) == check_splits(GoldData()) == []
    of_one = GoldData(TEN, TEN, TEN, (GoldSource("all", "x.csv", "0", 10),))
    assert check_splits(of_one) == []


def test_one_text_of_two_is_no_overlap() -> None:
    rows = pairs(("犬", "猫", "x"))
    assert check_splits(data(rows, pairs(("犬", "鳥", "x")))) == []
