"""At what pace a server is called: a token bucket for known limits, and one that learns from refusals (429).

Nothing here sends or sleeps; times are seconds of whatever clock the caller reads.
"""

from __future__ import annotations

import math

_SPREAD = 0.05  # of a second's worth: what may be sent at once; the pace is lowered by as much
_MEASURE = 0.4  # seconds for which refusals are counted, once there is one
_ENOUGH = 20  # calls without which that is no measurement
_LONGEST_MEASURE = 5.0  # seconds; with however few calls
_MARGIN = 0.97  # of what was accepted is asked for
_CAUTION = 0.92  # the same, where each refusal costs a pause and little is known
_FEW = 0.98  # accepted of what was sent: so good that the pace is kept
_FIRST = 10.0  # calls per second to begin with, however few were accepted before the first refusal
_LONG = 5.0  # seconds at a pace, after which it is known to be near the right one
_QUIET = 10.0  # seconds without a refusal, after which the pace rises faster
_DOUBLING = 5.0  # seconds in which its growth doubles then
_MOST_GROWTH = 0.25  # per second
_LEAST = 0.2  # calls per second, however much is refused


class Pace:
    """A token bucket: so much per second, and so much at once.

    Args:
        rate: units per second; infinite: no limit.
        now: the time.
        size: units at once.
    """

    __slots__ = ("_at", "_level", "rate", "size")

    def __init__(self, rate: float, now: float, size: float = 1.0) -> None:
        self.rate, self.size = rate, size
        self._level, self._at = size, now

    @classmethod
    def within(cls, limit: float, now: float) -> Pace:
        """A pace at which no second holds more than `limit` units (or one): a server may well count by the second."""
        return cls(limit * (1 - _SPREAD), now, max(1.0, limit * _SPREAD))

    def wait(self, now: float, cost: float = 1.0) -> float:
        """Seconds until `cost` units may pass; 0 if they may now. A cost above the bucket's size needs a full bucket."""
        if self.rate == math.inf:
            return 0.0
        self._refill(now)
        return max(0.0, (min(cost, self.size) - self._level) / self.rate)

    def take(self, now: float, cost: float = 1.0) -> None:
        """Let units pass, whether or not they may; a debt is paid by waiting. A negative cost gives units back."""
        if self.rate != math.inf:
            self._refill(now)
            self._level = min(self.size, self._level - cost)

    def _refill(self, now: float) -> None:
        if now > self._at:
            self._level += (now - self._at) * self.rate
            self._at = now
        self._level = min(self.size, self._level)


