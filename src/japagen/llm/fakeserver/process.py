"""The fake server in a process of its own, for benchmarks and for tests that kill: see `fakeserver`."""

from __future__ import annotations

import subprocess
import sys
import urllib.request
from collections.abc import Iterable
from typing import IO, Any, Self, cast

import orjson

from japagen.llm.fakeserver.faults import Fault, dump_faults


class FakeProcess:
    """The server in a process of its own; use it as a context manager. Arguments as of `FakeServer`.

    It ends with the context, and with this process, however that ends.
    """

    def __init__(
        self, faults: Iterable[Fault] = (), *, latency: float = 0.0, capacity: int | None = None, keep: bool = True
    ) -> None:
        self._command = [sys.executable, "-m", "japagen.llm.fakeserver", "--attached", "--latency", str(latency)]
        self._command += ["--script", dump_faults(faults), *(() if keep else ("--forget",))]
        self._command += [] if capacity is None else ["--capacity", str(capacity)]
        self.url = ""

    def __enter__(self) -> Self:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(self._command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
        self.url = cast(IO[str], self._process.stdout).readline().strip()
        if not self.url:
            raise RuntimeError("the server did not start; its words stand above")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate()

    def journal(self, *, bodies: bool = False) -> list[dict[str, Any]]:
        """What was served: number, path, digest, status, fault, arrived, left, complete, and body if asked for."""
        rows: list[dict[str, Any]] = self._get("bodies=1" if bodies else "")
        return rows

    def count(self) -> int:
        """How many entries the journal has."""
        return int(self._get("count=1"))

    def _get(self, query: str) -> Any:
        with urllib.request.urlopen(f"{self.url.removesuffix('/v1')}/_journal?{query}") as response:  # noqa: S310
            return orjson.loads(response.read())
