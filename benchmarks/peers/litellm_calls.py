"""litellm with a semaphore."""

from __future__ import annotations

import asyncio
import os

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # it would fetch its table of prices

import litellm
from calls import measure, messages


def way(url: str, calls: int, concurrency: int) -> int:
    async def go() -> int:
        gate = asyncio.Semaphore(concurrency)

        async def one(i: int) -> str | None:
            async with gate:
                reply = await litellm.acompletion(
                    model="openai/fake",
                    messages=messages(i),
                    api_base=url,
                    api_key="none",
                    temperature=1.0,
                    max_tokens=128,
                    seed=i,
                    num_retries=5,
                )
            return reply.choices[0].message.content

        return sum(bool(text) for text in await asyncio.gather(*(one(i) for i in range(calls))))

    return asyncio.run(go())


measure(way, "litellm")
