"""How many tokens a prompt or a text will be, without asking a server and without the network.

Three ways, the best that there is: the model's own vocabulary (tiktoken, extra ``tokens``, where its file lies on this
machine already: nothing is ever downloaded here); characters per token as measured on replies that a run has; or the
defaults below, measured on Japanese texts. `TokenCounter.how` says in words which one it was.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from japagen.records import Message

# Characters per token, each the lowest of seven sets of Japanese texts, so that costs are rather over- than underestimated:
# JCoLA, JNLI and JSTS (23,600 sentences, 500,000 characters) and the shots of the built-in reviews. The highest: cl100k_base
# .96, o200k_base 1.29, Gemma 3 1.78. On the prompts of four built-in tasks this gave 8 to 14 % more than there were.
_MEASURED = {"cl100k_base": 0.87, "o200k_base": 1.18, "Gemma 3": 1.61}

# Beside the words of a chat there are control tokens: around each message, and before the reply.
_PER_MESSAGE, _PER_REPLY = 4, 3

# A vocabulary's file in tiktoken's cache, and its SHA-256.
_FILES = {
    "cl100k_base": (
        "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    ),
    "o200k_base": (
        "fb374d419588a4632f3f557e76b4b70aebbca790",
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    ),
}
_VOCABULARIES = (
    (re.compile(r"gpt-(3\.5|4)(-turbo|-32k|-\d{4}|$)"), "cl100k_base"),
    (re.compile(r"(gpt-4o|gpt-4\.|gpt-5|o[134](-|$))"), "o200k_base"),
    (re.compile(r"embedded$|gemma-?3"), "Gemma 3"),
)


@dataclass(frozen=True, slots=True)
class Observed:
    """What replies that came have used, each in one try: characters and tokens, of prompts and of replies."""

    replies: int = 0
    prompt_characters: int = 0
    prompt_tokens: int = 0
    completion_characters: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Observed) -> Observed:
        return Observed(
            self.replies + other.replies,
            self.prompt_characters + other.prompt_characters,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_characters + other.completion_characters,
            self.completion_tokens + other.completion_tokens,
        )


class TokenCounter:
    """Counts tokens (see the module).

    Args:
        count: tokens of one text; may be a fraction.
        how: in words, which way that is.
        per_message, per_reply: tokens of a chat beside its words.
    """

    def __init__(
        self, count: Callable[[str], float], *, how: str, per_message: float = 0.0, per_reply: float = 0.0
    ) -> None:
        self.how = how
        self._count = lru_cache(maxsize=50_000)(count)  # prompts of one run share most of their messages
        self._per_message, self._per_reply = per_message, per_reply

    @classmethod
    def for_model(cls, model: str, observed: Observed | None = None) -> TokenCounter:
        """The best way for a model.

        Args:
            model: its name at the server, e.g. ``gpt-4o-mini``, or ``embedded``, or ``scripted``, which counts characters.
            observed: what replies of this model have used, if there are any.
        """
        if model == "scripted":
            return cls.by_characters(1.0, how="one token per character, as the scripted model counts")
        name = _vocabulary(model)
        if name and (encode := _tiktoken(name)):
            how = f"counted with the model's vocabulary ({name})"
            return cls(encode, how=how, per_message=_PER_MESSAGE, per_reply=_PER_REPLY)
        if observed and observed.prompt_tokens and observed.prompt_characters:
            ratio = observed.prompt_characters / observed.prompt_tokens
            return cls.by_characters(
                ratio, how=f"{ratio:.2f} characters per token, measured on {observed.replies:,} replies of this run"
            )
        like = name or "o200k_base"
        ratio = _MEASURED[like]
        how = f"{ratio:.2f} characters per token, as Japanese has in the vocabulary {like}"
        if name is None:
            how += "; that of this model is not known"
        elif name in _FILES and importlib.util.find_spec("tiktoken") is None:
            how += "; exact with: pip install 'japagen[tokens]'"
        elif name in _FILES:
            how += f'; exact once it is on this machine: python -c "import tiktoken; tiktoken.get_encoding({name!r})"'
        return cls(lambda text: len(text) / ratio, how=how, per_message=_PER_MESSAGE, per_reply=_PER_REPLY)

    @classmethod
    def by_characters(cls, characters_per_token: float, *, how: str) -> TokenCounter:
        """A counter that only measures length.

        Raises:
            ValueError: a token has no characters.
        """
        if characters_per_token <= 0:
            raise ValueError("a token has characters")
        return cls(lambda text: len(text) / characters_per_token, how=how)

    def text(self, text: str) -> float:
        """Tokens of a text alone."""
        return self._count(text)

    def prompt(self, messages: Iterable[Message]) -> float:
        """Tokens of a conversation that is sent, those between its messages included."""
        return self._per_reply + sum(self._per_message + self._count(message.content) for message in messages)


def _vocabulary(model: str) -> str | None:
    return next((name for pattern, name in _VOCABULARIES if pattern.match(model)), None)


def _tiktoken(name: str) -> Callable[[str], int] | None:
    """The counter of a vocabulary; None where tiktoken or the vocabulary's file is not here, or the file is damaged."""
    if name not in _FILES or importlib.util.find_spec("tiktoken") is None:
        return None
    file, sha256 = _FILES[name]
    if (cache := _cache()) is None:
        return None
    try:
        data = (cache / file).read_bytes()
    except OSError:
        return None
    if hashlib.sha256(data).hexdigest() != sha256:  # tiktoken would delete it and fetch another one
        return None
    import tiktoken

    encoding = tiktoken.get_encoding(name)
    return lambda text: len(encoding.encode_ordinary(text))


def _cache() -> Path | None:
    """The folder where tiktoken keeps vocabularies; None where it is told to keep none, so that it would fetch them anew."""
    for variable in ("TIKTOKEN_CACHE_DIR", "DATA_GYM_CACHE_DIR"):
        if (named := os.environ.get(variable)) is not None:
            return Path(named) if named else None
    return Path(tempfile.gettempdir()) / "data-gym-cache"
