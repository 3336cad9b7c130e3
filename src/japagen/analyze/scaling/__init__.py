"""Scaling: what more synthetic rows would bring. A curve through the scores of several sizes, and what follows from it.

The band is of other seeds and other test rows: scores are drawn anew, with the covariance that seeds and test rows gave
them, and each draw gets a curve of its own. The rows that were written are taken as they are. Knows no file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.scaling.powerlaw import EXPONENTS, FEWEST, Curve, fit_curve, fit_curves
from japagen.analyze.scaling.worth import FEWEST as FEWEST_GOLD
from japagen.analyze.scaling.worth import TAILS, bounded, labels_for, rising
from japagen.streams import stream_seed

Floats = NDArray[np.float64]
JSON = Mapping[str, Any]
Shape = Literal["rising", "flat", "falling", "turned", "unclear"]

DRAWS = 1000
FURTHEST = 10
"""Nothing is foretold for more than so many times the rows that were measured."""
_DRAWN = 40  # points of the curve for the figure
_NOTHING = 1e-9  # rounding
_TURNED = 0.99  # share of draws in which the last size is below the best, which was chosen as such


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """The measured points of a curve.

    Attributes:
        sizes: rows learnt from, ascending, shape (points,).
        means: score over seeds.
        by_seed: scores of each point's seeds.
        drawn: what the means might have been, shape (draws, points).
        weights: one over the variance of a mean, as it falls with size.
        top: the best score there is.
    """

    sizes: tuple[float, ...]
    means: Floats
    by_seed: tuple[tuple[float, ...], ...]
    drawn: Floats
    weights: Floats
    top: float = 1.0

    def curve(self) -> Curve:
        """Raises Undefined where there are fewer than three sizes."""
        return fit_curve(self.sizes, self.means.tolist(), self.weights.tolist(), top=self.top)

    def curves(self) -> list[Curve]:
        """One for each draw."""
        return fit_curves(self.sizes, self.drawn, self.weights.tolist(), top=self.top)

    def slope(self) -> dict[str, float]:
        """What a doubling gains on average over all sizes: a weighted straight line over the logarithm of size."""
        x, w = np.log2(self.sizes), self.weights / self.weights.sum()
        lever = w * (x - x @ w) / (w @ (x - x @ w) ** 2)
        return _interval(float(self.means @ lever), self.drawn @ lever)

    def shape(self, epsilon: float) -> Shape:
        """Whether more rows lift the score at all.

        "turned": it fell after a best size; "flat": a doubling changes it by less than `epsilon`; "unclear": chance of
        seeds and test rows is larger than what sizes differ by.
        """
        slope, best = self.slope(), int(self.means.argmax())
        if slope["high"] < -_NOTHING:
            return "falling"
        if (self.drawn[:, -1] < self.drawn[:, best]).mean() >= _TURNED and best < len(self.means) - 1:
            return "turned"
        if slope["low"] > _NOTHING:
            return "rising"
        return "flat" if slope["high"] < epsilon and slope["low"] > -epsilon else "unclear"


def points_of(points: Sequence[JSON], covariance: Sequence[Sequence[float]] | None, *, seed: int) -> Points:
    """The points of one curve, with draws of what they might have been.

    Chance of the test rows is normal with that covariance; chance of the seeds is t with S - 1 degrees of freedom, with the
    covariance of the seeds' scores over S, since seed number i is the same one in every size; gold rows have their own.

    Args:
        points: each with ``n``, ``kind`` and ``score`` (``value`` and ``by_seed``), as `evaluate.sizes` tells them.
        covariance: of the points' scores over test rows, shape (points, points); None: not known.
        seed: of the draws.
    """
    order = sorted(range(len(points)), key=lambda place: points[place]["n"])
    told = [points[place] for place in order]
    by_seed = tuple(tuple(map(float, point["score"]["by_seed"])) for point in told)
    means = np.array([point["score"]["value"] for point in told], dtype=np.float64)
    drawn = np.tile(means, (DRAWS, 1))
    if covariance is not None:
        values, vectors = np.linalg.eigh(np.asarray(covariance, dtype=np.float64)[np.ix_(order, order)])
        chance = np.random.default_rng(stream_seed(seed, "scaling items")).standard_normal((DRAWS, len(told)))
        drawn += chance @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
    groups = [(point["kind"] == "gold", len(scores)) for point, scores in zip(told, by_seed, strict=True)]
    for gold, count in sorted(set(groups)):
        if count < 2:
            continue
        places = [place for place, group in enumerate(groups) if group == (gold, count)]
        gaps = np.array([by_seed[place] for place in places]) - means[places, None]
        generator = np.random.default_rng(stream_seed(seed, "scaling seeds", gold, count))
        spread = np.sqrt((count - 1) / generator.chisquare(count - 1, size=(DRAWS, 1)))
        chance = generator.standard_normal((DRAWS, count))
        drawn[:, places] += spread * (chance @ gaps.T) / np.sqrt(count * (count - 1))
    return Points(tuple(float(point["n"]) for point in told), means, by_seed, drawn, _weights(told, by_seed))


def _weights(points: Sequence[JSON], by_seed: Sequence[Sequence[float]]) -> Floats:
    """One over the seeds' variance, smoothed: a straight line in logarithms that does not rise; equal where there is none.

    That of all rows is left out, since every seed learns the same ones.
    """
    known = [place for place, point in enumerate(points) if point.get("kind") != "japagen"]
    spreads = [float(np.var(by_seed[place], ddof=1)) if len(by_seed[place]) > 1 else 0.0 for place in known]
    if len(known) < 2 or min(spreads) <= 0:
        return np.ones(len(points))
    every = np.log([float(point["n"]) for point in points])
    x, y = every[known], np.log(spreads)
    fall = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()) if np.ptp(x) > 0 else 0.0
    return np.asarray(np.exp(-min(0.0, max(-2.0, fall)) * (every - every.mean())))


def scaling(scores: JSON, *, usage: JSON | None = None, epsilon: float, seed: int) -> dict[str, Any] | None:
    """Everything that is said of scaling, as JSON; None where no sizes were measured.

    ``metric``, ``epsilon``, ``rows``, ``left_out``, ``cost`` (see `cost_of`) and ``students``, each with

    - ``student``, ``signature``, ``points`` (as measured), ``gold`` (the same of gold rows);
    - ``undefined``: why there is no curve, else None; ``shape`` (see `Points.shape`), ``slope`` (gain of a doubling over all
      sizes, with interval);
    - ``curve``: ``ceiling``, ``drop``, ``exponent``, ``size`` (see `powerlaw.Curve`) and ``levels``, False where no
      levelling was seen and the ceiling means nothing; ``ceiling_interval``;
    - ``band``: ``n``, ``value``, ``low``, ``high``, lists, from the smallest size to twice the largest;
    - ``twice``: the score expected of twice the rows, ``n``, ``value``, ``low``, ``high``, ``gain`` with interval, ``pays``:
      whether that gain is epsilon at least;
    - ``enough``: rows from which a doubling gains less than epsilon (see `worth.bounded`);
    - ``worth``: for each synthetic point how many gold labels score the same, ``n`` and `worth.bounded`; None with fewer
      than two points of gold.

    ``curve``, ``band``, ``twice`` and ``enough`` are None unless the shape is "rising": nothing is foretold of the others.

    Args:
        scores: scores.json, with its key ``sizes``.
        usage: of writing all texts: ``prompt_tokens``, ``completion_tokens``, ``usd`` (None: not known).
        epsilon: the gain of a doubling that is worth having.
        seed: of the draws.
    """
    sizes = scores.get("sizes")
    if not sizes or not sizes.get("students"):
        return None
    students = [_student(one, epsilon, seed) for one in sizes["students"]]
    return {
        "metric": sizes["metric"],
        "epsilon": epsilon,
        "rows": sizes["rows"],
        "left_out": list(sizes.get("left_out") or ()),
        "students": students,
        "cost": cost_of(usage, int(sizes["rows"]), students[0]),
    }


def _student(told: JSON, epsilon: float, seed: int) -> dict[str, Any]:
    every = list(told["points"])
    points = points_of(every, told.get("covariance"), seed=stream_seed(seed, "scaling", told["student"]))
    order = sorted(every, key=lambda point: point["n"])
    own = [place for place, point in enumerate(order) if point["kind"] != "gold"]
    gold = [place for place, point in enumerate(order) if point["kind"] == "gold"]
    found: dict[str, Any] = {
        "student": told["student"],
        "points": [order[place] for place in own],
        "gold": [order[place] for place in gold],
        "worth": _worth(points, own, gold),
        "undefined": None,
        **dict.fromkeys(("shape", "slope", "curve", "ceiling_interval", "band", "twice", "enough")),
    }
    synthetic = _take(points, order, own)
    found["signature"] = _signature(synthetic, told.get("covariance") is not None, seed)
    if len(set(synthetic.sizes)) < FEWEST:
        found["undefined"] = f"a curve needs {FEWEST} sizes, not {len(set(synthetic.sizes))}"
        return found
    found |= {"shape": synthetic.shape(epsilon), "slope": synthetic.slope()}
    return found | _foretold(synthetic, epsilon) if found["shape"] == "rising" else found


def _take(points: Points, told: Sequence[JSON], places: Sequence[int]) -> Points:
    """Some of the points, weighted among themselves."""
    by_seed = tuple(points.by_seed[place] for place in places)
    weights = _weights([told[place] for place in places], by_seed)
    sizes = tuple(points.sizes[place] for place in places)
    return Points(sizes, points.means[places], by_seed, points.drawn[:, places], weights, points.top)


def _foretold(points: Points, epsilon: float) -> dict[str, Any]:
    """What follows from a curve that rises."""
    curve, curves = points.curve(), points.curves()
    first, last = points.sizes[0], points.sizes[-1]
    grid = np.geomspace(first, 2 * last, _DRAWN).tolist()
    low, high = np.quantile([[one.at(n) for n in grid] for one in curves], TAILS, axis=0)
    twice = _interval(curve.at(2 * last), np.array([one.at(2 * last) for one in curves]))
    gain = _interval(curve.gain(last), np.array([one.gain(last) for one in curves]))
    enough = np.array([one.enough(epsilon) for one in curves])
    return {
        "curve": {
            "ceiling": curve.ceiling,
            "drop": curve.drop,
            "exponent": curve.exponent,
            "size": curve.size,
            "levels": curve.exponent > 1.01 * EXPONENTS[0],
        },
        "ceiling_interval": _interval(curve.ceiling, np.array([one.ceiling for one in curves])),
        "band": {"n": grid, "value": [curve.at(n) for n in grid], "low": low.tolist(), "high": high.tolist()},
        "twice": {"n": 2 * last, **twice, "gain": gain, "pays": gain["value"] >= epsilon},
        "enough": bounded(curve.enough(epsilon), enough, first, FURTHEST * last),
    }


def _worth(points: Points, own: Sequence[int], gold: Sequence[int]) -> list[dict[str, Any]] | None:
    """For each synthetic size how many gold labels score the same."""
    labels = [points.sizes[place] for place in gold]
    if len(set(labels)) < FEWEST_GOLD:
        return None
    curve, curves = rising(points.means[None, gold]), rising(points.drawn[:, gold])
    found = []
    for place in own:
        value = float(labels_for([points.means[place]], labels, curve)[0])
        draws = labels_for(points.drawn[:, place].tolist(), labels, curves)
        found.append({"n": points.sizes[place], **bounded(value, draws, labels[0], labels[-1])})
    return found


def cost_of(usage: JSON | None, rows: int, student: JSON) -> dict[str, Any] | None:
    """What rows cost, from what writing them used; None where that is not known.

    ``tokens`` and ``usd`` of all rows (usd None: no price), ``tokens_per_row``, ``usd_per_row``, and ``usd_per_label``: USD
    for each gold label that the rows are worth to this student, with ``usd_per_label_low`` and ``_high`` (fewer labels make
    each dearer); a label that costs less is the better buy. Each None where it is not known.
    """
    tokens = sum(int((usage or {}).get(key) or 0) for key in ("prompt_tokens", "completion_tokens"))
    if not tokens or rows < 1:
        return None
    usd = (usage or {}).get("usd")
    whole: JSON = next((one for one in student.get("worth") or () if one["n"] == rows), {})

    def each(labels: float | None) -> float | None:
        return None if usd is None or not labels else usd / labels

    return {
        "tokens": tokens,
        "usd": usd,
        "tokens_per_row": tokens / rows,
        "usd_per_row": None if usd is None else usd / rows,
        "usd_per_label": each(whole.get("value")),
        "usd_per_label_low": each(whole.get("high")),
        "usd_per_label_high": each(whole.get("low")),
    }


def expected_gain(points: Points) -> float:
    """What twice the rows of the largest size are expected to gain, never less than 0: the mean over all draws.

    With few seeds the best curve itself is flat by chance too often; the mean is not, while curves that rise are as likely.

    Raises:
        Undefined: fewer than three sizes.
    """
    return float(np.mean([curve.gain(points.sizes[-1]) for curve in points.curves()]))


def _interval(value: float, draws: Floats) -> dict[str, float]:
    low, high = np.quantile(draws, TAILS)
    return {"value": value, "low": float(low), "high": float(high)}


def _signature(points: Points, items: bool, seed: int) -> str:
    seeds = sorted({len(scores) for scores in points.by_seed})
    chance = " and ".join(["seeds"] * (seeds[-1] > 1) + ["test rows"] * items) or "nothing: no interval"
    return (
        f"a - b n^-c, weighted least squares over {len(points.sizes)} sizes x {seeds[-1]} seeds, 95 % band from "
        f"{DRAWS} draws over {chance}, seed {seed}, japagen {version('japagen')}"
    )
