"""Sets of texts as numbers of words, made once and measured many times.

Two sets that are to be compared are made together (`corpora`), so that the same number is the same word in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus.cutting import cut_in_processes
from japagen.analyze.corpus.tokenisers import PARTS, TOKENISERS, part_of, word_of
from japagen.errors import DataError, did_you_mean
from japagen.progress import Listener, Progress, silent
from japagen.records import Example

__all__ = ["PARTS", "TOKENISERS", "Corpus", "corpora"]


@dataclass(frozen=True, slots=True, eq=False)
class Corpus:
    """Texts and their words.

    Attributes:
        texts: (n,): as they are; the two texts of a pair joined by a line break.
        ids: (n,): of the rows.
        labels: int16, (n,): position in the task's labels.
        words: int32, (tokens,): numbers into `vocabulary`, one text after another.
        parts: int8, (tokens,): position in `PARTS`; all "other" where the tokeniser is `character`.
        offsets: int64, (n + 1,): where each text begins in `words`, and the end of the last.
        vocabulary: the words, in the order of their first appearance; shared by corpora that were made together.
        tokeniser: one of `TOKENISERS`.
    """

    texts: Sequence[str]
    ids: Sequence[str]
    labels: NDArray[np.int16]
    words: NDArray[np.int32]
    parts: NDArray[np.int8]
    offsets: NDArray[np.int64]
    vocabulary: Sequence[str]
    tokeniser: str

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Words of each text, int64, (n,)."""
        return np.diff(self.offsets)

    def take(self, rows: NDArray[Any] | Sequence[int]) -> Corpus:
        """The texts of these positions, in this order; one may come twice."""
        chosen = np.asarray(rows, np.int64)
        sizes = self.sizes[chosen]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        places = np.arange(offsets[-1]) + np.repeat(self.offsets[:-1][chosen] - offsets[:-1], sizes)
        return Corpus(
            [self.texts[row] for row in chosen.tolist()],
            [self.ids[row] for row in chosen.tolist()],
            self.labels[chosen],
            self.words[places],
            self.parts[places],
            offsets,
            self.vocabulary,
            self.tokeniser,
        )

    def of_label(self, label: int) -> Corpus:
        """The texts of the label at this position of the task's labels."""
        return self.take(np.flatnonzero(self.labels == label))


def corpora(
    sets: Sequence[Sequence[Example]],
    labels: Sequence[str],
    tokeniser: str = "unidic-lite",
    on_progress: Listener = silent,
    processes: int | None = None,
) -> tuple[Corpus, ...]:
    """The corpus of each set, all with one vocabulary.

    Args:
        sets: of rows, such as synthetic and gold ones; a set may be empty.
        labels: of the task, in its order.
        tokeniser: one of `TOKENISERS`.
        on_progress: told how many texts are cut.
        processes: that cut; None: as many as pay (about one for a million characters).

    Raises:
        ConfigError: there is no such tokeniser.
        MissingExtra: it is not installed.
        DataError: a row's label is not one of the labels.
    """
    place = {label: at for at, label in enumerate(labels)}
    rows = [row for rows in sets for row in rows]
    for row in rows:
        if row.label not in place:
            raise DataError(f"unknown label '{row.label}'", where="analyze", remedy=did_you_mean(row.label, labels))
    texts = [row.text if row.text_pair is None else f"{row.text}\n{row.text_pair}" for row in rows]
    told = np.array([place[row.label] for row in rows], np.int16)

    def progress(done: int) -> None:
        on_progress(Progress("analyze", "words", done=min(done, len(texts)), total=len(texts)))

    progress(0)
    found = cut_in_processes(texts, tokeniser, processes, progress)
    vocabulary = {word: at for at, word in enumerate(dict.fromkeys(map(word_of, found.marked)))}
    word = np.array([vocabulary[word_of(marked)] for marked in found.marked], np.int32)
    part = np.array([part_of(marked) for marked in found.marked], np.int8)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(found.sizes)])
    words, parts, known = word[found.marks], part[found.marks], list(vocabulary)
    progress(len(texts))
    made, begin = [], 0
    for one in sets:
        end = begin + len(one)
        span, own = slice(begin, end), slice(int(offsets[begin]), int(offsets[end]))
        made.append(
            Corpus(
                texts[span],
                [row.id for row in one],
                told[span],
                words[own],
                parts[own],
                offsets[begin : end + 1] - offsets[begin],
                known,
                tokeniser,
            )
        )
        begin = end
    return tuple(made)
