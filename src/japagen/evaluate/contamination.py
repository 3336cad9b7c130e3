"""Contamination: which rows of a set that is evaluated on stand in what was learnt from, or in another split.

Nothing is removed and nothing is judged: a row that stands there may be a copy, or what anybody would write. See
docs/explanation/contamination.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from japagen.japanese import canonical
from japagen.matches import KINDS, Texts, find_matches, one_text
from japagen.records import Example


@dataclass(frozen=True, slots=True)
class Contamination:
    """How many rows of a set stand in another one. A row counts once, by its strongest kind.

    Attributes:
        set: name of the set whose rows are counted, e.g. ``test``.
        against: name of the set in which they stand, e.g. ``training texts``.
        of: rows of the set.
        exact: rows of the same code points; of a pair both texts, in either order.
        canonical: rows of the same canonical form (`japanese.canonical`).
        near: rows whose 3-grams are .8 alike or more; no proof of copying.
        one_text: pairs that are none of these, but one text of which stands there by canonical form; None for texts.
        ids: the exact, canonical and near rows, the most alike first.
    """

    set: str
    against: str
    of: int
    exact: int
    canonical: int
    near: int
    one_text: int | None
    ids: tuple[str, ...]


def contamination(
    sets: Mapping[str, Sequence[Example]],
    against: Mapping[str, Sequence[Example]],
    *,
    form: Callable[[str], str] = canonical,
) -> list[Contamination]:
    """Compare every set with every one that it is to be kept apart from, in the order of both.

    Left out are empty sets, and a set against itself: of the same name or the same object.

    Args:
        sets: what is evaluated on, by name.
        against: what was learnt from or shown, and the other splits, by name.
        form: what texts have in common that count as canonical, and are compared in 3-grams. `endings.plain_form` finds
            those as well whose politeness was changed; not for texts that differ in little else, such as JCoLA's.
    """
    form = cache(form)
    return [
        _compare(name, rows, other, others, form)
        for name, rows in sets.items()
        for other, others in against.items()
        if rows and others and name != other and rows is not others
    ]


def contaminated_rows(found: Iterable[Contamination], name: str, against: Collection[str]) -> frozenset[str]:
    """Ids of the rows of the set `name` that stand in any of the sets named in `against`."""
    return frozenset(id for one in found if one.set == name and one.against in against for id in one.ids)


def _compare(
    name: str, rows: Sequence[Example], other: str, others: Sequence[Example], form: Callable[[str], str]
) -> Contamination:
    ours, theirs = _texts(rows), _texts(others)
    matches = find_matches(ours, theirs, form=form)
    matches.sort(key=lambda match: (KINDS.index(match.how), -match.similarity))
    counts = Counter(match.how for match in matches)
    singles: int | None = None
    if any(second is not None for _, second in ours):
        singles = len(set(one_text(ours, theirs, form=form)) - {match.position for match in matches})
    return Contamination(
        set=name,
        against=other,
        of=len(rows),
        exact=counts["exact"],
        canonical=counts["canonical"],
        near=counts["near"],
        one_text=singles,
        ids=tuple(rows[match.position].id for match in matches),
    )


def _texts(rows: Sequence[Example]) -> list[Texts]:
    return [(row.text, row.text_pair) for row in rows]
