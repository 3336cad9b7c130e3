"""Estimates before a run: the same requests as the run's, nothing sent, nothing written."""

from __future__ import annotations

import json
import socket
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from japagen import estimate as module
from japagen.asked import evaluate_parts
from japagen.errors import ConfigError
from japagen.estimate import Estimate, Item, estimate, print_estimate
from japagen.evaluate.gold import load_gold_data
from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.llm.tokens import TokenCounter
from japagen.pipeline import run
from japagen.records import Reply, Request, Sampling

PAIRS = """\
name: pairs
kind: pair
title: 組
description: 二つ目の文が一つ目に続くかを見分ける。
system: 日本語の文を一つ書いてください。
first: {instruction: 出来事を一つ書いてください。, heading: 出来事を集めた。}
labels:
  follows:
    meaning: 続く。
    instruction: 続く文を書いてください。
    verbalisation: 続く
    shots: [{text: 雨が降った。, text_pair: 道がぬれた。}, {text: 朝になった。, text_pair: 鳥が鳴きだした。}]
  breaks:
    meaning: 続かない。
    instruction: 続かない文を書いてください。
    verbalisation: 続かない
    shots: [{text: 雨が降った。, text_pair: 箱は重い。}, {text: 朝になった。, text_pair: 本は青い。}]
"""


