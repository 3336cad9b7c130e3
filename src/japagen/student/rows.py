"""What every student needs to know of its examples: clean texts, one or two per example, and the labels to learn;
and how its scores become predictions.

Knows nothing of features or models.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import DataError, ModelError
from japagen.groups import IMAGE, image_groups
from japagen.records import Example, Prediction


def clean(text: str, limit: int, *, nfkc: bool = True) -> str:
    """The text, at most `limit` characters long, in NFKC unless its reader normalises by itself; lone surrogates become
    U+FFFD, so that it can be encoded.

    >>> clean("ｱｲｳ①", 3)
    'アイウ'
    """
    # Paired surrogates join to the character they mean, lone ones are replaced.
    valid = text[:limit].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return unicodedata.normalize("NFKC", valid)[:limit] if nfkc else valid


def texts_of(examples: Sequence[Example], *, pair: bool, limit: int, nfkc: bool = True) -> tuple[list[str], list[str]]:
    """Clean first and second texts of the examples; the second list is empty unless `pair`.

    Raises:
        DataError: an example has a second text where there should be none, or lacks one.
    """
    for example in examples:
        if (example.text_pair is not None) != pair:
            has, wants = ("one text", "pairs") if pair else ("two texts", "single texts")
            remedy = (
                "japagen predict RUN --input FILE --column FIRST --pair-column SECOND" if pair else "give one text each"
            )
            raise DataError(f"the example has {has}, the classifier is for {wants}", where=example.id, remedy=remedy)
    first = [clean(e.text, limit, nfkc=nfkc) for e in examples]
    return first, [clean(e.text_pair or "", limit, nfkc=nfkc) for e in examples] if pair else []


def is_pair(train: Sequence[Example]) -> bool:
    """Whether the training examples are pairs; the first decides, `texts_of` refuses a mixture."""
    return train[0].text_pair is not None


def labels_of(train: Sequence[Example]) -> tuple[str, ...]:
    """The labels to learn, sorted, so that the order of rows does not matter.

    Raises:
        DataError: `train` is empty or holds one label only.
    """
    labels = tuple(sorted({e.label for e in train}))
    match labels:
        case ():
            raise DataError("there are no training examples", remedy="look at what curate dropped and why")
        case (only,):
            raise DataError(
                f"all {len(train)} training examples have the label '{only}'",
                remedy="a classifier needs examples of at least two labels",
            )
    return labels


def codes_of(examples: Sequence[Example], labels: Sequence[str]) -> NDArray[np.intp]:
    """Each example's label as its position in `labels`, shape (n,); -1 for a label that is not there."""
    position = {label: i for i, label in enumerate(labels)}
    return np.array([position.get(e.label, -1) for e in examples], dtype=np.intp)


def groups_of(examples: Sequence[Example]) -> NDArray[np.intp] | None:
    """Each example's group as a number, shape (n,): one for those of an image, its own for any other; None where no
    example names an image.
    """
    about = [number for number, example in enumerate(examples) if example.meta.get(IMAGE)]
    groups = image_groups([examples[number] for number in about])
    if groups is None:
        return None
    group_of = dict(zip(about, groups, strict=True))
    names = [group_of.get(number, f"row {number}") for number in range(len(examples))]
    return np.asarray(np.unique(names, return_inverse=True)[1], dtype=np.intp)


def predictions(examples: Sequence[Example], labels: Sequence[str], scores: NDArray[np.float64]) -> list[Prediction]:
    """Records of a matrix of scores, shape (n, labels); among equals the first label wins."""
    best = scores.argmax(axis=1)
    return [
        Prediction(e.id, labels[b], dict(zip(labels, map(float, row), strict=True)))
        for e, b, row in zip(examples, best, scores, strict=True)
    ]


def of_logits(
    examples: Sequence[Example], labels: Sequence[str], values: Sequence[float] | None, logits: NDArray[Any]
) -> list[Prediction]:
    """Records of a network's outputs.

    Args:
        examples: n rows.
        labels: in the order of columns.
        values: the number that each label stands for, where the network gives a number; None where it gives classes.
        logits: shape (n, labels) for classes, whose softmax are the scores; shape (n, 1) for a number. A number has all its
            score on the labels next to it, so that the expectation of the scores is that number (within the labels' range).

    Raises:
        ModelError: an output is no number.
    """
    given = np.asarray(logits, dtype=np.float64)
    if not np.isfinite(given).all():
        raise ModelError(
            "the network gives what is no number",
            where=examples[int((~np.isfinite(given)).any(axis=1).argmax())].id,
            remedy="its weights are damaged, or not those of this network: train again, or copy it anew",
        )
    if values is None:
        return predictions(examples, labels, softmax(given))
    order = np.argsort(values, kind="stable")
    ordered = np.asarray(values, dtype=np.float64)[order]
    numbers = given.reshape(-1)
    inside = np.clip(numbers, ordered[0], ordered[-1])
    above = np.clip(np.searchsorted(ordered, inside), 1, len(ordered) - 1)
    share = (inside - ordered[above - 1]) / np.maximum(ordered[above] - ordered[above - 1], 1e-12)
    scores = np.zeros((len(numbers), len(labels)))
    rows = np.arange(len(numbers))
    scores[rows, order[above - 1]] = 1.0 - share
    scores[rows, order[above]] += share
    found = predictions(examples, labels, scores)
    return [replace(p, value=float(number)) for p, number in zip(found, numbers, strict=True)]


def softmax(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of each row, shape as `z`; safe for large values."""
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))
