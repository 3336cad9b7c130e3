"""The command about what japagen keeps for all runs of this user."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table

from japagen.cli.app import AsJson, app, out, print_json


@app.command()
def cache(
    clear: Annotated[
        str | None, typer.Option("--clear", help="Remove replies, vectors, models, gold or all; runs keep their own.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what japagen keeps for all runs of this user, and clear it."""
    from japagen.cache import cache_folder, clear_cache, contents

    removed = clear_cache(clear) if clear else 0
    rows = contents()
    if as_json:
        print_json({"folder": str(cache_folder()), "contents": rows, "removed_bytes": removed})
        return
    table = Table("kind", "entries", "MB", "for", title=str(cache_folder()), title_justify="left")
    for row in rows:
        table.add_row(
            row["kind"],
            "damaged" if row["entries"] is None else str(row["entries"]),
            f"{row['bytes'] / 1e6:.1f}",
            row["for"],
        )
    out.print(table)
    if clear:
        out.print(f"removed {removed / 1e6:.1f} MB", highlight=False)