class Counted(ScriptedLLM):
    """Counts what it was asked in the way of the estimate's requests."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.asked: list[Request] = []

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request)
        return super()._answer(request)


def asked_by(llm: Counted, stage: str) -> list[Request]:
    return [request for request in llm.asked if bool(request.choices) == (stage == "evaluate")]


def with_settings(experiment: Experiment, **sections: dict[str, Any]) -> Experiment:
    changed = {name: getattr(experiment, name).model_copy(update=values) for name, values in sections.items()}
    return experiment.model_copy(update=changed)


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(f): (f.stat().st_mtime_ns, f.stat().st_size) for f in folder.rglob("*") if f.is_file()}


def evaluate_requests(experiment: Experiment) -> list[Request]:
    task = experiment.load_task()
    parts = evaluate_parts(experiment, task, load_gold_data(task).test)
    return [request for part in parts for row in part.ids if (request := part.request(row))]


def items_of(found: Estimate, stage: str) -> list[Item]:
    return [item for item in found.items if item.stage == stage]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    for name in ("JAPAGEN_PRICES", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "generate", [{}, {"samples_per_call": 7}, {"kadg": False, "shots": 0}], ids=["kadg", "structured", "plain"]
)
def test_it_counts_what_the_run_asks(experiment: Experiment, tmp_path: Path, generate: dict[str, Any]) -> None:
    experiment = with_settings(experiment, generate=generate, evaluate={"prompting": ("zero-shot", "few-shot")})
    before = estimate(experiment, runs=tmp_path / "runs")
    llm = Counted()
    run(experiment, runs=tmp_path / "runs", llm=llm, until="evaluate")
    for stage in ("generate", "evaluate"):
        asked = asked_by(llm, stage)
        assert sum(item.calls for item in items_of(before, stage)) == len(asked)
        assert sum(item.requests for item in items_of(before, stage)) == len(asked)
        written = sum(len(message.content) for request in asked for message in request.messages)
        assert sum(item.prompt_tokens for item in items_of(before, stage)) == written
    with ReplyStore(tmp_path / "runs" / "small" / "1-generate" / "replies.sqlite") as store:
        used = store.usage()
    assert used.prompt_tokens == sum(item.prompt_tokens for item in items_of(before, "generate"))
    assert used.requests == sum(item.calls for item in items_of(before, "generate"))

    after = estimate(experiment, runs=tmp_path / "runs")
    assert [item.answered for item in after.items] == [item.requests for item in before.items]
    assert (after.expected.requests, after.expected.tokens) == (0, 0)
    assert after.spent.requests == len(llm.asked)


def test_every_answer_of_self_consistency_is_counted(experiment: Experiment, tmp_path: Path) -> None:
    ways = {"prompting": ("zero-shot", "few-shot"), "prompting_draws": 2, "self_consistency": 3}
    experiment = with_settings(experiment, evaluate=ways)
    before = items_of(estimate(experiment, runs=tmp_path / "runs"), "evaluate")
    names = ["zero-shot", "zero-shot self-consistency", "few-shot", "few-shot self-consistency"]
    assert [(item.name, item.requests) for item in before] == list(zip(names, [9, 24, 18, 48], strict=True))
    llm = Counted()
    run(experiment, runs=tmp_path / "runs", llm=llm, until="evaluate")
    asked = [request for request in llm.asked if "answer-" in request.id]
    assert len(asked) == 24 + 48
    voted = [item for item in before if "self" in item.name]
    assert sum(item.prompt_tokens for item in voted) == sum(len(m.content) for r in asked for m in r.messages)
    assert sum(item.most or 0 for item in voted) == 80 * len(asked)  # llm.max_tokens of each
    after = items_of(estimate(experiment, runs=tmp_path / "runs"), "evaluate")
    assert [item.answered for item in after] == [9, 24, 18, 48]


def test_answers_of_one_question_may_share_a_call(experiment: Experiment) -> None:
    ways = {"prompting": ("zero-shot",), "self_consistency": 8}
    experiment = with_settings(experiment, llm={"name": "openai:gpt-4o-mini", "n": 4}, evaluate=ways)
    assert [item.calls for item in items_of(estimate(experiment), "evaluate")] == [9, 8 * 2]


def test_trainings_are_told(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    def told(changed: Experiment = experiment, **more: Any) -> list[str]:
        notes = estimate(changed, runs=tmp_path / "runs", **more).notes
        return [note.partition(": ")[2] for note in notes if note.startswith("trainings")]

    assert told() == ["2 on synthetic texts, 2 on 1 gold rows per label, 2 on 3 gold rows per label"]
    assert told(until="train") == ["2 on synthetic texts"]
    assert told(until="curate") == []
    more = with_settings(experiment, evaluate={"gold_shots": (4, 5)})  # of each label there are four
    assert told(more) == ["2 on synthetic texts, 2 on 4 gold rows per label"]
    task = (workplace / "mood.yaml").read_text(encoding="utf-8")
    train = "gold:\n  train: {file: gold-train.jsonl, text: text, label: label, id: id}"
    (workplace / "mood.yaml").write_text(task.replace("gold:", train), encoding="utf-8")
    (workplace / "gold-train.jsonl").write_bytes((workplace / "gold-dev.jsonl").read_bytes().replace(b"dev", b"tr"))
    none = with_settings(experiment, evaluate={"gold_shots": ()})
    assert told(none) == ["2 on synthetic texts, 2 on 8 gold train rows"]
    run(none, runs=tmp_path / "runs", llm=Counted(), until="train")
    assert told(none) == ["2 on 8 gold train rows"]
    assert told(with_settings(none, evaluate={"gold_shots": (), "supervised": False})) == []


def test_pairs_have_two_turns(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    (workplace / "pairs.yaml").write_text(PAIRS, encoding="utf-8")
    experiment = with_settings(experiment, generate={"kadg": False}).model_copy(update={"task": "pairs.yaml"})
    before = estimate(experiment, runs=tmp_path / "runs")
    assert [(item.name, item.requests) for item in before.items] == [
        ("first sentences", 60),
        ("follows", 30),
        ("breaks", 30),
    ]
    llm = Counted()
    run(experiment, runs=tmp_path / "runs", llm=llm, until="generate")
    assert len(llm.asked) == 120
    firsts = [request for request in llm.asked if request.id.endswith("/first")]
    assert before.items[0].prompt_tokens == sum(len(m.content) for request in firsts for m in request.messages)
    assert [item.answered for item in estimate(experiment, runs=tmp_path / "runs").items] == [60, 30, 30]
    shared = with_settings(experiment, generate={"first_sentence": "shared"})
    assert estimate(shared, runs=tmp_path / "none").items[0].requests == 30


def test_a_stopped_run_is_subtracted_and_its_replies_are_the_measure(experiment: Experiment, tmp_path: Path) -> None:
    limited = with_settings(experiment, budget={"requests": 40})
    with pytest.raises(Exception, match=r"budget\.requests"):
        run(limited, runs=tmp_path / "runs", llm=Counted(), until="generate")
    found = estimate(experiment, runs=tmp_path / "runs", until="generate")
    assert [(item.requests, item.answered, item.calls) for item in found.items] == [(30, 30, 0), (30, 10, 20)]
    with ReplyStore(tmp_path / "runs" / "small" / "1-generate" / "replies.sqlite") as store:
        used = store.usage()
    assert found.spent == used
    assert found.items[1].expected == round(20 * used.completion_tokens / 40)
    larger = with_settings(experiment, generate={"per_label": 100})
    assert [item.calls for item in estimate(larger, runs=tmp_path / "runs", until="generate").items] == [70, 90]


def test_nothing_is_written(experiment: Experiment, workplace: Path, tmp_path: Path) -> None:
    estimate(experiment, runs=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
    run(experiment, runs=tmp_path / "runs", llm=Counted(), until="generate")
    before = snapshot(tmp_path)
    estimate(experiment, runs=tmp_path / "runs")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("content", [b"", b"no database at all" * 100])
def test_a_store_that_cannot_be_read_counts_as_empty(experiment: Experiment, tmp_path: Path, content: bytes) -> None:
    place = tmp_path / "runs" / "small" / "1-generate" / "replies.sqlite"
    place.parent.mkdir(parents=True)
    place.write_bytes(content)
    assert [item.answered for item in estimate(experiment, runs=tmp_path / "runs").items] == [0, 0, 0]
    assert place.read_bytes() == content


def test_a_run_that_is_going_on_is_read_beside_it(experiment: Experiment, tmp_path: Path) -> None:
    """Its last replies stand in SQLite's log, not yet in the file."""
    run(experiment, runs=tmp_path / "runs", llm=Counted(), until="generate")
    place = tmp_path / "runs" / "small" / "4-evaluate" / "replies.sqlite"
    place.parent.mkdir()
    asked = next(request for request in evaluate_requests(experiment) if request.id.endswith("glad-0"))
    with ReplyStore(place) as store:
        store.put([(asked.key("scripted"), asked, Reply(asked.id))])
        assert place.with_name("replies.sqlite-wal").stat().st_size
        assert [item.answered for item in estimate(experiment, runs=tmp_path / "runs").items] == [30, 30, 1]
        assert len(store) == 1


