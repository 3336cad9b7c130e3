"""Commands about gold data: the published sets, and bringing them to this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn
from rich.table import Table

from japagen.cli.app import AsJson, app, err, out, print_json

gold_app = typer.Typer(help="Human-labelled data: published sets, and files of yours.", invoke_without_command=True)
app.add_typer(gold_app, name="gold")


@gold_app.callback()
def gold_list(context: typer.Context, as_json: AsJson = False) -> None:
    """List the published gold sets, their licences, and which are on this machine."""
    if context.invoked_subcommand is not None:
        return
    from japagen.evaluate.gold.published import is_here
    from japagen.goldsets import PUBLISHED

    rows: list[dict[str, Any]] = [
        {
            "name": each.name,
            "title": each.title,
            "licence": each.licence,
            "page": each.page,
            "files": [{"file": f.name, "rows": f.rows, "url": f.url, "here": is_here(each, f)} for f in each.files],
        }
        for each in PUBLISHED.values()
    ]
    if as_json:
        print_json(rows)
        return
    table = Table("name", "title", "file", "rows", "here", "licence")
    for row in rows:
        for number, file in enumerate(row["files"]):
            own = (row["name"], row["title"], row["licence"]) if number == 0 else ("", "", "")
            counted = f"{file['rows']:,}" if file["rows"] else "?"
            table.add_row(own[0], own[1], file["file"], counted, "yes" if file["here"] else "no", own[2])
    out.print(table)
    out.print("japagen gold fetch NAME brings one here; an experiment then says: gold: NAME", highlight=False)


@gold_app.command("fetch")
def gold_fetch(
    name: Annotated[str, typer.Argument(help="A published set: jnli, jsts, jcola or news.", show_default=False)],
    source: Annotated[
        Path | None, typer.Option("--from", help="Take the files from this folder; they must be the published ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a published gold set into the user's cache, unchanged and checked; go on where a download broke off."""
    from japagen.evaluate.gold.fetch import fetch
    from japagen.goldsets import PUBLISHED
    from japagen.tables import file_digest

    if name in PUBLISHED and not as_json:
        published = PUBLISHED[name]
        out.print(f"{published.title}, {published.page}", highlight=False, markup=False)
        out.print(f"licence: {published.licence}", highlight=False, markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bars:
        lines: dict[str, Any] = {}

        def told(file: str, done: int, total: int | None) -> None:
            if file not in lines:
                lines[file] = bars.add_task(file, total=total)
            bars.update(lines[file], completed=done, total=total)

        found = fetch(name, source, told=told)
    rows: list[dict[str, Any]] = [
        {
            "file": each.file.name,
            "how": each.how,
            "path": str(each.path),
            "sha256": file_digest(each.path) if each.how != "missing" else None,
            "held_against": each.held_against,
            "needed": not each.file.extra,
        }
        for each in found
    ]
    if as_json:
        print_json({"name": name, "licence": PUBLISHED[name].licence, "files": rows})
        return
    for row in rows:
        out.print(_said(row, source), highlight=False, markup=False)
    if all(row["how"] != "missing" for row in rows if row["needed"]):
        out.print(f"next: write 'gold: {name}' into an experiment", highlight=False, markup=False)
    else:
        out.print(f"next: japagen gold fetch {name}, for what is missing", highlight=False, markup=False)


def _said(row: dict[str, Any], source: Path | None) -> str:
    """What became of a file, in one line."""
    if row["how"] == "missing":
        return f"{row['file']}: not in {source}" + ("" if row["needed"] else " (not needed for the set's splits)")
    how = {"here": "already here", "fetched": "fetched", "copied": "copied"}[row["how"]]
    sha256 = row["sha256"]
    match row["held_against"]:
        case "file":
            return f"{row['file']}: {how}, as published (SHA-256 {sha256})"
        case "articles":
            return f"{row['file']}: {how}, with the articles as published (SHA-256 of the archive {sha256})"
    trust = "none is published for it, so that of its first fetch is recorded and holds from now on"
    return f"{row['file']}: {how} (SHA-256 {sha256}; {trust})"
