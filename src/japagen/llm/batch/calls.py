"""The calls of OpenAI's batch API: files up and down, batches made, found and looked at; repeated where a call was unlucky.

Synchronous. Nothing here knows requests or replies; a batch is the JSON object that the server tells.
"""

from __future__ import annotations

import codecs
import itertools
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import orjson
from yarl import URL

from japagen.errors import ModelError
from japagen.llm.batch.lines import ENDPOINT
from japagen.llm.batch.record import recording
from japagen.llm.openai.bridge import Bridge
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.refusals import redirected, refusal, too_long_a_wait, unreachable, untrusted
from japagen.llm.openai.responses import Trouble, read_trouble
from japagen.llm.openai.sender import proxy_of, read_limited, reason_of, target_host
from japagen.llm.openai.waiting import asked_to_wait
from japagen.sections import LLMSection

_CONNECT = 10.0  # seconds until a connection stands
_SLOWEST = 50_000  # bytes per second of an upload that is still waited for
_MOST_BYTES = 8 * 2**30  # of a file of results
_CHUNK = 2**18
_PAGES = 20  # of the list of batches, 100 on each
_DEAD = ("failed", "cancelled", "cancelling")  # batches that are not taken for ours when one is looked for

T = TypeVar("T")


class Unlucky(ModelError):
    """A call that did not succeed in any of its tries, though another time it may."""


class _Again(Exception):
    """A call was unlucky: why, and for how many seconds the server asks us to wait."""

    def __init__(self, why: str, wait: float | None = None, *, lost: bool = False) -> None:
        super().__init__(why)
        self.wait, self.lost = wait, lost


