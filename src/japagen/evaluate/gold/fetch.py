"""Bringing a published gold set into the user's cache, from its publishers or from files that the user has.

A file takes its place only when it is the published one, byte for byte; nothing in it is ever changed.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import filelock

from japagen.errors import ConfigError, DataError, did_you_mean
from japagen.evaluate.gold.download import TIMEOUT, check_url, download, forget, unfinished
from japagen.evaluate.gold.published import is_here, place, record, wrong
from japagen.goldsets import PUBLISHED, PublishedFile, PublishedSet
from japagen.tables import file_digest, write_text

ADDRESS = "JAPAGEN_GOLD_URL"
"""Environment variable: a mirror that has the files as ``NAME/FILE``."""

Told = Callable[[str, int, int | None], object]
"""Called with a file's name, the bytes so far and in all, where that is known."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What became of one file.

    Attributes:
        file: the published file.
        path: where it is kept.
        how: ``here`` (it was there already), ``fetched``, ``copied``, or ``missing`` (not among the user's files).
        held_against: the pinned digest of the ``file``, that of the ``articles`` in it, or the ``first`` fetch, whose digest
            was recorded because none is pinned.
    """

    file: PublishedFile
    path: Path
    how: Literal["here", "fetched", "copied", "missing"]
    held_against: Literal["file", "articles", "first"]


def fetch(
    name: str,
    source: Path | None = None,
    *,
    timeout: float = TIMEOUT,
    wait: Callable[[float], object] = time.sleep,
    told: Told = lambda name, done, total: None,
) -> list[Fetched]:
    """Bring the files of a published set into the cache.

    Args:
        name: of the set.
        source: a folder with files that the user has; None: they are downloaded. Those that it lacks are ``missing``.
        timeout: seconds without a byte after which a try is given up.
        wait: called with the seconds between two tries.
        told: hears how far a download is.

    Raises:
        ConfigError: no such set.
        DataError: a file cannot be had, or is not the published one; those that came before it are kept.
    """
    if name not in PUBLISHED:
        raise ConfigError(
            f"no published set is called '{name}'", where="japagen gold", remedy=did_you_mean(name, PUBLISHED)
        )
    published = PUBLISHED[name]
    with _alone(published):
        found = []
        for file in published.files:
            path = place(published, file)
            how: Literal["here", "fetched", "copied", "missing"]
            if is_here(published, file):
                how = "here"
            elif source is not None:
                how = "copied" if _copy(published, file, source, path) else "missing"
            else:
                url, how = _address(published, file), "fetched"
                download(url, path, size=file.size, timeout=timeout, wait=wait, told=partial(told, file.name))
                _keep(published, file, path, url)
            found.append(Fetched(file, path, how, "file" if file.sha256 else "articles" if file.articles else "first"))
        return found


def _copy(published: PublishedSet, file: PublishedFile, source: Path, path: Path) -> bool:
    """Copy a file of the user's, if there is one in the folder, or in its subfolder that is called like the set."""
    if not source.is_dir():
        raise DataError("is no folder", where=source, remedy="--from takes a folder that holds the publisher's files")
    own = next((each for each in (source / published.name / file.name, source / file.name) if each.is_file()), None)
    if own is None:
        return False
    forget(path)
    try:
        shutil.copyfile(own, unfinished(path))
    except OSError as error:
        raise DataError(f"cannot be copied: {error.strerror or error}", where=own, remedy="check the file") from error
    _keep(published, file, path, str(own))
    return True


def _keep(published: PublishedSet, file: PublishedFile, path: Path, source: str) -> None:
    """Give a file that has come its name, if it is the published one; else remove what came."""
    came = unfinished(path)
    try:
        problem = wrong(came, published, file)
    except DataError as error:
        problem = error.what
    if problem is not None:
        size = came.stat().st_size
        forget(path)
        of = f", {file.size:,} expected" if file.size is not None else ""
        raise DataError(
            f"is not the published file ({size:,} bytes{of}): {problem}",
            where=source,
            remedy="nothing of it was kept; try again, or give the publisher's files with --from FOLDER",
        )
    if file.sha256 is None:
        write_text(record(path), file_digest(came) + "\n")
    came.replace(path)
    forget(path)


def _address(published: PublishedSet, file: PublishedFile) -> str:
    mirror = os.environ.get(ADDRESS)
    if not mirror:
        return file.url
    check_url(mirror, ADDRESS)
    if "?" in mirror or "#" in mirror:
        remedy = "give the address of the folder alone: https://HOST/FOLDER"
        raise DataError("the address goes on after its folder, with ? or #", where=ADDRESS, remedy=remedy)
    return f"{mirror.rstrip('/')}/{published.name}/{file.name}"


@contextmanager
def _alone(published: PublishedSet) -> Iterator[None]:
    """The set's folder in the cache, for one process at a time."""
    folder = place(published, published.files[0]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        guard = filelock.FileLock(folder / ".lock", timeout=0)
        guard.acquire()
    except filelock.Timeout as error:
        raise DataError("another japagen is fetching it", where=published.name, remedy="wait for it") from error
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        raise DataError(what, where=folder, remedy="check permissions, or set JAPAGEN_CACHE") from error
    try:
        yield
    except OSError as error:
        what = f"cannot be written: {error.strerror or error}"
        place_of_it = error.filename2 or error.filename or folder
        raise DataError(
            what, where=place_of_it, remedy="make room or check permissions; the same command goes on"
        ) from error
    finally:
        guard.release()
