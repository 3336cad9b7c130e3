"""The number in flight is cut for a server that is overloaded, and for nothing else."""

from __future__ import annotations

import random

from japagen.llm.openai.limits import Concurrency


def run(limit: Concurrency, seconds: float, latency: float, *, unseen: float = 0.0, capacity: float = 1e9) -> list[int]:
    """The limit over simulated rounds, in each of which all calls in flight are answered together.

    `latency` is a call's time at an idle server, `capacity` how many it serves at that speed; `unseen` is the part of
    each call in which we did not look.
    """
    jitter, now, seen = random.Random(0), 100.0, []
    while now < 100.0 + seconds:
        took = latency * max(1.0, limit.limit / capacity)
        now += took
        for _ in range(limit.limit):
            longer = took * jitter.uniform(0.9, 1.1)
            limit.answered(max(0.001, longer - unseen), now, longer)
        seen.append(limit.limit)
    return seen


def test_our_own_slowness_is_not_put_down_to_the_server() -> None:
    limit = Concurrency(256, 100.0)
    run(limit, 5.0, 0.05, unseen=0.045)  # we were away most of the time: calls look as if they took 5 ms
    assert min(run(limit, 10.0, 0.05)[5:]) == 256


def test_texts_that_take_longer_do_not_starve_the_run() -> None:
    limit = Concurrency(256, 100.0)
    run(limit, 10.0, 0.05)
    assert limit.limit == 256
    later = run(limit, 60.0, 0.5)  # from now on longer texts: ten times the latency, at any number in flight
    assert min(later) >= 150
    assert later[-1] == 256


def test_an_overloaded_server_gets_less() -> None:
    later = run(Concurrency(256, 100.0), 120.0, 0.05, capacity=32)[200:]
    assert max(later) < 160
    assert min(later) >= 25
