"""An interval and a p-value from draws of a number: bias-corrected and accelerated (BCa), widened where clusters are few.

The draws stand for what the number might have been; its influences say how much each unit of the data moves it. Knows no
metric, no system and no seed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL = 0.95
_SAME = 1e-9  # numbers nearer than this are equal but for rounding
_LEAST_SHARE = 1e-3  # of draws on one side of the number, below which the bias cannot be corrected
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """What a number might have been.

    Attributes:
        value: the number.
        drawn: what it is in each resample, shape (resamples,), none of them NaN.
        influence: by how much each unit of the data moves it; the squares sum to its variance (jackknife), shape (units,).
        units: independent units that were resampled: items or groups; two at least.
        bias: z0, the correction of the median; 0 where all draws are on one side and it would be infinite.
        acceleration: a, a sixth of the skewness of the influences; 0 where none has any.
        corrected: whether the bias has a value; else the interval is that of the percentiles.
    """

    value: float
    drawn: Floats
    influence: Floats
    units: int
    bias: float
    acceleration: float
    corrected: bool

    def interval(self) -> tuple[float, float]:
        """The BCa interval (Efron 1987, "Better bootstrap confidence intervals").

        Its levels are expanded for few units, z being t √(G / (G - 1)) with G - 1 degrees of freedom (Hesterberg 2015,
        "What teachers should know about the bootstrap"). If all draws are equal it is a point.
        """
        z = _t_quantile((1 + LEVEL) / 2, self.units - 1) * math.sqrt(self.units / (self.units - 1))
        low, high = np.quantile(self.drawn, [self._level(self.bias - z), self._level(self.bias + z)])
        return float(low), float(high)

    def _level(self, w: float) -> float:
        """The level of the draws that stands at w standard errors; very far out, where a w reaches 1, the last one."""
        room = 1 - self.acceleration * w
        return _NORMAL.cdf(self.bias + w / room) if room > 0 else float(w > 0)

    def p_value(self) -> float:
        """Two-sided p of "the number is 0": one minus the level of the interval that just reaches 0.

        So it is below .05 where the 95 % interval leaves 0 out (but for the discreteness of the draws, of which two are
        added, one on either side, so that it is never 0). It is 1 where nothing differs in any draw.
        """
        if np.abs(self.drawn).max() <= _SAME:
            return 1.0
        w = _NORMAL.inv_cdf((_below(self.drawn, 0.0) + 1) / (len(self.drawn) + 2)) - self.bias
        z = abs(w / (1 + self.acceleration * w) - self.bias)
        tail = _t_tail(z / math.sqrt(self.units / (self.units - 1)), self.units - 1)
        return min(1.0, max(2 * tail, 1 / (len(self.drawn) + 1)))


def draws(value: float, drawn: Floats, influence: Floats, units: int) -> Draws:
    """Draws with their bias and acceleration; for the arguments see `Draws`."""
    share = _below(drawn, value) / len(drawn)
    corrected = _LEAST_SHARE <= share <= 1 - _LEAST_SHARE
    spread = float((influence**2).sum())
    acceleration = float((influence**3).sum()) / (6 * spread**1.5) if corrected and spread > _SAME**2 else 0.0
    bias = _NORMAL.inv_cdf(share) if corrected else 0.0
    return Draws(value, drawn, influence, units, bias, acceleration, corrected)


def _below(drawn: Floats, value: float) -> float:
    """How many draws are below a value; those that equal it count half."""
    equal = np.abs(drawn - value) <= _SAME
    return float(((drawn < value) & ~equal).sum() + equal.sum() / 2)


def _t_quantile(share: float, freedom: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, share))


def _t_tail(t: float, freedom: int) -> float:
    from scipy.special import stdtr

    return float(stdtr(freedom, -t))
