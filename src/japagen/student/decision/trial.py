"""Cross-validated comparison of the parts of a decision: what each row is given by a decision fitted without it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import Undefined, ece
from japagen.student.decision import crossvalidation as cv
from japagen.student.decision.priors import correction, counted_prior
from japagen.student.decision.record import Decision, Part, apply, numbers
from japagen.student.decision.temperature import fit_bias_corrected, fit_temperature, log_losses, log_scores
from japagen.student.decision.thresholds import fit_offsets
from japagen.student.rows import softmax

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Measure = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Gold:
    """Gold rows as arrays.

    Attributes:
        scores: shape (n, labels).
        codes: position of each row's label, shape (n,).
        numbers: what similarity is measured on, shape (n,); else None.
        groups: each row's group, shape (n,).
        train_prior: shape (labels,).
        seed: of folds and resamples.
    """

    scores: Floats
    codes: Codes
    numbers: Floats | None
    groups: Codes
    train_prior: Floats
    seed: int


def fitted(start: Decision, parts: frozenset[Part], gold: Gold, rows: Codes) -> Decision:
    """`start` with the parts fitted on those rows, one after the other: prior, temperature, offsets."""
    scores, codes = gold.scores[rows], gold.codes[rows]
    decision = start
    if "prior" in parts:
        shift = correction(counted_prior(codes, gold.train_prior), gold.train_prior)
        decision = replace(decision, prior=tuple(shift.tolist()))
    if "temperature" in parts:
        decision = replace(decision, temperature=fit_temperature(apply(decision, scores)[0], codes))
    if "offsets" in parts:
        z = log_scores(apply(decision, scores)[0])
        temperature, bias = fit_bias_corrected(scores, codes)
        probable = softmax(log_scores(scores) / temperature + bias)
        offsets = fit_offsets(z, probable, start.metric)
        decision = replace(decision, offsets=tuple(offsets.tolist()))
    return replace(decision, expectation="expectation" in parts)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a set of parts says of each gold row, fitted on others: scores, label codes, and numbers for similarity."""

    scores: Floats
    codes: Codes
    numbers: Floats | None


class Trial:
    """Compares sets of parts on the same folds and resamples."""

    def __init__(self, start: Decision, gold: Gold) -> None:
        self.start, self.gold = start, gold
        self._folds = list(cv.folds(gold.codes, gold.groups, seed=gold.seed))
        self._weights = cv.resamples(gold.groups, seed=gold.seed)
        self._once = np.ones((1, len(gold.codes)))

    def held_out(self, parts: frozenset[Part]) -> HeldOut:
        """Each row's scores and label by a decision that was fitted without its fold."""
        scores, codes = np.zeros_like(self.gold.scores), np.zeros_like(self.gold.codes)
        values = np.zeros(len(codes))
        for inside, outside in self._folds:
            decision = fitted(self.start, parts, self.gold, inside)
            scores[outside], codes[outside] = apply(decision, self.gold.scores[outside])
            number = numbers(decision, scores[outside], codes[outside])
            values[outside] = 0.0 if number is None else number
        return HeldOut(scores, codes, None if self.gold.numbers is None else values)

    def metric(self, said: HeldOut) -> Measure:
        """The start's metric, as a function of weights."""
        if said.numbers is not None and self.gold.numbers is not None:
            return cv.number_measure(self.start.metric, self.gold.numbers, said.numbers)
        return cv.label_measure(self.start.metric, self.gold.codes, said.codes, len(self.start.labels))

    def log_loss(self, said: HeldOut) -> Measure:
        """The mean log-loss, as a function of weights."""
        return cv.mean_measure(log_losses(said.scores, self.gold.codes))

    def compare(self, before: Measure, after: Measure) -> tuple[float, float, float]:
        """Both values and the standard error of their difference."""
        differences = after(self._weights) - before(self._weights)
        error = float(np.nanstd(differences)) if np.isfinite(differences).any() else np.inf
        return float(before(self._once)[0]), float(after(self._once)[0]), error

    def value(self, said: HeldOut) -> float | None:
        """The metric on all rows; None where it is undefined."""
        try:
            return float(self.metric(said)(self._once)[0])
        except Undefined:
            return None

    def ece(self, said: HeldOut) -> float:
        """Expected calibration error of the highest score."""
        right = said.scores.argmax(axis=1) == self.gold.codes
        return ece(np.minimum(said.scores.max(axis=1), 1.0), right)
