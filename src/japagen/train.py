"""Stage 3: students learn from the curated texts, each with several seeds. What they learn and how is `student`'s affair.

With `train.anchor`, some gold dev rows are among what they learn from, each counting as much as several synthetic ones.
Such a row is never one that settings are chosen on; gold test rows do not come here at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from japagen.errors import DataError
from japagen.experiment import Experiment
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.sections import AnchorSection
from japagen.streams import stream, stream_seed
from japagen.student import Training, load_student
from japagen.student.decision import FEWEST, Decided, learn_decision
from japagen.student.holdout import apart_from, hold_out
from japagen.task import Task


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier on disk.

    Attributes:
        student: name of the student.
        seed: number of its seed.
        folder: where it lies, relative to the stage's folder.
        train_rows: rows it learnt from, gold ones among them.
        dev_rows: rows its settings were chosen on.
        anchor_rows: gold rows it learnt from.
    """

    student: str
    seed: int
    folder: str
    train_rows: int
    dev_rows: int
    anchor_rows: int = 0


def student_seed(experiment: Experiment, number: int) -> int:
    """The 32-bit seed of a student's run number `number`."""
    return stream_seed(experiment.seed, "student", number) % 2**32


def check_gold_rows(experiment: Experiment, rows: int) -> None:
    """Whether gold dev rows suffice for all that is to be learnt from them.

    Raises:
        DataError: there are too few.
    """
    section = experiment.train
    anchors = section.anchor.rows if section.anchor else 0
    others = 1 if section.dev == "gold" else 0
    if section.decision:
        others = max(others, FEWEST)
    if rows < anchors + others:
        wants = [f"train.anchor takes {anchors}"] if anchors else []
        wants += [f"{'train.decision' if section.decision else 'train.dev: gold'} needs {others}"] if others else []
        raise DataError(
            f"gold.dev has {rows} rows, but {' and '.join(wants)}",
            where=f"experiment '{experiment.name}'",
            remedy="label more rows, or ask for fewer",
        )


def draw_anchor(
    pool: Sequence[Example], anchor: AnchorSection, *, seed: int, number: int
) -> tuple[list[Example], list[Example]]:
    """Gold rows to learn from, with their weight, and the rows of the pool that are left.

    Every label has the share that it has in the pool, and at least one row where there are enough. Which rows, differs
    from one `number` of a student's run to the next.

    Raises:
        DataError: the pool has fewer rows than are asked for.
    """
    if len(pool) < anchor.rows:
        raise DataError(
            f"train.anchor.rows is {anchor.rows}, but gold.dev has {len(pool)} rows",
            where="3-train",
            remedy="lower train.anchor.rows, or label more rows",
        )
    places: dict[str, list[int]] = {}
    for place, row in enumerate(pool):
        places.setdefault(row.label, []).append(place)
    drawn: set[int] = set()
    for label, share in shares({label: len(places[label]) for label in sorted(places)}, anchor.rows).items():
        drawn.update(stream(seed, "anchor", number, label).sample(places[label], share))
    rows = [replace(row, weight=anchor.weight) for place, row in enumerate(pool) if place in drawn]
    return rows, [row for place, row in enumerate(pool) if place not in drawn]


