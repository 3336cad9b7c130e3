"""What a test set can show, before anything is spent: the smallest difference of two systems that a test would notice.

Two systems answer the same rows, and a two-sided test of their difference is made. How far two estimates scatter about each
other is worked out from a few assumptions (`Design`), never from predictions. Knows no file and no task.

    accuracy             Connor's sample size for paired proportions (`statistics.smallest_detectable_difference`)
    macro-F1, MCC        the same with the metric's influence function, at a confusion matrix as of a classifier that
                         knows a share of the rows and guesses the others by the labels' shares (its MCC is that share)
    Spearman, Pearson    variance of the difference of two correlations with one variable in common (Olkin & Siotani
                         1976); for ranks times 1 + r² / 2 (Bonett & Wright 2000)

Rows in groups count for fewer: n / (1 + (m - 1) icc), m being the mean over rows of their group's size (Kish 1965). Seeds
are not thought of: students that differ from seed to seed need more rows than this.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from japagen.metrics import CORRELATIONS, METRICS, Undefined

Floats = NDArray[np.float64]

SCORES = {"accuracy": 0.8, "macro_f1": 0.8, "mcc": 0.35, "spearman": 0.8, "pearson": 0.8}
"""What the systems are assumed to score, where nothing is said: about the ceilings of the built-in tasks."""

ICC = 0.34
"""Correlation within a group of rows about one image, as we found it in JNLI."""


@dataclass(frozen=True, slots=True)
class TestSet:
    """What of a test set matters here.

    Attributes:
        rows: how many.
        groups: how many groups of rows that belong together; None: rows are independent.
        group_size: of the group that a row is in, its mean over rows.
        shares: of the labels, summing to 1; empty for numbers.
    """

    __test__ = False  # no test of pytest's

    rows: int
    groups: int | None = None
    group_size: float = 1.0
    shares: tuple[float, ...] = ()

    @classmethod
    def of(cls, labels: Sequence[str], groups: Sequence[object] | None, names: Sequence[str]) -> TestSet:
        """The test set of these rows.

        Args:
            labels: of each row; nothing is done with those of numbers (`names` empty).
            groups: of each row; None: rows are independent.
            names: all labels.

        Raises:
            Undefined: no rows.
        """
        if not labels:
            raise Undefined("there are no rows")
        counts = Counter(labels)
        shares = tuple(counts[name] / len(labels) for name in names)
        if groups is None:
            return cls(len(labels), shares=shares)
        sizes = Counter(groups).values()
        return cls(len(labels), len(sizes), sum(size**2 for size in sizes) / len(labels), shares)

    def effective_rows(self, icc: float = ICC) -> float:
        """As many independent rows would say as much."""
        return self.rows / (1 + (self.group_size - 1) * icc)


@dataclass(frozen=True, slots=True)
class Design:
    """What is assumed of two systems and their test.

    Attributes:
        metric: by which they are compared.
        shares: of the labels; empty for correlations.
        score: what both score, about.
        discordance: share of rows on which one system alone is right; for correlations one minus the correlation of their
            predictions.
        power: probability of noticing the difference, within [0.5, 1).
        alpha: two-sided level of the test.
    """

    metric: str
    shares: tuple[float, ...] = ()
    score: float | None = None
    discordance: float = 0.1
    power: float = 0.8
    alpha: float = 0.05

    def smallest_difference(self, rows: float) -> float:
        """The smallest true difference that so many independent rows will show.

        Raises:
            Undefined: an assumption outside its range, or too few rows to notice any difference.
        """
        _, _, variance = self._checked()
        z, z_power = self._quantiles()
        # rows d² = (z √v + z_power √(v - d²))²: (rows + z_power²) d² - 2 z √(rows v) d + (z² - z_power²) v = 0.
        a, half_b, c = rows + z_power**2, z * math.sqrt(rows * variance), (z**2 - z_power**2) * variance
        found = (half_b + math.sqrt(max(0.0, half_b**2 - a * c))) / a
        if rows <= 0 or found > self._largest():
            few = f"{rows:.0f} independent rows are too few to notice any difference"
            raise Undefined(f"{few} at a discordance of {self.discordance}")
        return found

    def rows_needed(self, difference: float) -> float:
        """How many independent rows show a true difference of that size.

        Raises:
            Undefined: an assumption outside its range, or a difference that cannot be with so few rows discordant.
        """
        _, _, variance = self._checked()
        if not 0 < difference <= self._largest():
            most = f"differ by more than 0 and at most {self._largest():.3f}"
            raise Undefined(f"two systems with a discordance of {self.discordance} {most}, not by {difference}")
        z, z_power = self._quantiles()
        return ((z * math.sqrt(variance) + z_power * math.sqrt(variance - difference**2)) / difference) ** 2

    def half_width(self, rows: float) -> float:
        """Half of the interval of one system's score, at level 1 - alpha, of so many independent rows.

        Raises:
            Undefined: an assumption outside its range, or no rows.
        """
        _, single, _ = self._checked()
        if rows <= 0:
            raise Undefined("there are no rows")
        return self._quantiles()[0] * math.sqrt(single / rows)

    def _quantiles(self) -> tuple[float, float]:
        return NormalDist().inv_cdf(1 - self.alpha / 2), NormalDist().inv_cdf(self.power)

    def _largest(self) -> float:
        """The largest difference that there can be."""
        return self.discordance if self.metric == "accuracy" else math.sqrt(self._checked()[2])

    def _checked(self) -> tuple[float, float, float]:
        """The score, and by row the variance of one system's estimate and that of a difference."""
        if not 0 < self.discordance <= 1 or not 0.5 <= self.power < 1 or not 0 < self.alpha < 1:
            told = f"discordance={self.discordance}, power={self.power}, alpha={self.alpha}"
            raise Undefined(f"no such test: {told}")
        score = SCORES.get(self.metric, math.nan) if self.score is None else self.score
        if self.metric in CORRELATIONS:
            return (score, *_correlated(self.metric, score, 1 - self.discordance))
        if self.metric not in METRICS:
            raise Undefined(f"no metric is called '{self.metric}'")
        return (score, *_of_labels(self.metric, self.shares, score, self.discordance))


