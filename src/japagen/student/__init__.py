"""Students: what learns from labelled texts. One protocol to train, one to predict; each student is one file.

This package knows nothing of where the texts come from: synthetic or gold, the student is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from japagen.errors import ConfigError, ModelError, did_you_mean
from japagen.records import Example, Prediction

STUDENTS = ("linear", "embedding")


@runtime_checkable
class Classifier(Protocol):
    """Anything that can be evaluated: a trained student, a prompted language model, the majority label."""

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order; the examples' own labels are not looked at."""
        ...


@runtime_checkable
class SavedClassifier(Classifier, Protocol):
    """A classifier that can be written to a folder, without pickle."""

    def save(self, folder: Path) -> None:
        """Write into an existing empty folder: ``classifier.json`` (its "student" names the file that loads it)
        and weights as safetensors.
        """
        ...


class Student(Protocol):
    """A recipe for training."""

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> SavedClassifier:
        """Train on `train`; choose hyperparameters on `dev` where there is one.

        Raises:
            DataError: `train` is empty or holds one label only.
        """
        ...


def load_student(name: str) -> Student:
    """The student of that name.

    Raises:
        ConfigError: no such student.
        MissingExtra: its dependencies are not installed.
    """
    match name:
        case "linear":
            from japagen.student.linear import LinearStudent

            return LinearStudent()
        case "embedding":
            from japagen.student.embedding import EmbeddingStudent

            return EmbeddingStudent()
        case _:
            raise ConfigError(f"no student is called '{name}'", remedy=did_you_mean(name, STUDENTS))


def load_classifier(folder: Path) -> SavedClassifier:
    """Read a classifier that any of the students saved. Nothing in the folder is executed: JSON and safetensors only.

    Raises:
        ModelError: no classifier is there, a file is damaged, or no student of ours made it.
    """
    from japagen.student.saved import ABOUT, read_about

    match read_about(folder)["student"]:
        case "linear":
            from japagen.student.linear import LinearClassifier

            return LinearClassifier.load(folder)
        case "embedding":
            from japagen.student.embedding import EmbeddingClassifier

            return EmbeddingClassifier.load(folder)
        case name:
            raise ModelError(
                f"was made by a student '{name}', which is not known here",
                where=folder / ABOUT,
                remedy=did_you_mean(name, STUDENTS),
            )