def test_without_calibration_there_is_one_question_less(experiment: Experiment) -> None:
    both = [
        estimate(with_settings(experiment, evaluate={"calibrate": calibrate, "prompting": ("few-shot",)})).items[-1]
        for calibrate in (True, False)
    ]
    assert [item.requests for item in both] == [5 * (8 + 1), 5 * 8]


def test_replies_under_another_plan_are_found_too(experiment: Experiment, tmp_path: Path) -> None:
    """As the store finds them: by the digest of what is sent."""
    run(experiment, runs=tmp_path / "runs", llm=Counted(), until="generate")
    changed = with_settings(experiment, llm={"n": 2})  # another digest of the plan, but the same requests
    found = estimate(changed, runs=tmp_path / "runs", until="generate")
    assert [item.answered for item in found.items] == [30, 30]
    changed = with_settings(experiment, llm={"max_tokens": 81})
    assert [i.answered for i in estimate(changed, runs=tmp_path / "runs", until="generate").items] == [0, 0]


def test_of_many_prompts_a_sample_is_made_and_scaled_up(
    experiment: Experiment, monkeypatch: pytest.MonkeyPatch
) -> None:
    experiment = with_settings(experiment, generate={"per_label": 4000, "shots": 2}, evaluate={"prompting": ()})
    whole = estimate(experiment)
    assert "sample" not in whole.notes[0]
    for name, value in (("MOST_LOOKED_AT", 2000), ("_LEAST", 100)):
        monkeypatch.setattr(module, name, value)
    sampled = estimate(experiment)
    assert sampled.notes[0] == "2,000 of 8,000 prompts were made, a sample (seed 7); scaled up"
    assert [item.calls for item in sampled.items] == [item.calls for item in whole.items]
    for a, b in zip(sampled.items, whole.items, strict=True):
        assert a.prompt_tokens == pytest.approx(b.prompt_tokens, rel=0.02)
        assert a.most == b.most
    assert estimate(experiment) == sampled


def test_money_by_hand(experiment: Experiment, workplace: Path) -> None:
    """60 requests of 100 prompt tokens, and at most 80 tokens each back, at 1 and 2 dollars per million."""
    (workplace / "p.yaml").write_text("models: {mine: {input: 1, output: 2, batch: 0.5}}", encoding="utf-8")
    experiment = with_settings(
        experiment, llm={"name": "openai:mine"}, budget={"prices": "p.yaml", "usd": 0.01}, evaluate={"prompting": ()}
    )
    counter = TokenCounter(lambda text: 0.0, how="by hand", per_reply=100.0)
    found = estimate(experiment, counter=counter)
    assert found.expected.prompt_tokens == 6000
    assert found.most is not None
    assert found.most.completion_tokens == 4800
    assert found.usd(found.most) == pytest.approx((6000 * 1 + 4800 * 2) / 1e6)
    assert found.usd(found.expected) == pytest.approx(0.006)
    assert not any("budget" in note for note in found.notes)
    batch = with_settings(experiment, llm={"name": "openai-batch:mine"})
    assert estimate(batch, counter=counter).usd(found.most) == pytest.approx((6000 * 1 + 4800 * 2) / 2e6)
    small = with_settings(experiment, budget={"usd": 0.005})
    assert (
        "the budget would end the run, by what is expected: budget.usd of 0.005 would be spent (0.006)"
        in estimate(small, counter=counter).notes
    )


