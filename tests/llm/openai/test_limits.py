"""Concurrency, outages and guesses against simulated servers, on a clock of the test's own."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm.openai.limits import Concurrency, Outage, TokenGuess


def flow(limit: Concurrency, latency: float, seconds: float, *, capacity: int = 10**6) -> list[int]:
    """Answers of a server that works on `capacity` calls at a time; the limits passed through."""
    now, limits = 0.0, [limit.limit]
    while now < seconds:
        rounds = max(1.0, limit.limit / capacity)
        now += latency * rounds
        for _ in range(limit.limit):
            limit.answered(latency * rounds, now)
        limits.append(limit.limit)
    return limits


def test_slow_start_doubles_up_to_the_most() -> None:
    assert flow(Concurrency(256, 0.0), 0.05, 0.3)[:5] == [32, 64, 128, 256, 256]
    assert Concurrency(8, 0.0).limit == 8
    assert set(flow(Concurrency(1, 0.0), 0.05, 1.0)) == {1}


def test_a_server_that_slows_down_gets_less() -> None:
    limits = flow(Concurrency(1024, 0.0), 0.1, 60.0, capacity=64)
    assert max(limits) < 1024
    assert sum(limits[-20:]) / 20 < 256  # twice what it can do, and one step of growth
    assert min(limits[3:]) >= 64


def test_signs_of_overload() -> None:
    limit = Concurrency(100, 0.0)
    flow(limit, 0.01, 1.0)
    assert limit.limit == 100
    limit.overloaded(1.0, 0.5, 1.1)
    assert limit.limit == 50
    limit.overloaded(1.05, 0.5, 1.2)  # it was in flight when the limit was cut
    assert limit.limit == 50
    for _ in range(20):
        limit.overloaded(2.0, 0.5, 1.5)
    assert limit.limit >= 1
    before = limit.limit
    for _ in range(max(8, before)):
        limit.answered(0.01, 3.0)
    assert limit.limit == before + 5  # a twentieth of the most
    limit.restart(4.0)
    assert limit.limit == 32


@given(st.integers(1, 4096), st.lists(st.tuples(st.booleans(), st.floats(0, 100)), max_size=300))
def test_the_limit_stays_within_bounds(most: int, events: list[tuple[bool, float]]) -> None:
    limit = Concurrency(most, 0.0)
    for now, (answered, latency) in enumerate(events):
        if answered:
            limit.answered(latency, float(now))
        else:
            limit.overloaded(now - latency, 0.5, float(now))
        assert 1 <= limit.limit <= most


def test_an_absent_server_is_looked_for_again() -> None:
    outage, now, looks = Outage(longest=30.0), 0.0, []
    outage.failed(now)
    assert (outage.on, outage.until) == (True, pytest.approx(0.1))
    outage.failed(0.05)  # in flight together with the first
    assert outage.until == pytest.approx(0.1)
    while now < 200:
        now = outage.until
        looks.append(now)
        outage.failed(now)
    gaps = [b - a for a, b in pairwise(looks)]
    assert gaps[:5] == pytest.approx([0.2, 0.4, 0.8, 1.0, 1.0])
    assert max(b - a for a, b in pairwise(looks) if b < 30) <= 1.0 + 1e-9
    assert max(gaps) == pytest.approx(30.0)
    assert outage.answered()
    assert not outage.on
    assert not outage.answered()


def test_a_guess_of_tokens_follows_what_is_used() -> None:
    guess = TokenGuess(80)
    assert guess.guess(100, 2) == 260
    for _ in range(200):
        guess.learn(100, 2, 60, 40)
    assert guess.guess(100, 2) == pytest.approx(100, rel=0.02)
    guess.learn(0, 0, 5, 5)  # nothing can be learnt from that
    assert guess.guess(100, 2) == pytest.approx(100, rel=0.02)
