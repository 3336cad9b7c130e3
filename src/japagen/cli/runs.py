"""Commands that make a run: all of it or up to a stage, what it would cost, what would be sent, and how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from japagen.cli import analysis, curation
from japagen.cli.app import (
    Arms,
    AsJson,
    Changes,
    DryRun,
    ExperimentFiles,
    Redo,
    RunFolder,
    Runs,
    TaskName,
    app,
    experiments,
    out,
    print_json,
)
from japagen.cli.work import show_run, work


def _stage_command(name: str, until: str, doc: str) -> None:
    def command(
        experiment: ExperimentFiles = None,
        task: TaskName = None,
        changes: Changes = None,
        arm: Arms = None,
        dry_run: DryRun = False,
        redo: Redo = None,
        runs: Runs = Path("runs"),
        as_json: AsJson = False,
    ) -> None:
        work(experiment, task, changes, runs, redo, until, dry_run, as_json, arm or ())

    command.__doc__ = doc
    app.command(name)(command)


_stage_command(
    "run",
    "report",
    "Run an experiment: generate, curate, train, evaluate, analyze, report. Stages that stand are skipped.\n\n"
    "With --task alone the task is run with everything else at its default. An experiment with arms runs all of them, "
    "each into a folder of its own; what is equal in them is done once.",
)
_stage_command("generate", "generate", "Run up to stage 1: a language model writes labelled texts.")
app.command()(curation.curate)
_stage_command("train", "train", "Run up to stage 3: students learn from the texts.")
_stage_command("evaluate", "evaluate", "Run up to stage 4: measure students and baselines on human-labelled data.")
app.command()(analysis.analyze)
_stage_command("report", "report", "Run up to stage 6: write report.html and report.md.")


@app.command()
def prompt(
    experiment: ExperimentFiles = None,
    task: TaskName = None,
    changes: Changes = None,
    label: Annotated[str | None, typer.Option("--label", help="Only this label.")] = None,
    n: Annotated[int, typer.Option("-n", min=1, help="Requests per label.")] = 1,
    style: Annotated[
        str | None, typer.Option("--style", help="chat or document; default: what the model needs.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the exact messages that would be sent, without calling anything."""
    from japagen.previews import preview

    requests = [
        request
        for each in experiments(experiment, task, changes)
        for request in preview(each, label=label, n=n, style=style)
    ]
    if as_json:
        print_json(requests)
        return
    for request in requests:
        attributes = "   ".join(f"{name}: {value}" for name, value in request["attributes"].items())
        out.rule(escape(f"{request['id']}   {attributes}   seed: {request['seed']}"))
        for message in request["messages"]:
            out.print(f"[bold cyan]{message['role']}[/]", highlight=False)
            out.print(message["content"], markup=False, highlight=False)
        if request["document"] is not None:
            out.print("[bold cyan]as the document that the model continues[/]", highlight=False)
            out.print(request["document"], markup=False, highlight=False)


@app.command()
def show(run: RunFolder, as_json: AsJson = False) -> None:
    """Show a run: which stages stand, where the rows went, and the scores. Of a sweep's folder: its arms."""
    show_run(run, as_json)


app.command()(curation.filters)
