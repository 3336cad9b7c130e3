"""What is asked of a pair as a pair."""

from __future__ import annotations

from japagen.curate.filters.finding import Filter, Finding
from japagen.japanese import canonical
from japagen.records import Example


def same_sentences(allowed: str | None = None) -> Filter:
    """A pair of one sentence twice, by canonical form? Never where its label is `allowed`: the highest similarity."""

    def check(example: Example) -> Finding | None:
        if example.text_pair is None or example.label == allowed:
            return None
        if canonical(example.text) != canonical(example.text_pair):
            return None
        return "same_sentences", f"{example.text_pair} says what the first text says"

    return check
