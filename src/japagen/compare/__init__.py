"""The paper's table, tasks in columns and methods in rows, made from runs that are finished: `compare`.

Nothing is measured anew and no model is asked: scores are those of the runs, and tests are made of their predictions. The
formats are files of their own: `markdown`, `latex`, `longform` (CSV), `page` (HTML), `screen` (a terminal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from japagen.compare import arms
from japagen.compare.armfacts import Against
from japagen.compare.beside import contrasts, costs, gains, overlaps
from japagen.compare.finished import Finished, read_run
from japagen.compare.marking import Cells, GoldRows, cells_of, column_of, corrected, tests_in
from japagen.compare.methods import entries, in_order, several_llms
from japagen.compare.same import check_same
from japagen.compare.table import Cell, Column, Comparison, Contrast, Cost, Gain, Method, Overlap, Row
from japagen.errors import ConfigError, did_you_mean
from japagen.progress import Listener, Progress, silent

__all__ = ["Cell", "Column", "Comparison", "Contrast", "Cost", "Gain", "Method", "Overlap", "Row", "compare"]


def compare(
    runs: Sequence[str | Path],
    *,
    students: Sequence[str] = (),
    metric: str | None = None,
    all_metrics: bool = False,
    average: bool = False,
    base: str | None = None,
    on_progress: Listener = silent,
) -> Comparison:
    """Compare finished runs: each task with its metric is a column, each method a row.

    The best of a column, and those that cannot be told from it, are marked: paired bootstrap over test rows (groups of
    them) and seeds against the best, two-sided, with Holm's correction over all these comparisons of the table.

    Args:
        runs: folders of finished runs, or of sweeps, which stand for their arms.
        students: only these; all, if none is named. Methods without a student always stay.
        metric: in place of each task's own.
        all_metrics: every metric of every task, each a column.
        average: also the mean over columns, which may be of different metrics.
        base: arm of a sweep that the others are compared with; by default the first in which nothing differs.
        on_progress: told which column is being computed.

    Raises:
        RunError: a run is absent, unfinished or damaged, or two runs of a task cannot be compared.
        ConfigError: nothing to compare, a run twice, or an unknown student, metric or arm.
    """
    folders, unfinished = arms.opened(runs)
    all_runs = arms.called(_read(folders))
    everyone, same = arms.distinct(all_runs)
    bases = arms.base_of(everyone, base)
    tasks = _by_task(everyone)
    _check_students(everyone, students)
    name_llm = several_llms(everyone)
    metrics = {task: _metrics(group[0], metric, all_metrics=all_metrics) for task, group in tasks.items()}
    for group in tasks.values():
        check_same(group)
    found = {task: entries(group, students, name_llm=name_llm) for task, group in tasks.items()}
    tests = sum(tests_in(found[task], name) for task in tasks for name in metrics[task])
    columns: list[Column] = []
    cells: list[Cells] = []
    gained: list[Gain] = []
    differences: list[Against] = []
    for task, group in tasks.items():
        rows, by_name, systems = GoldRows(group[0], tests), {run.name: run for run in group}, found[task]
        for name in metrics[task]:
            tell = partial(_tell, on_progress, f"{task}, {name}", len(systems))
            gained += gains(len(columns), by_name, systems, name, rows)
            differences += arms.against(len(columns), group, bases.get(task), students, name, rows)
            columns.append(column_of(rows, name))
            cells.append(cells_of(systems, name, rows, tell))
            tell(len(systems))
    marked, tests = corrected(cells)
    return Comparison(
        columns=tuple(columns),
        rows=_rows(marked, average=average),
        tests=tests,
        averaged=average,
        contrasts=contrasts(everyone, name_llm=name_llm),
        gains=gained,
        costs=costs(everyone, name_llm=name_llm),
        overlaps=overlaps(everyone),
        runs=tuple(run.name for run in all_runs),
        arms=arms.described(all_runs, same, bases, differences, students, unfinished),
    )


def _read(paths: Sequence[str | Path]) -> list[Finished]:
    if not paths:
        raise ConfigError("there is nothing to compare", where="compare", remedy="give folders of finished runs")
    found: list[Finished] = []
    for path in paths:
        run = read_run(path)
        if any(run.folder.samefile(other.folder) for other in found):
            raise ConfigError("the same run is given twice", where=path, remedy="name it once")
        found.append(run)
    names = [run.name for run in found]
    return [run if names.count(run.name) == 1 else replace(run, name=str(run.folder)) for run in found]


def _tell(listener: Listener, item: str, total: int, done: int) -> None:
    listener(Progress("compare", item, done, total))


def _by_task(runs: Sequence[Finished]) -> dict[str, list[Finished]]:
    tasks: dict[str, list[Finished]] = {}
    for run in runs:
        tasks.setdefault(run.task, []).append(run)
    return tasks


def _check_students(runs: Sequence[Finished], asked: Sequence[str]) -> None:
    known = {system.student.removesuffix(" ensemble") for run in runs for system in run.systems.values()} - {""}
    for name in asked:
        if name not in known:
            raise ConfigError(
                f"no run has a student '{name}'", where="--student", remedy=did_you_mean(name, sorted(known))
            )


def _metrics(run: Finished, asked: str | None, *, all_metrics: bool) -> tuple[str, ...]:
    """The metrics that make a column for a task."""
    if asked is not None and all_metrics:
        raise ConfigError("one metric is asked for, and all", where="--metric", remedy="use --metric or --all-metrics")
    if asked is None:
        return run.metrics if all_metrics else (run.metric,)
    if asked not in run.metrics:
        raise ConfigError(
            f"task '{run.task}' is not measured by '{asked}'", where="--metric", remedy=did_you_mean(asked, run.metrics)
        )
    return (asked,)


def _rows(columns: Sequence[Cells], *, average: bool) -> tuple[Row, ...]:
    methods = in_order({method: None for cells in columns for method in cells})
    rows = [Row(method, tuple(cells.get(method) for cells in columns)) for method in methods]
    return tuple(replace(row, average=_mean(row.cells)) for row in rows) if average else tuple(rows)


def _mean(cells: Sequence[Cell | None]) -> float | None:
    """Over all columns; None where one of them has no value."""
    values = [cell.value for cell in cells if cell is not None and cell.value is not None]
    return sum(values) / len(values) if len(values) == len(cells) else None
