"""How much a server is asked for: calls in flight, looking for an absent server, tokens of a call. The pace is in `pace`.

Nothing here sends or sleeps; times are seconds of whatever clock the caller reads.
"""

from __future__ import annotations

import math


class Concurrency:
    """How many calls may be in flight: more while the server keeps up, fewer when it is slow or says so.

    Slow start: the limit doubles with every window of answers until the first sign of overload; then it grows by a
    twentieth of the most per window and is cut at signs of overload (additive increase, multiplicative decrease).
    A window is as many answers as the limit. It is slow when its mean latency is more than twice the least window's, and
    throughput did not rise beyond that of the window before. A cut that does not bring the latency down proves that the
    texts, not the number in flight, take longer: then that latency is the new least.

    While our own work lets answers wait in the sockets, the true latency lies between two readings; the shorter is held
    against the least of the longer, so that what we are slow at is never put down to the server.

    Args:
        most: never more than this.
        now: the time.
    """

    __slots__ = (
        "_base",
        "_before",
        "_began",
        "_count",
        "_cut",
        "_longer",
        "_most",
        "_starting",
        "_sum",
        "_throughput",
        "limit",
    )

    def __init__(self, most: int, now: float) -> None:
        self._most = most
        self._base = math.inf  # seconds: least mean latency of a window
        self._throughput = 0.0
        self._before = math.inf  # mean latency of the window that was found slow last
        self.restart(now)

    def restart(self, now: float) -> None:
        """Start slowly, as after an outage."""
        self.limit = min(32, self._most)
        self._starting = True
        self._cut = -math.inf
        self._open_window(now)

    def answered(self, latency: float, now: float, longer: float | None = None) -> None:
        """A call was answered.

        Args:
            latency: seconds that it took, without those in which we did not look.
            now: the time.
            longer: the seconds with those; by default the same.
        """
        self._count += 1
        self._sum += latency
        self._longer += latency if longer is None else longer
        if self._count < max(8, self.limit):
            return
        mean = self._sum / self._count
        throughput = self._count / max(now - self._began, 1e-9)
        if mean > 0.95 * self._before:
            self._base = max(self._base, mean)
        slow = mean > 2 * self._base and throughput < 1.1 * self._throughput
        self._before = mean if slow else math.inf
        self._base = min(self._longer / self._count, self._base * 1.0002)  # it may drift up, slowly
        self._throughput = throughput
        if slow:
            self._lower(0.8, now)
            return
        step = self.limit if self._starting else max(1, self._most // 20)
        self.limit = min(self._most, self.limit + step)
        self._open_window(now)

    def overloaded(self, sent: float, factor: float, now: float) -> None:
        """The server refused a call sent at `sent`; of calls in flight together only the first cuts the limit."""
        if sent >= self._cut:
            self._lower(factor, now)

    def _lower(self, factor: float, now: float) -> None:
        self.limit = max(1, int(self.limit * factor))
        self._starting = False
        self._cut = now
        self._open_window(now)

    def _open_window(self, now: float) -> None:
        self._count, self._sum, self._longer, self._began = 0, 0.0, 0.0, now


class Outage:
    """Whether the server is there, and when to look for it next.

    Args:
        longest: most seconds between two looks; in the first 30 s of an outage it is one second at most.
    """

    __slots__ = ("_longest", "_next_step", "since", "until")

    def __init__(self, longest: float) -> None:
        self._longest = longest
        self.since: float | None = None
        self.until = -math.inf
        self._next_step = 0.1

    @property
    def on(self) -> bool:
        """Whether the server is absent, as far as we know."""
        return self.since is not None

    def failed(self, now: float) -> None:
        """The server could not be reached; failures of calls that were in flight together are one."""
        if self.since is None:
            self.since, self._next_step = now, 0.1
        elif now < self.until:
            return
        self.until = now + self._next_step
        cap = 1.0 if now - self.since < 30 else self._longest
        self._next_step = min(2 * self._next_step, max(cap, 0.1))

    def answered(self) -> bool:
        """The server answered; whether that ended an outage."""
        ended = self.since is not None
        self.since, self.until = None, -math.inf
        return ended


class TokenGuess:
    """Tokens that a call will use, guessed before it is sent: by characters for its prompt, by the mean for its replies.

    Args:
        reply: tokens of a reply as long as nothing is known.
    """

    __slots__ = ("_per_char", "_reply")

    def __init__(self, reply: float) -> None:
        self._per_char = 1.0  # Japanese has about one token per character
        self._reply = reply

    def guess(self, chars: int, replies: int) -> float:
        """Tokens of a call with so many characters of prompt and so many replies."""
        return self._per_char * chars + self._reply * replies

    def learn(self, chars: int, replies: int, prompt_tokens: int, completion_tokens: int) -> None:
        """What a call used in fact; the guess follows by a twentieth each time."""
        if chars and prompt_tokens:
            self._per_char += 0.05 * (prompt_tokens / chars - self._per_char)
        if replies and completion_tokens:
            self._reply += 0.05 * (completion_tokens / replies - self._reply)
