"""The majority classifier."""

from __future__ import annotations

import pytest

from japagen.errors import DataError
from japagen.records import Example, Prediction
from japagen.student import Classifier
from japagen.student.majority import Majority


def rows(labels: str) -> list[Example]:
    return [Example(str(i), "", label) for i, label in enumerate(labels)]


def test_most_frequent_label_and_shares() -> None:
    majority = Majority.fit(rows("abbb"), ["c", "a", "b"])
    assert isinstance(majority, Classifier)
    assert majority.predict(rows("a")) == [Prediction("0", "b", {"c": 0.0, "a": 0.25, "b": 0.75})]


def test_among_equals_the_first_in_order() -> None:
    assert Majority.fit(rows("abab"), ["b", "a"]).label == "b"
    assert Majority.fit(rows("abab"), ["a", "b"]).label == "a"


def test_refusals() -> None:
    with pytest.raises(DataError, match="no examples"):
        Majority.fit([], ["a", "b"])
    with pytest.raises(DataError, match=r"(?s)0: unknown label 'x'.*known: a, b"):
        Majority.fit(rows("x"), ["a", "b"])
