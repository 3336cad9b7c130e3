"""Which texts of one set stand in another: the same code points, the same canonical form, or nearly the same.

Near is a Jaccard similarity of the character 3-grams of canonical forms. All such rows are found and no others: the
sizes of intersections are counted, not estimated. Nothing here knows of labels or splits.

Near is no proof of copying. Where one character inside a text is exchanged, three of its 3-grams go, so that texts of 29
characters or more are .8 alike though one says 2頭 and the other 3頭. Shorter ones are not: 19 characters come to .70.
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from japagen.japanese import canonical
from japagen.ngrams import trigrams
from japagen.setjoin import Sets, join

Texts = tuple[str, str | None]
"""A text, or the two of a pair."""
Kind = Literal["exact", "canonical", "near"]
KINDS: tuple[Kind, ...] = ("exact", "canonical", "near")
"""From the strongest to the weakest."""
MANY = 20_000
"""Forms from which on compiled loops pay their loading."""


@dataclass(frozen=True, slots=True)
class Match:
    """A row of one set that stands in another.

    Attributes:
        position: of the row in its set, from 0.
        other: of the row that it matches best in the other set; the earliest of several.
        how: the strongest kind; of a pair the weaker one of its two texts.
        similarity: Jaccard similarity of 3-grams, 1 unless `how` is near; of a pair the smaller of two.
    """

    position: int
    other: int
    how: Kind
    similarity: float


def find_matches(
    rows: Sequence[Texts],
    others: Sequence[Texts],
    *,
    similarity: float = 0.8,
    form: Callable[[str], str] = canonical,
) -> list[Match]:
    """The strongest match of each row that has one, in the order of rows.

    A pair matches a pair when both texts match, in the same or in the swapped order. A text and a pair never match.

    Args:
        rows: what may stand in the other set.
        others: the other set.
        similarity: the least Jaccard similarity of a near match.
        form: what texts have in common that count as the same and are compared in 3-grams.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, not {similarity}")
    found = _Others(others, similarity, form, rows)
    best = ((position, found.best(row)) for position, row in enumerate(rows))
    return [Match(position, *match) for position, match in best if match]


def one_text(rows: Sequence[Texts], others: Sequence[Texts], *, form: Callable[[str], str] = canonical) -> list[int]:
    """Positions of the pairs of which at least one text stands in a pair of the other set, by their form."""
    known = {form(text) for first, second in others if second is not None for text in (first, second)}
    return [
        position
        for position, (first, second) in enumerate(rows)
        if second is not None and (form(first) in known or form(second) in known)
    ]


Found = tuple[int, Kind, float]  # position in the other set, kind, similarity


class _Others:
    """The other set, looked up by texts, by forms and by 3-grams of forms. The two texts of a pair have no order."""

    def __init__(
        self, others: Sequence[Texts], similarity: float, form: Callable[[str], str], rows: Sequence[Texts]
    ) -> None:
        self._form = cache(form)
        self._texts: dict[Texts, int] = {}
        self._forms: dict[Texts, int] = {}
        self._holding: dict[str, dict[Texts, int]] = defaultdict(dict)  # rows as forms, by each form they hold
        for position, row in enumerate(others):
            forms = self._forms_of(row)
            self._texts.setdefault(_unordered(row), position)
            first = self._forms.setdefault(forms, position)
            for one in forms:
                if one is not None:
                    self._holding[one][forms] = first
        known = list(self._holding)
        self._index: _Index | _Joined
        if len(known) <= MANY:
            self._index = _Index(known, similarity)
        else:
            wanted = dict.fromkeys(one for row in rows for one in self._forms_of(row) if one is not None)
            self._index = _Joined(known, list(wanted), similarity)

    def best(self, row: Texts) -> Found | None:
        """The strongest match of a row, the earliest of several."""
        if (other := self._texts.get(_unordered(row))) is not None:
            return other, "exact", 1.0
        forms = self._forms_of(row)
        if (other := self._forms.get(forms)) is not None:
            return other, "canonical", 1.0
        first, second = forms
        near = list(self._near(first) if second is None else self._near_pairs(first, second))
        if not near:
            return None
        score, other = min(near, key=lambda found: (-found[0], found[1]))
        return other, "near", score

    def _near(self, form: str) -> Iterator[tuple[float, int]]:
        for similar, score in self._index.find(form).items():
            if (other := self._forms.get((similar, None))) is not None:
                yield score, other

    def _near_pairs(self, first: str, second: str) -> Iterator[tuple[float, int]]:
        firsts, seconds = self._index.find(first), self._index.find(second)
        for similar in firsts:
            for (left, right), other in self._holding[similar].items():
                for a, b in ((left, right), (right, left)):
                    if a in firsts and b in seconds:
                        yield min(firsts[a], seconds[b]), other

    def _forms_of(self, row: Texts) -> Texts:
        first, second = row
        return _unordered((self._form(first), None if second is None else self._form(second)))


def _unordered(row: Texts) -> Texts:
    first, second = row
    return row if second is None or first <= second else (second, first)


class _Joined:
    """The same as `_Index` by compiled loops, for many forms, and only for the forms that will be looked for."""

    def __init__(self, forms: Sequence[str], wanted: Sequence[str], similarity: float) -> None:
        self._found: dict[str, dict[str, float]] = defaultdict(dict)
        pairs = join(Sets.of_texts(wanted), Sets.of_texts(forms), similarity) if wanted and forms else None
        for left, right, score in zip(pairs.first, pairs.second, pairs.scores, strict=True) if pairs else ():
            self._found[wanted[left]][forms[right]] = float(score)

    def find(self, form: str) -> dict[str, float]:
        """The similar forms, itself among them where it is there, each with its similarity."""
        return self._found.get(form, {})


class _Index:
    """Forms by their 3-grams: for each gram the numbers of the forms that hold it.

    Counting how often a number stands in the lists of a form's grams gives the size of every intersection at once.
    """

    def __init__(self, forms: Sequence[str], similarity: float) -> None:
        self._forms, self._similarity = forms, similarity
        self._codes: dict[str, int] = {}
        codes, sizes = array("i"), array("i")
        for form in forms:
            grams = trigrams(form)
            codes.extend(self._codes.setdefault(gram, len(self._codes)) for gram in grams)
            sizes.append(len(grams))
        self._sizes = np.array(sizes, dtype=np.intp)
        self._numbers = np.repeat(np.arange(len(forms), dtype=np.int32), self._sizes)
        held = np.array(codes, dtype=np.int32)
        self._numbers = self._numbers[np.argsort(held, kind="stable")]
        self._ends = np.concatenate([[0], np.bincount(held, minlength=len(self._codes)).cumsum()]).tolist()
        self._found: dict[str, dict[str, float]] = {}

    def find(self, form: str) -> dict[str, float]:
        """The similar forms, itself among them where it is there, each with its similarity."""
        if form not in self._found:
            self._found[form] = self._search(trigrams(form))
        return self._found[form]

    def _search(self, own: frozenset[str]) -> dict[str, float]:
        codes = [code for gram in own if (code := self._codes.get(gram)) is not None]
        if not codes:
            return {}
        lists = [self._numbers[self._ends[code] : self._ends[code + 1]] for code in codes]
        shared = np.bincount(np.concatenate(lists), minlength=len(self._forms))
        likely = np.flatnonzero(shared >= self._similarity * len(own) - 1e-9)
        scores = shared[likely] / (len(own) + self._sizes[likely] - shared[likely])
        found = scores >= self._similarity
        return {self._forms[n]: score for n, score in zip(likely[found].tolist(), scores[found].tolist(), strict=True)}
