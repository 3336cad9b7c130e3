"""The arms of sweeps among the runs of a comparison: which there are, how they differ from the first, what analysis says.

Every arm is held against one of its sweep, which stands first unless another is named: the same student, the same test
rows and resamples, a two-sided test; Holm's correction is over all these tests of the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from japagen.compare.armfacts import Against, Arm, Arms, Value
from japagen.compare.finished import Finished, Measured
from japagen.compare.marking import GoldRows, tested
from japagen.compare.measures import unknown, values_of
from japagen.compare.ranks import agreements, rankings
from japagen.errors import ConfigError, RunError, did_you_mean
from japagen.metrics import Undefined
from japagen.rundir import Run
from japagen.significance import holm
from japagen.sweepdir import Sweep, differing, is_sweep


def opened(paths: Sequence[str | Path]) -> tuple[list[Path], list[str]]:
    """Folders of runs, those of sweeps replaced by their arms; and the names of arms in which nothing was measured yet.

    Raises:
        RunError: a sweep is damaged, or no arm of it is finished.
    """
    runs: list[Path] = []
    unfinished: list[str] = []
    for path in map(Path, paths):
        if not is_sweep(path):
            runs.append(path)
            continue
        sweep = Sweep.open(path)
        begun = sweep.begun()
        finished = [run.path for run in begun.values() if run.done("evaluate") is not None]
        if not finished:
            remedy = f"finish them with: japagen run {sweep.name}.yaml"
            raise RunError(
                "none of its arms is finished: their systems have not been measured", where=path, remedy=remedy
            )
        runs += finished
        unfinished += [name for name in sweep.overrides if sweep.folder(name) not in finished]
    return runs, unfinished


def called(runs: Sequence[Finished]) -> list[Finished]:
    """The runs by the names that tables use: arms by their own where all are of one sweep."""
    if len({run.sweep for run in runs}) == 1 and runs[0].sweep:
        return [replace(run, name=run.folder.resolve().name) for run in runs]
    return list(runs)


def distinct(runs: Sequence[Finished]) -> tuple[list[Finished], dict[str, str]]:
    """The runs without arms that took texts, students and answers over from another; and by name whose they have."""
    first: dict[object, str] = {}
    same: dict[str, str] = {}
    for run in runs:
        key = (run.sweep, run.texts, run.answers) if run.sweep else run.name
        if (other := first.setdefault(key, run.name)) != run.name:
            same[run.name] = other
    return [run for run in runs if run.name not in same], same


def base_of(runs: Sequence[Finished], asked: str | None) -> dict[str, str]:
    """By task the name of the run that arms are compared with: the one asked for, else the first in which nothing differs,
    else the first. Tasks with fewer than two arms have none.

    Raises:
        ConfigError: no arm is called as asked.
    """
    arms = [run for run in runs if run.sweep]
    if asked is not None and asked not in [run.name for run in arms]:
        remedy = did_you_mean(asked, [run.name for run in arms]) if arms else "give a sweep's folder"
        raise ConfigError(f"no arm is called '{asked}'", where="--against", remedy=remedy)
    tasks: dict[str, list[Finished]] = {}
    for run in arms:
        tasks.setdefault(run.task, []).append(run)
    found = {}
    for task, group in tasks.items():
        if len(group) > 1:
            plain = next((run for run in group if not _differs(run)), group[0])
            found[task] = next((run.name for run in group if run.name == asked), plain.name)
    return found


def against(
    column: int, runs: Sequence[Finished], base: str | None, students: Sequence[str], metric: str, rows: GoldRows
) -> list[Against]:
    """Each arm minus the base, for every student that both have; without correction, see `corrected_against`.

    Args:
        column: number of the table's column.
        runs: of one task, each with answers of its own.
        base: name of the run that they are compared with; None: nothing is.
        students: only these; empty for all.
        metric: of the column.
        rows: the task's test rows.
    """
    first = next((run for run in runs if run.name == base), None)
    if first is None:
        return []
    found = []
    said = {(name, system.labels, system.values): first.name for name, system in first.systems.items()}
    for run in runs:
        if run is first or not run.sweep:
            continue
        for name, system in _students(run, students).items():
            other = first.systems.get(name)
            if other is None:
                continue
            same = said.setdefault((name, system.labels, system.values), run.name)
            one = _difference(run.name, first.name, column, system, other, metric, rows)
            found.append(one if same == run.name else replace(one, p=None, same=same))
    return found


def _difference(
    arm: str, base: str, column: int, system: Measured, other: Measured, metric: str, rows: GoldRows
) -> Against:
    try:
        score = rows.measure(system, metric).minus(rows.measure(other, metric))
    except Undefined as error:
        return Against(arm, base, system.student, column, None, None, None, None, undefined=str(error))
    p = tested(rows, system, other, metric)
    return Against(arm, base, system.student, column, score.value, score.low, score.high, p)


def corrected_against(found: Sequence[Against]) -> list[Against]:
    """After Holm's correction over all of them; those whose answers another arm gives as well have its p."""
    adjusted = holm({place: each.p for place, each in enumerate(found) if each.p is not None})
    told = [replace(each, p_holm=adjusted.get(place)) for place, each in enumerate(found)]
    own = {(each.arm, each.student, each.column): each for each in told}
    twins = [own.get((each.same, each.student, each.column)) for each in told]
    return [
        each if twin is None else replace(each, p=twin.p, p_holm=twin.p_holm)
        for each, twin in zip(told, twins, strict=True)
    ]


