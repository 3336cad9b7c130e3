"""Where japagen keeps, for all runs of a user, what can be made again: the embedded model's file, sentence vectors,
replies that runs share where they ask for it (``llm.shared_cache``), and published gold data.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import platformdirs

from japagen.errors import ConfigError, RunError, did_you_mean
from japagen.yamlfile import user_path

KINDS = {
    "replies": ("replies.sqlite*", "replies of language models, shared by runs with llm.shared_cache"),
    "vectors": ("vectors-*.sqlite*", "vectors of sentences, for the student 'embedding'"),
    "models": ("models/*", "the embedded language model, unpacked"),
    "gold": ("gold/*/*", "published gold data, as japagen gold fetch got them"),
}


def cache_folder() -> Path:
    """The user's cache: ``$JAPAGEN_CACHE``, else the platform's own place. It need not exist, nor be writable.

    Raises:
        ConfigError: ``$JAPAGEN_CACHE`` cannot be the name of a folder.
    """
    named = os.environ.get("JAPAGEN_CACHE")
    return user_path(named, "JAPAGEN_CACHE") if named else platformdirs.user_cache_path("japagen")


def shared_replies() -> Path:
    """The store of replies that runs share where they ask for it."""
    return cache_folder() / "replies.sqlite"


def contents() -> list[dict[str, Any]]:
    """Of each kind what it is for, how many entries it has (replies, vectors, files) and its size in bytes."""
    return [
        {"kind": kind, "entries": _entries(kind), "bytes": sum(f.stat().st_size for f in _files(kind)), "for": purpose}
        for kind, (_, purpose) in KINDS.items()
    ]


def clear_cache(kind: str) -> int:
    """Remove the files of a kind, or of ``all``; how many bytes that were.

    Raises:
        ConfigError: no such kind.
        RunError: they cannot be removed.
    """
    if kind not in (*KINDS, "all"):
        raise ConfigError(f"the cache has no '{kind}'", where="--clear", remedy=did_you_mean(kind, (*KINDS, "all")))
    removed = 0
    for file in [file for each in KINDS if kind in (each, "all") for file in _files(each)]:
        size = file.stat().st_size
        try:
            file.unlink()
        except OSError as error:
            what = f"cannot be removed: {error.strerror or error}"
            raise RunError(what, where=file, remedy="check permissions, and that no run is using it") from error
        removed += size
    return removed


def _files(kind: str) -> list[Path]:
    return [file for file in sorted(cache_folder().glob(KINDS[kind][0])) if file.is_file()]


def _entries(kind: str) -> int | None:
    """Entries of a kind; None where a file cannot be read."""
    if kind in ("models", "gold"):
        return sum(not file.name.startswith(".") for file in _files(kind))
    total = 0
    for file in _files(kind):
        if file.suffix == ".sqlite":
            try:
                with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as db:
                    total += db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0]  # noqa: S608 a name of ours
            except sqlite3.Error:
                return None
    return total
