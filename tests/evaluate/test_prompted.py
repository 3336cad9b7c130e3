"""The language model asked for the label: questions about pairs, likelihoods, written answers, and answers that are none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from japagen.errors import BudgetSpent, ModelError
from japagen.evaluate.prompted import PromptedClassifier, Uncalibrated
from japagen.llm import LLM
from japagen.llm.budget import Budget, Usage
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.progress import Progress
from japagen.questions import Questions, draw_question_shots
from japagen.records import Example, Message, Reply, Request, Sampling
from japagen.sections import BudgetSection
from japagen.task import Task

ROWS = [Example(f"r{i}", f"一{i}", "", f"二{i}") for i in range(3)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        yield store


class Likely(ScriptedLLM):
    """Likelihoods by the last letter of a row's id; `free` are those of the text without content."""

    def __init__(self, rows: dict[str, tuple[float, ...]], free: tuple[float, ...] = (0.0, 0.0)) -> None:
        super().__init__()
        self.asked: list[Request] = []
        self._rows, self._free = rows, free

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request)
        found = self._free if request.id.endswith("content-free") else self._rows[request.id[-1]]
        return Reply(request.id, logprobs=found, prompt_tokens=10, completion_tokens=2)


def questions(task: Task, *, few: bool = False) -> Questions:
    assert task.prompting is not None
    shots = draw_question_shots(task, 1, seed=0, number=0) if few else ()
    labels = tuple(spec.verbalisation for spec in task.labels.values())
    return Questions("way", task.prompting, "chat", labels, task.is_pair, shots, Sampling(0.0), Sampling(), seed=0)


def asked(task: Task, llm: LLM, store: ReplyStore, *, calibrate: bool = False, few: bool = False, **more):
    return PromptedClassifier(task, questions(task, few=few), llm, store, calibrate=calibrate, **more)


def test_a_pair_is_asked_with_both_texts_and_shots_of_pairs(nli: Task, store: ReplyStore) -> None:
    llm = Likely({"0": (0.0, -1.0)})
    asked(nli, llm, store, few=True).predict(ROWS[:1])
    [request] = llm.asked
    assert (request.id, request.choices) == ("way/row/r0", ("含意", "中立"))
    first, *shots, last = request.messages
    assert (first, last) == (Message("system", "一語で。"), Message("user", "一：一0 二：二0 関係："))
    shown = {(q.content, a.content) for q, a in zip(shots[::2], shots[1::2], strict=True)}
    assert shown == {
        ("一：例entailmentの一 二：例entailmentの二 関係：", "含意"),
        ("一：例neutralの一 二：例neutralの二 関係：", "中立"),
    }


def test_likelihoods_become_scores(nli: Task, store: ReplyStore) -> None:
    llm = Likely({"0": (-1.0, -2.0), "1": (-3.0, -1.0), "2": (float("-inf"), -5.0)})
    found = asked(nli, llm, store).predict(ROWS)
    assert [p.label for p in found] == ["entailment", "neutral", "neutral"]
    assert found[0].scores["entailment"] == pytest.approx(1 / (1 + 2.718281828**-1))
    assert found[2].scores == {"entailment": 0.0, "neutral": 1.0}


def test_calibration_divides_by_the_content_free_text(nli: Task, store: ReplyStore) -> None:
    llm = Likely({"0": (-1.0, -2.0)}, free=(-1.0, -4.0))
    [found] = asked(nli, llm, store, calibrate=True).predict(ROWS[:1])
    assert llm.asked[0].messages[-1].content == "一：無 二：無 関係："
    assert found.label == "neutral"  # -1 + 1 = 0 against -2 + 4 = 2
    assert found.scores["neutral"] == pytest.approx(1 / (1 + 2.718281828**-2))


def test_written_answers_are_read_and_the_rest_is_no_answer(nli: Task, store: ReplyStore, server) -> None:
    said = {"r0": "答えは「含意」です。", "r1": "どちらとも言えません。", "r2": "中立"}
    heard: list[Progress] = []
    llm = server(lambda r: said[r.id[-2:]])
    found = asked(nli, llm, store, on_progress=heard.append).predict(ROWS)
    assert [p.label for p in found] == ["entailment", NO_ANSWER, "neutral"]
    assert [p.scores for p in found] == [{"entailment": 1.0, "neutral": 0.0}, {}, {"entailment": 0.0, "neutral": 1.0}]
    assert (heard[-1].done, heard[-1].total, heard[-1].failed) == (3, 3, 0)


