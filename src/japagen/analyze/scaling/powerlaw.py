"""A learning curve as a power law: score = a - b n^-c, which rises to a ceiling `a` ever more slowly (Hestness et al. 2017).

For a given exponent the best `a` and `b` are those of a weighted straight line, so that only the exponent is searched. Many
drawn curves over the same sizes are fitted at once. Knows no student, no seed and no file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import Undefined

Floats = NDArray[np.float64]

FEWEST = 3
"""Sizes that a curve needs: it has as many parameters."""
EXPONENTS = (0.05, 3.0)
"""The slowest curve, which over any measured range is a straight line on a logarithmic axis, and the most sudden one."""
_GRID = 60
_STEPS = 40  # of the golden section, each of which leaves .62 of the range
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True, slots=True)
class Curve:
    """score(n) = ceiling - drop * (n / size) ** -exponent.

    Attributes:
        ceiling: what it rises to.
        drop: by how much the score is below the ceiling at `size`; 0 where the curve is flat, never negative.
        exponent: how fast it rises, within `EXPONENTS`.
        size: geometric mean of the sizes that it was fitted on.
    """

    ceiling: float
    drop: float
    exponent: float
    size: float

    def at(self, n: float) -> float:
        """The score of n rows."""
        return self.ceiling - self.drop * float((n / self.size) ** -self.exponent)

    def gain(self, n: float) -> float:
        """What twice n rows score above n."""
        return self.at(2 * n) - self.at(n)

    def enough(self, epsilon: float) -> float:
        """The number of rows from which doubling them gains less than epsilon; 0 where it does from the first row on.

        Raises:
            Undefined: epsilon is not above 0.
        """
        if not epsilon > 0:
            raise Undefined(f"a gain of less than {epsilon} never comes")
        whole = self.drop * (1 - 2**-self.exponent)
        if whole <= 0:
            return 0.0
        logarithm = math.log(self.size) + math.log(whole / epsilon) / self.exponent
        return math.exp(logarithm) if logarithm < 700 else math.inf


def fit_curve(sizes: Sequence[float], scores: Sequence[float], weights: Sequence[float], *, top: float = 1.0) -> Curve:
    """The curve nearest to the scores by weighted least squares.

    Args:
        sizes: rows learnt from, shape (points,).
        scores: of each size.
        weights: of each size, e.g. one over its variance.
        top: the best score there is, which the ceiling never passes.

    Raises:
        Undefined: fewer than three different sizes, or numbers that are none.
    """
    return fit_curves(sizes, np.asarray([scores], dtype=np.float64), weights, top=top)[0]


def fit_curves(sizes: Sequence[float], scores: Floats, weights: Sequence[float], *, top: float = 1.0) -> list[Curve]:
    """The same for many curves over the same sizes: scores of shape (curves, points).

    Raises:
        Undefined: see `fit_curve`.
    """
    n, y, w = (np.asarray(values, dtype=np.float64) for values in (sizes, scores, weights))
    if len(np.unique(n)) < FEWEST:
        raise Undefined(f"a curve needs {FEWEST} sizes, not {len(np.unique(n))}")
    if y.ndim != 2 or y.shape[1:] != n.shape or w.shape != n.shape:
        raise Undefined(f"{len(n)} sizes, weights of shape {w.shape} and scores of shape {y.shape}")
    if not (np.isfinite(n).all() and np.isfinite(y).all() and np.isfinite(w).all() and (n > 0).all() and (w > 0).all()):
        raise Undefined("a size or weight that is not above 0, or a score that is no number")
    w = w / w.sum()
    size = float(np.exp(np.log(n).mean()))
    scaled = np.log(n / size)

    def errors(logarithms: Floats) -> Floats:
        return _line(scaled, y, w, np.exp(logarithms), top)[2]

    grid = np.linspace(math.log(EXPONENTS[0]), math.log(EXPONENTS[1]), _GRID)
    coarse = np.stack([errors(np.full(len(y), one)) for one in grid], axis=1)
    best = coarse.argmin(axis=1)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, _GRID - 1)]
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        nearer = errors(left) <= errors(right)
        low, high = np.where(nearer, low, left), np.where(nearer, right, high)
    middle = (low + high) / 2
    # at an end of the range the section stops beside it
    exponents = np.where(errors(grid[best]) <= errors(middle), grid[best], middle)
    ceilings, drops, _ = _line(scaled, y, w, np.exp(exponents), top)
    return [
        Curve(float(a), float(b), float(c), size) for a, b, c in zip(ceilings, drops, np.exp(exponents), strict=True)
    ]


def _line(scaled: Floats, y: Floats, w: Floats, exponents: Floats, top: float) -> tuple[Floats, Floats, Floats]:
    """Ceilings, drops and weighted squared errors of curves with these exponents, shape (curves,) each.

    Args:
        scaled: logarithm of size over mean size, shape (points,).
        y: scores, shape (curves, points).
        w: weights that sum to 1, shape (points,).
        exponents: of each curve, shape (curves,).
        top: see `fit_curve`.
    """
    x = np.exp(-exponents[:, None] * scaled)
    mean_x, mean_y = x @ w, y @ w
    spread = ((x - mean_x[:, None]) ** 2) @ w
    together = ((x - mean_x[:, None]) * (y - mean_y[:, None])) @ w
    drop = np.maximum(-together / spread, 0.0)
    ceiling = mean_y + drop * mean_x
    bound = ceiling > top
    drop = np.where(bound, np.maximum(((top - y) * x) @ w / ((x**2) @ w), 0.0), drop)
    ceiling = np.where(bound, top, ceiling)
    error = ((y - ceiling[:, None] + drop[:, None] * x) ** 2) @ w
    return ceiling, drop, error
