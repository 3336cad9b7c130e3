"""Students trained on gold rows: which rows each training is given, its decision, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from japagen.evaluate import trainings as trainings_module
from japagen.evaluate.baselines import GoldTrainings, draw_gold
from japagen.experiment import Experiment
from japagen.groups import IMAGE, image_groups
from japagen.progress import Progress
from japagen.records import Example, Prediction
from japagen.sections import AnchorSection, DecisionSection
from japagen.student import Training
from japagen.student.holdout import hold_out
from japagen.task import Task
from japagen.train import student_seed

TRAIN = [Example(f"{i}", f"一{i}", ("entailment", "neutral")[i % 2], f"二{i}") for i in range(60)]
DEV = [Example(f"{i}", f"人一{i}", ("entailment", "neutral")[i % 2], f"人二{i}") for i in range(40)]
TEST = DEV[:4]


class Recorder:
    """A student that keeps what it is given, and a classifier that says what it was taught last."""

    def __init__(self) -> None:
        self.given: list[tuple[list[Example], list[Example], int]] = []
        self.trainings: list[Training] = []
        self.asked: list[list[Example]] = []

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Any:
        self.given.append((list(train), list(dev), seed))
        return self

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        self.asked.append(list(examples))
        return [Prediction(e.id, "neutral", {"entailment": 0.4, "neutral": 0.6}) for e in examples]

    def save(self, folder: Path) -> None:
        pass


@pytest.fixture
def student(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()

    def load(name: str, training: Training) -> Recorder:
        recorder.trainings.append(training)
        return recorder

    monkeypatch.setattr(trainings_module, "load_student", load)
    return recorder


@pytest.fixture
def trainings(nli: Task, settings: Callable[..., Experiment]) -> Callable[..., GoldTrainings]:
    """The trainings of an experiment with other values in its sections `train` and `evaluate`."""

    def make(heard: Any = lambda told: None, *, evaluate: dict[str, Any] | None = None, **train: Any) -> GoldTrainings:
        experiment = settings(nli, **(evaluate or {}))
        experiment = experiment.model_copy(update={"train": experiment.train.model_copy(update=train)})
        return GoldTrainings(experiment, nli, TEST, Path("checkpoints"), heard)

    return make


def ids(rows: Sequence[Example]) -> set[str]:
    return {row.id for row in rows}


# ---- all gold rows ---------------------------------------------------------------------------------------------------


def test_supervised_training_is_as_that_on_synthetic_texts(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    heard: list[Progress] = []
    made = trainings(heard.append)
    [system], left_out = made.supervised(TRAIN, DEV)
    assert (system.name, system.kind, system.student, system.train_rows) == (
        "supervised/linear",
        "supervised",
        "linear",
        54,
    )
    assert left_out == []
    for number, (rows, held_out, seed) in enumerate(student.given):
        assert (rows, held_out) == hold_out(TRAIN, 0.1, seed=made.experiment.seed, number=number)
        assert seed == student_seed(made.experiment, number)
    assert [t.folder for t in student.trainings] == [Path(f"checkpoints/supervised-linear-{n}") for n in range(2)]
    assert {t.metric for t in student.trainings} == {"accuracy"}
    assert [(told.item, told.done, told.total) for told in heard] == [("supervised/linear", n, 2) for n in range(3)]
    student.trainings[0].on_progress(Progress("train", "encoder", 3, 9))
    assert heard[-1] == Progress("evaluate", "encoder", 3, 9)


def test_with_train_dev_gold_all_train_rows_are_learnt(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    [system], _ = trainings(dev="gold").supervised(TRAIN, DEV)
    assert [(rows, dev) for rows, dev, _ in student.given] == [(TRAIN, DEV)] * 2
    assert system.train_rows == 60


def test_rows_of_one_image_are_held_out_together(student: Recorder, trainings: Callable[..., GoldTrainings]) -> None:
    pairs = [Example(e.id, e.text, e.label, e.text_pair, meta={IMAGE: f"{i // 6}-1-2"}) for i, e in enumerate(TRAIN)]
    trainings(dev_share=0.2).supervised(pairs, DEV)
    for rows, held_out, _ in student.given:
        assert len(held_out) == 12
        learnt, held = (set(image_groups(part) or ()) for part in (rows, held_out))
        assert not learnt & held


def test_the_mean_of_the_seeds(student: Recorder, trainings: Callable[..., GoldTrainings]) -> None:
    systems, _ = trainings(ensemble=True).supervised(TRAIN, DEV)
    assert [system.name for system in systems] == ["supervised/linear", "supervised/linear ensemble"]
    assert [len(system.predictions) for system in systems] == [2, 1]


def test_why_there_is_no_supervised_system(student: Recorder, trainings: Callable[..., GoldTrainings]) -> None:
    assert trainings().supervised([], DEV) == ([], ["supervised: no gold.train is given to learn from"])
    half = [row for row in TRAIN if row.label == "neutral"]
    assert trainings().supervised(half, DEV) == ([], ["supervised: gold.train has no row of label 'entailment'"])
    assert trainings(evaluate={"supervised": False}).supervised(TRAIN, DEV) == ([], [])
    assert not student.given


# ---- K rows per label ------------------------------------------------------------------------------------------------


def test_k_rows_per_label_are_drawn_anew_for_each_seed(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    made = trainings(evaluate={"gold_shots": [2, 30, 3]})
    systems, left_out = made.few(DEV)
    assert [(system.name, system.k, system.train_rows) for system in systems] == [
        ("gold-2/linear", 2, 4),
        ("gold-3/linear", 3, 6),
    ]
    assert left_out == ["gold-30: the dev pool has fewer than 30 rows of some label"]
    first, second, *_ = (rows for rows, _, _ in student.given)
    assert first == draw_gold(DEV, 2, made.task.label_names, seed=made.experiment.seed, number=0)
    assert ids(first) != ids(second)
    assert all(dev == () or dev == [] for _, dev, _ in student.given)
    assert trainings(ensemble=True).few(DEV)[0][0].name == "gold-2/linear"
    assert len(trainings(ensemble=True).few(DEV)[0]) == 1  # a mean of seeds would have seen the rows of all of them


def test_without_dev_rows_nothing_is_drawn(student: Recorder, trainings: Callable[..., GoldTrainings]) -> None:
    made = trainings(evaluate={"gold_shots": [1, 5]})
    assert made.few([]) == ([], ["gold-1, gold-5: no gold.dev is given to draw rows from"])
    assert trainings(evaluate={"gold_shots": []}).few([]) == ([], [])


# ---- the decision ----------------------------------------------------------------------------------------------------


def test_a_decision_is_learnt_from_as_many_rows_and_never_from_those_learnt(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    made = trainings(decision=DecisionSection(rows=30))
    _, left_out = made.few(DEV)
    assert left_out == []
    for (rows, _, _), asked in zip(student.given, student.asked[::2], strict=True):
        assert len(asked) == 30
        assert not ids(asked) & ids(rows)
    student.asked.clear()
    made.supervised(TRAIN, DEV)
    assert [len(asked) for asked in student.asked[::2]] == [30, 30]
    assert all(row in DEV for asked in student.asked[::2] for row in asked)


def test_as_many_rows_as_the_synthetic_students_had_left(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    made = trainings(decision=DecisionSection(rows=30), anchor=AnchorSection(rows=15))
    made.few(DEV)
    made.supervised(TRAIN, DEV)
    assert {len(asked) for asked in student.asked[::2]} == {25}


def test_where_too_few_rows_are_left_there_is_no_decision_and_it_is_said(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    made = trainings(evaluate={"gold_shots": [2, 5, 6]}, decision=DecisionSection(rows=30))
    systems, left_out = made.few(DEV)
    assert len(systems) == 3
    assert left_out == ["the decision of gold-6: 28 of the 30 gold dev rows it needs are left"]
    decided = [system.predictions[0][0].scores for system in systems]
    assert decided[2] == {"entailment": 0.4, "neutral": 0.6}  # as the student said
    assert [len(asked) for asked in student.asked] == [30, 4] * 4 + [4, 4]


def test_rows_of_an_image_that_was_learnt_decide_nothing(
    student: Recorder, trainings: Callable[..., GoldTrainings]
) -> None:
    dev = [Example(e.id, e.text, e.label, e.text_pair, meta={IMAGE: f"{i // 2}-1-2"}) for i, e in enumerate(DEV)]
    trainings(decision=DecisionSection(rows=30)).few(dev)
    image = {row.id: row.meta[IMAGE] for row in dev}
    for (rows, _, _), asked in zip(student.given, student.asked[::2], strict=True):
        assert len(asked) == 30
        assert not {image[row.id] for row in asked} & {image[row.id] for row in rows}


def test_the_decision_follows_the_metric(nli: Task, settings: Callable[..., Experiment]) -> None:
    """A real student: with rows of one label mostly, the decision moves labels, as it does for synthetic students."""
    dev = [Example(f"{i}", f"犬{i % 7}が走る", ("entailment", "neutral")[i % 10 == 0], f"猫{i}") for i in range(80)]
    experiment = settings(nli, gold_shots=[4])
    section = experiment.train.model_copy(update={"decision": DecisionSection(rows=50)})
    both = [
        GoldTrainings(experiment.model_copy(update={"train": train}), nli, dev).few(dev)[0][0].predictions[0]
        for train in (experiment.train, section)
    ]
    accuracy = [sum(p.label == e.label for p, e in zip(run, dev, strict=True)) / len(dev) for run in both]
    assert accuracy[1] > accuracy[0]
