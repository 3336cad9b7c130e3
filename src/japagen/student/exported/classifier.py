"""What classifiers with an exported network have in common: everything but the runtime."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.records import Example, Prediction
from japagen.student import rows, saved
from japagen.student.decision.decided import DIGEST
from japagen.student.decision.record import DECISION
from japagen.student.encoder.batches import within
from japagen.student.encoder.limits import MOST_CHARACTERS
from japagen.student.encoder.tokens import Tokenised, Tokeniser, load_tokeniser

NETWORKS = {"onnx": "model.onnx", "openvino": "model.xml"}
"""File of the network, by runtime; of OpenVINO the weights lie beside it."""
POSITIONS = 512
"""Computed at a time, padding counted: as many as stay in the cache."""

Inputs = Mapping[str, NDArray[np.int64]]


class Network(Protocol):
    """A network that a runtime has loaded."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Their names."""
        ...

    def __call__(self, inputs: Inputs) -> NDArray[np.float32]:
        """Logits, shape (rows, outputs), of padded inputs of shape (rows, longest)."""
        ...


@dataclass(frozen=True, slots=True)
class ExportedClassifier(ABC):
    """An exported classifier.

    Attributes:
        folder: where its files lie.
        network: what computes.
        tokeniser: makes its inputs.
        labels: in the order of the outputs.
        pair: whether it reads pairs.
        values: the number that each label stands for, where the network gives a number.
        max_length: tokens that are read of a row.
    """

    folder: Path
    network: Network
    tokeniser: Tokeniser
    labels: tuple[str, ...]
    pair: bool
    values: tuple[float, ...] | None
    max_length: int

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example, in order; company changes the last bits of a score at most.

        Raises:
            DataError: a single text for a classifier of pairs, or a pair for one of single texts.
            ModelError: the network does not fit the tokeniser or the labels.
        """
        first, second = rows.texts_of(examples, pair=self.pair, limit=MOST_CHARACTERS, nfkc=False)
        if not examples:
            return []
        tokens = self.tokeniser.encode(first, second if self.pair else None, max_length=self.max_length)
        return rows.of_logits(examples, self.labels, self.values, self._logits(tokens))

    def _logits(self, tokens: Tokenised) -> NDArray[np.float32]:
        """Shape (rows, outputs), in the rows' order; rows of like length are computed together."""
        order = np.argsort(tokens.lengths, kind="stable").astype(np.int64)
        logits = np.empty((len(order), 1 if self.values else len(self.labels)), np.float32)
        for some in within(tokens.lengths[order], order, POSITIONS):
            given = self.tokeniser.collate(tokens, some.tolist())
            if absent := [name for name in self.network.inputs if name not in given]:
                raise self._unfit(f"the network wants '{absent[0]}', which the tokeniser does not make")
            found = self.network({name: given[name] for name in self.network.inputs})
            if found.shape != (len(some), logits.shape[1]):
                raise self._unfit(f"the network gives {found.shape} where ({len(some)}, {logits.shape[1]}) is due")
            logits[some] = found
        return logits

    def _unfit(self, what: str) -> ModelError:
        return ModelError(what, where=self.folder, remedy="the folder is no export of japagen: export the run again")

    def save(self, folder: Path) -> None:
        """Copy its files into an existing folder; of a decision beside it knows whoever made that."""
        about = saved.read_about(self.folder)
        student, weights = about["student"], NETWORKS[about["student"]]
        for name in (weights, *about["files"]):
            if name != DECISION:
                shutil.copyfile(self.folder / name, folder / name)
        settings = {key: about[key] for key in about if key not in ("student", "format", "labels", DIGEST)}
        saved.seal(folder, student, self.labels, settings, weights=weights)

    @classmethod
    def load(cls, folder: Path, *, threads: int | None = None) -> Self:
        """Read an exported folder.

        Args:
            folder: as `japagen export` left it.
            threads: of the processor; None: all.

        Raises:
            ModelError: a file is missing, damaged or not the one that was written, or no network.
            MissingExtra: the runtime is not installed.
        """
        student = saved.read_about(folder)["student"]
        about = saved.unseal(folder, {"pair": bool, "max_length": int, "precision": str}, weights=NETWORKS[student])
        values = saved.values_of(about, folder)
        network, labels = cls.open(folder, about, threads), tuple(about["labels"])
        return cls(folder, network, load_tokeniser(folder), labels, about["pair"], values, about["max_length"])

    @staticmethod
    @abstractmethod
    def open(folder: Path, about: Mapping[str, Any], threads: int | None) -> Network:
        """The network of a folder whose files were checked; each runtime has its own way."""
