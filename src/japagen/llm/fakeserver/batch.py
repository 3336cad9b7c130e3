"""OpenAI's batch API for the fake server: files and batches in memory, answered by the same made-up sentences.

    batches = FakeBatches(endings=["expired"])                          # the first batch expires half done
    with FakeServer(routes=batches.routes) as server:
        ...
        assert len(batches.made) == 2

A row gets the very answer that its body would get from `/chat/completions`. Faults hit rows by their bodies, as they hit
calls there; for faults of the calls to files and batches, give the server faults with `path="/files"` or `"/batches"`.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal
from urllib.parse import parse_qs

import orjson

from japagen.llm.fakeserver.faults import Fault, FaultBook
from japagen.llm.fakeserver.http import Call
from japagen.llm.fakeserver.replies import Answer, completion, spoilt

Ending = Literal["completed", "expired", "cancelled", "failed"]
Garble = Callable[[list[bytes]], list[bytes]]
_PAGE = 20  # batches listed where the caller does not say how many
_PATH = "/v1/chat/completions"


class FakeBatches:
    """Files and batches of one fake server.

    Args:
        endings: how the batches end, in the order of their making; those after the last are completed. Expired and
            cancelled ones end with the first half of their rows done.
        looks: how often a batch is looked at before it is over; None: it never is.
        faults: what hits rows: errors of HTTP (`status`, `content_filter`, `quota`) and faults of the content.
        garble: changes the lines of a file of results.
        message, code: of a batch that fails.
        most_rows: batches with more rows fail for too many queued tokens.
        answers: what a row that asks for log-probabilities is answered with, one of them.

    Attributes:
        files: contents by id.
        made: batches as the API tells them, oldest first.
        done: how often each body, by its digest, got an answer.
    """

    def __init__(
        self,
        *,
        endings: Sequence[Ending] = (),
        looks: int | None = 0,
        faults: Iterable[Fault] = (),
        garble: Garble = lambda lines: lines,
        message: str = "The model in line 1 does not exist",
        code: str = "model_not_found",
        most_rows: int | None = None,
        answers: tuple[str, ...] = ("はい", "いいえ"),
    ) -> None:
        self.files: dict[str, bytes] = {}
        self.made: list[dict[str, Any]] = []
        self.done: Counter[str] = Counter()
        self.looks = looks
        self._looked: Counter[str] = Counter()
        self._endings = list(endings)
        self._faults = FaultBook(faults)
        self._garble, self._message, self._code = garble, message, code
        self._most_rows, self._answers = most_rows, answers
        self._numbers = itertools.count(1)

    @property
    def routes(self) -> dict[str, Callable[[Call], Answer]]:
        """What to give to `FakeServer`."""
        return {
            "POST */files": self._upload,
            "GET */files/*/content": self._content,
            "POST */batches": self._create,
            "GET */batches": self._list,
            "GET */batches/*": self._tell,
        }

    def _upload(self, call: Call) -> Answer:
        boundary = re.search(r"boundary=\"?([^\";]+)", call.header("content-type"))
        parts = call.body.split(b"--" + boundary[1].encode()) if boundary else []
        fields = dict(part.removesuffix(b"\r\n").partition(b"\r\n\r\n")[::2] for part in parts[1:-1])
        data = next((value for head, value in fields.items() if b"filename=" in head), None)
        if data is None or b"batch" not in fields.values():
            return Answer.error(400, "a file and the purpose 'batch' are required")
        return Answer.json({"id": self._keep(data), "object": "file", "bytes": len(data), "purpose": "batch"})

    def _keep(self, data: bytes) -> str:
        name = f"file-{len(self.files) + 1}"
        self.files[name] = data
        return name

    def _content(self, call: Call) -> Answer:
        data = self.files.get(call.path.split("/")[-2])
        if data is None:
            return Answer.error(404, "no such file")
        return Answer(200, data, content_type="application/octet-stream")

    def _create(self, call: Call) -> Answer:
        asked = call.json
        if asked.get("input_file_id") not in self.files or asked.get("completion_window") != "24h":
            return Answer.error(400, "input_file_id and completion_window are required")
        batch: dict[str, Any] = {"id": f"batch_{len(self.made) + 1}", "object": "batch", "status": "validating"}
        batch |= {key: asked.get(key) for key in ("input_file_id", "endpoint", "completion_window", "metadata")}
        batch |= {"errors": None, "output_file_id": None, "error_file_id": None}
        batch["created_at"] = 1_700_000_000 + len(self.made)
        self.made.append(batch)
        return Answer.json(batch)

    def _list(self, call: Call) -> Answer:
        query = {key: values[0] for key, values in parse_qs(call.query).items()}
        listed = self.made[::-1]
        if after := query.get("after"):
            listed = listed[next((i for i, batch in enumerate(listed) if batch["id"] == after), len(listed)) + 1 :]
        page = listed[: int(query.get("limit", _PAGE))]
        return Answer.json({"object": "list", "data": page, "has_more": len(page) < len(listed)})

    def _tell(self, call: Call) -> Answer:
        name = call.path.rsplit("/", 1)[-1]
        batch = next((batch for batch in self.made if batch["id"] == name), None)
        if batch is None:
            return Answer.error(404, f"no batch is called {name}")
        if batch["status"] in ("validating", "in_progress"):
            batch["status"] = "in_progress"
            if self.looks is not None and self._looked[name] >= self.looks:
                self._end(batch)
            self._looked[name] += 1
        return Answer.json(batch)

    def _end(self, batch: dict[str, Any]) -> None:
        number = self.made.index(batch)
        batch["status"] = self._endings[number] if number < len(self._endings) else "completed"
        rows = [orjson.loads(line) for line in self.files[batch["input_file_id"]].splitlines() if line.strip()]
        code, message = self._code, self._message
        if self._most_rows is not None and len(rows) > self._most_rows:
            batch["status"], code, message = "failed", "token_limit_exceeded", "Enqueued token limit reached"
        if batch["status"] == "failed":
            batch["errors"] = {"object": "list", "data": [{"code": code, "message": message, "param": None, "line": 1}]}
            return
        finished = rows if batch["status"] == "completed" else rows[: len(rows) // 2]
        good: list[dict[str, Any]] = []
        bad: list[dict[str, Any]] = []
        for row in finished:
            answer = self._row(row)
            (good if answer.status == 200 else bad).append(_result(row, answer))
        bad += [_undone(row, batch["status"]) for row in rows[len(finished) :]]
        for key, lines in (("output_file_id", good), ("error_file_id", bad)):
            if lines:
                batch[key] = self._keep(b"\n".join(self._garble([orjson.dumps(line) for line in lines])) + b"\n")

    def _row(self, row: dict[str, Any]) -> Answer:
        body = orjson.dumps(row["body"])
        digest = hashlib.sha256(body).hexdigest()
        fault = self._faults.choose(next(self._numbers), _PATH, digest, body, 0.0)
        answer = completion(body, digest, answers=self._answers, fault=fault)
        if fault is not None:
            answer = spoilt(fault, answer, path=_PATH, authorization="")
        if answer.status == 200:
            self.done[digest] += 1
        return answer


def _result(row: dict[str, Any], answer: Answer) -> dict[str, Any]:
    response = {"status_code": answer.status, "request_id": "", "body": orjson.loads(answer.body)}
    return {"id": f"batch_req_{row['custom_id']}", "custom_id": row["custom_id"], "response": response, "error": None}


def _undone(row: dict[str, Any], status: str) -> dict[str, Any]:
    error = {"code": f"batch_{status}", "message": f"The batch {status} before this request was done"}
    return {"id": f"batch_req_{row['custom_id']}", "custom_id": row["custom_id"], "response": None, "error": error}
