"""Whether a system's scores can be believed: expected calibration error and the bins of a reliability plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from japagen.evaluate.system import System
from japagen.metrics import NO_ANSWER, Undefined, ece, reliability
from japagen.records import Example

BINS = 10
"""Of equal width, for the error and the plot alike."""


def calibration(system: System, test: Sequence[Example]) -> dict[str, Any]:
    """ECE and reliability of the scores of the labels given, all seeds together, as JSON.

    Rows without an answer have no score and are left out. Where scores are missing, or all are 1, as of written answers
    that were read, it is `undefined`, with the reason.
    """
    confidence: list[float] = []
    correct: list[bool] = []
    for run in system.predictions:
        for example, prediction in zip(test, run, strict=True):
            if prediction.label == NO_ANSWER:
                continue
            if prediction.label not in prediction.scores:
                return {"undefined": "the system gives no scores"}
            confidence.append(min(1.0, max(0.0, prediction.scores[prediction.label])))
            correct.append(prediction.label == example.label)
    if confidence and min(confidence) == 1.0:
        return {"undefined": "the system gives no scores"}
    try:
        return {
            "ece": ece(confidence, correct, bins=BINS),
            "bins": [bin_._asdict() for bin_ in reliability(confidence, correct, bins=BINS)],
        }
    except Undefined as reason:
        return {"undefined": str(reason)}
