"""What a run would ask and cost, before anything is sent: requests, tokens, money. No network, no key, nothing written.

Prompts are those of the run itself, counted one by one; of more than 20,000 a seeded sample. How long replies will be is
not known: `most` is what the limits allow, `expected` goes by the replies that the run has, else by the task's examples.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from japagen.asked import Part, evaluate_parts, generate_parts, most_tokens, stored_name
from japagen.cache import shared_replies
from japagen.errors import ConfigError, did_you_mean
from japagen.evaluate.gold import GoldData, load_gold_data
from japagen.experiment import Experiment
from japagen.llm.budget import Budget, Usage
from japagen.llm.prices import Price, experiment_price
from japagen.llm.stored import Stored
from japagen.llm.tokens import Observed, TokenCounter
from japagen.pipeline.named import check_named
from japagen.pipeline.rules import check_curation
from japagen.records import Message, Request
from japagen.rundir import REPLIES, STAGES, Run
from japagen.sections import LLMSection
from japagen.streams import stream
from japagen.task import Task

MOST_LOOKED_AT = 20_000
_LEAST = 1000  # requests of a part that are looked at in any case
_BLOCK = 100  # requests that are looked at together in a sample, since neighbours may share a call
_PER_TEXT = 4  # tokens of JSON around each text of a structured reply


@dataclass(frozen=True, slots=True)
class Item:
    """What one part of a stage asks for.

    Attributes:
        stage: "generate" or "evaluate".
        name: a label, "first sentences", or a way of asking, e.g. "zero-shot" or "few-shot self-consistency".
        requests: all of them.
        answered: those that have a reply.
        calls: at most so many are to be sent for the others (fewer than those where replies share a call).
        prompt_tokens: of these calls.
        expected, most: tokens of their replies; `most` is None where nothing limits them.
    """

    stage: str
    name: str
    requests: int
    answered: int
    calls: int
    prompt_tokens: int
    expected: int
    most: int | None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is still to be asked (see `Item`).

    Attributes:
        llm: the experiment's model.
        items: in the order of the run.
        price: None where it is not known.
        spent: what the run has used already.
        notes: how it was counted and what to keep in mind, each a line.
    """

    llm: str
    items: tuple[Item, ...]
    price: Price | None
    spent: Usage
    notes: tuple[str, ...]

    @property
    def expected(self) -> Usage:
        """What is likely."""
        return sum((Usage(i.calls, i.prompt_tokens, i.expected) for i in self.items), Usage())

    @property
    def most(self) -> Usage | None:
        """What it is at most, without repeated calls; None where nothing limits a reply."""
        if any(item.most is None for item in self.items):
            return None
        return sum((Usage(i.calls, i.prompt_tokens, i.most or 0) for i in self.items), Usage())

    def usd(self, usage: Usage | None) -> float | None:
        """What a usage costs in USD; None where the price or the usage is not known."""
        if self.price is None or usage is None:
            return None
        return self.price.usd(usage.prompt_tokens, usage.completion_tokens)

    def as_json(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "llm": self.llm,
            "items": [asdict(item) for item in self.items],
            "expected": {**asdict(self.expected), "usd": self.usd(self.expected)},
            "most": None if self.most is None else {**asdict(self.most), "usd": self.usd(self.most)},
            "spent": {**asdict(self.spent), "usd": self.usd(self.spent)},
            "notes": list(self.notes),
        }


