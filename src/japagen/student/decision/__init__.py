"""What turns a classifier's scores into labels: it follows the task's metric, and refuses what would hurt.

The most probable label maximises accuracy, if label frequencies in training are those in use. For MCC and macro-F1 another
threshold is better, for similarity the expectation. `fit_decision` learns which of it helps from a few gold rows,
`Decision` says what and why, `apply` does it to arrays, `Decided` to predictions; `learn_decision` joins them for a trained
classifier.
"""

from __future__ import annotations

from japagen.student.decision.decided import Decided, scores_of, with_decision
from japagen.student.decision.fitting import FEWEST, fit_decision
from japagen.student.decision.learning import learn_decision
from japagen.student.decision.record import Decision, Finding, apply, numbers, read, write
from japagen.student.decision.unlabelled import Source

__all__ = [
    "FEWEST",
    "Decided",
    "Decision",
    "Finding",
    "Source",
    "apply",
    "fit_decision",
    "learn_decision",
    "numbers",
    "read",
    "scores_of",
    "with_decision",
    "write",
]
