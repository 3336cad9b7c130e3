"""A system under evaluation: what it said of every test row, run by run; and the number it means, for similarity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from japagen.evaluate.gold import nearest_label
from japagen.groups import image_groups
from japagen.metrics import NO_ANSWER
from japagen.records import Example, Prediction
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class System:
    """One line of the comparison.

    Attributes:
        name: e.g. ``japagen/embedding``, ``gold-5/linear``, ``few-shot``.
        kind: "japagen", "arm" (other synthetic rows), "gold" (K rows per label), "supervised" (all gold train rows),
            "prompted" or "majority".
        predictions: by seed, one prediction per test row, in the rows' order.
        student: the student's name, for the first four kinds.
        train_rows: labelled rows it learnt from (mean over seeds), 0 for the others.
        k: gold rows per label it has seen, where that has a meaning.
        cost: of asking a language model: calls, prompt_tokens, completion_tokens, usd (None: no price known).
    """

    name: str
    kind: str
    predictions: tuple[list[Prediction], ...]
    student: str | None = None
    train_rows: int = 0
    k: int | None = None
    cost: Mapping[str, float | int | None] | None = None

    @property
    def unanswered(self) -> int:
        """Predictions without a label, in all runs."""
        return sum(p.label == NO_ANSWER for run in self.predictions for p in run)


def with_values(task: Task, predictions: Sequence[Prediction]) -> list[Prediction]:
    """For similarity, predictions with their number: where a classifier gives none, the expectation of the labels' values
    under its scores; the label becomes the one nearest to it. For other kinds they stay as they are.
    """
    if task.kind != "similarity":
        return list(predictions)
    return [p if p.label == NO_ANSWER else _with_value(task, p) for p in predictions]


def _with_value(task: Task, p: Prediction) -> Prediction:
    value = p.value
    if value is None:
        total = sum(p.scores.values())
        value = sum(score * (task.value(label) or 0.0) for label, score in p.scores.items()) / total
    return replace(p, value=value, label=nearest_label(task, value))


def prediction_rows(systems: Sequence[System], test: Sequence[Example]) -> Iterator[dict[str, Any]]:
    """Every prediction as a row of ``predictions.jsonl``, beside the gold answer; `group` where rows are grouped."""
    groups = image_groups(test)
    for system in systems:
        for number, run in enumerate(system.predictions):
            for place, (example, p) in enumerate(zip(test, run, strict=True)):
                row: dict[str, Any] = {"system": system.name, "seed": number, "id": p.id, "gold": example.label}
                row |= {"label": p.label, "scores": dict(p.scores)}
                if p.value is not None:
                    row["value"] = p.value
                if example.value is not None:
                    row["gold_value"] = example.value
                if groups is not None:
                    row["group"] = groups[place]
                yield row
