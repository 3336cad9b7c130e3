"""The rules by which a part of a decision is adopted or refused, each with its reason in words.

SE is the standard error of a difference on held-out rows, by bootstrap of groups.

- prior correction, for accuracy: label frequencies differ from the training set's (G test, p < .05), and neither accuracy
  nor the log-loss gets worse by more than one SE. A few dozen rows show the shift, hardly ever the gain, which is
  Bayes' rule as long as the texts of a label are like those of training.
- prior correction, for MCC and macro-F1: the metric itself improves by more than two SE; in general it gets worse, since
  rare labels are chosen still more rarely.
- temperature: the log-loss improves by more than one SE. It moves no label; for similarity the metric must not get worse.
- offsets (a threshold), for MCC and macro-F1: the metric improves by more than one SE.
- expectation, for similarity: used, unless the metric gets worse by more than one SE.
"""

from __future__ import annotations

import numpy as np

from japagen.metrics import Undefined
from japagen.student.decision.priors import shift_p_value
from japagen.student.decision.record import Finding, Part
from japagen.student.decision.trial import HeldOut, Measure, Trial

FEWEST_OF_LABEL = 5
"""Gold rows of every label that offsets need."""
SIGNIFICANT = 0.05
NAMES: dict[Part, str] = {
    "prior": "prior correction",
    "temperature": "temperature",
    "offsets": "a threshold",
    "expectation": "the expectation",
}
LOG_LOSS = "log_loss"
MARGINS = {1: " by more than one standard error", 2: " by more than two standard errors"}
VERDICTS = {  # whether a gain was needed, whether the part is adopted
    (True, True): "improves",
    (True, False): "does not improve",
    (False, True): "does not get worse",
    (False, False): "gets worse",
}


def judge(trial: Trial, part: Part, adopted: frozenset[Part]) -> Finding:
    """Whether the part is worth having beside those adopted before it."""
    metric = trial.start.metric
    match part:
        case "offsets":
            if rare := _rare(trial):
                return Finding(part, False, f"needs {FEWEST_OF_LABEL} gold rows of every label, and '{rare}' has fewer")
            return _compared(trial, part, adopted, metric, gain=1)
        case "prior" if metric != "accuracy":
            return _compared(trial, part, adopted, metric, gain=2)
        case "prior":
            if unmoved := _unmoved(trial):
                return Finding(part, False, unmoved)
            by_loss = _compared(trial, part, adopted, LOG_LOSS, gain=-1)
            return _compared(trial, part, adopted, metric, gain=-1) if by_loss.adopted else by_loss
        case "temperature":
            harmless = _compared(trial, part, adopted, metric, gain=-1)
            return _compared(trial, part, adopted, LOG_LOSS, gain=1) if harmless.adopted else harmless
        case "expectation":
            return _compared(trial, part, adopted, metric, gain=-1)


def _compared(trial: Trial, part: Part, adopted: frozenset[Part], measure: str, *, gain: int) -> Finding:
    """By what is gained with the part on held-out rows.

    Args:
        trial: compares.
        part: is judged.
        adopted: the parts before it.
        measure: the metric or the log-loss.
        gain: standard errors that the gain must exceed; -1 if a loss of one is the most that is allowed.
    """
    without, having = trial.held_out(adopted - {part}), trial.held_out(adopted | {part})
    try:
        before, after, error = trial.compare(_measured(trial, measure, without), _measured(trial, measure, having))
    except Undefined as undefined:
        return Finding(part, gain < 0, f"nothing can be compared: {undefined}")
    gained = before - after if measure == LOG_LOSS else after - before
    adopt = gained > gain * error if gain > 0 else gained >= gain * error
    happens = VERDICTS[gain > 0, adopt] + MARGINS[abs(gain)]
    figures = f"{before:.3f} to {after:.3f} (SE {error:.3f})"
    reason = f"with {NAMES[part]}, held-out {measure} {happens}: {figures}"
    return Finding(part, adopt, reason, measure, before, after, error)


def _measured(trial: Trial, measure: str, said: HeldOut) -> Measure:
    return trial.log_loss(said) if measure == LOG_LOSS else trial.metric(said)


def _unmoved(trial: Trial) -> str | None:
    """Says so where gold label frequencies may well be those of the training set."""
    gold = trial.gold
    p = shift_p_value(gold.codes, gold.train_prior, groups=len(set(gold.groups.tolist())))
    if p < SIGNIFICANT:
        return None
    return f"the gold rows do not show label frequencies other than in training (G test, p = {p:.2f})"


def _rare(trial: Trial) -> str | None:
    labels = trial.start.labels
    counts = np.bincount(trial.gold.codes, minlength=len(labels))
    return next((label for label, count in zip(labels, counts, strict=True) if count < FEWEST_OF_LABEL), None)
