"""One call over HTTP: bytes out, and what came back as a value. Nothing is repeated here, and the network raises nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from japagen.llm.openai.endpoint import Endpoint, is_local
from japagen.llm.openai.responses import Answer, Trouble, read_response, without_key
from japagen.llm.openai.waiting import asked_to_wait

_MOST_BYTES = 32 * 2**20  # of a response
_CONNECT = 10.0  # seconds until a connection stands; twice that with encryption


@dataclass(frozen=True, slots=True)
class Told:
    """The server answered: what, and for how many seconds it asks us to wait, if it does."""

    outcome: Answer | Trouble
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Redirected:
    """The server answered that somebody else should be asked."""

    status: int
    host: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer, and no byte of one.

    Attributes:
        connected: the connection stood and was lost; otherwise it never came to stand.
        why: in our own words or the operating system's.
        insecure: encryption failed, so that waiting will hardly help.
    """

    connected: bool
    why: str
    insecure: bool = False


class Sender:
    """A session with one server; made in a running loop, and closed there."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._url = URL(endpoint.url("/chat/completions"), encoded=True)
        self._clean = endpoint.without_key
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60, ttl_dns_cache=300),
            headers={"Content-Type": "application/json", "User-Agent": "japagen"} | endpoint.headers(),
            skip_auto_headers=("Accept", "Accept-Encoding"),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=2 * _CONNECT, sock_connect=_CONNECT),
            proxy=proxy_of(endpoint),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def send(self, body: bytes) -> Told | Redirected | Unreachable:
        """Send a body and read what comes. Only cancelling ends the waiting."""
        try:
            response = await self._session.post(self._url, data=body, allow_redirects=False)
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientSSLError) as error:
            return Unreachable(connected=False, why=reason_of(error), insecure=True)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            return Unreachable(connected=False, why=reason_of(error))
        except aiohttp.ClientHttpProxyError as error:
            return Told(Trouble("fatal", "proxy", f"the proxy said {error.status}", error.status))
        except (aiohttp.ClientResponseError, aiohttp.ClientPayloadError):
            return Told(Trouble("again", "malformed reply"))
        except (aiohttp.ClientConnectionError, OSError):
            return Unreachable(connected=True, why="connection reset")
        try:
            raw = await read_limited(response)
        except (aiohttp.ClientError, OSError):
            response.close()
            return Told(Trouble("again", "truncated reply"))
        except BaseException:
            response.close()
            raise
        if raw is None:
            response.close()
            return Told(Trouble("again", "reply too large"))
        response.release()
        if 300 <= response.status < 400:
            return Redirected(response.status, target_host(response.headers.get("Location", "")))
        wait = None if response.status < 400 else asked_to_wait(response.headers, time.time())
        return Told(without_key(read_response(response.status, raw), self._clean), wait)


async def read_limited(response: aiohttp.ClientResponse) -> bytes | None:
    """The whole body, or None if it is larger than what we take."""
    length = response.content_length
    if length is not None and "Content-Encoding" not in response.headers:
        return None if length > _MOST_BYTES else await response.read()
    chunks, size = [], 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > _MOST_BYTES:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def reason_of(error: Exception) -> str:
    """The operating system's words. Not the exception's own: those may hold a whole request, its key included."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None)
    if cause is None:
        return "timeout"
    return str(getattr(cause, "strerror", None) or getattr(cause, "verify_message", None) or type(cause).__name__)


def target_host(location: str) -> str:
    """Host and port of a redirect's target, "" for the same server."""
    try:
        return urlsplit(location).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def proxy_of(endpoint: Endpoint) -> str | None:
    """The proxy that the environment names for this server; private servers are called directly."""
    parts = urlsplit(endpoint.base)
    if is_local(parts.hostname or "") or proxy_bypass(endpoint.host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
