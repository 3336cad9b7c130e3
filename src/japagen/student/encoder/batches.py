"""Which rows share a step, epoch by epoch. Knows lengths only; the order follows from the seed alone.

Rows of like length share a batch ("bucket"), so that little is padded and yet every batch has the size that was asked for;
rows are drawn at random into pools first, so that batches differ from epoch to epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from japagen.streams import stream_seed

Rows = NDArray[np.int64]
Way = Literal["bucket", "plain", "tokens"]

POOL = 50
"""Batches whose rows are sorted together: larger pads less, smaller mixes more."""


def epoch_batches(lengths: Rows, size: int, way: Way, *, seed: int, epoch: int) -> list[Rows]:
    """The rows of every step of an epoch; each row stands in one of them.

    Args:
        lengths: tokens of each row, shape (rows,).
        size: rows per batch. For "tokens" a batch holds as many rows as fit into `size` rows of mean length, padding
            counted, and so differs in rows from batch to batch.
        way: see the module; "plain" takes the rows as they were drawn.
        seed: of the training.
        epoch: counted from 0.
    """
    draw = np.random.default_rng(stream_seed(seed, "batches", epoch))
    order = draw.permutation(len(lengths))
    if way == "plain":
        return _cut(order, size)
    pools = [pool[np.argsort(lengths[pool], kind="stable")] for pool in _cut(order, POOL * size)]
    if way == "bucket":
        found = [batch for pool in pools for batch in _cut(pool, size)]
    else:
        budget = size * float(lengths.mean())
        found = [batch for pool in pools for batch in within(lengths[pool], pool, budget)]
    return [found[i] for i in draw.permutation(len(found))]


def within(lengths: Rows, rows: Rows, budget: float) -> list[Rows]:
    """Neighbours together as long as (rows x longest) stays within the budget; at least one row each.

    Args:
        lengths: tokens of each of `rows`, ascending.
        rows: what is cut.
        budget: tokens, padding counted.
    """
    found, start = [], 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or (end + 1 - start) * int(lengths[end]) > budget:
            found.append(rows[start:end])
            start = end
    return found


def _cut(rows: Rows, size: int) -> list[Rows]:
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def padding(lengths: Rows, batches: Sequence[Rows]) -> float:
    """Share of the positions that hold no token."""
    total = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1 - int(lengths.sum()) / total
