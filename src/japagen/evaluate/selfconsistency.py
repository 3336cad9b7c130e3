"""Self-consistency: the language model answers the same question several times, and the majority counts.

Wang et al. 2022, "Self-Consistency Improves Chain of Thought Reasoning in Language Models". Answers are written freely at
the experiment's temperature, so that the words of the question may ask for reasons before the label; each is read like any
other (`answers`), and one that cannot be read has no vote.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from japagen.evaluate.asking import Asker
from japagen.llm import LLM
from japagen.llm.budget import Usage
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.progress import Listener, silent
from japagen.questions import Questions
from japagen.questions.answers import read_answer
from japagen.records import Example, Prediction, Reply
from japagen.task import Task


def vote(answers: Sequence[int | None], labels: int) -> tuple[int | None, tuple[float, ...]]:
    """The label that most answers name, and each label's share of the votes.

    Of labels with equally many votes that one wins which was named first. Answers are drawn alike, so that their order
    favours no label, and neither does the order of the labels.

    Args:
        answers: positions of the labels named, in the order in which they were asked for; None could not be read.
        labels: how many there are.

    Returns:
        the position, and shares that sum to 1; None and no shares where no answer could be read.

    >>> vote([2, 0, None, 0, 2], 3)
    (2, (0.5, 0.0, 0.5))
    """
    votes = Counter(answer for answer in answers if answer is not None)
    if not votes:
        return None, ()
    winner = max(votes, key=votes.__getitem__)  # a Counter keeps the order of first votes, and max takes the first
    return winner, tuple(votes[label] / votes.total() for label in range(labels))


class SelfConsistentClassifier:
    """A language model whose answers are put to the vote (Classifier).

    Args:
        task: its labels.
        questions: what is asked.
        answers: to each question, at least two.
        llm, store: who answers, and where answers are kept; each answer has an id and a seed of its own.
        on_progress: told after each answer.

    Attributes:
        unread: answers that had no vote: failed, refused, or not to be read.
    """

    def __init__(
        self,
        task: Task,
        questions: Questions,
        llm: LLM,
        store: ReplyStore,
        *,
        answers: int,
        on_progress: Listener = silent,
    ) -> None:
        self.unread = 0
        self._task, self._questions, self._answers = task, questions, answers
        self._asker = Asker(llm, store, name=f"{questions.name} self-consistency", on_progress=on_progress)

    @property
    def usage(self) -> Usage:
        """What the answers used: calls and tokens, as if none had been in the store."""
        return self._asker.usage

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """See `Classifier.predict`. A row none of whose answers can be read has the label `NO_ANSWER`.

        Raises:
            ModelError: not one of the calls succeeded.
            BudgetSpent: the budget ended before all questions were asked.
        """
        asked = [
            self._questions.written(example.id, (example.text, example.text_pair), number)
            for example in examples
            for number in range(self._answers)
        ]
        replies = self._asker.rows(asked)
        return [
            self._prediction(example.id, replies[i * self._answers : (i + 1) * self._answers])
            for i, example in enumerate(examples)
        ]

    def _prediction(self, identifier: str, replies: Sequence[Reply]) -> Prediction:
        labels = self._task.label_names
        answers = [self._read(reply) for reply in replies]
        self.unread += answers.count(None)
        winner, shares = vote(answers, len(labels))
        if winner is None:
            return Prediction(identifier, NO_ANSWER, {})
        return Prediction(identifier, labels[winner], dict(zip(labels, shares, strict=True)))

    def _read(self, reply: Reply) -> int | None:
        if reply.failed is not None or reply.finish == "content_filter":
            return None
        return read_answer(reply.text, self._questions.verbalisations)
