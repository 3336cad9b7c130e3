"""llama.cpp's C interface, as much of it as `embedded` needs: load a GGUF, tokenise, decode rows, read logits.

The library comes inside the wheel of xllamacpp, which exports llama.cpp's public functions. We call those instead of the
wheel's server because the server decides by itself which sequences share a batch, and the last bits of a result depend
on that: two runs would differ. What we know of the binary layout is checked at start; nothing here knows of prompts.
"""

from __future__ import annotations

import ctypes as c
import importlib
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import MissingExtra, ModelError

_INT = c.c_int32
_PTR = c.c_void_p


class _Params(c.Structure):
    """Room for llama.cpp's parameter structs, which we pass on as its own default functions filled them."""

    _fields_ = [("bytes", c.c_uint8 * 2048)]


class _Batch(c.Structure):
    """llama_batch: the rows of one decoding step."""

    _fields_ = [
        ("n_tokens", _INT),
        ("token", c.POINTER(_INT)),
        ("embd", _PTR),
        ("pos", c.POINTER(_INT)),
        ("n_seq_id", c.POINTER(_INT)),
        ("seq_id", c.POINTER(c.POINTER(_INT))),
        ("logits", c.POINTER(c.c_int8)),
    ]


_LogCallback = c.CFUNCTYPE(None, c.c_int, c.c_char_p, _PTR)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    # name: (result, *arguments)
    "llama_log_set": (None, _LogCallback, _PTR),
    "llama_backend_init": (None,),
    "llama_model_default_params": (_Params,),
    "llama_context_default_params": (_Params,),
    "llama_model_load_from_file": (_PTR, c.c_char_p, _Params),
    "llama_init_from_model": (_PTR, _PTR, _Params),
    "llama_free": (None, _PTR),
    "llama_model_free": (None, _PTR),
    "llama_model_get_vocab": (_PTR, _PTR),
    "llama_vocab_n_tokens": (_INT, _PTR),
    "llama_vocab_bos": (_INT, _PTR),
    "llama_vocab_get_add_bos": (c.c_bool, _PTR),
    "llama_vocab_is_eog": (c.c_bool, _PTR, _INT),
    "llama_tokenize": (_INT, _PTR, c.c_char_p, _INT, c.POINTER(_INT), _INT, c.c_bool, c.c_bool),
    "llama_token_to_piece": (_INT, _PTR, _INT, c.c_char_p, _INT, _INT, c.c_bool),
    "llama_get_memory": (_PTR, _PTR),
    "llama_memory_seq_rm": (c.c_bool, _PTR, _INT, _INT, _INT),
    "llama_memory_seq_cp": (None, _PTR, _INT, _INT, _INT, _INT),
    "llama_batch_init": (_Batch, _INT, _INT, _INT),
    "llama_batch_free": (None, _Batch),
    "llama_decode": (_INT, _PTR, _Batch),
    "llama_get_logits_ith": (c.POINTER(c.c_float), _PTR, _INT),
    "llama_set_n_threads": (None, _PTR, _INT, _INT),
}
_CONTEXT_DEFAULTS = (512, 2048, 512, 1)  # n_ctx, n_batch, n_ubatch, n_seq_max: the struct's first four fields

Row = tuple[int, int, int, bool]
"""One row of a decoding step: token id, position, sequence, whether its logits are wanted."""


class _Library:
    """The functions by name, with their types set."""

    def __init__(self) -> None:
        try:
            binding = importlib.import_module("xllamacpp.xllamacpp")
        except ImportError as error:
            raise MissingExtra("xllamacpp", "embedded", needed_by="llm 'embedded'") from error
        library = c.CDLL(str(binding.__file__))
        for name, (result, *arguments) in _SIGNATURES.items():
            try:
                function = getattr(library, name)
            except AttributeError as error:
                raise self._unsuitable(f"the function {name} is missing") from error
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)
        # Silence must not be a Python function: a signal handler could run inside it, and its exception would be lost.
        self._quiet = c.cast(c.pythonapi.Py_IsInitialized, _LogCallback)
        self.llama_log_set(self._quiet, None)
        self.llama_backend_init()
        if struct.unpack_from("4I", bytes(self.llama_context_default_params().bytes)) != _CONTEXT_DEFAULTS:
            raise self._unsuitable("its context parameters have another layout")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    @staticmethod
    def _unsuitable(why: str) -> ModelError:
        return ModelError(
            f"this build of xllamacpp cannot be used: {why}",
            where="llm 'embedded'",
            remedy="install the version in constraints.txt: pip install -c constraints.txt xllamacpp",
        )


