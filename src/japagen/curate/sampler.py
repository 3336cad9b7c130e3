"""Choosing n of N rows of each label so that the values of attributes come in wanted shares (techniques: KADG, generalised).

Rows that agree in every attribute are one cell. How many rows to take of each cell is found in three steps: raking
(iterative proportional fitting, Deming and Stephan 1940, never above what a cell holds) starts from the cells as they are
and so changes as little as the quotas need; cumulative rounding makes whole numbers of it; then single rows are moved from
cell to cell while that brings the counts nearer to the quotas (least squares). Which rows of a cell are taken is drawn
from the seed. Nothing here knows what an attribute means: `target` describes rows.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.curate.target import Shares, Target
from japagen.records import Example
from japagen.streams import stream_seed

Floats = NDArray[np.float64]
Counts = NDArray[np.intp]
Flags = NDArray[np.bool_]

REASON = "not_sampled"
CLOSE = 0.02
"""A quota is met when the share reached differs by at most so much."""
NAMED = 3
"""Quotas missed that the sentence names."""
_ROUNDS = 500
_LARGEST = 1e9
"""Of a factor of raking: where a quota cannot be reached, factors would grow without end."""
_NOTHING = 1e-9
_TRIED = 100
"""Cells that may give a row, before we settle."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What was wanted of one value of an attribute, and what was reached.

    Attributes:
        by, value: the attribute and its value.
        target, reached: shares of the rows to choose and of the rows chosen.
        available: rows that have the value, chosen or not.
    """

    by: str
    value: str
    target: float
    reached: float
    available: int

    @property
    def met(self) -> bool:
        """Whether the share reached is as near as `CLOSE`."""
        return abs(self.reached - self.target) <= CLOSE + 1e-12


@dataclass(frozen=True, slots=True)
class Sampled:
    """Which rows were chosen.

    Attributes:
        chosen: their positions, ascending.
        of: rows there were.
        quotas: of all labels together, by attribute, then value.
        by_label: the same within each label.
        short: labels that have fewer rows than were wanted, with how many are missing; all of theirs are chosen.
        sentence: whether the quotas are met, and what stands against it where not.
    """

    chosen: tuple[int, ...]
    of: int
    quotas: tuple[Quota, ...]
    by_label: Mapping[str, tuple[Quota, ...]]
    short: Mapping[str, int]
    sentence: str

    def findings(self) -> dict[int, tuple[str, str]]:
        """The rows that were not chosen, by position, with the reason."""
        left_out = self.of - len(self.chosen)
        detail = f"{left_out:,} of {self.of:,} rows were left out to come near the spread that is wanted"
        return dict.fromkeys(sorted(set(range(self.of)) - set(self.chosen)), (REASON, detail))


def sample(examples: Sequence[Example], n: int | Mapping[str, int], *, target: Target, seed: int) -> Sampled:
    """Choose n rows of each label (or of each label its own n) as the target wants them.

    Where a label has n rows or fewer, all are chosen. The outcome depends on the rows in their order and on the seed.

    Raises:
        ConfigError: no row has a column that the target names.
        ValueError: a number of rows is negative.
    """
    labels = [example.label for example in examples]
    return choose(labels, target.values(examples), target.shares, n, seed=seed)


def choose(
    labels: Sequence[str],
    values: Mapping[str, Sequence[str]],
    shares: Mapping[str, Shares | None],
    n: int | Mapping[str, int],
    *,
    seed: int,
) -> Sampled:
    """`sample`, given what rows are like.

    Args:
        labels: of N rows.
        values: for each attribute the value of each row; "" where a row has none. An attribute that no row of a label
            has is not asked of that label.
        shares: for each attribute the wanted share of each value; None: even over the values of the label's rows.
        n: rows to choose of each label.
        seed: the experiment's.
    """
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        rows_of[label].append(row)
    codes = {by: _encoded(column) for by, column in values.items()}
    chosen: list[Counts] = []
    wanted_of: dict[str, dict[str, dict[str, float]]] = {}
    short: dict[str, int] = {}
    for label, places in rows_of.items():
        rows = np.array(places, dtype=np.intp)
        wanted = n if isinstance(n, int) else n.get(label, 0)
        if wanted < 0:
            raise ValueError(f"cannot choose {wanted} rows of '{label}'")
        if wanted > len(rows):
            short[label] = wanted - len(rows)
        columns = []
        wanted_of[label] = {}
        for by, (code, names) in codes.items():
            there = np.bincount(code[rows], minlength=len(names))
            if not any(count and name for count, name in zip(there, names, strict=True)):
                continue
            share = _shares(shares[by], names, there)
            wanted_of[label][by] = share
            columns.append((code[rows], np.array([share.get(name, 0.0) for name in names])))
        rng = np.random.default_rng(stream_seed(seed, "sample", label))
        chosen.append(rows[_of_label(columns, min(wanted, len(rows)), len(rows), rng)])
    positions = np.sort(np.concatenate([*chosen, np.zeros(0, np.intp)])).astype(np.intp)
    by_label = {}
    for (label, rows_here), taken in zip(rows_of.items(), chosen, strict=True):
        by_label[label] = _quotas(codes, wanted_of[label], np.array(rows_here), taken)
    sizes = {label: len(taken) for label, taken in zip(rows_of, chosen, strict=True)}
    return Sampled(
        chosen=tuple(positions.tolist()),
        of=len(labels),
        quotas=_together(by_label, sizes),
        by_label=by_label,
        short=short,
        sentence=_sentence(by_label, short, len(positions), len(labels)),
    )


def _encoded(column: Sequence[str]) -> tuple[Counts, list[str]]:
    """The place of each value among the different ones, and these, sorted."""
    names = sorted(set(column))
    place = {name: i for i, name in enumerate(names)}
    return np.fromiter((place[value] for value in column), np.intp, len(column)), names


def _shares(shares: Shares | None, names: Sequence[str], there: Counts) -> dict[str, float]:
    if shares is not None:
        return dict(shares)
    seen = [name for name, count in zip(names, there, strict=True) if count and name]
    return dict.fromkeys(seen, 1 / len(seen))


def _of_label(columns: Sequence[tuple[Counts, Floats]], n: int, rows: int, rng: np.random.Generator) -> Counts:
    """Places of n of the rows of a label; a column is the code of each row and the share wanted of each code."""
    order = rng.permutation(rows)
    if n == rows or not columns:
        return np.sort(order[:n])
    sizes = [len(share) for _, share in columns]
    joint = np.ravel_multi_index([code for code, _ in columns], sizes)
    cells, cell_of, held = np.unique(joint, return_inverse=True, return_counts=True)
    codes = np.array(np.unravel_index(cells, sizes), dtype=np.intp)
    goals = [_goals(np.bincount(code, minlength=len(share)), share, n) for code, share in columns]
    taken = _moved(codes, held, _rounded(_raked(codes, held, goals, n), n), [n * share for _, share in columns], n)
    by_cell = order[np.argsort(cell_of[order], kind="stable")]
    place = np.arange(rows) - np.repeat(np.cumsum(held) - held, held)
    return np.sort(by_cell[place < np.repeat(taken, held)])


def _goals(available: Counts, share: Floats, n: int) -> Floats:
    """How many rows of each value: in the wanted shares, none above what there is; what is missing goes to the others,
    in their shares, and at last to values that nobody wanted.
    """
    goal = np.zeros(len(share))
    for weights in (share, np.where(share == 0, available, 0.0)):
        free = weights > 0
        while free.any() and (left := n - goal[~free].sum()) > 1e-9:
            asked = left * weights / weights[free].sum()
            full = free & (asked >= available)
            goal[free] = np.minimum(asked, available)[free]
            if not full.any():
                break
            free &= ~full
    return goal


def _raked(codes: Counts, held: Counts, goals: Sequence[Floats], n: int) -> Floats:
    """Rows to take of each cell, not yet whole: the cells as they are, scaled by a factor for each value."""
    factors = [np.ones(len(goal)) for goal in goals]
    start = held * (n / held.sum())
    rows = start
    for _ in range(_ROUNDS):
        worst = 0.0
        for i, goal in enumerate(goals):
            there = np.bincount(codes[i], rows, len(goal))
            worst = max(worst, float(np.abs(there - goal).max()))
            step = np.divide(goal, there, out=np.ones(len(goal)), where=there > 0)
            factors[i] = np.minimum(factors[i] * step, _LARGEST)
            rows = np.minimum(held, start * np.prod([f[c] for f, c in zip(factors, codes, strict=True)], axis=0))
        if worst < 0.1:
            break
    return np.asarray(rows, dtype=np.float64)


def _rounded(rows: Floats, n: int) -> Counts:
    """Whole numbers, each the next below or above, whose running sums stay within one of the given ones."""
    if rows.sum() > 0:
        rows = np.minimum(np.ceil(rows), rows * (n / rows.sum()))
    whole = np.diff(np.floor(np.cumsum(rows) + 0.5), prepend=0.0)
    return np.asarray(whole, dtype=np.intp)


def _moved(codes: Counts, held: Counts, taken: Counts, goals: Sequence[Floats], n: int) -> Counts:
    """Take n rows, then move single rows between cells while the sum of squared distances to the goals falls.

    No row is moved to a cell with a value that nobody wanted.
    """
    taken = np.minimum(taken, held)
    over = [np.bincount(code, taken, len(goal)) - goal for code, goal in zip(codes, goals, strict=True)]
    wanted = np.logical_and.reduce([goal[code] > 0 for code, goal in zip(codes, goals, strict=True)])

    def change(cell: int, by: int) -> None:
        taken[cell] += by
        for code, distance in zip(codes, over, strict=True):
            distance[code[cell]] += by

    def excess() -> Floats:
        return np.asarray(sum(distance[code] for code, distance in zip(codes, over, strict=True)), dtype=np.float64)

    while (missing := n - int(taken.sum())) != 0:  # rounding left some out, or took too many
        if missing > 0:
            change(int(np.where(taken < held, excess(), np.inf).argmin()), 1)
        else:
            change(int(np.where(taken > 0, excess(), -np.inf).argmax()), -1)
    while move := _best_move(codes, taken > 0, (taken < held) & wanted, excess()):
        change(move[0], -1)
        change(move[1], 1)
    return taken


def _best_move(codes: Counts, gives: Flags, takes: Flags, excess: Floats) -> tuple[int, int] | None:
    """The cell that gives a row and the one that takes it, or None where no move brings the counts nearer.

    A move is worth the difference of what the two cells have too much of, less 1 for each value in which they differ.
    """
    room = np.where(takes, excess, np.inf)
    givers = np.flatnonzero(gives & (excess > room.min() + 1))
    for giver in givers[np.argsort(-excess[givers], kind="stable")][:_TRIED]:
        differ = (codes != codes[:, giver, None]).sum(axis=0)
        worth = excess[giver] - room - differ
        taker = int(worth.argmax())
        if worth[taker] > _NOTHING:
            return int(giver), taker
    return None


def _quotas(
    codes: Mapping[str, tuple[Counts, list[str]]],
    wanted: Mapping[str, Mapping[str, float]],
    rows: Counts,
    chosen: Counts,
) -> tuple[Quota, ...]:
    found = []
    for by, share in wanted.items():
        code, names = codes[by]
        there, reached = (np.bincount(code[part], minlength=len(names)) for part in (rows, chosen))
        place = {name: i for i, name in enumerate(names)}
        seen = [name for name, count in zip(names, there, strict=True) if count]
        for value in sorted({*share, *seen}):
            i = place.get(value)
            have, took = (0, 0) if i is None else (int(there[i]), int(reached[i]))
            found.append(Quota(by, value, share.get(value, 0.0), took / max(len(chosen), 1), have))
    return tuple(found)


def _together(by_label: Mapping[str, Sequence[Quota]], sizes: Mapping[str, int]) -> tuple[Quota, ...]:
    """Quotas of all labels that have the attribute, each label with the weight of the rows chosen from it."""
    parts: dict[tuple[str, str], list[tuple[int, Quota]]] = defaultdict(list)
    weights: dict[str, int] = defaultdict(int)
    for label, quotas in by_label.items():
        for quota in quotas:
            parts[quota.by, quota.value].append((sizes[label], quota))
        for by in {quota.by for quota in quotas}:
            weights[by] += sizes[label]
    order = list(dict.fromkeys(by for by, _ in parts))
    return tuple(
        Quota(
            by,
            value,
            sum(size * quota.target for size, quota in there) / max(weights[by], 1),
            sum(size * quota.reached for size, quota in there) / max(weights[by], 1),
            sum(quota.available for _, quota in there),
        )
        for (by, value), there in sorted(parts.items(), key=lambda part: (order.index(part[0][0]), part[0][1]))
    )


def _sentence(by_label: Mapping[str, Sequence[Quota]], short: Mapping[str, int], chosen: int, of: int) -> str:
    missed = [(label, quota) for label, quotas in by_label.items() for quota in quotas if not quota.met]
    missed.sort(key=lambda one: -abs(one[1].reached - one[1].target))
    said = [f"{chosen:,} of {of:,} rows were chosen"]
    if short:
        said.append("too few rows: " + ", ".join(f"{label} lacks {rows:,}" for label, rows in short.items()))
    if not missed:
        said.append(f"every quota is met within {CLOSE:.0%}" if any(by_label.values()) else "there were no quotas")
    else:
        named = [
            f"{quota.by} '{quota.value}' of {label}: {quota.reached:.1%} instead of {quota.target:.1%} "
            f"({quota.available:,} rows have it)"
            for label, quota in missed[:NAMED]
        ]
        more = len(missed) - NAMED
        rest = f", and {more} more" if more > 0 else ""
        total = sum(map(len, by_label.values()))
        said.append(f"{len(missed)} of {total} quotas are not met within {CLOSE:.0%}: {'; '.join(named)}{rest}")
    return ". ".join(part[0].upper() + part[1:] for part in said) + "."