def shares(counts: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many of the `wanted` rows each label gives, in proportion to what it has (Huntington-Hill: one each comes first).

    >>> shares({"a": 90, "b": 30, "c": 1}, 9)
    {'a': 6, 'b': 2, 'c': 1}
    """
    given = dict.fromkeys(counts, 0)

    def claim(label: str) -> tuple[float, int]:
        n = given[label]
        return (counts[label] / math.sqrt(n * (n + 1)) if n else math.inf, counts[label])

    for _ in range(wanted):
        given[max((label for label in counts if given[label] < counts[label]), key=claim)] += 1
    return given


def train(
    experiment: Experiment,
    examples: Sequence[Example],
    gold_dev: Sequence[Example],
    folder: Path,
    *,
    task: Task,
    checkpoints: Path | None = None,
    on_progress: Listener = silent,
    say: Callable[[str], None] = lambda text: None,
) -> list[Trained]:
    """Train every student with every seed and save the classifiers under `folder`.

    Args:
        experiment: its `train` section says who learns and what settings are chosen on.
        examples: curated synthetic rows.
        gold_dev: gold rows, used only where `train.dev` is "gold", or `train.anchor` or `train.decision` asks for some.
            Those that are learnt from are taken out of those that settings are chosen on.
        folder: gets ``STUDENT/seed-N`` each.
        task: its labels must all have rows; the metric is what early stopping and decisions go by.
        checkpoints: folder for the state of unfinished trainings.
        on_progress: told after each classifier, and of long trainings after each step.
        say: told what a user should know.

    Raises:
        DataError: a label has no rows left, or gold dev rows are asked for and there are none, or too few.
    """
    settings = experiment.train
    for label in task.label_names:
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
    if settings.anchor and not gold_dev:
        raise DataError(
            "train.anchor asks for gold rows, but the task has no gold.dev",
            where="3-train",
            remedy="add gold.dev to the task, or remove train.anchor",
        )
    if settings.decision and not gold_dev:
        raise DataError(
            "train.decision learns from gold dev rows, but the task has no gold.dev",
            where="3-train",
            remedy="add gold.dev to the task, or remove train.decision",
        )
    trained: list[Trained] = []
    for name in settings.students:
        for number in range(settings.seeds):
            on_progress(Progress("train", name, number, settings.seeds))
            rows, dev, anchors = _rows_of_seed(experiment, examples, gold_dev, number)
            training = Training(
                settings.encoder,
                task.metric,
                checkpoints / f"{name}-{number}" if checkpoints else None,
                f"{name}, seed {number}",
                on_progress,
                say,
            )
            student = load_student(name, training)
            classifier = student.fit([*rows, *anchors], dev, seed=student_seed(experiment, number))
            if settings.decision:
                left = apart_from(gold_dev, anchors)
                if not left:
                    raise DataError(
                        "train.anchor takes all rows of gold.dev, and none is left for train.decision",
                        where="3-train",
                        remedy="lower train.anchor.rows, or label more rows",
                    )
                seed = stream_seed(experiment.seed, "decision", number) % 2**32
                classifier = learn_decision(
                    classifier, [*rows, *anchors], dev, left, task, settings.decision, seed=seed
                )
                if not isinstance(classifier, Decided) and number == 0:
                    say(f"{name}: gives numbers, so that train.decision has nothing to decide")
            place = folder / name / f"seed-{number}"
            place.mkdir(parents=True, exist_ok=True)
            classifier.save(place)
            learnt = len(rows) + len(anchors)
            trained.append(Trained(name, number, f"{name}/seed-{number}", learnt, len(dev), len(anchors)))
        on_progress(Progress("train", name, settings.seeds, settings.seeds))
    return trained


def _rows_of_seed(
    experiment: Experiment, examples: Sequence[Example], gold_dev: Sequence[Example], number: int
) -> tuple[list[Example], list[Example], list[Example]]:
    """Synthetic rows to learn from, rows to choose settings on, and gold rows to learn from."""
    settings, seed = experiment.train, experiment.seed
    anchors: list[Example] = []
    if settings.anchor:
        anchors, _ = draw_anchor(gold_dev, settings.anchor, seed=seed, number=number)
    if settings.dev == "synthetic":
        rows, dev = hold_out(examples, settings.dev_share, seed=seed, number=number)
        return rows, dev, anchors
    left = apart_from(gold_dev, anchors)
    if not left:
        raise DataError(
            f"train.anchor takes all {len(gold_dev)} rows of gold.dev or their images; none is left to choose settings on",
            where="3-train",
            remedy="lower train.anchor.rows, or use train.dev: synthetic",
        )
    return list(examples), left, anchors
