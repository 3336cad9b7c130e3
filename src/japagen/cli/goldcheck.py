"""`japagen gold check`: facts about gold files before anything is measured on them, warnings first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from japagen.cli.app import AsJson, TaskName, err, experiments, out, print_json
from japagen.cli.gold import gold_app
from japagen.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from japagen.evaluate.gold import GoldSource
    from japagen.evaluate.gold.check import Facts, SplitFacts, Spread
    from japagen.records import Example
    from japagen.task import Task

FILE = "file"
"""What a file that is checked alone is called, in place of a split."""
_EXPERIMENT = (".yaml", ".yml")
_HERE = "japagen gold check"


@gold_app.command("check")
def gold_check(
    file: Annotated[
        str | None,
        typer.Argument(
            help="A gold file, livedoor's folder or archive, a published set, or an experiment (.yaml); without one, the "
            "gold data of --task.",
            show_default=False,
        ),
    ] = None,
    task: TaskName = None,
    text: Annotated[
        str | None,
        typer.Option("--text", help="Column of the text, or the first of two; livedoor: title, body or both."),
    ] = None,
    text_pair: Annotated[str | None, typer.Option("--text-pair", help="Column of the second text.")] = None,
    label: Annotated[str | None, typer.Option("--label", help="Column of the label, or the number.")] = None,
    identifier: Annotated[str | None, typer.Option("--id", help="Column of the rows' names.")] = None,
    meanings: Annotated[
        list[str] | None, typer.Option("--map", metavar="VALUE=LABEL", help="What the file calls a label of the task.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check gold data: rows, labels, duplicates, contradictions, groups, leakage between splits, give-aways.

    Columns that are not named are found where they are called as in the task's gold data or the published sets.
    Warnings leave the exit code at 0; data that cannot be used are an error.
    """
    from japagen.evaluate.gold.advice import advice
    from japagen.evaluate.gold.check import check_gold

    named = {"text": text, "text_pair": text_pair, "label": label, "id": identifier}
    given = {part: column for part, column in named.items() if column is not None}
    with err.status("reading and comparing …"):
        meant, splits, sources = _gold(file, task, given, label_meanings(meanings or []))
        facts = check_gold(meant, splits)
    warnings = advice(facts)
    if as_json:
        print_json(_as_json(meant, sources, facts, warnings))
    else:
        _print(meant, sources, facts, warnings)


def _meaning(text: str) -> tuple[str, str]:
    value, equals, label = text.rpartition("=")
    if not equals or not value.strip() or not label.strip():
        raise ConfigError(f"'{text[:60]}' is not VALUE=LABEL", where="--map", remedy="e.g. --map 0=negative")
    return value.strip(), label.strip()


def label_meanings(texts: Sequence[str]) -> dict[str, str]:
    """What files call a label of the task, from the values of --map.

    Raises:
        ConfigError: one cannot be read, or a value is to be two labels.
    """
    found: dict[str, str] = {}
    for value, label in map(_meaning, texts):
        if found.setdefault(value, label) != label:
            what = f"'{value[:60]}' is to be '{found[value]}' and '{label[:60]}'"
            raise ConfigError(what, where="--map", remedy="say it once for each value")
    return found


_Found = tuple["Task", dict[str, list["Example"]], list["GoldSource"]]
"""The task, its rows by split, and where they are from."""


def _gold(file: str | None, task: str | None, given: dict[str, str], labels: dict[str, str]) -> _Found:
    from japagen.goldfiles import Gold
    from japagen.goldsets import PUBLISHED
    from japagen.task import Task

    if file is None and task is None:
        raise ConfigError("there is nothing to check", where=_HERE, remedy="name a file, an experiment or --task NAME")
    published = file is not None and file in PUBLISHED and not Path(file).exists()
    if file is not None and not published and not file.endswith(_EXPERIMENT):
        return _one_file(Path(file), task, given, labels)
    if given or labels:
        remedy = "name the file too, or write them into the gold section"
        raise ConfigError("columns and labels can be named for a single file only", where=_HERE, remedy=remedy)
    own = True  # the gold data are those that the task itself names, so its licence holds for them
    if file is None or published:
        meant = Task.load(task or str(file))
    else:
        experiment = experiments([Path(file)], task, None)[0]
        meant, own = experiment.load_task(), experiment.gold is None
    if published:
        meant = meant.model_copy(update={"gold": Gold.model_validate(file)})
    if meant.gold is None:
        remedy = f"name a file: japagen gold check FILE --task {task or meant.name}"
        raise ConfigError("names no gold data", where=f"task '{meant.name}'", remedy=remedy)
    return _all_splits(meant, meant.licence if own else None)


def _one_file(file: Path, task: str | None, given: dict[str, str], labels: dict[str, str]) -> _Found:
    from japagen.evaluate.gold import load_gold_data
    from japagen.evaluate.gold.columns import find_columns
    from japagen.goldfiles import Gold
    from japagen.goldsets import PUBLISHED
    from japagen.task import Task

    if task is None and not file.exists():
        what = f"'{file}' is neither a file nor a published set; {did_you_mean(str(file), PUBLISHED)}"
        raise ConfigError(what, where=_HERE, remedy="japagen gold lists the published sets")
    if task is None:
        remedy = "add --task NAME, a built-in task or the path of a task file"
        raise ConfigError("no task says what the labels are", where=_HERE, remedy=remedy)
    meant = Task.load(task)
    meant = meant.model_copy(update={"gold": Gold(test=find_columns(meant, file, given, labels))})
    data = load_gold_data(meant)
    return meant, {FILE: data.test}, [replace(source, split=FILE) for source in data.files]


