"""What a filter is: a function that answers one question about one example, with None to keep it or a reason to drop it."""

from __future__ import annotations

from collections.abc import Callable

from japagen.records import Example

Finding = tuple[str, str]
"""The reason why a row goes, which is the name of the check, and a detail for a reader."""

Filter = Callable[[Example], Finding | None]
Shot = str | tuple[str, str | None]
"""An example text of a prompt, or the two of a pair."""


def texts(example: Example) -> tuple[str, ...]:
    """The one text of an example, or its two."""
    return (example.text,) if example.text_pair is None else (example.text, example.text_pair)


def each_text(check: Callable[[str], Finding | None]) -> Filter:
    """A filter that asks of every text of an example; the first text with a finding decides."""

    def look(example: Example) -> Finding | None:
        return next((found for text in texts(example) if (found := check(text))), None)

    return look
