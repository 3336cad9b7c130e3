"""A server with OpenAI's chat API that says made-up Japanese sentences and misbehaves on request. It ships, because tests of
users need it as much as ours do.

    with FakeServer(faults=[Fault("reset", every=100)]) as server:      # a thread of this process
        llm = OpenAILLM(..., base_url=server.url)
        ...
        assert set(server.completed().values()) == {1}

    python -m japagen.llm.fakeserver --port 0 --latency 0.05 --script '[{"kind": "reset", "every": 100}]'

The first line that the command prints is the address (`fakeprocess.FakeProcess` starts it and reads it).
`GET /_journal` tells what was served, `?bodies=1` with the bodies, `?count=1` only how much.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fnmatch
import re
import signal
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from japagen.llm.fakeserver.faults import Fault, FaultBook, load_faults
from japagen.llm.fakeserver.http import Call, Connection
from japagen.llm.fakeserver.replies import Answer, completion, spoilt

Handler = Callable[[Call], Answer]
Routes = Mapping[str, Handler]
_OUTAGES = ("outage", "outage_reset")


@dataclass(frozen=True, slots=True)
class Served:
    """One call and what became of it.

    Attributes:
        call: the call.
        status: that was sent; 0 where there was none (reset, outage), 499 where the caller left before the answer.
        left: seconds on the monotonic clock at which the answer was sent.
        fault: kind of the fault that hit it, or "".
    """

    call: Call
    status: int
    left: float
    fault: str = ""

    @property
    def complete(self) -> bool:
        """Whether a good answer was sent in full."""
        return self.status == 200 and self.fault in ("", "trickle")

    def row(self, *, body: bool) -> dict[str, Any]:
        """The entry as JSON."""
        call = self.call
        row = {"number": call.number, "path": call.path, "digest": call.digest, "status": self.status}
        row |= {"fault": self.fault, "arrived": call.arrived, "left": self.left, "complete": self.complete}
        return row | ({"body": call.body.decode("utf-8", "replace")} if body else {})


class FakeServer:
    """The server in a thread of this process; use it as a context manager.

    Args:
        faults: what goes wrong; the first that matches a call hits it. May be set anew while the server runs.
        latency: seconds from a call to its answer.
        capacity: calls worked on at a time, the others wait in line; None: any number.
        answers: what a call that asks for log-probabilities is answered with, one of them.
        routes: more handlers by method and path, e.g. ``{"GET /v1/batches/*": handler}``; they come before our own.
        keep: keep heads and bodies of all calls in the journal.
        port: 0 takes a free one.

    Attributes:
        journal: what was served, in the order of the answers.
    """

    def __init__(
        self,
        faults: Iterable[Fault] = (),
        *,
        latency: float = 0.0,
        capacity: int | None = None,
        answers: tuple[str, ...] = ("はい", "いいえ"),
        routes: Routes | None = None,
        keep: bool = True,
        port: int = 0,
    ) -> None:
        self.latency = latency
        self.journal: list[Served] = []
        self.connections: set[Connection] = set()
        self.refusing = False
        self.port = port
        self._capacity = capacity
        self._answers = answers
        self._keep = keep
        self._faults = FaultBook(faults)
        own: dict[str, Handler] = {"GET */models": self._models, "GET /_journal": self._tell}
        self._routes = {
            re.compile(fnmatch.translate(key)): handler for key, handler in (dict(routes or {}) | own).items()
        }
        self._found: dict[str, Handler | None] = {}
        self._number = 0
        self._working = 0
        self._line: deque[tuple[Call, Connection]] = deque()
        self._loop: asyncio.AbstractEventLoop
        self._listener: asyncio.Server | None = None
        self._bound: socket.socket | None = None  # holds our port during an outage
        self._thread: threading.Thread

    @property
    def url(self) -> str:
        """The address that clients take as base URL, with /v1."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def faults(self) -> FaultBook:
        """What goes wrong."""
        return self._faults

    @faults.setter
    def faults(self, faults: Iterable[Fault]) -> None:
        self._faults = FaultBook(faults)

    def completed(self) -> Counter[str]:
        """How often each request, by its digest, got a good answer in full."""
        return Counter(served.call.digest for served in self.journal if served.complete)

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=self._in_thread, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _in_thread(self, ready: threading.Event) -> None:
        self._loop = _new_loop()
        try:
            self._loop.run_until_complete(self.listen())
            ready.set()
            self._loop.run_forever()
            self._loop.run_until_complete(self.close())
        finally:
            self._loop.close()

    async def listen(self) -> None:
        """Take calls, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._listener = await self._loop.create_server(lambda: Connection(self), sock=self._bind())
        self.port = self._listener.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Take no more calls and close all connections."""
        if self._listener is not None:
            self._listener.close()
        if self._bound is not None:
            self._bound.close()
        for connection in list(self.connections):
            connection.close()
        await asyncio.sleep(0.01)

    def _bind(self) -> socket.socket:
        """A socket on our port that does not listen yet, so that the port stays ours and refuses."""
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(("127.0.0.1", self.port))
        return bound

    def next_number(self) -> int:
        """The number of the next call; calls to paths of our own (``/_journal``) count too."""
        self._number += 1
        return self._number

    def accept(self, call: Call, connection: Connection) -> None:
        """Take a call of a connection."""
        if call.path.startswith("/_"):
            connection.send(self._tell(call) if call.path == "/_journal" else Answer.error(404, "no such page"))
        elif self._capacity is not None and self._working >= self._capacity:
            self._line.append((call, connection))
        else:
            self._begin(call, connection)

    def _begin(self, call: Call, connection: Connection) -> None:
        self._working += 1
        if self.latency:
            self._loop.call_later(self.latency, self._finish, call, connection)
        else:
            self._finish(call, connection)

    def _finish(self, call: Call, connection: Connection) -> None:
        self._working -= 1
        if not connection.idle:
            fault = self._faults.choose(call.number, call.path, call.digest, call.body, time.monotonic())
            if fault is not None and fault.kind in _OUTAGES:
                self._break_down(fault)
            else:
                answer = self._answer(call, fault)
                self._note(call, answer.status, fault.kind if fault else "")
                connection.send(answer, seconds=fault.seconds if fault else 0.0)
        if self._line:
            self._begin(*self._line.popleft())

    def _answer(self, call: Call, fault: Fault | None) -> Answer:
        if call.method == "POST" and call.path.endswith("/chat/completions"):
            good = completion(call.body, call.digest, answers=self._answers, fault=fault)
        else:
            handler = self._handler(f"{call.method} {call.path}")
            good = handler(call) if handler else Answer.error(404, f"no such path: {call.path}")
        if fault is None:
            return good
        return spoilt(fault, good, path=call.path, authorization=call.header("authorization"))

    def _handler(self, key: str) -> Handler | None:
        if key not in self._found:
            self._found[key] = next((h for pattern, h in self._routes.items() if pattern.fullmatch(key)), None)
        return self._found[key]

    def lost(self, call: Call) -> None:
        """A caller left before its answer."""
        self._note(call, *((0, "outage") if self.refusing else (499, "")))

    def _note(self, call: Call, status: int, fault: str) -> None:
        if not self._keep:
            call = Call(call.number, call.arrived, call.method, call.path, call.query, call.digest)
        self.journal.append(Served(call, status, time.monotonic(), fault))

    def _break_down(self, fault: Fault) -> None:
        self.refusing = True
        if fault.kind == "outage" and self._listener is not None:
            self._listener.close()
            self._bound = self._bind()
        for connection in list(self.connections):
            connection.reset()
        self._loop.call_later(fault.seconds, self._recover)

    def _recover(self) -> None:
        self.refusing = False
        if self._bound is not None:
            bound, self._bound = self._bound, None
            self._waking = self._loop.create_task(self._listen_again(bound))

    async def _listen_again(self, bound: socket.socket) -> None:
        self._listener = await asyncio.get_running_loop().create_server(lambda: Connection(self), sock=bound)

    def _models(self, call: Call) -> Answer:
        model = {"id": "fake", "object": "model", "created": 1_700_000_000, "owned_by": "japagen"}
        return Answer.json({"object": "list", "data": [model]})

    def _tell(self, call: Call) -> Answer:
        if "count=1" in call.query:
            return Answer.json(len(self.journal))
        return Answer.json([served.row(body="bodies=1" in call.query) for served in self.journal])


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


