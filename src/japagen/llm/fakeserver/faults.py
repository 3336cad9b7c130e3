"""What can go wrong at a server, as data: which calls a fault hits, and what the caller sees. Knows no sockets.

`FakeServer` plays faults; `FaultBook` remembers which request was hit how often, so that "hit once" means: the first call
misbehaves, the repeat is fine.
"""

from __future__ import annotations

import email.utils
import json
import math
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from japagen.errors import ConfigError, did_you_mean

Kind = Literal[
    "status",  # an error with `status`, `code`, `message` and, if given, `retry_after`
    "rate_cap",  # 429 for every call above `per_second`
    "quota",  # 429 insufficient_quota: the account is empty, waiting does not help
    "content_filter",  # 400 content_filter: the server's filter refused the prompt
    "outage",  # for `seconds` every connection is reset and new ones are refused
    "outage_reset",  # for `seconds` every connection is reset, new ones too, after they were accepted
    "reset",  # the connection is reset instead of an answer
    "hang",  # no answer ever comes
    "truncated",  # Content-Length promises more than comes, then the connection closes
    "trickle",  # a good answer, byte by byte over `seconds`
    "malformed",  # status 200, a body that is no JSON
    "wrong_shape",  # status 200, a body that is JSON of another shape
    "html",  # a page for people, with `status`
    "huge",  # status 200, a body of `size` bytes and of unknown length
    "redirect",  # `status` 307 to the same path at `to`
    "empty",  # a good answer whose content is ""
    "null",  # a good answer whose content is null
    "wrong_schema",  # the content is JSON, but of another form than asked for
    "wrong_language",  # the content is English
    "fewer_choices",  # one choice less than `n`
    "refusal",  # the model refuses in words
    "length",  # the content is cut off in the middle
]
_STATUS = {"html": 502, "redirect": 307}


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault and the calls that it hits; calls are counted from 1 in order of arrival, whatever their path.

    Attributes:
        kind: what the caller sees (see `Kind`).
        every: each call whose number is a multiple of it; 0: no such rule.
        at: calls with these numbers.
        share: this share of the requests, chosen by their digest.
        contains: only requests whose body contains this text.
        times: how many calls of the same request are hit; None: all of them, the fault is permanent.
        limit: hits at most, all requests together.
        path: only calls whose path ends so.
        status: HTTP status; 0 is 500 for "status", 502 for "html" and 307 for "redirect".
        code, message: of the error; an empty message is replaced by a fitting one.
        retry_after: seconds that the header Retry-After tells; None: no header.
        retry_form: how the header tells it: whole seconds or decimals as given, a date, or retry-after-ms.
        seconds: how long an outage or a trickle lasts.
        per_second: calls per second that a rate cap lets pass, evenly; `burst` at once.
        burst: calls that a rate cap lets pass at once after a pause.
        size: bytes of a huge body.
        to: ``host:port`` of a redirect.

    Without `every`, `at` and `share` it hits all requests.

    Raises:
        ConfigError: no such kind.
    """

    kind: Kind
    every: int = 0
    at: tuple[int, ...] = ()
    share: float = 0.0
    contains: str = ""
    times: int | None = 1
    limit: int | None = None
    path: str = "/chat/completions"
    status: int = 0
    code: str = ""
    message: str = ""
    retry_after: float | None = None
    retry_form: Literal["seconds", "date", "ms"] = "seconds"
    seconds: float = 5.0
    per_second: float = 300.0
    burst: int = 30
    size: int = 65 * 2**20
    to: str = "elsewhere.invalid"

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ConfigError(
                f"no fault is called '{self.kind}'", where="fault", remedy=did_you_mean(self.kind, get_args(Kind))
            )

    @property
    def http_status(self) -> int:
        """The status to send for kinds that are an error of HTTP."""
        return self.status or _STATUS.get(self.kind, 500)

    def retry_headers(self) -> tuple[tuple[str, str], ...]:
        """The header that tells when to come again; none without `retry_after`."""
        if self.retry_after is None:
            return ()
        match self.retry_form:
            case "date":  # whole seconds only: rounded up
                when = email.utils.formatdate(math.ceil(time.time() + self.retry_after), usegmt=True)
                return (("Retry-After", when),)
            case "ms":
                return (("retry-after-ms", f"{self.retry_after * 1000:.0f}"),)
        return (("Retry-After", f"{self.retry_after:g}"),)


class FaultBook:
    """Which fault hits the next call: the first in their order that matches."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self._faults = tuple(faults)
        self._hits = [0] * len(self._faults)
        self._times: Counter[tuple[int, str]] = Counter()
        self._allowance = [(float(f.burst), -math.inf) for f in self._faults]

    def choose(self, number: int, path: str, digest: str, body: bytes, now: float) -> Fault | None:
        """The fault of a call, which is counted as hit.

        Args:
            number: of the call, from 1.
            path: of the call, without its query.
            digest: hexadecimal digest of the body.
            body: the body as it came.
            now: seconds on any clock that does not go back.
        """
        for i, fault in enumerate(self._faults):
            if not path.endswith(fault.path) or (fault.contains and fault.contains.encode() not in body):
                continue
            if fault.kind == "rate_cap":
                if self._exceeds(i, fault, now):
                    return fault
            elif self._hit(i, fault, number, digest):
                return fault
        return None

    def _hit(self, i: int, fault: Fault, number: int, digest: str) -> bool:
        if fault.limit is not None and self._hits[i] >= fault.limit:
            return False
        chosen = (
            not (fault.every or fault.at or fault.share)
            or (fault.every > 0 and number % fault.every == 0)
            or number in fault.at
            or int(digest[:8], 16) < fault.share * 2**32
        )
        if not chosen or (fault.times is not None and self._times[i, digest] >= fault.times):
            return False
        if fault.times is not None:
            self._times[i, digest] += 1
        self._hits[i] += 1
        return True

    def _exceeds(self, i: int, fault: Fault, now: float) -> bool:
        """A token bucket: `burst` tokens at most, `per_second` new ones each second."""
        tokens, since = self._allowance[i]
        tokens = min(float(fault.burst), tokens + (now - since) * fault.per_second)
        self._allowance[i] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
        return tokens < 1


def dump_faults(faults: Iterable[Fault]) -> str:
    """Faults as JSON, for the command line of a server in its own process."""
    return json.dumps([asdict(fault) for fault in faults], ensure_ascii=False)


def load_faults(text: str) -> list[Fault]:
    """Faults from JSON: a list of objects with the attributes of `Fault`.

    Raises:
        ConfigError: it is no such list, or a key or kind is not known.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        known = [field.name for field in fields(Fault)]
        for row in rows:
            for key in dict(row):
                if key not in known:
                    raise ConfigError(
                        f"unknown attribute '{key}'", where="script of faults", remedy=did_you_mean(key, known)
                    )
        return [Fault(**{**row, "at": tuple(row.get("at", ()))}) for row in rows]
    except (ValueError, TypeError) as error:
        raise ConfigError(
            f"not a list of faults: {error}", where="script of faults", remedy='e.g. [{"kind": "reset", "every": 100}]'
        ) from error
