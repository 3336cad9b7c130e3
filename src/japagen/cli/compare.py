"""The command that makes the paper's table from finished runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from japagen.cli.app import app, err, out
from japagen.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from japagen.compare import Comparison


class Format(StrEnum):
    """How the table is written, as values of an option."""

    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    html = "html"


_ENDINGS = {
    ".md": Format.markdown,
    ".markdown": Format.markdown,
    ".tex": Format.latex,
    ".csv": Format.csv,
    ".html": Format.html,
}


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="RUN...", help="Folders of finished runs, or of sweeps.", show_default=False)
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: tables in a terminal, Markdown into a pipe.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write; its ending says the format.", show_default=False),
    ] = None,
    student: Annotated[
        list[str] | None, typer.Option("--student", help="Only this student; may be given again.", show_default=False)
    ] = None,
    metric: Annotated[
        str | None, typer.Option("--metric", help="A metric in place of each task's own.", show_default=False)
    ] = None,
    all_metrics: Annotated[bool, typer.Option("--all-metrics", help="Every metric, each in a column.")] = False,
    average: Annotated[bool, typer.Option("--average", help="Also the mean over all columns.")] = False,
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="ARM",
            help="Of a sweep: the arm that others are compared with; default: the first in which nothing differs.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compare finished runs: a table of tasks and methods, with what cannot be told from the best marked.

    Of a sweep: its arms side by side, each against the first, with what analysis says of their texts.
    """
    from japagen.compare import compare as compare_runs
    from japagen.terminal import live_progress

    form = form or (_format_of(output) if output else None)
    if output is not None and not output.absolute().parent.is_dir():  # said before minutes are spent
        raise ConfigError("its folder does not exist", where=output, remedy="make it, or choose another for --output")
    with live_progress(err, enabled=err.is_terminal) as listener:
        found = compare_runs(
            runs,
            students=student or (),
            metric=metric,
            all_metrics=all_metrics,
            average=average,
            base=against,
            on_progress=listener,
        )
    if output is not None:
        _write(output, _text(found, form or Format.markdown))
    elif form is None and out.is_terminal:
        from japagen.compare.screen import print_tables
        from japagen.compare.sidetables import printed_tables

        print_tables(printed_tables(found), out)
    else:
        typer.echo(_text(found, form or Format.markdown), nl=False)


def _format_of(file: Path) -> Format:
    ending = file.suffix.lower()
    if ending not in _ENDINGS:
        what = f"no format ends in '{ending}'" if ending else "the file has no ending that says its format"
        raise ConfigError(what, where=f"--output {file}", remedy=f"{did_you_mean(ending, _ENDINGS)}; or use --format")
    return _ENDINGS[ending]


def _text(found: Comparison, form: Format) -> str:
    from japagen.compare.longform import to_csv
    from japagen.compare.sidetables import printed_tables

    match form:
        case Format.markdown:
            from japagen.compare.markdown import to_markdown

            return to_markdown(printed_tables(found))
        case Format.latex:
            from japagen.compare.latex import to_latex

            return to_latex(printed_tables(found))
        case Format.csv:
            return to_csv(found)
        case Format.html:
            from japagen.compare.page import to_html

            return to_html(found)


def _write(file: Path, text: str) -> None:
    from japagen.tables import write_text

    try:
        write_text(file, text)
    except OSError as error:
        raise ConfigError(
            f"cannot be written: {error.strerror or error}", where=file, remedy="choose another place for --output"
        ) from error
    err.print(f"written: {escape(str(file))}", highlight=False)
