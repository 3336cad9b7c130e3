"""The calls of one run of `OpenAILLM.complete`: workers, retries, and what becomes of each row.

A row is a request on its way to its reply; a call carries one row, or several with equal prompts. A call passes the
gate, is sent, and its outcome is settled: replies, or its rows wait and are sent again. Single-threaded, on asyncio;
between two runs of the loop everything stands still, and that time counts for no limit (`_inside`).
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import deque
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.gate import Gate, Pass
from japagen.llm.openai.limits import Concurrency, TokenGuess
from japagen.llm.openai.refusals import redirected, refusal, throttled, too_long_a_wait, unreachable, untrusted
from japagen.llm.openai.responses import LOADING, Answer, Choice, Trouble, enough_japanese, score_choices
from japagen.llm.openai.sender import Redirected, Sender, Told, Unreachable
from japagen.llm.openai.wire import Ability, complete_body, encode, parameters
from japagen.records import Reply, Request
from japagen.sections import LLMSection

_AHEAD = 4  # groups looked ahead for equal prompts, where a call may have several replies
_DELAYED = 4  # rows waiting for another try, in units of the most calls in flight, before no more are pulled
_DRAIN = 15.0  # seconds that calls in flight are waited for when the run ends with an error
_FORGIVEN = 60.0  # seconds of an outage in which lost connections use up no tries
_JUMP = 2.0  # seconds that the clock must jump for the machine to have been asleep
_REPLY_TOKENS = 128  # guess of a reply's tokens where nothing limits them


@dataclass(slots=True, eq=False)
class Row:
    """A request on its way: when it was first sent (real clock), until when it may take (inside clock), what it cost.

    Calls that were refused as too many (429) are no tries; of a row that fails they are counted as such.
    """

    request: Request
    began: float | None = None
    deadline: float = 0.0
    tries: int = 0
    unfit: int = 0  # replies that would not do: the next try has another seed, or it would be the same reply
    refusals: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(slots=True, eq=False)
class Flight:
    """A worker: its task, until when its present step may take (inside clock), and when its call was sent."""

    task: asyncio.Task[None] | None = None
    expires: float = math.inf
    expired: bool = False
    sent: float | None = None


class Traffic:
    """The calls of one run. `room`, `add`, `end` and `stop` are called while the loop stands still.

    Args:
        settings: the experiment's section.
        endpoint: the server.
        patience: seconds until a server that never answered is given up.

    Attributes:
        failure: why the run ended early; replies that had come are handed out before.
    """

    def __init__(self, settings: LLMSection, endpoint: Endpoint, *, patience: float) -> None:
        self.failure: Exception | None = None
        self._settings, self._endpoint, self._patience = settings, endpoint, patience
        self._http = settings.http
        self._sender: Sender
        self._gate = Gate(settings.http)
        self._ability = Ability.of(settings)
        self._n = settings.n
        self._shared: dict[Any, dict[str, Any]] = {}
        self._fresh: deque[Row] = deque()
        self._again: deque[list[Row]] = deque()
        self._delayed = 0
        self._refusals = 0  # in a row, without an answer between them
        self._flights: set[Flight] = set()
        self._replies: list[Reply] = []
        self._ended = self._stopped = self._reached = False
        self._answered_at = 0.0  # inside clock
        self._helped_at = self._refused_at = -math.inf  # inside clock: the last answer, the last 429
        self._refused_with = ""  # the words of that
        self._wake = asyncio.Event()
        self._away, self._left = 0.0, time.monotonic()
        self._limit = Concurrency(self._http.concurrency, self._inside())
        self._tokens = TokenGuess(settings.max_tokens or _REPLY_TOKENS)
        self._jitter = random.Random()

    # ---- while the loop stands still ------------------------------------------------------------------------------

    def room(self) -> int:
        """How many more requests are wanted: what could be sent now, and some more for those that end meanwhile."""
        if self._ended or self._stopped or self._delayed > _DELAYED * max(self._http.concurrency, 64):
            return 0
        idle = max(0, self._limit.limit - len(self._flights)) * self._n
        ahead = max(1, self._limit.limit) * self._n + (_AHEAD * self._n if self._n > 1 else 0)
        return max(0, idle + ahead - len(self._fresh) - len(self._again))

    def add(self, request: Request) -> None:
        """Take a request up."""
        self._fresh.append(Row(request))

    def end(self) -> None:
        """There are no more requests."""
        self._ended = True

    def stop(self, failure: Exception) -> None:
        """End the run early: nothing more is sent; what is in flight may still arrive for some seconds."""
        if not self._stopped:
            self._stopped, self.failure = True, failure
            last = self._inside() + _DRAIN
            for flight in self._flights:
                if flight.sent is None and flight.task is not None:
                    flight.task.cancel()
                flight.expires = min(flight.expires, last)
        self._wake.set()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to wait for."""
        if self._flights:
            return False
        return self._stopped or (self._ended and not self._fresh and not self._again and not self._delayed)

    # ---- in the loop ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Prepare; nothing is sent."""
        self._sender = Sender(self._endpoint)
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Give up what is in flight and close all connections."""
        self._stopped = True
        tasks = [self._sweeper, *(flight.task for flight in self._flights if flight.task is not None)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._sender.close()
        await asyncio.sleep(0)  # transports close in the loop's next turn

    async def some(self) -> list[Reply]:
        """The replies that have come, at least one; none where requests are wanted, or nothing is left to wait for."""
        self._away += time.monotonic() - self._left
        self._start_workers()
        await asyncio.sleep(0)
        while not (self._replies or self.idle or (not self._fresh and self.room())):
            self._wake.clear()
            await self._wake.wait()
        if self._replies:
            await asyncio.sleep(0)  # those that came at the same time
        replies, self._replies = self._replies, []
        self._left = time.monotonic()
        return replies

    def _inside(self) -> float:
        """Seconds on a clock that stands still while the loop does."""
        return time.monotonic() - self._away

    async def _sweep(self) -> None:
        """End what takes too long. One task for all calls: cheaper than a timer for each."""
        pause = max(0.01, min(1.0, self._http.timeout / 10, self._http.deadline / 10, self._patience / 10))
        before = self._inside()
        while True:
            await asyncio.sleep(pause)
            now = self._inside()
            if now - before > pause + _JUMP:
                self._away += now - before - pause
                now = before + pause
            before = now
            for flight in list(self._flights):
                if flight.expires < now and not flight.expired and flight.task is not None:
                    flight.expired = True
                    flight.task.cancel()

    def _start_workers(self) -> None:
        if self._stopped:
            return
        while (self._again or self._fresh) and len(self._flights) < self._limit.limit:
            flight = Flight()
            flight.task = asyncio.create_task(self._work(flight, self._take()))
            flight.task.add_done_callback(partial(self._landed, flight))
            self._flights.add(flight)

    def _landed(self, flight: Flight, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            task.exception()  # Ctrl-C, which the loop has raised already
        self._flights.discard(flight)
        self._start_workers()  # workers that ended together may have left rows behind
        self._wake.set()

    def _take(self) -> list[Row]:
        """The rows of the next call: those of a repeated one, or fresh ones with equal prompts."""
        if self._again:
            return self._again.popleft()
        first = self._fresh.popleft()
        group = [first]
        if self._n > 1 and not first.request.choices:
            others: list[Row] = []
            while self._fresh and len(group) < self._n and len(group) + len(others) < _AHEAD * self._n:
                row = self._fresh.popleft()
                (group if _equal(row.request, first.request) else others).append(row)
            self._fresh.extendleft(reversed(others))
        return group

    async def _work(self, flight: Flight, rows: list[Row]) -> None:
        """Make one call after the other, as long as there are rows and the limit allows."""
        try:
            while True:
                await self._call(flight, rows)
                if self._stopped or not (self._again or self._fresh) or len(self._flights) > self._limit.limit:
                    break
                rows = self._take()
        except Exception as bug:
            self.stop(bug)

    async def _call(self, flight: Flight, rows: list[Row]) -> None:
        """One call, from the gate to its outcome settled."""
        now = self._inside()
        for row in rows:
            if row.began is None:
                row.deadline = now + self._http.deadline
        ability = self._ability
        shared = self._parameters(rows[0].request, ability, len(rows))
        asked = rows[0].request
        if rows[0].unfit:
            asked = replace(asked, seed=asked.seed + rows[0].unfit)
        body = encode(complete_body(shared, asked, self._settings))
        chars = _characters(rows[0].request)
        tokens = self._tokens.guess(chars, len(rows)) if self._gate.counts_tokens else 0.0
        flight.sent, flight.expired, flight.expires = None, False, rows[0].deadline
        entry: Pass | None = None
        try:
            entry = await self._gate.enter(tokens)
            flight.sent = sent = self._inside()
            flight.expires = min(sent + self._http.timeout, rows[0].deadline)
            for row in rows:
                row.began = row.began or entry.at
            outcome = await self._sender.send(body)
            self._settle(rows, outcome, ability, shared, sent, entry)
            if tokens and isinstance(outcome, Told) and isinstance(answer := outcome.outcome, Answer):
                prompt = answer.prompt_tokens_or(chars)
                self._tokens.learn(chars, len(rows), prompt, answer.completion_tokens)
                self._gate.used(tokens, prompt + answer.completion_tokens)
        except asyncio.CancelledError:
            if not flight.expired or flight.task is None:
                raise
            flight.task.uncancel()
            if flight.sent is None and self._gate.outage.on:
                self.stop(unreachable(self._endpoint, f"for {self._http.deadline:,.0f} s (llm.http.deadline)"))
            elif flight.sent is None:
                self._give_up(rows, "waited too long for the server")
            else:
                self._retry(rows, "timeout")
        finally:
            if entry is not None and entry.probe:
                self._gate.leave(entry)

    def _parameters(self, request: Request, ability: Ability, n: int) -> dict[str, Any]:
        """The body without messages and seed: one object for all calls that share it."""
        key = (request.sampling, request.choices, request.samples, ability, n)
        if (shared := self._shared.get(key)) is None:
            shared = self._shared[key] = parameters(request, self._settings, ability, n)
        return shared

    # ---- outcomes ---------------------------------------------------------------------------------------------------

    def _settle(
        self,
        rows: list[Row],
        outcome: Told | Redirected | Unreachable,
        ability: Ability,
        shared: dict[str, Any],
        sent: float,
        entry: Pass,
    ) -> None:
        """Decide what becomes of a call's rows."""
        now = self._inside()
        if isinstance(outcome, Unreachable):
            self._lost(rows, outcome, sent)
            return
        if isinstance(outcome, Told) and isinstance(outcome.outcome, Trouble) and outcome.outcome.reason == LOADING:
            self._reached = True  # it is there, and is waited for like one that will be there again
            self._lost(rows, Unreachable(connected=False, why=LOADING), sent)
            return
        self._reached, self._answered_at = True, now
        if self._gate.outage.answered():
            self._gate.reached()
            self._limit.restart(now)
        if isinstance(outcome, Redirected):
            self.stop(redirected(self._endpoint, outcome.status, outcome.host))
            return
        match outcome.outcome:
            case Answer() as answer:
                self._refusals, self._helped_at = 0, now
                self._limit.answered(now - sent, now, time.monotonic() - entry.at)
                self._answered(rows, answer, shared)
            case Trouble(kind="again") as trouble:
                self._retry(rows, trouble.reason, outcome.wait or 0.0)
            case Trouble(kind="throttled") as trouble:
                if self._gate.learnt.refuse(entry.number, entry.at, time.monotonic(), outcome.wait or 0.0):
                    self._refusals += 1
                self._limit.overloaded(sent, 0.8, now)
                self._refused_at, self._refused_with = now, trouble.words
                for row in rows:
                    row.refusals += 1
                self._throttle(rows, trouble.reason, outcome.wait)
            case Trouble(kind="overloaded") as trouble:
                self._limit.overloaded(sent, 0.5, now)
                if self._pause(outcome.wait):
                    self._retry(rows, trouble.reason)
            case Trouble(kind="filtered"):
                self._helped_at = now
                for row in rows:
                    row.tries += 1
                    self._reply(row, Choice("", "content_filter"), shared)
            case Trouble(kind="fatal", status=400 | 422) if self._perhaps_the_form(rows, ability, shared):
                self._learn(ability, "form")
                self._again.append(rows)
            case Trouble(kind="form" | "logprobs" as refused) as trouble:
                key = "response_format" if refused == "form" else "logprobs"
                if key not in shared or key in self._settings.extra_body:
                    self.stop(refusal(trouble, self._endpoint, self._settings))
                    return
                self._learn(ability, refused)
                self._again.append(rows)
            case trouble:
                self.stop(refusal(trouble, self._endpoint, self._settings))
        self._start_workers()

    def _learn(self, ability: Ability, refused: Literal["form", "logprobs"]) -> None:
        """Ask for less from now on, unless another call has taught that already."""
        if self._ability == ability:
            self._ability = ability.without(refused)

    def _perhaps_the_form(self, rows: list[Row], ability: Ability, shared: dict[str, Any]) -> bool:
        """Whether a refusal in any words may be about the form of an answer; the question can be asked without it."""
        constrained = bool(rows[0].request.choices) and "response_format" in shared
        return constrained and "response_format" not in self._settings.extra_body and ability.form == "json_schema"

    def _answered(self, rows: list[Row], answer: Answer, shared: dict[str, Any]) -> None:
        """Hand out an answer's choices; rows without one, or with one that will not do, are asked for again."""
        each, rest = divmod(answer.completion_tokens, len(answer.choices))
        rows[0].prompt_tokens += answer.prompt_tokens_or(_characters(rows[0].request))
        rows[0].completion_tokens += rest + each * max(0, len(answer.choices) - len(rows))
        unfit: dict[str, list[Row]] = {}
        for row, choice in zip(rows, answer.choices, strict=False):
            row.completion_tokens += each
            row.tries += 1
            reason = self._unfit(row.request, choice)
            if reason and row.tries < self._http.tries:
                row.tries -= 1  # counted by _retry
                row.unfit += 1
                unfit.setdefault(reason, []).append(row)
            else:
                self._reply(row, choice, shared, answer)
        for reason, again in unfit.items():
            self._retry(again, reason)
        if missing := rows[len(answer.choices) :]:
            if len(answer.choices) == 1:
                self._n = 1  # a server that does not know n
                self._again.extend([row] for row in missing)
            else:
                self._again.append(missing)

    def _unfit(self, request: Request, choice: Choice) -> str:
        """Why a choice should be asked for again, or ""."""
        if choice.finish != "stop" or (request.choices and choice.first):
            return ""
        if not choice.text.strip():
            return "empty reply"
        least = self._settings.min_japanese
        if least is not None and not request.choices and not enough_japanese(request, choice.text, least):
            return "not Japanese"
        return ""

    def _reply(self, row: Row, choice: Choice, shared: dict[str, Any], answer: Answer | None = None) -> None:
        request = row.request
        self._replies.append(
            Reply(
                request=request.id,
                text=choice.text,
                logprobs=score_choices(request.choices, choice.first) if request.choices else (),
                finish=choice.finish,
                prompt_tokens=row.prompt_tokens,
                completion_tokens=row.completion_tokens,
                seconds=time.monotonic() - (row.began or 0.0),
                tries=row.tries,
                model=answer.model if answer else "",
                fingerprint=answer.fingerprint if answer else "",
                parameters=shared,
            )
        )
        self._wake.set()

    def _fail(self, rows: list[Row], reason: str) -> None:
        """Give rows up."""
        if self._stopped:  # the run is over: the same command asks for them again
            return
        for row in rows:
            seconds = 0.0 if row.began is None else time.monotonic() - row.began
            self._replies.append(
                Reply(
                    row.request.id,
                    failed=reason,
                    prompt_tokens=row.prompt_tokens,
                    completion_tokens=row.completion_tokens,
                    seconds=seconds,
                    tries=row.tries + row.refusals,
                )
            )
        self._wake.set()

    def _give_up(self, rows: list[Row], reason: str) -> None:
        """Give up rows whose time is over; the run, if in all that time the server said nothing but 429."""
        began = rows[0].deadline - self._http.deadline
        if self._refused_at >= began > self._helped_at and not any(row.tries for row in rows):
            self.stop(throttled(self._endpoint, self._refused_with, self._http.deadline))
        else:
            self._fail(rows, reason)

    def _retry(self, rows: list[Row], reason: str, wait: float = 0.0) -> None:
        """Ask again after a while, unless all tries are used up."""
        for row in rows:
            row.tries += 1
        if rows[0].tries >= self._http.tries:
            self._fail(rows, reason)
            return
        backoff = min(self._http.backoff_max, self._http.backoff * 2.0 ** (rows[0].tries - 1))
        self._later(rows, reason, max(wait, backoff * self._jitter.uniform(0.5, 1.0)))

    def _throttle(self, rows: list[Row], reason: str, wait: float | None) -> None:
        """Ask again when the server allows it (429); that uses up no try."""
        if wait is not None:
            if self._pause(wait):
                self._later(rows, reason, 0.0)
            return
        backoff = min(self._http.backoff_max, self._http.backoff * 2.0 ** min(max(0, self._refusals - 1), 30))
        self._later(rows, reason, backoff * self._jitter.random())

    def _pause(self, wait: float | None) -> bool:
        """Let all calls wait as the server asks; False if that ends the run."""
        if wait is not None and wait > self._http.deadline:
            self.stop(too_long_a_wait(self._endpoint, wait, self._http.deadline))
            return False
        self._gate.pause(wait or 0.0)
        return True

    def _later(self, rows: list[Row], reason: str, delay: float) -> None:
        if self._inside() + delay >= rows[0].deadline:
            self._give_up(rows, reason)
            return
        if delay <= 0:
            self._again.append(rows)
            return
        self._delayed += len(rows)
        asyncio.get_running_loop().call_later(delay, self._due, rows)

    def _due(self, rows: list[Row]) -> None:
        self._delayed -= len(rows)
        self._again.append(rows)
        self._start_workers()

    def _lost(self, rows: list[Row], lost: Unreachable, sent: float) -> None:
        """No byte came back. Of one call that is a try; of all it is an outage, which uses up none."""
        outage, now = self._gate.outage, time.monotonic()
        others_answer = self._answered_at > sent
        lasting = outage.since is not None and now - outage.since > _FORGIVEN
        if lost.connected and (others_answer or lasting):
            self._retry(rows, lost.why)
            return
        if lost.insecure and not self._reached:
            self.stop(untrusted(self._endpoint, lost.why))
            return
        outage.failed(now)
        if not self._reached and outage.since is not None and now - outage.since >= self._patience:
            self.stop(unreachable(self._endpoint, lost.why))
            return
        self._again.appendleft(rows)


def _characters(request: Request) -> int:
    return sum(len(message.content) for message in request.messages)


def _equal(one: Request, other: Request) -> bool:
    """Whether two requests may share a call."""
    return (
        not other.choices
        and one.samples == other.samples
        and one.sampling == other.sampling
        and one.messages == other.messages
    )
