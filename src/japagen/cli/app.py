"""The application, and what its commands share: options, the two consoles, how errors and JSON are printed."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from japagen.errors import ConfigError, JapagenError

if TYPE_CHECKING:
    from japagen.experiment import Experiment

app = typer.Typer(
    name="japagen",
    help="From a description of labels to a small, fast, evaluated Japanese text classifier, without labelled data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Stage(StrEnum):
    """The stages, as values of an option."""

    generate = "generate"
    curate = "curate"
    train = "train"
    evaluate = "evaluate"
    analyze = "analyze"
    report = "report"


ExperimentFiles = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[EXPERIMENT]...", help="YAML files of experiments.", show_default=False),
]
TaskName = Annotated[
    str | None,
    typer.Option(
        "--task", help="A task in place of the experiment's: a built-in name, a .yaml file, or a .json of the authors."
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="A value in place of the file's, e.g. generate.per_label=50."),
]
Arms = Annotated[
    list[str] | None,
    typer.Option("--arm", metavar="NAME", help="Of an experiment with arms only this one; may be given again."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be sent and cost, and send nothing.")]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="The run's folder, e.g. runs/reviews.", show_default=False)
]
Runs = Annotated[Path, typer.Option("--runs", help="Folder that holds the runs.")]
Redo = Annotated[
    Stage | None, typer.Option("--redo", help="Make this stage again, and all after it. Replies are kept.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

_WIDE = None if sys.stdout.isatty() else 140  # a pipe has no width; tables want to be whole
out = Console(soft_wrap=True, width=_WIDE)
err = Console(stderr=True, soft_wrap=True)


def print_error(error: JapagenError) -> None:
    """Two lines on standard error: what and where, and what to do."""
    head = "[bold yellow]stopped[/]" if error.exit_code == 130 else "[bold red]error[/]"
    what = error.what.removeprefix("stopped ") if error.exit_code == 130 else error.what
    first = f"{error.where}: {what}" if error.where else what
    for start, text in ((head + " ", first), ("", error.remedy)):
        if text:
            err.print(start + escape(visible(text)), highlight=False)


def visible(text: str) -> str:
    """What a file says may hold line breaks and escape sequences: they are shown, not obeyed."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def experiments(files: list[Path] | None, task: str | None, changes: list[str] | None) -> list[Experiment]:
    """The experiments that a command is about. A shell may have made several names of one --task with a star."""
    from japagen.experiment import Experiment

    if not files and task is None:
        remedy = "give an experiment's file, or --task NAME; japagen new writes one to start from"
        raise ConfigError("there is nothing to run", where="japagen", remedy=remedy)
    values = dict(map(change, changes or []))
    more = [file for file in files or [] if task is not None and file.suffix == ".json"]
    plain = [file for file in files or [] if file not in more]
    if task is not None and not plain:
        return [Experiment.load(task=name, changes=values) for name in (task, *map(str, more))]
    return [Experiment.load(file, task=task, changes=values) for file in plain]


def change(text: str) -> tuple[str, Any]:
    """Key and value of a --set.

    Raises:
        ConfigError: it is not KEY=VALUE.
    """
    from japagen.yamlfile import read_text

    key, equals, value = text.partition("=")
    try:
        if not equals or not key.strip():
            raise ConfigError("there is no '='")
        return key.strip(), read_text(value, "--set")[0] if value.strip() else None
    except ConfigError as error:
        shown = text if len(text) <= 60 else f"{text[:60]}…"
        remedy = "write KEY=VALUE, e.g. --set generate.per_label=50"
        raise ConfigError(f"'{shown}' cannot be read: {error.what}", where="--set", remedy=remedy) from error


def print_json(value: Any) -> None:
    """On standard output, for scripts."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")
