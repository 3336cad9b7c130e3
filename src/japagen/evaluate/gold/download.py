"""One file over HTTPS to a place on disk, going on where an earlier try broke off. It knows nothing of gold data.

What has come stands in ``.NAME.partial``, and what the server called it (its ETag or date) in ``.NAME.partial.json``; a
later try asks for the rest on the condition that the file is still the same (RFC 9110, If-Range). A server that sends the
whole file again, or another one, is read from the start.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import japagen
from japagen.errors import DataError
from japagen.tables import write_json

TRIES = 4
TIMEOUT = 30.0
MOST_BYTES = 2**28

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_CHUNK = 2**16
_DIGITS = 20  # of a length that can be meant
_PASSING = {408, 425, 429, 500, 502, 503, 504}


Told = Callable[[int, int | None], object]
"""Called with bytes so far and in all, where that is known."""


class _Broken(Exception):
    """A try that a further one may mend."""


def unfinished(path: Path) -> Path:
    """Where the bytes that have come of `path` stand."""
    return path.with_name(f".{path.name}.partial")


def _validator(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial.json")


def forget(path: Path) -> None:
    """Remove what has come of a file."""
    unfinished(path).unlink(missing_ok=True)
    _validator(path).unlink(missing_ok=True)


def check_url(url: str, where: str = "") -> None:
    """Refuse addresses that anybody on the way could change: only https, or http on this machine.

    Raises:
        DataError: it is another one.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        what = "is no address: its host or port cannot be one"
        raise DataError(what, where=where or "download", remedy="write https://HOST/…") from error
    if "@" in parts.netloc:
        what = "the address holds a user name or a password, which are not used here"
        raise DataError(what, where=where or "download", remedy="give one without them: https://HOST/FOLDER")
    if not url.isascii() or not url.isprintable() or " " in url:
        what = "the address holds blanks or letters that none can have"
        raise DataError(what, where=where or "download", remedy="write them in percent-encoding: %20 for a blank")
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOCAL)):
        return
    raise DataError(
        f"'{_shown(url)}' is not https", where=where or "download", remedy="give an address that begins with https://"
    )


def _shown(url: str) -> str:
    """An address for a message, without its query, which may hold a key."""
    return url.partition("#")[0].partition("?")[0][:200]


def download(
    url: str,
    path: Path,
    *,
    size: int | None = None,
    timeout: float = TIMEOUT,
    wait: Callable[[float], object] = time.sleep,
    told: Told = lambda done, total: None,
) -> None:
    """Bring a file to `unfinished(path)`, whole; what it is, is for the caller to check.

    Args:
        url: https, or http on this machine; redirects must be so too. Proxies are those of the environment.
        path: what it will be called.
        size: in bytes, where it is known.
        timeout: seconds without a byte after which a try is given up.
        wait: called with the seconds between two tries.
        told: hears how far it is.

    Raises:
        DataError: the server refuses it, sends too much, or cannot be reached after several tries; what came is kept.
    """
    check_url(url)
    most = size if size is not None else MOST_BYTES
    for attempt in range(TRIES):
        if attempt:
            wait(2.0 ** (attempt - 1))
        try:
            return _try(url, path, most, timeout, told)
        except _Broken as error:
            failure = error
    kept = unfinished(path).stat().st_size if unfinished(path).exists() else 0
    raise DataError(
        f"could not be fetched after {TRIES} tries: {failure}",
        where=url,
        remedy=f"{kept:,} bytes are kept; the same command goes on from there"
        if kept
        else "check the network and the address; nothing has come yet",
    ) from failure


