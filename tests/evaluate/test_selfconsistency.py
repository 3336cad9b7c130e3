"""Self-consistency: the vote by hand and its properties, and the classifier that counts written answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import BudgetSpent, ModelError
from japagen.evaluate.selfconsistency import SelfConsistentClassifier, vote
from japagen.experiment import Experiment
from japagen.llm.budget import Budget, Usage
from japagen.llm.scripted import ScriptedLLM
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.questions import Questions, questions_of
from japagen.records import Example, Reply, Request
from japagen.sections import BudgetSection
from japagen.task import Task

ROWS = [Example(f"r{i}", f"一{i}", "", f"二{i}") for i in range(3)]
ANSWERS = st.lists(st.none() | st.integers(0, 3), max_size=12)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReplyStore]:
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        yield store


@pytest.fixture
def zero(nli: Task, settings: Callable[..., Experiment]) -> Questions:
    assert nli.prompting is not None
    return questions_of(settings(nli), nli, nli.prompting, style="chat")["zero-shot"][0]


class Voters(ScriptedLLM):
    """Answers by the number of the answer, from 0: a text for each, for every row alike."""

    def __init__(self, *said: str, failing: int | None = None) -> None:
        super().__init__()
        self.asked: list[Request] = []
        self._said, self._failing = said, failing

    def _answer(self, request: Request) -> Reply:
        self.asked.append(request)
        number = int(request.id.split("/")[1].removeprefix("answer-"))
        if number == self._failing:
            return Reply(request.id, failed="server error")
        return Reply(request.id, text=self._said[number], prompt_tokens=10, completion_tokens=2)


# ---- the vote --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "winner", "shares"),
    [
        ([1, 1, 0], 1, (1 / 3, 2 / 3, 0)),
        ([0, 1], 0, (0.5, 0.5, 0)),  # a tie: named first
        ([1, 0], 1, (0.5, 0.5, 0)),  # and so not always the first label
        ([2, 1, 1, 2, 0], 2, (0.2, 0.4, 0.4)),
        ([0, 2, 1, 1, 2], 2, (0.2, 0.4, 0.4)),
        ([None, 1, None], 1, (0, 1, 0)),
        ([None, 2, 0, None], 2, (0.5, 0, 0.5)),
        ([None, None], None, ()),
        ([], None, ()),
    ],
)
def test_votes_by_hand(answers: list[int | None], winner: int | None, shares: tuple[float, ...]) -> None:
    assert vote(answers, 3) == (winner, shares)


@given(ANSWERS, st.permutations(range(4)))
def test_a_vote_favours_no_label(answers: list[int | None], renamed: list[int]) -> None:
    """Labels in another order: the same label wins, with the same shares."""
    winner, shares = vote(answers, 4)
    other, moved = vote([None if answer is None else renamed[answer] for answer in answers], 4)
    assert other == (None if winner is None else renamed[winner])
    assert shares == tuple(moved[renamed[label]] for label in range(len(shares)))


@given(ANSWERS)
def test_a_vote_is_a_majority_of_what_could_be_read(answers: list[int | None]) -> None:
    winner, shares = vote(answers, 4)
    read = [answer for answer in answers if answer is not None]
    assert vote(read, 4) == (winner, shares)
    if winner is None:
        assert (read, shares) == ([], ())
        return
    assert sum(shares) == pytest.approx(1)
    assert shares[winner] == max(shares) == read.count(winner) / len(read)
    assert all(read.index(winner) <= read.index(label) for label in read if shares[label] == shares[winner])


@given(ANSWERS, st.integers(0, 3))
def test_one_more_vote_for_the_winner_changes_nothing(answers: list[int | None], last: int) -> None:
    winner, _ = vote(answers, 4)
    assert vote([*answers, last if winner is None else winner], 4)[0] == (last if winner is None else winner)


# ---- the classifier --------------------------------------------------------------------------------------------------


def voting(task: Task, questions: Questions, llm: ScriptedLLM, store: ReplyStore, n: int = 3):
    return SelfConsistentClassifier(task, questions, llm, store, answers=n)


def test_each_answer_is_a_request_of_its_own(nli: Task, zero: Questions, store: ReplyStore) -> None:
    llm = Voters("含意", "中立", "中立")
    found = voting(nli, zero, llm, store).predict(ROWS[:2])
    assert [p.label for p in found] == ["neutral", "neutral"]
    assert found[0].scores == pytest.approx({"entailment": 1 / 3, "neutral": 2 / 3})
    assert [request.id for request in llm.asked] == [
        f"zero-shot/answer-{number}/r{row}" for row in range(2) for number in range(3)
    ]
    assert len({request.seed for request in llm.asked}) == 6
    assert {(r.choices, r.sampling.temperature, r.sampling.top_p) for r in llm.asked} == {((), 1.0, 0.95)}
    assert llm.asked[0].messages == llm.asked[1].messages == zero.choice("r0", ("一0", "二0")).messages


def test_more_answers_are_only_added(nli: Task, zero: Questions, store: ReplyStore) -> None:
    llm = Voters(*["含意"] * 5)
    few, many = voting(nli, zero, llm, store, 2), voting(nli, zero, llm, store, 5)
    few.predict(ROWS)
    many.predict(ROWS)
    assert len(llm.asked) == 5 * 3
    assert (few.usage, many.usage) == (Usage(6, 60, 12), Usage(15, 150, 30))  # what was stored counts as well


def test_what_cannot_be_read_has_no_vote_and_is_counted(nli: Task, zero: Questions, store: ReplyStore) -> None:
    llm = Voters("どちらとも言えない", "含意でも中立でもない", "答えは中立です", "含意", failing=3)
    classifier = voting(nli, zero, llm, store, 4)
    assert [p.label for p in classifier.predict(ROWS)] == ["neutral"] * 3
    assert classifier.unread == 9
    silent = voting(nli, replace(zero, name="other"), Voters("え", "ええ", "うーん"), store)
    [found, *_] = silent.predict(ROWS)
    assert (found.label, found.scores, silent.unread) == (NO_ANSWER, {}, 9)


def test_a_refusal_has_no_vote(nli: Task, zero: Questions, store: ReplyStore, server) -> None:
    llm = server(lambda r: "含意" if "answer-0" in r.id else "中立", refusing="answer-0")
    assert voting(nli, zero, llm, store, 2).predict(ROWS)[0].scores == {"entailment": 0.0, "neutral": 1.0}


def test_a_model_of_documents_ends_its_answer_with_the_line(nli: Task, settings: Callable[..., Experiment]) -> None:
    assert nli.prompting is not None
    stops = []
    for style in ("chat", "document"):
        [questions] = questions_of(settings(nli), nli, nli.prompting, style=style)["zero-shot"]
        stops.append((questions.written("r", ("一", "二"), 0).sampling.stop, questions.likeliest.stop))
    assert stops == [((), ()), (("\n",), ())]


def test_only_when_all_fail_there_is_no_system(nli: Task, zero: Questions, store: ReplyStore, server) -> None:
    with pytest.raises(ModelError, match="all 9 questions of 'zero-shot self-consistency' failed: server error"):
        voting(nli, zero, server(lambda r: "含意", failing="answer"), store).predict(ROWS)


def test_it_goes_on_where_the_budget_ended(nli: Task, zero: Questions, tmp_path: Path) -> None:
    llm = Voters("含意", "中立", "中立")
    with (
        ReplyStore(tmp_path / "replies.sqlite", budget=Budget(BudgetSection(requests=4), None)) as store,
        pytest.raises(BudgetSpent, match="5 of 9 rows are missing"),
    ):
        voting(nli, zero, llm, store).predict(ROWS)
    with ReplyStore(tmp_path / "replies.sqlite") as store:
        assert [p.label for p in voting(nli, zero, llm, store).predict(ROWS)] == ["neutral"] * 3
    assert len(llm.asked) == 9
