"""Commands about tasks: those that are built in, new ones, words for them, and those of the paper's authors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from japagen.cli.app import AsJson, app, out, print_json

tasks_app = typer.Typer(help="The built-in tasks.", invoke_without_command=True)
app.add_typer(tasks_app, name="tasks")


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
        print_json(rows)
        return
    table = Table("name", "title", "kind", "labels", "metric")
    for row in rows:
        table.add_row(row["name"], row["title"], row["kind"], ", ".join(row["labels"]), row["metric"])
    out.print(table)


@tasks_app.command("show")
def tasks_show(
    name: Annotated[str, typer.Argument(help="A built-in task, or the path of a task file.")], as_json: AsJson = False
) -> None:
    """Show one task: its labels, prompts, words and gold data."""
    from japagen.task import Task, built_in_tasks

    task = Task.load(name)
    if as_json:
        print_json(task.model_dump(mode="json"))
        return
    source = built_in_tasks().get(name, Path(name))
    out.print(source.read_text(encoding="utf-8"), markup=False, highlight=False)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Name of the task: letters, digits, '.', '_', '-'.")],
    folder: Annotated[Path, typer.Option("--folder", help="Where to write.")] = Path(),
) -> None:
    """Write a commented task and experiment to start from: NAME-task.yaml and NAME.yaml."""
    from japagen.starter import write_starter

    for file in write_starter(name, folder):
        out.print(f"wrote {file}", highlight=False, markup=False)
    out.print(
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
    out.print(f"wrote {len(found)} words in {groups} groups to {place}", highlight=False, markup=False)
    out.print("next: delete what does not fit, then name the file in the task", highlight=False, markup=False)


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
        out.print(f"wrote {written}", highlight=False, markup=False)
    out.print(f"next: japagen prompt --task {written}", highlight=False, markup=False)
