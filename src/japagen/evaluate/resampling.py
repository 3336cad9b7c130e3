"""Resamples of the items, and chance of the seeds: a metric measured in each of them, for one system at a time.

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
from japagen.evaluate.interval import Draws, draws
from japagen.metrics import CORRELATIONS, METRICS, Undefined, answers_of, codes
from japagen.records import Score
from japagen.streams import stream_seed

Floats = NDArray[np.float64]
Counts = NDArray[np.uint8]
Labels = Sequence[str]
Answers = Sequence[Any]
"""Labels, or numbers."""
Runs = Sequence[Answers]
"""Predicted answers by seed: each as long as gold."""

_CELLS = 4_000_000
"""Most item weights used at a time: 16 MB."""
_KEPT = 256_000_000
"""Most bytes of resamples kept; more are drawn anew for each system."""
_BLOCKS = 250
"""Most parts of the data that are left out in turn; of more units, several are left out together."""
_FROM_ZERO = ("accuracy", "macro_f1")  # all others begin at -1; all end at 1


class Options(TypedDict):
    """How it is resampled; see `statistics.bootstrap`."""

    resamples: int
    seed: int
    groups: Sequence[object] | None


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """A metric of one system, measured in each resample of the items; chance of the seeds is added by `score`.

    Attributes:
        metric: its name.
        by_seed: on the items as they are, shape (seeds,).
        values: in each resample, shape (resamples, seeds); NaN where a correlation has no value.
        without: with each unit (or block of units) left out, shape (blocks, seeds); NaN likewise.
        items: what was resampled, for a reader: ``n=200``, ``n=200 in 90 groups``.
        units: how many items or groups there are.
        over: "items" or "groups".
        seed: of the draws.
    """

    metric: str
    by_seed: Floats
    values: Floats
    without: Floats
    items: str
    units: int
    over: str
    seed: int

    def score(self) -> Score:
        """Mean over seeds with its interval.

        Raises:
            Undefined: no resample has a value.
        """
        lowest = 0.0 if self.metric in _FROM_ZERO else -1.0
        by_seed = tuple(map(float, self.by_seed))
        return self._told([self], self.metric, by_seed, _seeds(len(by_seed)), (lowest, 1.0))

    def minus(self, other: Resampled) -> Score:
        """This system minus another one that was measured on the same resamples, with p.

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
        by_seed = tuple(map(float, a - b)) if len(a) == len(b) else ()
        widest = 1.0 if self.metric in _FROM_ZERO else 2.0
        seeds = f"{_seeds(len(a))} against {len(b)}, paired"
        return self._told([self, other], f"{self.metric} difference", by_seed, seeds, (-widest, widest))

    def _told(
        self, sides: list[Resampled], name: str, by_seed: tuple[float, ...], seeds: str, bounds: tuple[float, float]
    ) -> Score:
        """The score of one side, or of the first minus the second, with the signature."""
        value = sides[0]._mean() - (sides[1]._mean() if len(sides) > 1 else 0.0)
        paired = len(sides) > 1
        if self.units < 2:
            made = self._signature(seeds, f"one of {self.over}: nothing is known", 0)
            return Score(name, value, by_seed, *bounds, made, 1.0 if paired else None)
        found, void = _drawn(sides, value)
        low, high = (min(max(bound, bounds[0]), bounds[1]) for bound in found.interval())
        over = self.over if all(len(side.by_seed) == 1 for side in sides) else f"{self.over} x seeds"
        kind = "BCa bootstrap" if found.corrected else "percentile bootstrap (all resamples on one side: no BCa)"
        made = self._signature(seeds, f"{kind} over {over}", void)
        return Score(name, value, by_seed, low, high, made, found.p_value() if paired else None)

    def _mean(self) -> float:
        return math.fsum(self.by_seed) / len(self.by_seed)

    def _signature(self, seeds: str, method: str, void: int) -> str:
        left_out = f" ({void} without a value left out)" if void else ""
        return (
            f"{self.items}, {seeds}, {method}, {len(self.values)} resamples{left_out}, "
            f"seed {self.seed}, japagen {version('japagen')}"
        )


