"""A classifier that follows a decision, as any other classifier; and how both lie in one folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.records import Example, Prediction
from japagen.student import SavedClassifier
from japagen.student.decision.record import DECISION, Decision, apply, numbers, read, write
from japagen.student.saved import ABOUT, damaged, read_about

Floats = NDArray[np.float64]

DIGEST = "decision_sha256"
"""The key of classifier.json that names the decision beside it."""


def scores_of(predictions: Sequence[Prediction], labels: Sequence[str]) -> Floats:
    """The scores of predictions as an array, shape (n, labels).

    Raises:
        ModelError: a prediction lacks one of the labels.
    """
    rows = [[p.scores.get(label, np.nan) for label in labels] for p in predictions]
    scores = np.array(rows, dtype=np.float64).reshape(len(predictions), len(labels))
    if np.isnan(scores).any():
        has = ", ".join(predictions[int(np.isnan(scores).any(axis=1).argmax())].scores)
        raise ModelError(
            f"the decision is for the labels {', '.join(labels)}, the classifier has {has}",
            where=DECISION,
            remedy="learn the decision anew for this classifier",
        )
    return scores


@dataclass(frozen=True, slots=True)
class Decided:
    """A classifier whose scores are corrected and calibrated, and whose labels follow the task's metric.

    A classifier that gives a number itself (a regression) has nothing to decide: its predictions stay as they are.
    """

    classifier: SavedClassifier
    decision: Decision

    @property
    def labels(self) -> tuple[str, ...]:
        """In the order of the decision's columns."""
        return self.decision.labels

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """The classifier's predictions, decided.

        Raises:
            DataError: as the classifier's.
            ModelError: the classifier has not the decision's labels.
        """
        return self.decide(self.classifier.predict(examples))

    def decide(self, predictions: Sequence[Prediction]) -> list[Prediction]:
        """The same of predictions that were made before."""
        if not predictions or any(p.value is not None for p in predictions):
            return list(predictions)
        scores, codes = apply(self.decision, scores_of(predictions, self.labels))
        meant = numbers(self.decision, scores, codes)
        values = [None] * len(codes) if meant is None else meant.tolist()
        return [
            Prediction(p.id, self.labels[code], dict(zip(self.labels, row, strict=True)), value)
            for p, code, row, value in zip(predictions, codes.tolist(), scores.tolist(), values, strict=True)
        ]

    def save(self, folder: Path) -> None:
        """Write the classifier and decision.json into an existing folder; classifier.json gets the decision's digest."""
        self.classifier.save(folder)
        content = write(self.decision, folder)
        about = json.loads((folder / ABOUT).read_bytes()) | {DIGEST: hashlib.sha256(content).hexdigest()}
        (folder / ABOUT).write_bytes(json.dumps(about, ensure_ascii=False, indent=2).encode() + b"\n")


def with_decision(classifier: SavedClassifier, folder: Path) -> SavedClassifier:
    """The classifier that was read from a folder, with the decision that was saved beside it, if any.

    Raises:
        ModelError: the decision is missing, damaged, or of another classifier.
    """
    about = read_about(folder)
    file = folder / DECISION
    if DIGEST not in about:
        if file.exists():
            raise damaged(file, "is there, but classifier.json knows nothing of it")
        return classifier
    decision = read(folder)
    if hashlib.sha256(file.read_bytes()).hexdigest() != about[DIGEST]:
        raise damaged(file, "the checksum differs from the one in classifier.json")
    if sorted(decision.labels) != sorted(about["labels"]):
        raise damaged(file, f"is for the labels {', '.join(decision.labels)}, the classifier has other ones")
    return Decided(classifier, decision)
