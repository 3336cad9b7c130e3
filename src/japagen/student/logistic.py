"""Multinomial logistic regression with its strength of regularisation chosen from a grid: the head of both students.

Knows nothing of texts: it sees a matrix of features and label codes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.student.decision.crossvalidation import folds
from japagen.student.rows import softmax

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Fold = tuple[Codes, Codes]
"""Rows to fit on, and rows held out."""

FOLDS = 5
C_WITHOUT_EVIDENCE = 1.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """A fitted model.

    Attributes:
        coef: one row of weights for each label, shape (labels, features).
        intercept: shape (labels,).
        c: the inverse strength of regularisation it was fitted with.
    """

    coef: Floats
    intercept: Floats
    c: float


def fit_best(
    x: Any,
    y: Codes,
    dev_x: Any,
    dev_y: Codes,
    *,
    grid: Sequence[float],
    seed: int,
    weights: Floats | None = None,
    dev_weights: Floats | None = None,
    groups: Codes | None = None,
) -> Logistic:
    """Fit on (x, y) with the C of the grid that is most accurate; ties go to the lower log-loss, then the smaller C.

    Accuracy is measured on dev where it has rows. Otherwise by stratified 5-fold cross-validation within train, if
    every label has 5 examples and keeps some when a fold is held out; otherwise nothing can be measured and C is 1. The
    problem is convex, so that `seed` decides the folds alone: with a dev set, every seed gives the same model.

    Args:
        x: features, dense or CSR, shape (n, features).
        y: label codes 0..L-1, shape (n,), each of them present.
        dev_x: features of the dev set, shape (m, features).
        dev_y: its codes, shape (m,); -1 is a label unknown to train, always counted as wrong.
        grid: candidates for C.
        seed: of the folds.
        weights: of the rows, shape (n,), in fitting and in the folds: weight 2 is the row twice. None: all 1.
        dev_weights: of the dev rows, shape (m,); None: all 1.
        groups: of the rows, shape (n,): a fold holds a group whole or not at all. None: each row is its own.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    # One thread: the order of summation, and with it the last bits, must not depend on the machine's cores.
    with threadpool_limits(limits=1), warnings.catch_warnings():
        _ignore_convergence()
        if len(dev_y):
            candidates = [
                (_loss(model, dev_x, dev_y, dev_weights), model) for model in _path(x, y, weights, grid, seed)
            ]
            return min(candidates, key=lambda scored: (scored[0], scored[1].c))[1]
        parts = _folds(y, groups, seed)
        c = _cross_validated(x, y, weights, grid, seed, parts) if parts else C_WITHOUT_EVIDENCE
        return next(_path(x, y, weights, [c], seed))


def _ignore_convergence() -> None:
    """A model of little regularisation that stops at the iteration limit is one more candidate, not a fault."""
    from sklearn.exceptions import ConvergenceWarning

    warnings.simplefilter("ignore", ConvergenceWarning)


def _path(x: Any, y: Codes, weights: Floats | None, grid: Sequence[float], seed: int) -> Iterator[Logistic]:
    """One model for each C, from the smallest up, each starting where the one before ended."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=300, tol=1e-4, warm_start=True, random_state=seed)
    for c in sorted(grid):
        model.set_params(C=c).fit(x, y, sample_weight=weights)
        coef, intercept = model.coef_, model.intercept_
        if len(coef) == 1:  # two labels: one row, for the second; half to each gives the same softmax
            coef, intercept = np.vstack([-coef / 2, coef / 2]), np.hstack([-intercept / 2, intercept / 2])
        yield Logistic(np.array(coef), np.array(intercept), float(c))


def _folds(y: Codes, groups: Codes | None, seed: int) -> list[Fold]:
    """Rows to fit on, every label among them, and rows to measure on; none where that cannot be had."""
    from sklearn.model_selection import StratifiedKFold

    if np.bincount(y).min() < FOLDS:
        return []
    if groups is None:
        return list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(np.zeros(len(y)), y))
    parts = list(folds(y, groups, seed=seed, count=FOLDS))
    return parts if all(len(set(y[inside])) == y.max() + 1 for inside, _ in parts) else []


def _cross_validated(
    x: Any, y: Codes, weights: Floats | None, grid: Sequence[float], seed: int, parts: Sequence[Fold]
) -> float:
    total: dict[float, tuple[float, float]] = {float(c): (0.0, 0.0) for c in grid}
    for inside, outside in parts:
        inner, outer = (None, None) if weights is None else (weights[inside], weights[outside])
        for model in _path(x[inside], y[inside], inner, grid, seed):
            wrong, loss = _loss(model, x[outside], y[outside], outer)
            total[model.c] = (total[model.c][0] + wrong, total[model.c][1] + loss)
    return min(total, key=lambda c: (total[c], c))


def _loss(model: Logistic, x: Any, y: Codes, weights: Floats | None) -> tuple[float, float]:
    """Weight of the wrong rows and summed log-loss: what is to be small, in this order."""
    scores = softmax(np.asarray(x @ model.coef.T + model.intercept))
    known = np.maximum(y, 0)
    of_gold = np.where(y >= 0, scores[np.arange(len(y)), known], 0.0)
    weight = np.ones(len(y)) if weights is None else weights
    wrong = scores.argmax(axis=1) != y
    return float((weight * wrong).sum()), float(-(weight * np.log(np.maximum(of_gold, 1e-15))).sum())
