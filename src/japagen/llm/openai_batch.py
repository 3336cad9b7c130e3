"""OpenAI's batch API: the same requests at half the price, answered within 24 hours.

This file joins the parts: `batchrun` (what is done in which order), `batchrecord` (requests and ids on disk), `batchcalls`
(to the server), `batchlines` (requests and results as lines). Where a run ends, by Ctrl-C or `kill -9`, the same command
finds its batches again: none is made twice, and what one holds is not sent again.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from japagen.llm import Style
from japagen.llm.batch.calls import BatchCalls
from japagen.llm.batch.record import Limits, recording
from japagen.llm.batch.run import BatchRun
from japagen.llm.openai.endpoint import Endpoint
from japagen.llm.openai.wire import check_settings
from japagen.llm.openai_api import name_of
from japagen.records import Reply, Request
from japagen.sections import LLMSection


class OpenAIBatchLLM:
    """A model behind OpenAI's batch API (LLM).

    The requests are those of `OpenAILLM`, one text each. The name differs from its, so replies of the two do not mix.

    Args:
        settings: the experiment's section; `name` is ``openai-batch:MODEL``.
        folder: where batches are recorded; None: nowhere, so that an interrupted batch is lost.
        endpoint: the server; by default as the settings say.
        sleep: waits for so many seconds.
        clock: seconds, from any point on.
        limits: of one batch; by default those of OpenAI.

    Attributes:
        odd: lines of results that were passed over, by kind: "malformed", "unknown", "repeated".

    Raises:
        ConfigError: the settings cannot be sent, the address is none, or a hosted server has no key.
    """

    style: Style = "chat"
    notice = "The batch API answers within 24 hours. Stop as you like: the same command goes on with the same batches."

    def __init__(
        self,
        settings: LLMSection,
        *,
        folder: Path | None = None,
        endpoint: Endpoint | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        check_settings(settings)
        self.endpoint = endpoint or Endpoint.from_settings(settings)
        self.name = name_of(settings, self.endpoint, "openai-batch")
        self.style = settings.prompt_style
        self.odd: Counter[str] = Counter()
        self._settings, self._folder = settings, folder
        self._sleep, self._clock, self._limits = sleep, clock, limits or Limits()

    @classmethod
    def from_settings(cls, section: LLMSection, *, folder: Path | None = None) -> OpenAIBatchLLM:
        """The model of an experiment's section; raises as the class does."""
        return cls(section, folder=folder)

    def __repr__(self) -> str:
        return f"OpenAIBatchLLM({self.name!r})"

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        """See `LLM.complete`. Of a request that was pulled, only its row is kept; the rest is on disk.

        Raises:
            ModelError: the server refuses for good, or a batch failed or was cancelled; what it had finished was
                yielded before.
            RunError: the batches cannot be recorded.
        """
        with ExitStack() as stack:
            if self._folder is None:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="japagen-")))
            else:
                folder = self._folder
                with recording(folder):
                    folder.mkdir(parents=True, exist_ok=True)
            calls = BatchCalls(self._settings, self.endpoint, self._sleep)
            stack.callback(calls.close)
            calls.open()
            run = BatchRun(
                self._settings, self.endpoint, self.name, folder, calls,
                sleep=self._sleep, clock=self._clock, limits=self._limits, odd=self.odd,
            )  # fmt: skip
            stack.callback(run.close)
            yield from run.replies(iter(requests))
