"""The pace of calls against simulated servers, on a clock of the test's own."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm.openai.pace import LearntPace, Pace


def passes(pace: Pace, seconds: float, *, late: float = 0.0) -> list[float]:
    """When calls pass that come as fast as they may, each `late` seconds after its time."""
    now, times = 0.0, []
    while now < seconds:
        if (wait := pace.wait(now)) > 0:
            now += max(wait, 1e-6) + late
            continue
        pace.take(now)
        times.append(now)
    return times


def most_in_a_second(times: list[float]) -> int:
    most, window = 0, deque[float]()
    for t in times:
        window.append(t)
        while t - window[0] >= 1:
            window.popleft()
        most = max(most, len(window))
    return most


def test_a_pace_by_hand() -> None:
    pace = Pace(2.0, 0.0, size=3.0)  # two per second, three at once
    assert [pace.wait(0.0) or pace.take(0.0) for _ in range(3)] == [None] * 3
    assert pace.wait(0.0) == pytest.approx(0.5)
    assert pace.wait(0.5) == 0
    pace.take(0.5, cost=-2)  # given back
    assert [pace.wait(0.5) or pace.take(0.5) for _ in range(3)] == [None] * 3
    assert pace.wait(0.5) == pytest.approx(0.5)
    assert pace.wait(100.0, cost=50) == 0  # more than the bucket holds: when it is full
    pace.take(100.0, cost=50)
    assert pace.wait(100.0) == pytest.approx((47 + 1) / 2)


@given(st.floats(0.5, 2000), st.sampled_from([0.0, 0.001, 0.02]))
def test_no_second_holds_more_than_the_limit(limit: float, late: float) -> None:
    seconds = max(3.0, 10 / limit)
    times = passes(Pace.within(limit, 0.0), seconds, late=late)
    assert most_in_a_second(times) <= max(1, math.ceil(limit))
    if limit >= 20 and (late <= 0.001 or limit >= 500):  # what comes late is caught up
        assert len(times) >= 0.9 * limit * seconds - 1


def test_without_a_limit_nothing_waits() -> None:
    pace = Pace.within(math.inf, 0.0)
    assert [pace.wait(0.0, cost=1e12) for _ in range(3) if not pace.take(0.0, 1e12)] == [0.0] * 3


class Capped:
    """A server that allows so many calls per second and so many at once, and refuses the others."""

    def __init__(self, cap: float, burst: float) -> None:
        self.cap, self.burst, self.level, self.at = cap, burst, burst, 0.0
        self.accepted: list[float] = []
        self.refused: list[float] = []

    def call(self, now: float) -> bool:
        self.level = min(self.burst, self.level + (now - self.at) * self.cap)
        self.at = now
        if self.level < 1:
            self.refused.append(now)
            return False
        self.level -= 1
        self.accepted.append(now)
        return True


def simulate(
    server: Capped, seconds: float, *, retry_after: float = 0.0, trip: float = 0.05, top: float = 4000
) -> None:
    """A client that sends at up to `top` per second what its pace allows; refusals are known after `trip` seconds."""
    pace, now, until = LearntPace(0.0), 0.0, 0.0
    refusals: deque[tuple[float, int, float]] = deque()
    while now < seconds:
        while refusals and refusals[0][0] <= now:
            _, number, sent = refusals.popleft()
            pace.refuse(number, sent, now, retry_after)
            until = max(until, now + retry_after)
        if now >= until and pace.wait(now) <= 0:
            number = pace.take(now)
            if not server.call(now):
                refusals.append((now + trip, number, now))
        now += 1 / top


@pytest.mark.parametrize("burst", [30, 300])
@pytest.mark.parametrize("cap", [50, 300, 1000])
def test_a_cap_is_learnt_and_used(cap: int, burst: int) -> None:
    server = Capped(cap, burst)
    simulate(server, 20.0)
    assert len(server.accepted) >= 0.93 * cap * 20
    assert sum(t >= 10 for t in server.accepted) >= 0.93 * cap * 10
    assert sum(t >= 10 for t in server.refused) <= 0.05 * cap * 10


@pytest.mark.parametrize("burst", [30, 300])
def test_a_cap_with_pauses_is_used_in_the_long_run(burst: int) -> None:
    server = Capped(300, burst)
    simulate(server, 60.0, retry_after=1.0)
    assert len(server.accepted) >= 0.9 * 300 * 60


def test_a_cap_that_falls_and_rises() -> None:
    server = Capped(300, 30)
    simulate(server, 10.0)
    pace, now = LearntPace(0.0), 0.0
    for _ in range(50):  # everything is refused for a while
        number = pace.take(now)
        pace.refuse(number, now, now)
        now += max(pace.wait(now), 0.05)
    assert 0.2 <= pace.rate < 20
    low = pace.rate
    for _ in range(600):
        now += 0.1
        pace.wait(now)
    assert pace.rate > 1.5 * low


def test_refusals_in_flight_together_are_one() -> None:
    pace = LearntPace(0.0)
    numbers = [pace.take(0.0) for _ in range(50)]
    assert [pace.refuse(n, 0.0, 0.1, 1.0) for n in numbers[30:]] == [True] + [False] * 19
    assert pace.wait(0.6) == pytest.approx(0.5)
    pace.wait(1.2)
    assert pace.rate == pytest.approx(0.92 * 300)  # thirty in less than a tenth of a second


def test_the_order_in_which_calls_are_refused_does_not_matter() -> None:
    """Connections race each other: the second call may reach the server last, and be the one refused."""
    pace = LearntPace(0.0)
    numbers = [pace.take(0.0) for _ in range(32)]
    assert pace.refuse(numbers[1], 0.0, 0.02, 1.0)
    assert not pace.refuse(numbers[0], 0.0, 0.03, 1.0)
    pace.wait(1.1)
    assert pace.rate == pytest.approx(0.92 * 300)


@pytest.mark.parametrize("pause", [0.0, 1.0])
def test_a_pace_that_is_far_too_low_does_not_stay(pause: float) -> None:
    pace, now = LearntPace(0.0), 0.0
    for _ in range(60):
        pace.refuse(pace.take(now), now, now, pause)
        now += max(pace.wait(now), 0.05)
    began = now
    while pace.rate < 300:
        now += 0.1
        if pace.wait(now) <= 0:
            pace.take(now)
        assert now - began < 120
