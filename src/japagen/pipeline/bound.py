"""An experiment bound to a run: what all stages need of the two, the model, stores of replies, and the rows on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from japagen.cache import shared_replies
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.llm import LLM, load_llm
from japagen.llm.budget import Budget, Spent, Usage
from japagen.llm.prices import experiment_price
from japagen.llm.store import ReplyStore
from japagen.pipeline.rows import read_examples
from japagen.progress import Listener
from japagen.records import Example
from japagen.rundir import REPLIES, Run
from japagen.sections import LLMSection
from japagen.task import Task

Say = Callable[[str], None]
BATCHES = "batches"
CHECKPOINTS = "checkpoints"


@dataclass(slots=True)
class Bound:
    """An experiment at work in a run: its task, gold rows, model, stores of replies and budget."""

    experiment: Experiment
    task: Task
    run: Run
    on_progress: Listener
    say: Say
    gold: GoldData
    llm: LLM | None = None
    budget: Budget | None = None
    replies: Path | None = None
    """A store of replies that this run shares with others, such as the arms of a sweep."""
    elsewhere: Spent = field(default_factory=Spent)
    """What these others have used of the budget."""

    def model(self) -> LLM:
        """The language model, loaded when it is first needed."""
        if self.llm is None:
            self.llm = load_llm(self.experiment.llm, folder=self.run.path / BATCHES)
            if self.llm.notice:
                self.say(self.llm.notice)
        return self.llm

    @contextmanager
    def store(self, stage: str) -> Iterator[ReplyStore]:
        """The replies of a stage, within the budget of the whole run."""
        if self.budget is None:
            price = experiment_price(self.experiment)
            spent = self.spent("generate") + self.spent("evaluate")
            self.budget = Budget(self.experiment.budget, price, spent=spent, elsewhere=self.elsewhere)
        shared = self.shared_store(self.experiment.llm)
        with ReplyStore(self.run.folder(stage) / REPLIES, shared=shared, budget=self.budget) as store:
            yield store

    def shared_store(self, llm: LLMSection) -> Path | None:
        """Where replies of a model are looked for beside the run's own: all runs' store, else the sweep's."""
        return shared_replies() if llm.shared_cache else self.replies

    def spent(self, stage: str) -> Usage:
        """What a stage's replies used so far."""
        file = self.run.folder(stage) / REPLIES
        if not file.is_file():
            return Usage()
        with ReplyStore(file) as store:
            return store.usage()

    def usage(self, store: ReplyStore) -> dict[str, Any]:
        """What a stage has used, over all its sessions."""
        usage = store.usage()
        usd = self.budget.usd(usage) if self.budget else None
        return {**asdict(usage), "usd": usd}

    @property
    def learns_from_gold(self) -> bool:
        """Whether students learn anything from gold dev rows."""
        section = self.experiment.train
        return bool(section.dev == "gold" or section.anchor or section.decision)

    def examples(self, stage: str) -> list[Example]:
        """The rows that a stage kept."""
        return read_examples(self.run.folder(stage) / "examples.jsonl")
