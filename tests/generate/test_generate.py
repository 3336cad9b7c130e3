"""Plan, prompts, KADG words, parsing: all a function of the experiment alone."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.generate.parse import parse_reply
from japagen.generate.plan import draw_shots, plan
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.prompts import labelling_prompt, writing_prompt
from japagen.records import Dropped, Example, Message, Reply, Request
from japagen.task import Task


def test_chat_prompt_follows_the_paper(experiment: Experiment) -> None:
    task = experiment.load_task()
    shots = [task.labels["glad"].shots[0]]
    assert writing_prompt(task, "glad", style="chat", shots=shots, word="茶") == (
        Message("system", "客になりきって、声を一つ書いてください。"),
        Message("user", "「本」に喜んでいる客の声を書いてください。"),
        Message("assistant", "夢中で読みました。"),
        Message("user", "「茶」に喜んでいる客の声を書いてください。"),
    )
    assert (
        writing_prompt(task, "glad", style="chat", shots=(), word=None)[-1].content
        == "喜んでいる客の声を書いてください。"
    )


def test_document_prompt_is_a_heading_and_lines(experiment: Experiment) -> None:
    task = experiment.load_task()
    messages = writing_prompt(task, "angry", style="document", shots=task.labels["angry"].shots, word="菓子")
    assert messages[0].content == "客の声を集めた。どれも怒っている。"
    assert [m.content for m in messages[1:]] == [
        "本の声：",
        "落丁だらけでした。",
        "茶の声：",
        "かび臭くて捨てた。",
        "声：",
        "二度と来ません。",
        "菓子の声：",
    ]
    plain = writing_prompt(task, "angry", style="document", shots=task.labels["angry"].shots, word=None)
    assert {m.content for m in plain if m.role == "user"} == {"声："}


def test_labelling_prompt(experiment: Experiment) -> None:
    prompting = experiment.load_task().prompting
    assert prompting is not None
    messages = labelling_prompt(prompting, "{text}でした", style="chat", shots=[("よい", "喜び")])
    assert [m.content for m in messages] == [
        "一語で答えてください。",
        "声：よい\n気分：",
        "喜び",
        "声：{text}でした\n気分：",
    ]


def test_a_larger_plan_only_adds(experiment: Experiment) -> None:
    task = experiment.load_task()
    larger = experiment.model_copy(update={"generate": experiment.generate.model_copy(update={"per_label": 45})})
    small = {r.id: r.key("m") for r in plan(experiment, task, style="chat")}
    large = {r.id: r.key("m") for r in plan(larger, task, style="chat")}
    assert len(small) == 60
    assert len(large) == 90
    assert small.items() <= large.items()
    other = experiment.model_copy(update={"seed": 8})
    assert all(small[r.id] != r.key("m") for r in plan(other, task, style="chat"))


def test_words_come_evenly_and_stand_in_the_prompt(experiment: Experiment) -> None:
    requests = list(plan(experiment, experiment.load_task(), style="chat"))
    assert Counter((r.label, r.word) for r in requests) == {
        (la, w): 10 for la in ("glad", "angry") for w in ("本", "茶", "菓子")
    }
    assert all(f"「{r.word}」" in r.messages[-1].content for r in requests)
    orders = {tuple(r.word for r in requests[i : i + 3]) for i in range(0, 60, 3)}
    assert len(orders) > 2  # shuffled anew each round


def test_shots_are_uniform_and_neighbours_share_the_beginning() -> None:
    task = Task.load("reviews")
    draws = [[s.text for s in draw_shots(task, "positive", i, count=5, seed=1)] for i in range(4860)]
    assert all(len(set(draw)) == 5 for draw in draws)
    last = Counter(draw[-1] for draw in draws)
    assert set(last) == {s.text for s in task.labels["positive"].shots}
    assert max(last.values()) < 1.5 * 4860 / 16
    assert min(last.values()) > 0.6 * 4860 / 16
    changed = sum(a[p:] != b[p:] and a[:p] == b[:p] for a, b in pairwise(draws) for p in [4])
    assert changed > 0.6 * len(draws)  # mostly only the last shot is new
    new_shots = sum(5 - next((i for i in range(5) if a[i] != b[i]), 5) for a, b in pairwise(draws))
    assert new_shots / len(draws) < 1.6


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        ("  届きました。 ", "stop", "届きました。"),
        ("「いい。」", "stop", "いい。"),
        ("「いい」と「悪い」", "stop", "「いい」と「悪い」"),
        ("「」", "stop", "「」"),
        ("一行\n二行", "stop", "一行 二行"),
        (" \u3000", "stop", ("empty", "")),
        ("途中で切れ", "length", ("truncated", "after 7 tokens")),
    ],
)
def test_parse(text: str, finish: str, expected: str | tuple[str, str]) -> None:
    request = Request("glad/000001", (), label="glad", word="本")
    parsed = parse_reply(request, Reply(request.id, text, finish=finish, completion_tokens=7))
    if isinstance(expected, str):
        assert parsed == Example("glad/000001", expected, "glad", meta={"word": "本"})
    else:
        assert isinstance(parsed, Dropped)
        assert (parsed.reason, parsed.detail) == expected


def test_every_request_is_kept_dropped_or_failed(experiment: Experiment, tmp_path: Path) -> None:
    llm = ScriptedLLM(misbehave={"glad/000003": "fail", "glad/000004": "empty", "angry/000000": "truncate"})
    events = []
    with ReplyStore(tmp_path / "r.sqlite") as store:
        result = generate(experiment, experiment.load_task(), llm, store, on_progress=events.append)
    assert (len(result.kept), len(result.dropped), result.failed) == (57, 2, {"glad/000003": "server error"})
    assert {d.reason for d in result.dropped} == {"empty", "truncated"}
    assert [e.id for e in result.kept] == sorted((e.id for e in result.kept), key=lambda i: (i[0] != "g", i))
    final = {e.item: e for e in events}
    assert (final["glad"].done, final["glad"].kept, final["glad"].dropped, final["glad"].failed) == (30, 28, 1, 1)
    with ReplyStore(tmp_path / "r.sqlite") as store:  # again: only what failed is asked for
        again = ScriptedLLM()
        result = generate(experiment, experiment.load_task(), again, store)
    assert (again.calls, result.called, len(result.kept)) == (1, 1, 58)
