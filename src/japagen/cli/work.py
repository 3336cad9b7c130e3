"""Running experiments from the command line: what all commands that make a run, or a part of one, have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape

from japagen.cli.app import Stage, change, err, experiments, out, print_json
from japagen.cli.sweeps import estimate_sweep, show_sweep, work_sweep

if TYPE_CHECKING:
    from japagen.experiment import Experiment


def work(
    files: list[Path] | None,
    task: str | None,
    changes: list[str] | None,
    runs: Path,
    redo: Stage | None,
    until: str,
    dry_run: bool,
    as_json: bool,
    arms: Sequence[str] = (),
) -> None:
    """Run experiments up to a stage, or say what that would cost; those with arms arm by arm."""
    from japagen.pipeline import run as run_stages
    from japagen.terminal import live_progress, logged_progress

    for experiment in experiments(files, task, changes):
        if experiment.arms or arms:
            values = dict(map(change, changes or []))
            if task is not None:
                values["task"] = experiment.task
            if dry_run:
                estimate_sweep(experiment, arms, values, runs, until, as_json)
            else:
                work_sweep(experiment, arms, values, runs, redo, until, as_json)
            continue
        if dry_run:
            _estimate(experiment, runs, until, as_json)
            continue
        with live_progress(err, enabled=err.is_terminal and not as_json) as live:
            listener = live if err.is_terminal or as_json else logged_progress(err)
            place = run_stages(
                experiment,
                runs=runs,
                redo=redo.value if redo else None,
                until=until,
                on_progress=listener,
                say=lambda text: err.print(escape(text), highlight=False),
            )
        show_run(place.path, as_json)


def _estimate(experiment: Experiment, runs: Path, until: str, as_json: bool) -> None:
    from japagen.estimate import estimate, print_estimate

    found = estimate(experiment, runs=runs, until=until)
    if as_json:
        print_json(found.as_json())
    else:
        print_estimate(found, out)


def show_run(path: Path, as_json: bool) -> None:
    """Print how a run stands, or the arms of a sweep."""
    from japagen.sweepdir import is_sweep
    from japagen.terminal import print_run, run_state

    if is_sweep(path):
        show_sweep(path, as_json)
        return
    state = run_state(path)
    if as_json:
        print_json(state)
    else:
        print_run(state, out)
