"""The gate: a change is applied for a gain above its standard error, and otherwise a sentence says why not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from japagen.curate.gate import Trial, Verdict, standard_error, trial
from japagen.groups import IMAGE
from japagen.metrics import Undefined
from japagen.progress import Progress
from japagen.records import Example, Prediction
from japagen.task import Task

WORDS = "茶傘椅計靴鞄机皿本服"
TASK = Task.model_validate(
    {
        "name": "mood",
        "title": "感想",
        "description": "品物の感想",
        "system": "感想を書いてください。",
        "labels": {
            "good": {"meaning": "良い", "verbalisation": "良い", "instruction": "良い感想を書いてください。"},
            "bad": {"meaning": "悪い", "verbalisation": "悪い", "instruction": "悪い感想を書いてください。"},
        },
    }
)


@dataclass
class ByWord:
    """A student that knows of each first character the label it had most often; `luck` is how often it guesses."""

    luck: float = 0.0
    fits: list[tuple[list[Example], list[Example], int]] = field(default_factory=list)

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Known:
        self.fits.append((list(train), list(dev), seed))
        counts: dict[str, Counter[str]] = {}
        for row in train:
            counts.setdefault(row.text[0], Counter())[row.label] += 1
        drawn = random.Random(f"{seed} {len(train)}")
        return Known({word: max(sorted(c), key=c.__getitem__) for word, c in counts.items()}, self.luck, drawn)


@dataclass
class Known:
    label_of: dict[str, str]
    luck: float
    drawn: random.Random

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        said = []
        for row in examples:
            label = self.label_of.get(row.text[0], "good")
            if self.luck and self.drawn.random() < self.luck:
                label = self.drawn.choice(["good", "bad"])
            said.append(Prediction(row.id, label, {label: 1.0}))
        return said

    def save(self, folder: object) -> None:
        raise NotImplementedError


def rows(count: int, name: str = "r") -> list[Example]:
    """The first half of the words is good, the second bad."""
    return [
        Example(
            f"{name}{i}",
            f"{WORDS[i % 10]}について{name}{i}番の感想。",
            "good" if i % 10 < 5 else "bad",
        )
        for i in range(count)
    ]


def mislabelled(good: Sequence[Example], words: str) -> list[Example]:
    """Rows of those words get the other label."""
    other = {"good": "bad", "bad": "good"}
    return [replace(row, label=other[row.label]) if row.text[0] in words else row for row in good]


def ask(
    plain: Sequence[Example],
    changed: Sequence[Example],
    gold: Sequence[Example],
    *,
    student: ByWord | None = None,
    seeds: int = 3,
    task: Task = TASK,
    change: str = "dropping rows",
) -> Verdict:
    learner = student or ByWord()
    return trial(plain, changed, gold, task=task, student=learner, name="by-word", seeds=seeds, seed=0, change=change)


def test_a_gain_is_applied() -> None:
    noisy = mislabelled(rows(100), "茶靴")  # one word of five is wrong
    right = [row for row in noisy if row.text[0] not in "茶靴"]
    added = [*right, *rows(40, "new")]
    verdict = ask(noisy, added, rows(60, "gold"), change="another twenty rows")
    assert verdict.applied
    assert verdict.trial is not None
    assert (verdict.trial.plain, verdict.trial.changed) == pytest.approx((0.8, 1.0))
    assert verdict.trial.gain == pytest.approx(0.2)
    # Twelve of sixty rows are put right: sqrt(.2 * .8 / 59); more than the resamples show, to within their chance.
    assert verdict.trial.se == pytest.approx((0.2 * 0.8 / 59) ** 0.5, rel=0.1)
    assert verdict.sentence == (
        "Applied: another twenty rows takes the accuracy of student 'by-word' (3 seeds) on 60 gold dev rows from 0.800 to "
        f"1.000, a gain of 0.200, more than its standard error of {verdict.trial.se:.3f}."
    )


def test_a_loss_is_not_applied() -> None:
    noisy = mislabelled(rows(100), "茶靴")
    verdict = ask(rows(100), noisy, rows(60, "gold"))
    assert not verdict.applied
    assert verdict.trial is not None
    assert verdict.trial.gain == pytest.approx(-0.2)
    assert "from 1.000 to 0.800, which is no gain." in verdict.sentence


def test_no_difference_is_not_applied() -> None:
    verdict = ask(rows(100), rows(90), rows(60, "gold"))
    assert verdict.trial == Trial("by-word", 3, 60, 60, "accuracy", 1.0, 1.0, 0.0, 0.0)
    assert not verdict.applied


def test_one_row_is_chance() -> None:
    gold = [*rows(60, "gold"), Example("odd", "茶の話", "bad")]
    noisy = mislabelled(rows(100), "茶")
    gold = [row for row in gold if row.text[0] != "茶" or row.id == "odd"]
    verdict = ask(rows(100), noisy, gold)
    assert not verdict.applied
    assert verdict.trial is not None
    assert verdict.trial.gain > 0
    assert "only 1 of 55 independent gold rows" in verdict.sentence


def test_without_a_true_gain_few_changes_are_applied() -> None:
    """A gain above one standard error comes by chance in one of six; of 60 trials, sd 2.9."""
    applied = 0
    for number in range(60):
        plain = rows(100, f"a{number}-")
        verdict = trial(
            plain,
            plain[1:],
            rows(80, f"gold{number}-"),
            task=TASK,
            student=ByWord(luck=0.5),
            name="by-word",
            seeds=3,
            seed=number,
            change="dropping a row",
        )
        applied += verdict.applied
    assert 2 <= applied <= 18


def test_rows_about_one_image_count_once() -> None:
    noisy = mislabelled(rows(100), "茶靴")
    gold = rows(60, "gold")
    grouped = [replace(row, meta={IMAGE: f"{i % 30}-1-2"}) for i, row in enumerate(gold)]
    alone, together = (ask(noisy, rows(100), given).trial for given in (gold, grouped))
    assert alone is not None
    assert together is not None
    assert (alone.groups, together.groups) == (60, 30)
    # Rows i and i + 30 have the same word: both are put right or neither.
    assert together.se == pytest.approx((0.2 * 0.8 / 29) ** 0.5, rel=0.1)
    few = [replace(row, meta={IMAGE: f"{i % 10}-1-2"}) for i, row in enumerate(gold)]
    verdict = ask(noisy, rows(100), few)
    assert verdict.trial is None
    assert "60 gold dev rows in 10 groups are too few" in verdict.sentence


def test_both_sides_choose_settings_on_the_same_rows() -> None:
    student = ByWord()
    plain = rows(100)
    changed = [*plain[::2], *rows(20, "new")]
    ask(plain, changed, rows(60, "gold"), student=student)
    assert len(student.fits) == 6
    for (train, dev, seed), (other_train, other_dev, other_seed) in zip(
        student.fits[::2], student.fits[1::2], strict=True
    ):
        assert seed == other_seed
        held = {row.id for row in dev}
        assert not held & {row.id for row in [*train, *other_train]}
        assert {row.id for row in other_dev} & {row.id for row in plain} <= held
        assert sorted(row.id for row in [*train, *dev]) == sorted(row.id for row in plain)
        assert sorted(row.id for row in [*other_train, *other_dev]) == sorted(row.id for row in changed)
    assert len({seed for _, _, seed in student.fits}) == 3
    assert len({frozenset(row.id for row in dev) for _, dev, _ in student.fits[::2]}) == 3


def test_no_label_is_held_out_whole() -> None:
    student = ByWord()
    plain = rows(100)
    changed = [*(row for row in plain if row.label == "good"), plain[5]]
    ask(plain, changed, rows(60, "gold"), student=student, seeds=20)
    assert all({row.label for row in train} == {"good", "bad"} for train, _, _ in student.fits)


@pytest.mark.parametrize(
    ("changed", "gold", "sentence"),
    [
        (rows(100), rows(60, "gold"), "Nothing to try: the training rows stay as they are."),
        (rows(90), [], "Not applied: there are no gold dev rows to try dropping rows on."),
        (
            rows(90),
            rows(19, "gold"),
            "Not applied: 19 gold dev rows are too few to try dropping rows on, 20 independent ones are needed.",
        ),
        (
            [row for row in rows(100) if row.label == "good"],
            rows(60, "gold"),
            "Not applied: dropping rows would leave no row of label 'bad'.",
        ),
    ],
)
def test_what_cannot_be_tried_is_told(changed: list[Example], gold: list[Example], sentence: str) -> None:
    student = ByWord()
    assert ask(rows(100), changed, gold, student=student) == Verdict(False, sentence)
    assert not student.fits


def test_one_label_cannot_be_tried() -> None:
    good = [row for row in rows(100) if row.label == "good"]
    verdict = ask(good, good[1:], rows(60, "gold"))
    assert verdict.sentence == "Not applied: dropping rows cannot be tried on rows of 1 label."


@dataclass
class Numbers:
    """A student of similarity: the more rows it learnt from, the nearer it comes to the length of the first text."""

    constant: bool = False
    gives: bool = False

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Guess:
        return Guess(0.0 if self.constant else len(train) / 100, self.gives)


@dataclass
class Guess:
    skill: float
    gives: bool

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        said = []
        for i, row in enumerate(examples):
            share = (self.skill * len(row.text) / 12 + (1 - self.skill) * (i * 7 % 10) / 10) if self.skill else 0.5
            if self.gives:
                said.append(Prediction(row.id, "1", {"0": 0.5, "1": 0.5}, value=share))
            else:
                said.append(Prediction(row.id, "1", {"0": 1 - share, "1": share}))
        return said

    def save(self, folder: object) -> None:
        raise NotImplementedError


def similarity() -> tuple[Task, list[Example], list[Example]]:
    task = TASK.model_copy(
        update={
            "kind": "similarity",
            "metric": "spearman",
            "labels": {"0": TASK.labels["good"], "1": TASK.labels["bad"]},
        }
    )
    plain = [Example(f"r{i}", f"文{i}", str(i % 2), f"対{i}", value=i % 2) for i in range(100)]
    gold = [Example(f"g{i}", "長" * (i % 9 + 1) + str(10 + i), "0", f"対{i}", value=i % 9) for i in range(40)]
    return task, plain, gold


@pytest.mark.parametrize("gives", [False, True])
def test_numbers_are_measured_or_their_expectation(gives: bool) -> None:
    task, plain, gold = similarity()
    student = Numbers(gives=gives)
    verdict = trial(
        plain[:30], plain, gold, task=task, student=student, name="numbers", seeds=2, seed=0, change="seventy more"
    )
    assert verdict.applied
    assert verdict.trial is not None
    assert verdict.trial.metric == "spearman"
    assert verdict.trial.changed > 0.9 > verdict.trial.plain


def test_a_metric_without_a_value_is_told() -> None:
    task, plain, gold = similarity()
    verdict = trial(
        plain, plain[1:], gold, task=task, student=Numbers(constant=True), name="n", seeds=2, seed=0, change="one less"
    )
    assert verdict == Verdict(
        False, "Not applied: one less could not be measured on gold: correlation with a constant."
    )


def test_standard_error_by_hand() -> None:
    # One seed, two units: the variance of 0 and 2 is 1, twice that by 2 / (2 - 1).
    assert standard_error(np.array([[0.0], [2.0]]), np.array([1.0]), 2) == pytest.approx(2**0.5)
    # Resamples that do not differ: what is left is the seeds' variance, 2, over their number.
    steady = np.tile([1.0, 3.0], (4, 1))
    assert standard_error(steady, np.array([1.0, 3.0]), 5) == pytest.approx(1.0)
    # Seeds that differ no more than items make them differ: nothing is added to the variance of the means, 0.
    opposite = np.array([[1.0, -1.0], [-1.0, 1.0]])
    assert standard_error(opposite, np.array([0.5, -0.5]), 5) == 0.0
    assert standard_error(np.array([[0.0], [2.0], [np.nan]]), np.array([1.0]), 2) == pytest.approx(2**0.5)
    with pytest.raises(Undefined, match="no resample"):
        standard_error(np.full((2, 1), np.nan), np.array([1.0]), 2)


def test_progress_is_told_by_training() -> None:
    seen: list[Progress] = []
    trial(
        rows(50), rows(40), rows(60, "gold"), task=TASK, student=ByWord(), name="by-word", seeds=2, seed=0,
        change="dropping ten rows", on_progress=seen.append,
    )  # fmt: skip
    assert [(p.item, p.done, p.total) for p in seen] == [("trial of dropping ten rows", n, 4) for n in range(5)]


def test_it_is_the_same_again() -> None:
    noisy = mislabelled(rows(100), "茶靴")
    given = (noisy, noisy[:80], rows(60, "gold"))
    assert ask(*given, student=ByWord(luck=0.3)) == ask(*given, student=ByWord(luck=0.3))


def test_a_seed_is_needed() -> None:
    with pytest.raises(ValueError, match="1 or more seeds"):
        ask(rows(50), rows(40), rows(60, "gold"), seeds=0)
