"""The set join of more texts than fit into memory: their tokens lie in a temporary file and are joined block by block.

The blocks are ranges of sizes, and two are compared only where their sizes allow similar sets. The pairs are those that
`self_join` finds. In memory stay some 16 bytes per text and the blocks at work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import numpy as np
from numpy.typing import NDArray

from japagen.setjoin import Pairs, Sets, join, self_join

BYTES = 80  # of memory per token of a block while it is compared with another
SLACK = 1e-6  # as in the compiled loops: bounds are taken a little too low


@dataclass(frozen=True, slots=True)
class _Run:
    """Texts that were read together: their sets lie in the file from a token on, by size."""

    start: int
    rows: NDArray[np.int64]  # numbers of the texts
    sizes: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Block:
    """Sets of about one size: of each run the places from one to before another; with the smallest and largest size."""

    pieces: tuple[tuple[_Run, int, int], ...]
    smallest: int
    largest: int


def stream_join(
    texts: Iterable[str], similarity: float, *, memory: int = 2**30, folder: Path | None = None
) -> Iterator[Pairs]:
    """All pairs of texts whose 3-grams are at least so similar, block by block; each pair comes once.

    Args:
        texts: read once.
        similarity: the least Jaccard similarity, above 0 and at most 1.
        memory: bytes that blocks may take. It bounds neither a single text nor the pairs of one block.
        folder: where the temporary file is; None: where the system puts such files. It takes 8 bytes per character.

    Yields:
        Pairs of numbers of texts, from 0, first < second, sorted among themselves.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1, or `memory` below 1.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, not {similarity}")
    if memory < 1:
        raise ValueError(f"memory must be at least 1 byte, not {memory}")
    room = max(1, memory // BYTES // 2)  # tokens of a block; two are at work
    with TemporaryFile(dir=folder) as file:
        runs = list(_spilled(texts, room, file))
        file.flush()
        if not runs:
            return
        tokens = np.memmap(file, np.uint64, mode="r")
        blocks = list(_blocks(runs, room))
        for i, block in enumerate(blocks):
            sets, rows = _loaded(block, tokens)
            yield _named(self_join(sets, similarity), rows, rows)
            for other in blocks[:i]:
                if other.largest >= similarity * block.smallest - SLACK:
                    others, other_rows = _loaded(other, tokens)
                    yield _named(join(others, sets, similarity), other_rows, rows)


def _spilled(texts: Iterable[str], room: int, file: IO[bytes]) -> Iterator[_Run]:
    """Write the sets of so many texts at a time as have about that many tokens."""
    first, start = 0, 0
    for chunk in _chunks(texts, room):
        sets = Sets.of_texts(chunk)
        order = np.argsort(sets.sizes, kind="stable")
        ordered = sets.take(order)
        file.write(ordered.tokens.tobytes())
        yield _Run(start, order + first, ordered.sizes)
        first += len(chunk)
        start += len(ordered.tokens)


def _chunks(texts: Iterable[str], room: int) -> Iterator[list[str]]:
    chunk: list[str] = []
    length = 0
    for text in texts:
        if chunk and length + len(text) > room:
            yield chunk
            chunk, length = [], 0
        chunk.append(text)
        length += max(1, len(text))
    if chunk:
        yield chunk


def _blocks(runs: list[_Run], room: int) -> Iterator[_Block]:
    """The sets by size in blocks of at most so many tokens; a larger set is a block by itself."""
    pieces: list[tuple[_Run, int, int]] = []
    held, smallest, size = 0, 0, 0
    for size in np.unique(np.concatenate([run.sizes for run in runs])).tolist():
        for run in runs:
            low, high = (int(place) for place in np.searchsorted(run.sizes, [size, size + 1]))
            if low == high:
                continue
            if pieces and held + size * (high - low) > room:
                yield _Block(tuple(pieces), smallest, int(pieces[-1][0].sizes[pieces[-1][1]]))
                pieces, held = [], 0
            smallest = smallest if pieces else size
            pieces.append((run, low, high))
            held += size * (high - low)
    yield _Block(tuple(pieces), smallest, size)


def _loaded(block: _Block, tokens: NDArray[np.uint64]) -> tuple[Sets, NDArray[np.int64]]:
    """The sets of a block and the numbers of their texts."""
    parts, sizes, rows = [], [], []
    for run, low, high in block.pieces:
        begin = run.start + int(run.sizes[:low].sum())
        own = run.sizes[low:high]
        parts.append(tokens[begin : begin + int(own.sum())])
        sizes.append(own)
        rows.append(run.rows[low:high])
    starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])
    return Sets(np.concatenate(parts), starts), np.concatenate(rows)


def _named(pairs: Pairs, rows: NDArray[np.int64], others: NDArray[np.int64]) -> Pairs:
    one, other = rows[pairs.first], others[pairs.second]
    return Pairs.sorted(np.minimum(one, other), np.maximum(one, other), pairs.scores)
