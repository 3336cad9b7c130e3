"""The language model asked for the label directly (the paper's PROMPTING baseline), as a classifier like any other.

Where the backend can, the answer is not read out of free text: the likelihood of each label's verbalisation is measured.
With calibration the likelihoods are divided by those after a text without content (contextual calibration, Zhao et al.
2021). A server without likelihoods writes its answer, constrained to the labels where it can, which is read (`questions`);
what cannot be read has no label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.evaluate.asking import Asker
from japagen.llm import LLM
from japagen.llm.budget import Usage
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, silent
from japagen.questions import Questions
from japagen.questions.reading import log_likelihoods, read_reply
from japagen.records import Example, Prediction
from japagen.task import Task


class Uncalibrated(ValueError):
    """There is nothing to calibrate with: no likelihoods came back for the text without content."""


class PromptedClassifier:
    """A language model that is asked for the label (Classifier).

    Args:
        task: its labels.
        questions: what is asked.
        llm, store: who answers, and where answers are kept.
        calibrate: divide by the likelihoods after a content-free text.
        on_progress: told after each answer.
    """

    def __init__(
        self,
        task: Task,
        questions: Questions,
        llm: LLM,
        store: ReplyStore,
        *,
        calibrate: bool,
        on_progress: Listener = silent,
    ) -> None:
        self._task, self._questions, self._calibrate = task, questions, calibrate
        self._asker = Asker(llm, store, name=questions.name, on_progress=on_progress)
        self._llm = llm.name

    @property
    def usage(self) -> Usage:
        """What the answers used: calls and tokens, as if none had been in the store."""
        return self._asker.usage

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """See `Classifier.predict`. A row whose answer failed, was refused or cannot be read has the label `NO_ANSWER`.

        Raises:
            Uncalibrated: calibration is asked for, and the model gives no likelihoods.
            ModelError: not one of the calls succeeded.
            BudgetSpent: the budget ended before all questions were asked.
        """
        base = self._content_free() if self._calibrate else np.zeros(len(self._task.label_names))
        asked = [self._questions.choice(example.id, (example.text, example.text_pair)) for example in examples]
        replies = self._asker.rows(asked)
        labels, verbalisations = self._task.label_names, self._questions.verbalisations
        return [
            read_reply(example.id, reply, labels, verbalisations, base)
            for example, reply in zip(examples, replies, strict=True)
        ]

    def _content_free(self) -> NDArray[np.float64]:
        """Log-likelihoods of the labels after a text without content, shape (labels,)."""
        reply = self._asker.one(self._questions.content_free())
        found = log_likelihoods(reply, len(self._task.label_names))
        if found is None or not np.isfinite(found).all():
            raise Uncalibrated(reply.failed or f"{self._llm} gives no likelihoods of the labels")
        return found
