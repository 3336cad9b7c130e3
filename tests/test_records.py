"""Records: keys follow what is sent, and rows add up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from japagen.records import Accounting, Dropped, Example, Message, Request, Sampling


def test_key_depends_on_everything_that_is_sent() -> None:
    request = Request("a/1", (Message("user", "書いて"),), Sampling(), seed=1)
    changed = [
        replace(request, id="a/2"),
        replace(request, messages=(Message("user", "書け"),)),
        replace(request, messages=(Message("system", "書いて"),)),
        replace(request, sampling=Sampling(temperature=0.5)),
        replace(request, seed=2),
        replace(request, choices=("甲",)),
        replace(request, samples=2),
    ]
    keys = {request.key("m"), request.key("other"), *(r.key("m") for r in changed)}
    assert len(keys) == 2 + len(changed)
    assert request.key("m") == replace(request, label="a", attributes={"word": "本"}).key("m")  # not sent


def test_accounting_refuses_a_lost_row() -> None:
    kept = [Example("1", "猫", "a")]
    dropped = [Dropped(Example("2", "", "a"), "empty")]
    assert Accounting.count(3, kept, dropped, ["timeout"]).failed == {"timeout": 1}
    with pytest.raises(ValueError, match="do not add up"):
        Accounting.count(4, kept, dropped, ["timeout"])
