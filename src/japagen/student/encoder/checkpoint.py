"""The state of an unfinished training on disk, so that it goes on where it was: as safetensors and JSON, never pickle.

A checkpoint is a folder that appears whole by a rename; of several the newest counts, the older ones are removed. It
belongs to one training, known by a digest of everything that shapes it (rows, settings, seed, versions): another's is not
used.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from japagen.records import digest
from japagen.tables import file_digest

_STATE, _TENSORS = "state.json", "tensors.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a training needs to go on.

    Attributes:
        step: steps that are done.
        facts: numbers and lists, as JSON.
        tensors: by name.
    """

    step: int
    facts: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor] = field(default_factory=dict)


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: they lie in it, it is made when the first is written.
        training: digest of everything that shapes the training.
    """

    def __init__(self, folder: Path, training: str) -> None:
        self.folder = folder
        self.training = training

    def write(self, checkpoint: Checkpoint) -> None:
        """Make it durable, then remove older ones."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        place = self.folder / f"step-{checkpoint.step:09d}"
        partial = self.folder / f"{place.name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in checkpoint.tensors.items()}
        try:
            save_file(tensors, partial / _TENSORS)
        except SafetensorError as error:  # a full disk, among others
            raise OSError(str(error)) from error
        state: dict[str, Any] = {"training": self.training, "step": checkpoint.step, "facts": dict(checkpoint.facts)}
        state["seal"] = digest([*state.values(), file_digest(partial / _TENSORS)])
        (partial / _STATE).write_text(json.dumps(state, ensure_ascii=False), encoding="utf-8")
        for file in (partial / _TENSORS, partial / _STATE, partial):
            _sync(file)
        shutil.rmtree(place, ignore_errors=True)
        partial.rename(place)
        _sync(self.folder)
        for other in self.folder.iterdir():
            if other != place:
                shutil.rmtree(other, ignore_errors=True)

    def newest(self) -> Checkpoint | None:
        """The newest one that is whole and belongs to this training; None if there is none."""
        for place in sorted(self.folder.glob("step-*[0-9]"), reverse=True):
            if (found := self._read(place)) is not None:
                return found
        return None

    def _read(self, place: Path) -> Checkpoint | None:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            state = json.loads((place / _STATE).read_text(encoding="utf-8"))
            sealed = [state[name] for name in ("training", "step", "facts")]
            if state["training"] != self.training or state["seal"] != digest([*sealed, file_digest(place / _TENSORS)]):
                return None
            return Checkpoint(int(state["step"]), dict(state["facts"]), load_file(place / _TENSORS))
        except (OSError, ValueError, LookupError, TypeError, RecursionError, SafetensorError):
            return None

    def remove(self) -> None:
        """Forget them: the training is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The state of an optimiser, flat, by the position of each parameter."""
    state = optimiser.state_dict()["state"]
    return {f"{position}.{name}": value for position, values in state.items() for name, value in values.items()}


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `optimiser_tensors` took."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        position, _, key = name.partition(".")
        state.setdefault(int(position), {})[key] = value
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
