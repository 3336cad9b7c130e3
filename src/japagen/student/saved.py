"""How a trained classifier lies in a folder: `classifier.json`, `weights.safetensors`, and `vocabulary.json` if any.

Arrays and JSON only, never pickle: a classifier from a stranger can be read without running anything of theirs. The
digests of the other files stand in `classifier.json`, which is written last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.tables import file_digest

FORMAT = 1
ABOUT, WEIGHTS, VOCABULARY = "classifier.json", "weights.safetensors", "vocabulary.json"
BESIDE = (ABOUT, "decision.json", "README.md", "japagen.json", ".gitattributes")
"""Files that the seal does not name: a decision has a digest of its own, the others are not read."""
AGAIN = "the folder is incomplete or was changed: copy it anew, or train again"

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Saved:
    """A classifier as files hold it.

    Attributes:
        student: name of the student that made it, and can read it.
        labels: in the order of the rows of its weights.
        settings: the student's own, e.g. the C that was chosen.
        arrays: weights by name.
        vocabulary: what the columns mean; empty where the student needs none.
    """

    student: str
    labels: tuple[str, ...]
    settings: Mapping[str, Any]
    arrays: Arrays
    vocabulary: Sequence[str] = ()


def write(folder: Path, saved: Saved) -> None:
    """Write into an existing folder."""
    from safetensors.numpy import save

    weights = save({name: np.ascontiguousarray(array) for name, array in saved.arrays.items()})
    vocabulary = json.dumps(list(saved.vocabulary), ensure_ascii=False).encode()
    about: dict[str, Any] = {"student": saved.student, "format": FORMAT, "labels": list(saved.labels)}
    about |= dict(saved.settings)
    about["sha256"] = hashlib.sha256(weights).hexdigest()
    (folder / WEIGHTS).write_bytes(weights)
    if saved.vocabulary:
        about["vocabulary_sha256"] = hashlib.sha256(vocabulary).hexdigest()
        (folder / VOCABULARY).write_bytes(vocabulary)
    text = json.dumps(about, ensure_ascii=False, indent=2)
    (folder / ABOUT).write_bytes(text.encode() + b"\n")


def read_about(folder: Path) -> dict[str, Any]:
    """What `classifier.json` says, with "student" and "labels" as they must be.

    Raises:
        ModelError: no such folder or file, no JSON, or not what a classifier.json holds.
    """
    if not folder.is_dir():
        raise ModelError("no such folder", where=folder, remedy="give the folder that holds a classifier.json")
    file = folder / ABOUT
    try:
        about = json.loads(_bytes(file))
    except (ValueError, RecursionError) as error:
        raise damaged(file, f"not valid JSON: {error}") from error
    match about:
        case {"student": str(), "format": int(version), "labels": [str(), str(), *_] as labels, "sha256": str()}:
            if not all(isinstance(label, str) for label in labels) or len(set(labels)) < len(labels):
                raise damaged(file, "the labels are not distinct texts")
            if version == FORMAT:
                return dict(about)
            raise ModelError(
                f"format {version} is not known here, only {FORMAT}", where=file, remedy="use the japagen that wrote it"
            )
        case _:
            raise damaged(file, "lacks 'student', 'format', 'labels' or 'sha256'")


def read(folder: Path, settings: Mapping[str, type], shapes: Mapping[str, tuple[str, ...]]) -> Saved:
    """Read and verify a folder.

    Args:
        folder: as `write` left it.
        settings: those that must be there, with their types.
        shapes: the arrays that must be there; "labels" stands for the number of labels, "words" for the vocabulary's,
            any other word for any length.

    Raises:
        ModelError: a file is missing, damaged or not what `classifier.json` says of it.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    about = read_about(folder)
    student, labels = about.pop("student"), tuple(about.pop("labels"))
    for name, kind in settings.items():
        if not isinstance(about.get(name), kind):
            raise damaged(folder / ABOUT, f"'{name}' is missing or no {kind.__name__}")
    vocabulary: list[str] = []
    if "vocabulary_sha256" in about:
        try:
            vocabulary = json.loads(_verified(folder / VOCABULARY, about.pop("vocabulary_sha256")))
        except (ValueError, RecursionError) as error:
            raise damaged(folder / VOCABULARY, f"not valid JSON: {error}") from error
        distinct = isinstance(vocabulary, list) and all(isinstance(word, str) for word in vocabulary)
        if not distinct or len(set(vocabulary)) != len(vocabulary):
            raise damaged(folder / VOCABULARY, "not a list of distinct words")
    try:
        arrays = load(_verified(folder / WEIGHTS, about.pop("sha256")))
    except SafetensorError as error:
        raise damaged(folder / WEIGHTS, f"not a safetensors file: {error}") from error
    lengths = {"labels": len(labels), "words": len(vocabulary)}
    for name, shape in shapes.items():
        if name not in arrays or not _fits(arrays[name].shape, [lengths.get(length) for length in shape]):
            raise damaged(folder / WEIGHTS, f"the array '{name}' is missing or of another shape")
    return Saved(student, labels, about, arrays, vocabulary)


