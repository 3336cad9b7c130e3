"""How long servers ask us to wait, in all their spellings."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.llm.openai.waiting import asked_to_wait, duration

NOW = 1_790_000_000.25


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.25 "}, 0.25),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": formatdate(NOW + 9.75, usegmt=True)}, 9.75),
        ({"retry-after": formatdate(NOW - 60, usegmt=True)}, 0.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 90.0),
        ({"x-ratelimit-remaining-requests": "7", "x-ratelimit-reset-requests": "1m30s"}, None),
        ({"x-ratelimit-reset-requests": "20ms", "x-ratelimit-reset-tokens": "6s"}, 6.0),
        ({"retry-after": "2", "x-ratelimit-reset-requests": "1h"}, 2.0),
        ({"x-ratelimit-reset-requests": f"{NOW + 4:.2f}"}, 4.0),
    ],
)
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_to_wait(headers, NOW) == (seconds if seconds is None else pytest.approx(seconds, abs=0.01))


def test_a_server_whose_clock_differs() -> None:
    theirs = NOW + 3600
    headers = {"date": formatdate(theirs, usegmt=True), "retry-after": formatdate(theirs + 10, usegmt=True)}
    assert asked_to_wait(headers, NOW) == 10
    headers["date"] = formatdate(NOW, usegmt=True)  # the same clock: to the second is not enough
    headers["retry-after"] = formatdate(NOW + 10, usegmt=True)
    assert asked_to_wait(headers, NOW) == 9.75


@given(st.text() | st.from_regex(r"[0-9hms.]{1,20}", fullmatch=True))
def test_any_header_gives_a_time_or_nothing(text: str) -> None:
    headers = {"retry-after": text, "retry-after-ms": text, "x-ratelimit-reset-tokens": text, "date": text}
    found = asked_to_wait(headers, NOW)
    assert found is None or found >= 0
    assert (parsed := duration(text, NOW)) is None or parsed >= 0
