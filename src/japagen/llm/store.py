"""Replies on disk: what was paid for is never paid for again.

One SQLite file, write-ahead log, synchronous=FULL: a reply that was yielded survives the loss of power. Keys are digests of
what was sent, so replies are found again whatever else changed; each is also filed under its plan and row, so that a
resumed run sees what is missing without making a single prompt. The store knows nothing of labels or parsing.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson

from japagen.errors import RunError
from japagen.llm import LLM
from japagen.llm.budget import Budget, Usage
from japagen.records import Message, Reply, Request

_FORMAT = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS plans (id INTEGER PRIMARY KEY, digest TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS sent (id INTEGER PRIMARY KEY, json BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS replies (
  number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, plan INTEGER NOT NULL, request TEXT NOT NULL,
  text TEXT NOT NULL, logprobs TEXT NOT NULL, finish TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL, seconds REAL NOT NULL, tries INTEGER NOT NULL,
  model TEXT NOT NULL, fingerprint TEXT NOT NULL, messages INTEGER NOT NULL, parameters INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS by_row ON replies (plan, request);
CREATE TABLE IF NOT EXISTS spent (
  requests INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL
);
"""
_REPLY = (
    "request, text, logprobs, finish, prompt_tokens, completion_tokens, seconds, tries, model, fingerprint, parameters"
)
_INTO_REPLIES = " INTO replies VALUES (NULL" + ", ?" * 14 + ")"
_FOUND_AT_ONCE = 500  # replies refiled in one transaction


class Plan(Protocol):
    """Requests that are a function of their ids.

    Attributes:
        digest: of all that they follow from, but their number. The same digest and id mean the same request.
    """

    digest: str

    def ids(self) -> Iterator[str]:
        """The rows, cheaply."""
        ...

    def request(self, row: str) -> Request | None:
        """The request of a row; None where it cannot be made (the first sentence of a pair never came)."""
        ...


