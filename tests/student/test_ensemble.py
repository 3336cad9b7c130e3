"""The mean of several classifiers, by hand, and what cannot be a mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.records import Example, Prediction
from japagen.student import Classifier
from japagen.student.ensemble import Ensemble, mean_predictions

ROW = Example("1", "茶", "a")


@dataclass(frozen=True)
class Fixed:
    """Says the same of every row."""

    a: float
    value: float | None = None

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        scores = {"a": self.a, "b": 1 - self.a}
        return [Prediction(e.id, "a" if self.a >= 0.5 else "b", scores, self.value) for e in examples]


def test_mean_of_scores_by_hand() -> None:
    ensemble = Ensemble((Fixed(0.9), Fixed(0.4), Fixed(0.4)))
    assert isinstance(ensemble, Classifier)
    (one,) = ensemble.predict([ROW])  # two of three say b, but a is surer: .5667
    assert (one.id, one.label, one.value) == ("1", "a", None)
    assert one.scores == pytest.approx({"a": 1.7 / 3, "b": 1.3 / 3})


def test_mean_of_numbers() -> None:
    (one,) = Ensemble((Fixed(0.5, 1.0), Fixed(0.25, 2.5))).predict([ROW])
    assert (one.label, one.value) == ("b", 1.75)


def test_first_label_wins_a_tie() -> None:
    assert Ensemble((Fixed(0.25), Fixed(0.75))).predict([ROW])[0].label == "a"


def test_no_rows() -> None:
    assert Ensemble((Fixed(0.1), Fixed(0.2))).predict([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5))
def test_of_equals_it_is_one_of_them_and_scores_sum_to_one(a: list[float]) -> None:
    (one,) = Ensemble(tuple(Fixed(each) for each in a)).predict([ROW])
    assert sum(one.scores.values()) == pytest.approx(1)
    assert min(a) - 1e-9 <= one.scores["a"] <= max(a) + 1e-9
    (same,) = Ensemble((Fixed(a[0]),) * 3).predict([ROW])
    assert same.scores == pytest.approx(Fixed(a[0]).predict([ROW])[0].scores)


@pytest.mark.parametrize(
    ("runs", "what"),
    [
        ([], "no predictions"),
        ([Fixed(0.5).predict([ROW]), []], "zip"),
        ([[Prediction("1", "a", {"a": 1.0})], [Prediction("2", "a", {"a": 1.0})]], "not of the same row"),
        ([[Prediction("1", "a", {"a": 1.0})], [Prediction("1", "b", {"b": 1.0})]], "not of the same row and labels"),
        ([Fixed(0.5, 1.0).predict([ROW]), Fixed(0.5).predict([ROW])], "only some"),
    ],
)
def test_what_has_no_mean(runs: list[list[Prediction]], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        mean_predictions(runs)
