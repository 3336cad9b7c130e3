"""Corrected label correctness: the inversion by hand, recovery in simulation, groups and refusals."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from japagen.analyze.labels.correctness import Said, _resample, _shares, ask_students, corrected, correctness
from japagen.metrics import Undefined
from japagen.records import Example, Prediction

LABELS = ("a", "b")


def simulated(
    n: int, noise: np.ndarray, seed: int, sharpness: float = 1.5, gold_shares: list[float] | None = None
) -> tuple[Said, np.ndarray, float]:
    """What two students say of n gold rows and of n synthetic ones, whose labels are given with `noise`.

    A student sees the true label through normal noise; its scores are the posteriors under equal shares, overconfident.
    """
    random = np.random.default_rng(seed)
    size = len(noise)

    def look(true: np.ndarray) -> np.ndarray:
        seen = sharpness * np.eye(size)[true] + random.normal(size=(len(true), size))
        scores = np.exp(3 * sharpness * seen)
        return scores / scores.sum(axis=1, keepdims=True)

    gold, true = random.choice(size, size=n, p=gold_shares), random.integers(size, size=n)
    given = (noise[true].cumsum(axis=1) < random.random(n)[:, None]).sum(axis=1)
    made = Said(gold, np.arange(n), look(gold), np.array([look(true), look(true)]))
    return made, given, float((given == true).mean())


def test_resamples_draw_whole_groups_of_gold_and_rows_of_their_own() -> None:
    groups = np.array([0, 0, 0, 1, 2, 2])
    random = np.random.default_rng(0)
    drawn = [_resample(groups, 5, random) for _ in range(50)]
    for gold, rows in drawn:
        assert gold[0] == gold[1] == gold[2]
        assert gold[4] == gold[5]
        assert gold[0] + gold[3] + gold[4] == 3
        assert rows.sum() == 5
    assert len({tuple(gold) for gold, _ in drawn}) > 3
    assert len({tuple(rows) for _, rows in drawn}) > 10


def test_shares_by_hand() -> None:
    # 7 of 10 rows are said to be a; students say a of 4 of 5 that are a, and of 2 of 5 that are b: .8 x + .4 (1 - x) = .7
    ratios = np.array([[0.8, 0.4]] * 7 + [[0.2, 0.6]] * 3)
    assert _shares(ratios, np.ones(10)) == pytest.approx([0.75, 0.25], abs=1e-3)
    assert _shares(ratios[[0, 9]], np.array([7.0, 3.0])) == pytest.approx([0.75, 0.25], abs=1e-3)
    assert _shares(ratios[:7], np.ones(7)) == pytest.approx([1, 0], abs=1e-3)  # inversion would say 1.5


def test_what_is_said_of_it() -> None:
    seen, given, _ = simulated(60, np.eye(2), 0)
    found = corrected(seen, given, LABELS, name="s", seed=0, resamples=20)
    assert list(found.by_label) == ["a", "b"]
    assert found.overall.raw == pytest.approx((seen.of_rows.argmax(axis=2) == given).mean())
    assert found.student_accuracy == pytest.approx((seen.of_gold.argmax(axis=1) == seen.gold).mean())
    assert found.signature == (
        "label-correctness (s on 60 gold rows in 60 groups, 60 rows, EM on calibrated scores, 20 resamples, seed 0)"
    )


@pytest.mark.parametrize("wrong", [0.0, 0.2, 0.4])
@pytest.mark.parametrize("asymmetric", [False, True])
def test_it_finds_the_truth_where_raw_agreement_is_far_off(wrong: float, asymmetric: bool) -> None:
    other = np.roll(np.eye(3), 1, axis=1) if asymmetric else (1 - np.eye(3)) / 2
    seen, given, truth = simulated(4000, (1 - wrong) * np.eye(3) + wrong * other, seed=1)
    found = corrected(seen, given, "abc", name="s", seed=0, resamples=20)
    assert found.overall.corrected == pytest.approx(truth, abs=0.03)
    assert found.overall.low - 0.02 <= truth <= found.overall.high + 0.02
    assert truth - found.overall.raw > 0.04


def test_by_label() -> None:
    seen, given, _ = simulated(4000, np.array([[1.0, 0.0], [0.5, 0.5]]), seed=2)
    found = corrected(seen, given, LABELS, name="s", seed=0, resamples=20).by_label
    assert found["a"].corrected == pytest.approx(2 / 3, abs=0.03)
    assert found["b"].corrected == pytest.approx(1, abs=0.03)


def test_the_shares_of_labels_in_gold_do_not_matter() -> None:
    noise = np.array([[0.7, 0.3], [0.1, 0.9]])
    seen, given, truth = simulated(4000, noise, seed=3, gold_shares=[0.9, 0.1])
    found = corrected(seen, given, LABELS, name="s", seed=0, resamples=5).overall
    assert found.corrected == pytest.approx(truth, abs=0.03)


def test_the_interval_covers() -> None:
    covered = 0
    for seed in range(20):
        seen, given, truth = simulated(300, np.array([[0.8, 0.2], [0.3, 0.7]]), seed)
        overall = corrected(seen, given, LABELS, name="s", seed=seed, resamples=40).overall
        covered += overall.low <= truth <= overall.high
    assert covered >= 16


@given_by(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 1)), min_size=1, max_size=20))
@settings(max_examples=10)
def test_sure_students_need_no_correction(rows: list[tuple[int, int]]) -> None:
    given, of_rows = np.array(rows).T
    gold = np.arange(40) % 2
    made = Said(gold, np.arange(40), np.eye(2)[gold], np.eye(2)[of_rows][None])
    found = corrected(made, given, LABELS, name="s", seed=0, resamples=5)
    assert found.overall.corrected == pytest.approx(found.overall.raw, abs=0.02)
    assert 0 <= found.overall.low <= found.overall.high <= 1
    assert set(found.by_label) == {LABELS[i] for i in given}


def test_students_that_guess_are_refused() -> None:
    gold = np.repeat([0, 1], 50)
    guesses = np.eye(2)[np.arange(100) % 2]
    with pytest.raises(Undefined, match=r"hardly tell the labels apart \(mean recall 0.50\)"):
        corrected(Said(gold, gold, guesses, guesses[None]), gold, LABELS, name="s", seed=0)


class Knows:
    """A student that knows each text that it learnt or chose settings on, and else says a."""

    def __init__(self) -> None:
        self.fitted: list[tuple[list[str], list[str]]] = []

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> "Knowing":
        self.fitted.append(([e.text for e in train], [e.text for e in dev]))
        return Knowing({e.text: e.label for e in [*train, *dev]})


class Knowing:
    def __init__(self, known: dict[str, str]) -> None:
        self._known = known

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        said = [self._known.get(e.text, "a") for e in examples]
        return [Prediction(e.id, label, {label: 1.0}) for e, label in zip(examples, said, strict=True)]


def test_rows_held_out_are_unseen_with_all_of_their_group() -> None:
    gold = [Example(str(i), f"文{i // 2}", LABELS[i // 2 % 2]) for i in range(40)]  # each text twice
    student = Knows()
    seen = ask_students(gold[:4], gold, LABELS, student=student, seed=0)
    assert (seen.of_gold == [1, 0]).all()
    assert len(set(seen.groups.tolist())) == 20
    assert len(student.fitted) == 10
    for learnt, chosen_on in student.fitted:
        assert not set(learnt) & set(chosen_on)
        assert len(learnt) + len(chosen_on) == 36
    # Each synthetic row is known by the nine students that did not hold it out.
    assert seen.of_rows.mean(axis=0) == pytest.approx(np.array([[1, 0], [1, 0], [0.1, 0.9], [0.1, 0.9]]))


def test_images_are_kept_together() -> None:
    gold = [Example(str(i), f"文{i}", LABELS[i % 2], meta={"yjcaptions_id": f"{i // 4}-1-2"}) for i in range(40)]
    seen = ask_students([], gold, LABELS, student=Knows(), seed=0)
    assert len(set(seen.groups.tolist())) == 10


@pytest.mark.parametrize(
    ("gold", "rows", "said"),
    [
        ([("一", "a"), ("二", "a"), ("三", "a")], [("四", "a")], "no label 'b'"),
        ([("一", "a"), ("二", "b")], [("四", "a")], "2 groups of gold rows"),
        ([("一", "a"), ("二", "b"), ("三", "a")], [], "no synthetic rows"),
        ([("一", "a"), ("二", "b"), ("三", "a")], [("四", "c")], "unknown label"),
    ],
)
def test_refusals(gold: list[tuple[str, str]], rows: list[tuple[str, str]], said: str) -> None:
    made = [[Example(str(i), text, label) for i, (text, label) in enumerate(part)] for part in (rows, gold)]
    with pytest.raises(Undefined, match=said):
        correctness(*made, LABELS, student=Knows(), name="s", seed=0)


def test_the_same_seed_says_the_same() -> None:
    seen, given, _ = simulated(200, np.array([[0.8, 0.2], [0.3, 0.7]]), 0)
    one, same, other = (corrected(seen, given, LABELS, name="s", seed=seed, resamples=20) for seed in (0, 0, 1))
    assert one == same
    assert one.overall.low != other.overall.low


def test_of_many_rows_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("japagen.analyze.labels.correctness.MOST_ROWS", 10)
    gold = [Example(str(i), f"文{i // 2}", LABELS[i // 2 % 2]) for i in range(40)]
    found = correctness(gold * 2, gold, LABELS, student=Known(), name="s", seed=0, resamples=5)
    assert ", 10 rows," in found.signature


class Known(Knows):
    """A student that reads the label off the number in a text."""

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> Knowing:
        return Knowing({f"文{i}": LABELS[i % 2] for i in range(20)})
