"""Stage 1: a language model writes labelled texts. plan → prompts (with KADG) → store → parse.

First every request of the plan is answered into the store; then the rows are read out of it in the plan's order. So a run
of any size takes little memory, the order of rows does not depend on that of the replies, and parsing anew calls no model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from japagen.experiment import Experiment
from japagen.generate.parse import parse_reply
from japagen.generate.plan import FirstPlan, Plan
from japagen.llm import LLM
from japagen.llm.store import Plan as Requests
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Dropped, Example, Failed, Reply
from japagen.task import Task

FIRST = "first sentences"


def generate(
    experiment: Experiment,
    task: Task,
    llm: LLM,
    store: ReplyStore,
    *,
    rows_of: Mapping[str, range] | None = None,
    on_progress: Listener = silent,
) -> Iterator[Example | Dropped | Failed]:
    """Answer every request of the plan, then yield each row in the plan's order: kept, dropped or failed.

    Args:
        experiment: what is asked for.
        task: in which words.
        llm: who answers.
        store: where replies are kept.
        rows_of: which rows of which label, by their numbers; None: the first `generate.per_label` of each.
        on_progress: told how far each label is.

    Raises:
        ConfigError: the task does not have what the experiment asks for.
        ModelError: the model cannot be used at all.
        RunError: replies cannot be stored.
        BudgetSpent: rows are missing because the budget ended.
    """
    firsts: FirstPlan | None = None

    def first_sentence(row: str) -> str | None:
        found = _first(store, firsts, row, {}) if firsts else None
        return found if isinstance(found, str) else None

    plan = Plan(experiment, task, style=llm.style, first_sentence=first_sentence, rows_of=rows_of)
    reasons: dict[str, str] = {}
    if task.is_pair:
        firsts = FirstPlan(plan)
        reasons |= _ask(store, llm, firsts, {FIRST: firsts.total}, firsts.samples, on_progress)
        _stop_where_spent(store, firsts, firsts.samples)
    totals = {label: len(numbers) for label, numbers in plan.rows_of.items()}
    reasons |= _ask(store, llm, plan, totals, plan.samples, on_progress)
    _stop_where_spent(store, plan, plan.samples)
    yield from _rows(store, plan, firsts, reasons, on_progress)


def _ask(
    store: ReplyStore, llm: LLM, plan: Requests, totals: dict[str, int], samples: int, on_progress: Listener
) -> dict[str, str]:
    """Fill the store; the reasons of the requests that failed."""
    done: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for row in store.answered(plan) & set(plan.ids()) if len(store) else ():
        done[_item(row)] += samples
    resumed = Counter(done)

    def tell(item: str) -> None:
        total = totals[item]
        shown = min(done[item], total)
        on_progress(Progress("generate", item, shown, total, failed=failed[item], resumed=min(resumed[item], total)))

    def found(row: str) -> None:
        done[_item(row)] += samples
        resumed[_item(row)] += samples

    for item in totals:
        tell(item)
    reasons = {}
    for batch in store.fill(llm, plan, on_found=lambda request: found(request.id)):
        items = {_item(request.id) for request, _ in batch}
        for request, reply in batch:
            done[_item(request.id)] += samples
            if reply.failed is not None:
                reasons[request.id] = reply.failed
                failed[_item(request.id)] += samples
        for item in items:
            tell(item)
    return reasons


def _item(row: str) -> str:
    """What a request is counted under: its label, or the first sentences together."""
    return FIRST if row.endswith("/first") else row.rpartition("/")[0]


def _stop_where_spent(store: ReplyStore, plan: Requests, samples: int) -> None:
    """Where the budget has ended: whether rows are missing because of it.

    Raises:
        BudgetSpent: they are.
    """
    if store.budget is None or store.budget.stop() is None:
        return
    known = store.answered(plan)
    total = missing = 0
    for row in plan.ids():
        total += samples
        missing += samples * (row not in known and plan.request(row) is not None)
    if missing:
        raise store.budget.error(missing=missing, of=total, stage="generate")


def _first(store: ReplyStore, firsts: FirstPlan, row: str, reasons: dict[str, str]) -> str | Dropped | Failed:
    """The first sentence of a row's pair, or why there is none (with an empty row)."""
    request, place = firsts.place(row)
    label = row.rpartition("/")[0]
    empty = Example(row, "", label)
    reply = store.reply(firsts, request)
    if reply is None:
        return Failed(row, label, f"first sentence: {reasons.get(request, 'no reply')}")
    if firsts.samples > 1:
        texts = firsts.texts(firsts.request(request), reply)
        if place < len(texts):
            return texts[place]
        return Dropped(empty, "first_missing", f"the reply to {request} has {len(texts)} texts")
    parsed = parse_reply(empty, reply)
    if isinstance(parsed, Dropped):
        return Dropped(empty, f"first_{parsed.reason}", parsed.detail)
    return parsed.text


def _rows(
    store: ReplyStore, plan: Plan, firsts: FirstPlan | None, reasons: dict[str, str], on_progress: Listener
) -> Iterator[Example | Dropped | Failed]:
    counts: dict[str, Counter[str]] = {label: Counter() for label in plan.task.label_names}
    several: tuple[str, list[str]] = ("", [])
    for label, index in plan.rows():
        row = plan.row(label, index)
        start = index - index % plan.samples
        request = row.id if plan.samples == 1 else f"{label}/{start:06d}"
        outcome: Example | Dropped | Failed | None = None
        if firsts is not None:
            found = _first(store, firsts, row.id, reasons)
            match found:
                case str():
                    row = Example(row.id, found, label, None, row.value, row.meta)
                case Dropped():
                    outcome = Dropped(row, found.reason, found.detail)
                case Failed():
                    outcome = found
        if outcome is None:
            reply = store.reply(plan, request)
            if reply is None:
                outcome = Failed(row.id, label, reasons.get(request, "no reply"))
            elif plan.samples == 1:
                outcome = parse_reply(row, reply)
            else:
                if several[0] != request:
                    asked = plan.request(request)
                    several = request, plan.texts(asked, reply) if asked else []
                outcome = _sample(row, reply, several[1], index - start)
        kind = {Example: "kept", Dropped: "dropped", Failed: "failed"}[type(outcome)]
        counts[label][kind] += 1
        yield outcome
        if index + 1 == plan.rows_of[label].stop:
            c, n = counts[label], len(plan.rows_of[label])
            on_progress(Progress("generate", label, n, n, c["kept"], c["dropped"], c["failed"]))


def _sample(row: Example, reply: Reply, texts: list[str], place: int) -> Example | Dropped:
    """One row of a structured reply."""
    if reply.finish == "content_filter":
        return Dropped(row, "refused")
    if place < len(texts):
        return Example(row.id, texts[place], row.label, None, row.value, row.meta)
    reason = "truncated" if reply.finish == "length" else "missing"
    return Dropped(row, reason, f"the reply has {len(texts)} texts")
