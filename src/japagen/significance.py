"""Intervals of shares and corrections for many tests, for every stage that makes claims. Pure functions of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TypeVar

from japagen.metrics import Undefined

K = TypeVar("K")
Z95 = NormalDist().inv_cdf(0.975)


def wilson(hits: int, n: int, z: float = Z95) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927); by default with 95 %.

    Raises:
        ValueError: no trials, or more hits than trials.

    >>> low, high = wilson(8, 10)
    >>> round(low, 3), round(high, 3)
    (0.49, 0.943)
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"{hits} of {n} is no share")
    middle = hits + z * z / 2
    spread = z * math.sqrt(hits * (n - hits) / n + z * z / 4)
    return max(0.0, (middle - spread) / (n + z * z)), min(1.0, (middle + spread) / (n + z * z))


def holm(p: Mapping[K, float]) -> dict[K, float]:
    """P-values corrected for their number, so that all tests together err with the level of one (Holm 1979).

    The smallest is multiplied by how many there are, the next by one less, and so on; none becomes smaller than one
    before it, or larger than 1. The order of the names is kept.

    Raises:
        Undefined: a value is no probability.
    """
    for name, value in p.items():
        if not 0 <= value <= 1:
            raise Undefined(f"{value} is no p-value ('{name}')")
    corrected, least = dict(p), 0.0
    for step, name in enumerate(sorted(p, key=lambda name: p[name])):
        least = max(least, min(1.0, (len(p) - step) * p[name]))
        corrected[name] = least
    return corrected
