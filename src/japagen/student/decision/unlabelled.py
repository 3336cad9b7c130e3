"""A decision without gold: label frequencies estimated by EM from the scores of unlabelled texts, for accuracy.

EM believes the scores. A classifier that is surer than right misleads it, so scores are calibrated first on rows held out
from training, temperature and bias (Alexandari et al. 2020, "Maximum Likelihood with Bias-Corrected Calibration is
Hard-To-Beat at Label Shift Adaptation"), and the estimate is used only where the classifier is strong enough to make it.

These checks are necessary, not sufficient: on JNLI, with rows held out at random that share images with training, the
estimate passes them and still costs accuracy (benchmarks/results/quality_decision.json). Without rows that are truly
independent of training, leave them out: EM is then refused. Fifty gold labels do better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from japagen.student.decision.priors import Estimate, correction, estimated_prior, strength
from japagen.student.decision.record import Decision, Finding, apply
from japagen.student.decision.temperature import fit_bias_corrected

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FEWEST_SOURCE = 50
FEWEST_TEXTS = 100
WEAKEST = 0.1
"""Share of the labels' entropy that calibrated scores must take away."""
COLLAPSED = 0.1
"""A label whose estimated prior is below this share of its training prior has collapsed."""
LARGEST_ERROR = 0.05
"""Standard error of a prior above which the estimate says too little."""
SHIFTED = 2.0
"""Standard errors that some prior must have moved."""


@dataclass(frozen=True, slots=True)
class Source:
    """Rows that were held out from training, labelled as the training set was. They share no image, no seed text and no
    choice of settings with it, or the classifier looks surer on them than it is on new texts.

    Attributes:
        scores: shape (m, labels).
        codes: position of each row's label, shape (m,).
    """

    scores: Floats
    codes: Codes


def decide_unlabelled(start: Decision, scores: Floats, train_prior: Floats, source: Source | None) -> Decision:
    """The decision that unlabelled texts allow: prior correction by EM for accuracy, otherwise `start` as it is.

    Args:
        start: changes nothing; says labels and metric.
        scores: of unlabelled texts, shape (n, labels).
        train_prior: shape (labels,), sums to 1.
        source: rows for calibration; without them EM is refused.
    """
    start = replace(start, learnt_from=f"{len(scores)} unlabelled texts, no gold")
    if start.values is not None:
        reason = "the expectation of the labels' values; no gold row speaks against it"
        return replace(start, findings=(Finding("expectation", True, reason),))
    if refusal := _cannot_start(start, scores, source):
        return _refused(start, refusal)
    assert source is not None  # noqa: S101 _cannot_start refuses without it
    temperature, bias = fit_bias_corrected(source.scores, source.codes)
    calibrated = replace(start, temperature=temperature, prior=tuple((temperature * bias).tolist()))
    known = apply(calibrated, scores)[0]
    if (claimed := strength(known)) < WEAKEST:
        return _refused(start, f"the classifier is too weak for EM: its scores take away {claimed:.0%} of the entropy")
    estimate = estimated_prior(known, train_prior)
    described = ", ".join(f"{name} {p:.2f}" for name, p in zip(start.labels, estimate.prior, strict=True))
    if refusal := _useless(estimate, train_prior):
        return _refused(start, f"{refusal}; estimated {described}")
    total = temperature * (bias + correction(estimate.prior, train_prior))
    return replace(
        calibrated,
        prior=tuple(total.tolist()),
        learnt_from=f"EM on {len(scores)} unlabelled texts, calibrated on {len(source.codes)} rows held out from training",
        findings=(
            Finding("prior", True, f"estimated by EM: {described}"),
            Finding("temperature", True, "fitted on rows held out from training, as EM needs it"),
        ),
    )


def _cannot_start(start: Decision, scores: Floats, source: Source | None) -> str | None:
    if start.metric != "accuracy":
        return f"without gold, nothing shows that it would help {start.metric}"
    if source is None or len(source.codes) < FEWEST_SOURCE:
        given = 0 if source is None else len(source.codes)
        return (
            f"EM needs calibrated scores, and {given} rows held out from training are given of {FEWEST_SOURCE} needed"
        )
    if len(scores) < FEWEST_TEXTS:
        return f"EM needs {FEWEST_TEXTS} unlabelled texts, {len(scores)} are given"
    return None


def _useless(estimate: Estimate, train_prior: Floats) -> str | None:
    if (estimate.prior / train_prior).min() < COLLAPSED:
        return "EM degenerates: a label's estimated prior collapses"
    if estimate.error.max() > LARGEST_ERROR:
        return f"the classifier is too weak for EM: a prior has a standard error of {estimate.error.max():.2f}"
    if (np.abs(estimate.prior - train_prior) < SHIFTED * estimate.error).all():
        return "the estimated priors differ from the training set's by less than two standard errors"
    return None


def _refused(start: Decision, reason: str) -> Decision:
    return replace(start, findings=(Finding("prior", False, reason),))
