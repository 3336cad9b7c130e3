"""KADG (paper, section 3.2): which value of each attribute a row gets.

Values come in shuffled rounds in which every value has its share, so shares are kept in every part of a run, at every size,
and a run that is made larger keeps the values it had. Attributes are drawn independently of one another.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Mapping

from japagen.knowledge import Mechanisms, shares
from japagen.streams import stream
from japagen.task import Task

_LONGEST_ROUND = 50


class Quotas:
    """Draws values of one attribute in given shares.

    Where the weights allow it, a round holds each value in exactly its share (weights 2 and 1: three draws). Else a
    round has 50 draws at evenly spaced points of the cumulated shares, whose offset follows the golden ratio from round to
    round: after r rounds a value's count is off by O(log r), not O(sqrt r).

    Args:
        weights: value to its weight.
        name: of the stream that shuffles, e.g. ``("word", "positive")``.
        seed: the experiment's.
    """

    def __init__(self, weights: Mapping[str, float], name: tuple[str, ...], *, seed: int) -> None:
        self._values = list(weights)
        self._name, self._seed = name, seed
        self._bounds = list(itertools.accumulate(shares(weights).values()))
        self._exact = _whole(list(weights.values()))
        self._round: tuple[int, list[str]] = (-1, [])

    def draw(self, index: int) -> str:
        """The value of draw number `index`."""
        turn, place = divmod(index, len(self._exact) if self._exact else _LONGEST_ROUND)
        if self._round[0] != turn:
            values = [self._values[i] for i in self._exact] if self._exact else self._stratified(turn)
            stream(self._seed, *self._name, turn).shuffle(values)
            self._round = turn, values
        return self._round[1][place]

    def _stratified(self, turn: int) -> list[str]:
        offset = (stream(self._seed, *self._name, "offset").random() + turn * (math.sqrt(5) - 1) / 2) % 1
        points = [(place + offset) / _LONGEST_ROUND for place in range(_LONGEST_ROUND)]
        last = len(self._values) - 1
        return [self._values[min(bisect.bisect_right(self._bounds, point), last)] for point in points]


def _whole(weights: list[float]) -> list[int]:
    """Positions of the values in a round of whole counts; empty where such a round would be too long."""
    if any(weight != int(weight) for weight in weights):
        return []
    common = math.gcd(*map(int, weights))
    counts = [int(weight) // common for weight in weights]
    if len(weights) > 1 and max(counts) > 1 and sum(counts) > _LONGEST_ROUND:
        return []
    return [i for i, count in enumerate(counts) for _ in range(count)]


class Knowing:
    """The attributes of every row of a plan.

    Args:
        task: what attributes there are.
        mechanisms: which of them are used.
        seed: the experiment's.
    """

    def __init__(self, task: Task, mechanisms: Mechanisms, *, seed: int) -> None:
        self._task, self._mechanisms, self._seed = task, mechanisms, seed
        self._weights = {}
        for name in mechanisms.attributes:
            weights = task.attributes[name].values
            if name in mechanisms.random:
                from japagen.frequency import random_nouns

                other = random_nouns(list(weights), seed=seed)
                weights = {other[value]: weight for value, weight in weights.items()}
            self._weights[name] = weights
        self._quotas: dict[tuple[str, str], Quotas] = {}

    def draw(self, label: str, index: int) -> dict[str, str]:
        """Value by attribute of row number `index` of a label.

        A name that is no label (first sentences that all labels share) has every attribute.
        """
        drawn = {}
        for name, weights in self._weights.items():
            if label in self._task.attributes[name].not_for:
                continue
            if (name, label) not in self._quotas:
                self._quotas[name, label] = Quotas(weights, (name, label), seed=self._seed)
            drawn[name] = self._quotas[name, label].draw(index)
        return drawn
