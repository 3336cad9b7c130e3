"""How frequent the labels are where a classifier is used: counted on a few gold rows, or estimated without any.

A classifier's scores carry the label frequencies of its training set. Where these differ from those of its use and
nothing else does, scores times (prior there / prior in training) are right again (Saerens et al. 2002, "Adjusting the
Outputs of a Classifier to New a Priori Probabilities").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

STEPS = 2_000
STILL = 1e-7
"""EM ends when no prior moves by more."""


def counted_prior(gold: Codes, train_prior: Floats) -> Floats:
    """Shares of the labels among gold rows, shape (labels,), smoothed towards the training set's.

    As many rows as there are labels are added, spread as in training: (n_y + L * train_y) / (n + L).
    """
    labels = len(train_prior)
    counts = np.bincount(gold, minlength=labels)
    return np.asarray((counts + labels * train_prior) / (len(gold) + labels))


def shift_p_value(gold: Codes, train_prior: Floats, *, groups: int) -> float:
    """How probable counts at least as far from the training prior are without any shift: the likelihood-ratio (G) test.

    Args:
        gold: position of each row's label, shape (n,).
        train_prior: shape (labels,), no zeros.
        groups: of rows that belong together; that many rows are taken to be independent.
    """
    from scipy.stats import chi2

    counts = np.bincount(gold, minlength=len(train_prior))
    share = counts / len(gold)
    terms = share * np.log(np.maximum(share, 1e-300) / train_prior)
    return float(chi2.sf(2 * groups * terms.sum(), len(train_prior) - 1))


def correction(prior: Floats, train_prior: Floats) -> Floats:
    """What is added to log scores, shape (labels,): log(prior / train_prior), with mean 0."""
    shift = np.log(prior) - np.log(train_prior)
    return np.asarray(shift - shift.mean())


@dataclass(frozen=True, slots=True)
class Estimate:
    """Priors estimated from scores alone.

    Attributes:
        prior: shape (labels,).
        error: standard error of each by the curvature of the likelihood, shape (labels,); infinite where it is flat.
    """

    prior: Floats
    error: Floats


def estimated_prior(scores: Floats, train_prior: Floats) -> Estimate:
    """The most likely prior given scores of unlabelled texts, by EM (Saerens et al. 2002).

    The likelihood is concave: where it has one maximum, EM finds it from anywhere.

    Args:
        scores: shape (n, labels).
        train_prior: of the classifier's training set, shape (labels,), no zeros.
    """
    ratio = scores / train_prior
    prior = train_prior.copy()
    for _ in range(STEPS):
        weighted = ratio * prior
        following = (weighted / weighted.sum(axis=1, keepdims=True)).mean(axis=0)
        moved = float(np.abs(following - prior).max())
        prior = following
        if moved < STILL:
            break
    return Estimate(prior, _errors(ratio, prior))


def strength(scores: Floats) -> float:
    """How much a classifier claims to know: the share of the labels' entropy that its scores take away, in [0, 1]."""
    mean = scores.mean(axis=0)
    before = _entropy(mean)
    return float(1 - _entropy(scores).mean() / before) if before > 0 else 0.0


def _entropy(p: Floats) -> Floats:
    return np.asarray(-(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1))


def _errors(ratio: Floats, prior: Floats) -> Floats:
    """From the observed information of all priors but the last, which is 1 minus the others."""
    slopes = (ratio[:, :-1] - ratio[:, -1:]) / (ratio @ prior)[:, None]
    information = slopes.T @ slopes
    if np.linalg.matrix_rank(information) < len(information):
        return np.full(len(prior), np.inf)
    covariance = np.linalg.inv(information)
    variances = [*np.diagonal(covariance), covariance.sum()]
    return np.asarray(np.sqrt(np.maximum(variances, 0.0)))
