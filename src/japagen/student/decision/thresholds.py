"""Thresholds for metrics that the most probable label does not serve: MCC and macro-F1.

With two labels an offset on the log score of one of them is a threshold; with more, each label has one. They are chosen to
be best by the metric's expectation under calibrated probabilities, not by the gold labels themselves (the plug-in rule:
Koyejo et al. 2014, "Consistent Binary Classification with Generalized Performance Metrics"): on 200 rows of JCoLA the
threshold that is best by gold labels is worse than none.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import METRICS

Floats = NDArray[np.float64]

MOST_CANDIDATES = 200
ROUNDS = 3


def fit_offsets(z: Floats, probable: Floats, metric: str) -> Floats:
    """Offsets that make ``argmax(z + offsets)`` best by the metric, shape (labels,); the first is 0.

    Coordinate ascent: one label's offset after another takes the best of its candidates, which lie half-way between the
    points where a row changes its label. Of equally good ones the nearest to the present one is taken.

    Args:
        z: log scores, shape (n, labels).
        probable: how probable each label is for each row, shape (n, labels); one-hot where labels are known.
        metric: a name in `metrics.METRICS`.
    """
    labels = z.shape[1]
    offsets = np.zeros(labels)
    moving = range(1, labels) if labels == 2 else range(labels)
    for _ in range(1 if labels == 2 else ROUNDS):
        before = offsets.copy()
        for label in moving:
            offsets[label] = _best(z, offsets, label, probable, metric)
        if np.array_equal(before, offsets):
            break
    return np.asarray(offsets - offsets[0])


def _best(z: Floats, offsets: Floats, label: int, probable: Floats, metric: str) -> float:
    """The offset of one label that is best while the others stay."""
    others = z + offsets
    others[:, label] = -np.inf
    rival = others.argmax(axis=1)
    needed = others.max(axis=1) - z[:, label]  # the label is chosen above this offset
    candidates = _between(needed, float(offsets[label]))
    chosen = (candidates[:, None] > needed).astype(np.float64)
    counts = np.stack(
        [(1 - chosen) @ (probable * (rival == other)[:, None]) for other in range(z.shape[1])], axis=2
    )  # shape (candidates, labels, labels): what the rows are, what they are called
    counts[:, :, label] = chosen @ probable
    values = METRICS[metric](counts)
    best = candidates[values >= values.max() - 1e-9]
    return float(best[np.abs(best - offsets[label]).argmin()])


def _between(points: Floats, present: float) -> Floats:
    """The present value and the midpoints of neighbouring points, at most `MOST_CANDIDATES` of them."""
    distinct = np.unique(points)
    midpoints = (distinct[1:] + distinct[:-1]) / 2
    if len(midpoints) > MOST_CANDIDATES:
        midpoints = midpoints[np.linspace(0, len(midpoints) - 1, MOST_CANDIDATES).astype(np.intp)]
    return np.concatenate([[present], midpoints])
