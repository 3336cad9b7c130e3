"""From a raw reply to an example: what is kept is the text alone. A reply that is no text is dropped with a reason."""

from __future__ import annotations

from japagen.records import Dropped, Example, Reply, Request

_QUOTES = {"「": "」", "『": "』", '"': '"', "“": "”"}


def parse_reply(request: Request, reply: Reply) -> Example | Dropped:
    """The example in a reply that did not fail, or the reason why there is none.

    Line breaks become spaces and quotes around the whole text go; nothing else is repaired.
    """
    text = " ".join(reply.text.split())
    if len(text) > 2 and _QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:]:
        text = text[1:-1].strip()
    meta = {"word": request.word} if request.word else {}
    example = Example(id=request.id, text=text, label=str(request.label), meta=meta)
    if not text:
        return Dropped(example, "empty")
    if reply.finish == "length":
        return Dropped(example, "truncated", f"after {reply.completion_tokens} tokens")
    return example
