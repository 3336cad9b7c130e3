"""What stores of replies hold already, read without changing anything: for estimates, before anything is sent.

The format is that of `store`. A store that cannot be read is no error here and counts as empty: the run itself will say
what is wrong with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from japagen.llm.budget import Usage
from japagen.llm.tokens import Observed

_FORMAT = 2
_LATEST = 2000  # replies that are looked at for their mean length
_OF_PLAN = "plan = (SELECT id FROM plans WHERE digest = ?)"


class Stored:
    """A store that may not exist.

    Args:
        path: the file of a `store.ReplyStore`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __len__(self) -> int:
        found = self._ask("SELECT count(*) FROM replies")
        return int(found[0][0]) if found else 0

    def answered(self, plan: str) -> set[str]:
        """Ids of the requests of a plan (its digest) that have a reply; "" for requests that are no plan."""
        return {row for (row,) in self._ask(f"SELECT request FROM replies WHERE {_OF_PLAN}", [(plan,)])}  # noqa: S608

    def usage(self) -> Usage:
        """Everything that was spent through the store."""
        found = self._ask("SELECT total(requests), total(prompt_tokens), total(completion_tokens) FROM spent")
        return Usage(*map(int, found[0])) if found else Usage()

    def has(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys (`Request.key`) that have a reply."""
        found = self._ask("SELECT key FROM replies WHERE key = ?", [(bytes.fromhex(key),) for key in keys])
        return {key.hex() for (key,) in found}

    def observed(self, plan: str | None = None) -> Observed:
        """What the latest 2,000 replies have used that came at the first try and say so; of one plan, or of all."""
        sql = f"""SELECT s.json, r.prompt_tokens, length(r.text), r.completion_tokens
            FROM replies r JOIN sent s ON s.id = r.messages
            WHERE r.tries = 1 AND r.prompt_tokens > 0 {f"AND r.{_OF_PLAN}" if plan is not None else ""}
            ORDER BY r.number DESC LIMIT {_LATEST}"""  # noqa: S608
        total = Observed()
        for sent, prompt_tokens, characters, completion_tokens in self._ask(sql, [() if plan is None else (plan,)]):
            written = sum(len(content) for _, content in orjson.loads(sent))
            total += Observed(1, written, prompt_tokens, characters, completion_tokens)
        return total

    def _ask(self, sql: str, values: Iterable[tuple[Any, ...]] = ((),)) -> list[tuple[Any, ...]]:
        """The rows of a question, asked once for each tuple of values.

        Without a write-ahead log the file is whole, and is opened as if it lay on a read-only disk: else SQLite would leave
        files beside it. With one (a run that is going on, or was killed) SQLite needs its index of that log.
        """
        log = self.path.with_name(f"{self.path.name}-wal")
        try:
            if not self.path.is_file():
                return []
            whole = not log.exists() or log.stat().st_size == 0
            address = f"{self.path.resolve().as_uri()}?{'immutable=1' if whole else 'mode=ro'}"
            with closing(sqlite3.connect(address, uri=True)) as db:
                if db.execute("PRAGMA user_version").fetchone()[0] != _FORMAT:
                    return []
                return [row for each in values for row in db.execute(sql, each)]
        except (sqlite3.Error, OSError):
            return []
