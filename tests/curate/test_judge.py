"""The judge: what it is asked, what its answers mean, and that nothing is asked twice."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from japagen.curate.judge import JudgePlan, Verdict, agrees, doubts, judge, judge_questions
from japagen.errors import BudgetSpent, ConfigError, ModelError
from japagen.llm.budget import Budget
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Example, Reply, Request
from japagen.sections import BudgetSection, LLMSection
from japagen.task import Task

SECTION = LLMSection(name="scripted")
ROWS = [
    Example("glad/0", "毎朝これを飲みます。", "glad"),
    Example("glad/1", "金を返してほしい。", "glad"),
    Example("angry/0", "袋が破れていた。", "angry"),
]


class Judge(ScriptedLLM):
    """Likelihoods of glad and angry by a row's id; those after the text without content are `free`."""

    def __init__(self, rows: dict[str, Reply | tuple[float, float]], free: Reply | tuple[float, float]) -> None:
        super().__init__(name="judge")
        self.asked: list[Request] = []
        self._rows, self._free = rows, free

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request)
        row = "/".join(request.id.split("/")[-2:])
        found = self._free if request.id.endswith("content-free") else self._rows[row]
        return replace(found, request=request.id) if isinstance(found, Reply) else Reply(request.id, logprobs=found)


def wrote(text: str) -> Reply:
    return Reply("", text=text)