def estimate(
    experiment: Experiment,
    *,
    runs: str | Path = "runs",
    until: str = "report",
    counter: TokenCounter | None = None,
    replies: Stored | None = None,
    counted: set[str] | None = None,
) -> Estimate:
    """Estimate what `japagen run` would still ask for.

    Args:
        experiment: what would be run.
        runs: folder that holds the run's folder, if it has been started.
        until: the last stage that would run.
        counter: how tokens are counted; by default as well as it can be done here.
        replies: a store that the run shares with others.
        counted: keys of requests that others will have asked before; those of this run are added.

    Raises:
        ConfigError: the experiment cannot be run, or ``budget.usd`` is set and the model's price is not known.
        DataError: the gold data cannot be used.
    """
    if until not in STAGES:
        raise ConfigError(f"no stage is called '{until}'", where="run", remedy=did_you_mean(until, STAGES))
    evaluated = STAGES.index(until) >= STAGES.index("evaluate")
    task = experiment.load_task()
    check_named(experiment)
    check_curation(experiment, task)
    price = experiment_price(experiment)
    run = Run(Path(runs) / experiment.name)
    stores = {stage: Stored(run.folder(stage) / REPLIES) for stage in ("generate", "evaluate")}
    kind, _, model = experiment.llm.name.partition(":")
    observed = stores["generate"].observed() + stores["evaluate"].observed()
    counter = counter or TokenCounter.for_model(model if kind.startswith("openai") else kind, observed)
    gold = load_gold_data(task)
    parts = [*generate_parts(experiment, task), *(evaluate_parts(experiment, task, gold.test) if evaluated else ())]
    shared = Stored(shared_replies()) if experiment.llm.shared_cache else replies
    name = stored_name(experiment.llm)
    missing = []
    for part in parts:
        by_id = part.plan or name is None
        answered = stores[part.stage].answered(part.plan) if by_id else set()
        missing.append([row for row in part.ids if row not in answered])
    total = sum(map(len, missing))
    looked_at = 0
    items = []
    for part, rows in zip(parts, missing, strict=True):
        most = MOST_LOOKED_AT if total <= MOST_LOOKED_AT else max(_LEAST, MOST_LOOKED_AT * len(rows) // total)
        blocks = list(_blocks(rows, most, experiment.seed, f"{part.stage}/{part.name}"))
        looked_at += sum(map(len, blocks))
        store = stores[part.stage]
        places = [place for place in (store, shared) if name and place is not None and len(place)]
        observed_here = store.observed(part.plan)
        items.append(_item(part, rows, blocks, experiment.llm, counter, observed_here, places, name, counted))
    spent = stores["generate"].usage() + stores["evaluate"].usage()
    found = Estimate(experiment.llm.name, tuple(items), price, spent, ())
    notes = [f"prompts: {counter.how}", *_notes(experiment, task, found, observed)]
    open_stages = [stage for stage in STAGES[: STAGES.index(until) + 1] if run.done(stage) is None]
    notes += _stop_rule(experiment, task)
    notes += _later(experiment, task, STAGES[: STAGES.index(until) + 1])
    notes += _trainings(experiment, task, gold, open_stages)
    length = max(_mean_tokens(part, counter) for part in parts if part.stage == "generate")
    if experiment.llm.max_tokens is not None and length > experiment.llm.max_tokens:
        limit = f"llm.max_tokens is {experiment.llm.max_tokens}"
        notes.append(f"{limit}, but the task's shots have {length:.0f} tokens: many replies will be cut off")
    if looked_at < total:
        notes.insert(0, f"{looked_at:,} of {total:,} prompts were made, a sample (seed {experiment.seed}); scaled up")
    return Estimate(found.llm, found.items, price, spent, tuple(notes))


def _item(
    part: Part,
    missing: list[str],
    blocks: list[list[str]],
    llm: LLMSection,
    counter: TokenCounter,
    observed: Observed,
    places: list[Stored],
    name: str | None,
    counted: set[str] | None,
) -> Item:
    """One part's counts, from the requests in its blocks."""
    found = calls = 0
    prompt = expected = most = 0.0
    limited = True
    together = llm.n if llm.name.startswith("openai:") else 1
    typical = _mean_tokens(part, counter)
    for block in blocks:
        requests = [request for row in block if (request := part.request(row))]
        named = name or f"{llm.name} {llm.base_url}"  # what it will be called is known only where it is loaded
        keys = {request.id: request.key(named) for request in requests} if places or counted is not None else {}
        known = set().union(*(place.has(keys.values()) for place in places))
        if counted is not None:
            known |= counted & set(keys.values())
            counted.update(keys.values())
        last: tuple[Message, ...] = ()
        sharing = 0
        for request in requests:
            if keys.get(request.id) in known:
                found += 1
                continue
            sharing = sharing + 1 if request.messages == last and sharing < together else 1
            if sharing == 1:
                last = request.messages
                calls += 1
                prompt += counter.prompt(request.messages)
            limit = most_tokens(request, llm)
            likely = _likely_tokens(request, typical, observed)
            expected += likely if limit is None else min(likely, limit)
            most += limit or 0
            limited = limited and limit is not None
    looked_at = sum(map(len, blocks))
    scale = len(missing) / looked_at if looked_at else 0.0
    return Item(
        part.stage,
        part.name,
        requests=len(part.ids),
        answered=len(part.ids) - len(missing) + round(found * scale),
        calls=round(calls * scale),
        prompt_tokens=round(prompt * scale),
        expected=round(expected * scale),
        most=round(most * scale) if limited else None,
    )


def _mean_tokens(part: Part, counter: TokenCounter) -> float:
    return sum(map(counter.text, part.like)) / len(part.like)


def _likely_tokens(request: Request, typical: float, observed: Observed) -> float:
    """Tokens of a reply: the mean of the plan's replies so far, else of texts that are like it."""
    if observed.replies and not request.choices:
        return observed.completion_tokens / observed.replies
    return typical if request.samples == 1 else request.samples * (typical + _PER_TEXT)


def _blocks(rows: list[str], most: int, seed: int, name: str) -> Iterator[list[str]]:
    """All rows as one block, or a sample of blocks of neighbours."""
    if len(rows) <= most:
        if rows:
            yield rows
        return
    starts = range(0, len(rows), _BLOCK)
    for start in sorted(stream(seed, "estimate", name).sample(starts, min(len(starts), max(1, most // _BLOCK)))):
        yield rows[start : start + _BLOCK]


def _notes(experiment: Experiment, task: Task, found: Estimate, observed: Observed) -> Iterator[str]:
    if observed.replies:
        yield f"replies: as long as those of this run so far ({observed.replies:,} looked at)"
    elif any(label.shots for label in task.labels.values()):
        yield "replies: as long as the task's shots"
    else:
        yield "replies: as long as the task allows on average"
    if task.is_pair:
        yield "second turns: with a first sentence of middle length in place of those that are to come"
    if experiment.llm.reasoning:
        yield "a reasoning model: what it thinks is billed as well and is not in what is expected"
    if found.most is None:
        yield "llm.max_tokens is null: nothing limits a reply"
    if found.price is None:
        yield "the price of this model is not known: add it with budget.prices"
    elif found.price.free:
        yield "this model costs nothing"
    elif found.price.as_of:
        yield f"price: {found.price.model}, {found.price.source}, {found.price.as_of}; cached prompts cost less"
    budget = Budget(experiment.budget, found.price, spent=found.spent + found.expected)
    if found.expected.requests and (reason := budget.stop()):
        yield f"the budget would end the run, by what is expected: {reason.replace(' is spent', ' would be spent')}"


def _stop_rule(experiment: Experiment, task: Task) -> Iterator[str]:
    """That texts are counted which may never be asked for."""
    rule, most = experiment.generate.stop_rule, experiment.generate.per_label
    if rule is not None:
        least = min(most, 4 * rule.start)
        yield (
            f"generate.stop_rule: at most {most:,} texts per label, which are counted here; {least:,} at least, and no more "
            f"once twice as many are expected to gain less than {rule.epsilon:g} {task.metric}"
        )


def _later(experiment: Experiment, task: Task, stages: Collection[str]) -> Iterator[str]:
    """What curation may ask for beside, where it has not yet: nobody knows how much before the first texts are there."""
    if "curate" not in stages:
        return
    settings, each = experiment.curate, experiment.generate.per_label * len(task.labels)
    if settings.top_up:
        more = int(each * (settings.top_up_factor - 1))
        yield f"not counted: curate.top_up asks for what is missing after curation, at most {more:,} texts more"
    if experiment.rounds > 1:
        yield f"not counted: the second round asks for {2 * each:,} texts more, half of them its control"
    if settings.judge:
        judge = (settings.judge.llm or experiment.llm).name
        yield f"not counted: curate.judge asks {judge} about each text kept, at most {each:,} questions in the first round"


def _trainings(experiment: Experiment, task: Task, gold: GoldData, stages: Collection[str]) -> Iterator[str]:
    """How often a student is trained in those stages, in a line; nothing where none is."""
    settings, train = experiment.evaluate, experiment.train
    each = len(train.students) * train.seeds
    told = [f"{each} on synthetic texts"] if "train" in stages else []
    if "evaluate" in stages and gold.test:
        fewest = min(sum(row.label == label for row in gold.dev) for label in task.label_names)
        possible = [k for k in settings.gold_shots if k <= fewest]
        told += [f"{each} on {k} gold rows per label" for k in possible]
        if settings.supervised and gold.train:
            told.append(f"{each} on {len(gold.train):,} gold train rows")
    if told:
        students = f"{len(train.students)} {'student' if len(train.students) == 1 else 'students'}"
        yield f"trainings, here on this machine ({students} x {train.seeds} seeds): {', '.join(told)}"


def print_estimate(found: Estimate, console: Console) -> None:
    """Print an estimate as a table, its notes below."""
    table = Table("stage", "", title=f"still to be asked of {escape(found.llm)}", title_justify="left")
    headings = ["requests", "answered", "calls", "prompt tokens", "reply tokens", "at most"]
    for heading in [*headings, *(["USD", "at most"] if _costs(found) else [])]:
        table.add_column(heading, justify="right", no_wrap=True)
    stage = ""
    for item in found.items:
        used = Usage(item.calls, item.prompt_tokens, item.expected)
        most = None if item.most is None else Usage(item.calls, item.prompt_tokens, item.most)
        cells = _cells(found, item.requests, item.answered, used, most)
        table.add_row(item.stage if item.stage != stage else "", escape(item.name), *cells)
        stage = item.stage
    table.add_section()
    requests, answered = (sum(getattr(item, key) for item in found.items) for key in ("requests", "answered"))
    table.add_row("all", "", *_cells(found, requests, answered, found.expected, found.most))
    console.print(table)
    if found.spent.requests:
        usd = found.usd(found.spent)
        paid = "" if usd is None or not _costs(found) else f", {_dollars(usd)} USD"
        spent = f"spent so far: {found.spent.requests:,} calls, {found.spent.tokens:,} tokens{paid}"
        console.print(spent, highlight=False, markup=False)
    for note in found.notes:
        console.print(note, highlight=False, markup=False)


def _cells(found: Estimate, requests: int, answered: int, used: Usage, most: Usage | None) -> list[str]:
    numbers = [requests, answered, used.requests, used.prompt_tokens, used.completion_tokens]
    cells = [f"{number:,}" for number in numbers] + ["?" if most is None else f"{most.completion_tokens:,}"]
    if _costs(found):
        cells += ["?" if usd is None else _dollars(usd) for usd in (found.usd(used), found.usd(most))]
    return cells


def _costs(found: Estimate) -> bool:
    return found.price is not None and not found.price.free


def _dollars(usd: float) -> str:
    return f"{usd:.2f}" if usd >= 1 or usd == 0 else f"{usd:.4f}"
