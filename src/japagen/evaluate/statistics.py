"""How sure a number is: bootstrap intervals over items and seeds, differences of two systems, McNemar, power.

Knows no system and no file: it sees gold labels, predicted labels and a metric's name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from japagen.errors import ConfigError, did_you_mean
from japagen.evaluate.metrics import METRICS, Undefined, codes
from japagen.records import Score
from japagen.streams import stream_seed

Floats = NDArray[np.float64]
Labels = Sequence[str]
Runs = Sequence[Labels]
"""Predicted labels by seed: each as long as gold."""

_CELLS = 4_000_000
"""Most item weights held at a time: 16 MB."""


class McNemar(NamedTuple):
    """Rows that only the one or only the other system gets right, and the exact two-sided p-value."""

    only_a: int
    only_b: int
    p: float


def bootstrap(
    gold: Labels,
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
        gold: label of each item.
        predictions_by_seed: for each seed, a label for each item.
        labels: all labels.
        metric: a name in `metrics.METRICS`.
        resamples: how many.
        seed: of the draws; the same seed and items give the same resamples, whatever the system.
        groups: cluster of each item, if items are not independent (e.g. pairs about one image): clusters are drawn
            whole in place of items.

    Raises:
        Undefined: nothing to measure, unequal lengths, an unknown label, or no resamples.
        ConfigError: no such metric.
    """
    function = _metric(metric)
    [sample], [values] = _resample(gold, [predictions_by_seed], labels, function, resamples, seed, groups)
    low, high = _interval(sample)
    by_seed = tuple(map(float, values))
    made = _signature(gold, groups, _seeds(len(by_seed)), resamples, seed)
    return Score(metric, math.fsum(by_seed) / len(by_seed), by_seed, low, high, made)


def difference(
    gold: Labels,
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
    function = _metric(metric)
    (sample_a, sample_b), (a, b) = _resample(gold, [a_by_seed, b_by_seed], labels, function, resamples, seed, groups)
    low, high = _interval(sample_a - sample_b)
    by_seed = tuple(map(float, a - b)) if len(a) == len(b) else ()
    made = _signature(gold, groups, f"{_seeds(len(a))} against {len(b)}, paired", resamples, seed)
    return Score(f"{metric} difference", float(a.mean() - b.mean()), by_seed, low, high, made)


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


def _metric(name: str) -> Callable[[ArrayLike], Floats]:
    if name not in METRICS:
        raise ConfigError(f"no metric is called '{name}'", remedy=did_you_mean(name, METRICS))
    return METRICS[name]


def _generator(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng(stream_seed(seed, "bootstrap", stream))


def _interval(sample: Floats) -> tuple[float, float]:
    low, high = np.percentile(sample, [2.5, 97.5])
    return float(low), float(high)


def _seeds(count: int) -> str:
    return f"{count} seed{'s' if count > 1 else ''}"


def _signature(gold: Labels, groups: Sequence[object] | None, seeds: str, resamples: int, seed: int) -> str:
    clusters = f" in {len(set(groups))} groups" if groups is not None else ""
    over = "groups" if groups is not None else "items"
    return (
        f"n={len(gold)}{clusters}, {seeds}, percentile bootstrap over {over} x seeds, "
        f"{resamples} resamples, seed {seed}, japagen {version('japagen')}"
    )


def _resample(
    gold: Labels,
    systems: Sequence[Runs],
    labels: Labels,
    metric: Callable[[ArrayLike], Floats],
    resamples: int,
    seed: int,
    groups: Sequence[object] | None,
) -> tuple[list[Floats], list[Floats]]:
    """For each system, the metric in each resample, shape (resamples,), and by seed on the items as they are.

    A resample is a vector of item weights; weights times one-hot (gold, predicted) cells gives all confusion
    matrices at once.
    """
    n, size = len(gold), len(labels)
    if resamples < 1 or not n or not all(runs and all(len(run) == n for run in runs) for runs in systems):
        raise Undefined("nothing to measure: no items, no predictions, unequal lengths or no resamples")
    rows = codes(gold, labels) * size
    cells = [np.stack([rows + codes(run, labels) for run in runs]) for runs in systems]
    by_seed = [metric(_confusions(np.ones((1, n), np.float32), c, size)[0]) for c in cells]
    drawn = [_generator(seed, f"seeds {i}").integers(len(c), size=(resamples, len(c))) for i, c in enumerate(cells)]
    sample = [np.empty(resamples) for _ in systems]
    done = 0
    for weights in _weights(n, resamples, _generator(seed, "items"), groups):
        part = slice(done, done + len(weights))
        for out, c, seeds in zip(sample, cells, drawn, strict=True):
            values = metric(_confusions(weights, c, size))
            out[part] = np.take_along_axis(values, seeds[part], axis=1).mean(axis=1)
        done += len(weights)
    return sample, by_seed


def _confusions(weights: NDArray[np.float32], cells: NDArray[np.intp], size: int) -> NDArray[np.float32]:
    """Confusion matrices, shape (resamples, seeds, L, L), of weights (resamples, n) and cells (seeds, n).

    Float32 holds counts exactly up to 2^24, more than items there are.
    """
    seeds, n = cells.shape
    one_hot = np.zeros((n, seeds, size * size), dtype=np.float32)
    one_hot[np.arange(n), np.arange(seeds)[:, None], cells] = 1.0
    return (weights @ one_hot.reshape(n, -1)).reshape(len(weights), seeds, size, size)


def _weights(
    n: int, resamples: int, generator: np.random.Generator, groups: Sequence[object] | None
) -> Iterator[NDArray[np.float32]]:
    """How often each item is in each resample, some resamples at a time, shape (part, n)."""
    if groups is not None and len(groups) != n:
        raise Undefined(f"{len(groups)} groups for {n} items")
    position: dict[object, int] = {}
    group_of = np.array([position.setdefault(g, len(position)) for g in groups]) if groups is not None else None
    units = n if group_of is None else len(position)
    step = max(1, _CELLS // n)
    for start in range(0, resamples, step):
        part = min(step, resamples - start)
        drawn = generator.integers(units, size=(part, units)) + np.arange(part)[:, None] * units
        weights = np.bincount(drawn.ravel(), minlength=part * units).reshape(part, units).astype(np.float32)
        yield weights if group_of is None else weights[:, group_of]
