"""From a raw reply to rows: what is kept is the text alone. A reply that is no text is dropped with a reason."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from japagen.records import Dropped, Example, Reply

_QUOTES = {"「": "」", "『": "』", '"': '"', "“": "”"}
_NUMBER = re.compile(r"^\s*(?:[0-9０-９]+\s*[.．)）:：、]|[-・*＊●]|[(（][0-9０-９]+[)）])\s*")
_THOUGHTS = re.compile(r"^(?:\s*<think>)?.*?</think>|^\s*<think>.*$", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def parse_text(raw: str) -> str:
    r"""The text in a reply: what a model thought aloud before it (``<think>``) and quotes around the whole text go, line
    breaks become spaces; nothing else is repaired.

    >>> parse_text("<think>本の感想か。</think>\n「一気に読みました。」")
    '一気に読みました。'
    """
    text = " ".join(_without_thoughts(raw).split())
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:]:
        text = text[1:-1].strip()
    return text


def _without_thoughts(raw: str) -> str:
    """A reply without the thoughts of a model that thinks aloud; empty where it never came to an end of them."""
    return _THOUGHTS.sub("", raw, count=1) if "think>" in raw else raw


def parse_reply(row: Example, reply: Reply) -> Example | Dropped:
    """A row with its text in the reply, or the reason why there is none.

    Args:
        row: the row as planned: id, label, attributes; for a pair its first sentence in `text`.
        reply: one that did not fail.
    """
    text = parse_text(reply.text)
    if row.text:
        example = Example(row.id, row.text, row.label, text, row.value, row.meta)
    else:
        example = Example(row.id, text, row.label, None, row.value, row.meta)
    if reply.finish == "content_filter":
        return Dropped(example, "refused")
    if not text:
        return Dropped(example, "empty")
    if reply.finish == "length":
        return Dropped(example, "truncated", f"after {reply.completion_tokens} tokens")
    return example


def parse_lines(raw: str, lead: str, *, cut: bool) -> list[str]:
    r"""The texts that a base model has written in one go: lines, all but the first behind what stands before a text.

    Args:
        raw: the reply.
        lead: what stood before the first text; a model may vary it up to its colon.
        cut: whether the reply was cut off in the middle of its last line.

    >>> parse_lines("安い。\n本の声：また買う。\n靴の声：すぐ壊れ", "本の声：", cut=True)
    ['安い。', 'また買う。']
    """
    lines = raw.split("\n")
    varied = re.compile(rf"[^：:]{{0,{len(lead) + 10}}}[：:]") if lead.endswith(("：", ":")) else None
    for i, line in enumerate(lines[1:], 1):
        if line.startswith(lead):
            lines[i] = line[len(lead) :]
        elif varied and (found := varied.match(line)):
            lines[i] = line[found.end() :]
    texts = [parse_text(line) for line in lines[: -1 if cut else None]]
    return [text for text in texts if text]


def parse_several(raw: str, *, cut: bool = False) -> list[str]:
    r"""The texts of a structured reply, ``{"texts": [...]}``; tolerant of what models do instead.

    Read are: JSON in a code fence or after a preface, a bare list, objects with one text each, a list cut off in the middle
    (its whole strings), and plain lines with numbers or bullets (without the last, where the reply was `cut` off).

    >>> parse_several('はい。```json\n{"texts": ["一つ目。", {"text": "二つ目。"}]}\n```')
    ['一つ目。', '二つ目。']
    >>> parse_several("1. 一つ目。\n2. 二つ目。")
    ['一つ目。', '二つ目。']
    """
    text = _without_fence(_without_thoughts(raw).strip())
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    if starts:
        rest = text[min(starts) :]
        try:
            found = _strings(json.JSONDecoder().raw_decode(rest)[0])
        except (ValueError, RecursionError):
            _, bracket, inside = rest.partition("[")
            found = [json.loads(s) for s in _STRING.findall(inside) if _is_json(s)] if bracket else []
        return [each for each in map(parse_text, found) if each]
    lines = [parse_text(_NUMBER.sub("", line)) for line in text.splitlines()]
    return [line for line in lines if line][: -1 if cut else None]


def _without_fence(text: str) -> str:
    """A text without the code fence around it."""
    if text.startswith("```"):
        text = text[3:].lstrip("abcdefghijklmnopqrstuvwxyz")
    return text.removesuffix("```").strip()


def _is_json(string: str) -> bool:
    try:
        json.loads(string)
    except ValueError:
        return False
    return True


def _strings(value: object) -> list[str]:
    """The texts in a JSON value, at whatever depth a model has put them."""
    match value:
        case str():
            return [value]
        case Mapping():
            inner = value.get("texts", value.get("text"))
            return _strings(inner) if inner is not None else [s for v in value.values() for s in _strings(v)]
        case list():
            return [s for v in value for s in _strings(v)]
    return []
