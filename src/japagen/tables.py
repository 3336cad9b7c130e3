"""Rows in files: JSONL, CSV, TSV and Parquet in; JSONL out. Errors name the file, the line and the remedy."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import polars as pl

from japagen.errors import DataError, did_you_mean

FORMATS = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


def read_rows(file: Path | str) -> list[dict[str, Any]]:
    """All rows of a file; ``-`` reads JSON lines from standard input.

    Raises:
        DataError: absent, of an unknown format, or damaged.
    """
    if str(file) == "-":
        try:
            return _json_lines(sys.stdin.buffer.read().decode("utf-8-sig").split("\n"), "standard input")
        except UnicodeDecodeError as error:
            raise DataError(
                "is not UTF-8", where="standard input", remedy="convert it: iconv -f CP932 -t UTF-8"
            ) from error
    path = Path(file)
    try:
        if path.is_dir():
            raise DataError("is a folder", where=path, remedy="give a file")
    except (OSError, ValueError) as error:
        what = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise DataError(what, where=f"'{str(path)[:80]}…'", remedy="check the path") from error
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise DataError(f"unknown format '{suffix}'", where=path, remedy=f"known: {', '.join(FORMATS)}")
    try:
        match suffix:
            case ".csv" | ".tsv":
                text = path.read_text(encoding="utf-8-sig")
                separator = "\t" if suffix == ".tsv" else ","
                _check_header(text, separator, path)
                return pl.read_csv(io.StringIO(text), separator=separator, infer_schema=False).to_dicts()
            case ".parquet":
                return pl.read_parquet(path, glob=False).to_dicts()
            case _:
                text = path.read_text(encoding="utf-8-sig")
                if suffix == ".json" and text.lstrip().startswith("["):
                    return _json_array(text, path)
                return _json_lines(text.split("\n"), str(path))
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=path, remedy="check the path") from error
    except UnicodeDecodeError as error:
        remedy = "save it as 'CSV UTF-8', or convert it: iconv -f CP932 -t UTF-8"
        raise DataError("is not UTF-8", where=path, remedy=remedy) from error
    except ValueError as error:  # a name that no file can have
        raise DataError(f"cannot be read: {error}", where=repr(str(path)[:80]), remedy="check the path") from error
    except pl.exceptions.NoDataError as error:
        raise DataError("the file is empty", where=path, remedy="give a file with at least one row") from error
    except pl.exceptions.PolarsError as error:
        what = str(error).splitlines()[0]
        remedy = "check the file: as many fields in each row as in the first, commas inside quotes"
        raise DataError(f"cannot be read: {what}", where=path, remedy=remedy) from error


def _check_header(text: str, separator: str, path: Path) -> None:
    """Refuse two columns of one name, the second of which would be read under another."""
    header = next(csv.reader(io.StringIO(text), delimiter=separator), [])
    if again := next((name for name in header if header.count(name) > 1), None):
        raise DataError(f"the column '{again}' stands twice", where=path, remedy="give each column a name of its own")


def _json_array(text: str, path: Path) -> list[dict[str, Any]]:
    """The rows of a file that is one JSON array."""
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"not JSON: {error}", where=path, remedy="check the file") from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise DataError("not a JSON object", where=f"{path}, row {number}", remedy='write [{"text": "…"}, …]')
    return list(rows)


def _json_lines(lines: Iterable[str], where: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"not JSON: {error}", where=f"{where}:{number}", remedy="one JSON object per line"
            ) from error
        if not isinstance(row, dict):
            raise DataError("not a JSON object", where=f"{where}:{number}", remedy='write {"text": "…"} per line')
        rows.append(row)
    return rows


def column(rows: list[dict[str, Any]], name: str, file: Path | str) -> list[str]:
    """One column as texts.

    Raises:
        DataError: it is missing, or empty in some row.
    """
    values: list[str] = []
    for number, row in enumerate(rows, 1):
        if name not in row:
            hint = did_you_mean(name, list(row))
            raise DataError(
                f"there is no column '{name}'; {hint}",
                where=f"{file}, row {number}",
                remedy="name the column that holds it",
            )
        value = row[name]
        if not isinstance(value, str | int | float | None) or (isinstance(value, float) and not math.isfinite(value)):
            raise DataError(
                f"column '{name}' holds no text but {type(value).__name__}",
                where=f"{file}, row {number}",
                remedy="write it as a text",
            )
        if value is None or not str(value).strip():
            raise DataError(
                f"column '{name}' is empty", where=f"{file}, row {number}", remedy="fill it or remove the row"
            )
        values.append(value if isinstance(value, str) else json.dumps(value) if isinstance(value, bool) else str(value))
    return values


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _whole_file(path: Path) -> Iterator[TextIO]:
    """A file to write to; it takes its name once it is complete and on disk."""
    if path.exists() and not path.is_file():
        raise DataError("is no ordinary file", where=path, remedy="choose another place to write to")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole file durably: it takes its name once it is complete and on disk."""
    with _whole_file(path) as file:
        file.write(text)


def write_json(path: Path, value: Any) -> None:
    """Write JSON, indented, in the given key order."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


@contextmanager
def jsonl_writer(path: Path) -> Iterator[Callable[[Mapping[str, Any]], object]]:
    """Write one JSON object per call; the file takes its name once it is complete and on disk."""
    with _whole_file(path) as file:
        yield lambda row: file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line."""
    with jsonl_writer(path) as write:
        for row in rows:
            write(row)
