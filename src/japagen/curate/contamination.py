"""The contamination gate: which generated rows stand in the gold data, where they would be learnt before they are tested.

A row is a copy where its text has the form of a gold text, or is nearly that (`matches`); of a pair both texts must be. For
labels that judge meaning, polite and plain ends are one form, and texts whose numbers differ are never near: 2頭 is not
3頭. For labels that judge wording (JCoLA) a comma may decide: there a copy is the same code points, or the same canonical
form under the same label. The gate finds; it removes nothing itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cache

from japagen import matches
from japagen.curate.filters.finding import Finding, texts
from japagen.endings import plain_form
from japagen.japanese import canonical
from japagen.matches import KINDS, Match, find_matches
from japagen.ngrams import jaccard, numbers, trigrams
from japagen.records import Example

REASON = "contamination"
SIMILARITY = 0.8

Form = Callable[[str], str]


def contaminated(
    examples: Sequence[Example],
    gold: Mapping[str, Sequence[Example]],
    *,
    similarity: float = SIMILARITY,
    wording: bool = False,
) -> dict[int, Finding]:
    """The rows that stand in a gold split, by position, each with reason and detail, in the order of the rows.

    The detail names the split and the row of the strongest match and how it matches: ``test 17 (exact)``, ``dev g3
    (canonical)``, ``test 4 (near, 0.86)``. Of equal ones the first split and its first row are named.

    Args:
        examples: generated rows.
        gold: gold rows by split, e.g. ``{"test": …, "dev": …}``.
        similarity: the least Jaccard similarity of the forms' character 3-grams of a near copy, in (0, 1].
        wording: whether labels judge wording; then nothing is near, and politeness is part of the text.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1.
    """
    if not 0 < similarity <= 1:
        raise ValueError(f"similarity must be above 0 and at most 1, not {similarity}")
    best: dict[int, tuple[str, Match]] = {}
    for split, rows in gold.items():
        for match in _wording_copies(examples, rows) if wording else _copies(examples, rows, similarity):
            known = best.get(match.position)
            if known is None or _weakness(match) < _weakness(known[1]):
                best[match.position] = split, match
    return {
        position: (REASON, f"{split} {gold[split][match.other].id} ({_how(match)})")
        for position, (split, match) in sorted(best.items())
    }


def one_text_rows(examples: Sequence[Example], gold: Sequence[Example], *, wording: bool = False) -> list[int]:
    """Positions of the generated pairs of which at least one text, by its form, stands in a gold pair.

    They are to be counted, not dropped: a premise that anybody would write is no copy of the pair.
    """
    return matches.one_text(_texts(examples), _texts(gold), form=canonical if wording else plain_form)


def _copies(examples: Sequence[Example], gold: Sequence[Example], similarity: float) -> Iterator[Match]:
    """The best match of each row among the gold rows of the same numbers."""
    form = cache(plain_form)

    def counts(text: str) -> tuple[str, ...]:
        return numbers(form(text))

    def alike(text: str, other: str) -> bool:
        near = jaccard(trigrams(form(text)), trigrams(form(other))) >= similarity
        return near and counts(text) == counts(other)

    for match in _within(examples, gold, lambda row: tuple(sorted(map(counts, texts(row)))), similarity, form):
        row, other = examples[match.position], gold[match.other]
        if match.how != "near" or _in_some_order(row, other, alike):
            yield match


def _in_some_order(row: Example, gold: Example, alike: Callable[[str, str], bool]) -> bool:
    """Whether the texts of two rows are alike one by one: (2匹の犬, 3匹の猫) is not near (3匹の犬, 2匹の猫)."""
    return any(all(map(alike, texts(row), order)) for order in (texts(gold), texts(gold)[::-1]))


def _wording_copies(examples: Sequence[Example], gold: Sequence[Example]) -> Iterator[Match]:
    """Copies to the code point under any label, and those of the same canonical form under the same label."""
    exact = [m for m in find_matches(_texts(examples), _texts(gold), similarity=1, form=str) if m.how == "exact"]
    yield from exact
    for match in _within(examples, gold, lambda row: row.label, 1.0, canonical):
        if match.how == "canonical":
            yield match


def _within(
    examples: Sequence[Example],
    gold: Sequence[Example],
    key: Callable[[Example], Hashable],
    similarity: float,
    form: Form,
) -> Iterator[Match]:
    """Matches of rows with gold rows of the same key, with positions in the whole."""
    mine, theirs = _by(key, examples), _by(key, gold)
    for shared, positions in mine.items():
        others = theirs.get(shared)
        if not others:
            continue
        rows, against = (
            _texts([all_rows[i] for i in chosen]) for all_rows, chosen in ((examples, positions), (gold, others))
        )
        for match in find_matches(rows, against, similarity=similarity, form=form):
            yield Match(positions[match.position], others[match.other], match.how, match.similarity)


def _by(key: Callable[[Example], Hashable], rows: Sequence[Example]) -> dict[Hashable, list[int]]:
    found: dict[Hashable, list[int]] = defaultdict(list)
    for position, row in enumerate(rows):
        found[key(row)].append(position)
    return found


def _weakness(match: Match) -> tuple[int, float]:
    return KINDS.index(match.how), -match.similarity


def _how(match: Match) -> str:
    return match.how if match.how != "near" else f"near, {match.similarity:.2f}"


def _texts(rows: Sequence[Example]) -> list[matches.Texts]:
    return [(row.text, row.text_pair) for row in rows]
