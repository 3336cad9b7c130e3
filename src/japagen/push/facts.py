"""What cards say of a run, read from its files: the task, who wrote, where the rows went. It holds no path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from pydantic import ValidationError

from japagen.errors import RunError
from japagen.rundir import Run, digest_or_none, read_json
from japagen.task import Task

_REDO = "make it again with --redo report"


@dataclass(frozen=True, slots=True)
class Facts:
    """A run as its cards tell it.

    Attributes:
        experiment: its name.
        task: what the texts are, and the labels.
        llm: the language model that wrote; of one in a file, the file's name alone.
        settings: the experiment's sections, defaults filled in.
        accounts: of generate and curate, where the rows went: requested, kept, dropped, failed.
        by_label: of curate, the same for each label.
        version: of japagen, that made the texts.
    """

    experiment: str
    task: Task
    llm: str
    settings: Mapping[str, Any]
    accounts: Mapping[str, Mapping[str, Any]]
    by_label: Mapping[str, Mapping[str, Any]]
    version: str


def read_facts(place: Run) -> Facts:
    """The facts of a run that has at least been curated.

    Raises:
        RunError: it has not got that far, or a file is damaged.
    """
    stages = {stage: place.done(stage) for stage in ("generate", "curate")}
    generated, curated = stages["generate"], stages["curate"]
    if generated is None or curated is None:
        raise RunError("no texts have been curated yet", where=place.path, remedy="go on with: japagen run EXPERIMENT")
    file = place.path / "task.json"
    try:
        saved = read_json(file)
        for label in saved["labels"].values():
            label["shots"] = []  # they stay here, and may name words of a file that has changed
        task = Task.model_validate(saved)
        file = place.path / "experiment.json"
        settings = read_json(file)
        llm = model_name(settings["llm"]["name"])
        accounts = {"generate": generated["accounting"], "curate": curated["accounting"]}
        return Facts(
            str(settings["name"]), task, llm, settings, accounts, curated["by_label"], generated["versions"]["japagen"]
        )
    except (TypeError, LookupError, AttributeError) as error:
        raise RunError(f"damaged: {error}", where=file, remedy=_REDO) from error
    except ValidationError as error:
        raise RunError(f"damaged: {error.errors()[0]['msg']}", where=file, remedy=_REDO) from error


def model_name(llm: str) -> str:
    """The name of a language model without the folders of this machine: ``gguf:/home/me/m.gguf`` is ``gguf:m.gguf``."""
    kind, colon, name = llm.partition(":")
    return f"{kind}:{PureWindowsPath(name).name}" if kind == "gguf" and colon else llm


def stage_file(place: Run, stage: str, name: str) -> Path:
    """A file that a stage wrote, as it wrote it.

    Raises:
        RunError: it is gone or was changed since, or the stage is not complete.
    """
    done, file = place.done(stage), place.folder(stage) / name
    if done is None:
        raise RunError(
            f"stage '{stage}' is not complete", where=place.path, remedy="go on with: japagen run EXPERIMENT"
        )
    expected = done["outputs"].get(name)
    if expected is None or digest_or_none(file) != expected:
        remedy = f"make it again with --redo {stage}"
        raise RunError(
            f"'{name}' is gone or was changed since the stage was done", where=place.folder(stage), remedy=remedy
        )
    return file
