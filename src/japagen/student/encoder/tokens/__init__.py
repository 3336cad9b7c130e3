"""Tokenisers of encoders, without torch: texts in, rows of token ids and padded batches out.

The ids are those of the tokeniser that the model was trained with: the Japanese ones of transformers are done anew here
(`japanese`), those of a `tokenizer.json` run in the package tokenizers (`fast`), any other through transformers (`slow`).
Knows nothing of models and labels; texts come clean from `student.rows`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.student.encoder.tokens import folder as files
from japagen.student.encoder.tokens.rows import Tokenised

__all__ = ["Tokenised", "Tokeniser", "load_tokeniser"]

AS_IT_IS = ("PreTrainedTokenizerFast", "TokenizersBackend")
"""Classes of transformers that do what the tokenizer.json says; others build their own pipeline and take its vocabulary."""


class Tokeniser(Protocol):
    """Turns texts into what an encoder takes."""

    def encode(self, first: Sequence[str], second: Sequence[str] | None, *, max_length: int) -> Tokenised:
        """One row per text or pair, special tokens included.

        Args:
            first: n texts.
            second: n texts, or None where there are no pairs.
            max_length: most tokens of a row; the longer text of a pair is cut first, as transformers does by default.

        Raises:
            ValueError: the two are not of one length, or max_length is below 1.
        """
        ...

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """These rows as the model's inputs, each of shape (rows, longest of them), padded."""
        ...

    def save(self, folder: Path) -> None:
        """Write what `load_tokeniser` reads, and transformers' AutoTokenizer where it is a tokeniser of theirs."""
        ...


def load_tokeniser(folder: Path) -> Tokeniser:
    """The tokeniser in a folder: one that `save` wrote, or that transformers' `save_pretrained` wrote.

    No code of the folder is run, and no file outside it is opened.

    Raises:
        ModelError: no such folder, no tokeniser in it, one that is damaged, or a dictionary that is not installed.
        MissingExtra: it needs a package that is not installed.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ModelError("no such folder", where=folder, remedy="give the folder of a model that was saved")
    config = files.read_config(folder)
    name = files.class_of(folder, config)
    if name == "UseTokeniser":
        from japagen.student.encoder.use_tokens import UseTokeniser

        universal: Tokeniser = UseTokeniser.load(folder)
        return universal
    if name == "BertJapaneseTokenizer":
        from japagen.student.encoder.tokens.japanese import JapaneseTokeniser, plain

        if plain(folder, config):
            return JapaneseTokeniser.load(folder, config)
    elif (folder / files.FAST).is_file() and (name in AS_IT_IS or not files.installed("transformers")):
        from japagen.student.encoder.tokens.fast import FastTokeniser

        return FastTokeniser.load(folder, config)
    from japagen.student.encoder.tokens.slow import load_by_transformers

    return load_by_transformers(folder, config)
