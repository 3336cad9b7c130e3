"""What is known of a batch, on disk: which requests it holds, and how far it has come at the server.

A folder holds two files for each batch: `batch-0001.jsonl`, what was or will be uploaded, and `batch-0001.json`, the
record. The record is written before the upload, after it (with the file's id), and after the batch was created (with its
id), so that a batch is found again after `kill -9` at any point. It knows nothing of replies.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from japagen.errors import RunError
from japagen.llm.batch.lines import body_of, custom_id, write_line
from japagen.records import Request
from japagen.tables import file_digest

_LONGEST_KEPT = 29 * 86400.0  # seconds; servers delete files after 30 days
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one batch: requests, and bytes of its file (OpenAI takes 50,000 and 200 MB)."""

    rows: int = 50_000
    size: int = 190_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What many requests share: one without messages, and the body without messages and seed."""

    request: Request
    parameters: dict[str, Any]


@dataclass(slots=True, eq=False)
class Row:
    """A request in a batch.

    Attributes:
        request: its id.
        key: `Request.key`.
        tries: batches that held it before this one.
        prompt_tokens, completion_tokens: that those cost.
        asked: set once the present run has asked for it.
        characters: of its prompt, known (and not recorded) once the present run has asked for it.
    """

    request: str
    key: str
    tries: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    asked: Asked | None = None
    characters: int = 0


@dataclass(slots=True, eq=False)
class Batch:
    """A batch and its record.

    Attributes:
        path: the record.
        llm: name of the model that is asked.
        digest: SHA-256 (hex) of the file of requests.
        created: seconds since the epoch.
        rows: its requests by custom id, without those whose replies are safe.
        file_id, batch_id: at the server; "" before.
    """

    path: Path
    llm: str
    digest: str
    created: float
    rows: dict[str, Row]
    file_id: str = ""
    batch_id: str = ""

    @property
    def lines(self) -> Path:
        """The file of requests."""
        return self.path.with_suffix(".jsonl")

    @property
    def results(self) -> Path:
        """Where a file of results may stand for as long as it is read."""
        return self.path.with_suffix(".results")

    def save(self) -> None:
        """Write the record; it is on disk when this returns.

        Raises:
            RunError: it cannot be written.
        """
        rows = [
            [name, r.request, r.key, r.tries, r.prompt_tokens, r.completion_tokens] for name, r in self.rows.items()
        ]
        value = {"format": _FORMAT, "llm": self.llm, "digest": self.digest, "created": self.created}
        value |= {"file_id": self.file_id, "batch_id": self.batch_id, "rows": rows}
        with recording(self.path.parent):
            partial = self.path.with_suffix(".partial")
            with partial.open("wb") as file:
                file.write(orjson.dumps(value))
                _to_disk(file)
            partial.replace(self.path)
            _folder_to_disk(self.path.parent)

    def forget(self, names: Iterable[str]) -> None:
        """Strike rows off, durably; a record without rows is removed."""
        for name in names:
            self.rows.pop(name, None)
        if self.rows:
            self.save()
        else:
            self.remove()

    def remove(self) -> None:
        """Remove the record, then the requests."""
        self.path.unlink(missing_ok=True)
        self.lines.unlink(missing_ok=True)

    def bodies(self, names: Container[str]) -> Iterator[tuple[str, bytes]]:
        """Custom id and body of some rows, as they were written; none where the file was removed or changed."""
        if not self.lines.is_file() or file_digest(self.lines) != self.digest:
            return
        with self.lines.open("rb") as file:
            for number, line in enumerate(file):
                if (name := custom_id(number)) in names:
                    yield name, body_of(line)


@dataclass(slots=True, eq=False)
class Spool:
    """A batch in the making: requests go to its file as they come. Nothing of it counts before `seal`.

    Raises:
        RunError: the file cannot be written.
    """

    folder: Path
    llm: str
    limits: Limits = Limits()
    rows: dict[str, Row] = field(default_factory=dict)
    _path: Path = field(init=False)
    _file: BinaryIO = field(init=False)
    _hash: Any = field(init=False, default_factory=hashlib.sha256)
    _bytes: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        taken = {path.stem for path in self.folder.glob("batch-*.json*")}
        number = next(n for n in range(1, len(taken) + 2) if f"batch-{n:04}" not in taken)
        self._path = self.folder / f"batch-{number:04}.json"
        with recording(self.folder):
            self._file = self._path.with_suffix(".jsonl").open("wb")

    def takes(self, body: bytes) -> bool:
        """Whether there is room for one more."""
        size = self._bytes + len(body) + 128
        return not self.rows or (len(self.rows) < self.limits.rows and size <= self.limits.size)

    def add(self, row: Row, body: bytes) -> None:
        """Add a request; raises RunError where the disk is full."""
        line = write_line(len(self.rows), body)
        with recording(self.folder):
            self._file.write(line)
        self._hash.update(line)
        self._bytes += len(line)
        self.rows[custom_id(len(self.rows))] = row

    def seal(self) -> Batch:
        """The batch, on disk with its record."""
        with recording(self.folder):
            _to_disk(self._file)
            self._file.close()
        batch = Batch(self._path, self.llm, self._hash.hexdigest(), time.time(), self.rows)
        batch.save()
        return batch

    def discard(self) -> None:
        """Give it up, unless it was sealed but for the last step."""
        self._file.close()
        if not self._path.exists():
            self._path.with_suffix(".jsonl").unlink(missing_ok=True)


def load_batches(folder: Path, llm: str) -> list[Batch]:
    """The batches of a model that are recorded in a folder; what is of no use any more is removed.

    That are: requests without a record; records of batches whose results no server keeps any more; requests of which a
    later batch holds the repetition; batches that were not uploaded and whose requests were lost.

    Raises:
        RunError: a record is damaged.
    """
    found = [_load(path) for path in sorted(folder.glob("batch-*.json"))]
    for path in folder.glob("batch-*"):
        if path.suffix in (".partial", ".results") or not path.with_suffix(".json").exists():
            path.unlink()
    of_use = []
    for batch in found:
        stale = time.time() - batch.created > _LONGEST_KEPT
        lost = not batch.file_id and not (batch.lines.is_file() and file_digest(batch.lines) == batch.digest)
        if stale or lost:
            batch.remove()
        else:
            of_use.append(batch)
    latest: dict[str, int] = {}
    for batch in of_use:
        for row in batch.rows.values():
            latest[row.key] = max(row.tries, latest.get(row.key, 0))
    for batch in of_use:
        if repeated := [name for name, row in batch.rows.items() if row.tries < latest[row.key]]:
            batch.forget(repeated)
    return [batch for batch in of_use if batch.rows and batch.llm == llm]


def _load(path: Path) -> Batch:
    try:
        value = orjson.loads(path.read_bytes())
        if value["format"] != _FORMAT:
            raise ValueError(f"format {value['format']}, this japagen reads {_FORMAT}")
        rows = {name: Row(*fields) for name, *fields in value["rows"]}
        texts = [value[name] for name in ("llm", "digest", "file_id", "batch_id")]
        if not all(isinstance(text, str) for text in [*texts, *(row.key for row in rows.values())]):
            raise ValueError("no text where one must be")
        if not all(isinstance(row.tries, int) for row in rows.values()):
            raise ValueError("no number where one must be")
        return Batch(path, texts[0], texts[1], float(value["created"]), rows, texts[2], texts[3])
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise RunError(
            f"the record of a batch cannot be read ({type(error).__name__}: {error})",
            where=path,
            remedy="delete the file to send its requests again, in a new batch that is paid for anew",
        ) from error


@contextlib.contextmanager
def recording(folder: Path) -> Iterator[None]:
    """Errors of the disk become RunError."""
    try:
        yield
    except OSError as error:
        raise RunError(
            f"a batch cannot be recorded: {error.strerror}",
            where=folder,
            remedy="make room or allow writing, then give the same command again",
        ) from error


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _folder_to_disk(folder: Path) -> None:
    if os.name != "posix":
        return
    number = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
