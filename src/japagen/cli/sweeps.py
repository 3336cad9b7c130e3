"""Sweeps from the command line: running the arms of an experiment, what they would cost, and how they stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from japagen.cli.app import Stage, err, out, print_json, visible

if TYPE_CHECKING:
    from rich.console import Console

    from japagen.estimate import Estimate
    from japagen.experiment import Experiment


def work_sweep(
    experiment: Experiment,
    arms: Sequence[str],
    changes: Mapping[str, Any],
    runs: Path,
    redo: Stage | None,
    until: str,
    as_json: bool,
) -> None:
    """Run the arms of an experiment up to a stage, and print how they stand."""
    from japagen.pipeline.sweep import run_sweep
    from japagen.rundir import Run
    from japagen.terminal import live_progress, logged_progress

    def finished(name: str, run: Run) -> None:
        err.print(f"arm {name}: {run.path}", highlight=False, markup=False)

    with live_progress(err, enabled=err.is_terminal and not as_json) as live:
        sweep = run_sweep(
            experiment,
            arms=arms,
            changes=changes,
            runs=runs,
            redo=redo.value if redo else None,
            until=until,
            on_progress=live if err.is_terminal or as_json else logged_progress(err),
            say=lambda text: err.print(escape(text), highlight=False),
            on_arm=finished,
        )
    show_sweep(sweep.path, as_json)


def estimate_sweep(
    experiment: Experiment, arms: Sequence[str], changes: Mapping[str, Any], runs: Path, until: str, as_json: bool
) -> None:
    """Print what the arms would ask, each without what an earlier one asks."""
    from japagen.pipeline.sweep import sweep_estimates

    found = sweep_estimates(experiment, arms=arms, changes=changes, runs=runs, until=until)
    if as_json:
        print_json({"sweep": experiment.name, "arms": {name: each.as_json() for name, each in found.items()}})
    else:
        print_estimates(experiment.name, found, out)


def print_estimates(sweep: str, found: Mapping[str, Estimate], console: Console) -> None:
    """A line for each arm, and their sum."""
    from japagen.pipeline.sweep import TRAININGS

    table = Table("arm", "model", title=f"still to be asked by the arms of {escape(sweep)}", title_justify="left")
    for heading in ("requests", "answered or shared", "calls", "prompt tokens", "reply tokens", "USD"):
        table.add_column(heading, justify="right", no_wrap=True)
    total = [0] * 5
    money: float | None = 0.0
    for name, each in found.items():
        requests, answered = (sum(getattr(item, key) for item in each.items) for key in ("requests", "answered"))
        used = each.expected
        numbers = [requests, answered, used.requests, used.prompt_tokens, used.completion_tokens]
        usd = each.usd(used)
        total = [a + b for a, b in zip(total, numbers, strict=True)]
        money = None if money is None or usd is None else money + usd
        table.add_row(escape(name), escape(each.llm), *(f"{n:,}" for n in numbers), _usd(usd))
    table.add_section()
    table.add_row("all", "", *(f"{n:,}" for n in total), _usd(money))
    console.print(table)
    console.print(
        "a request that several arms share is asked once and counted in the first of them; stages that are equal are "
        "taken over",
        highlight=False,
    )
    notes: dict[str, list[str]] = {}
    for name, each in found.items():
        for note in each.notes:
            notes.setdefault(note, []).append(name)
    for note, names in notes.items():
        told = note if len(names) == len(found) else f"{', '.join(names)}: {note}"
        each_of = f", in each of {len(names)} arms" if note.startswith(TRAININGS) and len(names) > 1 else ""
        console.print(told + each_of, highlight=False, markup=False)
    trainings = sum(len(names) * _trainings(note) for note, names in notes.items() if note.startswith(TRAININGS))
    if trainings and len(found) > 1:
        console.print(f"trainings of all arms together: {trainings:,} at most", highlight=False, markup=False)


def _trainings(note: str) -> int:
    """How many the line of an estimate counts, e.g. ``...: 10 on synthetic texts, 10 on 5 gold rows per label``."""
    return sum(int(number) for number in re.findall(r"(\d+) on ", note))


def _usd(usd: float | None) -> str:
    return "?" if usd is None else f"{usd:.2f}" if usd >= 1 or usd == 0 else f"{usd:.4f}"


def show_sweep(path: Path, as_json: bool) -> None:
    """Print how the arms of a sweep stand."""
    state = sweep_state(path)
    if as_json:
        print_json(state)
    else:
        print_sweep(state, out)


def sweep_state(path: Path) -> dict[str, Any]:
    """A sweep as plain data: of each arm what differs, and how its run stands (see `terminal.run_state`).

    Raises:
        RunError: there is no sweep, or a run in it is damaged.
    """
    from japagen.sweepdir import Sweep
    from japagen.terminal import run_state

    sweep = Sweep.open(path)
    begun = sweep.begun()
    states = {name: run_state(begun[name].path) if name in begun else None for name in sweep.overrides}
    return {
        "sweep": sweep.name,
        "path": str(path),
        "arms": {name: {"differs": sweep.overrides[name], "run": state} for name, state in states.items()},
    }


def print_sweep(state: Mapping[str, Any], console: Console) -> None:
    """Print a table of the arms: what differs, which stages stand, how many texts there are, and the first score."""
    from japagen.sweepdir import differing

    table = Table("arm", "what differs", "stages", title=f"sweep {escape(state['sweep'])}", title_justify="left")
    table.add_column("texts", justify="right")
    table.add_column("score of the first student", no_wrap=True)
    finished = 0
    for name, arm in state["arms"].items():
        stages = (arm["run"] or {}).get("stages", {})
        done = [stage for stage, facts in stages.items() if facts]
        finished += bool(stages) and len(done) == len(stages)
        texts = (stages.get("curate") or {}).get("accounting", {}).get("kept")
        table.add_row(
            escape(name),
            escape(visible(differing(arm["differs"]))),
            escape(_stages(stages)),
            "" if texts is None else f"{texts:,}",
            escape(_first_score((arm["run"] or {}).get("scores"))),
        )
    console.print(table)
    if finished > 1:
        what = "" if finished == len(state["arms"]) else f" the {finished} that are finished"
        console.print(f"compare{what}: japagen compare {state['path']} -o arms.html", highlight=False, markup=False)


def _stages(stages: Mapping[str, Any]) -> str:
    """Which stages stand, and from which arm some of them are."""
    done = [stage for stage, facts in stages.items() if facts]
    if not done:
        return "to do"
    taken: dict[str, list[str]] = {}
    for stage in done:
        if origin := stages[stage].get("taken_from"):
            taken.setdefault(str(origin), []).append(stage)
    told = "all" if len(done) == len(stages) else f"to {done[-1]}"
    return told + "".join(f"; {', '.join(names)} of {origin}" for origin, names in taken.items())


def _first_score(scores: Mapping[str, Any] | None) -> str:
    from japagen.terminal import with_interval

    if not scores or not scores["systems"]:
        return ""
    first = scores["systems"][0]
    return f"{with_interval(first['scores'][scores['metric']])} {scores['metric']}, {first['name']}"