def damaged(file: Path, what: str) -> ModelError:
    """The error that says so of a file."""
    return ModelError(what, where=file, remedy=AGAIN)


def _fits(shape: tuple[int, ...], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(w is None or n == w for n, w in zip(shape, wanted, strict=True))


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise damaged(file, f"cannot be read: {error.strerror}") from error


def _verified(file: Path, sha256: str) -> bytes:
    """The file's bytes, if their digest is the one that was noted when it was written."""
    content = _bytes(file)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise damaged(file, "the checksum differs from the one in classifier.json")
    return content


def seal(folder: Path, student: str, labels: Sequence[str], settings: Mapping[str, Any], *, weights: str) -> None:
    """Write classifier.json, last, over files that others have put into the folder: each with its digest.

    Args:
        folder: what is in it, no folders, is sealed.
        student: name of what can read it.
        labels: in the order of outputs.
        settings: what else it needs.
        weights: name of the file of weights.
    """
    (folder / weights).chmod(0o644)  # a library that writes by way of a temporary file leaves it to its owner alone
    digests = {
        file.name: file_digest(file) for file in sorted(folder.iterdir()) if file.is_file() and file.name != ABOUT
    }
    about = {"student": student, "format": FORMAT, "labels": list(labels), **settings}
    about |= {"sha256": digests.pop(weights), "files": digests}
    (folder / ABOUT).write_bytes(json.dumps(about, ensure_ascii=False, indent=2).encode() + b"\n")


def unseal(folder: Path, settings: Mapping[str, type], *, weights: str) -> dict[str, Any]:
    """What classifier.json says, after its files were found to be those that were sealed.

    Args:
        folder: as `seal` left it.
        settings: those that must be there, with their types.
        weights: name of the file of weights.

    Raises:
        ModelError: a file is missing or was changed, or a setting is not there.
    """
    about = read_about(folder)
    for name, kind in settings.items():
        given: Any = about.get(name)
        if type(given) is not kind or (isinstance(given, int) and kind is int and not 0 < given < 2**31):
            raise damaged(folder / ABOUT, f"'{name}' is missing or no {kind.__name__} that can be")
    match about.get("files"):
        case dict() as files if all(isinstance(value, str) for value in files.values()):
            pass
        case _:
            raise damaged(folder / ABOUT, "'files' is missing or no table of digests")
    for name, sha256 in {**files, weights: about["sha256"]}.items():
        if Path(name).name != name or not name.isprintable():
            raise damaged(folder / ABOUT, f"names a file outside its folder: {name!r}")
        check_digest(folder / name, sha256)
    known = {*files, weights, *BESIDE}
    if strangers := sorted(file.name for file in folder.iterdir() if file.is_file() and file.name not in known):
        raise damaged(folder / strangers[0], "is no file of this classifier")
    return about


def values_of(about: Mapping[str, Any], folder: Path) -> tuple[float, ...] | None:
    """The number that each label stands for, where a classifier gives numbers.

    Raises:
        ModelError: they are not one finite number per label.
    """
    given = about.get("values")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) != len(about["labels"]) or not all(map(_is_finite, given)):
        raise damaged(folder / ABOUT, "'values' is not one number per label")
    return tuple(map(float, given))


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e100


def check_digest(file: Path, sha256: str) -> None:
    """Refuse a file that is not the one whose digest was noted; read in parts, so that its size does not matter.

    Raises:
        ModelError: it cannot be read, or differs.
    """
    try:
        found = file_digest(file)
    except OSError as error:
        raise damaged(file, f"cannot be read: {error.strerror}") from error
    if found != sha256:
        raise damaged(file, "the checksum differs from the one in classifier.json")
