"""The student without any pretrained part: character n-grams and logistic regression. Trains in seconds.

A text is the TF-IDF of its character 1- to 4-grams (sublinear term frequency, L2-normalised, NFKC). A pair is five such
blocks: first text, second text, and what they share, only the first has and only the second has; and four numbers
that say how much that is. Vocabulary and document frequencies count each text once, whatever its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import DataError
from japagen.records import Example, Prediction
from japagen.student import logistic, rows, saved
from japagen.student.weights import weights_of

GRID = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
NGRAMS = (1, 4)
MOST_NGRAMS, MOST_NGRAMS_PAIR = 200_000, 20_000
MOST_CHARACTERS = 20_000
RARE = 200
"""From this many training texts on, an n-gram must occur in two of them; below, every n-gram counts."""


@dataclass(frozen=True)
class Ngrams:
    """Turns texts into sparse rows.

    Attributes:
        vocabulary: the n-grams, in the order of columns.
        idf: inverse document frequency of each, shape (words,).
        pair: whether a row is made of two texts.
    """

    vocabulary: tuple[str, ...]
    idf: NDArray[np.float64]
    pair: bool
    _tfidf: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        position = {ngram: i for i, ngram in enumerate(self.vocabulary)}
        tfidf = _vectorizer(vocabulary=position)
        tfidf.idf_ = self.idf
        object.__setattr__(self, "_tfidf", tfidf)

    @classmethod
    def learn(cls, first: Sequence[str], second: Sequence[str], *, pair: bool) -> Ngrams:
        """Vocabulary and document frequencies of the training texts; both texts of a pair are documents.

        Raises:
            DataError: no text holds anything to learn from.
        """
        texts = [*first, *second]
        most = MOST_NGRAMS_PAIR if pair else MOST_NGRAMS
        tfidf = _vectorizer(min_df=1 if len(texts) < RARE else 2, max_features=most)
        try:
            tfidf.fit(texts)
        except ValueError as error:  # scikit-learn: "empty vocabulary" or "no terms remain"
            raise DataError("the training texts are empty, or have no character in common") from error
        return cls(tuple(tfidf.get_feature_names_out()), tfidf.idf_.astype(np.float64), pair)

    @property
    def columns(self) -> int:
        """Length of a row."""
        return 5 * len(self.vocabulary) + 4 if self.pair else len(self.vocabulary)

    def features(self, first: Sequence[str], second: Sequence[str]) -> Any:
        """CSR matrix of shape (n, columns); a row depends on its own texts alone."""
        from scipy import sparse

        if not first:
            return sparse.csr_matrix((0, self.columns))
        left = self._tfidf.transform(first)
        if not self.pair:
            return left
        right = self._tfidf.transform(second)
        shared = left.multiply(right).sqrt().tocsr()  # its squared length is the cosine of the two texts
        only_left, only_right = left - left.multiply(right > 0), right - right.multiply(left > 0)
        amounts = [_squares(shared), _squares(only_left), _squares(only_right), _length_ratio(first, second)]
        blocks = [left, right, shared, only_left.tocsr(), only_right.tocsr(), sparse.csr_matrix(np.stack(amounts, 1))]
        return sparse.hstack(blocks, format="csr")


def _vectorizer(**options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer="char", ngram_range=NGRAMS, lowercase=False, sublinear_tf=True, **options)


def _squares(matrix: Any) -> NDArray[np.float64]:
    return np.asarray(matrix.multiply(matrix).sum(axis=1), dtype=np.float64).ravel()


def _length_ratio(first: Sequence[str], second: Sequence[str]) -> NDArray[np.float64]:
    """Log of the ratio of the lengths in characters: above 0 where the first text is longer."""
    lengths = [(len(a) + 1, len(b) + 1) for a, b in zip(first, second, strict=True)]
    return np.array([np.log(a / b) for a, b in lengths])


@dataclass(frozen=True)
class LinearClassifier:
    """A trained linear student.

    Attributes:
        labels: in the order of the rows of `coef`.
        ngrams: makes the features.
        coef: shape (labels, columns), float32.
        intercept: shape (labels,).
        c: the inverse strength of regularisation that was chosen.
    """

    labels: tuple[str, ...]
    ngrams: Ngrams
    coef: NDArray[np.float32]
    intercept: NDArray[np.float64]
    c: float

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """One prediction for each example.

        Raises:
            DataError: a single text for a classifier of pairs, or a pair for one of single texts.
        """
        x = self.ngrams.features(*rows.texts_of(examples, pair=self.ngrams.pair, limit=MOST_CHARACTERS))
        scores = rows.softmax(np.asarray(x @ self.coef.T + self.intercept, dtype=np.float64))
        return rows.predictions(examples, self.labels, scores)

    def save(self, folder: Path) -> None:
        """Write classifier.json, vocabulary.json and weights.safetensors into an existing folder."""
        settings = {"C": self.c, "pair": self.ngrams.pair, "ngrams": list(NGRAMS), "characters": MOST_CHARACTERS}
        arrays: saved.Arrays = {"idf": self.ngrams.idf, "coef": self.coef, "intercept": self.intercept}
        saved.write(folder, saved.Saved("linear", self.labels, settings, arrays, self.ngrams.vocabulary))

    @classmethod
    def load(cls, folder: Path) -> LinearClassifier:
        """Read what `save` wrote.

        Raises:
            ModelError: a file is missing or damaged.
        """
        shapes = {"idf": ("words",), "coef": ("labels", "columns"), "intercept": ("labels",)}
        files = saved.read(folder, {"C": float, "pair": bool}, shapes)
        ngrams = Ngrams(tuple(files.vocabulary), files.arrays["idf"], files.settings["pair"])
        if files.arrays["coef"].shape[1] != ngrams.columns:
            raise saved.damaged(folder / saved.WEIGHTS, "the weights do not fit the vocabulary")
        return cls(files.labels, ngrams, files.arrays["coef"], files.arrays["intercept"], files.settings["C"])


@dataclass(frozen=True, slots=True)
class LinearStudent:
    """Character n-grams and logistic regression; C is chosen on dev, or by cross-validation without one."""

    grid: tuple[float, ...] = GRID

    def fit(self, train: Sequence[Example], dev: Sequence[Example], *, seed: int) -> LinearClassifier:
        """Train on `train`.

        Raises:
            DataError: `train` is empty, holds one label only, mixes single texts with pairs, or has no characters.
        """
        labels, pair = rows.labels_of(train), rows.is_pair(train)
        texts = rows.texts_of(train, pair=pair, limit=MOST_CHARACTERS)
        ngrams = Ngrams.learn(*texts, pair=pair)
        dev_x = ngrams.features(*rows.texts_of(dev, pair=pair, limit=MOST_CHARACTERS))
        y, dev_y = rows.codes_of(train, labels), rows.codes_of(dev, labels)
        weights, dev_weights = weights_of(train), weights_of(dev)
        model = logistic.fit_best(
            ngrams.features(*texts), y, dev_x, dev_y,
            grid=self.grid, seed=seed, weights=weights, dev_weights=dev_weights,
            groups=rows.groups_of(train),
        )  # fmt: skip
        return LinearClassifier(labels, ngrams, model.coef.astype(np.float32), model.intercept, model.c)
