"""The reference of keys, commands and prices as Markdown, made from the code.

    python -m japagen.reference docs/reference

`keys` reads the models of YAML files, `commands` the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import yaml
from pydantic import BaseModel

from japagen import cli
from japagen.experiment import Experiment
from japagen.reference.commands import Command, commands
from japagen.reference.keys import Key, sections
from japagen.tables import write_text
from japagen.task import Task

_NOTE = "<!-- Made by python -m japagen.reference from the code: change the descriptions there. -->\n"
_EXPERIMENT = """\
# Experiment file

What `japagen run FILE` reads. Only `name` and `task` are needed. A key that is not listed here is an error that names the
nearest one. Every value can be replaced on the command line by its dotted key: `--set generate.per_label=50`.
"""
_TASK = """\
# Task file

What the key `task` of an experiment names, and `--task FILE`. Templates are texts with gaps: `{word}` is replaced, braces
that are meant are written twice (`{{` and `}}`). `NAME` stands for a name of your own.
"""
_COMMANDS = """\
# Commands

An error that you can mend is two lines on standard error, what is wrong and what to do, and exit code 2; Ctrl-C gives
130. Tables go to standard output, progress to standard error.
"""
_PRICES = """\
# Prices

The built-in table, in USD per million tokens, without tax. It is used by `--dry-run`, by `budget.usd` and in the report.
Prices change: look at your provider's page. Entries of your own go before these; see [OpenAI](../how-to/openai.md#prices).
"""


def model_page(head: str, model: type[BaseModel]) -> str:
    """The page of a file's keys."""
    parts = [_NOTE, head]
    for section in sections(model):
        if section.paths != ("",):
            parts.append("## " + ", ".join(f"`{path}`" for path in section.paths) + "\n")
            parts.append(_sentence(section.description) + "\n")
        if section.keys:
            parts.append(_table(("key", "type", "default", "what it is"), [_row(key) for key in section.keys]))
    return "\n".join(parts)


def _row(key: Key) -> tuple[str, ...]:
    default = key.default if key.default == "see below" else f"`{key.default}`" if key.default else "**needed**"
    limits = f" ({key.limits})" if key.limits else ""
    return f"`{key.name}`", f"{key.type}{limits}", default, _sentence(key.description)


def _sentence(text: str) -> str:
    first = text if text.split()[0].endswith((":", ",")) else text[:1].upper() + text[1:]
    return first if first.endswith((".", "?", "!")) else f"{first}."


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def commands_page(found: list[Command]) -> str:
    """The page of the commands; one that takes what another takes refers to it."""
    parts = [_NOTE, _COMMANDS]
    shown: dict[str, str] = {}
    for command in found:
        parts.append(f"## `{command.usage}`\n")
        parts.append(command.description + "\n")
        rows = [
            (f"`{', '.join(p.names)}`", f"`{p.default}`" if p.default else "", p.description) for p in command.takes
        ]
        table = _table(("argument or option", "default", "what it is"), rows)
        if (other := shown.setdefault(table, command.name)) != command.name and len(rows) > 2:
            table = f"It takes what `{other}` takes.\n"
        parts.append(table)
    return "\n".join(parts)


def prices_page() -> str:
    """The page of the built-in prices."""
    file = resources.files("japagen") / "llm" / "prices.yaml"
    models = yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
    rows = [
        (
            f"`{name}`",
            *(f"{p[k]:g}" if k in p else "" for k in ("input", "cached_input", "output", "batch")),
            str(p["as_of"]),
        )
        for name, p in models.items()
    ]
    head = ("model", "prompt", "cached prompt", "reply", "share by the batch API", "as of")
    return "\n".join([_NOTE, _PRICES, _table(head, rows)])


def pages() -> dict[str, str]:
    """File name and text of every page."""
    return {
        "experiment.md": model_page(_EXPERIMENT, Experiment),
        "task.md": model_page(_TASK, Task),
        "commands.md": commands_page(list(commands(cli.app))),
        "prices.md": prices_page(),
    }


def write_pages(folder: Path) -> None:
    """Write all pages into a folder."""
    for name, text in pages().items():
        write_text(folder / name, text)
