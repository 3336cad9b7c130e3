"""Texts to numbers of words: in this process where they are few, in several where they are many.

MeCab and Python use one core each. Each further process is a new Python that reads its texts from a file and writes
numbers to others (`python -m japagen.analyze.corpus.cutting TOKENISER FOLDER`): nothing is forked, as this process may run
torch's threads. Words get their numbers in the order in which they first appear, whatever the number of processes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray

from japagen.analyze.corpus.tokenisers import clean, cutter
from japagen.student.encoder.tokens.parallel import WORTH, cores

MOST = 8
CHUNK = 1000  # texts that are cut before their words become numbers: keeps few strings alive


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Texts as numbers of marked words (`tokenisers.cutter`).

    Attributes:
        marks: int32, (tokens,): numbers into `marked`, one text after another.
        sizes: int64, (texts,): words of each text.
        marked: the different marked words in the order of their first appearance.
    """

    marks: NDArray[np.int32]
    sizes: NDArray[np.int64]
    marked: Sequence[str]


def cut(texts: Sequence[str], tokeniser: str, told: Callable[[int], None] = lambda done: None) -> Cut:
    """Cut texts here.

    Args:
        texts: any strings.
        tokeniser: one of `tokenisers.TOKENISERS`.
        told: called with the number of texts done.

    Raises:
        ConfigError: there is no such tokeniser.
        MissingExtra: it is not installed.
    """
    words = cutter(tokeniser)
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    marks, sizes = [np.zeros(0, np.int32)], np.zeros(len(texts), np.int64)
    for start in range(0, len(texts), CHUNK):
        rows = [words(text) for text in texts[start : start + CHUNK]]
        sizes[start : start + len(rows)] = [len(row) for row in rows]
        marks.append(np.fromiter(map(numbers.__getitem__, chain.from_iterable(rows)), np.int32))
        told(start + len(rows))
    return Cut(np.concatenate(marks), sizes, list(numbers))


def cut_in_processes(
    texts: Sequence[str], tokeniser: str, processes: int | None = None, told: Callable[[int], None] = lambda done: None
) -> Cut:
    """The same as `cut`, in as many processes as are asked for; None: as pay, by the number of characters.

    A process that fails has its share cut here. The arguments and errors are those of `cut`.
    """
    count = min(cores(), MOST, sum(map(len, texts)) // WORTH) if processes is None else processes
    cutter(tokeniser)  # what is unknown or missing is said once, here
    if count < 2:
        return cut(texts, tokeniser, told)
    bounds = [len(texts) * i // count for i in range(count + 1)]
    shares = [texts[begin:end] for begin, end in pairwise(bounds)]
    with tempfile.TemporaryDirectory(prefix="japagen-words-") as name, contextlib.ExitStack() as running:
        home = Path(name)
        others = [running.enter_context(_started(home / str(i), tokeniser, shares[i])) for i in range(1, count)]
        parts = [cut(shares[0], tokeniser, lambda done: told(done * count))]
        for i, process in enumerate(others, 1):
            parts.append(_read(home / str(i)) if process.wait() == 0 else cut(shares[i], tokeniser))
    return _joined(parts)


def _joined(parts: Sequence[Cut]) -> Cut:
    numbers = {marked: n for n, marked in enumerate(dict.fromkeys(chain.from_iterable(p.marked for p in parts)))}
    marks = [np.array([numbers[marked] for marked in part.marked], np.int32)[part.marks] for part in parts]
    return Cut(np.concatenate(marks), np.concatenate([part.sizes for part in parts]), list(numbers))


@contextlib.contextmanager
def _started(folder: Path, tokeniser: str, texts: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process at work on these texts; it ends with the block, done or not."""
    folder.mkdir()
    (folder / "texts.json").write_bytes(orjson.dumps([clean(text) for text in texts]))
    command = [sys.executable, "-m", "japagen.analyze.corpus.cutting", tokeniser, str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(  # noqa: S603 our own module
        command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _write(folder: Path, found: Cut) -> None:
    np.save(folder / "marks.npy", found.marks)
    np.save(folder / "sizes.npy", found.sizes)
    (folder / "marked.json").write_bytes(orjson.dumps(found.marked))


def _read(folder: Path) -> Cut:
    marked = orjson.loads((folder / "marked.json").read_bytes())
    return Cut(np.load(folder / "marks.npy"), np.load(folder / "sizes.npy"), marked)


def main(tokeniser: str, folder: Path) -> None:
    """Cut the texts of a folder and write the result beside them."""
    _write(folder, cut(orjson.loads((folder / "texts.json").read_bytes()), tokeniser))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
