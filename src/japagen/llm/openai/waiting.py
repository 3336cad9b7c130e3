"""How long a server asks us to wait: Retry-After in its three spellings, and what rate-limit headers say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SAME_CLOCK = 1.5  # seconds of difference up to which the server's clock is taken to be ours


def asked_to_wait(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds that a response asks us to wait, or None if it does not say.

    ``retry-after-ms`` goes before ``Retry-After`` (seconds, whole or decimal, or a date); where there is neither, the
    limits that are used up (``x-ratelimit-remaining-* = 0``) tell when they are reset.

    Args:
        headers: names are compared as the mapping does; aiohttp's ignore case.
        now: seconds since the epoch, for dates.
    """
    if (milliseconds := _number(headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    if value := headers.get("retry-after"):
        if (seconds := _number(value)) is not None:
            return seconds
        if (when := _date(value)) is not None:
            return max(0.0, when - _servers_now(headers, now))
    waits = [
        wait
        for kind in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{kind}", "0").strip() == "0"
        and (wait := duration(headers.get(f"x-ratelimit-reset-{kind}", ""), now)) is not None
    ]
    return max(waits, default=None)


def duration(text: str, now: float) -> float | None:
    """Seconds in a text like ``1s``, ``6m0s``, ``20ms`` or ``1.5``; a large number is a time since the epoch.

    >>> [duration(text, 0) for text in ("1m30s", "20ms", "2.5", "soon")]
    [90.0, 0.02, 2.5, None]
    """
    text = text.strip().lower()
    if (number := _number(text)) is not None:
        return max(0.0, number - now) if number > 1e9 else number
    if not _DURATION.fullmatch(text):
        return None
    return sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(text))


def _number(text: str | None) -> float | None:
    if text is None or not re.fullmatch(r"\d{1,12}(?:\.\d{0,9})?|\.\d{1,9}", text.strip(), re.ASCII):
        return None
    return float(text)


def _date(text: str) -> float | None:
    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _servers_now(headers: Mapping[str, str], now: float) -> float:
    """The server's time: ours, unless its Date header shows that its clock differs."""
    told = _date(headers.get("date", ""))
    return told if told is not None and not -0.5 <= now - told < _SAME_CLOCK else now
