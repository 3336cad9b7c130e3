"""A language model in this process: a GGUF file run by llama.cpp, several requests at a time.

Base models continue a text, so the messages are put together as one document (`render`). What makes it fast:
requests decode together in one batch, and whatever prefix a request shares with the one before (the heading, the first
shots) is not computed again.

What makes it repeatable: every decoding step has the same number of rows (idle slots carry a dummy), and a prompt is
always computed message by message. So the arithmetic of a request does not depend on which others happen to run beside
it, and the same request with the same seed gives the same bytes: alone, in a crowd, or after a resumed run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.llm import Style
from japagen.llm.llamacpp import Llama, Row
from japagen.llm.models import bundled_model
from japagen.records import Message, Reply, Request, Sampling
from japagen.tables import file_digest

_PROMPT = 0  # the sequence in which prompts are computed; the slots are 1 .. slots
_MAX_TOKENS = 256  # where a request leaves it to us


def render(messages: Iterable[Message]) -> list[str]:
    """Messages as the parts of one document: system text and finished turns are lines, the last turn stays open.

    >>> from japagen.records import Message
    >>> turns = [Message("system", "客の声。"), Message("user", "声："), Message("assistant", "好き。")]
    >>> turns.append(Message("user", "声："))
    >>> [part.rstrip() for part in render(turns)]
    ['客の声。', '声：好き。', '声：']
    """
    parts: list[str] = []
    lead = ""
    for message in messages:
        match message.role:
            case "system":
                parts.append(message.content + "\n")
            case "user":
                lead += message.content
            case "assistant":
                parts.append(lead + message.content + "\n")
                lead = ""
    if lead:
        parts.append(lead)
    return parts


def draw(logits: NDArray[np.float32], sampling: Sampling, uniform: float) -> int:
    """The token at quantile `uniform` of the distribution after temperature and top_p (nucleus sampling).

    Args:
        logits: shape (vocabulary,).
        sampling: temperature 0 takes the most probable token.
        uniform: a number in [0, 1).
    """
    if sampling.temperature == 0:
        return int(np.argmax(logits))
    temperature, top_p = (1.0 if value is None else value for value in (sampling.temperature, sampling.top_p))
    weights = np.exp((logits - logits.max()) / np.float32(temperature))
    wanted = float(weights.sum(dtype=np.float64)) * top_p
    floor = 1e-2
    while True:  # the nucleus lies among the heaviest tokens: look at few of them first
        chosen = np.flatnonzero(weights >= floor)
        if floor < 1e-12 or float(weights[chosen].sum(dtype=np.float64)) >= wanted:
            break
        floor /= 10
    chosen = chosen[np.lexsort((chosen, -weights[chosen]))]
    cumulated = np.cumsum(weights[chosen], dtype=np.float64)
    nucleus = min(int(np.searchsorted(cumulated, wanted)) + 1, len(chosen))
    position = int(np.searchsorted(cumulated[:nucleus], uniform * cumulated[nucleus - 1], side="right"))
    return int(chosen[min(position, nucleus - 1)])


@dataclass(slots=True)
class _Slot:
    """A request that is being written."""

    request: Request
    random: np.random.Generator
    position: int
    prompt_tokens: int
    started: float
    token: int = -1
    written: int = 0
    raw: bytearray = field(default_factory=bytearray)


class EmbeddedLLM:
    """A GGUF model in this process (LLM).

    Args:
        path: the model file.
        name: its name in keys and reports.
        slots: how many requests are written at a time; a multiple of 4.
        context: longest prompt plus reply, in tokens.
        threads: 0 measures at the first use and takes what is fastest just then.
        reuse: whether shared prefixes are kept; only the benchmark turns it off.
        notice: licence notice for the user.
    """

    style: Style = "document"

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        slots: int = 16,
        context: int = 1024,
        threads: int = 0,
        reuse: bool = True,
        notice: str = "",
    ) -> None:
        self.name = name
        self.notice = notice
        self._slots = slots
        self._reuse = reuse
        self._model = Llama(path, sequences=slots + 1, context=context, threads=threads or 1)
        self._threads = threads
        self._prompt: list[tuple[str, int]] = []  # parts that stand in sequence _PROMPT, with their lengths

    @classmethod
    def bundled(cls) -> EmbeddedLLM:
        """Gemma 3 270M (base, Q4_K_M) from its packages; assembled and verified in the user's cache once."""
        path, name, notice = bundled_model()
        return cls(path, name=name, notice=notice)

    @classmethod
    def from_path(cls, path: str) -> EmbeddedLLM:
        """Any GGUF file; its digest is part of its name, so that replies of different weights never mix."""
        file = Path(path)
        if not file.is_file():
            raise ModelError(
                "there is no such file", where=f"gguf:{path}", remedy="give it as gguf:/path/to/model.gguf"
            )
        return cls(file, name=f"gguf:{file.name}@{file_digest(file)[:12]}")

    def close(self) -> None:
        """Free the model's memory."""
        self._model.close()

    def complete(self, requests: Iterable[Request]) -> Iterator[list[Reply]]:
        """See `LLM.complete`. Requests are taken up in order; short replies overtake long ones."""
        self._choose_threads()
        waiting = iter(requests)
        active: dict[int, _Slot] = {}
        more = True
        while more or active:
            for number in range(1, self._slots + 1):
                while more and number not in active:
                    request = next(waiting, None)
                    if request is None:
                        more = False
                        break
                    reply = self._begin(request, number, active)
                    if reply is not None:
                        yield [reply]
            if active and (replies := self._step(active)):
                yield replies

    def _begin(self, request: Request, number: int, active: dict[int, _Slot]) -> Reply | None:
        """Compute the prompt and put the request into a slot; a Reply where that ends it already."""
        started = time.perf_counter()
        parts = render(request.messages)
        tokens = [self._model.tokenize(part) for part in parts]
        if tokens:
            tokens[0] = self._model.bos + tokens[0]
        if not request.choices and len(parts) > 1:
            # The last shot differs from request to request: with the open turn it makes one part, faster than two.
            parts[-2:], tokens[-2:] = ["".join(parts[-2:])], [tokens[-2] + tokens[-1]]
        length = sum(map(len, tokens))
        needed = length + (_limit(request) if not request.choices else 64)
        if not length or needed > self._model.context:
            why = "empty prompt" if not length else "prompt too long"
            return Reply(request.id, failed=why, prompt_tokens=length)
        logits = self._read_prompt(parts, tokens)
        if request.choices:
            scores = self._score(request.choices, logits, length)
            return Reply(request.id, logprobs=scores, prompt_tokens=length, seconds=time.perf_counter() - started)
        slot = _Slot(request, np.random.default_rng(request.seed), length, length, started)
        if reply := self._advance(slot, logits):
            return reply
        self._model.copy(_PROMPT, number)
        active[number] = slot
        return None

    def _read_prompt(self, parts: list[str], tokens: list[list[int]]) -> NDArray[np.float32]:
        """Bring the parts into the prompt sequence, keeping what it shares with the last; logits of the last token."""
        kept = 0
        if self._reuse:  # the last part is always computed: its logits are wanted
            while kept < min(len(parts) - 1, len(self._prompt)) and self._prompt[kept][0] == parts[kept]:
                kept += 1
        position = sum(length for _, length in self._prompt[:kept])
        self._prompt = self._prompt[:kept]
        self._model.truncate(_PROMPT, position)
        for part, ids in zip(parts[kept:], tokens[kept:], strict=True):
            for start in range(0, len(ids), self._model.rows):
                chunk = ids[start : start + self._model.rows]
                self._model.decode([(t, position + i, _PROMPT, i == len(chunk) - 1) for i, t in enumerate(chunk)])
                position += len(chunk)
            self._prompt.append((part, len(ids)))
        return self._model.logits(len(chunk) - 1)

    def _score(self, choices: tuple[str, ...], logits: NDArray[np.float32], length: int) -> tuple[float, ...]:
        """Log-likelihood of each choice after the prompt (natural log, summed over its tokens)."""
        first = _log_softmax(logits)
        scores: list[float] = []
        for choice in choices:
            ids = self._model.tokenize(choice)
            score = float(first[ids[0]])
            if len(ids) > 1:
                self._model.decode([(t, length + i, _PROMPT, True) for i, t in enumerate(ids[:-1])])
                score += sum(float(_log_softmax(self._model.logits(i))[t]) for i, t in enumerate(ids[1:]))
                self._model.truncate(_PROMPT, length)
            scores.append(score)
        return tuple(scores)

    def _step(self, active: dict[int, _Slot]) -> list[Reply]:
        """Write one more token of every active request; the replies that are complete with it."""
        rows: list[Row] = []
        replies: list[Reply] = []
        for number in range(1, self._slots + 1):
            if slot := active.get(number):
                rows.append((slot.token, slot.position, number, True))
            else:
                self._model.truncate(number, 0)
                rows.append((0, 0, number, True))
        self._model.decode(rows)
        for number, slot in list(active.items()):
            slot.position += 1
            if reply := self._advance(slot, self._model.logits(number - 1)):
                del active[number]
                replies.append(reply)
        return replies

    def _advance(self, slot: _Slot, logits: NDArray[np.float32]) -> Reply | None:
        """Draw the next token; the Reply if it was the last."""
        sampling = slot.request.sampling
        token = draw(logits, sampling, slot.random.random())
        slot.written += 1
        ended = self._model.is_end(token)
        cut = -1
        if not ended:
            slot.token = token
            slot.raw += self._model.piece(token)
            cuts = [at for stop in sampling.stop if (at := slot.raw.find(stop.encode())) >= 0]
            cut = min(cuts, default=-1)
        if not ended and cut < 0 and slot.written < _limit(slot.request):
            return None
        raw = bytes(slot.raw[:cut]) if cut >= 0 else bytes(slot.raw)
        return Reply(
            slot.request.id,
            text=raw.decode("utf-8", "replace"),
            finish="stop" if ended or cut >= 0 else "length",
            prompt_tokens=slot.prompt_tokens,
            completion_tokens=slot.written,
            seconds=time.perf_counter() - slot.started,
        )

    def _choose_threads(self) -> None:
        """Measure a few steps with 1, 2, 4 … threads, once; on busy cores more threads can be far slower."""
        if self._threads:
            return
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        best = (float("inf"), 1)
        threads = 1
        while threads <= min(cores, 16):
            self._model.set_threads(threads)
            for attempt in range(3):
                started = time.perf_counter()
                for number in range(1, self._slots + 1):
                    self._model.truncate(number, 0)
                self._model.decode([(0, 0, number, True) for number in range(1, self._slots + 1)])
                if attempt:
                    best = min(best, (time.perf_counter() - started, threads))
            threads *= 2
        self._threads = best[1]
        self._model.set_threads(self._threads)


def _limit(request: Request) -> int:
    """Most tokens of the reply."""
    return request.sampling.max_tokens or _MAX_TOKENS


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    shifted = logits.astype(np.float64) - float(logits.max())
    return np.asarray(shifted - np.log(np.exp(shifted).sum()), dtype=np.float64)