class ReplyStore:
    """The replies of one folder; use it as a context manager.

    Args:
        path: the file, made if it is not there.
        shared: another such file, looked into before a model is asked, and given every new reply.
        budget: what may be spent; it stops requests, and is told of every reply.

    Raises:
        RunError: the file is damaged or cannot be written; it is left as it is.
    """

    def __init__(self, path: Path, *, shared: Path | None = None, budget: Budget | None = None) -> None:
        self.path = path
        self.budget = budget
        self._shared: ReplyStore | None = None
        self._lock = threading.RLock()  # a backend may pull requests in a thread of its own
        self._written: dict[int, None] = {}  # what stands in `sent` for sure, newest last
        self._parameters: dict[int, Mapping[str, Any]] = {}
        self._filed: dict[str, int] = {}
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=30, check_same_thread=False)
            try:
                self._open()
            except BaseException:
                self._db.close()
                raise
        except sqlite3.Error as error:
            raise self._damaged(error) from error
        if shared is not None:
            shared.parent.mkdir(parents=True, exist_ok=True)
            self._shared = ReplyStore(shared)

    def _open(self) -> None:
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        tables = self._db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if tables and version != _FORMAT:
            raise RunError(
                f"the store of replies has format {version or 1}, this japagen reads {_FORMAT}",
                where=self.path,
                remedy="move the file away to begin anew, or use the japagen that wrote it",
            )
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        if not tables:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version={_FORMAT}; COMMIT;")
        if self.path.stat().st_size < 1 << 28:  # beyond 256 MB it would take longer than most runs care for
            found = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if found != "ok":
                raise sqlite3.DatabaseError(found)

    def _damaged(self, error: sqlite3.Error) -> RunError:
        saved = "an unknown number of replies"
        try:
            reader = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
            try:
                (count,) = reader.execute("SELECT count(*) FROM replies").fetchone()
                saved = f"{count} replies"
            finally:
                reader.close()
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
        if self._shared is not None:
            self._shared.__exit__()

    def __len__(self) -> int:
        return int(self._ask("SELECT count(*) FROM replies")[0])

    # ---- reading ----------------------------------------------------------------------------------------------------

    def get(self, key: str) -> Reply | None:
        """The reply stored under a key (`Request.key`)."""
        return self._reply(self._ask(f"SELECT {_REPLY} FROM replies WHERE key = ?", bytes.fromhex(key)))  # noqa: S608

    def reply(self, plan: Plan, row: str) -> Reply | None:
        """The reply to a row of a plan."""
        found = self._ask(f"SELECT {_REPLY} FROM replies WHERE plan = ? AND request = ?", self._file(plan.digest), row)  # noqa: S608
        return self._reply(found)

    def answered(self, plan: Plan) -> set[str]:
        """The rows of a plan that have a reply."""
        filed = self._file(plan.digest)
        try:
            with self._lock:
                return {row for (row,) in self._db.execute("SELECT request FROM replies WHERE plan = ?", (filed,))}
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def messages(self, key: str) -> tuple[Message, ...] | None:
        """What was sent for the reply under a key."""
        asked = "SELECT json FROM sent WHERE id = (SELECT messages FROM replies WHERE key = ?)"
        found = self._ask(asked, bytes.fromhex(key))
        return tuple(Message(role, content) for role, content in json.loads(found[0])) if found else None

    def usage(self) -> Usage:
        """Everything that was spent through this store, failed calls included."""
        found = self._ask("SELECT total(requests), total(prompt_tokens), total(completion_tokens) FROM spent")
        try:
            usage = Usage(*map(int, found))
        except (ValueError, OverflowError, TypeError) as error:
            raise self._damaged(sqlite3.DatabaseError(f"what was spent: {error}")) from error
        if min(usage.requests, usage.prompt_tokens, usage.completion_tokens) < 0:
            raise self._damaged(sqlite3.DatabaseError("what was spent is negative"))
        return usage

    def _ask(self, sql: str, *values: Any) -> Any:
        try:
            with self._lock:
                return self._db.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _reply(self, row: tuple[Any, ...] | None) -> Reply | None:
        if row is None:
            return None
        request, text, logprobs, finish, prompt, completion, seconds, tries, model, fingerprint, parameters = row
        try:
            if parameters not in self._parameters:
                found = self._ask("SELECT json FROM sent WHERE id = ?", parameters)
                self._parameters[parameters] = dict(json.loads(found[0])) if found else {}
            likelihoods = tuple(map(float, json.loads(logprobs))) if logprobs else ()
            texts = (request, text, finish, model, fingerprint)
            if not all(isinstance(value, str) for value in texts):
                raise TypeError("a text is none")
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damaged(sqlite3.DatabaseError(f"row '{str(request)[:80]}': {error}")) from error
        return Reply(
            request, text, likelihoods, finish, None, prompt, completion, seconds,
            tries, model, fingerprint, self._parameters[parameters],
        )  # fmt: skip

    # ---- writing ----------------------------------------------------------------------------------------------------

    def put(self, rows: Iterable[tuple[str, Request, Reply]], *, plan: str = "") -> None:
        """Write replies in one durable transaction, and what they cost; failed ones are not kept, but their cost is.

        Args:
            rows: key, request and reply of each.
            plan: digest of the plan they belong to, if any.

        Raises:
            RunError: they could not be written, e.g. because the disk is full; none of them counts then.
        """
        filed = self._file(plan)
        rows = list(rows)
        spent = [sum(values) for values in zip(*((r.tries, r.prompt_tokens, r.completion_tokens) for _, _, r in rows))]  # noqa: B905
        blobs: dict[int, bytes] = {}
        values = [self._row(key, filed, request, reply, blobs) for key, request, reply in rows if reply.failed is None]
        try:
            with self._transaction():
                if blobs:
                    self._db.executemany("INSERT OR IGNORE INTO sent VALUES (?, ?)", blobs.items())
                self._db.executemany("INSERT OR REPLACE" + _INTO_REPLIES, values)
                if spent:
                    self._spend(spent)
        except sqlite3.Error as error:
            raise RunError(
                f"{len(rows)} replies could not be stored: {error}; all earlier ones are safe",
                where=self.path,
                remedy="make room or allow writing, then give the same command again",
            ) from error
        self._written |= dict.fromkeys(blobs)
        while len(self._written) > 10_000:
            self._written.pop(next(iter(self._written)))
        if self._shared is not None:
            self._shared.put(((k, request, reply) for k, request, reply in rows if reply.failed is None), plan=plan)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _spend(self, spent: list[int]) -> None:
        columns = ("requests", "prompt_tokens", "completion_tokens")
        change = ", ".join(f"{name} = {name} + ?" for name in columns)
        if not self._db.execute(f"UPDATE spent SET {change}", spent).rowcount:  # noqa: S608
            self._db.execute("INSERT INTO spent VALUES (?, ?, ?)", spent)

    def _row(self, key: str, plan: int, request: Request, reply: Reply, blobs: dict[int, bytes]) -> tuple[Any, ...]:
        messages = self._blob([(m.role, _clean(m.content)) for m in request.messages], blobs)
        parameters = self._blob(reply.parameters, blobs)
        logprobs = json.dumps(reply.logprobs) if reply.logprobs else ""
        return (
            bytes.fromhex(key), plan, _clean(reply.request), _clean(reply.text), logprobs, reply.finish,
            reply.prompt_tokens, reply.completion_tokens, reply.seconds, reply.tries, reply.model, reply.fingerprint,
            messages, parameters,
        )  # fmt: skip

    def _blob(self, value: Any, blobs: dict[int, bytes]) -> int:
        """Number of a JSON value in `sent`: from its digest, so that equal values share one row."""
        data = orjson.dumps(value)
        number = int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), signed=True)
        if number not in self._written:
            blobs[number] = data
        return number

    def _file(self, plan: str) -> int:
        if plan not in self._filed:
            try:
                with self._lock:
                    self._db.execute("INSERT OR IGNORE INTO plans (digest) VALUES (?)", (plan,))
            except sqlite3.Error as error:
                raise self._damaged(error) from error
            self._filed[plan] = self._ask("SELECT id FROM plans WHERE digest = ?", plan)[0]
        return self._filed[plan]

    # ---- asking -----------------------------------------------------------------------------------------------------

    def fill(
        self, llm: LLM, plan: Plan, *, on_found: Callable[[Request], None] = lambda request: None
    ) -> Iterator[list[tuple[Request, Reply]]]:
        """Ask the model for every row of a plan that has no reply; replies count once they are on disk.

        A request that was answered under another plan (or in the shared store) is not sent again. Failed replies are
        not kept: the same command asks for them again. Once the budget is spent, no more requests are made; those
        in flight are still waited for.

        Args:
            llm: who is asked.
            plan: what is asked.
            on_found: told of requests that were answered under another plan.

        Yields:
            new replies with their requests, failed ones among them, in the lists in which they came.
        """
        known = self.answered(plan)
        elsewhere = len(self) > len(known)
        found: list[tuple[str, Request, Reply]] = []

        def refile() -> None:
            rows, found[:] = list(found), []
            if rows:
                self._refile(rows, plan.digest)

        def missing() -> Iterator[Request]:
            for row in plan.ids():
                if row in known or (request := plan.request(row)) is None:
                    continue
                if (elsewhere or self._shared) and (reply := self._find(key := request.key(llm.name))):
                    found.append((key, request, reply))
                    on_found(request)
                    if len(found) >= _FOUND_AT_ONCE:
                        refile()
                    continue
                yield request

        yield from self._send(llm, missing(), plan.digest)
        refile()

    def complete(self, llm: LLM, requests: Iterable[Request]) -> Iterator[tuple[Request, Reply, bool]]:
        """Answer requests from the store where it can, by the model where not; a reply counts once it is on disk.

        For requests that are no plan. Failed replies are not kept. Where the budget ends, the rest is not answered.

        Yields:
            the request, its reply, and whether the reply stood in the store already; those first.
        """
        asked = list(requests)
        rest = []
        for request in asked:
            key = request.key(llm.name)
            if (reply := self._find(key)) is None:
                rest.append(request)
                continue
            if self._shared is not None:
                self._refile([(key, request, reply)], "")
            yield request, reply, True
        for batch in self._send(llm, rest, ""):
            yield from ((request, reply, False) for request, reply in batch)

    def _find(self, key: str) -> Reply | None:
        found = self.get(key)
        if found is None and self._shared is not None:
            found = self._shared.get(key)
        return found

    def _refile(self, rows: list[tuple[str, Request, Reply]], plan: str) -> None:
        """File replies under another plan; those of the shared store come in, at no cost."""
        filed = self._file(plan)
        blobs: dict[int, bytes] = {}
        values = [self._row(key, filed, request, reply, blobs) for key, request, reply in rows]
        try:
            with self._transaction():
                self._db.executemany("INSERT OR IGNORE INTO sent VALUES (?, ?)", blobs.items())
                self._db.executemany("INSERT OR IGNORE" + _INTO_REPLIES, values)
                self._db.executemany("UPDATE replies SET plan = ? WHERE key = ?", [(filed, v[0]) for v in values])
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def _send(self, llm: LLM, requests: Iterable[Request], plan: str) -> Iterator[list[tuple[Request, Reply]]]:
        sent: dict[str, Request] = {}

        def within_budget() -> Iterator[Request]:
            for request in requests:
                if self.budget is not None and not self.budget.admit(len(sent)):
                    return
                sent[request.id] = request
                yield request

        for replies in llm.complete(within_budget()):
            rows = [(sent.pop(reply.request), reply) for reply in replies]
            self.put([(request.key(llm.name), request, reply) for request, reply in rows], plan=plan)
            if self.budget is not None:
                for reply in replies:
                    self.budget.add(reply)
            yield rows
        if sent:
            yield [(request, Reply(request.id, failed="no reply")) for request in sent.values()]


def _clean(text: str) -> str:
    """The text with lone surrogates replaced, as SQLite wants it."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
