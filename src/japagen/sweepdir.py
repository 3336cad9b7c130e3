"""A sweep on disk: a folder whose folders are runs, one for each arm of an experiment.

``sweep.json`` says which arms there are, in the order of the experiment, and what differs in each. Every arm is an ordinary
run, which all commands accept. ``replies.sqlite`` holds the replies of all of them, so that equal requests are asked once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

from japagen.errors import RunError
from japagen.rundir import REPLIES, SWEEP, Run, check_name, now, read_json
from japagen.tables import write_json


def is_sweep(path: str | Path) -> bool:
    """Whether a folder is that of a sweep."""
    check_name(Path(path))
    return (Path(path) / SWEEP).is_file()


class Sweep:
    """The folder of a sweep.

    Args:
        path: the folder; it is made by `create`, read by `open`.
        overrides: of each arm, in order, what differs in it: dotted key to value.
    """

    def __init__(self, path: Path, overrides: Mapping[str, Mapping[str, Any]]) -> None:
        self.path = path
        self.overrides = overrides

    @classmethod
    def create(cls, path: Path, name: str, overrides: Mapping[str, Mapping[str, Any]]) -> Sweep:
        """The sweep at `path`, made if it is not there; what one on disk says of its arms stays until `save`.

        Raises:
            RunError: the folder cannot be written, or holds something else.
        """
        file = path / SWEEP
        given = {arm: dict(keys) for arm, keys in overrides.items()}
        try:
            if file.exists():
                about = read_json(file)
                if not isinstance(about, dict) or about.get("sweep") != name:
                    raise RunError(
                        "this folder holds another sweep",
                        where=path,
                        remedy="give the experiment another name, or choose another folder with --runs",
                    )
                return cls(path, given)
            if path.exists() and any(not entry.name.endswith(".partial") for entry in path.iterdir()):
                holds = "a run, and the experiment has arms" if (path / "run.json").exists() else "no sweep"
                raise RunError(
                    f"this folder is not empty and holds {holds}",
                    where=path,
                    remedy="give the experiment another name, or choose another folder with --runs",
                )
            path.mkdir(parents=True, exist_ok=True)
            version = metadata.version("japagen")
            write_json(file, {"format": 1, "sweep": name, "arms": given, "japagen": version, "created": now()})
        except OSError as error:
            raise RunError(
                f"the sweep's folder cannot be written: {error.strerror or error}",
                where=path,
                remedy="choose another place with --runs",
            ) from error
        return cls(path, given)

    @classmethod
    def open(cls, path: str | Path) -> Sweep:
        """An existing sweep.

        Raises:
            RunError: there is none, or it is damaged.
        """
        if not is_sweep(path):
            remedy = "make one with: japagen run EXPERIMENT, of an experiment with arms"
            raise RunError("there is no sweep in this folder", where=path, remedy=remedy)
        file = Path(path) / SWEEP
        about = read_json(file)
        arms = about.get("arms") if isinstance(about, dict) else None
        if not isinstance(arms, dict) or not arms or not all(isinstance(keys, dict) for keys in arms.values()):
            raise RunError("damaged: it names no arms", where=file, remedy="give the experiment again: japagen run")
        if any(Path(arm).name != arm or arm in ("", ".", "..") for arm in arms):
            raise RunError("damaged: an arm's name is no folder", where=file, remedy="give the experiment again")
        return cls(Path(path), arms)

    @property
    def name(self) -> str:
        """Of the experiment."""
        return str(read_json(self.path / SWEEP)["sweep"])

    @property
    def replies(self) -> Path:
        """The store of replies that the arms share."""
        return self.path / REPLIES

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep other processes out of all arms: requests that arms share would be asked, and paid, twice.

        Raises:
            RunError: another process is at work here; its id is named.
        """
        with ExitStack() as held:
            try:
                held.enter_context(Run(self.path).lock())
            except RunError as error:
                what = error.what.replace("in this run", "in this sweep")
                raise RunError(what, where=self.path, remedy=error.remedy) from error
            yield

    def save(self) -> None:
        """Say in ``sweep.json`` that it has these arms; those of an earlier version of the experiment keep their folders.

        Raises:
            OSError: it cannot be written.
            RunError: it is damaged.
        """
        file = self.path / SWEEP
        about, given = read_json(file), {arm: dict(keys) for arm, keys in self.overrides.items()}
        if about.get("arms") != given or list(about["arms"]) != list(given):
            write_json(file, about | {"arms": given})

    def folder(self, arm: str) -> Path:
        """Of an arm; it may not exist yet."""
        return self.path / arm

    def begun(self) -> dict[str, Run]:
        """The arms that have a folder, in order."""
        runs = {arm: Run(self.folder(arm)) for arm in self.overrides}
        return {arm: run for arm, run in runs.items() if (run.path / "run.json").is_file()}


def differing(keys: Mapping[str, Any]) -> str:
    """What differs in an arm, in words.

    >>> differing({"generate.kadg": False, "llm.temperature": 0.4})
    'generate.kadg: false, llm.temperature: 0.4'
    >>> differing({})
    'as it is'
    """
    return ", ".join(f"{key}: {_shown(value)}" for key, value in keys.items()) or "as it is"


def _shown(value: Any) -> str:
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case dict():
            return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
        case list() | tuple():
            return "[" + ", ".join(map(_shown, value)) + "]"
    return str(value)
