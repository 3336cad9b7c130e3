"""Fetching a pretrained model from the Hugging Face Hub: at a commit, without code and without pickle.

A few models that are published as pickle only are known here by commit and SHA-256. Such a file is read once, by a
reader that builds nothing but tensors, and kept as safetensors; of any other model pickle is refused.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from japagen.cache import cache_folder
from japagen.errors import ConfigError, MissingExtra, ModelError
from japagen.student.encoder.recipe import MULTILINGUAL
from japagen.tables import file_digest

_NAME = re.compile(r"(?=.{1,96}$)[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)?")
PATTERNS = ("*.json", "*.txt", "*.safetensors", "*.model")
WEIGHTS, PICKLED = "model.safetensors", "pytorch_model.bin"


@dataclass(frozen=True, slots=True)
class Pinned:
    """A model as it was when it was looked at.

    Attributes:
        revision: commit.
        pickled: SHA-256 of its pytorch_model.bin, where it has no safetensors.
    """

    revision: str
    pickled: str | None = None


PINNED = {
    "tohoku-nlp/bert-base-japanese-v3": Pinned(
        "65243d6e5629b969c77309f217bd7b1a79d43c7e",
        "e172862e0674054d65e0ba40d67df2a4687982f589db44aa27091c386e5450a4",
    ),
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A model on this machine.

    Attributes:
        folder: its files.
        revision: the commit they are of; None for a folder of the user's.
    """

    folder: Path
    revision: str | None = None


def fetch(model: str, revision: str | None) -> Fetched:
    """The files of a model: the user's own folder, or downloaded once into the hub's cache.

    Raises:
        ConfigError: neither a folder nor a name that can be on the hub.
        ModelError: the hub does not have it, cannot be reached, or has it only as pickle.
        MissingExtra: huggingface_hub is absent.
    """
    here = _as_path(model)
    if here is not None and here.is_file():
        raise ConfigError("is a file, not a folder", where=f"train.encoder.model {model}", remedy="give its folder")
    if here is not None and here.is_dir():
        if revision is not None:
            raise ConfigError(
                "a folder has no revision",
                where="train.encoder.revision",
                remedy="remove it, or give a name on the hub",
            )
        if not (here / "config.json").is_file():
            raise ModelError(
                "there is no config.json in this folder",
                where=f"train.encoder.model {model}",
                remedy="give a folder that transformers' save_pretrained wrote",
            )
        return Fetched(here)
    if model.lower() == MULTILINGUAL or not _NAME.fullmatch(model):
        raise ConfigError(
            f"there is no folder '{visible(model)}', and it is no name on the hub",
            where="train.encoder.model",
            remedy="give a folder, a name on the hub (organisation/name), or use-multilingual",
        )
    pinned = PINNED.get(model, Pinned(revision or "main"))
    wanted = revision or pinned.revision
    kept = cache_folder() / "encoders" / f"{model.replace('/', '--')}-{wanted}"
    if (kept / WEIGHTS).is_file():
        return Fetched(kept, wanted)
    folder = _download(model, wanted, PATTERNS)
    commit = folder.name
    if any(folder.glob("*.safetensors")):
        return Fetched(folder, commit)
    if pinned.pickled is None or wanted != pinned.revision:
        raise ModelError(
            "has no weights as safetensors, and pickle of others is not read",
            where=f"model '{model}' at {commit}",
            remedy="give a revision that has them (on the hub often refs/pr/N), or a folder that you have converted",
        )
    return Fetched(_converted(model, wanted, pinned.pickled, folder, kept), wanted)


def _as_path(model: str) -> Path | None:
    """The model as a path; None where it cannot be one."""
    try:
        path = Path(model).expanduser()
        path.exists()
    except (OSError, ValueError, RuntimeError):  # too long, a NUL in it, nobody's home
        return None
    return path


def visible(text: str) -> str:
    """A name as it can stand in a message: short, without passwords of addresses or signs that are not seen."""
    shown = re.sub(r"//[^/@]*@", "//…@", text if len(text) <= 80 else f"{text[:80]}…")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)


def _download(model: str, revision: str, patterns: tuple[str, ...]) -> Path:
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise MissingExtra("huggingface_hub", "encoder", needed_by=f"model '{model}'") from error
    where = f"model '{model}'"
    try:
        return Path(_snapshot(model, revision=revision, allow_patterns=list(patterns)))
    except errors.GatedRepoError as error:
        raise ModelError("is gated", where=where, remedy="accept its terms on the hub and set HF_TOKEN") from error
    except errors.RevisionNotFoundError as error:
        raise ModelError(f"has no revision '{revision}'", where=where, remedy="give a commit of the model") from error
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as error:
        remedy = "check the name, give a folder, or set HF_TOKEN if it is private; use-multilingual needs no hub"
        raise ModelError("is not on the hub", where=where, remedy=remedy) from error
    except (errors.HfHubHTTPError, errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, OSError) as error:
        besides = "" if "/" in model else "no folder of this name is here, and it "
        raise ModelError(
            f"{besides}cannot be had from the hub: {_told(error)}",
            where=where,
            remedy="connect to the hub once (HF_ENDPOINT names another), give a folder, or use model: use-multilingual",
        ) from error


def _told(error: Exception) -> str:
    """The reason in a line; of a failed connection the innermost one."""
    inner: BaseException = error
    while inner.__cause__ is not None:
        inner = inner.__cause__
    lines = [line for line in str(inner).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(inner).__name__


def _snapshot(model: str, **options: Any) -> str:
    from huggingface_hub import snapshot_download

    log = logging.getLogger("huggingface_hub")
    level = log.level
    log.setLevel(logging.CRITICAL)  # its retries are not news; what fails in the end is told by us
    try:
        return str(snapshot_download(model, **options))
    finally:
        log.setLevel(level)


def _converted(model: str, revision: str, sha256: str, folder: Path, kept: Path) -> Path:
    """The pinned pickle as safetensors, in a folder of our cache beside the model's other files."""
    import torch
    from safetensors.torch import save_file

    pickled = _download(model, revision, (PICKLED,)) / PICKLED
    if not pickled.is_file() or file_digest(pickled) != sha256:
        raise ModelError(
            f"{PICKLED} is not the file that is known here",
            where=f"model '{model}' at {revision}",
            remedy="fetch it anew",
        )
    arrays = torch.load(pickled, map_location="cpu", weights_only=True)
    partial = kept.with_name(f"{kept.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for file in folder.iterdir():
        if file.is_file() and file.suffix in {".json", ".txt", ".model"}:
            shutil.copyfile(file, partial / file.name)
    save_file({name: array.clone() for name, array in arrays.items()}, partial / WEIGHTS, metadata={"format": "pt"})
    try:
        partial.rename(kept)
    except OSError:  # another process was first
        shutil.rmtree(partial, ignore_errors=True)
    return kept