def _all_splits(task: Task, licence: str | None) -> _Found:
    """All splits; ``licence`` is that of files of which we do not know one."""
    from japagen.evaluate.gold import load_gold_data
    from japagen.evaluate.gold.check import check_splits

    data = load_gold_data(task)
    check_splits(data)
    return (
        task,
        {"train": data.train, "dev": data.dev, "test": data.test},
        [replace(source, licence=source.licence or licence) for source in data.files],
    )


def _as_json(task: Task, sources: Sequence[GoldSource], facts: Facts, warnings: Sequence[str]) -> dict[str, Any]:
    files = [asdict(source) for source in sources]
    probes = [
        {"split": probed.split, **asdict(probe), "leaking": probe.leaking, "artefact": probe.artefact}
        for probed in facts.probed
        for probe in probed.probes
    ]
    undefined = {probed.split: probed.undefined for probed in facts.probed if probed.undefined}
    found: dict[str, Any] = {"task": task.name, "kind": task.kind, "files": files, "warnings": list(warnings)}
    found |= {"splits": [asdict(split) for split in facts.splits], "leaks": [asdict(leak) for leak in facts.leaks]}
    return found | {"probes": probes, "probes_undefined": undefined}


def _print(task: Task, sources: Sequence[GoldSource], facts: Facts, warnings: Sequence[str]) -> None:
    for warning in warnings:
        out.print(f"[bold yellow]warning[/] {escape(warning)}", highlight=False)
    if not warnings:
        out.print("no warnings", highlight=False)
    for source in sources:
        licence = source.licence or "not known here; ask where you have it from"
        repeated = f", {source.repeated} repeated left out" if source.repeated else ""
        line = f"{source.split}: {source.file}, {source.rows} rows{repeated}; licence: {licence}"
        out.print(line, highlight=False, markup=False)
    out.print(_splits_table(task, facts.splits))
    if facts.leaks:
        out.print(_leaks_table(facts))
    if facts.probed:
        _print_probes(facts)


def _splits_table(task: Task, splits: Sequence[SplitFacts]) -> Table:
    table = Table("", title=f"gold data for task {task.name}", title_justify="left")
    for split in splits:
        table.add_column(split.split, justify="right")

    def row(name: str, cells: Iterable[object]) -> None:
        table.add_row(escape(name), *map(str, cells))

    row("rows", (split.rows for split in splits))
    for label in task.label_names:
        row(f"label {label}", (_of(split.labels[label], split.rows) for split in splits))
    if task.kind == "similarity":
        row("mean number (lowest to highest)", (_values(split.values) for split in splits))
    row("characters, median (longest)", (_lengths(split.text) for split in splits))
    if task.is_pair:
        row("of the second text", (_lengths(split.text_pair) for split in splits))
    row("repeated rows (to the letter)", (f"{split.canonical} ({split.exact})" for split in splits))
    row("same text, other label", (split.contradictions for split in splits))
    if task.is_pair:
        row("pairs in both directions", (_of(split.both_ways or 0, split.rows) for split in splits))
    groups = [split.groups for split in splits]
    row("groups (rows of the largest)", (f"{each.count} by {each.by} ({each.largest})" for each in groups))
    row("design effect, at most", (f"{each.design_effect:.2f}" for each in groups))
    return table


def _leaks_table(facts: Facts) -> Table:
    table = Table("rows of", "that stand in", title="between splits", title_justify="left")
    for heading in ("to the letter", "but for marks", "nearly", "same image", "one text"):
        table.add_column(heading, justify="right")
    for leak in facts.leaks:
        counts = (leak.exact, leak.canonical, leak.near, leak.same_image, leak.one_text)
        shown = ("" if count is None else str(count) for count in counts)
        table.add_row(f"{leak.split} ({leak.rows})", leak.other, *shown)
    return table


def _print_probes(facts: Facts) -> None:
    from japagen.evaluate.gold.advice import short

    table = Table("split", "text", "measure", title="what one text of a pair says alone", title_justify="left")
    for heading in ("rows", "a guess", "folds by group", "random folds"):
        table.add_column(heading, justify="right")
    for probed in facts.probed:
        for probe in probed.probes:
            figures = (short(value) for value in (probe.guess, probe.grouped, probe.random))
            table.add_row(probed.split, probe.text, probe.measure, str(probe.rows), *figures)
    if table.row_count:
        out.print(table)
    for probed in facts.probed:
        if probed.undefined:
            out.print(f"{probed.split}: no probe of single texts: {probed.undefined}", highlight=False, markup=False)


def _of(count: int, total: int) -> str:
    return f"{count} ({count / total:.0%})"


def _lengths(spread: Spread | None) -> str:
    return f"{spread.median:g} ({spread.high:g})" if spread else ""


def _values(spread: Spread | None) -> str:
    return f"{spread.mean:.2f} ({spread.low:g} to {spread.high:g})" if spread else ""
