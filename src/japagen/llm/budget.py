"""What a run has used and what it may use: requests, tokens, money.

The store asks `stop` before it takes the next request and tells `add` of each reply. So a limit is exceeded by no more
than what was in flight when it was reached. Nothing here reads, writes, waits or locks: `add` belongs to one thread, `stop`
may be asked in any.
"""

from __future__ import annotations

from dataclasses import dataclass

from japagen.errors import BudgetSpent
from japagen.experiment import BudgetSection
from japagen.llm.prices import Price
from japagen.records import Reply


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


class Budget:
    """The limits of a run and what is used of them.

    Args:
        limits: the experiment's section; a limit of null is none.
        price: of the model that is called; needed where `limits.usd` is set (see `prices.experiment_price`).
        spent: what earlier sessions of the same run used already.

    Raises:
        ValueError: a limit in money, but no price.
    """

    __slots__ = ("_completion", "_limits", "_price", "_prompt", "_requests", "_usd_limit")

    def __init__(self, limits: BudgetSection, price: Price | None, *, spent: Usage = Usage()) -> None:
        if limits.usd is not None and price is None:
            raise ValueError("budget.usd without a price")
        self._limits, self._price = limits, price
        self._usd_limit = None if price is None or price.free else limits.usd  # what is free spends no money
        self._requests = spent.requests
        self._prompt = spent.prompt_tokens
        self._completion = spent.completion_tokens

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

    def stop(self) -> str | None:
        """Why nothing more may be sent, e.g. ``budget.usd of 5.00 is spent (5.003)``; None while all limits hold."""
        limits = self._limits
        if self._usd_limit is not None and self._price is not None:
            spent = self._price.usd(self._prompt, self._completion)
            if spent >= self._usd_limit:
                return f"budget.usd of {_dollars(self._usd_limit)} is spent ({spent:.3f})"
        if limits.tokens is not None and self._prompt + self._completion >= limits.tokens:
            return f"budget.tokens of {limits.tokens:,} is spent ({self._prompt + self._completion:,})"
        if limits.requests is not None and self._requests >= limits.requests:
            return f"budget.requests of {limits.requests:,} is spent ({self._requests:,})"
        return None

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
