"""The arms of an experiment: one run after the other in one folder, each taking over what is equal in another.

A stage whose inputs are those of a finished stage of another arm is not done again: its files are linked. Replies go through
one store, so that a request that two arms share is asked once. The budget is that of the sweep as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from japagen.errors import BudgetSpent, ConfigError, Interrupted, JapagenError, RunError, did_you_mean
from japagen.estimate import Estimate, estimate
from japagen.evaluate.gold import GoldData
from japagen.experiment import Experiment
from japagen.llm import LLM
from japagen.llm.budget import Spent, Usage
from japagen.llm.prices import experiment_price
from japagen.llm.stored import Stored
from japagen.pipeline import check, check_fresh, check_stages, run_stages
from japagen.pipeline.bound import Say
from japagen.pipeline.stages import Stages
from japagen.progress import Listener, silent
from japagen.rundir import REPLIES, STAGES, Run
from japagen.sections.arms import dotted
from japagen.sweepdir import Sweep
from japagen.task import Task

OnArm = Callable[[str, Run], object]
TRAININGS = "trainings, "
"""What the line of an estimate begins with that counts trainings."""
_AFTER_TRAINING = ("analyze", "report")


@dataclass(frozen=True, slots=True)
class _Arm:
    """An arm that has been checked."""

    experiment: Experiment
    task: Task
    gold: GoldData


def arms_of(experiment: Experiment, changes: Mapping[str, Any] | None = None) -> dict[str, Experiment]:
    """The arms of an experiment, in their order, each an experiment of its own that is named after the arm.

    Args:
        experiment: it has arms.
        changes: values that hold in every arm, by dotted key, over those of the arm: a command line's.

    Raises:
        ConfigError: a key or value of an arm cannot be used, or two arms are the same.
    """
    over = {key: value for key, value in (changes or {}).items() if key.split(".")[0] not in ("arms", "name")}
    found: dict[str, Experiment] = {}
    for name, keys in experiment.arms.items():
        given = {**dotted(keys), **over}
        try:
            arm = experiment.changed({**given, "name": name, "arms": {}})
        except ConfigError as error:
            what = _with_key(error, given)
            raise ConfigError(what, where=_where(experiment, name), remedy=error.remedy) from error
        same = next((other for other, made in found.items() if _settings(made) == _settings(arm)), None)
        if same is not None and not over:  # those that a command line makes equal share their work
            raise ConfigError(
                f"is the same as arm '{same}'",
                where=_where(experiment, name),
                remedy="change a key of one of them, or remove one",
            )
        found[name] = arm
    return found


def chosen_arms(experiment: Experiment, names: Sequence[str]) -> list[str]:
    """Those of the arms that are asked for, in the order of the experiment; all, if none is named.

    Raises:
        ConfigError: there is no such arm, or there are no arms at all.
    """
    if not experiment.arms:
        raise ConfigError("has no arms", where=f"experiment '{experiment.name}'", remedy="leave --arm out")
    for name in names:
        if name not in experiment.arms:
            raise ConfigError(
                f"experiment '{experiment.name}' has no arm '{name}'",
                where="--arm",
                remedy=did_you_mean(name, experiment.arms),
            )
    return [name for name in experiment.arms if name in names or not names]


def run_sweep(
    experiment: Experiment | str | Path,
    *,
    arms: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    runs: str | Path = "runs",
    redo: str | None = None,
    until: str = "report",
    llm: LLM | None = None,
    on_progress: Listener = silent,
    say: Say = lambda text: None,
    on_arm: OnArm = lambda name, run: None,
) -> Sweep:
    """Run the arms of an experiment; stages that stand are skipped, those that another arm has are taken over.

    All arms are checked before anything is done. An arm that stops with an error does not keep the others from running.
    The sweep's folder is locked until all is done: one process at a time, whichever arms it is for.

    Args:
        experiment: an experiment with arms, or the path of its file.
        arms: only these; all, if none is named.
        changes: values over those of the file and of its arms, by dotted key.
        runs: folder that gets the sweep's folder, named after the experiment; the arms' runs are in it.
        redo: a stage that is made again in each of these arms, with all after it. What they share is made once.
        until: the last stage to run.
        llm: a language model to use instead of those that the arms name.
        on_progress: told how far each stage is, the arm before the item.
        say: told what a user should read once.
        on_arm: told of each arm that is finished, and its run.

    Returns:
        The sweep; every arm in it is a run.

    Raises:
        JapagenError: see `errors`; RunError where another process works in the sweep, Interrupted after Ctrl-C, BudgetSpent
            where the sweep's budget ends.
    """
    check_stages(redo, until)
    if not isinstance(experiment, Experiment):
        experiment = Experiment.load(experiment, changes=changes)
    chosen, every = chosen_arms(experiment, arms), arms_of(experiment, changes)
    ready = {name: _checked(experiment, name, every[name]) for name in chosen}
    keys = {name: dotted(keys) for name, keys in experiment.arms.items()}
    sweep = Sweep.create(Path(runs) / experiment.name, experiment.name, keys)
    with sweep.lock():
        sweep.save()
        own = {
            name: Run.create(sweep.folder(name), experiment=name, task=arm.task.name, sweep=experiment.name)
            for name, arm in ready.items()
        }
        told = _once(say)

        def at_work(name: str) -> Stages:
            arm = ready[name]
            listener: Listener = lambda p: on_progress(replace(p, item=f"{name} {p.item}"))  # noqa: E731
            spent = _elsewhere(sweep, name, every)
            return Stages(
                arm.experiment,
                arm.task,
                own[name],
                listener,
                told,
                arm.gold,
                llm,
                replies=sweep.replies,
                elsewhere=spent,
            )

        _check_fresh({name: at_work(name) for name in chosen}, every, redo=redo, until=until)
        if redo is not None:
            for name in chosen:
                with own[name].lock():
                    own[name].redo(redo)
        failed: dict[str, JapagenError] = {}
        for name in chosen:
            others = _others(sweep, name, among=chosen if redo else None)
            try:
                with own[name].lock():
                    run_stages(at_work(name), redo=None, until=until, others=others)
            except (Interrupted, BudgetSpent):
                raise
            except JapagenError as error:
                error.where = f"arm '{name}', {error.where}" if error.where else f"arm '{name}'"
                failed[name] = error
                if name != chosen[-1]:
                    told(f"{error}\ngoing on with the next arm")
                continue
            on_arm(name, own[name])
        if len(failed) == 1:
            raise next(iter(failed.values()))
        if failed:
            name, last = list(failed.items())[-1]
            raise RunError(
                f"{len(failed)} of {len(chosen)} arms are not finished ({', '.join(failed)}); '{name}': {last.what}",
                where=sweep.path,
                remedy="mend what is said of each and give the same command again; arms that are finished stay",
            )
    return sweep


def sweep_estimates(
    experiment: Experiment,
    *,
    arms: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
    runs: str | Path = "runs",
    until: str = "report",
) -> dict[str, Estimate]:
    """What each arm would still ask for and train; what an earlier arm asks or trains counts there and not again.

    Raises:
        ConfigError, DataError: as `estimate`.
    """
    every, folder = arms_of(experiment, changes), Path(runs) / experiment.name
    counted: set[str] = set()
    trained: list[dict[str, Any]] = []
    found = {}
    for name in chosen_arms(experiment, arms):
        one = estimate(every[name], runs=folder, until=until, replies=Stored(folder / REPLIES), counted=counted)
        settings = {key: value for key, value in _settings(every[name]).items() if key not in _AFTER_TRAINING}
        if settings in trained:  # its trainings are taken over
            one = replace(one, notes=tuple(note for note in one.notes if not note.startswith(TRAININGS)))
        trained.append(settings)
        found[name] = one
    return found


def _checked(experiment: Experiment, name: str, arm: Experiment) -> _Arm:
    try:
        task = arm.load_task()
        return _Arm(arm, task, check(arm, task))
    except JapagenError as error:
        places = (_where(experiment, name), str(error.where or ""))
        error.where = ", ".join(filter(None, places)).replace(f", experiment '{name}'", "")
        raise


def _check_fresh(arms: Mapping[str, Stages], every: Collection[str], *, redo: str | None, until: str) -> None:
    """Refuse stages that were made from other inputs, before anything is changed; say how to redo all such arms at once.

    Args:
        arms: those that are to be run.
        every: names of all arms of the experiment.
        redo: a stage that is made again in each of them.
        until: the last stage to run.

    Raises:
        RunError: of the first arm with a stale stage.
    """
    stale: dict[str, RunError] = {}
    for name, arm in arms.items():
        try:
            check_fresh(arm, redo=redo, until=until)
        except RunError as error:
            stale[name] = error
    if not stale:
        return
    name, first = next(iter(stale.items()))
    stages = {arm: Path(str(error.where)).name.partition("-")[2] for arm, error in stale.items()}
    if len(stale) > 1 and all(stage in STAGES for stage in stages.values()):
        stays = [arm for arm in every if arm not in stale and (arm not in arms or arms[arm].run.done("generate"))]
        which = "".join(f"--arm {arm} " for arm in stale) if stays else ""
        earliest = min(stages.values(), key=STAGES.index)
        first.what += f"; of {len(stale)} arms stages are to be made again ({', '.join(stale)})"
        first.remedy = first.remedy.replace(f"--arm {name} --redo {stages[name]}", f"{which}--redo {earliest}")
    raise first


def _where(experiment: Experiment, arm: str) -> str:
    return f"experiment '{experiment.name}', arm '{arm}'"


def _with_key(error: ConfigError, given: Mapping[str, Any]) -> str:
    """What is wrong, beginning with the key: where an error stands at a key of the arm, its place says which."""
    key = error.where.removeprefix("--set ")
    return f"{key}: {error.what}" if key in given and not error.what.startswith(key) else error.what


def _settings(experiment: Experiment) -> dict[str, Any]:
    return experiment.model_dump(mode="json", exclude={"name"})


def _others(sweep: Sweep, name: str, among: Sequence[str] | None) -> list[Run]:
    """The runs whose stages an arm may take over: those of other arms, of earlier versions of the experiment too."""
    folders = sorted(file.parent for file in sweep.path.glob("*/run.json"))
    order = {arm: place for place, arm in enumerate(sweep.overrides)}
    folders.sort(key=lambda folder: order.get(folder.name, len(order)))
    return [Run(folder) for folder in folders if folder.name != name and (among is None or folder.name in among)]


def _elsewhere(sweep: Sweep, name: str, every: Mapping[str, Experiment]) -> Spent:
    """What the other arms have used so far."""
    total = Spent()
    for other, experiment in every.items():
        if other == name:
            continue
        run = Run(sweep.folder(other))
        used = sum((Stored(run.folder(stage) / REPLIES).usage() for stage in ("generate", "evaluate")), Usage())
        if used.requests:
            price = experiment_price(experiment)
            usd = 0.0 if price is None else price.usd(used.prompt_tokens, used.completion_tokens)
            total += Spent(used.requests, used.tokens, usd)
    return total


def _once(say: Say) -> Say:
    """Says each text once, however many arms have it to say."""
    said: set[str] = set()

    def told(text: str) -> None:
        if text not in said:
            said.add(text)
            say(text)

    return told
