"""Any server with OpenAI's chat API, hosted or local: OpenAI, Azure, vLLM, llama.cpp, Ollama and others.

This file joins the parts: `endpoint` (where the server is), `wire` and `responses` (the API), `sender` (one call), `gate`,
`limits` and `pace` (how much is asked for), `traffic` (all calls of a run), `bridge` (the event loop behind a synchronous
generator).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from japagen.llm import Style
from japagen.llm.openai.bridge import Bridge
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.traffic import Traffic
from japagen.llm.openai.wire import check_settings, model_of
from japagen.records import Reply, Request, digest
from japagen.sections import LLMSection

_PULL = 256  # requests made at a time before the sockets are looked at again
_SHAPING = ("extra_body", "reasoning", "min_japanese", "send_seed", "n", "json_schema", "logprobs")


class OpenAILLM:
    """A model behind OpenAI's chat API (LLM).

    Prompts in the style of documents are for a base model whose server writes the messages of a chat one after another
    (its chat template): they are sent as messages all the same.

    Where `n` is larger than 1, requests with equal prompts share a call, and which ones depends on what was pulled
    together: such replies do not repeat byte for byte after an interruption.

    Args:
        settings: the experiment's section; `name` is ``openai:MODEL``.
        endpoint: the server; by default as the settings say.
        patience: seconds until a server that never answered is given up.

    Raises:
        ConfigError: the settings cannot be sent, the address is none, or a hosted server has no key.
    """

    style: Style = "chat"
    notice = ""

    def __init__(self, settings: LLMSection, *, endpoint: Endpoint | None = None, patience: float = 20.0) -> None:
        check_settings(settings)
        self.endpoint = endpoint or Endpoint.from_settings(settings)
        self.name = name_of(settings, self.endpoint)
        self.style = settings.prompt_style
        self._settings = settings
        self._patience = patience

    @classmethod
    def from_settings(cls, section: LLMSection) -> OpenAILLM:
        """The model of an experiment's section; raises as the class does."""
        return cls(section)

    def __repr__(self) -> str:
        return f"OpenAILLM({self.name!r})"

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        """See `LLM.complete`. Requests are pulled in the caller's thread, little more than the concurrency ahead.

        Raises:
            ModelError: the server refuses for good, or none answers; replies that had come are yielded before.
        """
        source = iter(requests)
        bridge = Bridge()
        traffic = Traffic(self._settings, self.endpoint, patience=self._patience)
        try:
            bridge.call(traffic.open)
            while True:
                try:
                    for _ in range(min(traffic.room(), _PULL)):
                        traffic.add(next(source))
                except StopIteration:
                    traffic.end()
                except Exception as error:  # what is in flight was paid for: it is yielded first
                    traffic.stop(error)
                if replies := bridge.call(traffic.some):
                    yield replies
                if bridge.interrupted:
                    raise KeyboardInterrupt
                if not replies and traffic.idle:
                    break
            if traffic.failure is not None:
                raise traffic.failure
        finally:
            try:
                bridge.call(traffic.close)
            finally:
                bridge.close()


def name_of(settings: LLMSection, endpoint: Endpoint, kind: str = "openai") -> str:
    """A name that differs where replies would: model, server, and a digest of what else is sent, if anything is.

    What stands in each request (messages, sampling, seed) is not part of it, nor is how the server is called.
    """
    plain = LLMSection()
    shaping = {key: value for key in _SHAPING if (value := getattr(settings, key)) != getattr(plain, key)}
    if endpoint.query:
        shaping["query"] = endpoint.query
    mark = f"#{digest(shaping)[:8]}" if shaping else ""
    return f"{kind}:{model_of(settings)}@{endpoint.host}{endpoint.path}{mark}"
