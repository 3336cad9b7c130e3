"""The command line: one command per verb. It parses, calls the library and prints; nothing is decided here.

An error that a user can mend is two lines on standard error and exit code 2 (130 after Ctrl-C).
"""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated

import typer

from japagen.cli import runs, compare, tasks, classifiers, gold, goldcheck, power, cache  # isort: skip  the order of the help
from japagen.cli.app import app, err, out, print_error
from japagen.errors import JapagenError


def main() -> None:
    """Entry point: the commands, with errors in two lines."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal of another encoding is no reason to fail
    try:
        app(standalone_mode=True)
        sys.stdout.flush()
    except JapagenError as error:
        print_error(error)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        err.print("stopped\ngo on with the same command", highlight=False)
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    if version:
        import japagen

        out.print(japagen.__version__)
        raise typer.Exit


__all__ = ["app", "cache", "classifiers", "compare", "gold", "goldcheck", "main", "power", "runs", "tasks"]
