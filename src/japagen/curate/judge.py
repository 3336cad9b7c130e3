"""A language model's verdict on the label of each row: the task's own labelling question, put to the same model or another.

The question is that of few-shot prompting, with examples of the task. Where the model gives likelihoods of the labels, they
are divided by those after a text without content (Zhao et al. 2021); else the answer is read. A request is a function of the
question and of a row's id and texts, so that rows that join later, or go, change no other request. Whether a doubt may cost
a row its place is decided elsewhere (`independence`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from japagen.errors import BudgetSpent, ConfigError, ModelError
from japagen.llm import LLM, Style
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.progress import Listener, Progress, silent
from japagen.questions import Questions, draw_question_shots, likeliest_answer, verbalisations_of
from japagen.questions.reading import log_likelihoods, read_reply
from japagen.records import Example, Reply, Request, digest
from japagen.sections import LLMSection
from japagen.task import Task

SHOTS = 4
"""Examples per label in the question."""
NAME = "judge"
_NOTHING = f"{NAME}/content-free"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge says of one row.

    Attributes:
        label: the label that it gives; None where there is no answer, or none that can be read: such a row stays.
        given: the probability of the row's own label; None where the judge gives no likelihoods.
        why: why there is no label.
    """

    label: str | None
    given: float | None = None
    why: str = ""


class JudgePlan:
    """The questions about some rows (`llm.store.Plan`).

    Args:
        examples: the rows.
        questions: the words.
        llm: name of the judge.
    """

    def __init__(self, examples: Sequence[Example], questions: Questions, llm: str) -> None:
        self._questions = questions
        self._rows = {self.name(example): example for example in examples}
        q, s = questions, questions.likeliest
        self.digest = digest(
            [
                NAME, version("japagen"), llm, q.prompting.model_dump(), q.style, q.verbalisations, q.pair, q.shots,
                [s.temperature, s.top_p, s.max_tokens, s.stop],
            ]
        )  # fmt: skip

    @staticmethod
    def name(example: Example) -> str:
        """Id of the request about a row; it changes with the row's texts."""
        return f"{NAME}/row/{digest([example.text, example.text_pair])[:16]}/{example.id}"

    def ids(self) -> Iterator[str]:
        """See `llm.store.Plan`. The text without content comes first."""
        yield _NOTHING
        yield from self._rows

    def request(self, row: str) -> Request:
        """See `llm.store.Plan`."""
        if row == _NOTHING:
            return self._questions.content_free()
        example = self._rows[row]
        return self._questions.choice(row.removeprefix(f"{NAME}/row/"), (example.text, example.text_pair))


def judge_questions(task: Task, llm: LLMSection, *, style: Style, seed: int) -> Questions:
    """The question that the judge is asked.

    Raises:
        ConfigError: the task has no words to ask with.
    """
    if task.prompting is None:
        raise ConfigError(
            "curate.judge asks a language model for labels, but the task has no 'prompting' section",
            where=f"task '{task.name}'",
            remedy="add it (see: japagen new NAME), or set curate.judge: null",
        )
    shots = draw_question_shots(task, SHOTS, seed=seed, number=0)
    answer = likeliest_answer(llm)
    labels = verbalisations_of(task)
    return Questions(NAME, task.prompting, style, labels, task.is_pair, shots, answer, answer, seed)


def judge(
    examples: Sequence[Example],
    task: Task,
    llm: LLM,
    store: ReplyStore,
    *,
    section: LLMSection,
    seed: int,
    on_progress: Listener = silent,
) -> list[Verdict]:
    """One verdict for each row, in order. What the store holds is not asked again; calls that failed are.

    Args:
        examples: the rows; their labels are not shown.
        task: its words and labels.
        llm: the judge.
        store: where its replies are kept, with a budget of its own.
        section: how the judge draws its words.
        seed: of the experiment; it draws the examples in the question.
        on_progress: told after each list of replies.

    Raises:
        ConfigError: the task has no words to ask with.
        ModelError: not one of the calls succeeded, or that about the text without content failed.
        BudgetSpent: the budget ended before all rows were asked.
        RunError: replies cannot be stored.
    """
    if not examples:
        return []
    questions = judge_questions(task, section, style=llm.style, seed=seed)
    plan = JudgePlan(examples, questions, llm.name)
    reasons = _ask(store, llm, plan, on_progress)
    _stop_where_spent(store, plan)
    base = _without_content(store.reply(plan, _NOTHING), reasons, llm.name, len(task.label_names))
    asked = [plan.name(example) for example in examples]
    replies = [store.reply(plan, row) or Reply(row, failed=reasons.get(row, "no reply")) for row in asked]
    if all(reply.failed is not None for reply in replies):
        raise _failed(f"all {len(replies)} questions of the judge failed: {replies[0].failed}", llm.name)
    return [
        _verdict(example, reply, task, questions, base) for example, reply in zip(examples, replies, strict=True)
    ]  # fmt: skip


