"""The command that says what a test set can show, before anything is spent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from japagen.cli.app import AsJson, app, out, print_json
from japagen.errors import ConfigError

if TYPE_CHECKING:
    from japagen.task import Task

_USUAL = {"--difference": 0.03, "--power": 0.8, "--alpha": 0.05}


@app.command()
def power(
    name: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="A built-in task, or the file of a task or an experiment.", show_default=False
        ),
    ],
    n: Annotated[int | None, typer.Option("--n", min=1, help="So many rows in place of the task's test set.")] = None,
    discordance: Annotated[
        list[float] | None,
        typer.Option(
            "--discordance",
            help="Share of rows that one system alone gets right; similarity: 1 minus the systems' correlation.",
        ),
    ] = None,
    score: Annotated[float | None, typer.Option("--score", help="What the systems score, about.")] = None,
    wanted: Annotated[float, typer.Option("--power", help="Probability of noticing a difference.")] = 0.8,
    alpha: Annotated[float, typer.Option("--alpha", help="Level of the test.")] = 0.05,
    comparisons: Annotated[
        int, typer.Option("--comparisons", min=1, help="As many differences are tested, with Holm's correction.")
    ] = 1,
    difference: Annotated[
        float | None, typer.Option("--difference", help="Also say how many rows show a difference of, e.g., 0.03.")
    ] = None,
    icc: Annotated[
        float | None, typer.Option("--icc", min=0, max=1, help="Correlation of rows within a group; default: .34.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the smallest difference between two systems that a test set can show, before money is spent."""
    from japagen.evaluate.power import ICC
    from japagen.evaluate.testsets import DISCORDANCES, plan

    for option, share in (("--difference", difference), ("--power", wanted), ("--alpha", alpha)):
        if share is not None and not 0 < share < 1:
            raise ConfigError(f"{share:g} is no share between 0 and 1", where=option, remedy=f"e.g. {_USUAL[option]}")
    found = plan(
        _task(name),
        n=n,
        discordances=discordance or DISCORDANCES,
        power=wanted,
        alpha=alpha,
        comparisons=comparisons,
        score=score,
        icc=ICC if icc is None else icc,
        difference=difference,
    )
    if as_json:
        print_json(found)
        return
    _print(found)


def _task(name: str) -> Task:
    from japagen.experiment import Experiment
    from japagen.task import Task
    from japagen.yamlfile import read_yaml

    if Path(name).suffix in {".yaml", ".yml"}:
        data, _ = read_yaml(Path(name))
        if isinstance(data, dict) and "task" in data:
            return Experiment.load(name).load_task()
    return Task.load(name)


def _print(found: dict[str, Any]) -> None:
    rows = f"{found['rows']:,} rows"
    if found["groups"]:
        rows += f" in {found['groups']:,} groups, which say as much as {found['effective_rows']:,.0f} independent ones"
    out.print(f"{found['task']}: {rows} ({found['source']})", highlight=False, markup=False)
    level = 100 * (1 - found["alpha"])
    width = f"a score of about {_short(found['score'])} has a {level:g} % interval of ±{_short(found['half_width'])}"
    out.print(f"{found['metric']}: {width}, seeds aside", highlight=False, markup=False)
    table = Table(title=f"smallest difference noticed with probability {found['power']:g}", title_justify="left")
    table.add_column("discordance", justify="right")
    table.add_column("one test", justify="right")
    if found["comparisons"] > 1:
        table.add_column(f"{found['comparisons']} tests (Holm)", justify="right")
    if found["difference"] is not None:
        table.add_column(f"rows for {_short(found['difference'])}", justify="right")
    for line in found["by_discordance"]:
        cells = [f"{100 * line['discordance']:g} %", _short(line["smallest_difference"])]
        if found["comparisons"] > 1:
            cells.append(_short(line["smallest_difference_holm"]))
        if found["difference"] is not None:
            needed = line["rows_needed"]
            cells.append("none" if needed is None else f"{needed:,}")
        table.add_row(*cells)
    out.print(table)
    if any(line["smallest_difference"] is None for line in found["by_discordance"]):
        note = "none: too few rows to notice any difference between systems that differ in so few"
        out.print(note, highlight=False, markup=False)


def _short(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}".replace("0.", ".", 1)
