"""The gate: during an outage one call looks whether the server is there, and nobody waits longer than need be."""

from __future__ import annotations

import asyncio
import time

from japagen.llm.openai.gate import Gate
from japagen.sections import HTTPSection


def test_only_the_probe_passes_during_an_outage() -> None:
    async def go() -> None:
        gate = Gate(HTTPSection())
        gate.outage.failed(time.monotonic() - 5)
        probe = await gate.enter(0)
        other = asyncio.create_task(gate.enter(0))
        await asyncio.sleep(0.01)
        assert (probe.probe, other.done()) == (True, False)
        gate.outage.answered()
        gate.leave(probe)
        assert not (await other).probe

    asyncio.run(asyncio.wait_for(go(), 10))


def test_an_answer_to_any_call_lets_the_others_pass() -> None:
    async def go() -> None:
        gate = Gate(HTTPSection())
        gate.outage.failed(time.monotonic() - 5)
        probe = await gate.enter(0)
        waiting = [asyncio.create_task(gate.enter(0)) for _ in range(3)]
        await asyncio.sleep(0.01)
        gate.outage.answered()
        gate.reached()  # a call that was in flight before came back; the probe is still under way
        assert [entry.probe for entry in await asyncio.gather(*waiting)] == [False] * 3
        gate.leave(probe)  # its own end changes nothing any more
        assert not (await gate.enter(0)).probe

    asyncio.run(asyncio.wait_for(go(), 10))
