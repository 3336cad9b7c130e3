"""What every call passes before it is sent: no outage, no pause that the server asked for, and the pace.

Calls that must wait stand in line. During an outage the first in line is the probe: it is sent alone, the others wait
for what becomes of it.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass

from japagen.llm.openai.limits import Outage
from japagen.llm.openai.pace import LearntPace, Pace
from japagen.sections import HTTPSection

_LONGEST_SLEEP = 60.0  # seconds, after which the clock is looked at again


@dataclass(frozen=True, slots=True)
class Pass:
    """A call was let through: its number, when, and whether it is the probe of an outage (then the caller must `leave`)."""

    number: int
    at: float
    probe: bool


class Gate:
    """The gate of one run. All times are of the real clock (`time.monotonic`), as the server's are."""

    def __init__(self, settings: HTTPSection) -> None:
        now = time.monotonic()
        self.outage = Outage(settings.backoff_max)
        self.learnt = LearntPace(now)
        self._calls = Pace.within((settings.requests_per_minute or math.inf) / 60, now)
        self._tokens = Pace.within((settings.tokens_per_minute or math.inf) / 60, now)
        self._pause = -math.inf
        self._line = asyncio.Lock()
        self._probe: int | None = None  # the call that keeps the line

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are limited at all."""
        return self._tokens.rate != math.inf

    def pause(self, seconds: float) -> None:
        """Let no call pass for so long; the longest pause holds."""
        self._pause = max(self._pause, time.monotonic() + seconds)

    async def enter(self, tokens: float) -> Pass:
        """Wait until a call with so many tokens may be sent, and count it as sent."""
        if not self._line.locked() and not self.outage.on and self._wait(tokens) <= 0:
            return self._take(tokens, probe=False)
        await self._line.acquire()
        try:
            while (wait := self._wait(tokens)) > 0:
                await asyncio.sleep(min(wait, _LONGEST_SLEEP))
        except BaseException:
            self._line.release()
            raise
        entry = self._take(tokens, probe=self.outage.on)
        if entry.probe:
            self._probe = entry.number
        else:
            self._line.release()
        return entry

    def leave(self, entry: Pass) -> None:
        """A probe's outcome is known and settled: the next in line may look."""
        if self._probe == entry.number:
            self.reached()

    def reached(self) -> None:
        """The server answered some call: nobody waits for the probe any longer."""
        if self._probe is not None:
            self._probe = None
            self._line.release()

    def used(self, guessed: float, tokens: float) -> None:
        """A call that was let pass for `guessed` tokens used `tokens`."""
        self._tokens.take(time.monotonic(), tokens - guessed)

    def _wait(self, tokens: float) -> float:
        now = time.monotonic()
        waits = (
            self._pause - now,
            self.outage.until - now,
            self.learnt.wait(now),
            self._calls.wait(now),
            self._tokens.wait(now, tokens) if tokens else 0.0,
        )
        return max(waits)

    def _take(self, tokens: float, *, probe: bool) -> Pass:
        now = time.monotonic()
        self._calls.take(now)
        if tokens:
            self._tokens.take(now, tokens)
        return Pass(self.learnt.take(now), now, probe)
