"""Draws that can be repeated, and the error of a measure that has no value."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

from japagen.streams import stream

__all__ = ["UndefinedError", "draw", "stream"]

T = TypeVar("T")


class UndefinedError(ValueError):
    """A measure has no value for its input, such as the mean length of no texts. Never answered with 0 or NaN."""


def draw(rows: Sequence[T], n: int, rng: random.Random) -> list[T]:
    """`n` different rows, in the order drawn.

    Raises:
        UndefinedError: there are fewer rows, or `n` is below 1.
    """
    if not 1 <= n <= len(rows):
        raise UndefinedError(f"cannot draw {n} of {len(rows)} rows")
    return rng.sample(rows, n)
