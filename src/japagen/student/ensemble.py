"""Several classifiers as one: the mean of their scores, and of their numbers where they give some.

The mean of a student's seeds is steadier than each of them. Knows nothing of what the classifiers are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from japagen.records import Example, Prediction
from japagen.student import Classifier


def mean_predictions(runs: Sequence[Sequence[Prediction]]) -> list[Prediction]:
    """The mean of what several classifiers say of the same rows; among labels with equal means the first one wins.

    Args:
        runs: one list of predictions for each classifier, of the same rows in the same order.

    Raises:
        ValueError: there are none; or they are not of the same rows and labels, or only some have numbers.
    """
    if not runs:
        raise ValueError("no predictions to take the mean of")
    return [_mean(of_row) for of_row in zip(*runs, strict=True)]


def _mean(predictions: Sequence[Prediction]) -> Prediction:
    """The mean of one row's predictions."""
    first = predictions[0]
    values = [prediction.value for prediction in predictions if prediction.value is not None]
    for other in predictions:
        if other.id != first.id or other.scores.keys() != first.scores.keys():
            raise ValueError(f"predictions of '{first.id}' and '{other.id}' are not of the same row and labels")
    if values and len(values) < len(predictions):
        raise ValueError(f"only some predictions of '{first.id}' have a number")
    scores = {label: sum(p.scores[label] for p in predictions) / len(predictions) for label in first.scores}
    value = sum(values) / len(values) if values else None
    return Prediction(first.id, max(scores, key=scores.__getitem__), scores, value)


@dataclass(frozen=True, slots=True)
class Ensemble:
    """A classifier made of others, e.g. of a student's seeds."""

    classifiers: tuple[Classifier, ...]

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example: the mean of all classifiers' (see `mean_predictions`)."""
        return mean_predictions([classifier.predict(examples) for classifier in self.classifiers])
