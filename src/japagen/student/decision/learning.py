"""A classifier's decision learnt from gold dev rows: the same way for every student, whatever it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from japagen.groups import image_groups
from japagen.records import Example
from japagen.sections import DecisionSection
from japagen.streams import stream
from japagen.student import SavedClassifier
from japagen.student.decision.decided import Decided, scores_of
from japagen.student.decision.fitting import fit_decision
from japagen.student.decision.unlabelled import Source
from japagen.task import Task


def learn_decision(
    classifier: SavedClassifier,
    learnt: Sequence[Example],
    held_out: Sequence[Example],
    gold: Sequence[Example],
    task: Task,
    section: DecisionSection,
    *,
    seed: int,
) -> SavedClassifier:
    """The classifier with a decision learnt from gold rows that it has not learnt from, or from their texts alone.

    A classifier that gives numbers has nothing to decide and is returned as it is.

    Args:
        classifier: the student's.
        learnt: the rows that it learnt from.
        held_out: rows labelled as those were, that it did not learn from.
        gold: dev rows, at least one; as many of them are drawn as the section says.
        task: labels, their values, kind and metric.
        section: from how many, and whether their labels are looked at.
        seed: of the draw, of folds and of resamples.
    """
    rows = stream(seed, "rows").sample(list(gold), min(section.rows, len(gold)))
    said = classifier.predict(rows)
    if any(prediction.value is not None for prediction in said):
        return classifier
    labels = tuple(said[0].scores)
    weights = {label: sum(row.weight for row in learnt if row.label == label) for label in labels}
    values = [task.value(label) or 0.0 for label in labels] if task.kind == "similarity" else None
    source = None
    if section.source == "em" and (known := [row for row in held_out if row.label in labels]):
        codes = np.array([labels.index(row.label) for row in known])
        source = Source(scores_of(classifier.predict(known), labels), codes)
    answers: list[Any] | None = None
    if section.source == "gold":
        answers = [row.value if values else row.label for row in rows]
    decision = fit_decision(
        scores_of(said, labels),
        labels,
        answers,
        metric=task.metric,
        kind=task.kind,
        train_prior=[max(weights[label], 1e-9) for label in labels],
        seed=seed,
        values=values,
        groups=image_groups(rows),
        source=source,
    )
    return Decided(classifier, decision)
