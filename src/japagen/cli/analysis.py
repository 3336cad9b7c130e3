"""`japagen analyze`: stage 5 of a run; or any file of texts beside human ones, without a run."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from japagen.cli.app import (
    Arms,
    AsJson,
    Changes,
    DryRun,
    Redo,
    Runs,
    TaskName,
    err,
    out,
    print_json,
    visible,
)
from japagen.cli.goldcheck import label_meanings
from japagen.cli.work import work
from japagen.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from japagen.anyfile import FileAnalysis, FileSettings
    from japagen.report.language import Language

_PARTS = ("text", "text_pair", "label", "id")
_EXPERIMENTS = (".yaml", ".yml")


def analyze(
    experiment: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[EXPERIMENT]... | FILE",
            help="YAML files of experiments; or one file of texts: JSONL, CSV, TSV or Parquet.",
            show_default=False,
        ),
    ] = None,
    task: TaskName = None,
    changes: Changes = None,
    arm: Arms = None,
    dry_run: DryRun = False,
    redo: Redo = None,
    runs: Runs = Path("runs"),
    as_json: AsJson = False,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="GOLD", help="FILE: human texts to compare with, or a published set."),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="FILE: column of the text, or the first of two.")] = None,
    text_pair: Annotated[str | None, typer.Option("--text-pair", help="FILE: column of the second text.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="FILE: column of the label.")] = None,
    identifier: Annotated[str | None, typer.Option("--id", help="FILE: column of the rows' names.")] = None,
    gold: Annotated[
        list[str] | None,
        typer.Option("--gold", metavar="PART=COLUMN", help="FILE: the same of GOLD, e.g. --gold text=本文."),
    ] = None,
    mapped: Annotated[
        list[str] | None, typer.Option("--map", metavar="VALUE=LABEL", help="FILE: what a file calls a label.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="FILE: folder for analysis.json, report.html and report.md.")
    ] = None,
    language: Annotated[str, typer.Option("--language", help="FILE: of the report, en or ja.")] = "en",
) -> None:
    """Run up to stage 5: describe the synthetic texts beside the human ones.

    With a file of texts instead of an experiment it is analysed by itself: japagen analyze texts.jsonl --against gold.csv
    """
    files = experiment or []
    named = {"text": text, "text_pair": text_pair, "label": label, "id": identifier}
    columns = {part: column for part, column in named.items() if column is not None}
    if not files or all(file.suffix.lower() in _EXPERIMENTS for file in files):
        if against or columns or gold or mapped or output:
            raise ConfigError(
                "--against, --output and columns are for a file of texts; an experiment names its gold data",
                where="analyze",
                remedy="give: japagen analyze FILE --against GOLD, or leave them out",
            )
        work(experiment, task, changes, runs, redo, "analyze", dry_run, as_json, arm or ())
        return
    if len(files) > 1 or redo or dry_run or arm:
        what = "--redo, --dry-run and --arm are for experiments" if len(files) == 1 else "more than one file is given"
        raise ConfigError(what, where="analyze", remedy="give one file of texts: japagen analyze FILE --against GOLD")
    options = {
        "against": against,
        "task": task,
        "columns": columns,
        "gold_columns": dict(map(_column, gold)) if gold else None,
        "labels": label_meanings(mapped or []),
        "settings": _settings(changes or []),
        "language": _language(language),
        "command": shlex.join(["japagen", *sys.argv[1:]]),
    }
    _file(files[0], options, output, as_json)


def _file(file: Path, options: dict[str, Any], output: Path | None, as_json: bool) -> None:
    from japagen.anyfile import analyze_file
    from japagen.report import write_report
    from japagen.tables import write_json
    from japagen.terminal import live_progress, logged_progress

    if output is not None and output.exists() and not output.is_dir():
        raise ConfigError("is no folder", where=output, remedy="choose another --output")
    with live_progress(err, enabled=err.is_terminal and not as_json) as live:
        listener = live if err.is_terminal or as_json else logged_progress(err)
        found = analyze_file(file, **options, on_progress=listener)
    if output is not None:
        try:
            write_report(found.data, output)
            write_json(output / "analysis.json", found.analysis | {"contamination": found.contamination})
        except OSError as error:
            raise ConfigError(
                f"cannot be written: {error.strerror or error}", where=output, remedy="choose another --output"
            ) from error
    if as_json:
        print_json(found.analysis | {"contamination": found.contamination})
        return
    _print(found, output)


def _column(text: str) -> tuple[str, str]:
    """Part and column of a --gold."""
    part, equals, column = text.partition("=")
    if not equals or not column.strip():
        raise ConfigError(f"'{text[:60]}' is not PART=COLUMN", where="--gold", remedy="e.g. --gold text=本文")
    if part not in _PARTS:
        raise ConfigError(f"'{part}' is no part of a row", where="--gold", remedy=did_you_mean(part, _PARTS))
    return part, column


def _language(name: str) -> Language:
    match name:
        case "en" | "ja":
            return name
    raise ConfigError(f"no report is written in '{name}'", where="--language", remedy="use en or ja")


def _settings(changes: list[str]) -> FileSettings:
    from japagen.anyfile import FileSettings
    from japagen.cli.app import change
    from japagen.yamlfile import check_model

    return check_model(FileSettings, {}, Path("--set"), changes=dict(map(change, changes)))


def _print(found: FileAnalysis, output: Path | None) -> None:
    from japagen.report.told import told

    rows, gold = found.rows
    beside = f" beside {gold:,} human ones" if gold else "; no human texts to compare with (--against GOLD)"
    out.print(f"{rows:,} {'text' if rows == 1 else 'texts'}{beside}", highlight=False)
    hits = sum(one["exact"] + one["canonical"] for one in found.contamination)
    if hits:
        stand = "human row stands" if hits == 1 else "human rows stand"
        out.print(f"[bold red]{hits:,} {stand} in the file[/]: do not measure on what learns from it.", highlight=False)
    for title, alarms, sentences in told(found.analysis):
        out.print(f"\n[bold]{escape(title)}[/]")
        for alarm in alarms:
            out.print(f"[bold yellow]![/] {escape(visible(alarm))}", highlight=False)
        for sentence in sentences:
            out.print(escape(visible(sentence)), highlight=False)
    if output is not None:
        out.print(f"\nreport: {escape(str(output / 'report.html'))}", highlight=False)
