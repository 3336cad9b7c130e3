"""How many gold labels a score is worth: where it crosses the learning curve of gold rows, within what was measured of it.

Between two measured numbers of labels the curve is a straight line on a logarithmic axis, and it never falls. Beyond the
fewest and the most labels nothing is known, and nothing is said but that it lies beyond. Knows no student and no file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import Undefined

Floats = NDArray[np.float64]

FEWEST = 2
"""Points of the gold curve."""
TAILS = (0.025, 0.975)


def rising(scores: Floats) -> Floats:
    """Each curve made non-decreasing with least squares (pool adjacent violators), shape (curves, points) as given.

    The value at a point is the largest over beginnings of the smallest over ends of the mean from there to there.
    """
    y = np.asarray(scores, dtype=np.float64)
    points = y.shape[1]
    sums = np.concatenate([np.zeros((len(y), 1)), y.cumsum(axis=1)], axis=1)
    found = np.full(y.shape, -np.inf)
    for start in range(points):
        ends = np.arange(start, points)
        means = (sums[:, ends + 1] - sums[:, [start]]) / (ends - start + 1)
        smallest = np.minimum.accumulate(means[:, ::-1], axis=1)[:, ::-1]
        found[:, start:] = np.maximum(found[:, start:], smallest)
    return found


def labels_for(scores: Sequence[float], labels: Sequence[float], curves: Floats) -> Floats:
    """The number of gold labels with which each curve reaches its score; 0 and infinity where it lies beyond the curve.

    Args:
        scores: to be reached, shape (curves,).
        labels: measured numbers of labels, ascending, shape (points,).
        curves: the score with so many labels, non-decreasing, shape (curves, points).

    Raises:
        Undefined: fewer than two points, or numbers of labels that do not rise.
    """
    n = np.asarray(labels, dtype=np.float64)
    if len(n) < FEWEST or not (np.diff(n) > 0).all() or not (n > 0).all():
        raise Undefined(f"a gold curve needs {FEWEST} different numbers of labels, ascending")
    found = np.empty(len(curves))
    for place, (score, curve) in enumerate(zip(scores, curves, strict=True)):
        after = int(np.searchsorted(curve, score, side="left"))
        if after == len(curve):
            found[place] = math.inf
        elif after == 0:
            found[place] = n[0] if curve[0] == score else 0.0
        else:
            share = (score - curve[after - 1]) / (curve[after] - curve[after - 1])
            found[place] = n[after - 1] * (n[after] / n[after - 1]) ** share
    return found


def bounded(value: float, draws: Floats, least: float, most: float) -> dict[str, Any]:
    """A number with its 95 % interval, as JSON, of which nothing is known below `least` or above `most`.

    ``value``, ``low`` and ``high`` are None where they lie beyond; ``side`` says where the value lies: "below", "within" or
    "above". A ``low`` of None is below `least` (and so is a ``high`` where ``side`` is "below"), or, with ``side`` "above",
    beyond `most`; ``low_side`` and ``high_side`` tell.
    """
    low, high = np.quantile(draws, TAILS, method="inverted_cdf")
    told: dict[str, Any] = {"least": least, "most": most}
    for key, number in (("value", value), ("low", float(low)), ("high", float(high))):
        side = "below" if number < least else "above" if number > most else "within"
        told[key] = number if side == "within" else None
        told["side" if key == "value" else f"{key}_side"] = side
    return told
