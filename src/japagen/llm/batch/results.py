"""What the results of a batch mean for its rows: a reply, another try, or a refusal that may concern all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace

from japagen.llm.batch.record import Asked, Row
from japagen.llm.openai.responses import Answer, Choice, Trouble, enough_japanese, score_choices
from japagen.records import Reply, Request
from japagen.sections import LLMSection

_OF_ALL = (401, 402, 403, 404, 429)  # refusals that concern the account or the model, not the row


@dataclass(slots=True)
class Settled:
    """The rows of one batch, as far as its results were read.

    Attributes:
        settings: the experiment's section.
        created: when the batch was made, in seconds since the epoch.
        replies: by custom id; not yet handed out.
        again: rows to be asked for again, with this try counted.
        refused: rows that were refused for a reason that may concern all, and the reason.
        others: rows of any other outcome.
    """

    settings: LLMSection
    created: float
    replies: dict[str, Reply] = field(default_factory=dict)
    again: dict[str, Row] = field(default_factory=dict)
    refused: dict[str, tuple[Row, Trouble]] = field(default_factory=dict)
    others: int = 0

    def add(self, name: str, before: Row, outcome: Answer | Trouble) -> None:
        """Sort a row that was asked for by what the server said of it; the row itself is left as it is."""
        if before.asked is None:
            raise ValueError(f"nobody asked for row {name}")
        row = replace(before, tries=before.tries + 1)
        if isinstance(outcome, Trouble) and outcome.kind == "fatal" and outcome.status in _OF_ALL:
            self.refused[name] = row, outcome
            return
        self.others += 1
        spent = row.tries >= self.settings.http.tries
        match outcome:
            case Answer(choices=(choice, *_)):
                row.prompt_tokens += outcome.prompt_tokens_or(row.characters)
                row.completion_tokens += outcome.completion_tokens
                if spent or not self._unfit(before.asked.request, choice):
                    self.replies[name] = self._reply(row, before.asked, choice, outcome)
                    return
            case Trouble(kind="filtered"):
                self.replies[name] = self._reply(row, before.asked, Choice("", "content_filter"))
                return
            case Trouble(kind="again" | "throttled" | "overloaded") if not spent:
                pass
            case Trouble():
                self.replies[name] = failed(row, outcome.reason)
                return
        self.again[name] = row

    @property
    def nothing_but_refusals(self) -> bool:
        """Whether all rows were refused, so that the account or the model is at fault."""
        return bool(self.refused) and not self.others

    def take_refusals(self) -> None:
        """Refused rows fail, each alone."""
        for name, (row, trouble) in self.refused.items():
            self.replies[name] = failed(row, trouble.reason)

    def _unfit(self, request: Request, choice: Choice) -> bool:
        """Whether an answer should be asked for again, judged as `OpenAILLM` does."""
        if choice.finish != "stop" or (request.choices and choice.first):
            return False
        if not choice.text.strip():
            return True
        least = self.settings.min_japanese
        return least is not None and not request.choices and not enough_japanese(request, choice.text, least)

    def _reply(self, row: Row, asked: Asked, choice: Choice, answer: Answer | None = None) -> Reply:
        choices = asked.request.choices
        return Reply(
            request=row.request,
            text=choice.text,
            logprobs=score_choices(choices, choice.first) if choices else (),
            finish=choice.finish,
            prompt_tokens=row.prompt_tokens,
            completion_tokens=row.completion_tokens,
            seconds=max(0.0, time.time() - self.created),
            tries=row.tries,
            model=answer.model if answer else "",
            fingerprint=answer.fingerprint if answer else "",
            parameters=asked.parameters,
        )


def failed(row: Row, reason: str) -> Reply:
    """The reply of a row that is given up."""
    return Reply(
        row.request,
        failed=reason,
        prompt_tokens=row.prompt_tokens,
        completion_tokens=row.completion_tokens,
        tries=row.tries,
    )