def agrees(task: Task, given: str, said: str) -> bool:
    """Whether two labels of a row say the same; in similarity tasks also those of neighbouring numbers."""
    if given == said or task.kind != "similarity":
        return given == said
    ordered = sorted(task.label_names, key=lambda label: task.value(label) or 0.0)
    return (given, said) in {*pairwise(ordered), *pairwise(ordered[::-1])}


def doubts(examples: Sequence[Example], verdicts: Sequence[Verdict], task: Task) -> dict[int, tuple[str, str]]:
    """Reason and detail, by position, of the rows to which the judge gives another label (see `agrees`)."""
    found: dict[int, tuple[str, str]] = {}
    for i, (example, verdict) in enumerate(zip(examples, verdicts, strict=True)):
        if verdict.label is not None and not agrees(task, example.label, verdict.label):
            sure = "" if verdict.given is None else f" (p of '{example.label}' {verdict.given:.2f})"
            found[i] = NAME, f"'{verdict.label}'{sure}"
    return found


def _ask(store: ReplyStore, llm: LLM, plan: JudgePlan, on_progress: Listener) -> dict[str, str]:
    """Fill the store; the reasons of the requests that failed."""
    rows = list(plan.ids())
    done = resumed = len(store.answered(plan).intersection(rows))
    reasons: dict[str, str] = {}

    def tell() -> None:
        on_progress(Progress("curate", NAME, done, len(rows), failed=len(reasons), resumed=resumed))

    def found(_: Request) -> None:
        nonlocal done, resumed
        done, resumed = done + 1, resumed + 1

    tell()
    for batch in store.fill(llm, plan, on_found=found):
        done += len(batch)
        reasons |= {request.id: reply.failed for request, reply in batch if reply.failed is not None}
        tell()
    return reasons


def _stop_where_spent(store: ReplyStore, plan: JudgePlan) -> None:
    reason = store.budget.stop() if store.budget is not None else None
    rows = list(plan.ids())
    missing = len(rows) - len(store.answered(plan).intersection(rows))
    if reason is not None and missing:
        raise BudgetSpent(
            f"{reason}; {missing:,} of {len(rows):,} questions of the judge have no answer",
            where="curate.judge",
            remedy=f"raise curate.judge.{reason.partition(' ')[0]} and give the same command again: it goes on, "
            "nothing is paid twice; or set curate.judge: null",
        )


def _without_content(
    reply: Reply | None, reasons: dict[str, str], llm: str, labels: int
) -> NDArray[np.float64] | None:  # fmt: skip
    """Log-likelihoods of the labels after the text without content; None of a model that gives none."""
    if reply is None:
        raise _failed(f"the judge's first question failed: {reasons.get(_NOTHING, 'no reply')}", llm)
    found = log_likelihoods(reply, labels)
    return found if found is not None and np.isfinite(found).all() else None


def _failed(what: str, llm: str) -> ModelError:
    remedy = "give the same command again, or set curate.judge: null to leave the judge out"
    return ModelError(what, where=f"llm '{llm}'", remedy=remedy)


def _verdict(
    example: Example, reply: Reply, task: Task, questions: Questions, base: NDArray[np.float64] | None
) -> Verdict:  # fmt: skip
    said = read_reply(example.id, reply, task.label_names, questions.verbalisations, base)
    if said.label == NO_ANSWER:
        refused = "refused" if reply.finish == "content_filter" else f"cannot be read: {reply.text[:40]}"
        return Verdict(None, why=reply.failed or refused)
    return Verdict(said.label, said.scores.get(example.label) if reply.logprobs else None)
