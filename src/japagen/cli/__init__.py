"""The command line: one command per verb. It parses, calls the library and prints; nothing is decided here.

An error that a user can mend is two lines on standard error and exit code 2 (130 after Ctrl-C).
"""

from __future__ import annotations

import io
import json
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from japagen.errors import ConfigError, DataError, JapagenError

if TYPE_CHECKING:
    from japagen.experiment import Experiment

app = typer.Typer(
    name="japagen",
    help="From a description of labels to a small, fast, evaluated Japanese text classifier, without labelled data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
tasks_app = typer.Typer(help="The built-in tasks.", invoke_without_command=True)
app.add_typer(tasks_app, name="tasks")


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
_out = Console(soft_wrap=True, width=_WIDE)
_err = Console(stderr=True, soft_wrap=True)


def main() -> None:
    """Entry point: the commands, with errors in two lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding is no reason to fail
    try:
        app(standalone_mode=True)
        sys.stdout.flush()
    except JapagenError as error:
        _print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        _err.print("stopped\ngo on with the same command", highlight=False)
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _print_error(error: JapagenError) -> None:
    head = "[bold yellow]stopped[/]" if error.exit_code == 130 else "[bold red]error[/]"
    what = error.what.removeprefix("stopped ") if error.exit_code == 130 else error.what
    first = f"{error.where}: {what}" if error.where else what
    for start, text in ((head + " ", first), ("", error.remedy)):
        if text:  # what a file says may hold line breaks and escape sequences: show them, do not obey them
            visible = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
            _err.print(start + escape(visible), highlight=False)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        import japagen

        _out.print(japagen.__version__)
        raise typer.Exit


def _experiments(files: list[Path] | None, task: str | None, changes: list[str] | None) -> list[Experiment]:
    """The experiments that a command is about. A shell may have made several names of one --task with a star."""
    from japagen.experiment import Experiment

    if not files and task is None:
        remedy = "give an experiment's file, or --task NAME; japagen new writes one to start from"
        raise ConfigError("there is nothing to run", where="japagen", remedy=remedy)
    values = dict(map(_change, changes or []))
    more = [file for file in files or [] if task is not None and file.suffix == ".json"]
    plain = [file for file in files or [] if file not in more]
    if task is not None and not plain:
        return [Experiment.load(task=name, changes=values) for name in (task, *map(str, more))]
    return [Experiment.load(file, task=task, changes=values) for file in plain]


def _change(text: str) -> tuple[str, Any]:
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


def _work(
    files: list[Path] | None,
    task: str | None,
    changes: list[str] | None,
    runs: Path,
    redo: Stage | None,
    until: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    from japagen.pipeline import run as run_stages
    from japagen.terminal import live_progress, logged_progress

    for experiment in _experiments(files, task, changes):
        if dry_run:
            _estimate(experiment, runs, until, as_json)
            continue
        with live_progress(_err, enabled=_err.is_terminal and not as_json) as live:
            listener = live if _err.is_terminal or as_json else logged_progress(_err)
            place = run_stages(
                experiment,
                runs=runs,
                redo=redo.value if redo else None,
                until=until,
                on_progress=listener,
                say=lambda text: _err.print(escape(text), highlight=False),
            )
        _show(place.path, as_json)


def _stage_command(name: str, until: str, doc: str) -> None:
    def command(
        experiment: ExperimentFiles = None,
        task: TaskName = None,
        changes: Changes = None,
        dry_run: DryRun = False,
        redo: Redo = None,
        runs: Runs = Path("runs"),
        as_json: AsJson = False,
    ) -> None:
        _work(experiment, task, changes, runs, redo, until, dry_run, as_json)

    command.__doc__ = doc
    app.command(name)(command)


_stage_command(
    "run",
    "report",
    "Run an experiment: generate, curate, train, evaluate, analyze, report. Stages that stand are skipped.\n\n"
    "With --task alone the task is run with everything else at its default.",
)
_stage_command("generate", "generate", "Run up to stage 1: a language model writes labelled texts.")
_stage_command("curate", "curate", "Run up to stage 2: drop what is not worth training on, each text with its reason.")
_stage_command("train", "train", "Run up to stage 3: students learn from the texts.")
_stage_command("evaluate", "evaluate", "Run up to stage 4: measure students and baselines on human-labelled data.")
_stage_command("analyze", "analyze", "Run up to stage 5: describe the synthetic texts beside the human ones.")
_stage_command("report", "report", "Run up to stage 6: write report.html and report.md.")


@tasks_app.callback()
def tasks_list(context: typer.Context, as_json: AsJson = False) -> None:
    """List the built-in tasks."""
    if context.invoked_subcommand is not None:
        return
    from japagen.task import Task, built_in_tasks

    tasks = [Task.load(name) for name in built_in_tasks()]
    rows: list[dict[str, Any]] = [
        {"name": t.name, "title": t.title, "kind": t.kind, "labels": list(t.labels), "metric": t.metric} for t in tasks
    ]
    if as_json:
        _print_json(rows)
        return
    table = Table("name", "title", "kind", "labels", "metric")
    for row in rows:
        table.add_row(row["name"], row["title"], row["kind"], ", ".join(row["labels"]), row["metric"])
    _out.print(table)


@tasks_app.command("show")
def tasks_show(
    name: Annotated[str, typer.Argument(help="A built-in task, or the path of a task file.")], as_json: AsJson = False
) -> None:
    """Show one task: its labels, prompts, words and gold data."""
    from japagen.task import Task, built_in_tasks

    task = Task.load(name)
    if as_json:
        _print_json(task.model_dump(mode="json"))
        return
    source = built_in_tasks().get(name, Path(name))
    _out.print(source.read_text(encoding="utf-8"), markup=False, highlight=False)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the task: letters, digits, '.', '_', '-'.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write.")] = Path(),
) -> None:
    """Write a commented task and experiment to start from: NAME-task.yaml and NAME.yaml."""
    from japagen.starter import write_starter

    for file in write_starter(name, folder):
        _out.print(f"wrote {file}", highlight=False, markup=False)
    _out.print(
        f"next: japagen prompt {folder / name}.yaml, then japagen run {folder / name}.yaml",
        highlight=False,
        markup=False,
    )


@app.command()
def words(
    task: Annotated[str, typer.Argument(help="A built-in task, or the path of a task file.", show_default=False)],
    source: Annotated[
        str,
        typer.Option(
            "--from", help="A jsonl, csv, tsv or parquet file of texts, or - for JSON lines.", show_default=False
        ),
    ],
    column: Annotated[str, typer.Option("--column", help="Column that holds the text.")] = "text",
    label_column: Annotated[
        str | None, typer.Option("--label-column", help="Column that holds the label, if there is one.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, max=5000, help="Most words.")] = 60,
    min_count: Annotated[int, typer.Option("--min-count", min=1, help="Least occurrences of a word.")] = 3,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; default: NAME-words.yaml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Propose KADG words for a task: nouns typical of your texts, labelled or not, in a YAML file to edit.

    The file is used by naming it in the task: knowledge: {attributes: {word: {file: NAME-words.yaml}}}
    """
    from japagen.words.wordfile import mine_file

    place, found = mine_file(
        task,
        source,
        output,
        text_column=column,
        label_column=label_column,
        top=top,
        min_count=min_count,
        force=force,
    )
    groups = len({each.group for each in found})
    _out.print(f"wrote {len(found)} words in {groups} groups to {place}", highlight=False, markup=False)
    _out.print("next: delete what does not fit, then name the file in the task", highlight=False, markup=False)


@app.command("import-task")
def import_task(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Configurations of the paper's authors (.json).")
    ],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write.")] = Path(),
) -> None:
    """Write configurations of the paper's authors as task files of ours, with the same messages."""
    from japagen.starter import write_new
    from japagen.upstream import as_yaml, read_upstream

    texts = {}
    for file in files:
        task = read_upstream(file)
        texts[folder / f"{task.name}.yaml"] = as_yaml(task, source=file.name)
    write_new(texts)
    for written in texts:
        _out.print(f"wrote {written}", highlight=False, markup=False)
    _out.print(f"next: japagen prompt --task {written}", highlight=False, markup=False)


