"""How alike two texts are by their character 3-grams. Compare canonical forms (`japanese.canonical`), not raw texts."""

from __future__ import annotations

from japagen.japanese import char_ngrams


def trigrams(form: str) -> frozenset[str]:
    """The set of character 3-grams; a text too short to have one is itself its only gram."""
    return frozenset(char_ngrams(form, 3)) or frozenset({form})


def jaccard(left: frozenset[str], right: frozenset[str]) -> float:
    """Size of the intersection over size of the union, of sets that are not both empty."""
    shared = len(left & right)
    return shared / (len(left) + len(right) - shared)
