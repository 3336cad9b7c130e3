"""How much of their vocabulary two sets of texts share: the alignment of synthetic with gold (arXiv 2412.06738).

The Jaccard similarity of two vocabularies depends on the number of texts, so both sides are drawn at the same number,
several times. What gold reaches against other gold texts at that number is the ceiling: no generator can be expected
to come nearer. By part of speech it tells apart what a text is about (nouns) from how it is said (particles, auxiliaries);
a word counts under each part that it is used as.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import PARTS, Corpus
from japagen.analyze.corpus.occurrences import token_places
from japagen.analyze.sampling import UndefinedError, draw, stream

DRAWS = 50
MOST = 5_000
"""Texts of a side at most; of more, so many are drawn each time."""

Numbers = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Mean of several draws, the smallest and the largest of them, and how it was made."""

    value: float
    low: float
    high: float
    signature: str


def jaccard(left: AbstractSet[str], right: AbstractSet[str]) -> float:
    """Size of the intersection over size of the union.

    Raises:
        UndefinedError: both sets are empty.
    """
    if not left and not right:
        raise UndefinedError("two empty vocabularies have no similarity")
    return len(left & right) / len(left | right)


def vocabulary(ours: Corpus, theirs: Corpus | None, *, seed: int) -> dict[str, Any]:
    """The overlap of two vocabularies and its ceiling, in all words and by part of speech, as JSON can hold it.

    Args:
        ours: synthetic texts.
        theirs: gold texts, made together with the others; may be missing or empty.
        seed: of the draws.

    Returns:
        n: texts of a side, half of gold at most; 0 where there is not enough.
        synthetic_gold, gold_gold: what `Overlap` holds; the second is the ceiling. None without gold.
        of_ceiling: the first over the second; None where there is no ceiling, or it is 0.
        by_part: the last three for each of `PARTS`, left out where neither side has such words and for a tokeniser
            that knows no parts of speech.
    """
    n = min(len(ours), len(theirs) // 2, MOST) if theirs is not None else 0
    if theirs is None or n < 1:
        return {"n": 0, **_beside(None, None), "by_part": {}}
    between, within = _draws(ours, theirs, n, seed)
    columns = dict(enumerate(PARTS if ours.tokeniser != "character" else ()))

    def told(column: int, name: str) -> dict[str, Any]:
        return _beside(
            *(_overlap(draws[:, column], name, n, ours.tokeniser, seed) for draws in (between, within)),
        )

    by_part = {name: told(at, f", {name}") for at, name in columns.items()}
    return {
        "n": n,
        **told(len(PARTS), ""),
        "by_part": {name: one for name, one in by_part.items() if one["synthetic_gold"]},
    }


def _draws(ours: Corpus, theirs: Corpus, n: int, seed: int) -> tuple[Floats, Floats]:
    """The similarity of ours with gold and of gold with gold, (draws, parts + 1) each; the last column is of all words."""
    size, rng = len(ours.vocabulary), stream(seed, "vocabulary")
    mine, gold = _kinds(ours), _kinds(theirs)
    between, within = [], []
    for _ in range(DRAWS):
        halves = draw(range(len(theirs)), 2 * n, rng)
        first = _present(gold, theirs.offsets, halves[:n], size)
        second = _present(gold, theirs.offsets, halves[n:], size)
        drawn = _present(mine, ours.offsets, draw(range(len(ours)), n, rng), size)
        between.append(_similar(drawn, first))
        within.append(_similar(first, second))
    return np.array(between), np.array(within)


def _kinds(corpus: Corpus) -> Numbers:
    """Each token as a number of its word and part of speech."""
    return np.asarray(corpus.words.astype(np.int64) * len(PARTS) + corpus.parts)


def _present(kinds: Numbers, offsets: Numbers, rows: Sequence[int], size: int) -> NDArray[np.bool_]:
    """Which words the texts hold, bool, (words, parts + 1); the last column is whether it stands as any part."""
    found = np.zeros(size * len(PARTS), np.bool_)
    found[kinds[token_places(offsets, np.asarray(rows))]] = True
    by_part = found.reshape(size, len(PARTS))
    return np.concatenate([by_part, by_part.any(1, keepdims=True)], axis=1)


def _similar(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> Floats:
    """The Jaccard similarity by column; NaN where both sides are empty."""
    shared, either = (left & right).sum(0), (left | right).sum(0)
    return np.asarray(np.divide(shared, either, out=np.full(len(shared), np.nan), where=either > 0))


def _overlap(values: Floats, name: str, n: int, tokeniser: str, seed: int) -> Overlap | None:
    """None where a draw has no words of the kind on either side."""
    if np.isnan(values).any():
        return None
    low, high = float(values.min()), float(values.max())
    value = min(max(float(values.mean()), low), high)  # a mean of equal values may be rounded away from them
    how = f"n={n} texts a side, mean and range of {len(values)} draws, {tokeniser}, seed {seed}"
    return Overlap(value, low, high, f"vocabulary-jaccard{name} = {value:.3f} [{low:.3f}, {high:.3f}] ({how})")


def _beside(ours: Overlap | None, ceiling: Overlap | None) -> dict[str, Any]:
    known = ours is not None and ceiling is not None and ceiling.value > 0
    return {
        "synthetic_gold": asdict(ours) if ours else None,
        "gold_gold": asdict(ceiling) if ceiling else None,
        "of_ceiling": ours.value / ceiling.value if known and ours and ceiling else None,
    }
