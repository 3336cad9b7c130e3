"""The ways of asking as systems: what they cost in money, and constrained labels end to end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from japagen.errors import ConfigError
from japagen.evaluate.gold import load_gold_data
from japagen.evaluate.prompting import prompted_systems
from japagen.evaluate.system import System
from japagen.experiment import Experiment
from japagen.llm import load_llm
from japagen.llm.fakeserver import FakeServer
from japagen.llm.fakeserver.faults import Fault
from japagen.llm.store import ReplyStore
from japagen.records import Reply, Request
from japagen.sections import BudgetSection, LLMSection
from japagen.task import Task


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        yield store


@pytest.fixture
def served(
    nli: Task, settings: Callable[..., Experiment], store: ReplyStore, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[dict[str, System], list[str]]]:
    """The systems of an experiment whose model is a server."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def ask(server: FakeServer, *, evaluate: dict[str, Any] | None = None, **llm: Any) -> Any:
        section = LLMSection(name="openai:fake", base_url=server.url, **llm)
        experiment = settings(nli, **(evaluate or {})).model_copy(update={"llm": section})
        test = load_gold_data(nli).test
        systems, left_out = prompted_systems(experiment, nli, test, load_llm(section), store)
        return {system.name: system for system in systems}, left_out

    return ask


def bodies(server: FakeServer) -> list[dict[str, Any]]:
    return [json.loads(served.call.body) for served in server.journal]


def test_money_by_hand(
    nli: Task, settings: Callable[..., Experiment], store: ReplyStore, server, tmp_path: Path
) -> None:
    """12 questions of 100 tokens and answers of 5, at 2 and 10 dollars per million tokens."""
    (tmp_path / "prices.yaml").write_text("models: {mine: {input: 2, output: 10}}", encoding="utf-8")

    class Counting(server):  # type: ignore[misc]
        def _answer(self, request: Request) -> Reply:
            return Reply(request.id, text="含意", prompt_tokens=100, completion_tokens=5, tries=2)

    llm = Counting(lambda r: "")
    test = load_gold_data(nli).test

    def costs(name: str, **budget: Any) -> list[Any]:
        changed = {"llm": LLMSection(name=name), "budget": BudgetSection(**budget), "folder": tmp_path}
        experiment = settings(nli, calibrate=False, self_consistency=2).model_copy(update=changed)
        return [system.cost for system in prompted_systems(experiment, nli, test, llm, store)[0]]

    once = {"calls": 24, "prompt_tokens": 1200, "completion_tokens": 60}
    twice = {key: 2 * value for key, value in once.items()}
    assert costs("openai:mine", prices="prices.yaml") == [
        once | {"usd": pytest.approx(0.003)},
        twice | {"usd": pytest.approx(0.006)},
    ]
    assert costs("openai:mine") == [once | {"usd": None}, twice | {"usd": None}]
    assert costs("embedded") == [once | {"usd": 0.0}, twice | {"usd": 0.0}]


def test_without_likelihoods_the_label_is_constrained(served: Callable[..., Any]) -> None:
    with FakeServer() as server:
        systems, left_out = served(server, logprobs=False)
        sent = bodies(server)
    schema = sent[0]["response_format"]["json_schema"]
    assert (schema["strict"], schema["schema"]["required"]) == (True, ["label"])
    assert schema["schema"]["properties"] == {"label": {"type": "string", "enum": ["含意", "中立"]}}
    assert {body["temperature"] for body in sent} == {0}
    assert systems["zero-shot"].unanswered == 0  # the fake server's own words would be unreadable
    [reason] = left_out
    assert re.fullmatch(r"zero-shot calibrated: openai:fake@\S+ gives no likelihoods of the labels", reason)


def test_a_server_that_refuses_the_form_is_asked_for_free_text(served: Callable[..., Any]) -> None:
    for words in ("response_format is not supported", "Unsupported value in the request"):
        fault = Fault("status", status=400, message=words, contains="response_format", times=None)
        with FakeServer([fault]) as server:
            systems, _ = served(server, logprobs=False, evaluate={"calibrate": False})
            good = [json.loads(one.call.body) for one in server.journal if one.complete]
        assert len(good) == 12
        assert not any("response_format" in body for body in good)
        assert systems["zero-shot"].unanswered == 12  # sentences, not labels: counted, never guessed


def test_a_task_without_words_to_ask_with(nli: Task, settings: Callable[..., Experiment], store: ReplyStore) -> None:
    with pytest.raises(ConfigError, match="the task has no 'prompting' section"):
        prompted_systems(settings(nli), nli.model_copy(update={"prompting": None}), [], load_llm("scripted"), store)
