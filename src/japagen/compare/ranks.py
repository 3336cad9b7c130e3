"""The order of arms by each measure, and whether two orders agree: Kendall's tau-b (Kendall 1945), 1 for the same order,
-1 for the reverse, 0 for orders that have nothing to do with each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations, permutations
from statistics import median

import numpy as np

from japagen.compare.armfacts import Agreement, Arm, Ranking
from japagen.compare.measures import MEASURES

NEAR = 0.8
"""Numbers of texts within this factor of one another are near enough to compare."""
FEW = 7
"""Things up to which p of a tau is exact."""
LEAST = 3
"""Arms that an order is told of."""


def ranks(values: Mapping[str, float], *, lower: bool = False) -> dict[str, float]:
    """Rank of each name, 1 for the largest value (`lower`: the smallest); equal values share the mean of their ranks.

    >>> ranks({"a": 0.2, "b": 0.9, "c": 0.2})
    {'a': 2.5, 'b': 1.0, 'c': 2.5}
    """
    sign = 1 if lower else -1
    keys = {name: sign * value for name, value in values.items()}
    return {
        name: 1 + sum(other < key for other in keys.values()) + (sum(other == key for other in keys.values()) - 1) / 2
        for name, key in keys.items()
    }


def kendall(first: Sequence[float], second: Sequence[float]) -> tuple[float | None, float | None]:
    """Kendall's tau-b of two series of the same things, and its two-sided p; None where either is constant or too short.

    Raises:
        ValueError: they are not of the same length.
    """
    from scipy.stats import kendalltau

    if len(first) != len(second):
        raise ValueError(f"series of {len(first)} and {len(second)} have no tau")
    if len(first) < LEAST or len({*first}) < 2 or len({*second}) < 2:
        return None, None
    if len(first) <= FEW:
        return float(kendalltau(first, second).statistic), _exact(first, second)
    found = kendalltau(first, second)
    tau, p = float(found.statistic), float(found.pvalue)
    return tau, None if math.isnan(p) else p


def _exact(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p by all orders of the second series, ties and all: scipy's is for no ties or many things."""
    orders = np.array(list(permutations(range(len(second)))))
    signs = np.sign(np.subtract.outer(np.asarray(first), np.asarray(first)))
    others = np.sign(np.subtract.outer(np.asarray(second), np.asarray(second)))
    sums = np.array([(signs * others[np.ix_(order, order)]).sum() for order in orders])
    return float((np.abs(sums) >= abs(sums[0])).mean())


def rankings(arms: Sequence[Arm]) -> list[Ranking]:
    """The order of arms by each measure, of sets of texts that differ; with tau to the order by score.

    Once for each tokeniser, where the measure depends on it.

    Args:
        arms: of one task.
    """
    found = []
    for place, tokeniser in enumerate(dict.fromkeys(arm.tokeniser for arm in arms)):
        members = _own_texts([arm for arm in arms if arm.tokeniser == tokeniser])
        for measure in MEASURES if place == 0 else [measure for measure in MEASURES if measure.words]:
            having = of_like_size(members, measure.name)
            if len(having) < LEAST or not measure.ranked:
                continue
            order = ranks({arm.name: arm.values[measure.name].value for arm in having}, lower=measure.lower)
            scored = {arm.name: arm.score.value for arm in having if arm.score is not None}
            by_score = ranks(scored)
            tau, p = kendall([order[name] for name in by_score], list(by_score.values()))
            found.append(Ranking(measure.name, tokeniser, order, len(scored), tau, p))
    return found


def agreements(arms: Sequence[Arm]) -> list[Agreement]:
    """Of each two tokenisers how far each measure of words orders the sets of texts alike that both have measured.

    Args:
        arms: of one task. Arms with the same texts and another tokeniser are what this is about.
    """
    by_tokeniser = {
        tokeniser: {arm.texts: arm for arm in arms if arm.tokeniser == tokeniser and arm.texts}
        for tokeniser in dict.fromkeys(arm.tokeniser for arm in arms)
    }
    found = []
    for first, second in combinations(by_tokeniser, 2):
        shared = [texts for texts in by_tokeniser[first] if texts in by_tokeniser[second]]
        for measure in MEASURES:
            if not (measure.words and measure.ranked):
                continue
            name = measure.name
            pairs = [(by_tokeniser[first][texts].values, by_tokeniser[second][texts].values) for texts in shared]
            having = [(a[name].value, b[name].value) for a, b in pairs if name in a and name in b]
            if len(having) >= LEAST:
                orders = [
                    list(ranks({str(at): value for at, value in enumerate(side)}, lower=measure.lower).values())
                    for side in zip(*having, strict=True)
                ]
                found.append(Agreement(name, first, second, len(having), *kendall(*orders)))
    return found


def of_like_size(arms: Sequence[Arm], measure: str) -> list[Arm]:
    """The arms that have a measure at a number of texts near the median of all: others do not compare.

    Curation leaves every arm a few texts more or fewer; a quarter more moves the measures far less than arms differ.
    """
    having = [arm for arm in arms if measure in arm.values]
    sizes = [n for arm in having if (n := arm.values[measure].n)]
    if not sizes:
        return having
    middle = median(sizes)
    return [arm for arm in having if not (n := arm.values[measure].n) or NEAR * middle <= n <= middle / NEAR]


def _own_texts(arms: Sequence[Arm]) -> list[Arm]:
    """One arm of each set of texts."""
    by_texts: dict[object, Arm] = {}
    for arm in arms:
        by_texts.setdefault(arm.texts or arm.name, arm)
    return list(by_texts.values())
