"""Commands about curation: run it, one row's way through it, rows wanted back or audited, which filters there are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from japagen.cli.app import (
    Arms,
    AsJson,
    Changes,
    DryRun,
    ExperimentFiles,
    Redo,
    Runs,
    TaskName,
    out,
    print_json,
    visible,
)
from japagen.cli.work import work
from japagen.errors import ConfigError

Explain = Annotated[
    str | None, typer.Option("--explain", metavar="ID", help="RUN in place of EXPERIMENT: show one row's way.")
]
Restore = Annotated[
    list[str] | None,
    typer.Option("--restore", metavar="ID", help="RUN in place of EXPERIMENT: keep this dropped row. May be repeated."),
]
Audit = Annotated[
    Path | None,
    typer.Option("--audit", metavar="FILE", help="RUN in place of EXPERIMENT: write rows for a person to label."),
]


def curate(
    experiment: ExperimentFiles = None,
    task: TaskName = None,
    changes: Changes = None,
    arm: Arms = None,
    dry_run: DryRun = False,
    redo: Redo = None,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
    explain: Explain = None,
    restore: Restore = None,
    audit: Audit = None,
    n: Annotated[int, typer.Option("-n", min=1, help="--audit: how many rows.")] = 100,
) -> None:
    """Run up to stage 2: drop what is not worth training on, each text with its reason.

    Of a finished curation: --explain ID, --restore ID, --audit FILE, each with the run's folder.
    """
    asked = {"--explain": explain, "--restore": restore, "--audit": audit}
    given = [name for name, value in asked.items() if value is not None and value != []]
    if not given:
        if run := next((one for one in experiment or () if (one / "run.json").is_file()), None):
            raise ConfigError(
                "is a run, not an experiment",
                where=run,
                remedy="give the experiment's file, or ask of the run: --explain ID, --restore ID or --audit FILE",
            )
        work(experiment, task, changes, runs, redo, "curate", dry_run, as_json, arm or ())
        return
    if len(given) > 1:
        raise ConfigError(f"{given[0]} and {given[1]} are two questions", where="curate", remedy="ask one at a time")
    if not experiment or len(experiment) > 1 or task is not None or changes or arm or redo or dry_run:
        raise ConfigError(
            f"{given[0]} is about one finished run",
            where="curate",
            remedy=f"give: japagen curate RUN {given[0]} …, e.g. japagen curate runs/reviews {given[0]} …",
        )
    if explain is not None:
        _explain(experiment[0], explain, as_json)
    elif restore:
        _restore(experiment[0], restore)
    elif audit:
        _audit(experiment[0], audit, n)


def filters(as_json: AsJson = False) -> None:
    """List the filters and repairs of curation: what each asks, and whether it is on by default."""
    from japagen.curate.filters import CHECKS, REPAIRS

    if as_json:
        kinds = {"repair": REPAIRS, "filter": CHECKS}
        print_json(
            [
                {"name": name, "kind": kind, "question": question, "default": default}
                for kind, known in kinds.items()
                for name, (question, default) in known.items()
            ]
        )
        return
    table = Table("name", "question", "default", box=None, pad_edge=False)
    for kind, known in (("repairs", REPAIRS), ("filters", CHECKS)):
        table.add_row(f"[bold]{kind}[/]")
        for name, (question, default) in known.items():
            table.add_row(name, escape(question), "on" if default else "off")
    out.print(table)
    out.print("Switched in the experiment: curate: {filters: {NAME: true}}, false for off.", highlight=False)


def _explain(run: Path, row: str, as_json: bool) -> None:
    from japagen.explained import explained

    found = explained(run, row)
    if as_json:
        print_json(found)
        return
    out.print(f"[bold]{escape(found['id'])}[/]  {escape(found['label'])}", highlight=False)
    for text in (found["text"], found["text_pair"]):
        if text is not None:
            out.print(visible(text), markup=False, highlight=False)
    table = Table("step", "question", "outcome", "", box=None, pad_edge=False)
    styles = {"dropped": "bold red", "mended": "yellow", "would drop": "dim red", "not asked": "dim"}
    for answer in found["steps"]:
        style = styles.get(answer["outcome"], "")
        shown = (escape(visible(answer[key])) for key in ("step", "question", "outcome", "detail"))
        table.add_row(*shown, style=style)
    out.print(table)
    if found["mended"] is not None:
        out.print(f"kept as: {escape(visible(found['mended']))}", highlight=False)
    out.print(escape(visible(found["outcome"])), highlight=False)


def _restore(run: Path, ids: list[str]) -> None:
    from japagen.pipeline.rules import RESTORED, restore
    from japagen.rundir import Run

    place = Run.open(run)
    with place.lock():
        noted = restore(place, ids)
    rows = f"{noted} row{'' if noted == 1 else 's'}"
    out.print(f"{RESTORED} names {rows} to keep; remove a line to take it back", markup=False, highlight=False)
    out.print(
        f"to have {'it' if noted == 1 else 'them'} kept, give the same experiment again: {place.command} --redo curate",
        markup=False,
        highlight=False,
    )


def _audit(run: Path, file: Path, n: int) -> None:
    from japagen.explained import write_audit

    rows = write_audit(run, file, n)
    out.print(f"{rows} rows are in {file}: write each one's label between the quotation marks", markup=False)
    out.print(
        "then name the file in the experiment: analyze: {people: FILE} says how many labels are right; "
        "curate: {judge: {audit: FILE}} lets it decide whether a judge's doubts count",
        markup=False,
        highlight=False,
    )
