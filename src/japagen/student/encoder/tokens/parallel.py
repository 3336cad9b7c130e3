"""Very many texts are cut in several processes: MeCab and Python use one core each.

Each process is a new Python that reads its texts from a file and writes ids to another (`worker`): nothing is forked, as
this process may run torch's threads, and the caller's script is not imported again, as multiprocessing would.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Protocol

import numpy as np
import orjson

from japagen.student.encoder.tokens.rows import Pieces

WORTH = 1_000_000
"""Characters per process below which another one costs more than it saves (benchmarks/tokenising.py)."""
MOST = 8
TEXTS, IDS, STARTS = "texts.json", "ids.npy", "starts.npy"


class Saves(Protocol):
    """What another process can load."""

    def save(self, folder: Path) -> None: ...


def in_processes(
    tokeniser: Saves, texts: Sequence[str], function: Callable[[Sequence[str]], Pieces], *, worth: int = WORTH
) -> Pieces:
    """`function` of the texts, in as many processes as pay; the same ids, whatever their number.

    Args:
        tokeniser: that whose `pieces` is `function`; the others load it.
        texts: to be cut.
        function: done here, for this process's share and that of any process that fails.
        worth: characters that are worth a process.
    """
    count = min(cores(), MOST, sum(map(len, texts)) // worth)
    if count < 2:
        return function(texts)
    bounds = [len(texts) * i // count for i in range(count + 1)]
    shares = [texts[begin:end] for begin, end in pairwise(bounds)]
    with tempfile.TemporaryDirectory(prefix="japagen-tokens-") as name, contextlib.ExitStack() as running:
        home = Path(name)
        tokeniser.save(home)
        others = [running.enter_context(_started(home, i, share)) for i, share in enumerate(shares[1:], 1)]
        parts = [function(shares[0])]
        for i, process in enumerate(others, 1):
            parts.append(_read(home / str(i)) if process.wait() == 0 else function(shares[i]))
    return Pieces.joined(parts)


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


@contextlib.contextmanager
def _started(home: Path, number: int, texts: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process at work on these texts; it ends with the block, done or not."""
    folder = home / str(number)
    folder.mkdir()
    (folder / TEXTS).write_bytes(orjson.dumps(texts))
    command = [sys.executable, "-m", "japagen.student.encoder.tokens.worker", str(home), str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 our own module
        command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _read(folder: Path) -> Pieces:
    return Pieces(np.load(folder / IDS), np.load(folder / STARTS))
