"""The repositories of the fake hub, in a folder: commits, branches and files. Knows no HTTP.

    ROOT/models/ORG/NAME.json         branches and commits; a commit lists its files
    ROOT/blobs/DIGEST                 contents: small files by their git digest, large ones by SHA-256

A digest of a commit depends on its contents, parent and title alone, so the same pushes give the same commits.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

RepoType = Literal["model", "dataset", "space"]
Name = tuple[RepoType, str]  # kind of a repository, and "org/name"

LARGE = 10_000_000  # bytes from which any file is stored as a large one
_LARGE_NAMES = re.compile(r"\.(safetensors|parquet|bin|onnx|arrow|gz|zip|npy|model|pt)$")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")
_DIGEST = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
ATTRIBUTES = b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n*.parquet filter=lfs diff=lfs merge=lfs -text\n"


class NotThereError(Exception):
    """A repository, revision or file is not there; `code` is what the hub calls it."""

    def __init__(self, code: Literal["RepoNotFound", "RevisionNotFound", "EntryNotFound"], message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit: git digest (of the pointer, where it is large), size in bytes, SHA-256 where it is large."""

    oid: str
    size: int
    sha256: str | None = None

    @property
    def blob(self) -> str:
        """Name of the content; also what the caller of an upload compares with."""
        return self.sha256 or self.oid


@dataclass(frozen=True, slots=True)
class Commit:
    """A state of a repository."""

    oid: str
    parent: str | None
    title: str
    files: Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it is: `branches` name commits by their digest; a gated one shows its files to nobody."""

    private: bool
    gated: bool
    branches: Mapping[str, str]
    commits: Mapping[str, Commit]

    def commit(self, revision: str) -> Commit:
        """The commit that a branch or digest names; raises NotThereError."""
        oid = self.branches.get(revision, revision)
        if oid not in self.commits:
            raise NotThereError("RevisionNotFound", f"Invalid rev id: {revision}")
        return self.commits[oid]


def git_digest(content: bytes) -> str:
    """What git calls a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def is_large(path: str, size: int) -> bool:
    """Whether the hub wants a file as a large one."""
    return size > 0 and (size >= LARGE or _LARGE_NAMES.search(path) is not None)


class Repositories:
    """All repositories, kept in a folder; safe for several threads of one process."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.RLock()
        (root / "blobs").mkdir(parents=True, exist_ok=True)

    def _file(self, name: Name) -> Path:
        kind, repo_id = name
        if not _NAME.fullmatch(repo_id):
            raise NotThereError("RepoNotFound", "Repository not found")
        return self._root / f"{kind}s" / f"{repo_id}.json"

    def has(self, name: Name) -> bool:
        """Whether there is such a repository."""
        return self._file(name).is_file()

    def get(self, name: Name) -> Repository:
        """A repository; raises NotThereError."""
        with self._lock:
            if not self.has(name):
                raise NotThereError("RepoNotFound", "Repository not found")
            row = json.loads(self._file(name).read_text("utf-8"))
        commits = {
            oid: Commit(oid, c["parent"], c["title"], {path: Entry(**e) for path, e in c["files"].items()})
            for oid, c in row["commits"].items()
        }
        return Repository(row["private"], row["gated"], row["branches"], commits)

    def _put(self, name: Name, repository: Repository) -> None:
        file = self._file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(asdict(repository), ensure_ascii=False, indent=1), "utf-8")
        partial.replace(file)

    def create(self, name: Name, *, private: bool = False, gated: bool = False) -> None:
        """A new repository with one commit, as the hub makes it."""
        with self._lock:
            self._put(name, Repository(private, gated, {}, {}))
            self.add_commit(name, "main", "initial commit", {".gitattributes": self.add_content("", ATTRIBUTES)}, ())

    def branch(self, name: Name, branch: str, revision: str) -> None:
        """Make a branch that starts at a revision."""
        with self._lock:
            repository = self.get(name)
            branches = {**repository.branches, branch: repository.commit(revision).oid}
            self._put(name, replace(repository, branches=branches))

    def add_content(self, path: str, content: bytes) -> Entry:
        """Keep a file's content; `path` says whether it is a large one."""
        if not is_large(path, len(content)):
            entry = Entry(git_digest(content), len(content))
        else:
            entry = self.large(hashlib.sha256(content).hexdigest(), len(content))
        self.blob(entry.blob).write_bytes(content)
        return entry

    @staticmethod
    def large(sha256: str, size: int) -> Entry:
        """The entry of a large file."""
        return Entry(git_digest(_POINTER.format(sha256, size).encode()), size, sha256)

    def blob(self, name: str) -> Path:
        """Where the content of that digest lies, or would; raises NotThereError for what is no digest."""
        if not _DIGEST.fullmatch(name):
            raise NotThereError("EntryNotFound", "Entry not found")
        return self._root / "blobs" / name

    def add_commit(
        self, name: Name, branch: str, title: str, added: Mapping[str, Entry], removed: tuple[str, ...]
    ) -> Commit:
        """Commit files to a branch; the branch of an empty repository is made."""
        with self._lock:
            repository = self.get(name)
            before = repository.commit(branch) if repository.commits else None
            files = {**(before.files if before else {}), **added}
            gone = {path for path in files if path in removed or path.startswith(tuple(f"{r}/" for r in removed))}
            files = {path: files[path] for path in sorted(files) if path not in gone}
            parent = before.oid if before else None
            seed = json.dumps([name, parent, title, {path: entry.blob for path, entry in files.items()}])
            oid = hashlib.sha1(seed.encode(), usedforsecurity=False).hexdigest()
            commit = Commit(oid, parent, title, files)
            branches = {**repository.branches, branch: oid}
            self._put(name, replace(repository, branches=branches, commits={**repository.commits, oid: commit}))
            return commit
