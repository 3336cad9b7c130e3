"""Error guidance: the gold dev rows that a student gets wrong become the shots of a second round of generation.

Beside each guide stands a control that the student gets right: same label, nearest topic. A round shown the controls
instead tells whether a gain comes from the errors or from mere gold rows about such topics. Knows nothing of how shots
become prompts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.groups import images_of
from japagen.japanese import canonical
from japagen.records import Example, Prediction
from japagen.streams import stream

Vectors = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Guides:
    """What guides a second round.

    Attributes:
        wrong: rows that the student gets wrong; for numbers, those with the largest errors.
        control: row i is the control of `wrong[i]`: right, of the same label, about the nearest topic, and about no
            image and of no text that a guide has.
        errors: for each label the rows that the student gets wrong.
        by_label: for each label the guides.
        nearness: mean cosine of a guide and its control; None without guides.
        sentence: how many there are, and why there are not more.
    """

    wrong: tuple[Example, ...]
    control: tuple[Example, ...]
    errors: Mapping[str, int]
    by_label: Mapping[str, int]
    nearness: float | None
    sentence: str


def guides(
    dev: Sequence[Example],
    predictions: Sequence[Prediction],
    *,
    vectors: Vectors,
    most: int,
    seed: int,
    values: Mapping[str, float] | None = None,
) -> Guides:
    """Choose guides and their controls, one to one and without replacement.

    Which of the wrong rows are guides is drawn; the mean distance of guides and controls is then the smallest possible. For
    numbers the guides are the rows of each label with the largest absolute errors; those with more than the label's median
    count as wrong.

    Args:
        dev: n gold rows that the student has not learnt from.
        predictions: what the student, or the mean of its seeds, says of them, in their order.
        vectors: rows of length 1 and shape (n, d), see `topic_vectors`.
        most: most guides of a label.
        seed: of the draw.
        values: for similarity, the number that each label stands for: used where a prediction has no number of its own.

    Raises:
        ValueError: the three are not of the same rows, or a number is asked of a prediction that cannot give one.
    """
    if [row.id for row in dev] != [p.id for p in predictions] or len(vectors) != len(dev):
        raise ValueError(
            f"{len(dev)} rows, {len(predictions)} predictions and {len(vectors)} vectors are not of one set"
        )
    labels = sorted({row.label for row in dev})
    errors = _errors(dev, predictions, values)
    numbers = bool(dev) and dev[0].value is not None
    wrong, right = _by_label(dev, errors, numbers)
    chosen = {label: _chosen(wrong[label], errors, most, numbers, seed, label) for label in labels}
    taken = {thing for places in chosen.values() for place in places for thing in _things(dev[place])}
    free = {label: [place for place in right[label] if taken.isdisjoint(_things(dev[place]))] for label in labels}
    pairs = {label: _matched(chosen[label], free[label], vectors) for label in labels}
    matched = [pair for label in labels for pair in pairs[label]]
    nearness = fmean(float(vectors[a] @ vectors[b]) for a, b in matched) if matched else None
    counts = {label: len(wrong[label]) for label in labels}
    given = {label: len(pairs[label]) for label in labels}
    wanted = {label: len(chosen[label]) for label in labels}
    return Guides(
        tuple(dev[a] for a, _ in matched),
        tuple(dev[b] for _, b in matched),
        counts,
        given,
        nearness,
        " ".join(_sentences(len(dev), counts, wanted, given, most, nearness, numbers)),
    )


def topic_vectors(rows: Sequence[Example]) -> Vectors:
    """What rows are about: sentence vectors of length 1, shape (n, 512); of pairs those of both texts, shape (n, 1024)."""
    from japagen.student.vectors import vectors

    first = vectors().encode([row.text for row in rows])
    if not rows or rows[0].text_pair is None:
        return first
    second = vectors().encode([row.text_pair or "" for row in rows])
    return np.asarray(np.hstack([first, second]) / np.sqrt(2.0))


def _errors(
    dev: Sequence[Example], predictions: Sequence[Prediction], values: Mapping[str, float] | None
) -> list[float]:
    """Of each row the absolute error of the number, or 0 for the right label and 1 for a wrong one."""
    errors = []
    for row, said in zip(dev, predictions, strict=True):
        if row.value is None:
            errors.append(float(said.label != row.label))
            continue
        number = said.value
        if number is None:
            if values is None:
                raise ValueError(f"the prediction of '{row.id}' has no number, and the values of labels are not given")
            number = sum(score * values[label] for label, score in said.scores.items()) / sum(said.scores.values())
        errors.append(abs(number - row.value))
    return errors


def _by_label(
    dev: Sequence[Example], errors: Sequence[float], numbers: bool
) -> tuple[dict[str, list[int]], dict[str, list[int]]]:
    """Places of the wrong and of the right rows of each label."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, row in enumerate(dev):
        places[row.label].append(place)
    wrong, right = {}, {}
    for label, of_label in places.items():
        limit = median(errors[place] for place in of_label) if numbers else 0.0
        wrong[label] = [place for place in of_label if errors[place] > limit]
        right[label] = [place for place in of_label if errors[place] <= limit]
    return wrong, right


def _chosen(
    wrong: Sequence[int], errors: Sequence[float], most: int, numbers: bool, seed: int, label: str
) -> list[int]:
    if numbers:
        return sorted(wrong, key=lambda place: (-errors[place], place))[:most]
    return stream(seed, "guides", label).sample(wrong, min(most, len(wrong)))


def _things(row: Example) -> Iterable[tuple[str, str]]:
    """The images that a row is about, and its texts."""
    yield from (("image", image) for image in images_of(row))
    yield from (("text", canonical(text)) for text in (row.text, row.text_pair) if text is not None)


def _matched(chosen: Sequence[int], free: Sequence[int], vectors: Vectors) -> list[tuple[int, int]]:
    """Each guide with its control, in the guides' order; where controls are fewer, the guides that they fit best."""
    from scipy.optimize import linear_sum_assignment

    if not chosen or not free:
        return []
    nearness = vectors[list(chosen)].astype(np.float64) @ vectors[list(free)].astype(np.float64).T
    first, second = linear_sum_assignment(-nearness.round(6))  # the last bits differ from one machine to the next
    return [(chosen[a], free[b]) for a, b in zip(first.tolist(), second.tolist(), strict=True)]


def _sentences(
    rows: int,
    errors: Mapping[str, int],
    wanted: Mapping[str, int],
    given: Mapping[str, int],
    most: int,
    nearness: float | None,
    numbers: bool,
) -> list[str]:
    if not rows:
        return ["There are no gold dev rows, so that nothing can guide a second round."]
    total, number = sum(given.values()), sum(errors.values())
    if not number:
        return [f"The student gets all {rows} gold dev rows right, so that nothing can guide a second round."]
    if numbers:
        said = [f"Of {rows} gold dev rows the half of each label with the larger errors counts as wrong."]
    else:
        said = [f"The student gets {number} of {rows} gold dev rows wrong."]
    if total:
        of = ", ".join(f"{count} of '{label}'" for label, count in given.items() if count)
        said.append(
            f"Guides of the second round: {total} ({of}). Controls: as many rows of the same labels that it gets right, "
            f"about the nearest topics (mean cosine {nearness:.2f})."
        )
    for label, count in given.items():
        if count < wanted[label]:
            said.append(
                f"'{label}': {wanted[label] - count} more have no control without an image or a text of a guide."
            )
        elif count < most:
            few = f"{count} of {most} guides, no other row is wrong" if count else "no row is wrong"
            said.append(f"'{label}': {few}.")
    return said
