"""Stage 3: students learn from the curated texts, each with several seeds. What they learn and how is `student`'s affair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from japagen.errors import DataError
from japagen.experiment import Experiment
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.streams import stream, stream_seed
from japagen.student import load_student


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier on disk: the student's name, the number of its seed, its folder and what it learnt from."""

    student: str
    seed: int
    folder: str
    train_rows: int
    dev_rows: int


def student_seed(experiment: Experiment, number: int) -> int:
    """The 32-bit seed of a student's run number `number`."""
    return stream_seed(experiment.seed, "student", number) % 2**32


def hold_out(
    examples: Sequence[Example], share: float, *, seed: int, number: int
) -> tuple[list[Example], list[Example]]:
    """Split off a dev set, the same share of every label and at least one row where a label has two."""
    rows = list(examples)
    dev: set[str] = set()
    for label in sorted({example.label for example in rows}):
        ids = [example.id for example in rows if example.label == label]
        stream(seed, "dev", number, label).shuffle(ids)
        dev.update(ids[: min(max(1, round(share * len(ids))), len(ids) - 1)])
    return [e for e in rows if e.id not in dev], [e for e in rows if e.id in dev]


def train(
    experiment: Experiment,
    examples: Sequence[Example],
    gold_dev: Sequence[Example],
    folder: Path,
    *,
    labels: Sequence[str],
    on_progress: Listener = silent,
) -> list[Trained]:
    """Train every student with every seed and save the classifiers under `folder`.

    Args:
        experiment: its `train` section says who learns and what settings are chosen on.
        examples: curated synthetic rows.
        gold_dev: gold rows, used only where `train.dev` is "gold".
        folder: gets ``STUDENT/seed-N`` each.
        labels: all labels of the task.
        on_progress: told after each classifier.

    Raises:
        DataError: a label has no rows left, or gold dev rows are asked for and there are none.
    """
    settings = experiment.train
    for label in labels:
        if not any(example.label == label for example in examples):
            raise DataError(
                f"no text of label '{label}' is left after curation",
                where="3-train",
                remedy="ask for more (generate.per_label), or see why they were dropped: japagen show RUN",
            )
    if settings.dev == "gold" and not gold_dev:
        raise DataError(
            "train.dev is 'gold', but the task has no gold.dev", where="3-train", remedy="use train.dev: synthetic"
        )
    trained: list[Trained] = []
    for name in settings.students:
        student = load_student(name)
        for number in range(settings.seeds):
            on_progress(Progress("train", name, number, settings.seeds))
            if settings.dev == "gold":
                rows, dev = list(examples), list(gold_dev)
            else:
                rows, dev = hold_out(examples, settings.dev_share, seed=experiment.seed, number=number)
            classifier = student.fit(rows, dev, seed=student_seed(experiment, number))
            place = folder / name / f"seed-{number}"
            place.mkdir(parents=True, exist_ok=True)
            classifier.save(place)
            trained.append(Trained(name, number, f"{name}/seed-{number}", len(rows), len(dev)))
        on_progress(Progress("train", name, settings.seeds, settings.seeds))
    return trained
