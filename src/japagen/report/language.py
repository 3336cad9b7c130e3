"""The language that a report is written in: the same messages in English or in Japanese.

A message is written in English where it is used, ``say("{n} rows were left out.", n="12")``, and its Japanese stands in
``japanese/*.yaml``, under the English. A name in braces is filled in after the message was translated, so that each
language may put it where it likes. What follows a ``|`` tells messages apart that are alike in English only, and is not
shown. Nothing outside of `in_language` is translated. Knows nothing of what is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from markupsafe import escape

Language = Literal["en", "ja"]
QUOTED = "quoted.yaml"
"""The file of sentences that other stages write and the report quotes."""
COUNTS = {"n": r"\d[\d,]*", "m": r"\d[\d,]*", "s": "s?"}
"""Names in it that do not stand for any text."""
LONGEST = 600
"""Characters of a text that may be such a sentence."""

_language: ContextVar[Language] = ContextVar("language", default="en")
_missing: ContextVar[dict[str, None] | None] = ContextVar("missing", default=None)
_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every scalar is a text: "no" stays "no"


@contextmanager
def in_language(language: Language) -> Iterator[None]:
    """Within it `say` speaks this language, and `missing` begins anew."""
    spoken, missed = _language.set(language), _missing.set({})
    try:
        yield
    finally:
        _language.reset(spoken)
        _missing.reset(missed)


def language() -> Language:
    """The language spoken here."""
    return _language.get()


def say(message: str, /, **values: object) -> str:
    """A message in the report's language, its ``{names}`` filled in; in English where it has no Japanese yet.

    Where a value is markup already, as a template passes it, all the others and the message are escaped for HTML.

    Raises:
        KeyError: the message names a value that was not given.

    >>> say("{n} rows remain.", n=3), say("all|examples")
    ('3 rows remain.', 'all')
    """
    message = _translated(message) if language() == "ja" else message.partition("|")[0]
    if not values:
        return message
    if any(hasattr(value, "__html__") for value in values.values()):
        return escape(message).format(**values)
    return message.format(**values)


def several(n: float, one: str, many: str, /, **values: object) -> str:
    """One of two messages, for one thing or for any other number of them, which is their ``{n}``.

    >>> several(1, "{n} round", "{n} rounds"), several(1200, "{n} round", "{n} rounds")
    ('1 round', '1,200 rounds')
    """
    return say(one if n == 1 else many, n=f"{n:,.0f}", **values)


def message(text: str) -> str:
    """The text itself: marks a constant that is handed to `say` later, so that it is looked for in the catalogue."""
    return text


def quoted(text: str) -> str:
    """What another stage wrote, translated where the pattern of it, or of each of its sentences, stands in ``quoted.yaml``.

    What its names stand for is translated likewise. All else stays as it is.
    """
    if language() != "ja" or len(text) > LONGEST:
        return text
    sentences = [_quoted(sentence) for sentence in re.split(r"(?<=\.) (?=[A-Z'])", text)]
    if None not in sentences:
        return "".join(sentence or "" for sentence in sentences)
    return _quoted(text) or text


def _quoted(text: str) -> str | None:
    for pattern, japanese in _quotes():
        if found := pattern.fullmatch(text):
            return japanese.format(**{name: quoted(value) for name, value in found.groupdict().items()})
    return None


def missing() -> tuple[str, ...]:
    """The messages that were said since `in_language` and have no Japanese, each once."""
    return tuple(_missing.get() or ())


def _translated(english: str) -> str:
    japanese = catalogue().get(english)
    if japanese is not None:
        return japanese
    missed = _missing.get()
    if missed is not None:
        missed[english] = None
    return english.partition("|")[0]


@cache
def catalogue() -> Mapping[str, str]:
    """The Japanese of every message, from all files of ``japanese/`` but that of what is quoted."""
    return {
        english: japanese for name, part in _files().items() if name != QUOTED for english, japanese in part.items()
    }


@cache
def _quotes() -> tuple[tuple[re.Pattern[str], str], ...]:
    """What `quoted` looks for, in the order of its file: a name in braces stands for any text."""
    found = []
    for english, japanese in _files().get(QUOTED, {}).items():
        parts = re.split(r"{(\w+)}", english)
        names = [
            f"(?P<{part}>{COUNTS.get(part, '.*?')})" if at % 2 else re.escape(part) for at, part in enumerate(parts)
        ]
        found.append((re.compile("".join(names), re.DOTALL), japanese))
    return tuple(found)


@cache
def _files() -> Mapping[str, Mapping[str, str]]:
    folder = resources.files("japagen.report").joinpath("japanese")
    files = sorted((file for file in folder.iterdir() if file.name[-5:] == ".yaml"), key=lambda file: file.name)
    return {file.name: yaml.load(file.read_text(encoding="utf-8"), _Loader) or {} for file in files}  # noqa: S506