def _correlated(metric: str, r: float, between: float) -> tuple[float, float]:
    """Variances by row of a correlation, and of the difference of two of which `between` is the correlation."""
    if not -1 < r < 1:
        raise Undefined(f"a correlation of {r} is not within (-1, 1)")
    if between < 2 * r**2 - 1:
        least = f"predictions that both correlate {r} with gold correlate {2 * r**2 - 1:.2f} at least"
        raise Undefined(f"{least}, not {between:.2f}")
    single = (1 - r**2) ** 2 * (1 + r**2 / 2 if metric == "spearman" else 1.0)
    together = ((2 * between - r**2) * (1 - 2 * r**2 - between**2) / 2 + between**3) / (1 - r**2) ** 2
    return single, 2 * single * (1 - together)


def _of_labels(metric: str, shares: tuple[float, ...], score: float, discordance: float) -> tuple[float, float]:
    """Variances by row of a metric of labels, and of the difference of two systems that both score about the same."""
    if metric == "accuracy" and 0 < score < 1:
        return score * (1 - score), discordance
    cells = _confusion(metric, shares, score)
    influence = _influence(metric, cells)
    # On a discordant row one system is right; the other errs as systems of this score do.
    errors = cells * (1 - np.eye(len(cells)))
    gaps = (np.diagonal(influence)[:, None] - influence) ** 2
    return float((cells * influence**2).sum()), discordance * float((errors * gaps).sum() / errors.sum())


def _confusion(metric: str, shares: tuple[float, ...], score: float) -> Floats:
    """Shares of the rows in each cell, of a classifier that has the score; see the module."""
    prior = np.array(shares)
    if len(prior) < 2 or prior.min() < 0 or prior.max() >= 1 or abs(prior.sum() - 1) > 1e-6:
        raise Undefined(f"the labels' shares {shares} are not those of two labels or more")

    def cells(known: float) -> Floats:
        return known * np.diag(prior) + (1 - known) * np.outer(prior, prior)

    low, high = 0.0, 1.0
    lowest = float(METRICS[metric](cells(0.0)))
    if not lowest < score < 1:
        raise Undefined(f"a {metric} of {score} is not between {lowest:.3f}, that of guessing, and 1")
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if METRICS[metric](cells(middle)) < score else (low, middle)
    return cells((low + high) / 2)


def _influence(metric: str, cells: Floats) -> Floats:
    """How the metric changes as rows are added to each cell, by share of all rows: its derivatives, shape (L, L)."""
    step = 1e-6
    size = len(cells)
    one = np.eye(size * size).reshape(-1, size, size) - cells
    measured = METRICS[metric](cells + step * one) - METRICS[metric](cells - step * one)
    return np.asarray(measured / (2 * step)).reshape(size, size)
