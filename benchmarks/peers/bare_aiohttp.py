"""The limit: a loop around aiohttp that keeps nothing and checks nothing."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import uvloop
from calls import measure, messages


def way(url: str, calls: int, concurrency: int) -> int:
    async def go() -> int:
        usable, numbers = 0, iter(range(calls))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def work() -> None:
                nonlocal usable
                for i in numbers:
                    body = {"model": "fake", "messages": messages(i), "temperature": 1.0, "max_tokens": 128, "seed": i}
                    kind = {"Content-Type": "application/json"}
                    async with session.post(f"{url}/chat/completions", data=orjson.dumps(body), headers=kind) as reply:
                        usable += bool(orjson.loads(await reply.read())["choices"][0]["message"]["content"])

            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(work())
        return usable

    return uvloop.run(go())


measure(way, "aiohttp", "uvloop", "orjson")
