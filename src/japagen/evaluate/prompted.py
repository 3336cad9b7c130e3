"""The language model asked for the label directly (the paper's PROMPTING baseline), as a classifier like any other.

Where the backend can, the answer is not read out of free text: the likelihood of each label's verbalisation is measured.
With calibration the likelihoods are divided by those after a text without content (contextual calibration, Zhao et al.
2021). A server without likelihoods writes its answer, which is read (`answers`); what cannot be read has no label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.evaluate.answers import read_answer
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.metrics import NO_ANSWER
from japagen.progress import Listener, Progress, silent
from japagen.prompts import labelling_prompt
from japagen.records import Example, Prediction, Reply, Request, Sampling
from japagen.streams import stream
from japagen.task import Prompting, Task

Texts = tuple[str, str | None]
Shot = tuple[Texts, str]
"""A text or pair with its verbalised label."""

GREEDY = Sampling(temperature=0.0, top_p=1.0, max_tokens=80)


class Uncalibrated(ValueError):
    """There is nothing to calibrate with: no likelihoods came back for the text without content."""


def draw_question_shots(task: Task, per_label: int, *, seed: int, number: int) -> list[Shot]:
    """Texts with their verbalised labels for a few-shot question: `per_label` of each label, shuffled."""
    random = stream(seed, "question shots", number)
    shots = [
        ((shot.text, shot.text_pair), spec.verbalisation)
        for spec in task.labels.values()
        for shot in random.sample(spec.shots, min(per_label, len(spec.shots)))
    ]
    random.shuffle(shots)
    return shots


class PromptedClassifier:
    """A language model that is asked for the label (Classifier).

    Args:
        task, prompting: the labels' verbalisations and the words of the question.
        llm, store: who answers, and where answers are kept.
        shots: texts or pairs with verbalised labels shown before; none is zero-shot.
        calibrate: divide by the likelihoods after a content-free text.
        name: the system's name, part of the requests' ids.
        sampling: how an answer is drawn where it is written.
        on_progress: told after each answer.
    """

    def __init__(
        self,
        task: Task,
        prompting: Prompting,
        llm: LLM,
        store: ReplyStore,
        *,
        shots: Sequence[Shot],
        calibrate: bool,
        name: str,
        sampling: Sampling = GREEDY,
        on_progress: Listener = silent,
    ) -> None:
        self._task, self._prompting, self._llm, self._store = task, prompting, llm, store
        self._shots, self._calibrate, self._name, self._tell = shots, calibrate, name, on_progress
        self._sampling = sampling
        self._verbalisations = tuple(spec.verbalisation for spec in task.labels.values())

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """See `Classifier.predict`. A row whose answer failed, was refused or cannot be read has the label `NO_ANSWER`.

        Raises:
            Uncalibrated: calibration is asked for, and the model gives no likelihoods.
            ModelError: not one of the calls succeeded.
            BudgetSpent: the budget ended before all questions were asked.
        """
        base = self._content_free() if self._calibrate else np.zeros(len(self._verbalisations))
        requests = [self._request(f"row/{example.id}", (example.text, example.text_pair)) for example in examples]
        replies: dict[str, Reply] = {}
        failed = 0
        for request, reply, _ in self._store.complete(self._llm, requests):
            replies[request.id] = reply
            failed += reply.failed is not None
            self._tell(Progress("evaluate", self._name, len(replies), len(examples), failed=failed))
        self._check_budget(len(requests) - len(replies), len(requests))
        answers = [replies[request.id] for request in requests]
        if answers and failed == len(answers):
            raise ModelError(
                f"all {len(answers)} questions of '{self._name}' failed: {answers[0].failed}",
                where=f"llm '{self._llm.name}'",
                remedy="give the same command again, or set evaluate.prompting: [] to leave this baseline out",
            )
        return [self._prediction(example.id, reply, base) for example, reply in zip(examples, answers, strict=True)]

    def _request(self, identifier: str, texts: Texts) -> Request:
        messages = labelling_prompt(self._prompting, texts, style=self._llm.style, shots=self._shots)
        return Request(
            id=f"{self._name}/{identifier}",
            messages=messages,
            sampling=self._sampling,
            choices=self._verbalisations,
        )

    def _content_free(self) -> NDArray[np.float64]:
        """Log-likelihoods of the labels after a text without content, shape (labels,)."""
        nothing = self._prompting.content_free
        request = self._request("content-free", (nothing, nothing if self._task.is_pair else None))
        replies = [reply for _, reply, _ in self._store.complete(self._llm, [request])]
        self._check_budget(1 - len(replies), 1)
        [reply] = replies
        found = self._likelihoods(reply)
        if found is None or not np.isfinite(found).all():
            raise Uncalibrated(reply.failed or f"{self._llm.name} gives no likelihoods of the labels")
        return found

    def _check_budget(self, missing: int, of: int) -> None:
        if missing and self._store.budget is not None:
            raise self._store.budget.error(missing=missing, of=of, stage="evaluate")

    def _likelihoods(self, reply: Reply) -> NDArray[np.float64] | None:
        """Log-likelihoods of the labels, shape (labels,); None where a reply has none."""
        found = np.asarray(reply.logprobs, dtype=np.float64)
        usable = reply.failed is None and found.shape == (len(self._verbalisations),)
        return found if usable and np.isfinite(found).any() and not np.isnan(found).any() else None

    def _prediction(self, identifier: str, reply: Reply, base: NDArray[np.float64]) -> Prediction:
        labels = self._task.label_names
        if reply.failed is not None or reply.finish == "content_filter":
            return Prediction(identifier, NO_ANSWER, {})
        if (found := self._likelihoods(reply)) is not None:
            logits = found - base
            weights = np.exp(logits - logits.max())
            scores = dict(zip(labels, map(float, weights / weights.sum()), strict=True))
            return Prediction(identifier, labels[int(np.argmax(weights))], scores)
        place = read_answer(reply.text, self._verbalisations)
        if place is None:
            return Prediction(identifier, NO_ANSWER, {})
        return Prediction(identifier, labels[place], {label: float(i == place) for i, label in enumerate(labels)})
