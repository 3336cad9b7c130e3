"""The lines of OpenAI's batch API: a request as a line, and what a line of the results means. Pure functions, but `sound`.

A server is not trusted: any bytes give a value, never an exception. Bodies and answers are those of `wire` and `responses`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from japagen.llm.openai.responses import Answer, Trouble, parse_json, read_body, trouble_of
from japagen.llm.openai.wire import encode

ENDPOINT = "/v1/chat/completions"  # what the lines of a batch call
LONGEST = 32 * 2**20  # bytes of a line of results that are read at once
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


def custom_id(number: int) -> str:
    """The name of a line within its batch, from 0."""
    return f"r{number}"


def write_line(number: int, body: bytes) -> bytes:
    """A request as a line of a batch.

    Args:
        number: of the line, from 0.
        body: the chat completion as JSON, of one line.
    """
    head = f'{{"custom_id":"{custom_id(number)}","method":"POST","url":"{ENDPOINT}","body":'
    return head.encode() + body + b"}\n"


def body_of(line: bytes) -> bytes:
    """The body of a line that `write_line` made."""
    return encode(orjson.loads(line)["body"])


def read_line(raw: bytes) -> tuple[str, Answer | Trouble] | None:
    """The custom id of a line of the results and what it means; None for a line that is none."""
    value = parse_json(raw)
    name = value.get("custom_id") if isinstance(value, dict) else None
    return (name, _read_result(value)) if isinstance(name, str) else None


def sound(results: Path) -> bool:
    """Whether a file of results has a readable first and last line, or none at all."""
    with results.open("rb") as file:
        first = file.readline(LONGEST)
        file.seek(max(0, file.seek(0, 2) - LONGEST))
        last = file.read().rstrip().rpartition(b"\n")[2]
    return (not first.strip() and not last) or None not in (read_line(first), read_line(last))


def _read_result(value: Mapping[str, Any]) -> Answer | Trouble:
    response, error = value.get("response"), value.get("error")
    if isinstance(response, dict):
        status, body = response.get("status_code"), response.get("body")
        if isinstance(status, int) and not 200 <= status < 300:
            return trouble_of(status, body)
        if isinstance(body, dict):
            return read_body(body)
    if isinstance(error, dict) and isinstance(code := error.get("code"), str) and _CODE.fullmatch(code):
        return Trouble("again", code.replace("_", " "))
    return Trouble("again", "malformed reply")
