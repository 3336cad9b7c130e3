"""Stage 1: a language model writes labelled texts. plan → prompts (with KADG words) → store → parse."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from japagen.experiment import Experiment
from japagen.generate.parse import parse_reply
from japagen.generate.plan import plan
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Dropped, Example
from japagen.task import Task


@dataclass(slots=True)
class Generated:
    """What came of the requests, in the plan's order.

    Attributes:
        kept: parsed examples.
        dropped: replies that are no text, with the reason.
        failed: request id to the reason why there is no reply.
        prompt_tokens, completion_tokens: usage over all replies, those from the store included.
        called: how many replies were made just now; the rest stood in the store.
    """

    kept: list[Example] = field(default_factory=list)
    dropped: list[Dropped] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    called: int = 0


def generate(
    experiment: Experiment, task: Task, llm: LLM, store: ReplyStore, *, on_progress: Listener = silent
) -> Generated:
    """Answer every request of the plan and parse the replies.

    Raises:
        ModelError: the model cannot be used at all.
        RunError: replies cannot be stored.
    """
    total = experiment.generate.per_label
    counts: dict[str, Counter[str]] = {label: Counter() for label in task.label_names}
    result = Generated()

    def tell(label: str) -> None:
        c = counts[label]
        done = c["kept"] + c["dropped"] + c["failed"]
        on_progress(Progress("generate", label, done, total, c["kept"], c["dropped"], c["failed"], c["resumed"]))

    for label in counts:
        tell(label)
    for request, reply, from_store in store.complete(llm, plan(experiment, task, style=llm.style)):
        label = str(request.label)
        result.prompt_tokens += reply.prompt_tokens
        result.completion_tokens += reply.completion_tokens
        result.called += not from_store
        counts[label]["resumed"] += from_store
        if reply.failed is not None:
            result.failed[request.id] = reply.failed
            counts[label]["failed"] += 1
        elif isinstance(parsed := parse_reply(request, reply), Example):
            result.kept.append(parsed)
            counts[label]["kept"] += 1
        else:
            result.dropped.append(parsed)
            counts[label]["dropped"] += 1
        tell(label)

    order = {label: number for number, label in enumerate(counts)}
    result.kept.sort(key=lambda example: (order[example.label], example.id))
    result.dropped.sort(key=lambda drop: (order[drop.example.label], drop.example.id))
    result.failed = dict(sorted(result.failed.items()))
    return result
