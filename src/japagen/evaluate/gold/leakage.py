"""Whether rows of one split stand in another: as a whole, nearly, with one of two texts, or about the same image.

`leak` counts them for a reader. `check_splits` refuses a test set that is the dev or train set: what is measured on must
be new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from japagen.errors import DataError
from japagen.groups import images_of
from japagen.japanese import canonical
from japagen.matches import find_matches, one_text
from japagen.records import Example

if TYPE_CHECKING:
    from japagen.evaluate.gold import GoldData

MOST_SHARED = 0.5
"""From this share of test rows on that stand in another split, the two are taken for the same data."""
SHOWN = 10
"""Most ids that are listed."""
_PAIRS = (("test", "dev"), ("test", "train"), ("dev", "train"))
_REMEDY = "name another file for one of them, or let one file be split: gold: {all: {file: …}, split: {test: 0.2}}"


@dataclass(frozen=True, slots=True)
class Leak:
    """Rows of one split that stand in another.

    Attributes:
        split, other: what they are called, e.g. ``test`` and ``train``.
        rows: of `split`.
        exact, canonical, near: rows that match one of `other`, each counted where it matches best (`matches`); pairs also
            in the swapped order.
        relabelled: of the exact and canonical ones those that have another label there.
        same_image: rows about an image that a row of `other` is about too; None where either names no image.
        one_text: pairs of which at least one text stands in a pair of `other`; None for single texts.
        ids: the first of the rows that match.
    """

    split: str
    other: str
    rows: int
    exact: int
    canonical: int
    near: int
    relabelled: int
    same_image: int | None
    one_text: int | None
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Rows of one split whose canonical text, or pair of texts, is that of a row of another.

    Attributes:
        split, other: their names.
        rows: how many there are.
        of: rows of `split`.
    """

    split: str
    other: str
    rows: int
    of: int

    def __str__(self) -> str:
        return f"{self.rows} of {self.of} rows of gold.{self.split} stand in gold.{self.other} too"


def leaks(splits: Mapping[str, Sequence[Example]]) -> Iterator[Leak]:
    """What each split has of each other one that is there, the test set first; nothing where there is one split only."""
    for split, other in _PAIRS:
        if splits.get(split) and splits.get(other):
            yield leak(split, splits[split], other, splits[other])


def leak(split: str, rows: Sequence[Example], other: str, others: Sequence[Example]) -> Leak:
    """How much of `rows` stands in `others`; the names are for the record."""
    ours, theirs = ([(row.text, row.text_pair) for row in each] for each in (rows, others))
    found = find_matches(ours, theirs)
    kinds = [match.how for match in found]
    relabelled = sum(match.how != "near" and rows[match.position].label != others[match.other].label for match in found)
    pairs = any(second is not None for _, second in ours)
    return Leak(
        split,
        other,
        len(rows),
        kinds.count("exact"),
        kinds.count("canonical"),
        kinds.count("near"),
        relabelled,
        _same_image(rows, others),
        len(one_text(ours, theirs)) if pairs else None,
        tuple(rows[match.position].id for match in found[:SHOWN]),
    )


def _same_image(rows: Sequence[Example], others: Sequence[Example]) -> int | None:
    ours, there = [set(images_of(row)) for row in rows], {image for row in others for image in images_of(row)}
    return sum(bool(images & there) for images in ours) if there and any(ours) else None


def check_splits(data: GoldData) -> list[Overlap]:
    """Refuse test rows that are dev or train rows; overlaps too small for that are returned, for whoever wants to warn.

    Of one file that was split nothing is compared: its parts have no row in common.

    Raises:
        DataError: the test set is the same file as another split, or half of its rows or more stand there too.
    """
    names = {source.split: source.file for source in data.files}
    for one, two in combinations(data.files, 2):
        if one.sha256 == two.sha256 and "test" in (one.split, two.split):
            what = f"gold.{one.split} and gold.{two.split} are the same file ({two.file})"
            raise DataError(what, where=f"gold.test, {names['test']}", remedy=_REMEDY)
    if "all" in names:
        return []
    rows = {"train": data.train, "dev": data.dev, "test": data.test}
    forms = {split: [_form(row) for row in each] for split, each in rows.items()}
    found = []
    for split, other in _PAIRS:
        there = set(forms[other])
        overlap = Overlap(split, other, sum(form in there for form in forms[split]), len(forms[split]))
        if not overlap.rows:
            continue
        if split == "test" and overlap.rows >= MOST_SHARED * overlap.of:
            raise DataError(str(overlap), where=f"gold.test, {names.get('test', 'test')}", remedy=_REMEDY)
        found.append(overlap)
    return found


def _form(row: Example) -> tuple[str, str]:
    return canonical(row.text), canonical(row.text_pair or "")
