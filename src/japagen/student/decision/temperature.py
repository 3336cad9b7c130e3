"""Temperature: one number that makes scores as sure as they are right (Guo et al. 2017, "On Calibration of Modern
Neural Networks"). Knows nothing of metrics and labels' names.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from japagen.student.rows import softmax

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

LOWEST_SCORE = 1e-12
"""Scores below count as this: a label that a classifier calls impossible can still be the right one."""
WIDEST = 3.0
"""Temperatures from e**-3 to e**3 are tried."""


def log_scores(scores: Floats) -> Floats:
    """Natural logarithms of scores, shape (n, labels)."""
    return np.asarray(np.log(np.maximum(scores, LOWEST_SCORE)))


def log_losses(scores: Floats, gold: Codes) -> Floats:
    """Minus the log of each row's score of its gold label, shape (n,)."""
    return np.asarray(-log_scores(scores)[np.arange(len(gold)), gold])


def fit_temperature(scores: Floats, gold: Codes) -> float:
    """The temperature T with the smallest log-loss of softmax(log(scores) / T).

    The loss has a penalty of log(T)**2 / 2 in total, a normal prior on log T: on a handful of rows that are all right,
    the best T would be 0.

    Args:
        scores: shape (n, labels).
        gold: position of each row's label, shape (n,).
    """
    from scipy.optimize import minimize_scalar

    z = log_scores(scores)

    def loss(log_temperature: float) -> float:
        return _total(z * np.exp(-log_temperature), gold) + log_temperature**2 / 2

    found = minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded", options={"xatol": 1e-6})
    return float(np.exp(found.x))


def fit_bias_corrected(scores: Floats, gold: Codes) -> tuple[float, Floats]:
    """Temperature T and bias b, shape (labels,), with the smallest log-loss of softmax(log(scores) / T + b).

    Alexandari et al. 2020: EM needs scores that are right label by label. The penalty is that of `fit_temperature`, and
    half the squared length of b.
    """
    from scipy.optimize import minimize

    z = log_scores(scores)
    right = np.eye(z.shape[1])[gold]

    def loss(parameters: Floats) -> tuple[float, Floats]:
        scaled = z * np.exp(-parameters[0])
        wrong = softmax(scaled + parameters[1:]) - right
        slopes = np.array([-(wrong * scaled).sum(), *wrong.sum(axis=0)]) + parameters
        return _total(scaled + parameters[1:], gold) + float(parameters @ parameters) / 2, slopes

    bounds = [(-WIDEST, WIDEST)] + [(None, None)] * z.shape[1]
    found = minimize(loss, np.zeros(len(bounds)), jac=True, method="L-BFGS-B", bounds=bounds).x
    return float(np.exp(found[0])), np.asarray(found[1:])


def _total(z: Floats, gold: Codes) -> float:
    """Summed log-loss of softmax(z)."""
    return float((np.logaddexp.reduce(z, axis=1) - z[np.arange(len(gold)), gold]).sum())