@pytest.fixture
def task(workplace: Path) -> Task:
    return Task.load(workplace / "mood.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "judge.sqlite") as store:
        yield store


def judged(task: Task, llm: ScriptedLLM, store: ReplyStore, rows: list[Example] = ROWS, **more) -> list[Verdict]:
    return judge(rows, task, llm, store, section=SECTION, seed=7, **more)


def test_likelihoods_are_divided_by_those_of_no_content(task: Task, store: ReplyStore) -> None:
    llm = Judge({"glad/0": (-1.0, -2.0), "glad/1": (-1.0, -4.0), "angry/0": (-3.0, -3.0)}, free=(-1.0, -3.0))
    found = judged(task, llm, store)
    # glad/0: -1+1 = 0 against -2+3 = 1; glad/1: 0 against -1; angry/0: -2 against 0
    assert [v.label for v in found] == ["angry", "glad", "angry"]
    assert [v.given for v in found] == pytest.approx(
        [1 / (1 + 2.7182818), 1 / (1 + 2.7182818**-1), 1 / (1 + 2.7182818**-2)]
    )
    assert doubts(ROWS, found, task) == {0: ("judge", "'angry' (p of 'glad' 0.27)")}


def test_the_question_shows_shots_and_the_text_but_never_the_label(task: Task, store: ReplyStore) -> None:
    llm = Judge({r.id: (-1.0, -2.0) for r in ROWS}, free=(-1.0, -1.0))
    judged(task, llm, store)
    nothing, first, *_ = llm.asked
    assert "（本文なし）" in nothing.messages[-1].content
    assert first.messages[-1].content == "声：毎朝これを飲みます。\n気分："
    assert len(first.messages) == 1 + 2 * 6 + 1  # three shots of each label
    assert first.choices == ("喜び", "怒り")
    assert first.sampling.temperature == 0
    swapped = [replace(row, label="angry") for row in ROWS]
    assert judged(task, llm, store, swapped)[0].label == "glad"
    assert len(llm.asked) == 4  # other labels ask nothing anew


def test_written_answers_are_read_and_what_cannot_be_read_keeps_the_row(task: Task, store: ReplyStore) -> None:
    replies = {
        "glad/0": wrote("答えは「喜び」です。"),
        "glad/1": wrote("怒り"),
        "angry/0": wrote("なんとも言えません。"),
    }
    found = judged(task, Judge(replies, free=wrote("喜び")), store)
    assert [v.label for v in found] == ["glad", "angry", None]
    assert [v.given for v in found] == [None, None, None]
    assert found[2].why == "cannot be read: なんとも言えません。"
    assert doubts(ROWS, found, task) == {1: ("judge", "'angry'")}


def test_refusals_and_failures_keep_the_row_and_failures_are_asked_again(task: Task, store: ReplyStore) -> None:
    replies = {"glad/0": Reply("", failed="server error"), "glad/1": Reply("", finish="content_filter")}
    llm = Judge(replies | {"angry/0": wrote("怒り")}, free=wrote(""))
    found = judged(task, llm, store)
    assert [(v.label, v.why) for v in found] == [(None, "server error"), (None, "refused"), ("angry", "")]
    assert doubts(ROWS, found, task) == {}
    again = Judge({"glad/0": wrote("怒り")}, free=wrote(""))
    assert [v.label for v in judged(task, again, store)] == ["angry", None, "angry"]
    assert [r.id.partition("/row/")[2].partition("/")[2] for r in again.asked] == ["glad/0"]


def test_rows_that_join_ask_only_for_themselves_and_a_changed_text_is_asked_anew(task: Task, store: ReplyStore) -> None:
    first, later = (Judge({r.id: (-1.0, -2.0) for r in ROWS}, free=(-1.0, -1.0)) for _ in range(2))
    judged(task, first, store, ROWS[:2])
    judged(task, later, store)
    assert [r.id.rpartition("/row/")[2].partition("/")[2] for r in later.asked] == ["angry/0"]
    judged(task, later, store, [replace(ROWS[0], text="毎晩これを飲みます。"), *ROWS[1:]])
    assert len(later.asked) == 2


def test_another_judge_or_question_is_another_plan(task: Task) -> None:
    questions = judge_questions(task, SECTION, style="chat", seed=7)
    plan = JudgePlan(ROWS, questions, "judge")
    assert plan.digest == JudgePlan(ROWS[:1], questions, "judge").digest
    others = [
        judge_questions(task, SECTION, style="document", seed=7),
        judge_questions(task, SECTION, style="chat", seed=8),
    ]
    assert plan.digest not in [JudgePlan(ROWS, other, "judge").digest for other in others]
    assert plan.digest != JudgePlan(ROWS, questions, "other").digest
    assert all(plan.request(row).id == row for row in plan.ids())


def test_a_task_without_words_to_ask_with(task: Task, store: ReplyStore) -> None:
    silent = task.model_copy(update={"prompting": None})
    with pytest.raises(ConfigError, match="no 'prompting' section"):
        judged(silent, Judge({}, free=(0.0, 0.0)), store)


def test_all_failing_is_an_error_and_so_is_the_first_question(task: Task, store: ReplyStore) -> None:
    fails = Reply("", failed="server error")
    with pytest.raises(ModelError, match="all 3 questions of the judge failed: server error"):
        judged(task, Judge({r.id: fails for r in ROWS}, free=(0.0, 0.0)), store)
    with ReplyStore(store.path.with_name("other")) as other, pytest.raises(ModelError, match="first question failed"):
        judged(task, Judge({r.id: (0.0, 0.0) for r in ROWS}, free=fails), other)


def test_its_own_budget_stops_it_and_it_goes_on(task: Task, tmp_path: Path) -> None:
    llm = Judge({r.id: (-1.0, -2.0) for r in ROWS}, free=(-1.0, -1.0))
    place = tmp_path / "judge.sqlite"
    budget = Budget(BudgetSection(requests=2), None)
    with ReplyStore(place, budget=budget) as store, pytest.raises(BudgetSpent, match="2 of 4 questions") as stopped:
        judged(task, llm, store)
    assert "raise curate.judge.budget.requests" in stopped.value.remedy
    with ReplyStore(place) as store:
        assert [v.label for v in judged(task, llm, store)] == ["glad"] * 3
    assert len(llm.asked) == 4


def test_no_rows_ask_nothing(task: Task, store: ReplyStore) -> None:
    assert judged(task, Judge({}, free=(0.0, 0.0)), store, []) == []


def test_progress_counts_what_stood_there(task: Task, store: ReplyStore) -> None:
    llm = Judge({r.id: (-1.0, -2.0) for r in ROWS}, free=(-1.0, -1.0))
    judged(task, llm, store, ROWS[:1])
    heard = []
    judged(task, llm, store, on_progress=heard.append)
    assert (heard[0].done, heard[0].resumed, heard[-1].done, heard[-1].total) == (2, 2, 4, 4)


def test_neighbouring_numbers_agree_in_similarity() -> None:
    sts = Task.load("jsts")
    assert agrees(sts, "2", "3")
    assert agrees(sts, "3", "2")
    assert agrees(sts, "4", "4")
    assert not agrees(sts, "1", "3")
    nli = Task.load("jnli")
    assert not agrees(nli, *nli.label_names[:2])


def test_kill_9_loses_no_answer(task: Task, tmp_path: Path, workplace: Path) -> None:
    program = """
import sys
from pathlib import Path
from japagen.curate.judge import judge
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.records import Example
from japagen.sections import LLMSection
from japagen.task import Task
rows = [Example(f"glad/{i}", f"{i}番の茶を飲んだ。", "glad") for i in range(300)]
with ReplyStore(Path(sys.argv[2])) as store:
    judge(rows, Task.load(sys.argv[1]), ScriptedLLM(delay=0.002), store, section=LLMSection(name="scripted"), seed=7,
          on_progress=lambda p: print(p.done, flush=True))
"""
    place = tmp_path / "judge.sqlite"
    rows = [Example(f"glad/{i}", f"{i}番の茶を飲んだ。", "glad") for i in range(300)]
    command = [sys.executable, "-c", program, str(workplace / "mood.yaml"), str(place)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(40)][-1]
        process.kill()
    llm, whole = ScriptedLLM(), ScriptedLLM()
    with ReplyStore(place) as store, ReplyStore(tmp_path / "whole") as fresh:
        there = len(store)
        assert acknowledged <= there < 301
        found = judged(task, llm, store, rows)
        assert llm.calls == 301 - there
        assert found == judged(task, whole, fresh, rows)
