"""Replies on disk: what was paid for is never paid for again.

One SQLite file, write-ahead log, synchronous=FULL: a reply that `complete` has yielded survives the loss of power. Keys are
digests of what was sent, so replies are found again whatever else changed. The store knows nothing of labels or parsing.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from japagen.errors import RunError
from japagen.llm import LLM
from japagen.records import Reply, Request

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
  key TEXT PRIMARY KEY, request TEXT NOT NULL, text TEXT NOT NULL, logprobs TEXT NOT NULL, finish TEXT NOT NULL,
  failed TEXT, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, seconds REAL NOT NULL,
  sent TEXT NOT NULL
) WITHOUT ROWID
"""
_GROUP = 64  # replies per commit at most
_PATIENCE = 0.5  # seconds that a reply waits for others at most, as long as replies keep coming


class ReplyStore:
    """The replies of one folder; use it as a context manager.

    Raises:
        RunError: the file is damaged or cannot be written; it is left as it is.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.execute(_SCHEMA)
            if (found := self._db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.Error) -> RunError:
        saved = "an unknown number of replies"
        try:
            count = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True).execute("SELECT count(*) FROM replies")
            saved = f"{count.fetchone()[0]} replies"
        except sqlite3.Error:
            pass
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            remedy = "another process is using it: wait for it, then give the same command again"
        elif code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            remedy = "make room or allow writing, then give the same command again"
        else:
            remedy = "move the file away to begin anew, or recover it with: sqlite3 FILE .recover"
        return RunError(
            f"the store of replies cannot be used ({error}); {saved} can still be read, nothing was overwritten",
            where=self.path,
            remedy=remedy,
        )

    def __enter__(self) -> ReplyStore:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM replies").fetchone()[0])

    def get(self, key: str) -> Reply | None:
        """The reply stored under a key."""
        try:
            row = self._db.execute(
                "SELECT request, text, logprobs, finish, failed, prompt_tokens, completion_tokens, seconds "
                "FROM replies WHERE key = ?",
                (key,),
            ).fetchone()
        except sqlite3.Error as error:
            raise self._damaged(error) from error
        if row is None:
            return None
        return Reply(row[0], row[1], tuple(json.loads(row[2])), *row[3:])

    def put(self, rows: Iterable[tuple[str, Request, Reply]]) -> None:
        """Write replies in one durable transaction.

        Raises:
            RunError: they could not be written, e.g. because the disk is full; none of them counts then.
        """
        values = [
            (
                key,
                reply.request.encode("utf-8", "replace").decode(),
                reply.text.encode("utf-8", "replace").decode(),
                json.dumps(reply.logprobs),
                reply.finish,
                reply.failed,
                reply.prompt_tokens,
                reply.completion_tokens,
                reply.seconds,
                json.dumps(asdict(request)),
            )
            for key, request, reply in rows
        ]
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.executemany("INSERT OR REPLACE INTO replies VALUES (?,?,?,?,?,?,?,?,?,?)", values)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise RunError(
                f"{len(values)} replies could not be stored: {error}; all earlier ones are safe",
                where=self.path,
                remedy="make room or allow writing, then give the same command again",
            ) from error

    def complete(self, llm: LLM, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply, bool]]:
        """Answer requests from the store where it can, by the model where not; a reply counts once it is on disk.

        Failed replies are not kept: the same command asks for them again.

        Yields:
            the request, its reply, and whether the reply stood in the store already.
        """
        sent: dict[str, tuple[str, Request]] = {}
        stored: list[tuple[Request, Reply, bool]] = []
        waiting: list[tuple[str, Request, Reply]] = []
        began = 0.0

        def unanswered() -> Iterator[Request]:
            for request in requests:
                key = request.key(llm.name)
                if (reply := self.get(key)) is not None:
                    stored.append((request, reply, True))
                    continue
                sent[request.id] = (key, request)
                yield request

        def flush() -> Iterator[tuple[Request, Reply, bool]]:
            done, waiting[:] = list(waiting), []
            self.put(row for row in done if row[2].failed is None)
            yield from ((request, reply, False) for _, request, reply in done)

        asked = iter(requests)
        for request in asked:  # what a resumed run has already comes at once, before the model is even asked
            if (known := self.get(request.key(llm.name))) is None:
                requests = itertools.chain([request], asked)
                break
            yield request, known, True
        else:
            return
        replies = iter(llm.complete(unanswered()))
        try:
            for reply in replies:
                yield from _drain(stored)
                key, request = sent.pop(reply.request)
                if not waiting:
                    began = time.monotonic()
                waiting.append((key, request, reply))
                if len(waiting) >= _GROUP or time.monotonic() - began >= _PATIENCE:
                    yield from flush()
            yield from _drain(stored)
            yield from flush()
        finally:
            if waiting:  # an exception came: what was answered is kept all the same
                self.put(row for row in waiting if row[2].failed is None)
        for _, request in sent.values():
            yield request, Reply(request.id, failed="no reply"), False


def _drain(rows: list[tuple[Request, Reply, bool]]) -> Iterator[tuple[Request, Reply, bool]]:
    done, rows[:] = list(rows), []
    yield from done