def _drawn(sides: list[Resampled], value: float) -> tuple[Draws, int]:
    """Draws of the first side, or of the first minus the second, and how many resamples are without a value.

    A draw is the mean over seeds in a resample of the items, plus an error of that mean for chance of the seeds: t with
    S - 1 degrees of freedom times the seeds' standard error. Drawing so few seeds with replacement would make intervals
    too narrow (`statistics.bootstrap`). The variance between seeds holds that of seeds within items, which the resamples
    of the items have already: it is taken off, and what is left is none at least.
    """
    defined = ~np.any([np.isnan(side.values).any(axis=1) for side in sides], axis=0)
    if not defined.any():
        raise Undefined("no resample has a value")
    drawn = np.zeros(int(defined.sum()))
    left_out: Floats | float = 0.0
    influence = []
    for place, (side, sign) in enumerate(zip(sides, (1, -1), strict=False)):
        values, seeds = side.values[defined], len(side.by_seed)
        drawn += sign * values.mean(axis=1)
        left_out = left_out + sign * side.without.mean(axis=1)
        if seeds > 1:
            between = side.by_seed.var(ddof=1)
            within = (values - values.mean(axis=1, keepdims=True)).var(axis=0).sum() / (seeds - 1)
            error = math.sqrt(max(0.0, between - within) / seeds)
            chance = _generator(side.seed, f"seeds {place}").standard_t(seeds - 1, size=len(defined))
            drawn += sign * error * chance[defined]
            if error > 0:
                gaps = side.by_seed - side.by_seed.mean()
                influence.append(sign * gaps * error / math.sqrt((gaps**2).sum()))
    known = np.asarray(left_out)[~np.isnan(left_out)]
    influence.append((known.mean() - known) * math.sqrt((len(known) - 1) / len(known)) if len(known) else known)
    return draws(value, drawn, np.concatenate(influence), sides[0].units), int((~defined).sum())