def _try(url: str, path: Path, most: int, timeout: float, told: Told) -> None:
    have, headers = _resume(path)
    request = urllib.request.Request(url, headers={"User-Agent": f"japagen/{japagen.__version__}", **headers})  # noqa: S310
    try:
        with _opener(url).open(request, timeout=timeout) as response:
            start = _start(response, have)
            if start == 0:
                _remember(path, response.headers)
            length = response.headers.get("Content-Length")
            total = start + int(length) if length and length.isdecimal() and len(length) < _DIGITS else None
            with unfinished(path).open("r+b" if start else "wb") as file:
                file.seek(start)
                _copy(response, file, start, total, most, url, told)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # what came is not a beginning of what is there now
            forget(path)
            raise _Broken("the server has another file now") from error
        if error.code in _PASSING:
            raise _Broken(f"the server answers {error.code}") from error
        remedy = "the publisher may have moved it; if you have the files: japagen gold fetch NAME --from FOLDER"
        # what is said of a redirect may hold the address that it leads to
        said = "and leads nowhere" if 300 <= error.code < 400 else str(error.reason)[:80]
        raise DataError(f"the server answers {error.code} {said}", where=url, remedy=remedy) from error
    except (http.client.HTTPException, urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, ssl.SSLCertVerificationError):
            what = f"the server cannot show who it is: {reason.verify_message}"
            raise DataError(what, where=url, remedy="check the clock and the certificates of this machine") from error
        raise _Broken(str(reason)[:200] or type(error).__name__) from error
    except ValueError as error:  # of urllib: a header that is none, as the address of a redirect
        raise _Broken(f"the server's answer cannot be read: {type(error).__name__}") from error


def _copy(
    response: Any,
    file: IO[bytes],
    done: int,
    total: int | None,
    most: int,
    url: str,
    told: Told,
) -> None:
    told(done, total)
    try:
        while chunk := _read(response):
            done += len(chunk)
            if done > most:
                what = f"is larger than expected: {done:,} bytes came, {most:,} at most were expected"
                raise DataError(what, where=url, remedy="what the server gives is not the published file")
            file.write(chunk)
            told(done, total)
    finally:
        file.truncate(file.tell())
        file.flush()
        os.fsync(file.fileno())
    if total is not None and done < total:
        raise _Broken(f"the connection broke off at {done:,} of {total:,} bytes")


def _read(response: Any) -> bytes:
    try:
        return bytes(response.read1(_CHUNK))
    except (OSError, http.client.HTTPException) as error:  # of the network; what is written fails elsewhere
        raise _Broken(f"the connection broke off: {error or type(error).__name__}") from error


def _resume(path: Path) -> tuple[int, dict[str, str]]:
    """How many bytes are here, and the headers that ask for the rest; none where that cannot be asked for."""
    plain = {"Accept-Encoding": "identity"}
    try:
        have = unfinished(path).stat().st_size
        named = json.loads(_validator(path).read_text(encoding="utf-8"))["validator"]
    except (OSError, ValueError, TypeError, KeyError):
        return 0, plain
    if not have or not isinstance(named, str) or not named.isprintable() or not named.isascii():
        return 0, plain
    return have, plain | {"Range": f"bytes={have}-", "If-Range": named}


def _start(response: Any, have: int) -> int:
    """Where the bytes that come begin."""
    if response.status != 206:
        return 0
    told = response.headers.get("Content-Range", "")
    if not told.startswith(f"bytes {have}-"):
        raise _Broken(f"the server sends another part ('{told}') than was asked for")
    return have


def _remember(path: Path, headers: Message) -> None:
    """Keep what the server calls this file: a strong ETag, else its date."""
    etag = headers.get("ETag", "")
    named = etag if etag.startswith('"') else headers.get("Last-Modified")
    unfinished(path).unlink(missing_ok=True)
    write_json(_validator(path), {"validator": named})


class _Redirects(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any) -> Any:
        try:
            return super().http_error_302(req, fp, code, msg, headers)
        except (ValueError, DataError):
            fp.close()  # urllib leaves it open
            raise

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        check_url(newurl, f"redirect of {_shown(req.full_url)}")
        if urlsplit(newurl).scheme == "http" and urlsplit(req.full_url).scheme == "https":
            raise DataError(
                f"is sent on to '{_shown(newurl)}', which is not https",
                where=_shown(req.full_url),
                remedy="use --from FOLDER",
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str) -> urllib.request.OpenerDirector:
    proxies: Mapping[str, str] | None = {} if urlsplit(url).hostname in _LOCAL else None  # None: the environment's
    return urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _Redirects)  # type: ignore[arg-type]
