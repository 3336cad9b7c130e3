"""The language model asked for the label directly (the paper's PROMPTING baseline), as a classifier like any other.

The answer is not read out of free text: the likelihood of each label's verbalisation is measured. With calibration the
likelihoods are divided by those after a text without content (contextual calibration, Zhao et al. 2021).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from japagen.errors import ModelError
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.prompts import labelling_prompt
from japagen.records import Example, Prediction, Request
from japagen.streams import stream
from japagen.task import Prompting, Task

_CONTENT_FREE = "content-free"


def draw_question_shots(task: Task, per_label: int, *, seed: int, number: int) -> list[tuple[str, str]]:
    """Texts with their verbalised labels for a few-shot question: `per_label` of each label, shuffled."""
    random = stream(seed, "question shots", number)
    shots = [
        (shot.text, spec.verbalisation)
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
        shots: texts with verbalised labels shown before; none is zero-shot.
        calibrate: divide by the likelihoods after a content-free text.
        name: the system's name, part of the requests' ids.
        on_progress: told after each answer.
    """

    def __init__(
        self,
        task: Task,
        prompting: Prompting,
        llm: LLM,
        store: ReplyStore,
        *,
        shots: Sequence[tuple[str, str]],
        calibrate: bool,
        name: str,
        on_progress: Listener = silent,
    ) -> None:
        self._task, self._prompting, self._llm, self._store = task, prompting, llm, store
        self._shots, self._calibrate, self._name, self._tell = shots, calibrate, name, on_progress

    def _request(self, identifier: str, text: str) -> Request:
        messages = labelling_prompt(self._prompting, text, style=self._llm.style, shots=self._shots)
        choices = tuple(spec.verbalisation for spec in self._task.labels.values())
        return Request(id=f"{self._name}/{identifier}", messages=messages, choices=choices)

    def predict(self, examples: Sequence[Example]) -> list[Prediction]:
        """See `Classifier.predict`.

        Raises:
            ModelError: the model cannot say how likely a choice is.
        """
        requests = [self._request(_CONTENT_FREE, self._prompting.content_free)]
        requests += [self._request(f"row/{example.id}", example.text) for example in examples]
        answers: dict[str, np.ndarray] = {}
        for done, (request, reply, _) in enumerate(self._store.complete(self._llm, requests)):
            if reply.failed is not None or len(reply.logprobs) != len(request.choices):
                raise ModelError(
                    f"no likelihoods for request '{request.id}': {reply.failed or 'the backend gives none'}",
                    where=f"llm '{self._llm.name}'",
                    remedy="set evaluate.prompting: [] to leave this baseline out",
                )
            answers[request.id] = np.asarray(reply.logprobs)
            self._tell(Progress("evaluate", self._name, done, len(examples)))
        base = answers[f"{self._name}/{_CONTENT_FREE}"] if self._calibrate else 0.0
        labels = self._task.label_names
        predictions = []
        for example in examples:
            logits = answers[f"{self._name}/row/{example.id}"] - base
            weights = np.exp(logits - logits.max())
            scores = weights / weights.sum()
            best = labels[int(np.argmax(scores))]
            predictions.append(Prediction(example.id, best, dict(zip(labels, map(float, scores), strict=True))))
        return predictions