class Resampler:
    """Resamples of n items, drawn once, in which many systems are measured.

    A resample is a vector of weights: how often each unit (item or group) was drawn. Weights times one-hot (gold, predicted)
    cells gives all confusion matrices at once, and correlations have their own way (`correlation`).

    Args:
        n: items.
        groups: cluster of each item; clusters are drawn whole.
        resamples: how many.
        seed: of the draws.

    Raises:
        Undefined: no items or resamples, or another number of groups than of items.
    """

    def __init__(self, n: int, *, groups: Sequence[object] | None = None, resamples: int = 5000, seed: int) -> None:
        if n < 1 or resamples < 1:
            raise Undefined(f"nothing to measure: {n} items, {resamples} resamples")
        self.n, self.seed, self.resamples = n, seed, resamples
        self.unit_of = units_of(n, groups)
        self.units = int(self.unit_of.max()) + 1
        self._items = f"n={n}" + (f" in {self.units} groups" if groups is not None else "")
        self._over = "items" if groups is None else "groups"
        self._kept: list[Counts] | None = None
        if resamples * self.units <= _KEPT:
            self._kept = list(self._draw())

    def measure(self, gold: Answers, runs: Runs, labels: Labels, metric: str) -> Resampled:
        """Measure a system; for the arguments and errors see `statistics.bootstrap`."""
        if len(gold) != self.n:
            raise Undefined(f"{len(gold)} items, but the resamples are of {self.n}")
        measure = measure_of(metric, gold, runs, labels, self.unit_of)
        values = np.concatenate([measure(part.astype(np.float32)) for part in self._kept or self._draw()])
        if metric in CORRELATIONS:  # to the last bit as the metric alone gives it
            by_seed = np.array([CORRELATIONS[metric](gold, run) for run in runs])
        else:
            by_seed = measure(np.ones((1, self.units), np.float32))[0]
        without = self._without(measure)
        return Resampled(metric, by_seed, values, without, self._items, self.units, self._over, self.seed)

    def _draw(self) -> Iterator[Counts]:
        """How often each unit is in each resample, some resamples at a time, shape (part, units)."""
        generator, units = _generator(self.seed, "items"), self.units
        step = max(1, _CELLS // self.n)
        for start in range(0, self.resamples, step):
            part = min(step, self.resamples - start)
            drawn = generator.integers(units, size=(part, units))
            drawn += np.arange(part)[:, None] * units
            yield np.bincount(drawn.ravel(), minlength=part * units).reshape(part, units).astype(np.uint8)

    def _without(self, measure: correlation.Measure) -> Floats:
        """The metric with each block of units left out, shape (blocks, seeds); NaN where nothing is left."""
        blocks = min(self.units, _BLOCKS)
        if blocks < 2:
            return np.full((1, 1), np.nan)
        block_of = np.arange(self.units) % blocks
        step = max(1, _CELLS // self.n)
        parts = (np.arange(start, min(start + step, blocks)) for start in range(0, blocks, step))
        return np.concatenate([measure((block_of != part[:, None]).astype(np.float32)) for part in parts])


def filled(numbers: Sequence[float | None]) -> list[float]:
    """A run's numbers; a row without an answer gets the mean of the others, so that it gains nothing.

    Raises:
        Undefined: no row has an answer.
    """
    given = [number for number in numbers if number is not None]
    if not given:
        raise Undefined("no row has an answer")
    mean = math.fsum(given) / len(given)
    return [mean if number is None else number for number in numbers]


def units_of(n: int, groups: Sequence[object] | None) -> NDArray[np.intp]:
    """What is drawn whole, counted from 0, of each of n items: its group, or the item.

    Raises:
        Undefined: another number of groups than of items.
    """
    if groups is None:
        return np.arange(n)
    if len(groups) != n:
        raise Undefined(f"{len(groups)} groups for {n} items")
    position: dict[object, int] = {}
    return np.array([position.setdefault(group, len(position)) for group in groups], dtype=np.intp)


def measure_of(
    metric: str, gold: Answers, runs: Runs, labels: Labels, unit_of: NDArray[np.intp]
) -> correlation.Measure:
    """A metric of some runs, ready to be computed on weights of units, shape (resamples, units).

    Args:
        metric: a name in `metrics.METRICS` or `metrics.CORRELATIONS`.
        gold: answer of each item, shape (n,).
        runs: for each run an answer for each item.
        labels: all labels; none for a correlation.
        unit_of: unit of each item, counted from 0, shape (n,).

    Raises:
        ConfigError: no such metric.
        Undefined: nothing to measure, unequal lengths, an unknown label, or a correlation with a constant.
    """
    if metric not in METRICS and metric not in CORRELATIONS:
        raise ConfigError(f"no metric is called '{metric}'", remedy=did_you_mean(metric, [*METRICS, *CORRELATIONS]))
    if not gold or not runs or not all(len(run) == len(gold) for run in runs):
        raise Undefined("nothing to measure: no items, no predictions or unequal lengths")
    if metric in CORRELATIONS:
        by_item = correlation.measure(metric, gold, runs)
        if np.array_equal(unit_of, np.arange(len(gold))):
            return by_item
        return lambda weights: by_item(weights[:, unit_of])
    answers = answers_of(runs, labels)
    own, said = codes(gold, labels), np.stack([codes(run, answers) for run in runs])
    rows, columns = len(labels), len(answers)
    if metric == "accuracy":  # a matrix of one row says it all: right and wrong
        own, said, rows, columns = np.zeros_like(own), (said != own).astype(np.intp), 1, 2
    counts = _by_unit(own * columns + said, rows * columns, unit_of)
    shape = (len(runs), rows, columns)
    return lambda weights: METRICS[metric]((weights @ counts).reshape(len(weights), *shape))


def _by_unit(cells: NDArray[np.intp], size: int, unit_of: NDArray[np.intp]) -> NDArray[np.float32]:
    """How many items of each unit are in each cell of each seed's confusion matrix, shape (units, seeds * size).

    Weights times this is the confusion matrices. Float32 holds counts exactly up to 2^24, more than items there are.
    """
    seeds, _ = cells.shape
    units = int(unit_of.max()) + 1
    places = (unit_of * seeds + np.arange(seeds)[:, None]) * size + cells
    return np.bincount(places.ravel(), minlength=units * seeds * size).reshape(units, seeds * size).astype(np.float32)


def _generator(seed: int, stream: str) -> np.random.Generator:
    return np.random.default_rng(stream_seed(seed, "bootstrap", stream))


def _seeds(count: int) -> str:
    return f"{count} seed{'s' if count > 1 else ''}"
