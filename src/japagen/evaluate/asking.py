"""Questions put to a language model through the store, with what their replies cost."""

from __future__ import annotations

from collections.abc import Sequence

from japagen.errors import ModelError
from japagen.llm import LLM
from japagen.llm.budget import Usage
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Reply, Request


class Asker:
    """Asks what the store cannot answer, and adds up what all replies used, whether new or stored.

    Args:
        llm, store: who answers, and where answers are kept.
        name: of what is measured, for errors and progress.
        on_progress: told after each answer to `rows`.

    Attributes:
        usage: calls and tokens of all replies so far, failed ones included.
    """

    def __init__(self, llm: LLM, store: ReplyStore, *, name: str, on_progress: Listener = silent) -> None:
        self.usage = Usage()
        self._llm, self._store, self._name, self._tell = llm, store, name, on_progress

    def one(self, request: Request) -> Reply:
        """The reply to one question beside the rows.

        Raises:
            BudgetSpent: the budget ended before it was asked.
        """
        return self._replies([request], silent)[0]

    def rows(self, requests: Sequence[Request]) -> list[Reply]:
        """One reply for each request, in order.

        Raises:
            ModelError: not one of the calls succeeded.
            BudgetSpent: the budget ended before all were asked.
        """
        replies = self._replies(requests, self._tell)
        if replies and all(reply.failed is not None for reply in replies):
            raise ModelError(
                f"all {len(replies)} questions of '{self._name}' failed: {replies[0].failed}",
                where=f"llm '{self._llm.name}'",
                remedy="give the same command again, or set evaluate.prompting: [] to leave this baseline out",
            )
        return replies

    def _replies(self, requests: Sequence[Request], tell: Listener) -> list[Reply]:
        found: dict[str, Reply] = {}
        failed = 0
        for request, reply, _ in self._store.complete(self._llm, requests):
            found[request.id] = reply
            self.usage += Usage.of(reply)
            failed += reply.failed is not None
            tell(Progress("evaluate", self._name, len(found), len(requests), failed=failed))
        missing = len(requests) - len(found)
        if missing and self._store.budget is not None:
            raise self._store.budget.error(missing=missing, of=len(requests), stage="evaluate")
        return [found[request.id] for request in requests]
