"""Language models: one protocol, one file per backend.

    LLM ── complete(requests) -> replies
      openai_api    any server with OpenAI's chat API, hosted or local
      openai_batch  the same by OpenAI's batch API: half the price, within a day
      embedded      a GGUF model in this process, through llama.cpp (extra "embedded")
      scripted      deterministic replies from a script, for tests and dry runs; misbehaves on request

`store` keeps every reply on disk, whichever backend wrote it; `budget`, `prices` and `tokens` reckon what it costs. The
packages `openai` and `batch` hold what the first two are made of; `fakeserver` is a server that misbehaves on request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from japagen.errors import ConfigError, did_you_mean
from japagen.records import Reply, Request
from japagen.sections import LLMSection

LLMS = ("embedded", "gguf:PATH", "scripted", "openai:MODEL", "openai-batch:MODEL")

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

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        """One reply for each request, in any order, as they come; those that came at the same time in one list.

        Requests are pulled as capacity frees up. A call that fails is a Reply with a reason, not an exception;
        concurrency, limits and retries are the backend's own affair. A list that was yielded is durable before the
        next is asked for (see `store`), so a backend yields what it has whenever it would have to wait.

        Raises:
            ModelError: the model cannot be used at all.
        """
        ...


def check_llm(name: str) -> None:
    """Whether a backend of that name exists, without loading anything.

    Raises:
        ConfigError: no such backend.
    """
    kind, _, rest = name.partition(":")
    if not any(known.partition(":")[0] == kind and (":" in known) == bool(rest) for known in LLMS):
        raise ConfigError(f"no language model is called '{name}'", where="llm.name", remedy=did_you_mean(name, LLMS))


def load_llm(settings: LLMSection | str, *, folder: Path | None = None) -> LLM:
    """The language model of an experiment's section, or of a name with everything else at its default.

    Args:
        settings: the section, or one of the names: ``embedded``, ``gguf:/path/model.gguf``, ``scripted``,
            ``openai:MODEL`` (any OpenAI-compatible server), ``openai-batch:MODEL``.
        folder: where a backend may keep what it needs to go on after a restart (ids of batches).

    Raises:
        ConfigError: no such backend, or it lacks a key.
        MissingExtra: its packages are not installed.
        ModelError: the model's file is absent or damaged.
    """
    section = LLMSection(name=settings) if isinstance(settings, str) else settings
    check_llm(section.name)
    kind, _, rest = section.name.partition(":")
    match kind:
        case "embedded" | "gguf":
            from japagen.llm.embedded import EmbeddedLLM

            model = EmbeddedLLM.from_path(rest) if kind == "gguf" else EmbeddedLLM.bundled()
            model.style = section.prompt_style
            return model
        case "scripted":
            from japagen.llm.scripted import ScriptedLLM

            scripted = ScriptedLLM()
            scripted.style = section.prompt_style
            return scripted
        case "openai":
            from japagen.llm.openai_api import OpenAILLM

            return OpenAILLM.from_settings(section)
        case "openai-batch":
            from japagen.llm.openai_batch import OpenAIBatchLLM

            return OpenAIBatchLLM.from_settings(section, folder=folder)
    raise AssertionError(section.name)
