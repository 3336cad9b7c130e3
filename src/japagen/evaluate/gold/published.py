"""Published gold sets in the user's cache: where a file is, and whether it is the one that was published.

A file counts when its SHA-256 is the pinned one. Where none is pinned, the digest is that of its first fetch, which stands
beside it in ``.NAME.sha256``; of an archive it is written there only when the articles in it were the pinned ones.
"""

from __future__ import annotations

from pathlib import Path

from japagen.cache import cache_folder
from japagen.errors import DataError
from japagen.evaluate.gold.livedoor import LICENCE as LIVEDOOR
from japagen.evaluate.gold.livedoor import articles_digest, is_livedoor
from japagen.goldsets import PUBLISHED, PublishedFile, PublishedSet
from japagen.tables import file_digest


def place(published: PublishedSet, file: PublishedFile) -> Path:
    """Where a file of a set is kept."""
    return cache_folder() / "gold" / published.name / file.name


def expected(published: PublishedSet, file: PublishedFile) -> str | None:
    """SHA-256 (hex) that the file must have: the pinned one, else the recorded one; None where there is none yet."""
    if file.sha256 is not None:
        return file.sha256
    try:
        return record(place(published, file)).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def record(path: Path) -> Path:
    """The file beside `path` that keeps its digest."""
    return path.with_name(f".{path.name}.sha256")


def wrong(path: Path, published: PublishedSet, file: PublishedFile) -> str | None:
    """Why a file that has come is not the published one; None where it is, or nothing is known to hold it against.

    Raises:
        DataError: an archive is damaged.
    """
    if file.articles is not None:
        found = articles_digest(path)
        return None if found == file.articles else f"SHA-256 of its articles expected {file.articles}, found {found}"
    want, found = expected(published, file), file_digest(path)
    return None if found == want or want is None else f"SHA-256 expected {want}, found {found}"


def is_here(published: PublishedSet, file: PublishedFile) -> bool:
    """Whether a file is in the cache and right. One whose digest is neither pinned nor recorded is not."""
    path = place(published, file)
    return path.is_file() and expected(published, file) == file_digest(path)


def of_path(path: Path) -> tuple[PublishedSet, PublishedFile] | None:
    """The set and the file that a place in the cache belongs to; None for any other path."""
    for published in PUBLISHED.values():
        for file in published.files:
            if path == place(published, file):
                return published, file
    return None


def licence_of(path: Path, sha256: str) -> str | None:
    """The licence of a file, wherever it lies, if it is a published one; None where we do not know it."""
    for published in PUBLISHED.values():
        for file in published.files:
            if sha256 == file.sha256 or path == place(published, file):
                return published.licence
    return LIVEDOOR if is_livedoor(path) else None


def check_here(path: Path, published: PublishedSet, file: PublishedFile) -> None:
    """Refuse a published file that was not fetched, or is no longer as it was.

    Raises:
        DataError: it is absent or changed; the remedy is the command that fetches it.
    """
    remedy = f"japagen gold fetch {published.name}"
    if not path.is_file():
        raise DataError(f"is not here; '{published.name}' is {published.title}", where=path, remedy=remedy)
    want = expected(published, file)
    if want is None:
        raise DataError("was not put here by japagen, so nothing vouches for it", where=path, remedy=remedy)
    if (found := file_digest(path)) != want:
        raise DataError(f"is not the published file: SHA-256 expected {want}, found {found}", where=path, remedy=remedy)
