"""The style of synthetic texts beside gold: lengths, register, honorifics, scripts, punctuation, how sentences end.

Each aspect is a distribution over categories, by set and label, with the distance of the two sets (`divergence`). Of large
sets up to `MOST_READ` texts, drawn with the seed, are read for register, honorifics and sentence ends, which take patterns;
lengths and characters are counted in all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.corpus import Corpus
from japagen.analyze.fidelity.characters import MARKS, character_counts
from japagen.analyze.fidelity.divergence import DRAWS, Distance, distances
from japagen.analyze.fidelity.histogram import bin_edges, describe_lengths
from japagen.analyze.fidelity.honorifics import HONORIFICS, honorific_places
from japagen.analyze.fidelity.particles import ENDINGS, ending_counts
from japagen.analyze.sampling import UndefinedError
from japagen.japanese import REGISTERS, SCRIPTS, register
from japagen.significance import holm
from japagen.streams import stream_seed

Counts = NDArray[np.int32]

UNITS = {
    "characters": "texts",
    "words": "texts",
    "register": "texts",
    "honorifics": "texts",
    "scripts": "characters",
    "punctuation": "marks",
    "sentence_ends": "sentences",
}
"""The aspects, and what is counted in each. Of characters and words the lengths of texts are."""
READ = frozenset(("register", "honorifics", "sentence_ends"))
MOST_READ = 5_000
"""Texts of a set that are read for those."""
LEVEL = 0.05
WIDE = 0.2
"""Difference of two shares from which on it raises an alarm, where chance does not explain the distance."""


@dataclass(frozen=True, slots=True, eq=False)
class _Counted:
    """What was counted in one set.

    Attributes:
        counts: by aspect (texts, categories); of those in `READ` only the texts that were read.
        labels: of all texts.
        rows: positions of the texts that were read, ascending.
        characters, words: lengths of all texts.
    """

    counts: dict[str, Counts]
    labels: NDArray[np.int16]
    rows: NDArray[np.int64]
    characters: NDArray[np.int64]
    words: NDArray[np.int64]

    def labels_of(self, aspect: str) -> NDArray[np.int16]:
        return self.labels[self.rows] if aspect in READ else self.labels

    def of_read(self, aspect: str) -> Counts:
        """The counts of the texts that were read alone."""
        return self.counts[aspect] if aspect in READ else self.counts[aspect][self.rows]


def style(
    ours: Corpus,
    theirs: Corpus | None,
    labels: Sequence[str],
    *,
    seed: int,
    firsts: Sequence[Sequence[int]] | None = None,
) -> dict[str, Any]:
    """Distributions of style by set and label, and how far apart the sets are, as JSON can hold them.

    Args:
        ours: synthetic texts.
        theirs: gold texts; may be missing or empty.
        labels: of the task, in its order.
        seed: of draws and permutations.
        firsts: of pairs, the characters of the first text of every row: of ours, then of theirs.

    Returns:
        lengths, lengths_words: by set ("synthetic", "gold"; None without gold) and label what `Lengths` holds, edges and
            counts as `histogram`; None for a label without rows. Of pairs also lengths_first, lengths_second (characters).
        aspects: by name, in the order of `UNITS`:
            unit: what is counted; categories: their names, in the order of shares; read: texts looked at by set;
            shares: by set "all" and "by_label", each a list or None; of punctuation also rate: marks in a hundred
            characters by set;
            distance: "all" and "by_label": what `divergence.Distance` holds, with p_holm (over all aspects and labels),
            above (chance does not explain it: it lies above the ceiling and p_holm is below .05), widest (category,
            synthetic, gold: the two shares that differ most), alarm and signature; None where a side has too few texts.

    Raises:
        UndefinedError: there are no synthetic texts.
    """
    if not len(ours):
        raise UndefinedError("there are no synthetic texts to analyse")
    corpora = [ours, *([theirs] if theirs is not None and len(theirs) else [])]
    edges = {
        "characters": bin_edges(np.concatenate([_characters(corpus) for corpus in corpora])),
        "words": bin_edges(np.concatenate([corpus.sizes for corpus in corpora])),
    }
    categories = {
        **{name: _bin_names(edges[name]) for name in edges},
        "register": REGISTERS,
        "honorifics": HONORIFICS,
        "scripts": SCRIPTS,
        "punctuation": MARKS,
        "sentence_ends": ENDINGS,
    }
    sets = dict(zip(("synthetic", "gold"), (_count(corpus, edges, seed) for corpus in corpora), strict=False))
    lengths = {
        "lengths": _lengths([one.characters for one in sets.values()], sets, labels, edges["characters"]),
        "lengths_words": _lengths([one.words for one in sets.values()], sets, labels, edges["words"]),
    }
    if firsts is not None:
        first = [np.asarray(one, np.int64) for one, _ in zip(firsts, sets, strict=False)]
        second = [one.characters - lead - 1 for one, lead in zip(sets.values(), first, strict=True)]
        lengths["lengths_first"] = _lengths(first, sets, labels, edges["characters"])
        lengths["lengths_second"] = _lengths(second, sets, labels, edges["characters"])
    aspects = {
        name: {
            "unit": unit,
            "categories": list(categories[name]),
            "read": {of: len(one.labels_of(name)) for of, one in sets.items()},
            "shares": {"gold": None, **{of: _shares(one, name, labels) for of, one in sets.items()}},
        }
        for name, unit in UNITS.items()
    }
    aspects["punctuation"]["rate"] = {"gold": None, **{of: _rate(one) for of, one in sets.items()}}
    for name, found in _distances(sets, aspects, labels, seed).items():
        aspects[name]["distance"] = found
    return {**lengths, "aspects": aspects}


def _count(corpus: Corpus, edges: dict[str, tuple[int, ...]], seed: int) -> _Counted:
    characters = _characters(corpus)
    scripts, marks = character_counts(corpus.texts)
    rows = np.arange(len(corpus))
    if len(rows) > MOST_READ:
        rng = np.random.default_rng(stream_seed(seed, "style"))
        rows = np.sort(rng.choice(len(rows), MOST_READ, replace=False))
    texts = [corpus.texts[row] for row in rows.tolist()]
    counts = {
        "characters": _one_of(
            np.searchsorted(edges["characters"], characters, side="right") - 1, edges["characters"][1:]
        ),
        "words": _one_of(np.searchsorted(edges["words"], corpus.sizes, side="right") - 1, edges["words"][1:]),
        "register": _one_of([REGISTERS.index(register(text)) for text in texts], REGISTERS),
        "honorifics": _one_of(honorific_places(texts), HONORIFICS),
        "scripts": scripts.astype(np.int32),
        "punctuation": marks.astype(np.int32),
        "sentence_ends": ending_counts(texts).astype(np.int32),
    }
    return _Counted(counts, corpus.labels, rows, characters, corpus.sizes)


def _characters(corpus: Corpus) -> NDArray[np.int64]:
    return np.fromiter(map(len, corpus.texts), np.int64, len(corpus))


def _one_of(places: Any, categories: Sequence[object]) -> Counts:
    """A one at the place of each text, (texts, categories)."""
    found = np.zeros((len(places), len(categories)), np.int32)
    found[np.arange(len(places)), np.asarray(places, np.int64)] = 1
    return found


def _bin_names(edges: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"{left}" if right == left + 1 else f"{left}–{right - 1}" for left, right in pairwise(edges))


def _lengths(
    found: Sequence[NDArray[np.int64]], sets: dict[str, _Counted], labels: Sequence[str], edges: Sequence[int]
) -> dict[str, Any]:
    def told(lengths: NDArray[np.int64]) -> dict[str, Any] | None:
        if not len(lengths):
            return None
        record = asdict(describe_lengths(lengths, edges))
        return record | {"histogram": {"edges": record.pop("edges"), "counts": record.pop("counts")}}

    return {"gold": None} | {
        of: {label: told(lengths[one.labels == at]) for at, label in enumerate(labels)}
        for (of, one), lengths in zip(sets.items(), found, strict=True)
    }


def _shares(counted: _Counted, aspect: str, labels: Sequence[str]) -> dict[str, Any]:
    counts, told = counted.counts[aspect], counted.labels_of(aspect)

    def shares(rows: Counts) -> list[float] | None:
        sums = rows.sum(0, dtype=np.int64)
        return (sums / sums.sum()).tolist() if sums.sum() else None

    return {"all": shares(counts), "by_label": {label: shares(counts[told == at]) for at, label in enumerate(labels)}}


def _rate(counted: _Counted) -> float | None:
    characters = int(counted.characters.sum())
    return 100 * int(counted.counts["punctuation"].sum()) / characters if characters else None


def _distances(
    sets: dict[str, _Counted], aspects: dict[str, Any], labels: Sequence[str], seed: int
) -> dict[str, dict[str, Any]]:
    """By aspect: "all" and "by_label"."""
    found: dict[tuple[str, str | None], Distance | None] = {}
    if "gold" in sets:
        ends = np.cumsum([len(aspects[name]["categories"]) for name in UNITS]).tolist()
        columns = [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]
        ours, theirs = (np.hstack([sets[of].of_read(name) for name in UNITS]) for of in ("synthetic", "gold"))
        told = [sets[of].labels[sets[of].rows] for of in ("synthetic", "gold")]
        for at, label in [(-1, None), *(enumerate(labels) if len(labels) > 1 else ())]:
            mine, gold = (
                side if label is None else side[of == at] for side, of in zip((ours, theirs), told, strict=True)
            )
            try:
                values = distances(mine, gold, columns, tests=len(UNITS) * (len(labels) + 1), seed=seed)
            except UndefinedError:
                continue
            found |= {(name, label): value for name, value in zip(UNITS, values, strict=True)}
    known = {key: distance for key, distance in found.items() if distance is not None}
    corrected = holm({key: distance.p for key, distance in known.items()})

    def told_of(name: str, label: str | None) -> dict[str, Any] | None:
        distance = known.get((name, label))
        if distance is None:
            return None
        return _told(name, distance, corrected[name, label], len(known), aspects[name], label, seed)

    return {
        name: {"all": told_of(name, None), "by_label": {label: told_of(name, label) for label in labels}}
        for name in UNITS
    }


def _told(
    name: str, distance: Distance, p_holm: float, tests: int, aspect: dict[str, Any], label: str | None, seed: int
) -> dict[str, Any]:
    above = distance.value > distance.ceiling and p_holm < LEVEL
    ours, theirs = (
        np.array(side["all"] if label is None else side["by_label"][label])
        for side in (aspect["shares"]["synthetic"], aspect["shares"]["gold"])
    )
    at = int(np.abs(ours - theirs).argmax())
    widest = {"category": aspect["categories"][at], "synthetic": float(ours[at]), "gold": float(theirs[at])}
    of = name.replace("_", " ") + ("" if label is None else f", {label}")
    signature = (
        f"jensen-shannon {of} = {distance.value:.4f} bits [{distance.low:.4f}, {distance.high:.4f}], gold against gold "
        f"{distance.ceiling:.4f} [{distance.ceiling_low:.4f}, {distance.ceiling_high:.4f}] (n={distance.n} texts a side, "
        f"mean and range of {DRAWS} draws; p = {distance.p:.4f} by permutation of texts, "
        f"Holm over {tests} {p_holm:.4f}; seed {seed})"
    )
    alarm = above and name not in ("characters", "words") and bool(abs(ours[at] - theirs[at]) >= WIDE)
    return {
        **asdict(distance),
        "p_holm": p_holm,
        "above": above,
        "widest": widest,
        "alarm": alarm,
        "signature": signature,
    }
