"""Budgets: what is counted, when a limit stops, and what the stop says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import BudgetSpent, JapagenError
from japagen.llm.budget import Budget, Usage
from japagen.llm.prices import Price
from japagen.records import Reply
from japagen.sections import BudgetSection

PRICE = Price("m", input=0.5, output=2.0)
NUMBERS = st.integers(0, 10_000_000)
USAGES = st.builds(Usage, NUMBERS, NUMBERS, NUMBERS)
REPLIES = st.builds(
    lambda tries, prompt, completion, failed: Reply(
        "r", failed=failed, prompt_tokens=prompt, completion_tokens=completion, tries=tries
    ),
    st.integers(1, 8),
    st.integers(0, 2000),
    st.integers(0, 500),
    st.sampled_from([None, "timed out"]),
)


@given(USAGES, USAGES, USAGES)
def test_usage_adds_up_in_any_order(a: Usage, b: Usage, c: Usage) -> None:
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + Usage() == a
    assert (a + b).tokens == a.tokens + b.tokens


def test_a_reply_counts_its_tries() -> None:
    assert Usage.of(Reply("r", prompt_tokens=10, completion_tokens=4, tries=3)) == Usage(3, 10, 4)
    assert Usage.of(Reply("r", failed="timed out", tries=8)) == Usage(8, 0, 0)


def test_money_by_hand() -> None:
    """1,000,000 prompt tokens at 0.50 and 250,000 of replies at 2.00 are one dollar."""
    budget = Budget(BudgetSection(usd=1.0), PRICE, spent=Usage(1, 1_000_000, 249_999))
    assert budget.usd() == pytest.approx(0.999998)
    assert budget.stop() is None
    budget.add(Reply("r", completion_tokens=1))
    assert budget.usd() == 1.0
    assert budget.stop() == "budget.usd of 1.00 is spent (1.000)"
    assert budget.usd(Usage(9, 0, 500_000)) == 1.0
    assert budget.usd(Usage()) == 0.0


def test_each_limit_has_its_reason() -> None:
    spent = Usage(1200, 3_000, 2_000)
    assert Budget(BudgetSection(tokens=5_000), None, spent=spent).stop() == "budget.tokens of 5,000 is spent (5,000)"
    assert Budget(BudgetSection(tokens=5_001), None, spent=spent).stop() is None
    assert Budget(BudgetSection(requests=1_000), None, spent=spent).stop() == (
        "budget.requests of 1,000 is spent (1,200)"
    )
    assert Budget(BudgetSection(requests=1_201), None, spent=spent).stop() is None
    assert Budget(BudgetSection(requests=0), None).stop() == "budget.requests of 0 is spent (0)"
    assert Budget(BudgetSection(usd=0), PRICE).stop() == "budget.usd of 0.00 is spent (0.000)"
    assert Budget(BudgetSection(usd=0.0025), PRICE, spent=Usage(1, 5000, 0)).stop() == (
        "budget.usd of 0.0025 is spent (0.003)"
    )


def test_without_limits_nothing_stops() -> None:
    budget = Budget(BudgetSection(), None, spent=Usage(10**12, 10**15, 10**15))
    assert budget.stop() is None
    assert budget.usd() is None


def test_a_free_model_spends_no_money() -> None:
    budget = Budget(BudgetSection(usd=0), Price("own", 0, 0), spent=Usage(10**6, 10**9, 10**9))
    assert budget.usd() == 0
    assert budget.stop() is None


def test_a_limit_in_money_needs_a_price() -> None:
    with pytest.raises(ValueError, match="without a price"):
        Budget(BudgetSection(usd=1), None)


@given(st.lists(REPLIES, max_size=60), st.integers(0, 20_000), st.integers(0, 100), st.floats(0, 0.02), USAGES)
def test_it_stops_with_the_first_reply_that_reaches_a_limit(
    replies: list[Reply], tokens: int, requests: int, usd: float, before: Usage
) -> None:
    """By the plain definition: a limit is reached once the sum is as large; and it never goes back."""
    limits = BudgetSection(
        usd=PRICE.usd(before.prompt_tokens, before.completion_tokens) + usd,
        tokens=before.tokens + tokens,
        requests=before.requests + requests,
    )
    budget = Budget(limits, PRICE, spent=before)
    used = before
    stopped = False
    for reply in replies:
        budget.add(reply)
        used += Usage.of(reply)
        assert budget.usage == used
        cost = (used.prompt_tokens * 0.5 + used.completion_tokens * 2.0) / 1e6
        reached = (
            used.tokens >= (limits.tokens or 0) or used.requests >= (limits.requests or 0) or cost >= (limits.usd or 0)
        )
        assert (budget.stop() is not None) == reached
        assert not stopped or reached
        stopped = reached


@given(st.lists(REPLIES, min_size=1, max_size=200), st.integers(1, 16), st.integers(1, 5_000))
def test_a_limit_is_exceeded_by_no_more_than_what_was_in_flight(
    replies: list[Reply], in_flight: int, tokens: int
) -> None:
    """As the store uses it: a request is pulled only while nothing stops; up to `in_flight` are on their way."""
    budget = Budget(BudgetSection(tokens=tokens), None)
    waiting: list[Reply] = []
    rest = iter(replies)
    over: list[Reply] = []
    while True:
        while len(waiting) < in_flight and not budget.stop() and (reply := next(rest, None)):
            waiting.append(reply)
        if not waiting:
            break
        if budget.stop():
            over.append(waiting[0])
        budget.add(waiting.pop(0))
    largest = sum(sorted((Usage.of(r).tokens for r in replies), reverse=True)[:in_flight])
    assert len(over) < in_flight
    assert budget.usage.tokens <= tokens + largest


def test_the_clean_stop_says_what_is_missing_and_how_to_go_on() -> None:
    budget = Budget(BudgetSection(usd=5), PRICE, spent=Usage(13_000, 10_006_000, 0))
    error = budget.error(missing=12_000, of=25_000, stage="generate")
    assert isinstance(error, BudgetSpent)
    assert isinstance(error, JapagenError)
    assert error.exit_code == 2
    assert str(error).splitlines() == [
        "generate: budget.usd of 5.00 is spent (5.003); 12,000 of 25,000 rows are missing",
        "raise budget.usd in the experiment and give the same command again: it goes on, nothing is paid twice",
    ]
    with pytest.raises(ValueError, match="no limit"):
        Budget(BudgetSection(), None).error(missing=1, of=2, stage="generate")


def test_what_is_in_flight_is_reckoned_at_the_mean() -> None:
    spent = Usage(10, 600, 400)  # 100 tokens a call
    budget = Budget(BudgetSection(tokens=2_000), None, spent=spent)
    assert [budget.admit(in_flight) for in_flight in (0, 9)] == [True, True]
    assert not budget.admit(10)  # 10 spent, 10 in flight, and one more: 2,100
    assert budget.stop() == "budget.tokens of 2,000 has no room for another request (1,000 spent)"
    assert not budget.admit(0)  # once closed it stays closed
    calls = Budget(BudgetSection(requests=12), None, spent=spent)
    assert [calls.admit(in_flight) for in_flight in (0, 1, 2)] == [True, True, False]
    assert calls.stop() == "budget.requests of 12 has no room for another (10 spent)"
    money = Budget(BudgetSection(usd=0.004), PRICE, spent=Usage(1, 1000, 500))
    assert money.admit(0) == (2 * PRICE.usd(1000, 500) <= 0.004)
    first = Budget(BudgetSection(tokens=50), None)
    assert first.admit(255)  # nothing is known yet


def test_a_limit_in_calls_is_kept_to_the_call() -> None:
    budget, in_flight, sent = Budget(BudgetSection(requests=100), None), 0, 0
    while budget.admit(in_flight):
        in_flight, sent = in_flight + 1, sent + 1
        if in_flight == 64:
            for _ in range(64):
                budget.add(Reply("a", text="b"))
            in_flight = 0
    assert sent == 100
