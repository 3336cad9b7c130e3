"""The reference cannot rot: committed pages are made anew, and name every key, command, file, column and reason."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field

import japagen
from japagen import reference
from japagen.cli import app
from japagen.curate.filters import CHECKS, REPAIRS
from japagen.curate.steps import ACROSS
from japagen.experiment import Experiment
from japagen.llm.scripted import ScriptedLLM
from japagen.reference.commands import commands
from japagen.reference.keys import Section, sections
from japagen.task import Task

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.mark.parametrize("name", reference.pages())
def test_committed_pages_are_those_of_the_code(name: str, tmp_path: Path) -> None:
    reference.write_pages(tmp_path)
    made = (tmp_path / name).read_text(encoding="utf-8")
    assert made == (DOCS / "reference" / name).read_text(encoding="utf-8"), (
        "run: python -m japagen.reference docs/reference"
    )


def nested(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in nested(argument)]


def all_keys(model: type[BaseModel], seen: set[type[BaseModel]]) -> list[tuple[str, str]]:
    """Model and key of every key, recursively, from pydantic's own fields and not from a schema."""
    seen.add(model)
    keys = [(model.__name__, name) for name, field in model.model_fields.items() if not field.exclude]
    for field in model.model_fields.values():
        for inner in nested(field.annotation):
            if inner not in seen:
                keys += all_keys(inner, seen)
    return keys


@pytest.mark.parametrize(("model", "page"), [(Experiment, "experiment.md"), (Task, "task.md")])
def test_every_key_stands_in_the_reference_with_a_description(model: type[BaseModel], page: str) -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (.+?) \| (.+?) \| (.+?) \|$", (DOCS / "reference" / page).read_text("utf-8"), re.M
    )
    assert sorted(name for name, *_ in rows) == sorted(name for _, name in all_keys(model, set()))
    assert all(len(cell.strip()) > 3 for row in rows for cell in (row[1], row[3]))


class Inner(BaseModel):
    """A part.

    Attributes:
        first, second: two of a kind,
            told on two lines.
    """

    first: int = Field(default=3, ge=1, le=9)
    second: tuple[str, ...] = ()


class Toy(BaseModel):
    """A toy."""

    model_config = ConfigDict(extra="forbid")

    named: dict[str, Inner] = Field(description="``by`` name")
    one: Inner | None = None
    share: float = Field(default=0.5, gt=0, lt=1, description="a share")


def test_a_model_in_words() -> None:
    whole, inner = sections(Toy)
    assert (whole.paths, whole.description) == (("",), "A toy.")
    assert [(key.name, key.type, key.limits, key.default, key.description) for key in whole.keys] == [
        ("named", "names, each with section", "", "", "`by` name"),
        ("one", "section, or `null`", "", "null", "A part."),
        ("share", "number", "above 0; below 1", "0.5", "a share"),
    ]
    assert inner == Section(("named.NAME", "one"), "A part.", inner.keys)
    assert [(key.type, key.limits, key.default, key.description) for key in inner.keys] == [
        ("whole number", "1 to 9", "3", "two of a kind, told on two lines."),
        ("list, each text", "", "[]", "two of a kind, told on two lines."),
    ]


def test_a_key_without_a_description_is_an_error() -> None:
    class Added(Toy):
        """A toy with one key more."""

        fresh: int = 0

    with pytest.raises(ValueError, match="Added: the key 'fresh' has no description"):
        sections(Added)

    class Bare(BaseModel):
        key: int = Field(description="told")

    with pytest.raises(ValueError, match="the section Bare has no docstring"):
        sections(Bare)


def test_a_nested_key_without_a_description_is_an_error_with_its_place() -> None:
    class Part(BaseModel):
        """A part."""

        fresh: int = 0

    class Whole(BaseModel):
        """A whole."""

        parts: tuple[Part, ...] = Field(default=(), description="parts")

    with pytest.raises(ValueError, match=re.escape("parts[]: the key 'fresh' has no description")):
        sections(Whole)


def every_command(group: Any, name: str) -> dict[str, Any]:
    found = {}
    for called, command in group.commands.items():
        found[f"{name} {called}"] = command
        if hasattr(command, "commands"):
            found |= every_command(command, f"{name} {called}")
    return found


def test_every_command_and_option_stands_in_the_reference() -> None:
    told = {command.name: {n for p in command.takes for n in p.names if n[0] == "-"} for command in commands(app)}
    known = {
        name: {"/".join([opt, *p.secondary_opts]) for p in command.params for opt in p.opts if opt[0] == "-"}
        for name, command in every_command(typer.main.get_command(app), "japagen").items()
    }
    assert told == known


def test_an_option_without_help_is_an_error() -> None:
    toy = typer.Typer()

    @toy.command()
    def silent(name: Annotated[str, typer.Option("--name")] = "x") -> None:
        """Say nothing."""

    with pytest.raises(ValueError, match="'name' has no help"):
        list(commands(toy))


def test_files_of_a_run_are_those_that_a_run_has(tmp_path: Path) -> None:
    told = set(re.findall(r"`([^`]+)`", (DOCS / "reference" / "files.md").read_text(encoding="utf-8")))
    changes = {"llm.name": "scripted", "generate.per_label": 12}
    quick = {"train.students": ["linear"], "train.seeds": 1, "evaluate.gold_shots": [1], "evaluate.resamples": 100}
    wrong = {
        "positive/000001": "refuse",
        "positive/000002": "truncate",
        "positive/000003": "empty",
        "negative/000001": "fail",
    }
    experiment = Experiment.load(task="jnli", changes=changes | {"generate.kadg": "word"})
    japagen.run(experiment, runs=tmp_path, until="curate")
    experiment = Experiment.load(task="reviews", changes=changes | quick)
    run = japagen.run(experiment, runs=tmp_path, llm=ScriptedLLM(misbehave=wrong))  # type: ignore[arg-type]
    for file in (each for each in tmp_path.rglob("*") if each.is_file() and "seed-" not in str(each)):
        assert file.name in told, file
        if file.suffix == ".jsonl":
            rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
            assert {key for row in rows for key in row} <= told, file
            assert file.name != "dropped.jsonl" or {row["reason"] for row in rows} <= told
        if file.name == "done.json":
            assert set(json.loads(file.read_text(encoding="utf-8"))) <= told, file
    with closing(sqlite3.connect(run.folder("generate") / "replies.sqlite")) as db:
        for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            assert {table, *(column[1] for column in db.execute(f"PRAGMA table_info({table})"))} <= told, table


def test_reasons_of_dropped_rows_stand_in_the_reference() -> None:
    told = set(re.findall(r"`([^`]+)`", (DOCS / "reference" / "files.md").read_text(encoding="utf-8")))
    found = {*CHECKS, *ACROSS, *REPAIRS}
    for name in ("generate/__init__.py", "generate/parse.py", "pipeline/more.py"):
        source = (ROOT / "src" / "japagen" / name).read_text(encoding="utf-8")
        found |= set(re.findall(r'Dropped\(\w+, "([a-z_]+)"', source))
    assert {"too_short", "near_duplicate", "duplicate", "refused", "first_missing"} <= found
    assert {reason.removeprefix("first_") for reason in found} <= told
