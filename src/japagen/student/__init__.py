"""Students: what learns from labelled texts. One protocol to train, one to predict; each student is one file.

This package knows nothing of where the texts come from: synthetic or gold, the student is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, runtime_checkable

from japagen.errors import ConfigError, MissingExtra, ModelError, did_you_mean
from japagen.progress import Listener, silent
from japagen.records import Example, Prediction
from japagen.sections import EncoderSection

STUDENTS = ("linear", "embedding", "encoder")


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


@dataclass(frozen=True, slots=True)
class Training:
    """What a student may want to know beside rows; the small ones need none of it.

    Attributes:
        encoder: settings of the student `encoder`.
        metric: the task's own, by which dev rows are scored.
        folder: for the state of an unfinished training; None: an interrupted one begins anew.
        name: of this training, for whoever watches.
        on_progress: told after each step.
        say: told what a user should know.
    """

    encoder: EncoderSection = field(default_factory=EncoderSection)
    metric: str = "accuracy"
    folder: Path | None = None
    name: str = ""
    on_progress: Listener = silent
    say: Callable[[str], None] = lambda text: None


def load_student(name: str, training: Training | None = None) -> Student:
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
        case "encoder":
            _need_torch()
            from japagen.student.encoder.student import EncoderStudent

            return EncoderStudent(training or Training())
        case _:
            raise ConfigError(f"no student is called '{name}'", remedy=did_you_mean(name, STUDENTS))


def prepare_student(name: str, training: Training) -> None:
    """Have what a student needs: the encoder is fetched and its tokeniser read, before anything is paid for.

    Raises:
        ConfigError, ModelError, MissingExtra: it cannot be had.
    """
    if name == "encoder":
        _need_torch()
        from japagen.student.encoder.network import check_model

        check_model(training.encoder.model, training.encoder.revision)


def load_classifier(folder: Path) -> SavedClassifier:
    """Read a classifier that any of the students saved, or that was exported, with its decision if it has one. Nothing in
    the folder is executed: JSON, safetensors and networks as ONNX or OpenVINO only.

    Raises:
        ModelError: no classifier is there, a file is damaged, or no student of ours made it.
        MissingExtra: a package that it needs is absent.
    """
    from japagen.student.decision import with_decision

    return with_decision(_without_decision(folder), folder)


def _without_decision(folder: Path) -> SavedClassifier:
    from japagen.student.saved import ABOUT, read_about

    match read_about(folder)["student"]:
        case "linear":
            from japagen.student.linear import LinearClassifier

            return LinearClassifier.load(folder)
        case "embedding":
            from japagen.student.embedding import EmbeddingClassifier

            return EmbeddingClassifier.load(folder)
        case "encoder":
            _need_torch()
            from japagen.student.encoder.classifier import EncoderClassifier

            return EncoderClassifier.load(folder)
        case "onnx":
            from japagen.student.exported.onnx import OnnxClassifier

            return OnnxClassifier.load(folder)
        case "openvino":
            from japagen.student.exported.openvino import OpenvinoClassifier

            return OpenvinoClassifier.load(folder)
        case name:
            raise ModelError(
                f"was made by a student '{name}', which is not known here",
                where=folder / ABOUT,
                remedy=did_you_mean(name, STUDENTS),
            )


def _need_torch() -> None:
    for package in ("torch", "transformers"):
        if find_spec(package) is None:
            raise MissingExtra(package, "encoder", needed_by="student 'encoder'")