def test_equal_prompts_share_a_call(experiment: Experiment) -> None:
    """Without shots and words all 30 prompts of a label are equal: with n = 8 four calls, paid for once each."""
    experiment = with_settings(
        experiment, llm={"name": "openai:gpt-4o-mini"}, generate={"kadg": False, "shots": 0}, evaluate={"prompting": ()}
    )
    alone = estimate(experiment)
    together = estimate(with_settings(experiment, llm={"n": 8}))
    assert [item.calls for item in together.items] == [4, 4]
    assert together.expected.prompt_tokens * 30 == pytest.approx(alone.expected.prompt_tokens * 4, abs=30)
    assert together.expected.completion_tokens == alone.expected.completion_tokens
    batch = with_settings(experiment, llm={"n": 8, "name": "openai-batch:gpt-4o-mini"})
    assert [item.calls for item in estimate(batch).items] == [30, 30]


def test_without_a_limit_of_replies_there_is_no_upper_bound(experiment: Experiment) -> None:
    experiment = with_settings(
        experiment, llm={"name": "openai:gpt-4o-mini", "max_tokens": None}, evaluate={"prompting": ()}
    )
    found = estimate(experiment)
    assert found.most is None
    assert found.usd(found.most) is None
    assert found.usd(found.expected) is not None
    assert "llm.max_tokens is null: nothing limits a reply" in found.notes
    assert found.as_json()["most"] is None


def test_a_limit_that_would_cut_off_replies_is_told(experiment: Experiment) -> None:
    """The scripted model counts characters; the shots of "angry" have 8.67 on average."""
    note = "llm.max_tokens is 8, but the task's shots have 9 tokens: many replies will be cut off"
    assert note in estimate(with_settings(experiment, llm={"max_tokens": 8})).notes
    assert not any("cut off" in each for each in estimate(with_settings(experiment, llm={"max_tokens": 9})).notes)


def test_an_unknown_price_matters_only_where_money_is_limited(experiment: Experiment) -> None:
    experiment = with_settings(experiment, llm={"name": "openai:gpt-4o-minni"})
    found = estimate(experiment)
    assert found.price is None
    assert found.usd(found.expected) is None
    assert any("not known: add it with budget.prices" in note for note in found.notes)
    with pytest.raises(ConfigError, match="did you mean 'gpt-4o-mini'"):
        estimate(with_settings(experiment, budget={"usd": 5}))


def test_it_ends_with_the_last_stage_asked_for(experiment: Experiment) -> None:
    assert {item.stage for item in estimate(experiment, until="train").items} == {"generate"}
    assert {item.stage for item in estimate(experiment).items} == {"generate", "evaluate"}
    with pytest.raises(ConfigError, match="no stage is called 'evalute'"):
        estimate(experiment, until="evalute")


def test_replies_are_found_without_a_key(experiment: Experiment, tmp_path: Path) -> None:
    """A hosted model's name needs its key; without it, what is stored is found by the rows' names."""
    experiment = with_settings(experiment, llm={"name": "openai:gpt-4o-mini"})
    place = tmp_path / "runs" / "small" / "4-evaluate" / "replies.sqlite"
    place.parent.mkdir(parents=True)
    request = Request("zero-shot/row/test-glad-0", (), Sampling(), choices=("喜び", "怒り"))
    with ReplyStore(place) as store:
        store.put([(request.key("any"), request, Reply(request.id, prompt_tokens=9))])
    assert estimate(experiment, runs=tmp_path / "runs").items[-1].answered == 1


def test_it_can_be_printed_and_written_as_json(experiment: Experiment) -> None:
    found = estimate(with_settings(experiment, llm={"name": "openai:gpt-4o-mini"}))
    out = StringIO()
    print_estimate(found, Console(file=out, width=200))
    for shown in ("openai:gpt-4o-mini", "glad", "zero-shot", "USD", *found.notes):
        assert shown in out.getvalue()
    data = json.loads(json.dumps(found.as_json(), ensure_ascii=False))
    assert data["expected"]["requests"] == sum(item["calls"] for item in data["items"])
    assert data["expected"]["usd"] == found.usd(found.expected)
    free = estimate(experiment)
    out = StringIO()
    print_estimate(free, Console(file=out, width=200))
    assert "USD" not in out.getvalue()
    assert "this model costs nothing" in out.getvalue()