def test_a_refusal_and_a_failure_are_no_answer(nli: Task, store: ReplyStore, server) -> None:
    llm = server(lambda r: "含意", failing="r0", refusing="r1")
    found = asked(nli, llm, store).predict(ROWS)
    assert [p.label for p in found] == [NO_ANSWER, NO_ANSWER, "entailment"]


def test_only_when_all_fail_there_is_no_system(nli: Task, store: ReplyStore, server) -> None:
    with pytest.raises(ModelError, match="all 3 questions of 'way' failed: server error"):
        asked(nli, server(lambda r: "含意", failing="row"), store).predict(ROWS)


def test_without_likelihoods_nothing_is_calibrated(nli: Task, store: ReplyStore, server) -> None:
    with pytest.raises(Uncalibrated, match="server error"):
        asked(nli, server(lambda r: "", failing="content-free"), store, calibrate=True).predict(ROWS)
    llm = server(lambda r: "含意")
    with pytest.raises(Uncalibrated, match="server gives no likelihoods of the labels"):
        asked(nli, llm, store, calibrate=True).predict(ROWS)
    assert len(llm.asked) == 1  # no row is asked in vain
    infinite = Likely({}, free=(float("-inf"), 0.0))
    infinite.name = "infinite"
    with pytest.raises(Uncalibrated, match="infinite gives no likelihoods"):
        asked(nli, infinite, store, calibrate=True).predict(ROWS)


def test_calibrating_asks_the_rows_only_once(nli: Task, store: ReplyStore) -> None:
    llm = Likely(dict.fromkeys("012", (-1.0, -2.0)))
    asked(nli, llm, store).predict(ROWS)
    asked(nli, llm, store, calibrate=True).predict(ROWS)
    assert len(llm.asked) == len(ROWS) + 1


def test_a_budget_that_ends_is_said(nli: Task, tmp_path: Path, server) -> None:
    llm = server(lambda r: "含意")
    budget = Budget(BudgetSection(requests=2), None)
    with ReplyStore(tmp_path / "replies.sqlite", budget=budget) as store:
        with pytest.raises(BudgetSpent, match="budget.requests"):
            asked(nli, llm, store).predict(ROWS)
        with pytest.raises(BudgetSpent, match="budget.requests"):
            asked(nli, llm, store, calibrate=True).predict(ROWS)


def test_the_cost_is_that_of_all_answers_new_or_stored(nli: Task, store: ReplyStore) -> None:
    llm = Likely(dict.fromkeys("012", (-1.0, -2.0)))
    plain, calibrated, again = (asked(nli, llm, store, calibrate=how) for how in (False, True, True))
    for classifier in (plain, calibrated, again):
        classifier.predict(ROWS)
    assert len(llm.asked) == 4
    assert (plain.usage, calibrated.usage, again.usage) == (Usage(3, 30, 6), Usage(4, 40, 8), Usage(4, 40, 8))


def test_failed_calls_cost_too(nli: Task, store: ReplyStore, server) -> None:
    classifier = asked(nli, server(lambda r: "含意", failing="r0"), store)
    classifier.predict(ROWS)
    assert classifier.usage.requests == 3


@pytest.mark.parametrize(
    ("said", "label"),
    [
        ('{"label": "含意"}', "entailment"),
        ('{"label":"中立"}\n', "neutral"),
        ('{"label": "どちらでもない"}', NO_ANSWER),
        ('{"label": "含意", "reason": "中立ではない"}', NO_ANSWER),
        ('{"label": 1}', NO_ANSWER),
        ('{"答え": "含意"}', "entailment"),
    ],
)
def test_a_constrained_answer_is_read(nli: Task, store: ReplyStore, server, said: str, label: str) -> None:
    assert asked(nli, server(lambda r: said), store).predict(ROWS[:1])[0].label == label
