"""Rows of token ids, end to end in one array, and what is done to many at once: cutting, joining, padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tokenised:
    """Rows of token ids.

    Attributes:
        ids: shape (tokens,), of all rows, end to end.
        types: shape (tokens,): 0 for the first text and its special tokens, 1 for the second.
        starts: shape (rows + 1,): where each row begins in `ids`, and where the last ends.
    """

    ids: NDArray[np.int32]
    types: NDArray[np.uint8]
    starts: Counts

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> Counts:
        """Tokens of each row, shape (rows,)."""
        return np.diff(self.starts)


@dataclass(frozen=True, slots=True)
class Padding:
    """How rows become a batch.

    Attributes:
        token: id that fills short rows.
        types: whether the model takes `token_type_ids`.
        left: whether short rows are filled at their beginning.
    """

    token: int = 0
    types: bool = True
    left: bool = False

    @property
    def names(self) -> list[str]:
        """Names of the model's inputs, as a tokenizer_config.json lists them."""
        return ["input_ids", *(["token_type_ids"] if self.types else []), "attention_mask"]

    def collate(self, tokens: Tokenised, rows: Sequence[int]) -> dict[str, NDArray[np.int64]]:
        """See `Tokeniser.collate`."""
        chosen = np.asarray(rows, dtype=np.int64)
        begins, lengths = tokens.starts[chosen], tokens.lengths[chosen]
        width = int(lengths.max(initial=0))
        places = np.arange(width)
        mask = places >= (width - lengths)[:, None] if self.left else places < lengths[:, None]
        source = runs(begins, lengths)
        ids = np.full(mask.shape, self.token, dtype=np.int64)
        ids[mask] = tokens.ids[source]
        batch = {"input_ids": ids, "attention_mask": mask.astype(np.int64)}
        if self.types:
            batch["token_type_ids"] = np.zeros(mask.shape, dtype=np.int64)
            batch["token_type_ids"][mask] = tokens.types[source]
        return batch


def checked(first: Sequence[str], second: Sequence[str] | None, max_length: int) -> None:
    """Refuse what no tokeniser can encode.

    Raises:
        ValueError: see `Tokeniser.encode`.
    """
    if max_length < 1 or (second is not None and len(first) != len(second)):
        raise ValueError("needs as many second texts as first ones, and a max_length of 1 or more")


def runs(begins: Counts, counts: Counts) -> Counts:
    """The numbers begin, begin + 1, ... of each run, end to end.

    >>> runs(np.array([5, 0]), np.array([2, 3])).tolist()
    [5, 6, 0, 1, 2]
    """
    return np.repeat(begins - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())


def kept(first: Counts, second: Counts, budget: int) -> tuple[Counts, Counts]:
    """Tokens that are kept of each of two texts, where both together may have `budget`: "longest first".

    Tokens are taken from the longer text until both are of one length, then from both by turns.

    Args:
        first: lengths of the first texts, shape (n,).
        second: those of the second texts, shape (n,).
        budget: most tokens of both; below 0 it is 0.
    """
    budget = max(budget, 0)
    shorter = np.minimum(first, second)
    most_first = np.where(2 * shorter <= budget, budget - shorter, (budget + 1) // 2)
    most_second = np.where(2 * shorter <= budget, budget - shorter, budget // 2)
    fits = first + second <= budget
    # Below half of the budget the shorter text stays whole; the longer has what is left.
    return np.where(fits, first, np.minimum(first, most_first)), np.where(fits, second, np.minimum(second, most_second))


@dataclass(frozen=True, slots=True)
class Pieces:
    """Token ids of texts without special tokens: of text i those from starts[i] to starts[i + 1]."""

    ids: NDArray[np.int32]
    starts: Counts

    @classmethod
    def joined(cls, parts: Iterable[Pieces]) -> Pieces:
        """The texts of all parts, in order."""
        every = list(parts)
        lengths = np.concatenate([np.zeros(1, np.int64), *(np.diff(part.starts) for part in every)])
        return cls(np.concatenate([np.zeros(0, np.int32), *(part.ids for part in every)]), np.cumsum(lengths))


@dataclass(frozen=True, slots=True)
class Template:
    """How BERT frames texts: `[CLS] first [SEP]` or `[CLS] first [SEP] second [SEP]`.

    Attributes:
        begin: id of [CLS].
        end: id of [SEP].
        left: whether long texts are cut at their beginning.
    """

    begin: int
    end: int
    left: bool = False

    def single(self, pieces: Pieces, which: Counts, max_length: int) -> Tokenised:
        """Row i holds text which[i]."""
        count = np.minimum(np.diff(pieces.starts)[which], max(max_length - 2, 0))
        starts = np.concatenate([[0], np.cumsum(count + 2)])
        ids = np.empty(starts[-1], dtype=np.int32)
        ids[starts[:-1]], ids[starts[1:] - 1] = self.begin, self.end
        ids[runs(starts[:-1] + 1, count)] = self._cut(pieces, which, count)
        return Tokenised(ids, np.zeros(len(ids), dtype=np.uint8), starts)

    def pair(self, pieces: Pieces, which: Counts, other: Counts, max_length: int) -> Tokenised:
        """Row i holds the texts which[i] and other[i]."""
        lengths = np.diff(pieces.starts)
        count, more = kept(lengths[which], lengths[other], max_length - 3)
        # transformers, cutting at the beginning, takes a row whose second text is empty for one without.
        alone = self.left & (lengths[other] == 0) & (lengths[which] > max_length - 3)
        starts = np.concatenate([[0], np.cumsum(count + more + 3 - alone)])
        begins, middles = starts[:-1], starts[:-1] + count + 1
        ids, types = np.empty(starts[-1], dtype=np.int32), np.zeros(starts[-1], dtype=np.uint8)
        ids[begins], ids[middles], ids[starts[1:] - 1] = self.begin, self.end, self.end
        ids[runs(begins + 1, count)] = self._cut(pieces, which, count)
        ids[runs(middles + 1, more)] = self._cut(pieces, other, more)
        types[runs(middles + 1, more + 1 - alone)] = 1
        return Tokenised(ids, types, starts)

    def _cut(self, pieces: Pieces, which: Counts, count: Counts) -> NDArray[np.int32]:
        begins = pieces.starts[1:][which] - count if self.left else pieces.starts[which]
        return pieces.ids[runs(begins, count)]
