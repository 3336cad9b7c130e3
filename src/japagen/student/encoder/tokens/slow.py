"""Any other tokeniser, by transformers' own classes: at their speed, or as a `tokenizer.json` where they make one of it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import MissingExtra, ModelError
from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.fast import FastTokeniser
from japagen.student.encoder.tokens.rows import Padding, Tokenised, checked, kept

_PACKAGES = {
    "fugashi": "fugashi",
    "unidic_lite": "unidic-lite",
    "unidic": "unidic && python -m unidic download",
    "ipadic": "ipadic",
    "sudachipy": "sudachipy sudachidict_core",
    "rhoknp": "rhoknp",
    "sentencepiece": "sentencepiece protobuf",
}
"""Packages that tokenisers of transformers ask for, and what to give to pip."""


class TransformersTokeniser:
    """A slow tokeniser of transformers'."""

    def __init__(self, tokenizer: Any, padding: Padding) -> None:
        self.padding = padding
        self._tokenizer = tokenizer

    def encode(self, first: Sequence[str], second: Sequence[str] | None, *, max_length: int) -> Tokenised:
        """See `Tokeniser.encode`."""
        checked(first, second, max_length)
        frame = self._tokenizer.num_special_tokens_to_add(pair=second is not None)
        rows = [
            self._row(text, second[i] if second is not None else None, max_length - frame)
            for i, text in enumerate(first)
        ]
        starts = np.cumsum([0, *(len(ids) for ids, _ in rows)], dtype=np.int64)
        ids = np.array([i for ids, _ in rows for i in ids], dtype=np.int32)
        types = np.array([t for _, types in rows for t in types], dtype=np.uint8)
        return Tokenised(ids, types, starts)

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """See `Tokeniser.collate`."""
        return self.padding.collate(tokens, rows)

    def save(self, folder: Path) -> None:
        """See `Tokeniser.save`."""
        self._tokenizer.model_input_names = self._tokenizer.init_kwargs["model_input_names"] = self.padding.names
        self._tokenizer.save_pretrained(folder)

    def _row(self, text: str, other: str | None, budget: int) -> tuple[list[int], list[int]]:
        """Ids and types; cut here, since transformers warns at each pair that it cuts."""
        ids, more = self._ids(text), self._ids(other or "")
        count, rest = (int(n[0]) for n in kept(np.array([len(ids)]), np.array([len(more)]), budget))
        if self._tokenizer.truncation_side == "left":
            if not more and len(ids) > budget:  # transformers then takes the pair for a single text
                other = None
            ids, more = ids[len(ids) - count :], more[len(more) - rest :]
        texts = (ids[:count],) if other is None else (ids[:count], more[:rest])
        framed = self._tokenizer.build_inputs_with_special_tokens(*texts)
        return framed, self._tokenizer.create_token_type_ids_from_sequences(*texts)

    def _ids(self, text: str) -> list[int]:
        found: list[int] = self._tokenizer.convert_tokens_to_ids(self._tokenizer.tokenize(text))
        return found


def load_by_transformers(folder: Path, config: Mapping[str, Any]) -> FastTokeniser | TransformersTokeniser:
    """What AutoTokenizer makes of a local folder; no code of the folder's is run.

    Raises:
        ModelError: it makes nothing of it, or lacks a dictionary.
        MissingExtra: transformers is not installed.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtra("transformers", "encoder", needed_by=str(folder)) from error
    try:
        found: Any = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except ImportError as error:
        raise _lacking(folder, error) from error
    except BaseException as error:  # damaged files end in errors of any kind, panics of Rust among them
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        what = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise ModelError(f"no tokeniser can be read: {what}", where=folder, remedy=files.AGAIN) from error
    about = dict(config) | {
        "padding_side": found.padding_side,
        "truncation_side": found.truncation_side,
        **{key: token for key, token in found.special_tokens_map.items() if key in files.NAMED},
    }
    if getattr(found, "is_fast", False):
        return FastTokeniser.of_text(folder, found.backend_tokenizer.to_str(), about)
    pad = None
    with contextlib.suppress(AttributeError):
        pad = found.pad_token_id
    return TransformersTokeniser(found, files.padding_of(folder, about, pad))


def _lacking(folder: Path, error: ImportError) -> ModelError:
    """The error that names the missing package and its `pip install`."""
    text = str(error)
    package = error.name or next((name for name in _PACKAGES if name in text.lower()), None)
    if package is None:
        return ModelError(f"its tokeniser needs more packages: {text.strip()[:200]}", where=folder)
    remedy = f"install it with: pip install {_PACKAGES.get(package, package)}"
    return ModelError(f"its tokeniser needs the package '{package}'", where=folder, remedy=remedy)
