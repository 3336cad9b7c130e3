"""Label correctness by oracle, judge and people: shares by label and word, who agrees with whom, what is undefined."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.analyze.labels import label_correctness
from japagen.analyze.labels import oracle as oracle_module
from japagen.analyze.labels.oracle import Oracle, _gold_rows, ask_oracle
from japagen.analyze.labels.verdicts import FAR, agrees, by_value, shares
from japagen.errors import DataError
from japagen.metrics import Undefined
from japagen.records import Example, Prediction

LABELS = ("a", "b")
STEPS = {"1": 1.0, "2": 2.0, "3": 3.0}


class Reader:
    """A student that reads the true label off the first letter of a text, and of some texts misreads it."""

    def __init__(self, labels: Sequence[str] = LABELS, wrong_every: int = 0) -> None:
        self.labels, self.wrong_every = labels, wrong_every
        self.asked: list[str] = []

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> "Reader":
        return self

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        self.asked += [example.id for example in examples]
        return [self._said(example) for example in examples]

    def _said(self, example: Example) -> Prediction:
        place = self.labels.index(example.text[0])
        if self.wrong_every and int(example.text[1:]) % self.wrong_every == 0:
            place = (place + 1) % len(self.labels)
        scores = {label: 0.9 if at == place else 0.1 / (len(self.labels) - 1) for at, label in enumerate(self.labels)}
        return Prediction(example.id, self.labels[place], scores)


def gold(n: int = 60, labels: Sequence[str] = LABELS) -> list[Example]:
    """Texts are the true label and a number from 1000 on."""
    return [Example(f"g{i}", f"{labels[i % len(labels)]}{1000 + i}", labels[i % len(labels)]) for i in range(n)]


def synthetic(n: int = 100, wrong: Mapping[str, int] | None = None, words: int = 4) -> list[Example]:
    """Half a, half b; of each label the first `wrong` texts are of the other one."""
    rows = []
    for place, label in enumerate(LABELS):
        for i in range(n // 2):
            true = LABELS[1 - place] if i < (wrong or {}).get(label, 0) else label
            rows.append(Example(f"{label}/{i}", f"{true}{i}", label, meta={"word": f"語{i % words}"}))
    return rows


def told(rows: Sequence[Example], **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"student": Reader(), "name": "reader", "seed": 0}
    found = label_correctness(rows, {"dev": gold()}, LABELS, **given | options)
    json.dumps(found, allow_nan=False)
    return found


def test_an_oracle_that_never_errs_finds_the_truth() -> None:
    found = told(synthetic(100, {"a": 20}))["oracle"]
    assert found["overall"]["raw"] == pytest.approx(0.8)
    assert found["overall"]["corrected"] == pytest.approx(0.8, abs=0.02)
    assert found["by_label"]["a"]["raw"] == pytest.approx(0.6)
    assert found["by_label"]["b"]["corrected"] == pytest.approx(1, abs=0.02)
    assert [found["by_label"][label]["rows"] for label in LABELS] == [50, 50]
    assert (found["gold_rows"], found["gold_enough"], found["weak"], found["in_gold"]) == ({"dev": 60}, False, False, 0)
    assert "reader on 60 gold rows" in found["signature"]


@pytest.mark.parametrize(("wrong", "many_gold", "alarm"), [(30, False, True), (16, False, False), (16, True, True)])
def test_a_label_alarms_where_it_is_surely_low_and_few_gold_rows_make_that_less_sure(
    monkeypatch: pytest.MonkeyPatch, wrong: int, many_gold: bool, alarm: bool
) -> None:
    monkeypatch.setattr(oracle_module, "ENOUGH", 60 if many_gold else 61)
    found = told(synthetic(200, {"a": 2 * wrong}))["oracle"]["by_label"]
    assert (found["a"]["alarm"], found["b"]["alarm"]) == (alarm, False)


def test_a_weak_oracle_raises_no_alarm() -> None:
    found = told(synthetic(100, {"a": 40}), student=Reader(wrong_every=3))["oracle"]
    assert found["student_accuracy"] == pytest.approx(2 / 3)
    assert found["weak"]
    assert not any(one["alarm"] for one in found["by_label"].values())
    assert not told(synthetic(), student=Reader(wrong_every=5))["oracle"]["weak"]


class Constant(Reader):
    """A student that is right about a and, of b, about every fifth."""

    def _said(self, example: Example) -> Prediction:
        found = super()._said(example)
        if found.label == "a" or int(example.text[1:]) % 5 == 0:
            return found
        return Prediction(example.id, "a", {"a": 0.9, "b": 0.1})


def test_an_oracle_that_knows_the_frequent_label_alone_is_weak() -> None:
    many = [Example(f"g{i}", f"a{1000 + i}", "a") for i in range(90)]
    few = [Example(f"h{i}", f"b{2000 + i}", "b") for i in range(10)]
    found = label_correctness(synthetic(), {"dev": many + few}, LABELS, student=Constant(), name="c", seed=0)["oracle"]
    assert found["student_accuracy"] == pytest.approx(0.92)
    assert found["weak"]


def test_gold_sets_are_opened_in_order_and_no_further_than_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle_module, "ENOUGH", 30)
    monkeypatch.setattr(oracle_module, "MOST_GOLD", 50)
    sets = {"train": gold(20), "dev": gold(40), "test": gold(60)}
    used = _gold_rows(sets, 0)
    assert {name: len(rows) for name, rows in used.items()} == {"train": 20, "dev": 30}
    assert used == _gold_rows(sets, 0) != _gold_rows(sets, 1)
    assert {name: len(rows) for name, rows in _gold_rows({"train": [], "test": gold(60)}, 0).items()} == {"test": 50}


def test_rows_that_gold_holds_are_not_asked_about() -> None:
    student = Reader()
    rows = [*synthetic(20), Example("copy", "a1000", "a")]
    assert told(rows, student=student)["oracle"]["in_gold"] == 1
    assert "copy" not in student.asked
    only_copies = [Example("copy", "a1000", "a")]
    assert told(only_copies)["oracle"]["undefined"] == "gold holds the text of every row"


def test_rows_of_people_are_asked_about_too_but_count_for_the_agreement_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle_module, "MOST_ROWS", 40)
    rows = synthetic(100, {"a": 10})
    people = {row.id: row.text[0] == row.label for row in rows}
    found = told(rows, people=people)
    assert found["oracle"]["asked"] == 40
    assert ", 40 rows," in found["oracle"]["signature"]
    [agreement] = found["agreement"]
    assert (agreement["between"], agreement["rows"]) == (["oracle", "people"], 100)
    assert (agreement["value"], agreement["kappa"]) == (1.0, pytest.approx(1.0))


@pytest.mark.parametrize(
    ("sets", "why"),
    [({"test": gold(2)}, "2 groups of gold rows"), ({"test": gold()[::2]}, "no label 'b'")],
)
def test_an_oracle_that_cannot_learn_says_why(sets: dict[str, list[Example]], why: str) -> None:
    found = label_correctness(synthetic(), sets, LABELS, student=Reader(), name="reader", seed=0)
    assert why in found["oracle"]["undefined"]
    assert "overall" not in found["oracle"]
    assert (found["attributes"], found["agreement"]) == ({}, [])


def test_without_anybody_there_is_nothing_but_the_rows() -> None:
    found = label_correctness(synthetic(10), {}, LABELS, student=None, name=None, seed=0)
    assert found == {
        "kind": "labels", "rows": 10, "low": 0.8, "oracle": None, "judge": None, "people": None, "attributes": {},
        "agreement": [],
    }  # fmt: skip
    assert told(synthetic(), student=None)["oracle"] is None
    empty = label_correctness(synthetic(), {"test": []}, LABELS, student=Reader(), name="reader", seed=0)
    assert empty["oracle"] is None


def test_refusals() -> None:
    with pytest.raises(Undefined, match="no synthetic rows"):
        told([])
    with pytest.raises(Undefined, match="unknown label 'c'"):
        told([Example("1", "a1", "c")])
    with pytest.raises(DataError, match="same id"):
        told([Example("1", "a1", "a"), Example("1", "a2", "a")])


# The judge


def judged(rows: Sequence[Example], said: Mapping[str, str | None]) -> list[Example]:
    return [Example(r.id, r.text, r.label, meta={**r.meta, "judge_label": said.get(r.id, r.label)}) for r in rows]


def test_the_judge_by_label_and_what_was_dropped_before() -> None:
    rows = judged(synthetic(20), {"a/0": "b", "a/1": "b", "b/0": None})
    about = {"llm": "llm-x", "rows": 40, "unread": 4, "doubted": {"a": 6, "b": 3}, "applied": True, "sentence": "So."}
    found = told(rows, judged=about | {"independence": {"right": 5}})["judge"]
    assert (found["rows"], found["unread"], found["llm"], found["applied"]) == (19, 1, "llm-x", True)
    assert found["by_label"]["a"]["value"] == pytest.approx(0.8)
    assert found["overall"]["value"] == pytest.approx((0.8 + 1) / 2)
    assert found["before"] == {"rows": 36, "value": pytest.approx(0.75)}
    assert (found["audit"], found["audit_sentence"]) == ({"right": 5}, "So.")
    assert not any(one["alarm"] for one in found["by_label"].values())
    assert told(synthetic(20), judged=about)["judge"] is None  # no row was judged


def test_a_judge_that_cannot_be_read() -> None:
    rows = judged(synthetic(4), dict.fromkeys(["a/0", "a/1", "b/0", "b/1"]))
    found = told(rows)["judge"]
    assert found["undefined"] == "none of the 4 verdicts could be read"
    assert (found["before"], found["unread"]) == (None, 4)


# People


def test_people_count_each_label_by_its_rows() -> None:
    rows = [Example(f"a{i}", f"a{i}", "a") for i in range(90)] + [Example(f"b{i}", f"b{i}", "b") for i in range(10)]
    people = {f"a{i}": True for i in range(10)} | {f"b{i}": False for i in range(10)} | {"gone": True}
    found = told(rows, people=people)["people"]
    assert found["overall"]["value"] == pytest.approx(0.9)
    assert (found["rows"], found["elsewhere"], found["unseen"]) == (20, 1, [])
    assert (found["by_label"]["a"]["alarm"], found["by_label"]["b"]["alarm"]) == (False, True)
    alone = told(rows, people={"b1": True})["people"]
    assert (alone["unseen"], alone["overall"]["value"]) == (["a"], 1.0)
    assert "undefined" in told(rows, people={"gone": True})["people"]
    assert told(rows)["people"] is None


@given(st.lists(st.tuples(st.sampled_from(LABELS), st.booleans()), min_size=1, max_size=40))
@settings(max_examples=40, deadline=None)
def test_if_all_rows_are_judged_the_share_is_that_of_the_rows(said: list[tuple[str, bool]]) -> None:
    rows = [Example(str(i), "x", label) for i, (label, _) in enumerate(said)]
    found = shares(rows, {str(i): right for i, (_, right) in enumerate(said)}, LABELS, alarms=True)
    assert found["overall"]["value"] == pytest.approx(sum(right for _, right in said) / len(said))
    assert found["overall"]["low"] <= found["overall"]["value"] <= found["overall"]["high"]
    assert sum(one["rows"] for one in found["by_label"].values()) == len(said)


# Words


def test_a_word_whose_rows_are_often_wrong_is_found() -> None:
    rows = synthetic(200, words=5)
    right = {row.id: row.meta["word"] != "語3" or int(row.text[1:]) > 60 for row in rows}
    found = by_value(rows, right, "word")
    assert found is not None
    assert (found["values"], found["compared"], found["least"]) == (5, 5, 5)
    first = found["listed"][0]
    assert (first["value"], first["rows"], first["expected"], first["alarm"]) == ("語3", 40, 1.0, True)
    assert first["share"] == pytest.approx(16 / 40)
    assert first["p_holm"] == pytest.approx(5 * first["p"])
    assert not any(one["alarm"] for one in found["listed"][1:])
    quiet = by_value(rows, right, "word", alarms=False)
    assert quiet is not None
    assert not quiet["listed"][0]["alarm"]


def test_a_word_of_a_label_that_is_often_wrong_is_not_blamed() -> None:
    rows = [Example(f"a{i}", "x", "a", meta={"word": "甲"}) for i in range(40)]
    rows += [Example(f"a{i}", "x", "a", meta={"word": "乙"}) for i in range(40, 80)]
    rows += [Example(f"b{i}", "x", "b", meta={"word": "乙"}) for i in range(80)]
    right = {row.id: row.label == "b" or int(row.id[1:]) % 2 == 0 for row in rows}
    found = by_value(rows, right, "word")
    assert found is not None
    assert [one["p"] for one in found["listed"]] == [pytest.approx(1.0)] * 2
    assert found["listed"][0]["expected"] == pytest.approx(0.5)


def test_a_small_difference_is_no_alarm_however_sure() -> None:
    rows = [Example(f"{w}{i}", "x", "a", meta={"word": w}) for w in "甲乙" for i in range(20_000)]
    right = {row.id: int(row.id[1:]) % 20 > (0 if row.id[0] == "甲" else 1) for row in rows}
    found = by_value(rows, right, "word")
    assert found is not None
    low = min(found["listed"], key=lambda one: one["share"])
    assert low["p_holm"] < 1e-6
    assert low["expected"] - low["share"] < FAR
    assert not low["alarm"]


def test_rare_words_are_not_compared_and_one_word_alone_is_nothing() -> None:
    rows = synthetic(20, words=1)
    right = {row.id: True for row in rows}
    assert by_value(rows, right, "word") is None
    assert by_value(rows, right, "topic") is None
    assert by_value(rows, {}, "word") is None
    rare = by_value([*rows, Example("x", "x", "a", meta={"word": "稀"})], right | {"x": False}, "word")
    assert rare is not None
    assert (rare["values"], rare["compared"], [one["value"] for one in rare["listed"]]) == (2, 1, ["語0"])


def test_only_attributes_that_rows_have_are_told() -> None:
    found = told(synthetic(), attributes=("word", "scene"))["attributes"]
    assert list(found) == ["word"]
    assert list(found["word"]) == ["oracle"]


# Numbers


def numbers(n: int = 90) -> list[Example]:
    return [Example(str(i), f"{1 + i % 3}{i}", str(1 + i % 3), value=1.0 + i % 3) for i in range(n)]


def test_labels_that_are_steps_of_a_number_are_told_by_correlation() -> None:
    student = Reader(tuple(STEPS))
    found = label_correctness(
        numbers(), {"test": gold(60, "123")}, tuple(STEPS), student=student, name="reader", seed=0, values=STEPS
    )
    json.dumps(found, allow_nan=False)
    oracle = found["oracle"]
    assert found["kind"] == "numbers"
    assert oracle["correlation"]["value"] == pytest.approx(1)
    assert oracle["ceiling"]["value"] == pytest.approx(1)
    assert not oracle["alarm"]
    assert oracle["by_label"]["2"]["mean"] == pytest.approx(0.9 * 2 + 0.05 * 4)
    assert oracle["by_label"]["2"]["gold_mean"] == pytest.approx(2)
    assert "overall" not in oracle
    backwards = [Example(r.id, r.text, str(4 - int(r.label)), value=4 - (r.value or 0)) for r in numbers()]
    who = Oracle(student, "reader", {"test": gold(60, "123")}, tuple(STEPS), STEPS)
    told_of, verdicts = ask_oracle(who, backwards, beside=(), seed=0)
    assert told_of is not None
    assert (told_of["correlation"]["value"], told_of["alarm"], verdicts) == (pytest.approx(-1), True, {})


def test_a_correlation_with_one_number_alone_is_undefined() -> None:
    same = [Example(str(i), f"1{i}", "1", value=1.0) for i in range(9)]
    who = Oracle(Reader(tuple(STEPS)), "reader", {"test": gold(60, "123")}, tuple(STEPS), STEPS)
    found, _ = ask_oracle(who, same, beside=(), seed=0)
    assert found is not None
    assert found["undefined"]


def test_the_next_step_agrees() -> None:
    assert agrees("1", "2", STEPS)
    assert agrees("3", "2", STEPS)
    assert not agrees("1", "3", STEPS)
    assert agrees("1", "1", None)
    assert not agrees("1", "2", None)
