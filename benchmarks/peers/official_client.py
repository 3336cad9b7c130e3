"""OpenAI's own client with a semaphore, the usual way. Last argument: its transport, ``default`` or ``aiohttp``."""

from __future__ import annotations

import asyncio
import sys

import openai
from calls import measure, messages


def way(url: str, calls: int, concurrency: int) -> int:
    async def go() -> int:
        http = openai.DefaultAioHttpClient() if sys.argv[-1] == "aiohttp" else None
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=5, http_client=http) as client:
            gate = asyncio.Semaphore(concurrency)

            async def one(i: int) -> str | None:
                async with gate:
                    reply = await client.chat.completions.create(
                        model="fake", messages=messages(i), temperature=1.0, max_tokens=128, seed=i
                    )
                return reply.choices[0].message.content

            return sum(bool(text) for text in await asyncio.gather(*(one(i) for i in range(calls))))

    return asyncio.run(go())


measure(way, "openai")
