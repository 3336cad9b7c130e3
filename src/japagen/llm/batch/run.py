"""One run of the batch backend: requests into batches, batches to the server, results back to replies.

A batch is live from its first request that this run asks for. Its results become replies in lists; once a list is safe with
the caller, its rows are struck off the record. Rows to be asked for again move to a next batch, whose record is written
before they leave the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from japagen.llm.batch.calls import BatchCalls, Unlucky
from japagen.llm.batch.lines import LONGEST, read_line, sound
from japagen.llm.batch.record import Asked, Batch, Limits, Row, Spool, load_batches, recording
from japagen.llm.batch.results import Settled, failed
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.refusals import refusal
from japagen.llm.openai.responses import Answer, Trouble, without_key
from japagen.llm.openai.wire import Ability, complete_body, encode, parameters
from japagen.records import Reply, Request
from japagen.sections import LLMSection

_SOONEST, _LATEST = 5.0, 60.0  # seconds between two looks at the batches
_MOST_LIVE = 4  # batches at the server at a time
_TOGETHER = 2000  # replies in one list
_OVER = ("completed", "expired", "cancelled", "failed")


class BatchRun:
    """One run.

    Args:
        settings: the experiment's section.
        endpoint: the server.
        name: of the model, part of the keys.
        folder: of the records.
        calls: to the server, open.
        sleep, clock: of time.
        limits: of a batch.
        odd: counts lines of results that are passed over.
    """

    def __init__(
        self,
        settings: LLMSection,
        endpoint: Endpoint,
        name: str,
        folder: Path,
        calls: BatchCalls,
        *,
        sleep: Callable[[float], object],
        clock: Callable[[], float],
        limits: Limits,
        odd: Counter[str],
    ) -> None:
        self._settings, self._endpoint, self._name = settings, endpoint, name
        self._folder, self._calls, self._odd = folder, calls, odd
        self._sleep, self._clock, self._limits = sleep, clock, limits
        self._ability = Ability.of(settings)
        self._asked: dict[Any, Asked] = {}
        self._known = {row.key: (batch, row) for batch in load_batches(folder, name) for row in batch.rows.values()}
        self._live: list[Batch] = []  # those without a batch_id wait for their turn
        self._most_live = _MOST_LIVE
        self._spool: Spool | None = None
        self._moved: dict[Batch, list[str]] = {}  # rows that the spool takes over
        self._heard = clock()
        self._pulling = True

    def close(self) -> None:
        """Give up the requests that no record holds."""
        if self._spool is not None:
            self._spool.discard()

    def replies(self, source: Iterator[Request]) -> Iterator[list[Reply]]:
        """All replies (see `LLM.complete`)."""
        interval = _SOONEST
        while True:
            self._pull(source)
            self._submit()
            if not self._live:
                return
            over = False
            for batch in [batch for batch in self._live if batch.batch_id]:
                found = self._look(batch)
                if found.get("status") in _OVER:
                    yield from self._settle(batch, found)
                    over = True
            if over:
                interval = _SOONEST
                continue
            self._sleep(interval)
            interval = min(interval * 1.5, _LATEST)

    # ---- requests into batches --------------------------------------------------------------------------------------

    def _pull(self, source: Iterator[Request]) -> None:
        """Take requests until a batch must wait for its turn, or there are no more."""
        while self._pulling:
            if self._waiting():
                self._submit()
                if self._waiting():
                    return
            request = next(source, None)
            if request is None:
                self._pulling = False
            else:
                self._take(request)
        self._seal()

    def _waiting(self) -> bool:
        return any(not batch.batch_id for batch in self._live)

    def _take(self, request: Request) -> None:
        """A request goes to the batch that holds it already, or to the one in the making."""
        asked, key = self._what_is_asked(request), request.key(self._name)
        characters = sum(len(message.content) for message in request.messages)
        batch, row = self._known.get(key, (None, None))
        if batch is None or row is None or row.asked is not None:
            body = encode(complete_body(asked.parameters, request, self._settings))
            self._add(Row(request.id, key, asked=asked, characters=characters), body)
            return
        row.asked, row.characters = asked, characters
        if batch not in self._live:
            self._live.append(batch)

    def _what_is_asked(self, request: Request) -> Asked:
        """The request without what is its alone: one object for all that share it."""
        key = (request.sampling, request.choices, request.samples)
        if key not in self._asked:
            plain = Request("", (), request.sampling, choices=request.choices, samples=request.samples)
            self._asked[key] = Asked(plain, parameters(request, self._settings, self._ability))
        return self._asked[key]

    def _add(self, row: Row, body: bytes) -> None:
        if self._spool is not None and not self._spool.takes(body):
            self._seal()
        if self._spool is None:
            self._spool = Spool(self._folder, self._name, self._limits)
        self._spool.add(row, body)

    def _seal(self) -> None:
        """Record the batch in the making; rows that came from others leave those."""
        if self._spool is None:
            return
        batch, self._spool = self._spool.seal(), None
        self._live.append(batch)
        moved, self._moved = self._moved, {}
        for before, names in moved.items():
            before.forget(names)

    # ---- batches to the server --------------------------------------------------------------------------------------

    def _submit(self) -> None:
        """Upload and create what waits, as many as may be live."""
        free = self._most_live - sum(bool(batch.batch_id) for batch in self._live)
        for batch in [batch for batch in self._live if not batch.batch_id][: max(free, 0)]:
            perhaps = bool(batch.file_id)
            if not batch.file_id:
                batch.file_id = self._calls.upload(batch.lines)
                batch.save()
            batch.batch_id = self._calls.create(batch.file_id, batch.digest, perhaps=perhaps)
            batch.save()
            self._heard = self._clock()

    def _look(self, batch: Batch) -> dict[str, Any]:
        """How a batch stands; empty where the server is away for a while."""
        try:
            found = self._calls.look(batch.batch_id)
        except Unlucky:
            if self._clock() - self._heard > self._settings.http.deadline:
                raise
            return {}
        self._heard = self._clock()
        return found

    # ---- results back -----------------------------------------------------------------------------------------------

    def _settle(self, batch: Batch, found: dict[str, Any]) -> Iterator[list[Reply]]:
        """The replies of a batch that is over; what it leaves open goes to a next one."""
        status = found["status"]
        if status == "failed":
            self._refused(batch, found)
            return
        settled = Settled(self._settings, batch.created)
        seen: set[str] = set()
        for name, outcome in self._results(batch, found, seen):
            settled.add(name, batch.rows[name], outcome)
            if len(settled.replies) >= _TOGETHER:
                yield from self._hand_out(batch, settled)
        open_rows = [name for name, row in batch.rows.items() if row.asked and name not in seen]
        if status == "cancelled":
            yield from self._hand_out(batch, settled)
            batch.remove()
            raise self._endpoint.error(
                f"a batch was cancelled with {len(open_rows) + len(settled.again)} requests unanswered",
                remedy="give the same command again to send them in a new batch; what was answered is kept",
            )
        reason = "batch expired" if status == "expired" else "missing from the results"
        for name in open_rows:
            settled.add(name, batch.rows[name], Trouble("again", reason))
        if settled.nothing_but_refusals:
            batch.remove()
            raise refusal(next(iter(settled.refused.values()))[1], self._endpoint, self._settings)
        settled.take_refusals()
        self._move(batch, settled.again, settled)
        self._live.remove(batch)
        yield from self._hand_out(batch, settled)

    def _results(self, batch: Batch, found: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, Answer | Trouble]]:
        """What the server says of the rows that this run asked for, each once; adds them to `seen`."""
        for which in ("output_file_id", "error_file_id"):
            if not isinstance(file_id := found.get(which), str) or not file_id:
                continue
            try:
                self._calls.download(file_id, batch.results)
                if not sound(batch.results):  # an error page, or half a file: the rest would be paid for again
                    self._calls.download(file_id, batch.results)
                with recording(self._folder):
                    file = batch.results.open("rb")
                with file:
                    while raw := file.readline(LONGEST):
                        if not raw.strip():
                            continue
                        line = read_line(raw)
                        if line is None:
                            self._odd["malformed"] += 1
                        elif line[0] in seen:
                            self._odd["repeated"] += 1
                        elif (row := batch.rows.get(line[0])) is None:
                            self._odd["unknown"] += 1
                        elif row.asked is not None:
                            seen.add(line[0])
                            yield line[0], without_key(line[1], self._endpoint.without_key)
            finally:
                batch.results.unlink(missing_ok=True)

    def _hand_out(self, batch: Batch, settled: Settled) -> Iterator[list[Reply]]:
        """Yield replies; when the caller comes back they are safe, and leave the record."""
        handed, settled.replies = settled.replies, {}
        if handed:
            yield list(handed.values())
            batch.forget(handed)

    def _move(self, batch: Batch, rows: dict[str, Row], settled: Settled) -> None:
        """Put rows into the batch in the making, with the same bodies."""
        left = dict(rows)
        for name, body in batch.bodies(rows) if rows else ():
            self._add(left.pop(name), body)
            self._moved.setdefault(batch, []).append(name)
        for name, row in left.items():
            settled.replies[name] = failed(row, "the file of requests was lost")

    def _refused(self, batch: Batch, found: dict[str, Any]) -> None:
        """A batch that the server did not begin. Where too much is queued, it waits, or is halved if it is alone."""
        errors = found.get("errors")
        listed = errors.get("data") if isinstance(errors, dict) else None
        entries = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
        asked = {name: row for name, row in batch.rows.items() if row.asked}
        if any(entry.get("code") == "token_limit_exceeded" for entry in entries):
            if others := sum(bool(other.batch_id) for other in self._live if other is not batch):
                self._most_live = others
                batch.batch_id = ""
                batch.save()
                return
            if len(asked) > 1:
                self._most_live = 1
                self._seal()
                self._limits = replace(self._limits, rows=min(self._limits.rows, -(-len(asked) // 2)))
                self._live.remove(batch)
                self._move(batch, asked, Settled(self._settings, batch.created))
                self._seal()
                return
        batch.remove()
        said = list(dict.fromkeys(str(entry["message"]) for entry in entries if entry.get("message")))
        raise self._endpoint.error(
            "refused a batch",
            words="; ".join(said[:3]),
            remedy="mend what it names (usually in the section llm), then give the same command again; replies are kept",
        )
