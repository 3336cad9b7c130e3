"""Language models: one protocol, one file per backend.

    LLM ── complete(requests) -> replies
      embedded    a GGUF model in this process, through llama.cpp (extra "embedded")
      scripted    deterministic replies from a script, for tests and dry runs; misbehaves on request

`store` keeps every reply on disk, whichever backend wrote it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, runtime_checkable

from japagen.errors import ConfigError, did_you_mean
from japagen.records import Reply, Request

LLMS = ("embedded", "gguf:PATH", "scripted")

Style = Literal["chat", "document"]


@runtime_checkable
class LLM(Protocol):
    """A language model.

    Attributes:
        name: identifies the model in keys, provenance and reports; the same name means the same weights.
        style: "chat" for models that follow instructions, "document" for base models that continue a text.
        notice: what a user must be told before the first use (a licence), or "".
    """

    name: str
    style: Style
    notice: str

    def complete(self, requests: Iterable[Request]) -> Iterator[Reply]:
        """One reply for each request, in any order, as they come.

        Requests are pulled as capacity frees up. A call that fails is a Reply with a reason, not an exception;
        concurrency, limits and retries are the backend's own affair.

        Raises:
            ModelError: the model cannot be used at all.
        """
        ...


def check_llm(name: str) -> None:
    """Whether a backend of that name exists, without loading anything.

    Raises:
        ConfigError: no such backend.
    """
    kind, _, path = name.partition(":")
    if kind not in {known.partition(":")[0] for known in LLMS} or (kind == "gguf") != bool(path):
        raise ConfigError(f"no language model is called '{name}'", where="llm.name", remedy=did_you_mean(name, LLMS))


def load_llm(name: str) -> LLM:
    """The model of that name: ``embedded``, ``gguf:/path/model.gguf`` or ``scripted``.

    Raises:
        ConfigError: no such backend.
        MissingExtra: its packages are not installed.
        ModelError: the model's file is absent or damaged.
    """
    kind, _, rest = name.partition(":")
    match kind:
        case "embedded" | "gguf":
            from japagen.llm.embedded import EmbeddedLLM

            if kind == "gguf":
                return EmbeddedLLM.from_path(rest)
            return EmbeddedLLM.bundled()
        case "scripted":
            from japagen.llm.scripted import ScriptedLLM

            return ScriptedLLM()
        case _:
            raise ConfigError(
                f"no language model is called '{name}'", where="llm.name", remedy=did_you_mean(name, LLMS)
            )
