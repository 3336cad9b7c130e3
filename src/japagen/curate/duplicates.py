"""Duplicates: rows that say what an earlier row says. Exact ones by their form, near ones by the form's 3-grams.

Each function takes rows and returns findings by position; it removes nothing itself. The first row of its kind is the
one that stays, so the outcome depends on the order of the rows and on nothing else.

What counts as the same is the caller's to say: `endings.plain_form` where labels judge meaning, for then 走ります is
走る; `japanese.canonical` where they judge the wording itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from japagen.curate.filters import Finding, texts
from japagen.endings import plain_form
from japagen.ngrams import numbers
from japagen.records import Example
from japagen.setjoin import Sets, first_similar

Form = Callable[[str], str]


def same_texts(examples: Sequence[Example], *, form: Form = plain_form) -> dict[int, Finding]:
    """Rows whose text occurs under two labels (all of them), and all but the first of the same text and label.

    Pairs are the same when both texts are, each at its place.
    """
    rows: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        rows[tuple(map(form, texts(example)))].append(i)
    findings: dict[int, Finding] = {}
    for same in rows.values():
        first = examples[same[0]]
        labels = sorted({examples[i].label for i in same})
        if len(labels) > 1:
            findings.update((i, ("label_conflict", f"the same text as {', '.join(labels)}")) for i in same)
        else:
            findings.update((i, ("duplicate", first.id)) for i in same[1:])
    return findings


def near_texts(examples: Sequence[Example], similarity: float, *, form: Form = plain_form) -> dict[int, Finding]:
    """Rows whose 3-grams have a Jaccard similarity of at least `similarity` with an earlier row that stays.

    Of pairs both texts count, each against the one at its place. Only rows of the same label are compared: two that
    differ in one word and in the label are what a classifier learns most from. Nor are rows near whose numbers differ:
    馬が2頭 is not 馬が3頭, however long the sentence around it. The detail names the earliest such row. All such rows are
    found, and no others.

    Raises:
        ValueError: `similarity` is not above 0 and at most 1.
    """
    kinds: dict[tuple[str, *tuple[tuple[str, ...], ...]], int] = {}  # a label and the numbers of each text
    forms = [tuple(map(form, texts(example))) for example in examples]
    groups = [
        kinds.setdefault((example.label, *map(numbers, row)), len(kinds))
        for example, row in zip(examples, forms, strict=True)
    ]
    paired = any(example.text_pair is not None for example in examples)
    sets = Sets.of_texts([row[0] for row in forms], [row[-1] for row in forms] if paired else None)
    earlier, scores = first_similar(sets, similarity, groups=groups)
    return {
        i: ("near_duplicate", f"{examples[twin].id} ({score:.2f})")
        for i, (twin, score) in enumerate(zip(earlier.tolist(), scores.tolist(), strict=True))
        if twin >= 0
    }