class BatchCalls:
    """The calls to one server, between `open` and `close`.

    Args:
        settings: the experiment's section; `http` says how often and how long is tried.
        endpoint: the server.
        sleep: waits for so many seconds.

    All calls raise ModelError where the server refuses, and Unlucky where it was tried often enough.
    """

    def __init__(self, settings: LLMSection, endpoint: Endpoint, sleep: Callable[[float], object]) -> None:
        self._settings, self._http, self._endpoint, self._sleep = settings, settings.http, endpoint, sleep
        self._bridge = Bridge()
        self._session: aiohttp.ClientSession | None = None
        self._jitter = random.Random()

    def open(self) -> None:
        """Prepare; nothing is sent."""
        self._bridge.run(self._open())

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(
            headers={"User-Agent": "japagen"} | self._endpoint.headers(),
            cookie_jar=aiohttp.DummyCookieJar(),
            proxy=proxy_of(self._endpoint),
        )

    def close(self) -> None:
        """Close all connections."""
        try:
            if self._session is not None:
                self._bridge.run(self._session.close())
        finally:
            self._bridge.close()

    def upload(self, file: Path) -> str:
        """Upload the requests of a batch; the file's id."""

        def once() -> str:
            with file.open("rb") as opened:
                form = aiohttp.FormData({"purpose": "batch"})
                form.add_field("file", opened, filename=file.name, content_type="application/jsonl")
                return _id(self._json("POST", "/files", data=form, size=file.stat().st_size))

        return self._patiently(once)

    def create(self, file_id: str, digest: str, *, perhaps: bool) -> str:
        """Create a batch, once, whatever happens on the way; its id.

        Args:
            file_id: the uploaded requests.
            digest: of the requests, noted with the batch.
            perhaps: whether it may have been created already, so that it is looked for first.
        """
        value = {"input_file_id": file_id, "endpoint": ENDPOINT, "completion_window": "24h"}
        data = orjson.dumps(value | {"metadata": {"japagen": f"{digest}:{file_id}"}})

        def once() -> str:
            nonlocal perhaps
            if perhaps and (found := self._find(file_id, f"{digest}:{file_id}")):
                return found
            perhaps = True
            return _id(self._json("POST", "/batches", data=data, headers={"Content-Type": "application/json"}))

        return self._patiently(once)

    def _find(self, file_id: str, mark: str) -> str:
        """The id of the batch of an uploaded file, or ""."""
        after = ""
        for _ in range(_PAGES):
            page = self._json("GET", "/batches", params={"limit": "100"} | ({"after": after} if after else {}))
            listed = page.get("data")
            batches = [b for b in listed if isinstance(b, dict)] if isinstance(listed, list) else []
            for batch in batches:
                metadata = batch.get("metadata")
                noted = metadata.get("japagen") if isinstance(metadata, dict) else None
                if (batch.get("input_file_id") == file_id or noted == mark) and batch.get("status") not in _DEAD:
                    return _id(batch)
            if not batches or page.get("has_more") is not True:
                break
            after = _id(batches[-1])
        return ""

    def look(self, batch_id: str) -> dict[str, Any]:
        """How a batch stands."""
        return self._patiently(lambda: self._json("GET", f"/batches/{batch_id}"))

    def download(self, file_id: str, target: Path) -> None:
        """Write a file of results to disk."""
        self._patiently(lambda: self._bridge.run(self._fetch(_id({"id": file_id}), target)))

    # ---- one try, and several ---------------------------------------------------------------------------------------

    def _patiently(self, once: Callable[[], T]) -> T:
        for tries in itertools.count(1):
            try:
                return once()
            except _Again as again:
                if again.wait is not None and again.wait > self._http.deadline:
                    raise too_long_a_wait(self._endpoint, again.wait, self._http.deadline) from None
                if tries >= self._http.tries:
                    raise self._unlucky(again) from None
                backoff = min(self._http.backoff_max, self._http.backoff * 2.0 ** (tries - 1))
                self._sleep(max(again.wait or 0.0, backoff * self._jitter.uniform(0.5, 1.0)))
        raise AssertionError

    def _unlucky(self, again: _Again) -> Unlucky:
        error = (
            unreachable(self._endpoint, str(again))
            if again.lost
            else self._endpoint.error(
                f"no luck in {self._http.tries} tries: {again}",
                remedy="give the same command again later: what was sent is kept and goes on",
            )
        )
        return Unlucky(error.what, where=error.where, remedy=error.remedy)

    def _json(self, method: str, path: str, *, size: int = 0, **options: Any) -> dict[str, Any]:
        """One try of a call that answers with a JSON object; `size` is in bytes, if many are sent; options as aiohttp's."""
        raw = self._bridge.run(self._call(method, path, self._http.timeout + size / _SLOWEST, options))
        try:
            value = self._without_key(orjson.loads(raw.removeprefix(codecs.BOM_UTF8)))
        except (orjson.JSONDecodeError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise _Again("malformed reply")
        return value

    def _without_key(self, value: Any) -> Any:
        """A JSON value with "[key]" for the key in each of its strings."""
        if isinstance(value, str):
            return self._endpoint.without_key(value)
        if isinstance(value, list):
            return [self._without_key(item) for item in value]
        if isinstance(value, dict):
            return {name: self._without_key(item) for name, item in value.items()}
        return value

    async def _call(self, method: str, path: str, seconds: float, options: dict[str, Any]) -> bytes:
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT)
        try:
            async with self._request(method, path, timeout, **options) as response:
                raw = await read_limited(response)
                self._check(response, raw or b"", path)
        except (aiohttp.ClientError, OSError) as error:  # OSError: timeouts too
            raise self._lost(error) from None
        if raw is None:
            raise _Again("reply too large")
        return raw

    async def _fetch(self, file_id: str, target: Path) -> None:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT, sock_read=self._http.timeout)
        path = f"/files/{file_id}/content"
        try:
            async with self._request("GET", path, timeout) as response:
                if response.status != 200:
                    self._check(response, await read_limited(response) or b"", path)
                size = 0
                with recording(target.parent), target.open("wb") as file:
                    async for chunk in response.content.iter_chunked(_CHUNK):
                        if (size := size + len(chunk)) > _MOST_BYTES:
                            raise self._endpoint.error("sends more results than any batch has")
                        file.write(chunk)
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise self._lost(error) from None

    def _request(self, method: str, path: str, timeout: aiohttp.ClientTimeout, **options: Any) -> Any:
        if self._session is None:
            raise RuntimeError("open it first")
        url = URL(self._endpoint.url(path), encoded=True)
        return self._session.request(method, url, allow_redirects=False, timeout=timeout, **options)

    def _check(self, response: aiohttp.ClientResponse, raw: bytes, path: str) -> None:
        """Nothing for a good response."""
        if 200 <= response.status < 300:
            return
        if 300 <= response.status < 400:
            raise redirected(self._endpoint, response.status, target_host(response.headers.get("Location", "")))
        trouble = read_trouble(response.status, raw)
        if trouble.kind in ("again", "throttled", "overloaded"):
            raise _Again(trouble.reason, asked_to_wait(response.headers, time.time()))
        raise self._refusal(trouble, path)

    def _refusal(self, trouble: Trouble, path: str) -> ModelError:
        if trouble.status in (404, 405, 501) and path in ("/files", "/batches"):
            return self._endpoint.error(
                f"has no batch API (HTTP {trouble.status})",
                words=trouble.words,
                remedy="use the same model by its chat API: llm: {name: 'openai:MODEL'}",
            )
        if trouble.status == 404:
            return self._endpoint.error(
                f"does not know {path.split('/')[1].removesuffix('s')} {self._endpoint.scrub(path.split('/')[2])}",
                words=trouble.words,
                remedy="set the key of the account that made it; or delete its record to send its requests again",
            )
        return refusal(trouble, self._endpoint, self._settings)

    def _lost(self, error: Exception) -> ModelError | _Again:
        """What a lost connection means."""
        match error:
            case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
                return untrusted(self._endpoint, reason_of(error))
            case aiohttp.ClientConnectorError():
                return _Again(reason_of(error), lost=True)
            case TimeoutError():
                return _Again("timeout", lost=True)
            case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
                return _Again("malformed reply")
        return _Again("connection reset", lost=True)


def _id(value: dict[str, Any]) -> str:
    """The id of a file or batch; it becomes part of addresses, so only what an id may hold is taken."""
    name = value.get("id")
    if isinstance(name, str) and 0 < len(name) <= 200 and name.replace("-", "").replace("_", "").isalnum():
        return name
    raise _Again("malformed reply")