class LearntPace:
    """The pace that a server accepts, learnt from its refusals (429).

    Without a refusal there is no limit. After one, what is refused and what is accepted are counted for a while: an
    exhausted server accepts just as much as it allows, whatever it lets pass at once after a pause. Then the pace rises
    by one per cent per second, until the server refuses again. Where the server wants a pause after each refusal,
    counting on is no way; then what was accepted before two refusals tells, since the first units of both are what
    the server lets pass at once: C = (a2 - a1) / (t2 - t1). And since each refusal costs a pause, the pace rises slowly.
    A pace that was not refused for long is too low, and rises ever faster: no guess, however wrong, lasts.
    """

    __slots__ = (
        "_before",
        "_began",
        "_changed",
        "_first",
        "_grows",
        "_known",
        "_last",
        "_measuring",
        "_number",
        "_pace",
        "_paused",
        "_refused",
        "_searching",
        "_spread",
    )

    def __init__(self, now: float) -> None:
        self._pace = Pace(math.inf, now)
        self._number = 0  # calls sent so far
        self._searching = False  # the pace is a first guess, perhaps far too low
        self._known = False  # the pace is near what the server allows
        self._grows = 0.01  # per second
        self._spread = _SPREAD  # of a second's worth that may pass at once
        self._before: tuple[int, float] | None = None  # accepted before the last refusal with a pause, in how long
        self._last = now  # when the last call was sent
        self._paused = -math.inf  # until when the server wants nothing
        self._begin(now)

    def _begin(self, now: float, *, measuring: bool = False) -> None:
        """Begin to count; calls in flight count no more."""
        self._first, self._refused, self._began, self._changed = self._number, 0, now, now
        self._measuring = measuring

    @property
    def rate(self) -> float:
        """Calls per second; infinite as long as nothing was refused."""
        return self._pace.rate

    def wait(self, now: float) -> float:
        """Seconds until a call may be sent."""
        if self._paused > now:
            return self._paused - now
        if self._paused > -math.inf:
            self._resume(now)
        if self._pace.rate == math.inf:
            return 0.0
        if self._measuring:
            self._conclude(now)
        else:
            self._rise(now)
        return self._pace.wait(now)

    def take(self, now: float) -> int:
        """A call is sent; its number."""
        self._pace.take(now)
        self._number += 1
        self._last = now
        return self._number

    def refuse(self, number: int, sent: float, now: float, pause: float = 0.0) -> bool:
        """A call was refused; whether that is news (of calls that were in flight together only the first is).

        Args:
            number: of the call, as `take` counted it.
            sent: when it was sent.
            now: the time.
            pause: seconds for which the server wants nothing to be sent.
        """
        if number <= self._first:
            return False
        self._refused += 1
        if self._paused > -math.inf:
            self._paused = max(self._paused, now + pause)
            return False
        if self._measuring and not pause:
            return False
        self._spread = max(0.8 * self._spread, 0.005)  # the server may not like what comes at once
        if pause:
            self._paused = now + pause
            return True
        if self.rate == math.inf:
            self._searching = True
            self._set(max(_FIRST, (number - self._first - 1) / max(sent - self._began, 0.1)))
        self._begin(now, measuring=True)
        return True

    def _resume(self, now: float) -> None:
        """Set the pace after a pause; by now it is known which of the calls in flight were refused, in whatever order."""
        accepted, length = self._number - self._first - self._refused, max(0.0, self._last - self._began)
        self._grows, self._paused = 0.002, -math.inf
        if self.rate == math.inf:
            self._before = accepted, length
            self._set(_CAUTION * max(_FIRST, accepted / max(length, 0.1)))
        else:
            self._set(self._solve(accepted, length))
        self._begin(now)

    def _solve(self, accepted: int, length: float) -> float:
        """The pace after a refusal that brings a pause."""
        if not accepted:  # the pause was too short: that says nothing about the pace
            return self.rate
        before, self._before = self._before, (accepted, length)
        if length > _LONG:  # it went well for long: the growth was what was too much
            self._before, self._known = None, True  # and in that time the server was not exhausted
            return _MARGIN * self.rate
        if before is not None and abs(length - before[1]) >= 0.05:
            allowed = _MARGIN * (accepted - before[0]) / (length - before[1])
            if 0.5 * self.rate <= allowed <= self.rate:
                self._known = True
                return allowed
        if self._known:
            return 0.9 * self.rate
        self._grows = 0.05  # half may be too little
        return 0.5 * self.rate

    def _conclude(self, now: float) -> None:
        """Set the pace by what was accepted while the server refused."""
        length, sent = now - self._began, self._number - self._first
        if length < _MEASURE or (self._refused and sent < _ENOUGH and length < _LONGEST_MEASURE):
            return
        accepted = (sent - self._refused) / max(sent, 1)
        if self._searching and accepted > 0.9 and sent >= 0.7 * self.rate * length:  # far below what is allowed
            self._set(2 * self.rate)
            self._begin(now, measuring=True)
            return
        self._searching = False
        asked = self.rate if sent >= 0.7 * self.rate * length else sent / length
        self._set(asked if accepted >= _FEW else max(_MARGIN * accepted, 0.3) * asked)
        self._begin(now)

    def _rise(self, now: float) -> None:
        passed = now - self._changed
        if passed >= 0.1:
            self._changed = now
            quiet = max(0.0, now - self._began - _QUIET)
            grows = min(_MOST_GROWTH, self._grows * 2.0 ** min(quiet / _DOUBLING, 30.0))
            self._pace.rate = min(self.rate * (1 + grows * min(passed, 1.0)), 1e9)

    def _set(self, rate: float) -> None:
        self._pace.rate = max(_LEAST, rate)
        self._pace.size = max(1.0, self._spread * self._pace.rate)
