"""The classifier that says the most frequent label to everything: what any other has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from japagen.errors import DataError, did_you_mean
from japagen.records import Example, Prediction


@dataclass(frozen=True, slots=True)
class Majority:
    """Predicts one label always; its scores are the shares of the labels in what it was fitted on.

    Attributes:
        label: the most frequent label; among equals the first in the order of the labels.
        scores: share of each label.
    """

    label: str
    scores: Mapping[str, float]

    @classmethod
    def fit(cls, train: Sequence[Example], labels: Sequence[str]) -> Majority:
        """Count the labels of `train`.

        Raises:
            DataError: `train` is empty or holds a label that is not in `labels`.
        """
        if not train:
            raise DataError("there are no examples to count labels of")
        counts = Counter(e.label for e in train)
        for example in train:
            if example.label not in labels:
                hint = did_you_mean(example.label, labels)
                raise DataError(f"unknown label '{example.label}'", where=example.id, remedy=hint)
        # max takes the first of equals.
        label = max(labels, key=lambda name: counts[name])
        return cls(label, {name: counts[name] / len(train) for name in labels})

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The same for each example."""
        return [Prediction(e.id, self.label, dict(self.scores)) for e in examples]
