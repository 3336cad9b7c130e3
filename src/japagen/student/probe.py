"""The single-input probe of pairs: how well one of the two texts tells the label, which neither should alone.

Out-of-fold predictions from one text (TF-IDF of character n-grams; logistic regression, or ridge for similarity) by two
kinds of folds. Random folds part rows of one image, or rows that share a text, so that a probe recognises what it has seen:
where they say more than folds by group do, any random split of these rows leaks. Folds by group are honest: what they
say above a guess is an artefact, such as a phrase that writers use for one label (Gururangan et al. 2018).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from japagen.errors import DataError
from japagen.groups import image_groups, text_groups
from japagen.metrics import Undefined, spearman
from japagen.records import Example
from japagen.streams import stream
from japagen.student import logistic, rows
from japagen.student.decision.crossvalidation import folds, groups_of
from japagen.student.linear import MOST_CHARACTERS, Ngrams

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Text = Literal["first", "second"]
TEXTS: tuple[Text, ...] = ("first", "second")

FOLDS = 5
C = 30.0
"""Of the logistic regression: weak enough regularisation to show what rows of one image have in common."""
MOST_ROWS = 3000
"""Larger sets are sampled, in whole groups."""
MARGIN = 0.05
"""A difference in accuracy above this is an alarm; also one between kinds of folds in Spearman's correlation."""
CORRELATED = 0.2
"""For similarity: a rank correlation above this is an artefact; topics alone reach half of it in JSTS."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What one text of a pair says.

    Attributes:
        text: which one it is.
        measure: "accuracy" of the label; for similarity "spearman" of the number.
        rows: of which the figures are; at most `MOST_ROWS`.
        groups: that the rows fall into.
        guess: what is reached without any text: the share of the most frequent label; 0 for similarity.
        random: with random folds.
        grouped: with folds that keep groups together.
    """

    text: Text
    measure: Literal["accuracy", "spearman"]
    rows: int
    groups: int
    guess: float
    random: float
    grouped: float

    @property
    def leaking(self) -> bool:
        """Whether random folds reach more than folds by group: a random split leaks, only one by group can be trusted."""
        return self.random > self.grouped + max(MARGIN, self._noise)

    @property
    def artefact(self) -> bool:
        """Whether folds by group reach more than a guess: labels can be told without reading both texts."""
        margin = MARGIN if self.measure == "accuracy" else CORRELATED
        return self.grouped > self.guess + max(margin, self._noise)

    @property
    def _noise(self) -> float:
        """Two standard errors of a share or correlation in as many rows as there are groups; small sets alarm by chance."""
        return (1.0 if self.measure == "accuracy" else 2.0) / math.sqrt(self.groups)


def probe(examples: Sequence[Example], *, seed: int = 0) -> list[Probe]:
    """What the first and the second text of pairs say alone; rows with a `value` are similarity.

    Groups are those of images, or where rows name none, of rows that share a text. Vocabulary and document frequencies
    come from all rows, without their labels. Two thousand captions take a few seconds on one core.

    Args:
        examples: gold rows of one task.
        seed: of folds and of the sample.

    Raises:
        Undefined: single texts, only one label or number, fewer groups than folds, texts without characters, or a label
            that a fold holds alone.
    """
    if not examples or any(example.text_pair is None for example in examples):
        raise Undefined("a probe is for pairs")
    groups = image_groups(examples) or text_groups(examples)
    kept = _sample(groups, seed)
    if not kept:
        raise Undefined(f"every group of rows that share a text or an image is larger than {MOST_ROWS} rows")
    examples, groups = [examples[i] for i in kept], [groups[i] for i in kept]
    labels = sorted({example.label for example in examples})
    numbers = None
    if all(example.value is not None for example in examples):
        numbers = np.array([example.value for example in examples], dtype=np.float64)
    codes = rows.codes_of(examples, labels)
    if len(labels) < 2:
        raise Undefined(f"all rows have the label '{labels[0]}'")
    together = groups_of(groups, len(groups))
    count = int(together.max()) + 1
    if count < FOLDS:
        raise Undefined(f"{count} groups are too few for {FOLDS} folds")
    found = []
    for text, column in zip(TEXTS, rows.texts_of(examples, pair=True, limit=MOST_CHARACTERS), strict=True):
        try:
            x = Ngrams.learn(column, [], pair=False).features(column, [])
        except DataError as error:
            raise Undefined(error.what) from error
        random, grouped = (
            _out_of_fold(x, codes, numbers, parts, seed) for parts in (np.arange(len(codes), dtype=np.intp), together)
        )
        guess = max(Counter(codes.tolist()).values()) / len(codes) if numbers is None else 0.0
        measure: Literal["accuracy", "spearman"] = "accuracy" if numbers is None else "spearman"
        found.append(Probe(text, measure, len(codes), count, guess, random, grouped))
    return found


def _sample(groups: Sequence[str], seed: int) -> list[int]:
    """Positions of at most `MOST_ROWS` rows, in order: groups are drawn, and those that no longer fit are passed over."""
    if len(groups) <= MOST_ROWS:
        return list(range(len(groups)))
    sizes = Counter(groups)
    names = sorted(sizes)
    stream(seed, "probe").shuffle(names)
    chosen: set[str] = set()
    room = MOST_ROWS
    for name in names:
        if sizes[name] <= room:
            chosen.add(name)
            room -= sizes[name]
    return [i for i, name in enumerate(groups) if name in chosen]


def _out_of_fold(x: Any, codes: Codes, numbers: Floats | None, groups: Codes, seed: int) -> float:
    """Accuracy, or Spearman's correlation where there are numbers, of predictions for rows that were held out."""
    said = np.zeros(len(codes))
    for inside, outside in folds(codes, groups, seed=seed, count=FOLDS):
        if numbers is not None:
            said[outside] = _ridge(x, numbers, inside, outside)
            continue
        if len(set(codes[inside])) <= codes.max():
            raise Undefined("all rows of a label are in one fold")
        held_out = x[outside], codes[outside]  # nothing is chosen by them, for the grid has one C
        model = logistic.fit_best(x[inside], codes[inside], *held_out, grid=[C], seed=seed)
        said[outside] = np.asarray(x[outside] @ model.coef.T + model.intercept).argmax(axis=1)
    return float((said == codes).mean()) if numbers is None else spearman(said, numbers)


def _ridge(x: Any, numbers: Floats, inside: Codes, outside: Codes) -> Floats:
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0).fit(x[inside], numbers[inside])
    return np.asarray(model.predict(x[outside]), dtype=np.float64)
