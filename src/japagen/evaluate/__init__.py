"""Stage 4: every system is a classifier, is shown the same gold rows and is measured in the same way.

Systems: students trained on synthetic texts; the same students trained on gold rows (`baselines`); the language model asked
directly (`prompting`); the majority label. Nothing here knows how the synthetic texts came about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from japagen.evaluate.arms import ArmTrainings
from japagen.evaluate.baselines import GoldTrainings, draw_gold, ensemble
from japagen.evaluate.contamination import contaminated_rows, contamination
from japagen.evaluate.contrast import declared_contrast
from japagen.evaluate.gold import GoldData
from japagen.evaluate.prompting import prompted_systems
from japagen.evaluate.sizes import SizeTrainings, told_sizes
from japagen.evaluate.summary import empty_summary, summarise
from japagen.evaluate.system import System, prediction_rows, with_values
from japagen.experiment import Experiment
from japagen.groups import image_groups
from japagen.llm import LLM
from japagen.llm.store import ReplyStore
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.student import Classifier
from japagen.student.majority import Majority
from japagen.task import Task

Trained = Mapping[str, Sequence[tuple[Classifier, int]]]
"""Student to its classifiers with the number of rows each learnt from, one per seed."""


@dataclass(slots=True)
class Evaluation:
    """The systems, and what was found, ready to be written as JSON (`summary`)."""

    systems: list[System] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)


def evaluate(
    experiment: Experiment,
    task: Task,
    trained: Trained,
    gold: GoldData,
    llm: LLM | Callable[[], LLM],
    store: ReplyStore,
    *,
    learnt: Mapping[str, Sequence[Example]] | None = None,
    rows: Sequence[Example] = (),
    arms: Mapping[str, Sequence[Example]] | None = None,
    anchors: Sequence[Sequence[Example]] = (),
    checkpoints: Path | None = None,
    on_progress: Listener = silent,
    say: Callable[[str], None] = lambda text: None,
) -> Evaluation:
    """Measure all systems on the gold test rows.

    Args:
        experiment: its `evaluate` section says against what.
        task: labels, metric and the words of the question.
        trained: the students trained on synthetic texts.
        gold: `test` is measured on; of `dev` K rows per label are drawn; `train` is for the supervised baseline.
        llm: the language model, or how to get it (called only if it is asked).
        store: where its answers are kept.
        learnt: what the students and the questions have seen, by name; test rows are looked for in it.
        rows: the synthetic rows, of which `evaluate.sizes` takes parts.
        arms: synthetic rows that the students are trained on besides, by name (the rounds of `rounds: 2`).
        anchors: gold rows that each seed learns from with them; empty: none.
        checkpoints: folder for the state of unfinished trainings.
        on_progress: told what is being measured.
        say: told what a user should know.

    Raises:
        ConfigError: the experiment asks for prompting and the task has no words for it.
        ModelError: not one of the questions of a system was answered.
        BudgetSpent: the budget ended before all questions were asked.
    """
    result = Evaluation()
    if not gold.test:
        result.summary = empty_summary(task)
        return result
    own = list(_own_systems(experiment, task, trained, gold.test, on_progress))
    # Asked before hours of training: a missing key or a spent budget is told at once.
    prompted, unprompted = prompted_systems(experiment, task, gold.test, llm, store, on_progress=on_progress)
    trainings = GoldTrainings(experiment, task, gold.test, checkpoints, on_progress, say)
    few, few_missing = trainings.few(gold.dev)
    supervised, supervised_missing = trainings.supervised(gold.train, gold.dev)
    others = ArmTrainings(experiment, task, gold.test, checkpoints, on_progress, say, dev=gold.dev, anchors=anchors)
    rounds, no_rounds = others.arms(arms or {})
    parts = SizeTrainings(experiment, task, gold.test, checkpoints, on_progress, say, dev=gold.dev, anchors=anchors)
    sizes, no_sizes = parts.sizes(rows, experiment.evaluate.sizes)
    majority = Majority.fit(gold.test, task.label_names)
    result.systems = [*own, *rounds, *few, *supervised, *prompted]
    result.systems.append(System("majority", "majority", (with_values(task, majority.predict(gold.test)),)))
    left_out = no_rounds + few_missing + supervised_missing + unprompted
    contrast = declared_contrast(experiment, result.systems)
    if contrast is None and (wanted := experiment.evaluate.contrast) is not None:
        left_out.append(
            f"evaluate.contrast: '{wanted.system}' against '{wanted.against}', one of which was not measured"
        )
    seen = learnt or {}
    found = contamination(
        {"test": gold.test, "gold dev": gold.dev}, {**seen, "gold dev": gold.dev, "gold train": gold.train}
    )
    contaminated = contaminated_rows(found, "test", seen)
    result.summary = summarise(
        experiment, task, result.systems, gold.test, contrast=contrast, contaminated=contaminated
    ) | {
        "gold": _gold_facts(gold),
        "contamination": [asdict(one) | {"ids": list(one.ids)} for one in found],
        "contaminated": len(contaminated),
        "left_out": left_out,
    }
    if experiment.evaluate.sizes:
        every = [*own, *few, *sizes]
        result.summary["sizes"] = told_sizes(experiment, task, every, gold.test, rows=len(rows), left_out=no_sizes)
    return result


def _gold_facts(gold: GoldData) -> dict[str, Any]:
    """Where the rows are from, as JSON."""
    groups = image_groups(gold.test)
    return {
        "files": [asdict(source) for source in gold.files],
        "split": None if gold.split is None else gold.split.model_dump(),
        "groups": None if groups is None else len(set(groups)),
    }


def _own_systems(
    experiment: Experiment, task: Task, trained: Trained, test: Sequence[Example], on_progress: Listener
) -> Iterator[System]:
    """The students trained on synthetic texts, and with `train.ensemble` the mean of each one's seeds."""
    systems = []
    for student, classifiers in trained.items():
        on_progress(Progress("evaluate", f"japagen/{student}", 0, 1))
        predictions = tuple(with_values(task, classifier.predict(test)) for classifier, _ in classifiers)
        rows = round(sum(rows for _, rows in classifiers) / len(classifiers))
        systems.append(System(f"japagen/{student}", "japagen", predictions, student, rows))
        on_progress(Progress("evaluate", f"japagen/{student}", 1, 1))
    yield from systems
    if experiment.train.ensemble:
        yield from (ensemble(task, system) for system in systems)


__all__ = [
    "Evaluation",
    "System",
    "declared_contrast",
    "draw_gold",
    "evaluate",
    "prediction_rows",
    "summarise",
]
