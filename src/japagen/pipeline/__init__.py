"""The six stages in order, bound to a run: the only package that knows the order.

Each stage reads what earlier stages left on disk and leaves its own files; the stages themselves know nothing of runs.

    bound     an experiment at work in a run: model, stores, budget, rows on disk
    inputs    what each stage's result depends on
    stages    what each stage reads and writes
    curating  the longest of them: its steps, topping up, the second round
    sweep     the arms of an experiment, one run after the other, sharing what is equal
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from japagen.errors import ConfigError, Interrupted, RunError, did_you_mean
from japagen.evaluate.gold import GoldData, load_gold_data
from japagen.experiment import Experiment
from japagen.llm import LLM
from japagen.llm.prices import experiment_price
from japagen.pipeline.bound import Say
from japagen.pipeline.inputs import inputs
from japagen.pipeline.named import check_named
from japagen.pipeline.rules import check_curation
from japagen.pipeline.stages import Stages
from japagen.progress import Listener, silent
from japagen.rundir import STAGES, Run
from japagen.student import Training, prepare_student
from japagen.tables import write_json
from japagen.task import Task
from japagen.train import check_gold_rows


def run(
    experiment: Experiment | str | Path,
    *,
    runs: str | Path = "runs",
    redo: str | None = None,
    until: str = "report",
    llm: LLM | None = None,
    on_progress: Listener = silent,
    say: Say = lambda text: None,
) -> Run:
    """Run an experiment's stages in order; those that stand are skipped.

    Args:
        experiment: an experiment, or the path of its file.
        runs: folder that gets the run's folder, named after the experiment.
        redo: a stage that is made again, with all after it.
        until: the last stage to run.
        llm: a language model to use instead of the one that the experiment names.
        on_progress: told how far each stage is.
        say: told what a user should read once (licence notices).

    Returns:
        The run; its files are described in `rundir`.

    Raises:
        JapagenError: see `errors`; Interrupted after Ctrl-C.
    """
    check_stages(redo, until)
    if not isinstance(experiment, Experiment):
        experiment = Experiment.load(experiment)
    if experiment.arms:
        raise ConfigError(
            "has arms, which make a sweep and not a run",
            where=f"experiment '{experiment.name}'",
            remedy="call japagen.pipeline.sweep.run_sweep with its file, or give: japagen run FILE",
        )
    task = experiment.load_task()
    gold = check(experiment, task)
    place = Run.create(Path(runs) / experiment.name, experiment=experiment.name, task=task.name)
    with place.lock():
        run_stages(Stages(experiment, task, place, on_progress, say, gold, llm), redo=redo, until=until)
    return place


def check_stages(redo: str | None, until: str) -> None:
    """Refuse what are no stages, or cannot be redone by a command that stops earlier.

    Raises:
        ConfigError: it is so.
    """
    for stage in (until, *([redo] if redo else [])):
        if stage not in STAGES:
            raise ConfigError(f"no stage is called '{stage}'", where="run", remedy=did_you_mean(stage, STAGES))
    if redo is not None and STAGES.index(redo) > STAGES.index(until):
        raise ConfigError(
            f"'{redo}' comes after '{until}', where this command stops",
            where="--redo",
            remedy=f"give: japagen {redo} EXPERIMENT --redo {redo}",
        )


def run_stages(pipeline: Stages, *, redo: str | None, until: str, others: Sequence[Run] = ()) -> None:
    """Run the stages of a run whose lock is held.

    Args:
        pipeline: the experiment in its run.
        redo: a stage that is made again, with all after it.
        until: the last stage to run.
        others: runs whose stages are taken over where they were made from the same inputs; never the report.

    Raises:
        RunError: a stage that stands was made from other inputs.
    """
    place, experiment = pipeline.run, pipeline.experiment
    check_fresh(pipeline, redo=redo, until=until)
    if STAGES.index("train") <= STAGES.index(until) and (redo is not None or place.done("train") is None):
        for name in experiment.train.students:
            prepare_student(name, Training(experiment.train.encoder))
    _save_settings(pipeline)
    if redo is not None:
        place.redo(redo)
    for stage in STAGES[: STAGES.index(until) + 1]:
        given = inputs(pipeline, stage)
        if place.is_fresh(stage, given):
            continue
        started = time.monotonic()
        with _resumable(place, stage):
            if stage != "report" and any(place.take_over(stage, given, other) for other in others):
                continue
            facts = getattr(pipeline, stage)(place.begin(stage))
            place.finish(stage, given, **facts, seconds=round(time.monotonic() - started, 3))


def check_fresh(pipeline: Stages, *, redo: str | None, until: str) -> None:
    """Refuse stages that were made from other inputs, before anything is changed.

    Raises:
        RunError: one of those that are to stand is stale.
    """
    for stage in STAGES[: STAGES.index(redo or until) + (redo is None)]:
        pipeline.run.is_fresh(stage, inputs(pipeline, stage))


def check(experiment: Experiment, task: Task) -> GoldData:
    """Find what can be found wrong before any work is done: names of models and students, gold files.

    Returns:
        The gold rows.

    Raises:
        ConfigError, DataError: what is wrong.
    """
    check_named(experiment)
    if experiment.llm.name.startswith("openai"):
        from japagen.llm.openai.endpoint import check_address

        check_address(experiment.llm.base_url)
    experiment_price(experiment)
    check_curation(experiment, task)
    gold = load_gold_data(task)
    if task.gold:
        check_gold_rows(experiment, len(gold.dev))
    return gold


def _save_settings(pipeline: Stages) -> None:
    write_json(pipeline.run.path / "experiment.json", pipeline.experiment.model_dump(mode="json"))
    write_json(pipeline.run.path / "task.json", pipeline.task.model_dump(mode="json"))


@contextmanager
def _resumable(place: Run, stage: str) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped during '{stage}'; what was done is safe", where=place.path, remedy="go on with the same command"
        ) from None
    except OSError as error:
        raise RunError(
            f"'{stage}' could not be written: {error.strerror or error}; what was done is safe",
            where=place.path,
            remedy="make room or check permissions, then give the same command again",
        ) from error
