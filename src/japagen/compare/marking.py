"""The cells of a column: which system is the best, and which cannot be told from it.

Every system is compared with the best of its column on the same resamples of the test rows; Holm's correction is over all
these comparisons of the whole table. The best is chosen on the rows that test it, which the correction does not know of:
see ``docs/how-to/compare.md`` for what that does to the error rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from japagen.compare.finished import Finished, Measured
from japagen.compare.methods import Entry
from japagen.compare.table import ALPHA, Cell, Column, Method
from japagen.evaluate.resampling import Options, Resampled, Resampler, filled
from japagen.evaluate.statistics import guarded
from japagen.metrics import CORRELATIONS, Undefined
from japagen.significance import holm
from japagen.streams import stream_seed

Cells = Mapping[Method, Cell]


@dataclass(slots=True)
class GoldRows:
    """The test rows of a task, resampled: by the seed of the first run's experiment, and as often as that says, or more.

    With too few resamples no p could become small enough to survive the correction over all comparisons of a table.

    Args:
        run: one of the runs of the task.
        tests: comparisons in the whole table.
    """

    run: Finished
    tests: int = 0
    _resampler: Resampler | None = None
    _kept: dict[tuple[str, object], Resampled] = field(default_factory=dict)

    @property
    def resamples(self) -> int:
        """How many: the smallest p, 2 in so many, is after the correction at most half the level."""
        return max(int(self.run.settings["evaluate"]["resamples"]), math.ceil(4 * self.tests / ALPHA))

    def measure(self, system: Measured, metric: str) -> Resampled:
        """A system by a metric; what was measured once is kept.

        Raises:
            Undefined: the metric has no value for it.
        """
        key = (metric, system.values if metric in CORRELATIONS else system.labels)
        if key not in self._kept:
            self._kept[key] = self._measure(system, metric)
        return self._kept[key]

    def _measure(self, system: Measured, metric: str) -> Resampled:
        run = self.run
        if self._resampler is None:
            seed = stream_seed(int(run.settings["seed"]), "bootstrap") % 2**32
            self._resampler = Resampler(len(run.ids), groups=run.groups, resamples=self.resamples, seed=seed)
        if metric in CORRELATIONS:
            return self._resampler.measure(run.gold_values or (), [filled(seed) for seed in system.values], (), metric)
        return self._resampler.measure(run.gold, system.labels, run.label_names, metric)


def column_of(rows: GoldRows, metric: str) -> Column:
    """A task as a column."""
    run = rows.run
    groups = len(set(run.groups)) if run.groups is not None else None
    return Column(run.task, metric, len(run.ids), groups, rows.resamples)


def tests_in(found: Sequence[Entry], metric: str) -> int:
    """How many comparisons with the best a column has."""
    return max(0, sum(_score(entry, metric)["value"] is not None for entry in found) - 1)


def cells_of(found: Sequence[Entry], metric: str, rows: GoldRows, tell: Callable[[int], object]) -> Cells:
    """The cells of a column, with the best marked and each other's p against it; Holm is to come (`corrected`).

    `tell` is told how many of its methods are done.
    """
    cells = {entry.method: _cell(entry, metric, len(rows.run.ids)) for entry in found}
    values = {method: cell.value for method, cell in cells.items() if cell.value is not None}
    if not values:
        return cells
    top = max(values.values())
    systems = {entry.method: entry.system for entry in found}
    reference = next(method for method, value in values.items() if value == top)
    for done, (method, value) in enumerate(values.items()):
        tell(done)
        p = None
        if method != reference:
            p = tested(rows, systems[reference], systems[method], metric)
        cells[method] = replace(cells[method], best=value == top, p=p)
    return cells


def _score(entry: Entry, metric: str) -> Mapping[str, Any]:
    return entry.system.scores.get(metric) or {"value": None, "undefined": "was not measured"}


def _cell(entry: Entry, metric: str, n: int) -> Cell:
    score = _score(entry, metric)
    return Cell(
        value=score["value"],
        low=score.get("low"),
        high=score.get("high"),
        seeds=len(entry.system.labels),
        n=n,
        runs=entry.runs,
        signature=str(score.get("signature") or ""),
        undefined=str(score.get("undefined") or "") if score["value"] is None else "",
    )


def tested(rows: GoldRows, best: Measured, other: Measured, metric: str) -> float | None:
    """The p of the difference of two systems, two-sided and paired; None where it is undefined."""
    try:
        p = rows.measure(best, metric).minus(rows.measure(other, metric)).p
    except Undefined:
        return None
    if p is None or metric in CORRELATIONS:
        return p
    run = rows.run
    options: Options = {"resamples": rows.resamples, "seed": int(run.settings["seed"]), "groups": run.groups}
    return guarded(p, run.gold, best.labels, other.labels, run.label_names, metric, **options)


def corrected(columns: Sequence[Cells]) -> tuple[list[Cells], int]:
    """The columns after Holm's correction over all their comparisons with a best, and how many these are."""
    found = {
        (place, method): cell.p
        for place, cells in enumerate(columns)
        for method, cell in cells.items()
        if cell.p is not None
    }
    keys = {f"{number}": key for number, key in enumerate(found)}
    adjusted = holm({name: found[key] for name, key in keys.items()})
    by_key = {keys[name]: p for name, p in adjusted.items()}
    marked: list[Cells] = [
        {method: _marked(cell, by_key.get((place, method))) for method, cell in cells.items()}
        for place, cells in enumerate(columns)
    ]
    return marked, len(found)


def _marked(cell: Cell, p: float | None) -> Cell:
    return replace(cell, p_holm=p, tied=p is not None and p >= ALPHA and not cell.best)
