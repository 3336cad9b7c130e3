"""The prompting baselines: each way of asking the language model directly, as a system with what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from japagen.errors import ConfigError
from japagen.evaluate.prompted import PromptedClassifier, Uncalibrated
from japagen.evaluate.selfconsistency import SelfConsistentClassifier
from japagen.evaluate.system import System, with_values
from japagen.experiment import Experiment
from japagen.llm import LLM
from japagen.llm.budget import Usage
from japagen.llm.prices import Price, experiment_price
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, silent
from japagen.questions import Questions, questions_of
from japagen.records import Example
from japagen.task import Task

Asked = PromptedClassifier | SelfConsistentClassifier


def prompted_systems(
    experiment: Experiment,
    task: Task,
    test: Sequence[Example],
    llm: LLM | Callable[[], LLM],
    store: ReplyStore,
    *,
    on_progress: Listener = silent,
) -> tuple[list[System], list[str]]:
    """The ways of asking that the experiment wants, and what could not be had of them.

    A system's cost is that of all its runs, each as if nothing had been asked before: plain and calibrated questions
    share their answers, and both are charged for them.

    Raises:
        ConfigError: the task has no words to ask with.
        ModelError: not one of the calls of a system succeeded.
        BudgetSpent: the budget ended before all questions were asked.
    """
    settings = experiment.evaluate
    if not settings.prompting:
        return [], []
    if task.prompting is None:
        raise ConfigError(
            "evaluate.prompting asks the model directly, but the task has no 'prompting' section",
            where=f"task '{task.name}'",
            remedy="add it (see: japagen new NAME), or set evaluate.prompting: []",
        )
    model = llm if isinstance(llm, LLM) else llm()
    price = experiment_price(experiment)
    systems, left_out = [], []
    for way, draws in questions_of(experiment, task, task.prompting, style=model.style).items():
        for how, make in _ways(experiment, task, model, store, on_progress):
            classifiers = [make(questions) for questions in draws]
            try:
                predictions = tuple(with_values(task, classifier.predict(test)) for classifier in classifiers)
            except Uncalibrated as reason:
                left_out.append(f"{way}{how}: {reason}")
                continue
            used = sum((classifier.usage for classifier in classifiers), Usage())
            k = settings.prompting_shots if way == "few-shot" else 0
            systems.append(System(way + how, "prompted", predictions, k=k, cost=_cost(used, price)))
            left_out += _unread(way + how, classifiers, len(test) * settings.self_consistency)
    return systems, left_out


def _ways(
    experiment: Experiment, task: Task, model: LLM, store: ReplyStore, on_progress: Listener
) -> Iterator[tuple[str, Callable[[Questions], Asked]]]:
    """What is added to a way's name, and how its classifier is made."""
    settings = experiment.evaluate
    for calibrate in (False, True) if settings.calibrate else (False,):
        make = partial(
            PromptedClassifier, task, llm=model, store=store, calibrate=calibrate, on_progress=on_progress
        )  # fmt: skip
        yield " calibrated" if calibrate else "", make
    if settings.self_consistency:
        yield (
            " self-consistency",
            partial(
                SelfConsistentClassifier,
                task, llm=model, store=store, answers=settings.self_consistency, on_progress=on_progress,
            ),
        )  # fmt: skip


def _unread(name: str, classifiers: Sequence[Asked], each: int) -> Iterator[str]:
    """Votes that were not cast, where there are any."""
    unread = sum(one.unread for one in classifiers if isinstance(one, SelfConsistentClassifier))
    if unread:
        yield f"{name}: {unread} of {each * len(classifiers)} answers, which failed, were refused or could not be read"


def _cost(used: Usage, price: Price | None) -> dict[str, float | int | None]:
    usd = None if price is None else price.usd(used.prompt_tokens, used.completion_tokens)
    return {
        "calls": used.requests,
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "usd": usd,
    }
