"""What can go wrong at the hub, as data: which calls a fault hits, and what the caller sees. Knows no sockets."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from japagen.errors import ConfigError, did_you_mean

Kind = Literal[
    "status",  # an error with `status`, `code`, `message` and, if given, `retry_after`; nothing is done
    "reset",  # the connection is reset instead of an answer; nothing is done
    "lost",  # what was asked is done, then the connection is reset: the caller cannot know
    "slow",  # a good answer after `seconds`
    "truncated",  # half of a good answer's body, then the connection closes
    "html",  # a page for people, with `status`
]


@dataclass(frozen=True, slots=True)
class HubFault:
    """One fault and the calls that it hits.

    Attributes:
        kind: what the caller sees (see `Kind`).
        method: only calls of this method, e.g. "PUT"; "*" any.
        path: only calls whose path fits, with * for anything, e.g. ``*/commit/*``, ``/_lfs/*``, ``/api/whoami-v2``.
        times: calls that are hit; None: all.
        skip: calls that fit and pass before the first is hit.
        status: of an error.
        code: of an error, for the header X-Error-Code, e.g. "GatedRepo".
        message: of an error; ``{authorization}`` stands for what the caller sent to prove who it is.
        retry_after: the header Retry-After as it is sent; None: no header.
        seconds: how long a slow answer takes.

    Raises:
        ConfigError: no such kind.
    """

    kind: Kind = "status"
    method: str = "*"
    path: str = "*"
    times: int | None = 1
    skip: int = 0
    status: int = 500
    code: str = ""
    message: str = "the fake hub was asked to fail"
    retry_after: str | None = None
    seconds: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            remedy = did_you_mean(self.kind, get_args(Kind))
            raise ConfigError(f"no fault is called '{self.kind}'", where="fault", remedy=remedy)

    def fits(self, method: str, path: str) -> bool:
        """Whether it is about such a call."""
        return fnmatch.fnmatchcase(method, self.method) and fnmatch.fnmatchcase(path, self.path)


class FaultBook:
    """Which fault hits the next call: the first in their order that fits and is not used up."""

    def __init__(self, faults: Iterable[HubFault]) -> None:
        self._faults = tuple(faults)
        self._met = [0] * len(self._faults)

    def choose(self, method: str, path: str) -> HubFault | None:
        """The fault of a call, which is counted."""
        for i, fault in enumerate(self._faults):
            if fault.fits(method, path):
                self._met[i] += 1
                if self._met[i] > fault.skip and (fault.times is None or self._met[i] <= fault.skip + fault.times):
                    return fault
        return None


def load_faults(text: str) -> list[HubFault]:
    """Faults from JSON: a list of objects with the attributes of `HubFault`.

    Raises:
        ConfigError: it is no such list, or a key or kind is not known.
    """
    where, known = "script of faults", [field.name for field in fields(HubFault)]
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        for key in (key for row in rows for key in dict(row) if key not in known):
            raise ConfigError(f"unknown attribute '{key}'", where=where, remedy=did_you_mean(key, known))
        return [HubFault(**row) for row in rows]
    except (ValueError, TypeError) as error:
        remedy = 'e.g. [{"kind": "status", "status": 503, "path": "*/commit/*"}]'
        raise ConfigError(f"not a list of faults: {error}", where=where, remedy=remedy) from error
