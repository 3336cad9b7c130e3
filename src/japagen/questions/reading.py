"""What a reply to a question about a label says: a prediction, from likelihoods where there are any, else from the text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import NO_ANSWER
from japagen.questions.answers import read_answer
from japagen.records import Prediction, Reply


def log_likelihoods(reply: Reply, labels: int) -> NDArray[np.float64] | None:
    """Log-likelihoods of the labels, shape (labels,); None where a reply has none that can be used."""
    found = np.asarray(reply.logprobs, dtype=np.float64)
    usable = reply.failed is None and found.shape == (labels,)
    return found if usable and np.isfinite(found).any() and not np.isnan(found).any() else None


def read_reply(
    identifier: str,
    reply: Reply,
    labels: Sequence[str],
    verbalisations: Sequence[str],
    base: NDArray[np.float64] | None = None,
) -> Prediction:
    """The prediction of a row; its label is `NO_ANSWER` where the reply failed, was refused or cannot be read.

    Args:
        identifier: of the row.
        reply: to a question with the labels as choices.
        labels: in the order of the choices.
        verbalisations: how they are called, in the same order.
        base: log-likelihoods after a text without content, by which those of the reply are divided, shape (labels,).
    """
    if reply.failed is not None or reply.finish == "content_filter":
        return Prediction(identifier, NO_ANSWER, {})
    if (found := log_likelihoods(reply, len(labels))) is not None:
        logits = found if base is None else found - base
        weights = np.exp(logits - logits.max())
        scores = dict(zip(labels, map(float, weights / weights.sum()), strict=True))
        return Prediction(identifier, labels[int(np.argmax(weights))], scores)
    place = read_answer(reply.text, verbalisations)
    if place is None:
        return Prediction(identifier, NO_ANSWER, {})
    return Prediction(identifier, labels[place], {label: float(i == place) for i, label in enumerate(labels)})
