"""Named streams of randomness: each use draws from its own, so that one more draw here moves nothing there."""

from __future__ import annotations

import hashlib
import random


def stream_seed(seed: int, *name: object) -> int:
    """A 63-bit seed for the stream of that name under the experiment's seed."""
    text = "\x1f".join([str(seed), *map(str, name)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def stream(seed: int, *name: object) -> random.Random:
    """A generator of its own for one named use.

    >>> stream(0, "shots", "positive", 3).random() == stream(0, "shots", "positive", 3).random()
    True
    """
    return random.Random(stream_seed(seed, *name))
