"""How sure a number is: bootstrap intervals over items and seeds, differences of two systems, McNemar, power.

Knows no system and no file, as `resampling`, which does the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from japagen.evaluate.resampling import Answers, Labels, Options, Runs, resample
from japagen.metrics import Undefined
from japagen.records import Score


class McNemar(NamedTuple):
    """Rows that only the one or only the other system gets right, and the exact two-sided p-value."""

    only_a: int
    only_b: int
    p: float


def bootstrap(
    gold: Answers,
    predictions_by_seed: Runs,
    labels: Labels,
    metric: str,
    *,
    resamples: int = 5000,
    seed: int,
    groups: Sequence[object] | None = None,
) -> Score:
    """The metric, mean over seeds, with its 95 % percentile interval.

    Each resample draws the items and, independently, the seeds with replacement, so that the interval covers both
    another test set and another training run (Efron & Tibshirani 1993; a crossed design as in Owen 2007, "The
    pigeonhole bootstrap", with seeds as one factor). All drawn seeds see the same items.

    Args:
        gold: answer of each item: a label, or a number for a correlation.
        predictions_by_seed: for each seed, an answer for each item; `metrics.NO_ANSWER` is a label that is wrong.
        labels: all labels; none for a correlation.
        metric: a name in `metrics.METRICS` or `metrics.CORRELATIONS`.
        resamples: how many.
        seed: of the draws; the same seed and items give the same resamples, whatever the system.
        groups: cluster of each item, if items are not independent (e.g. pairs about one image): clusters are drawn
            whole in place of items.

    Raises:
        Undefined: nothing to measure, unequal lengths, an unknown label, no resamples, or a correlation with a constant.
        ConfigError: no such metric.
    """
    options: Options = {"resamples": resamples, "seed": seed, "groups": groups}
    return resample(gold, predictions_by_seed, labels, metric, **options).score()


def difference(
    gold: Answers,
    a_by_seed: Runs,
    b_by_seed: Runs,
    labels: Labels,
    metric: str,
    *,
    resamples: int = 5000,
    seed: int,
    groups: Sequence[object] | None = None,
) -> Score:
    """System a minus system b, with the 95 % interval of a paired bootstrap: both see the same items each time.

    Seeds are drawn for each system by itself: seed 0 of the one has nothing in common with seed 0 of the other.

    Returns:
        A score named e.g. ``accuracy difference``; `by_seed` is seed by seed where both have as many, else empty.

    Raises:
        Undefined: as for `bootstrap`.
        ConfigError: no such metric.
    """
    options: Options = {"resamples": resamples, "seed": seed, "groups": groups}
    first, second = (resample(gold, runs, labels, metric, **options) for runs in (a_by_seed, b_by_seed))
    return first.minus(second)


def mcnemar_exact(gold: Labels, a: Labels, b: Labels) -> McNemar:
    """Whether two systems are right equally often: exact binomial test on the rows where one alone is right.

    Without any such row the systems cannot be told apart and p is 1.

    Raises:
        Undefined: empty, or unequal lengths.
    """
    if not gold or not len(gold) == len(a) == len(b):
        raise Undefined(f"{len(gold)} gold labels against {len(a)} and {len(b)} predictions: nothing to compare")
    only_a = sum(x == g != y for g, x, y in zip(gold, a, b, strict=True))
    only_b = sum(y == g != x for g, x, y in zip(gold, a, b, strict=True))
    n, fewer = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, k) for k in range(fewer + 1))
    return McNemar(only_a, only_b, min(1.0, 2 * tail / 2**n))


def smallest_detectable_difference(
    n: int, discordance: float = 0.1, power: float = 0.8, *, alpha: float = 0.05
) -> float:
    """The smallest difference in accuracy of two systems on the same n items that a test will probably notice.

    Solves Connor's (1987) sample size for paired proportions, n d² = (z_α/2 √ψ + z_power √(ψ - d²))², for d.

    Args:
        n: items.
        discordance: ψ, the share of items on which one system alone is right.
        power: probability of noticing, within [0.5, 1).
        alpha: two-sided level of the test.

    Raises:
        Undefined: an argument outside its range, or n so small that not even d = ψ would be noticed.
    """
    if n < 1 or not 0 < discordance <= 1 or not 0.5 <= power < 1 or not 0 < alpha < 1:
        raise Undefined(f"no such test: n={n}, discordance={discordance}, power={power}, alpha={alpha}")
    z, z_power = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
    # The quadratic (n + z_power²) d² - 2 z √(nψ) d + (z² - z_power²) ψ = 0, its larger root.
    a, half_b, c = n + z_power**2, z * math.sqrt(n * discordance), (z**2 - z_power**2) * discordance
    found = (half_b + math.sqrt(max(0.0, half_b**2 - a * c))) / a
    if found > discordance:
        raise Undefined(f"{n} items are too few to notice any difference at a discordance of {discordance}")
    return found
