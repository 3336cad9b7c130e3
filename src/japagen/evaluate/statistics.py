"""How sure a number is: bootstrap intervals over items and seeds, differences of two systems, McNemar, Holm, power.

Knows no system and no file, as `resampling`, which does the work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from japagen.evaluate.power import Design
from japagen.evaluate.resampling import Answers, Labels, Resampler, Runs, measure_of, units_of
from japagen.metrics import Undefined
from japagen.records import Score
from japagen.streams import stream_seed


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
    """The metric, mean over seeds, with its 95 % interval: BCa over items x seeds.

    The interval is for the expected score of the system over other training runs (seeds) and other items (groups) like
    these. With one seed it is for that one trained model, over other items only.

    Items, or groups of them, are drawn with replacement, all seeds seeing the same ones. Few seeds are not drawn: of five
    drawn with replacement the intervals cover 85 % where seeds differ most. Instead each resample gets an error of the mean
    over seeds, from Student's t with S - 1 degrees of freedom and the seeds' standard error, less what of it is chance of
    the items. Then bias and skewness are corrected (BCa: Efron 1987), with the jackknife over items or groups (in blocks,
    above 250) and seeds, and the levels are expanded for few groups (Hesterberg 2015).

    By simulation (`benchmarks/quality/coverage.py`) 93-97 % are covered with 5 seeds and 200 items or
    more; of Spearman with 200 items in groups 92.7 %. It fails where
    no resample can show what is missing: a system that errs on none, or on one or two, of the items (the interval is then a
    point, or too narrow); items that depend on one another without `groups`; one seed, if meant for all seeds; seeds whose
    scores are far from normal, e.g. one in five that does not learn. Two seeds give wide intervals. One group says nothing:
    the interval is the metric's whole range.

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
    resampler = Resampler(len(gold), groups=groups, resamples=resamples, seed=seed)
    return resampler.measure(gold, predictions_by_seed, labels, metric).score()


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
    """System a minus system b, with the 95 % interval and p of a paired bootstrap: both see the same items each time.

    Made as for `bootstrap`. Chance of the seeds is that of each system by itself: seed 0 of the one has nothing in common
    with seed 0 of the other. p is two-sided, one minus the level of the BCa interval that just reaches 0.

    Returns:
        A score named e.g. ``accuracy difference``, with p; `by_seed` is seed by seed where both have as many, else empty.

    Raises:
        Undefined: as for `bootstrap`.
        ConfigError: no such metric.
    """
    resampler = Resampler(len(gold), groups=groups, resamples=resamples, seed=seed)
    first, second = (resampler.measure(gold, runs, labels, metric) for runs in (a_by_seed, b_by_seed))
    return first.minus(second)