async def _serve(server: FakeServer, *, attached: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if attached:
        loop.add_reader(sys.stdin.fileno(), stop.set)
    await server.listen()
    print(server.url, flush=True)  # noqa: T201
    await stop.wait()
    await server.close()


def _batch_routes() -> dict[str, Any]:
    from japagen.llm.fakeserver.batch import FakeBatches

    return dict(FakeBatches().routes)


def main(arguments: list[str] | None = None) -> None:
    """Run the server until it is ended (see the module)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds from a call to its answer")
    parser.add_argument("--capacity", type=int, help="calls worked on at a time")
    parser.add_argument("--script", default="[]", help="faults: a JSON list, or a file that holds one")
    parser.add_argument("--forget", action="store_true", help="keep no bodies in the journal")
    parser.add_argument("--attached", action="store_true", help="end when standard input closes")
    parser.add_argument(
        "--batch", action="store_true", help="answer the batch API as well; batches end at the first look"
    )
    options = parser.parse_args(arguments)
    script = options.script if options.script.lstrip().startswith("[") else Path(options.script).read_text("utf-8")
    server = FakeServer(
        load_faults(script),
        latency=options.latency,
        capacity=options.capacity,
        keep=not options.forget,
        port=options.port,
        routes=_batch_routes() if options.batch else {},
    )
    loop = _new_loop()
    with contextlib.closing(loop):
        loop.run_until_complete(_serve(server, attached=options.attached))
