"""A measure of synthetic rows against gold, beside what other gold rows reach: three sets of the same size.

The reference is one half of a sample of gold. The synthetic rows are held against it, and so is the other half of gold:
that is the ceiling, at the same n. Intervals hold 95 %, by a bootstrap of rows. A resample repeats rows, which moves such
measures to one side; so the resamples say how far the value may stray, and are centred on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.streams import stream_seed

Floats = NDArray[np.float64]

LEVEL = 0.95
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class Compared:
    """What synthetic rows reach against gold, and what gold reaches against gold.

    Attributes:
        value, low, high: of the synthetic rows, with the interval.
        ceiling, ceiling_low, ceiling_high: of other gold rows.
        gap, gap_low, gap_high: ceiling minus value, both against the same gold rows in each resample. Above zero as a
            whole: the synthetic rows fall short of gold.
        signature: n, encoder, settings, interval.
    """

    value: float
    low: float
    high: float
    ceiling: float
    ceiling_low: float
    ceiling_high: float
    gap: float
    gap_low: float
    gap_high: float
    signature: str


def weights(n: int, *, resamples: int, seed: int, name: str) -> tuple[Floats, Floats, Floats]:
    """How often each row stands in each resample: of the reference, the synthetic rows and the other gold rows.

    Each of shape (resamples, n), each row of which sums to n; each set is drawn from a stream of its own.
    """
    drawn = (
        np.random.default_rng(stream_seed(seed, "bootstrap", name, side)).multinomial(n, np.full(n, 1 / n), resamples)
        for side in ("reference", "synthetic", "other")
    )
    reference, synthetic, other = (counts.astype(np.float64) for counts in drawn)
    return reference, synthetic, other


def compared(
    name: str, found: tuple[float, float], drawn: tuple[Floats, Floats], how: str, *, most: float = np.inf
) -> Compared:
    """Value and ceiling with their intervals.

    Args:
        name: of the measure.
        found: value and ceiling.
        drawn: both in each resample, shape (resamples,).
        how: the signature without the numbers.
        most: the largest value that there is; the smallest is 0.
    """
    (value, low, high), (ceiling, ceiling_low, ceiling_high) = (
        (one, max(0.0, one + down), min(most, one + up))
        for one, (down, up) in zip(found, map(_strays, drawn), strict=True)
    )
    gap = ceiling - value
    down, up = _strays(drawn[1] - drawn[0])
    how = f"{how}, {LEVEL:.0%} bootstrap of rows, {len(drawn[0])} resamples centred on the value"
    return Compared(
        value, low, high, ceiling, ceiling_low, ceiling_high, gap, gap + down, gap + up,
        f"{name} = {value:.3f} [{low:.3f}, {high:.3f}], gold {ceiling:.3f} ({how})",
    )  # fmt: skip


def _strays(drawn: Floats) -> tuple[float, float]:
    """How far resamples stray from their mean, downwards and upwards."""
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(drawn - drawn.mean(), [tail, 1 - tail])
    return float(min(low, 0.0)), float(max(high, 0.0))
