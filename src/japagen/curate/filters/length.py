"""Length: characters without the whitespace around them, and words as MeCab cuts them, marks included."""

from __future__ import annotations

from japagen.curate.filters.finding import Filter, Finding, each_text
from japagen.japanese import words


def too_short(min_chars: int) -> Filter:
    """Fewer characters than `min_chars`, without the whitespace around them?"""

    def check(text: str) -> Finding | None:
        n = len(text.strip())
        return ("too_short", f"{n} characters, fewer than {min_chars}") if n < min_chars else None

    return each_text(check)


def too_long(max_chars: int) -> Filter:
    """More characters than `max_chars`, without the whitespace around them?"""

    def check(text: str) -> Finding | None:
        n = len(text.strip())
        return ("too_long", f"{n} characters, more than {max_chars}") if n > max_chars else None

    return each_text(check)


def too_few_words(min_words: int) -> Filter:
    """Fewer words than `min_words`?"""

    def check(text: str) -> Finding | None:
        n = len(words(text))
        return ("too_few_words", f"{n} words, fewer than {min_words}") if n < min_words else None

    return each_text(check)


def too_many_words(max_words: int) -> Filter:
    """More words than `max_words`?"""

    def check(text: str) -> Finding | None:
        n = len(words(text))
        return ("too_many_words", f"{n} words, more than {max_words}") if n > max_words else None

    return each_text(check)
