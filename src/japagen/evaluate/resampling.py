"""Resamples of the items and of the seeds: a metric measured in each of them, for one system at a time.

Knows no system by name and no file: it sees gold answers, predicted answers and a metric's name. Answers are labels for the
metrics of `metrics.METRICS` and numbers for those of `metrics.CORRELATIONS`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from japagen import correlation
from japagen.errors import ConfigError, did_you_mean
from japagen.metrics import CORRELATIONS, METRICS, Undefined, answers_of, codes
from japagen.records import Score
from japagen.streams import stream_seed

Floats = NDArray[np.float64]
Labels = Sequence[str]
Answers = Sequence[Any]
"""Labels, or numbers."""
Runs = Sequence[Answers]
"""Predicted answers by seed: each as long as gold."""

_CELLS = 4_000_000
"""Most item weights held at a time: 16 MB."""


class Options(TypedDict):
    """How it is resampled; see `statistics.bootstrap`."""

    resamples: int
    seed: int
    groups: Sequence[object] | None


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """A metric of one system, measured in each resample of the items; seeds are not drawn yet.

    Attributes:
        metric: its name.
        by_seed: on the items as they are, shape (seeds,).
        values: in each resample, shape (resamples, seeds); NaN where a correlation has no value.
        items: what was resampled, for a reader: ``n=200``, ``n=200 in 90 groups``.
        over: "items" or "groups".
        seed: of the draws.
    """

    metric: str
    by_seed: Floats
    values: Floats
    items: str
    over: str
    seed: int

    def score(self) -> Score:
        """Mean over seeds with its interval.

        Raises:
            Undefined: no resample has a value.
        """
        by_seed = tuple(map(float, self.by_seed))
        low, high, void = _interval(self._draw_seeds(0))
        made = self._signature(_seeds(len(by_seed)), void)
        return Score(self.metric, math.fsum(by_seed) / len(by_seed), by_seed, low, high, made)

    def minus(self, other: Resampled) -> Score:
        """This system minus another one that was measured on the same resamples.

        Raises:
            Undefined: no resample has a value for both.
            ValueError: the resamples are not the same.
        """
        if (self.metric, self.items, self.seed, len(self.values)) != (
            other.metric,
            other.items,
            other.seed,
            len(other.values),
        ):
            raise ValueError("a paired difference needs the same metric, items and resamples on both sides")
        a, b = self.by_seed, other.by_seed
        low, high, void = _interval(self._draw_seeds(0) - other._draw_seeds(1))
        by_seed = tuple(map(float, a - b)) if len(a) == len(b) else ()
        made = self._signature(f"{_seeds(len(a))} against {len(b)}, paired", void)
        return Score(f"{self.metric} difference", float(a.mean() - b.mean()), by_seed, low, high, made)

    def _draw_seeds(self, place: int) -> Floats:
        """Mean over seeds drawn with replacement in each resample, shape (resamples,)."""
        generator = _generator(self.seed, f"seeds {place}")
        drawn = generator.integers(len(self.by_seed), size=self.values.shape)
        return np.asarray(np.take_along_axis(self.values, drawn, axis=1).mean(axis=1))

    def _signature(self, seeds: str, void: int) -> str:
        left_out = f" ({void} without a value left out)" if void else ""
        return (
            f"{self.items}, {seeds}, percentile bootstrap over {self.over} x seeds, "
            f"{len(self.values)} resamples{left_out}, seed {self.seed}, japagen {version('japagen')}"
        )


def resample(
    gold: Answers,
    predictions_by_seed: Runs,
    labels: Labels,
    metric: str,
    *,
    resamples: int = 5000,
    seed: int,
    groups: Sequence[object] | None = None,
) -> Resampled:
    """Measure a system in each resample of the items; arguments and errors are those of `statistics.bootstrap`.

    A resample is a vector of item weights; weights times one-hot (gold, predicted) cells gives all confusion matrices
    at once, and correlations have their own way (`correlation`).
    """
    n, runs = len(gold), predictions_by_seed
    measure = _measure(metric, gold, runs, labels)
    if resamples < 1:
        raise Undefined("nothing to measure: no resamples")
    values = np.empty((resamples, len(runs)))
    done = 0
    for weights in _weights(n, resamples, _generator(seed, "items"), groups):
        values[done : done + len(weights)] = measure(weights)
        done += len(weights)
    clusters = f" in {len(set(groups))} groups" if groups is not None else ""
    by_seed = measure(np.ones((1, n), np.float32))[0]
    if metric in CORRELATIONS:  # to the last bit as the metric alone gives it
        by_seed = np.array([CORRELATIONS[metric](gold, run) for run in runs])
    return Resampled(metric, by_seed, values, f"n={n}{clusters}", "groups" if groups is not None else "items", seed)


def _measure(metric: str, gold: Answers, runs: Runs, labels: Labels) -> correlation.Measure:
    if metric not in METRICS and metric not in CORRELATIONS:
        raise ConfigError(f"no metric is called '{metric}'", remedy=did_you_mean(metric, [*METRICS, *CORRELATIONS]))
    if not gold or not runs or not all(len(run) == len(gold) for run in runs):
        raise Undefined("nothing to measure: no items, no predictions or unequal lengths")
    if metric in CORRELATIONS:
        return correlation.measure(metric, gold, runs)
    answers = answers_of(runs, labels)
    cells = codes(gold, labels) * len(answers) + np.stack([codes(run, answers) for run in runs])
    return lambda weights: METRICS[metric](_confusions(weights, cells, len(labels), len(answers)))


def _generator(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng(stream_seed(seed, "bootstrap", stream))


def _interval(sample: Floats) -> tuple[float, float, int]:
    """The 2.5 % and 97.5 % points of the values that there are, and how many are missing."""
    void = int(np.isnan(sample).sum())
    if void == len(sample):
        raise Undefined("no resample has a value")
    low, high = np.percentile(sample[~np.isnan(sample)] if void else sample, [2.5, 97.5])
    return float(low), float(high), void


def _seeds(count: int) -> str:
    return f"{count} seed{'s' if count > 1 else ''}"


def _confusions(weights: NDArray[np.float32], cells: NDArray[np.intp], rows: int, columns: int) -> NDArray[np.float32]:
    """Confusion matrices, shape (resamples, seeds, rows, columns), of weights (resamples, n) and cells (seeds, n).

    Float32 holds counts exactly up to 2^24, more than items there are.
    """
    seeds, n = cells.shape
    one_hot = np.zeros((n, seeds, rows * columns), dtype=np.float32)
    one_hot[np.arange(n), np.arange(seeds)[:, None], cells] = 1.0
    return (weights @ one_hot.reshape(n, -1)).reshape(len(weights), seeds, rows, columns)


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
