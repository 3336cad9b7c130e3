"""The least of HTTP/1.1 that a fast loopback server needs: one protocol per connection, kept alive, no pipelining.

Written by hand because it must never be the bottleneck of a benchmark, and must break the rules on request: half a body,
a reset, silence.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import socket
import struct
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol, cast

import orjson

from japagen.llm.fakeserver.replies import Answer

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close|^[^\r]* HTTP/1\.0\r", re.IGNORECASE)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it came.

    Attributes:
        number: order of arrival, from 1.
        arrived: seconds on this machine's monotonic clock (`time.monotonic`), the same in all its processes.
        method, path, query: of the request line.
        digest: SHA-256 (hex) of the body.
        head: request line and headers; empty where the server does not keep them.
        body: the body; empty where the server does not keep it.
    """

    number: int
    arrived: float
    method: str
    path: str
    query: str
    digest: str
    head: bytes = b""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a header, or ""."""
        found = re.search(rb"\r\n%s:[ \t]*([^\r]*)" % re.escape(name.encode()), self.head, re.IGNORECASE)
        return found[1].decode("latin-1").strip() if found else ""

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return orjson.loads(self.body)


class Host(Protocol):
    """What a connection needs of its server."""

    connections: set[Connection]
    refusing: bool

    def accept(self, call: Call, connection: Connection) -> None:
        """Take a call; later, `connection.send` is called once, or never."""

    def lost(self, call: Call) -> None:
        """The caller went away before the answer."""

    def next_number(self) -> int:
        """The number of the next call."""


class Connection(asyncio.Protocol):
    """One connection: reads a call, waits for its answer, reads the next."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._buffer = bytearray()
        self._call: Call | None = None
        self._close_after = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A caller connected."""
        self._transport = cast(asyncio.Transport, transport)
        if self._host.refusing:
            self.reset()
            return
        self._host.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller, or this server, closed the connection."""
        self._transport = None
        self._host.connections.discard(self)
        if self._call is not None:
            call, self._call = self._call, None
            self._host.lost(call)

    @property
    def idle(self) -> bool:
        """Whether no caller waits for an answer here."""
        return self._call is None or self._transport is None or self._transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Some bytes came."""
        self._buffer += data
        if self._call is None:
            self._read()

    def _read(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._buffer[: end + 2])
        start, length = end + 4, _LENGTH.search(head)
        if length is None and _CHUNKED.search(head):
            if (chunks := _unchunk(self._buffer, start)) is None:
                return
            body, stop = chunks
        else:
            stop = start + (int(length[1]) if length else 0)
            body = bytes(self._buffer[start:stop])
        if len(self._buffer) < stop:
            return
        del self._buffer[:stop]
        self._close_after = _CLOSE.search(head) is not None
        method, target, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        path, _, query = target.partition("?")
        digest = hashlib.sha256(body).hexdigest()
        self._call = Call(self._host.next_number(), time.monotonic(), method, path, query, digest, head, body)
        self._host.accept(self._call, self)

    def send(self, answer: Answer, *, seconds: float = 0.0) -> bool:
        """Send the answer of the call in hand; False where the caller is gone.

        Args:
            answer: what to send, and in which manner.
            seconds: how long a trickle lasts.
        """
        transport = self._transport
        if transport is None or self.idle:
            return False
        self._call = None
        match answer.manner:
            case "hang":
                pass
            case "reset":
                self.reset()
            case "truncated":
                transport.write(_head(answer, len(answer.body)) + answer.body[: len(answer.body) // 2])
                transport.close()
            case "unbounded":
                transport.write(_head(answer, None) + answer.body)
                transport.close()
            case "trickle":
                message = _head(answer, len(answer.body)) + answer.body
                self._drip(message, 0, seconds / len(message))
            case _:
                transport.write(_head(answer, len(answer.body)) + answer.body)
                if self._close_after:
                    transport.close()
                elif self._buffer:
                    asyncio.get_running_loop().call_soon(self._read)
        return True

    def _drip(self, message: bytes, sent: int, delay: float) -> None:
        """Send the next byte, and the others after it."""
        if self._transport is not None and sent < len(message):
            self._transport.write(message[sent : sent + 1])
            asyncio.get_running_loop().call_later(delay, self._drip, message, sent + 1, delay)

    def reset(self) -> None:
        """End the connection with RST."""
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def close(self) -> None:
        """End the connection in peace."""
        if self._transport is not None:
            self._transport.close()


def _unchunk(data: bytearray, start: int) -> tuple[bytes, int] | None:
    """A body in chunks and where it ends; None while it is not all there. Trailers are not known here."""
    body: list[bytearray] = []
    while (end := data.find(b"\r\n", start)) >= 0:
        size = int(data[start:end].split(b";", 1)[0], 16)
        start = end + 2 + size + 2
        if len(data) < start:
            return None
        if size == 0:
            return b"".join(body), start
        body.append(data[end + 2 : end + 2 + size])
    return None


def _head(answer: Answer, size: int | None) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Status')}",
        f"Content-Type: {answer.content_type}",
    ]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append("Connection: close" if size is None else f"Content-Length: {size}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
