"""Commands about what a run has trained: classify with it, export it, publish it."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from japagen.cli.app import AsJson, RunFolder, app, err, out, print_json
from japagen.errors import DataError


class Part(StrEnum):
    """What can be pushed alone, as values of an option."""

    data = "data"
    model = "model"


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

    The first student of the experiment answers: its first seed, or with train.ensemble the mean of all. The folder of any
    other classifier, of the run or exported, may be given instead, e.g. runs/reviews/3-train/linear/seed-0.
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
        [Example(f"row {i}", text, "", pair) for i, (text, pair) in enumerate(zip(given, second, strict=True), 1)]
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
        err.print(f"wrote {len(rows)} rows to {output}", highlight=False, markup=False)
        return
    if as_json or source or not out.is_terminal:
        for row in rows:
            sys.stdout.write(json.dumps(row, ensure_ascii=False).encode("utf-8", "replace").decode() + "\n")
        return
    shown = Table("label", "score", "text")
    for row in rows:
        shown.add_row(row["label"], f"{row['scores'][row['label']]:.3f}", escape(row["text"]))
    out.print(shown)


@app.command()
def export(
    run: RunFolder,
    to: Annotated[str, typer.Option("--to", help="onnx, onnx-int8, openvino, hf or model-card.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Folder to write; default: RUN/export/FORMAT.")
    ] = None,
    check: Annotated[
        str | None,
        typer.Option("--check", help="File of texts to compare on; default: the run's gold test, else its own texts."),
    ] = None,
    max_changed: Annotated[int, typer.Option("--max-changed", min=0, help="Most labels that may change.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Export the classifier that answers for a run: to be used without torch, or by plain transformers.

    The exported classifier must label the same texts as the original does; where a label differs, nothing is written.
    """
    from dataclasses import asdict

    from japagen.export import export as export_run

    done = export_run(run, to, output=output, check=check, max_changed=max_changed)
    if as_json:
        print_json({**asdict(done), "folder": str(done.folder)})
        return
    out.print(f"wrote {done.folder} ({done.size / 1e6:.1f} MB)", highlight=False, markup=False)
    if done.compared:
        changed = f"{done.changed} of {done.compared} labels changed on {done.what}"
        out.print(f"{changed}; largest change of a {done.measure}: {done.largest:.2g}", highlight=False, markup=False)


@app.command()
def push(
    run: RunFolder,
    to: Annotated[str, typer.Option("--to", metavar="ORG/NAME", help="Name on the hub.", show_default=False)],
    only: Annotated[Part | None, typer.Option("--only", help="Push one of the two.")] = None,
    public: Annotated[
        bool, typer.Option("--public/--private", help="Who may see new repositories: everybody, or you alone.")
    ] = False,
    with_dropped: Annotated[
        bool, typer.Option("--with-dropped", help="Also the rows that were not kept, with their reasons.")
    ] = False,
    licence: Annotated[
        str | None, typer.Option("--licence", "--license", metavar="SPDX", help="For the cards, e.g. CC-BY-4.0.")
    ] = None,
    revision: Annotated[str, typer.Option("--revision", metavar="BRANCH", help="Made if it is not there.")] = "main",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say which files would be sent, and send nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Push the data set and the classifier of a run to the Hugging Face Hub; private unless told otherwise.

    The token comes from HF_TOKEN; HF_ENDPOINT names another hub. Needs the extra 'hub'.
    """
    from dataclasses import asdict

    from japagen.push import push as push_run

    pushed = push_run(
        run,
        to,
        only=only.value if only else None,
        with_dropped=with_dropped,
        private=not public,
        licence=licence,
        revision=revision,
        dry_run=dry_run,
        say=lambda text: err.print(escape(text), highlight=False),
    )
    if as_json:
        print_json([asdict(each) for each in pushed])
        return
    for each in pushed:
        state = "would be sent" if dry_run else "pushed" if each.changed else "unchanged"
        table = Table("file", "bytes", title=f"{each.url}  {state}", title_justify="left")
        for name, size in each.files.items():
            table.add_row(escape(name), f"{size:,}")
        out.print(table)