def described(
    runs: Sequence[Finished],
    same: Mapping[str, str],
    base: Mapping[str, str],
    found: Sequence[Against],
    students: Sequence[str],
    unfinished: Sequence[str],
) -> Arms | None:
    """All that is told of arms; None where no run is one.

    Args:
        runs: all of them.
        same: by name the run whose texts and students one has (`distinct`).
        base: see `base_of`.
        found: see `against`.
        students: only these; the first of them that a run has gives its score.
        unfinished: arms that are left out.
    """
    arms = [_arm(run, same.get(run.name, ""), students) for run in runs if run.sweep]
    if not arms:
        return None
    tasks = list(dict.fromkeys(arm.task for arm in arms))
    by_task = [[arm for arm in arms if arm.task == task] for task in tasks]
    return Arms(
        arms=arms,
        base=base,
        against=corrected_against(found),
        rankings=[each for group in by_task for each in rankings(group)],
        agreements=[each for group in by_task for each in agreements(group)],
        unfinished=list(unfinished),
        sweeps=list(dict.fromkeys(run.sweep for run in runs if run.sweep)),
    )


def _arm(run: Finished, same: str, students: Sequence[str]) -> Arm:
    systems = list(_students(run, students).values())
    score = systems[0].scores.get(run.metric) if systems else None
    found = None
    if score is not None and score.get("value") is not None:
        found = Value(float(score["value"]), score.get("low"), score.get("high"), str(score.get("signature") or ""))
    return Arm(
        name=run.name,
        differs=differing(_differs(run)),
        task=run.task,
        same=same,
        texts=run.texts,
        tokeniser=str((run.settings.get("analyze") or {}).get("tokeniser") or "unidic-lite"),
        asked=(run.accounts.get("generate") or {}).get("requested"),
        kept=(run.accounts.get("curate") or {}).get("kept"),
        score=found,
        student=systems[0].student if systems else "",
        values=values_of(run.analysis or {}),
        unknown=unknown(run.analysis or {}),
    )


def _students(run: Finished, asked: Sequence[str]) -> dict[str, Measured]:
    """The students of a run that learnt from its texts, by the name of the system."""
    return {
        name: system
        for name, system in run.systems.items()
        if system.kind == "japagen" and (not asked or system.student.removesuffix(" ensemble") in asked)
    }


def _differs(run: Finished) -> Mapping[str, object]:
    """What the sweep says of an arm; nothing where its folder was moved out of the sweep's."""
    parent = run.folder.resolve().parent
    if not is_sweep(parent):
        return {}
    return Sweep.open(parent).overrides.get(Run(run.folder).about()["experiment"], {})
