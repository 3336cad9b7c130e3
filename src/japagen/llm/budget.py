"""What a run has used and what it may use: requests, tokens, money.

The store asks `admit` before it takes the next request and tells `add` of each reply. Requests in flight are reckoned at the
mean of those answered, so a limit is hardly exceeded, and never by more than what was in flight. Nothing here reads, writes,
waits or locks: `add` belongs to one thread, `admit` may be asked in any.
"""

from __future__ import annotations

from dataclasses import dataclass

from japagen.errors import BudgetSpent
from japagen.llm.prices import Price
from japagen.records import Reply
from japagen.sections import BudgetSection


@dataclass(frozen=True, slots=True)
class Usage:
    """What was sent and what came back: calls (tries included), tokens of the prompts, tokens of the replies."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )

    @classmethod
    def of(cls, reply: Reply) -> Usage:
        """What one reply used; a request that was tried three times counts as three."""
        return cls(reply.tries, reply.prompt_tokens, reply.completion_tokens)

    @property
    def tokens(self) -> int:
        """Tokens of prompts and replies together."""
        return self.prompt_tokens + self.completion_tokens


@dataclass(frozen=True, slots=True)
class Spent:
    """What other runs have used of the same budget, by prices of their own: calls, tokens, US dollars."""

    requests: int = 0
    tokens: int = 0
    usd: float = 0.0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.requests + other.requests, self.tokens + other.tokens, self.usd + other.usd)


class Budget:
    """The limits of a run and what is used of them.

    Args:
        limits: the experiment's section; a limit of null is none.
        price: of the model that is called; needed where `limits.usd` is set (see `prices.experiment_price`).
        spent: what earlier sessions of the same run used already.
        elsewhere: what other runs have used that share the limits.

    Raises:
        ValueError: a limit in money, but no price.
    """

    __slots__ = ("_completion", "_elsewhere", "_full", "_limits", "_price", "_prompt", "_requests", "_usd_limit")

    def __init__(
        self, limits: BudgetSection, price: Price | None, *, spent: Usage = Usage(), elsewhere: Spent = Spent()
    ) -> None:
        if limits.usd is not None and price is None:
            raise ValueError("budget.usd without a price")
        self._limits, self._price = limits, price
        self._usd_limit = None if price is None or price.free else limits.usd  # what is free spends no money
        self._requests = spent.requests
        self._prompt = spent.prompt_tokens
        self._completion = spent.completion_tokens
        self._elsewhere = elsewhere
        self._full = ""

    def add(self, reply: Reply) -> None:
        """Count a reply, a failed one included: its tries were made and may have been billed."""
        self._requests += reply.tries
        self._prompt += reply.prompt_tokens
        self._completion += reply.completion_tokens

    @property
    def usage(self) -> Usage:
        """All that was used so far, earlier sessions included."""
        return Usage(self._requests, self._prompt, self._completion)

    def usd(self, usage: Usage | None = None) -> float | None:
        """What a usage costs in USD, by default all of it; None without a price."""
        used = usage or self.usage
        return None if self._price is None else self._price.usd(used.prompt_tokens, used.completion_tokens)

    def admit(self, in_flight: int) -> bool:
        """Whether one more request fits beside so many unanswered ones; once it does not, `stop` has a reason."""
        if self._full or self.stop() is not None:
            return False
        limits, ahead = self._limits, in_flight + 1
        coming = ahead / self._requests if self._requests else 0.0  # as a share of what this run has used so far
        requests, used, spent = self._all()
        if limits.requests is not None and requests + ahead > limits.requests:
            self._full = f"budget.requests of {limits.requests:,} has no room for another ({requests:,} spent)"
        elif limits.tokens is not None and used + coming * (self._prompt + self._completion) > limits.tokens:
            self._full = f"budget.tokens of {limits.tokens:,} has no room for another request ({used:,} spent)"
        elif self._usd_limit is not None and spent + coming * (self.usd() or 0.0) > self._usd_limit:
            limit = _dollars(self._usd_limit)
            self._full = f"budget.usd of {limit} has no room for another request ({spent:.3f} spent)"
        return not self._full

    def stop(self) -> str | None:
        """Why nothing more may be sent, e.g. ``budget.usd of 5.00 is spent (5.003)``; None while all limits hold."""
        limits = self._limits
        requests, used, spent = self._all()
        if self._usd_limit is not None and spent >= self._usd_limit:
            return f"budget.usd of {_dollars(self._usd_limit)} is spent ({spent:.3f})"
        if limits.tokens is not None and used >= limits.tokens:
            return f"budget.tokens of {limits.tokens:,} is spent ({used:,})"
        if limits.requests is not None and requests >= limits.requests:
            return f"budget.requests of {limits.requests:,} is spent ({requests:,})"
        return self._full or None

    def _all(self) -> tuple[int, int, float]:
        """Calls, tokens and US dollars, those of other runs among them."""
        there = self._elsewhere
        own = self._prompt + self._completion
        return self._requests + there.requests, own + there.tokens, (self.usd() or 0.0) + there.usd

    def error(self, *, missing: int, of: int, stage: str) -> BudgetSpent:
        """The clean stop of a stage, once `stop` has a reason: what is missing, and how to go on.

        Args:
            missing: rows that were asked for and have no reply.
            of: all rows asked for.
            stage: the stage that stops, e.g. ``generate``.

        Raises:
            ValueError: no limit is reached.
        """
        reason = self.stop()
        if reason is None:
            raise ValueError("no limit of the budget is reached")
        key = reason.partition(" ")[0]
        return BudgetSpent(
            f"{reason}; {missing:,} of {of:,} rows are missing",
            where=stage,
            remedy=f"raise {key} in the experiment and give the same command again: it goes on, nothing is paid twice",
        )


def _dollars(amount: float) -> str:
    return f"{amount:.2f}" if round(amount, 2) == amount else f"{amount:g}"