def permutation_test(
    gold: Answers,
    a_by_seed: Runs,
    b_by_seed: Runs,
    labels: Labels,
    metric: str,
    *,
    resamples: int = 5000,
    seed: int,
    groups: Sequence[object] | None = None,
) -> float:
    """Two-sided p of "it makes no difference which system answered an item", by swapping whole items or groups.

    In a permutation the answers of half of the units, on average, change sides, and the mean over seeds of the one side
    minus that of the other is measured. p is the share of permutations, the one that was seen among them, that differ as
    much. Where all 2^units permutations are no more than `resamples`, each is done once and p is exact.

    The trained models are taken as they are: unlike `difference`, this says nothing of other training runs, and where seeds
    differ much it finds differences between systems that are only differences between seeds.

    Args:
        gold: answer of each item.
        a_by_seed: predicted answers of the one system by seed.
        b_by_seed: those of the other; as many seeds, or one of the two has one, which then stands beside each of the other.
        labels: all labels; none for a correlation.
        metric: a name in `metrics.METRICS` or `metrics.CORRELATIONS`.
        resamples: permutations, if not all are done.
        seed: of the permutations.
        groups: cluster of each item; clusters change sides whole.

    Raises:
        Undefined: as for `bootstrap`, or numbers of seeds that cannot be paired.
        ConfigError: no such metric.
    """
    count = max(len(a_by_seed), len(b_by_seed))
    if {len(a_by_seed), len(b_by_seed)} - {1, count}:
        raise Undefined(f"{len(a_by_seed)} seeds cannot be paired with {len(b_by_seed)}")
    if not gold or resamples < 1 or not all(len(run) == len(gold) for run in (*a_by_seed, *b_by_seed)):
        raise Undefined("nothing to measure: no items, no permutations, no predictions or unequal lengths")
    units = units_of(len(gold), groups)
    whole = int(units.max()) + 1
    # All answers of a, then all of b: a weight is 1 where the answer is on the first side, else 0.
    doubled = [[*a_by_seed[i % len(a_by_seed)], *b_by_seed[i % len(b_by_seed)]] for i in range(count)]
    measure = measure_of(metric, [*gold, *gold], doubled, labels, np.concatenate([units, units + whole]))

    def differences(stays: NDArray[np.float32]) -> NDArray[np.float64]:
        first, second = (np.hstack(side) for side in ((stays, 1 - stays), (1 - stays, stays)))
        return np.asarray(measure(first).mean(axis=1) - measure(second).mean(axis=1))

    seen = abs(float(differences(np.ones((1, whole), np.float32))[0]))
    exact = 2**whole <= resamples
    total = 2**whole if exact else resamples
    generator = np.random.default_rng(stream_seed(seed, "permutation"))
    extreme, step = 0, max(1, 2_000_000 // len(gold))
    for start in range(0, total, step):
        part = np.arange(start, min(start + step, total))
        stays = part[:, None] >> np.arange(whole) & 1 if exact else generator.integers(2, size=(len(part), whole))
        # One without a value counts as different: that makes p larger, never smaller.
        extreme += int((~(np.abs(differences(stays.astype(np.float32))) < seen - 1e-9)).sum())
    return extreme / total if exact else (extreme + 1) / (total + 1)


FEW = 30
"""Up to so many units that two systems answer differently, resamples alone are too sure of a difference."""


def guarded(
    p: float,
    gold: Labels,
    a_by_seed: Runs,
    b_by_seed: Runs,
    labels: Labels,
    metric: str,
    *,
    resamples: int = 5000,
    seed: int,
    groups: Sequence[object] | None = None,
) -> float:
    """The p of a `difference` of labels, guarded where two systems answer few items or groups differently.

    Five rows that only one system gets right are no proof (McNemar: .06), but every resample has some of them and none of
    the other kind. There the p of a permutation test of as many `resamples` is taken if it is larger. Simulated with 5 and
    10 differing rows of 500 and no true difference, the bootstrap alone finds one at level .05 in 12 and 7 of 100 cases.
    """
    units = units_of(len(gold), groups)
    rows = np.array([len({*given}) > 1 for given in zip(*a_by_seed, *b_by_seed, strict=True)])
    count = max(len(a_by_seed), len(b_by_seed))
    differing = len(np.unique(units[rows]))
    if not 0 < differing <= FEW or {len(a_by_seed), len(b_by_seed)} - {1, count}:
        return p
    permuted = permutation_test(
        gold, a_by_seed, b_by_seed, labels, metric, resamples=resamples, seed=seed, groups=groups
    )
    return max(p, permuted)


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
    n: float, discordance: float = 0.1, power: float = 0.8, *, alpha: float = 0.05
) -> float:
    """The smallest difference in accuracy of two systems on the same n items that a test will probably notice.

    Solves Connor's (1987) sample size for paired proportions, n d² = (z_α/2 √ψ + z_power √(ψ - d²))², for d. For other
    metrics, and rows in groups, see `power`.

    Args:
        n: items; of rows in groups as many as they are worth (`power.TestSet.effective_rows`).
        discordance: ψ, the share of items on which one system alone is right.
        power: probability of noticing, within [0.5, 1).
        alpha: two-sided level of the test.

    Raises:
        Undefined: an argument outside its range, or n so small that not even d = ψ would be noticed.
    """
    if n < 1:
        raise Undefined(f"no such test: n={n}")
    return Design("accuracy", discordance=discordance, power=power, alpha=alpha).smallest_difference(n)
