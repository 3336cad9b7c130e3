"""A `tokenizer.json`, run by the package tokenizers: in Rust, on all cores, without transformers."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import MissingExtra
from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.rows import Padding, Tokenised, checked

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

AT_ONCE = 8_192
"""Rows in hand at a time: an encoding holds a hundred times what we keep of it."""
_PADS = ("[PAD]", "<pad>", "<|pad|>")
_KEPT = (*files.NAMED, "padding_side", "truncation_side", "model_max_length", "split_special_tokens")


class FastTokeniser:
    """See the module; made by `load`.

    Args:
        tokenizer: with its special tokens.
        config: what `tokenizer_config.json` shall say of it, when saved.
        padding: the form of a batch.
        left: whether long texts are cut at their beginning.
    """

    def __init__(self, tokenizer: Tokenizer, config: Mapping[str, Any], padding: Padding, *, left: bool) -> None:
        self.config = config
        self.padding = padding
        self._tokenizer = tokenizer
        self._left = left
        self._lock = threading.Lock()

    @classmethod
    def load(cls, folder: Path, config: Mapping[str, Any]) -> FastTokeniser:
        """Read a folder with a `tokenizer.json`.

        Raises:
            ModelError: a file is damaged.
            MissingExtra: the package tokenizers is not installed.
        """
        return cls.of_text(folder, files.read_text(folder / files.FAST), config)

    @classmethod
    def of_text(cls, folder: Path, text: str, config: Mapping[str, Any]) -> FastTokeniser:
        """As `load`, where the text of `tokenizer.json` is given."""
        tokenizer = _parsed(folder / files.FAST, text)
        named = {key: token for key in files.NAMED if (token := files.token_of(folder, config, key)) is not None}
        tokenizer.add_special_tokens([token for token in named.values() if tokenizer.token_to_id(token) is None])
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = config.get("split_special_tokens") is True
        pad = named.get("pad_token") or next((t for t in _PADS if tokenizer.token_to_id(t) is not None), None)
        padding = files.padding_of(folder, config, None if pad is None else tokenizer.token_to_id(pad))
        about = {key: config[key] for key in _KEPT if config.get(key) is not None} | named
        if pad is not None:
            about["pad_token"] = pad
        about |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": padding.names}
        return cls(tokenizer, about, padding, left=files.is_left(folder, config, "truncation_side"))

    def encode(self, first: Sequence[str], second: Sequence[str] | None, *, max_length: int) -> Tokenised:
        """See `Tokeniser.encode`. A row is longer than `max_length` where that leaves no place for a token of the text."""
        checked(first, second, max_length)
        ids, types, lengths = [np.zeros(0, np.int32)], [np.zeros(0, np.uint8)], [np.zeros(1, np.int64)]
        for begin in range(0, len(first), AT_ONCE):
            some: list[Any] = list(first[begin : begin + AT_ONCE])
            if second is not None:
                some = list(zip(some, second[begin : begin + AT_ONCE], strict=True))
            found = self._encodings(some, max_length)
            lengths.append(np.array([len(e) for e in found], dtype=np.int64))
            size = int(lengths[-1].sum())
            ids.append(np.fromiter(chain.from_iterable(e.ids for e in found), np.int32, size))
            if second is not None or self.padding.types:
                types.append(np.fromiter(chain.from_iterable(e.type_ids for e in found), np.uint8, size))
            else:
                types.append(np.zeros(size, np.uint8))
        return Tokenised(np.concatenate(ids), np.concatenate(types), np.cumsum(np.concatenate(lengths)))

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """See `Tokeniser.collate`."""
        return self.padding.collate(tokens, rows)

    def save(self, folder: Path) -> None:
        """See `Tokeniser.save`: `tokenizer.json` and `tokenizer_config.json`, which says that the former is all."""
        self._tokenizer.no_truncation()
        (folder / files.FAST).write_bytes(self._tokenizer.to_str().encode())
        text = json.dumps(dict(self.config), ensure_ascii=False, indent=2)
        (folder / files.CONFIG).write_bytes(text.encode() + b"\n")

    def _encodings(self, texts: list[Any], max_length: int) -> list[Encoding]:
        direction = "left" if self._left else "right"
        with self._lock:
            self._tokenizer.enable_truncation(max_length, strategy="longest_first", direction=direction)
            return self._tokenizer.encode_batch_fast(texts)


def _parsed(file: Path, text: str) -> Tokenizer:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingExtra("tokenizers", "encoder", needed_by=str(file)) from error
    try:
        return Tokenizer.from_str(text)
    except BaseException as error:  # the package raises bare Exceptions, and panics of Rust are not even those
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise
        raise files.unusable(file, f"not a tokenizer.json: {str(error)[:200]}") from error