@app.command()
def cache(
    clear: Annotated[
        str | None, typer.Option("--clear", help="Remove replies, vectors, models or all; runs keep their own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what japagen keeps for all runs of this user, and clear it."""
    from japagen.cache import cache_folder, clear_cache, contents

    removed = clear_cache(clear) if clear else 0
    rows = contents()
    if as_json:
        _print_json({"folder": str(cache_folder()), "contents": rows, "removed_bytes": removed})
        return
    table = Table("kind", "entries", "MB", "for", title=str(cache_folder()), title_justify="left")
    for row in rows:
        table.add_row(
            row["kind"],
            "damaged" if row["entries"] is None else str(row["entries"]),
            f"{row['bytes'] / 1e6:.1f}",
            row["for"],
        )
    _out.print(table)
    if clear:
        _out.print(f"removed {removed / 1e6:.1f} MB", highlight=False)


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
        for each in _experiments(experiment, task, changes)
        for request in preview(each, label=label, n=n, style=style)
    ]
    if as_json:
        _print_json(requests)
        return
    for request in requests:
        attributes = "   ".join(f"{name}: {value}" for name, value in request["attributes"].items())
        _out.rule(escape(f"{request['id']}   {attributes}   seed: {request['seed']}"))
        for message in request["messages"]:
            _out.print(f"[bold cyan]{message['role']}[/]", highlight=False)
            _out.print(message["content"], markup=False, highlight=False)
        if request["document"] is not None:
            _out.print("[bold cyan]as the document that the model continues[/]", highlight=False)
            _out.print(request["document"], markup=False, highlight=False)


@app.command()
def predict(
    run: RunFolder,
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts to classify.", show_default=False)
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--input", "-i", help="A jsonl, csv, tsv or parquet file, or - for JSON lines from standard input."
        ),
    ] = None,
    column: Annotated[str, typer.Option("--column", help="Column that holds the text.")] = "text",
    pair_column: Annotated[
        str | None, typer.Option("--pair-column", help="For pairs: the column that holds the second text.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write JSON lines here instead of printing.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Classify texts: label and scores, one line each; other columns of a file are kept.

    The first student of the experiment answers, with its first seed. The folder of any other classifier of the run may be
    given instead, e.g. runs/reviews/3-train/linear/seed-0.
    """
    from japagen import tables
    from japagen.classifiers import load_run_classifier
    from japagen.records import Example

    if bool(texts) == bool(source):
        raise DataError(
            "give texts, or a file with --input (one of the two)",
            where="japagen predict",
            remedy="see: japagen predict --help",
        )
    for text in texts or []:
        if text == "-" or (Path(text).suffix.lower() in tables.FORMATS and Path(text).is_file()):
            remedy = f"give it as: --input {text}"
            raise DataError(f"'{text}' is a file, not a text", where="japagen predict", remedy=remedy)
        if not text.strip():
            raise DataError("an empty text cannot be classified", where="japagen predict", remedy="leave it out")
    table = tables.read_rows(source) if source else [{"text": text} for text in texts or []]
    given = tables.column(table, column, source) if source else list(texts or [])
    second: list[str] | list[None] = [None] * len(given)
    if source and pair_column:
        second = tables.column(table, pair_column, source)
    classifier = load_run_classifier(run)
    predictions = classifier.predict(
        [Example(str(i), text, "", pair) for i, (text, pair) in enumerate(zip(given, second, strict=True))]
    )
    rows: list[dict[str, Any]] = [
        {**row, "label": p.label, "scores": dict(p.scores), **({} if p.value is None else {"value": p.value})}
        for row, p in zip(table, predictions, strict=True)
    ]
    if output is not None:
        if source and source != "-" and output.resolve() == Path(source).resolve():
            raise DataError("is the input itself", where=output, remedy="choose another place to write to")
        try:
            tables.write_jsonl(output, rows)
        except (OSError, ValueError) as error:
            raise DataError(
                f"cannot be written: {getattr(error, 'strerror', None) or error}",
                where=output,
                remedy="choose another place",
            ) from error
        _err.print(f"wrote {len(rows)} rows to {output}", highlight=False, markup=False)
        return
    if as_json or source or not _out.is_terminal:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n")
        return
    shown = Table("label", "score", "text")
    for row in rows:
        shown.add_row(row["label"], f"{row['scores'][row['label']]:.3f}", escape(row["text"]))
    _out.print(shown)


@app.command()
def show(run: RunFolder, as_json: AsJson = False) -> None:
    """Show a run: which stages stand, where the rows went, and the scores."""
    _show(run, as_json)


def _estimate(experiment: Experiment, runs: Path, until: str, as_json: bool) -> None:
    from japagen.estimate import estimate, print_estimate

    found = estimate(experiment, runs=runs, until=until)
    if as_json:
        _print_json(found.as_json())
    else:
        print_estimate(found, _out)


def _show(path: Path, as_json: bool) -> None:
    from japagen.terminal import print_run, run_state

    state = run_state(path)
    if as_json:
        _print_json(state)
    else:
        print_run(state, _out)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=1) + "\n")


__all__ = ["app", "main"]