_library: _Library | None = None


def _load_library() -> _Library:
    global _library
    if _library is None:
        _library = _Library()
    return _library


class Llama:
    """A loaded model with a memory of several sequences, each `context` tokens long at most.

    Args:
        path: the GGUF file; it is mapped, not read whole.
        sequences: how many sequences the memory holds.
        context: tokens per sequence.
        threads: threads for decoding.

    Raises:
        MissingExtra: xllamacpp is not installed.
        ModelError: the file is no GGUF, or llama.cpp cannot load it.
    """

    def __init__(self, path: Path, *, sequences: int, context: int, threads: int) -> None:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise ModelError("not a GGUF file", where=path, remedy="give the path of a model in GGUF format")
        self._lib = _load_library()
        self._model = self._lib.llama_model_load_from_file(bytes(path), self._lib.llama_model_default_params())
        if not self._model:
            raise ModelError("llama.cpp cannot load this model", where=path, remedy="is the file complete?")
        params = self._lib.llama_context_default_params()
        self.context = context
        self.rows = 512
        struct.pack_into("4I", params.bytes, 0, sequences * context, self.rows, self.rows, sequences)
        self._context = self._lib.llama_init_from_model(self._model, params)
        if not self._context:
            raise ModelError("llama.cpp cannot make a context: too little memory?", where=path)
        self._memory = self._lib.llama_get_memory(self._context)
        self._vocab = self._lib.llama_model_get_vocab(self._model)
        self.vocabulary = int(self._lib.llama_vocab_n_tokens(self._vocab))
        self.bos = (
            [int(self._lib.llama_vocab_bos(self._vocab))] if self._lib.llama_vocab_get_add_bos(self._vocab) else []
        )
        self._batch = self._lib.llama_batch_init(self.rows, 0, 1)
        self._pieces: dict[int, bytes] = {}
        self.set_threads(threads)

    def set_threads(self, threads: int) -> None:
        """Use that many threads from now on; results do not depend on it."""
        self._lib.llama_set_n_threads(self._context, threads, threads)

    def close(self) -> None:
        """Free the memory; the object cannot be used afterwards."""
        if self._context:
            self._lib.llama_batch_free(self._batch)
            self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._context = self._model = None

    def tokenize(self, text: str) -> list[int]:
        """Token ids of a text, without a start token and without reading control tokens out of it."""
        raw = text.encode("utf-8", "replace")
        ids = (_INT * (len(raw) + 8))()
        n = self._lib.llama_tokenize(self._vocab, raw, len(raw), ids, len(ids), False, False)
        return list(ids[:n])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a character may be spread over several."""
        known = self._pieces.get(token)
        if known is None:
            room = c.create_string_buffer(256)
            n = self._lib.llama_token_to_piece(self._vocab, token, room, len(room), 0, False)
            known = self._pieces[token] = room.raw[: max(n, 0)]
        return known

    def is_end(self, token: int) -> bool:
        """Whether the model means to end its text with this token."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    def decode(self, rows: Sequence[Row]) -> None:
        """Run one step (at most `self.rows` rows); their logits can be read until the next one."""
        batch = self._batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence, wanted) in enumerate(rows):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = wanted
        if code := self._lib.llama_decode(self._context, batch):
            raise ModelError(f"llama.cpp could not decode (code {code})", where="llm 'embedded'")

    def logits(self, row: int) -> NDArray[np.float32]:
        """Logits of a row of the last step, shape (vocabulary,); a view that the next step overwrites."""
        pointer = self._lib.llama_get_logits_ith(self._context, row)
        return np.ctypeslib.as_array(pointer, (self.vocabulary,))

    def truncate(self, sequence: int, length: int) -> None:
        """Forget a sequence's tokens from position `length` on."""
        self._lib.llama_memory_seq_rm(self._memory, sequence, length, -1)

    def copy(self, source: int, target: int) -> None:
        """Make sequence `target` equal to `source`."""
        self._lib.llama_memory_seq_rm(self._memory, target, -1, -1)
        self._lib.llama_memory_seq_cp(self._memory, source, target, -1, -1)
