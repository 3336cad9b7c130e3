"""Duplicates: rows that say what an earlier row says. Exact ones by canonical form, near ones by character 3-grams.

Each function takes rows and returns findings by position; it removes nothing itself. The first row of its kind is the
one that stays, so the outcome depends on the order of the rows and on nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from japagen.curate.filters import Finding, texts
from japagen.japanese import canonical
from japagen.ngrams import jaccard, trigrams
from japagen.records import Example

EXACT_LIMIT = 2000  # rows of one label up to which every pair is compared
PERMUTATIONS = 128
MISSES = 1e-3  # accepted probability that MinHash misses a pair right at the threshold


def form(example: Example) -> str:
    """The canonical form of an example's text, or of both of a pair (a line break parts them; no form holds one)."""
    return "\n".join(map(canonical, texts(example)))


def grams_of(example: Example) -> frozenset[str]:
    """The character 3-grams of an example; of a pair those of both texts, each marked with its place."""
    if example.text_pair is None:
        return trigrams(canonical(example.text))
    return frozenset(
        f"{place}{gram}" for place, text in enumerate(texts(example)) for gram in trigrams(canonical(text))
    )


def same_texts(examples: Sequence[Example]) -> dict[int, Finding]:
    """Rows whose text occurs under two labels (all of them), and all but the first of the same text and label."""
    rows: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        rows[form(example)].append(i)
    findings: dict[int, Finding] = {}
    for same in rows.values():
        first = examples[same[0]]
        labels = sorted({examples[i].label for i in same})
        if len(labels) > 1:
            findings.update((i, ("label_conflict", f"the same text as {', '.join(labels)}")) for i in same)
        else:
            findings.update((i, ("duplicate", first.id)) for i in same[1:])
    return findings


def near_texts(examples: Sequence[Example], similarity: float) -> dict[int, Finding]:
    """Rows whose 3-grams have a Jaccard similarity of at least `similarity` with an earlier row that stays.

    Of pairs both texts count, each against the one at its place. Only rows of the same label are compared: two that
    differ in one word and in the label are what a classifier learns most from. The detail names the earliest such
    row. Up to `EXACT_LIMIT` rows of a label every two are compared; above, MinHash proposes which, each is compared
    exactly, and one in a thousand right at the threshold may be missed.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, not {similarity}")
    by_label: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        by_label[example.label].append(i)
    findings: dict[int, Finding] = {}
    for positions in by_label.values():
        grams = [grams_of(examples[i]) for i in positions]
        for row, (twin, score) in _twins(grams, similarity).items():
            findings[positions[row]] = ("near_duplicate", f"{examples[positions[twin]].id} ({score:.2f})")
    return findings


def _twins(grams: Sequence[frozenset[str]], similarity: float) -> dict[int, tuple[int, float]]:
    """For each row that goes, the earliest kept row it is similar to, and how similar."""
    small = len(grams) <= EXACT_LIMIT
    candidates, keep = _every_row() if small else _minhash(grams, similarity)
    found: dict[int, tuple[int, float]] = {}
    for row, own in enumerate(grams):
        for earlier in candidates(row):
            other = grams[earlier]
            if min(len(own), len(other)) / max(len(own), len(other)) < similarity:
                continue  # sets of such different sizes cannot be that similar
            if (score := jaccard(own, other)) >= similarity:
                found[row] = (earlier, score)
                break
        else:
            keep(row)
    return found


Index = tuple[Callable[[int], Iterable[int]], Callable[[int], None]]  # earlier kept rows worth comparing; keep this one


def _every_row() -> Index:
    kept: list[int] = []
    return lambda _: kept, kept.append


def _minhash(grams: Sequence[frozenset[str]], similarity: float) -> Index:
    from rensa import RMinHash, RMinHashLSH

    rows = next(r for r in (8, 4, 2, 1) if r == 1 or (1 - similarity**r) ** (PERMUTATIONS // r) < MISSES)
    index = RMinHashLSH(threshold=similarity, num_perm=PERMUTATIONS, num_bands=PERMUTATIONS // rows)

    def sketch(row: int) -> RMinHash:
        minhash = RMinHash(num_perm=PERMUTATIONS, seed=0)
        minhash.update([gram.encode("utf-8", "replace").decode() for gram in sorted(grams[row])])
        return minhash

    return lambda row: sorted(index.query(sketch(row))), lambda row: index.insert(row, sketch(row))
