"""Plan, prompts, parsing, accounting: all a function of the experiment (and, for pairs, of the first sentences) alone."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from japagen.errors import BudgetSpent, ConfigError
from japagen.experiment import Experiment
from japagen.generate import generate
from japagen.generate.parse import parse_reply
from japagen.generate.plan import FirstPlan, Plan, draw_shots
from japagen.knowledge import Mechanisms
from japagen.llm import Style
from japagen.llm.budget import Budget, Usage
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.progress import Progress
from japagen.prompts import Wanted, first_prompt, labelling_prompt, writing_prompt
from japagen.records import Dropped, Example, Failed, Message, Reply, Request
from japagen.sections import BudgetSection
from japagen.task import Task

WORD = Mechanisms(attributes=("word",))


def changed(experiment: Experiment, **values: object) -> Experiment:
    generate = experiment.generate.model_copy(update=values)
    return experiment.model_copy(update={"generate": generate})


def plan(experiment: Experiment, task: Task | None = None, style: Style = "chat") -> list[Request]:
    made = Plan(experiment, task or experiment.load_task(), style=style, first_sentence=lambda row: f"{row}の一文目。")
    return [request for row in made.ids() if (request := made.request(row))]


def said(messages: tuple[Message, ...]) -> list[str]:
    return [m.content for m in messages]


def test_chat_prompt_follows_the_paper(experiment: Experiment) -> None:
    task = experiment.load_task()
    wanted = Wanted({"word": "茶"}, WORD, [task.labels["glad"].shots[0]])
    assert writing_prompt(task, "glad", style="chat", wanted=wanted) == (
        Message("system", "客になりきって、声を一つ書いてください。"),
        Message("user", "「本」に喜んでいる客の声を書いてください。"),
        Message("assistant", "夢中で読みました。"),
        Message("user", "「茶」に喜んでいる客の声を書いてください。"),
    )
    plain = writing_prompt(task, "glad", style="chat", wanted=Wanted())
    assert said(plain)[-1] == "喜んでいる客の声を書いてください。"


def test_document_prompt_is_a_heading_and_lines(experiment: Experiment) -> None:
    task = experiment.load_task()
    shots = task.labels["angry"].shots
    messages = writing_prompt(task, "angry", style="document", wanted=Wanted({"word": "菓子"}, WORD, shots))
    assert said(messages) == [
        "客の声を集めた。どれも怒っている。",
        "本の声：",
        "落丁だらけでした。",
        "茶の声：",
        "かび臭くて捨てた。",
        "声：",
        "二度と来ません。",
        "菓子の声：",
    ]
    plain = writing_prompt(task, "angry", style="document", wanted=Wanted(shots=shots))
    assert {m.content for m in plain if m.role == "user"} == {"声："}


def test_labelling_prompt(experiment: Experiment) -> None:
    prompting = experiment.load_task().prompting
    assert prompting is not None
    messages = labelling_prompt(prompting, ("{text}でした", None), style="chat", shots=[(("よい", None), "喜び")])
    assert said(messages) == ["一語で答えてください。", "声：よい\n気分：", "喜び", "声：{text}でした\n気分："]


PAIR = {
    "name": "same",
    "kind": "similarity",
    "title": "説明文",
    "description": "二つの説明文がどれだけ近いか。",
    "metric": "spearman",
    "system": "写真の説明を書く。",
    "first": {"instruction": "一文目："},
    "instruction": "{label}二文目：",
    "labels": {
        0: {"meaning": "無関係。", "verbalisation": "0", "description": "関係のない",
            "shots": [{"text": "犬がいる。", "text_pair": "船が進む。", "word": "犬"}]},
        1: {"meaning": "同じ。", "verbalisation": "1",
            "shots": [{"text": "空が青い。", "text_pair": "青空だ。"}]},
    },
    "knowledge": {
        "rule": "- 写っている物だけを書く。",
        "attributes": {
            "word": {"values": ["犬", "空", "海"], "system": "- 写真には「{word}」がある。"},
            "register": {"values": {"です・ます": 2, "だ・である": 1}, "instruction": "文体は{register}。"},
        },
    },
}  # fmt: skip


@pytest.fixture
def pairs(experiment: Experiment) -> tuple[Experiment, Task]:
    return changed(experiment, shots=0, per_label=12), Task.model_validate(PAIR)


def test_pairs_take_two_turns_and_share_their_attributes(pairs: tuple[Experiment, Task]) -> None:
    experiment, task = pairs
    made = Plan(experiment, task, style="chat", first_sentence=lambda row: "犬が走る。")
    firsts = FirstPlan(made)
    system = "写真の説明を書く。\n- 写っている物だけを書く。\n- 写真には「{}」がある。"
    for row in made.ids():
        second, first = made.request(row), firsts.request(firsts.place(row)[0])
        assert second is not None
        word, register = second.attributes["word"], second.attributes["register"]
        assert first.attributes == second.attributes
        assert said(first.messages) == [system.format(word), "一文目："]
        asked = "関係のない" if second.label == "0" else "1"
        assert said(second.messages) == [
            system.format(word), "一文目：", "犬が走る。", f"{asked}二文目：\n文体は{register}。",
        ]  # fmt: skip
    assert firsts.total == 24
    shared = Plan(changed(experiment, first_sentence="shared"), task, style="chat")
    firsts = FirstPlan(shared)
    assert (firsts.total, firsts.place("0/000007")) == (12, ("(all)/000007/first", 0))
    assert firsts.place("1/000007") == firsts.place("0/000007")
    assert shared.attributes("0", 7) == shared.attributes("1", 7)


def test_each_mechanism_of_kadg_stands_alone(pairs: tuple[Experiment, Task]) -> None:
    experiment, task = pairs

    def prompt(kadg: object) -> str:
        return "\n".join(said(plan(changed(experiment, kadg=kadg), task)[0].messages))

    texts = {name: prompt((name,)) for name in ("word", "register", "rule", "descriptions")}
    marks = {"word": "写真には「", "register": "文体は", "rule": "写っている物だけ", "descriptions": "関係のない"}
    for name, text in texts.items():
        assert {mark for mark in marks if marks[mark] in text} == {name}
    assert {mark for mark in marks if marks[mark] in prompt(True)} == set(marks)
    assert not {mark for mark in marks if marks[mark] in prompt(False)}
    with pytest.raises(ConfigError, match="did you mean 'register'"):
        prompt(("registre",))


def test_shots_of_pairs_are_turns_of_both_calls(pairs: tuple[Experiment, Task]) -> None:
    task = pairs[1]
    shots = [task.labels["0"].shots[0]]
    wanted = Wanted({"word": "海"}, WORD, shots)
    assert said(first_prompt(task, style="chat", wanted=wanted))[1:] == ["一文目：", "犬がいる。", "一文目："]
    assert said(writing_prompt(task, "0", style="chat", wanted=wanted, first="海が光る。"))[1:] == [
        "一文目：", "犬がいる。", "0二文目：", "船が進む。", "一文目：", "海が光る。", "0二文目：",
    ]  # fmt: skip
    document = writing_prompt(task, "0", style="document", wanted=wanted, first="海が光る。")
    assert said(document) == ["無関係。", "文１：犬がいる。　文２：", "船が進む。", "文１：海が光る。　文２："]


def test_random_words_take_the_place_of_the_list(experiment: Experiment) -> None:
    pytest.importorskip("wordfreq", reason="the extra 'words' is not installed")
    real, random = plan(experiment), plan(changed(experiment, kadg="random-word"))
    words = {(a.attributes["word"], b.attributes["word"]) for a, b in zip(real, random, strict=True)}
    assert len(words) == 3  # one for one, in the same rows
    assert all(len(a) == len(b) and a != b for a, b in words)
    for request in random:
        assert f"「{request.attributes['word']}」" in request.messages[-1].content
        assert not any("「本」" in m.content or "「茶」" in m.content for m in request.messages)  # shots neither


def test_a_larger_plan_only_adds(experiment: Experiment) -> None:
    small = {r.id: r.key("m") for r in plan(experiment)}
    large = {r.id: r.key("m") for r in plan(changed(experiment, per_label=45))}
    assert (len(small), len(large)) == (60, 90)
    assert small.items() <= large.items()
    task = experiment.load_task()
    digests = {Plan(changed(experiment, per_label=n), task, style="chat").digest for n in (30, 45)}
    assert len(digests) == 1  # so a resumed run finds its rows without making prompts
    other = experiment.model_copy(update={"seed": 8})
    assert all(small[r.id] != r.key("m") for r in plan(other))
    assert Plan(other, task, style="chat").digest not in digests


def test_words_come_evenly_and_stand_in_the_prompt(experiment: Experiment) -> None:
    requests = plan(experiment)
    assert Counter((r.label, r.attributes["word"]) for r in requests) == {
        (la, w): 10 for la in ("glad", "angry") for w in ("本", "茶", "菓子")
    }
    assert all(f"「{r.attributes['word']}」" in r.messages[-1].content for r in requests)
    orders = {tuple(r.attributes["word"] for r in requests[i : i + 3]) for i in range(0, 60, 3)}
    assert len(orders) > 2  # shuffled anew each round


def test_shots_are_uniform_and_neighbours_share_the_beginning() -> None:
    shots = list(Task.load("reviews").labels["positive"].shots)
    draws = [[s.text for s in draw_shots(shots, ("positive",), i, count=5, seed=1)] for i in range(4860)]
    assert all(len(set(draw)) == 5 for draw in draws)
    last = Counter(draw[-1] for draw in draws)
    assert set(last) == {s.text for s in shots}
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
        ("お答えできません。", "content_filter", ("refused", "")),
        ("<think>どんな\n声か。</think>\n\n届きました。", "stop", "届きました。"),
        ("どんな声か。</think>届きました。", "stop", "届きました。"),
        ("<think>どんな声か。", "length", ("empty", "")),
        ("<think>だけは消える</think>、と書いた。</think>", "stop", "、と書いた。</think>"),
    ],
)
def test_parse(text: str, finish: str, expected: str | tuple[str, str]) -> None:
    row = Example("glad/000001", "", "glad", meta={"word": "本"})
    parsed = parse_reply(row, Reply(row.id, text, finish=finish, completion_tokens=7))
    if isinstance(expected, str):
        assert parsed == Example("glad/000001", expected, "glad", meta={"word": "本"})
    else:
        assert isinstance(parsed, Dropped)
        assert (parsed.reason, parsed.detail) == expected


def test_every_request_is_kept_dropped_or_failed(experiment: Experiment, tmp_path: Path) -> None:
    llm = ScriptedLLM(misbehave={"glad/000003": "fail", "glad/000004": "empty", "angry/000000": "truncate"})
    events: list[Progress] = []
    with ReplyStore(tmp_path / "r.sqlite") as store:
        rows = list(generate(experiment, experiment.load_task(), llm, store, on_progress=events.append))
        assert store.usage().requests == 60
    assert Counter(type(row) for row in rows) == {Example: 57, Dropped: 2, Failed: 1}
    assert rows[3] == Failed("glad/000003", "glad", "server error")
    assert [rows[i].reason for i in (4, 30)] == ["empty", "truncated"]  # type: ignore[union-attr]
    ids = [row.example.id if isinstance(row, Dropped) else row.id for row in rows]
    assert ids == [f"{label}/{i:06d}" for label in ("glad", "angry") for i in range(30)]
    final = {e.item: e for e in events}
    assert (final["glad"].done, final["glad"].kept, final["glad"].dropped, final["glad"].failed) == (30, 28, 1, 1)
    with ReplyStore(tmp_path / "r.sqlite") as store:  # again: only what failed is asked for
        again = ScriptedLLM()
        rows = list(generate(experiment, experiment.load_task(), again, store))
        assert store.usage().requests == 61
    assert (again.calls, sum(isinstance(row, Example) for row in rows)) == (1, 58)


def test_a_pair_without_its_first_sentence_is_accounted_for(pairs: tuple[Experiment, Task], tmp_path: Path) -> None:
    experiment, task = pairs
    llm = ScriptedLLM(
        misbehave={"0/000003/first": "fail", "0/000004/first": "empty", "1/000000": "truncate", "1/000001": "fail"}
    )
    with ReplyStore(tmp_path / "r") as store:
        rows = list(generate(experiment, task, llm, store))
    assert llm.calls == 24 + 22
    assert rows[3] == Failed("0/000003", "0", "first sentence: server error")
    assert isinstance(rows[4], Dropped)
    assert (rows[4].reason, rows[4].example.text, rows[4].example.meta["word"] in "犬空海") == ("first_empty", "", True)
    assert isinstance(rows[12], Dropped)
    assert rows[12].example.text_pair
    assert rows[13] == Failed("1/000001", "1", "server error")
    assert all(isinstance(row, Example) and row.text and row.text_pair for row in [*rows[5:12], *rows[14:]])
    with ReplyStore(tmp_path / "r") as store:  # what failed is asked for again, first and second sentence
        rows = list(generate(experiment, task, again := ScriptedLLM(), store))
    assert (again.calls, sum(isinstance(row, Example) for row in rows)) == (3, 22)


def test_several_texts_per_call(experiment: Experiment, tmp_path: Path) -> None:
    several = changed(experiment, samples_per_call=4)
    task = several.load_task()
    assert len(plan(several, task)) == 2 * 8
    assert (
        plan(several, task)[0]
        .messages[-1]
        .content.endswith('答えは {"texts": ["…", "…"]} の形の JSON だけにしてください。')
    )
    assert plan(several, task)[0].sampling.max_tokens == 4 * 80
    asked, shots = plan(several, task)[0].messages[1:3]
    assert "互いに異なるものを2個まとめて" in asked.content  # the shots show the form as well
    assert len(json.loads(shots.content)["texts"]) == 2
    llm = ScriptedLLM(misbehave={"glad/000004": "truncate", "glad/000008": "fail", "glad/000012": "refuse"})
    with ReplyStore(tmp_path / "r") as store:
        rows = list(generate(several, task, llm, store))
    assert (llm.calls, len(rows)) == (16, 60)
    kinds = [row.reason if isinstance(row, Dropped | Failed) else "kept" for row in rows[:16]]
    assert kinds == ["kept"] * 4 + ["truncated"] * 4 + ["server error"] * 4 + ["refused"] * 4
    assert len({row.text for row in rows if isinstance(row, Example)}) > 40
    assert {row.meta["word"] for row in rows[:4]} == {rows[0].meta["word"]}  # type: ignore[union-attr]
    larger = changed(several, per_label=31)
    with ReplyStore(tmp_path / "r") as store:
        rows = list(generate(larger, task, again := ScriptedLLM(), store))
    assert (again.calls, len(rows)) == (1, 62)  # only what failed before; row 31 stood in the last replies


def test_first_sentences_several_per_call(pairs: tuple[Experiment, Task], tmp_path: Path) -> None:
    experiment, task = changed(pairs[0], samples_per_call=5, first_sentence="shared"), pairs[1]
    with ReplyStore(tmp_path / "r") as store:
        rows = list(generate(experiment, task, llm := ScriptedLLM(), store))
    assert llm.calls == 3 + 24
    texts = [row.text for row in rows if isinstance(row, Example)]
    assert texts[:12] == texts[12:]
    assert len(set(texts)) == 12


def test_the_budget_stops_cleanly_and_goes_on(experiment: Experiment, tmp_path: Path) -> None:
    task = experiment.load_task()

    def go(limit: int) -> tuple[int, int]:
        llm = ScriptedLLM()
        with ReplyStore(tmp_path / "r") as before:
            spent = before.usage()
        budget = Budget(BudgetSection(requests=limit), None, spent=spent)
        with ReplyStore(tmp_path / "r", budget=budget) as store:
            return len(list(generate(experiment, task, llm, store))), llm.calls

    with pytest.raises(BudgetSpent, match=r"budget.requests of 25 is spent \(25\); 35 of 60 rows are missing"):
        go(25)
    with pytest.raises(BudgetSpent, match="35 of 60"):
        go(25)
    assert go(60) == (60, 35)
    assert go(60) == (60, 0)  # a budget that is spent to the last is no error
    with ReplyStore(tmp_path / "r") as store:
        assert store.usage() == Usage(60, store.usage().prompt_tokens, store.usage().completion_tokens)
