"""The livedoor news corpus: a folder, or an archive that is read in memory and never unpacked.

An article is ``CATEGORY/NAME.txt``: its address, its date, its title, then its body. Beside the articles lie LICENSE.txt,
README.txt and CHANGES.txt. The files are read only: their licence (CC BY-ND 2.1 JP) allows no changed copies.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from japagen.errors import ConfigError, DataError, did_you_mean

LICENCE = "CC BY-ND 2.1 JP"
PARTS = ("title", "body", "both")

_ARCHIVES = (".tar.gz", ".tgz")
_NO_ARTICLES = {"LICENSE.txt", "README.txt", "CHANGES.txt"}
_MOST_ARTICLES = 100_000
_LARGEST = 2**20
_LARGEST_ARCHIVE = 2**28
_REMEDY = "give the corpus as its publisher packs it, or the folder 'text' out of it"


@dataclass(frozen=True, slots=True)
class Article:
    """An article; its paragraphs stand in one line each in the file, and are joined by spaces in `body`."""

    category: str
    name: str
    title: str
    body: str

    def text(self, part: str) -> str:
        """Its ``title``, its ``body``, or ``both``, the title first."""
        return {"title": self.title, "body": self.body, "both": f"{self.title} {self.body}"}[part]


def is_livedoor(path: Path) -> bool:
    """Whether a gold file is read as this corpus: a folder, or a .tar.gz or .tgz."""
    return path.name.lower().endswith(_ARCHIVES) or path.is_dir()


def check_part(part: str, where: str) -> None:
    """Refuse what is no part of an article.

    Raises:
        ConfigError: it is none; the nearest is named.
    """
    if part not in PARTS:
        what = f"text: '{part}' is no part of an article; {did_you_mean(part, PARTS)}"
        raise ConfigError(what, where=where, remedy="livedoor: write text: title, text: body or text: both")


def read_articles(path: Path) -> list[Article]:
    """All articles of a folder or an archive, by category and name, so that both give the same.

    Raises:
        DataError: absent, damaged, or not as the corpus is; an archive with links, or names that lead out of it.
    """
    return [_article(name, data, path) for name, data in _articles(path)]


def articles_digest(path: Path) -> str:
    """SHA-256 (hex) of the articles, their names and bytes: however they were packed, it is the same.

    Raises:
        DataError: as `read_articles`.
    """
    whole = hashlib.sha256()
    for name, data in _articles(path):
        whole.update(f"{name}\0{len(data)}\0".encode())
        whole.update(data)
    return whole.hexdigest()


def _articles(path: Path) -> list[tuple[str, bytes]]:
    """``CATEGORY/NAME.txt`` and the bytes of each article, in the order of the names."""
    try:
        found = dict(_in_folder(path) if path.is_dir() else _in_archive(path))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, RecursionError) as error:
        nested = isinstance(error, RecursionError)  # headers of headers, each read within the last
        what = f"is no whole tar.gz: {'headers without end' if nested else str(error) or type(error).__name__}"
        raise DataError(what, where=path, remedy="get it again") from error
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror or error}", where=path, remedy="check the path") from error
    if not found:
        raise DataError("holds no article; text/CATEGORY/ARTICLE.txt is expected", where=path, remedy=_REMEDY)
    return sorted(found.items())


def _article(name: str, data: bytes, path: Path) -> Article:
    category, file = name.split("/")
    where = f"{path}, {name}"
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise DataError("is not UTF-8", where=where, remedy=_REMEDY) from error
    if len(lines) < 3 or not lines[2]:
        what = "is no article: line 1 is the address, line 2 the date, line 3 the title, then the body"
        raise DataError(what, where=where, remedy="remove the file, or correct it")
    return Article(category, file.removesuffix(".txt"), lines[2], " ".join(line for line in lines[3:] if line))


def _name(path: PurePosixPath) -> str | None:
    """``CATEGORY/NAME.txt`` of an article; None for any other file."""
    if path.suffix != ".txt" or path.name in _NO_ARTICLES or path.name.startswith(".") or len(path.parts) < 2:
        return None
    return "/".join(path.parts[-2:])


def _in_folder(path: Path) -> Iterator[tuple[str, bytes]]:
    root = path / "text" if (path / "text").is_dir() else path
    for file in root.glob("*/*.txt"):
        if (name := _name(PurePosixPath(file.relative_to(root).as_posix()))) and file.is_file():
            _check_size(file.stat().st_size, name, path)
            yield name, file.read_bytes()


def _in_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    with gzip.open(path) as unpacked:
        bounded = _Bounded(unpacked.read, path)
        names: set[str] = set()
        with tarfile.open(fileobj=bounded, mode="r|") as archive:
            for member in archive:
                here = PurePosixPath(member.name)
                if here.is_absolute() or ".." in here.parts:
                    raise DataError(f"'{member.name[:80]}' leads out of the archive", where=path, remedy=_REMEDY)
                if not (member.isfile() or member.isdir()):
                    raise DataError(f"'{member.name[:80]}' is no plain file", where=path, remedy=_REMEDY)
                name = _name(here) if member.isfile() else None
                if name is None:
                    continue
                _check_size(member.size, name, path)
                if name in names:
                    raise DataError(f"holds '{name}' twice", where=path, remedy=_REMEDY)
                names.add(name)
                if len(names) > _MOST_ARTICLES:
                    raise DataError(f"holds more than {_MOST_ARTICLES:,} files", where=path, remedy=_REMEDY)
                content = archive.extractfile(member)
                yield name, content.read() if content else b""
        while bounded.read(2**20):  # to the end, where gzip keeps its checksum
            pass


def _check_size(size: int, name: str, path: Path) -> None:
    if size > _LARGEST:
        raise DataError(f"'{name}' has {size:,} bytes, too many for an article", where=path, remedy=_REMEDY)


class _Bounded(io.RawIOBase):
    """What an archive unpacks to, as far as that is not absurdly much."""

    def __init__(self, read: Callable[[int], bytes], path: Path) -> None:
        self._read, self._path, self._left = read, path, _LARGEST_ARCHIVE

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._read(min(size, 2**20) if size >= 0 else 2**20)
        self._left -= len(data)
        if self._left < 0:
            raise DataError(f"unpacks to more than {_LARGEST_ARCHIVE >> 20} MiB", where=self._path, remedy=_REMEDY)
        return data
