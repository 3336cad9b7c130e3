"""Students on other rows than the run's: the same training, and rounds of the same size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.evaluate import trainings
from japagen.evaluate.arms import ArmTrainings, after_round
from japagen.evaluate.summary import summarise
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.groups import IMAGE
from japagen.records import Example, Prediction
from japagen.sections import AnchorSection, DecisionSection
from japagen.student import load_classifier
from japagen.task import Task
from japagen.train import draw_anchor, train

ROWS = [
    Example(
        f"{i}", f"犬{i % 7}が庭を走る{i}", ("entailment", "neutral")[i % 2], f"犬{i % 7}が{('走る', '眠る')[i % 2]}"
    )
    for i in range(60)
]
DEV = [Example(f"d{i}", f"猫が{i}", ("entailment", "neutral")[i % 3 == 0], f"猫{i}が走る") for i in range(60)]


def with_train(settings: Experiment, **changes: Any) -> Experiment:
    return settings.model_copy(update={"train": settings.train.model_copy(update=changes)})


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dev": "gold"},
        {"anchor": AnchorSection(rows=8, weight=3)},
        {"anchor": AnchorSection(rows=8), "decision": DecisionSection(rows=30)},
        {"dev": "gold", "decision": DecisionSection(rows=30)},
    ],
)
def test_an_arm_of_the_runs_rows_predicts_what_the_runs_students_do(
    changes: dict[str, Any], nli: Task, settings: Callable[..., Experiment], tmp_path: Path
) -> None:
    experiment = with_train(settings(nli), **changes)
    trained = train(experiment, ROWS, DEV, tmp_path, task=nli)
    anchor = experiment.train.anchor
    anchors = [draw_anchor(DEV, anchor, seed=experiment.seed, number=n)[0] for n in range(2)] if anchor else []
    [system], left_out = ArmTrainings(experiment, nli, DEV, dev=DEV, anchors=anchors).arms({"all": ROWS})
    assert left_out == []
    assert (system.name, system.kind, system.student) == ("all/linear", "arm", "linear")
    assert system.train_rows == trained[0].train_rows
    for one, run in zip(trained, system.predictions, strict=True):
        assert load_classifier(tmp_path / one.folder).predict(DEV) == run


def test_each_arm_learns_its_own_rows(nli: Task, settings: Callable[..., Experiment]) -> None:
    named = {"round-1": ROWS[:30], "control": ROWS}
    systems, _ = ArmTrainings(settings(nli), nli, DEV).arms(named)
    assert [(s.name, s.train_rows, len(s.predictions)) for s in systems] == [
        ("round-1/linear", 26, 2),
        ("control/linear", 54, 2),
    ]
    assert systems[0].predictions != systems[1].predictions


class Given:
    """A student that keeps what it is given."""

    def __init__(self) -> None:
        self.dev: list[list[Example]] = []
        self.learnt: list[list[Example]] = []

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Any:
        self.learnt.append(list(train))
        self.dev.append(list(dev))
        return self

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        return [Prediction(e.id, "neutral", {"entailment": 0.4, "neutral": 0.6}) for e in examples]


def test_no_row_of_an_anchors_image_is_chosen_on(
    nli: Task, settings: Callable[..., Experiment], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Given()
    monkeypatch.setattr(trainings, "load_student", lambda name, training: recorder)
    dev = [Example(e.id, e.text, e.label, e.text_pair, meta={IMAGE: f"{i // 2}-1-2"}) for i, e in enumerate(DEV)]
    experiment = with_train(settings(nli), dev="gold")
    ArmTrainings(experiment, nli, DEV, dev=dev, anchors=[dev[:3], dev[4:7]]).arms({"all": ROWS})
    assert recorder.learnt == [[*ROWS, *dev[:3]], [*ROWS, *dev[4:7]]]
    assert recorder.dev == [dev[4:], [*dev[:4], *dev[8:]]]


def test_an_arm_that_lacks_a_label_is_left_out_and_it_is_said(nli: Task, settings: Callable[..., Experiment]) -> None:
    half = [row for row in ROWS if row.label == "neutral"]
    systems, left_out = ArmTrainings(settings(nli), nli, DEV).arms({"control": half, "round-1": ROWS[:30], "none": []})
    assert [system.name for system in systems] == ["round-1/linear"]
    assert left_out == [
        "control: there is no row of label 'entailment' to learn from",
        "none: there is no row of label 'entailment' to learn from",
    ]


def test_arms_stand_beside_the_primary_system(nli: Task, settings: Callable[..., Experiment]) -> None:
    experiment = settings(nli)
    [arm], _ = ArmTrainings(experiment, nli, DEV).arms({"round-1": ROWS[:20]})
    own = System("japagen/linear", "japagen", tuple(DEV_RIGHT for _ in range(2)), "linear", 54)
    told = summarise(experiment, nli, [own, arm], DEV)
    assert told["primary"] == "japagen/linear"
    [row] = [row for row in told["systems"] if row["kind"] == "arm"]
    assert row["difference"]["value"] < 0
    assert "round-1/linear" in told["tests"]["family"]


DEV_RIGHT = [Prediction(e.id, e.label, {e.label: 1.0}) for e in DEV]


# ---- rounds of the same size -----------------------------------------------------------------------------------------


def rows_of(prefix: str, **counts: int) -> list[Example]:
    return [Example(f"{prefix}{label}{i}", "文", label) for label, n in counts.items() for i in range(n)]


def test_second_rounds_are_added_to_the_first_and_have_the_same_size() -> None:
    first = rows_of("f", a=3, b=2)
    second = {"guided": rows_of("g", a=5, b=2), "control": rows_of("c", a=2, b=6)}
    arms = after_round(first, second, seed=0)
    for name, rows in arms.items():
        assert rows[:5] == first
        new = rows[5:]
        assert Counter(row.label for row in new) == {"a": 2, "b": 2}
        assert [row for row in second[name] if row in new] == new  # in their order
    assert after_round(first, second, seed=0) == arms
    assert any(after_round(first, second, seed=seed) != arms for seed in range(1, 5))


def test_a_label_that_one_way_lacks_has_no_new_row() -> None:
    arms = after_round([], {"guided": rows_of("g", a=2, b=1), "control": rows_of("c", a=2)}, seed=0)
    assert [[row.label for row in rows] for rows in arms.values()] == [["a", "a"], ["a", "a"]]
    assert after_round(rows_of("f", a=1), {}, seed=0) == {}


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=12), min_size=1, max_size=4))
def test_all_ways_give_the_most_that_all_can(ways: list[list[str]]) -> None:
    second = {f"{n}": [Example(f"{n}-{i}", "", label) for i, label in enumerate(way)] for n, way in enumerate(ways)}
    arms = after_round([], second, seed=0)
    for label in "abc":
        assert {sum(row.label == label for row in rows) for rows in arms.values()} == {
            min(w.count(label) for w in ways)
        }
