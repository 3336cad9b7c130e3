"""Artefacts of pairs: whether one text alone tells the label, and the expressions that give it away.

Language models write negation where a contradiction is asked for and vague words where nothing is to follow, so that the
second text of published sets gives 86 to 96 % of their labels away. The probe (`student.probe`) says how much one text
tells; the expressions say by what. Expressions are runs of one to five words that stand in more texts of one label than
chance allows: a likelihood ratio of texts with and without them, against a limit for as many as were looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import NormalDist
from typing import Any

from japagen.analyze.sampling import draw, stream
from japagen.groups import image_groups
from japagen.japanese import canonical, words
from japagen.likelihood import log_likelihood_ratio
from japagen.metrics import Undefined
from japagen.records import Example
from japagen.student.probe import TEXTS, probe

MOST_WORDS = 5
LEAST_TEXTS = 5
"""An expression in fewer texts is not looked at."""
MOST_PAIRS = 10_000
"""Pairs whose expressions are counted; of more, so many are drawn."""
TOP = 10
LEVEL = 0.05
"""Probability that chance alone gives any expression of a text."""


@dataclass(frozen=True, slots=True)
class GiveAway:
    """An expression that stands in more texts of one label than of the others.

    Attributes:
        expression: one to five words, as they stand in the text (NFKC).
        ratio: likelihood ratio G² of its texts and the others by label.
        texts: of this label that it is in.
        others: texts of the other labels that it is in.
    """

    expression: str
    ratio: float
    texts: int
    others: int


@dataclass(frozen=True, slots=True)
class GiveAways:
    """The expressions of one text of the pairs.

    Attributes:
        texts: different texts by label; those of a group count as one here and in `GiveAway`.
        looked_at: how many expressions were.
        least: the ratio from which an expression is listed: `LEVEL` shared by all expressions and labels.
        by_label: the expressions, those of the largest ratio first.
    """

    texts: Mapping[str, int]
    looked_at: int
    least: float
    by_label: Mapping[str, tuple[GiveAway, ...]]


def artefacts(
    synthetic: Sequence[Example], gold: Sequence[Example], labels: Sequence[str], *, seed: int
) -> dict[str, Any]:
    """What single texts of pairs tell, as values that JSON can hold.

    Args:
        synthetic: pairs that are trained on.
        gold: pairs by people, to compare; may be empty.
        labels: the task's labels, in its order.
        seed: of folds and draws.

    Returns:
        probes: by set ("synthetic", "gold"; None without gold) what `student.probe.Probe` holds of each text, with
            `artefact` and `leaking`; or {"undefined": why}.
        give_aways: by text ("first", "second") what `GiveAways` holds, of the synthetic pairs.
    """
    pairs = draw(synthetic, MOST_PAIRS, stream(seed, "give-aways")) if len(synthetic) > MOST_PAIRS else synthetic
    fields = {"first": [row.text for row in pairs], "second": [row.text_pair or "" for row in pairs]}
    told, images = [row.label for row in pairs], image_groups(pairs)
    return {
        "probes": {"synthetic": _probes(synthetic, seed), "gold": _probes(gold, seed) if gold else None},
        "give_aways": {text: asdict(give_aways(fields[text], told, labels, groups=images)) for text in TEXTS},
    }


def give_aways(
    texts: Sequence[str],
    told: Sequence[str],
    labels: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    top: int = TOP,
) -> GiveAways:
    """The expressions that tell labels apart, at most `top` of each, each with texts that the stronger ones do not have.

    A text counts once for a label, however often it or an expression in it is repeated, and so do all texts of a group.

    Args:
        texts: one text of every pair.
        told: its label.
        labels: all labels, in their order.
        groups: of texts that share a topic, such as captions of one image; None: each text is a draw of its own.
        top: most expressions of a label.
    """
    different: dict[str, dict[str, list[str]]] = {label: {} for label in labels}
    for text, label, group in zip(texts, told, groups or map(canonical, texts), strict=True):
        different[label].setdefault(group, []).extend([*words(text), "\n"])
    counts = {label: Counter(run for row in rows.values() for run in _runs(row)) for label, rows in different.items()}
    sizes = {label: len(rows) for label, rows in different.items()}
    everywhere: Counter[str] = sum(counts.values(), Counter())
    common = [run for run, n in everywhere.items() if n >= LEAST_TEXTS]
    least = NormalDist().inv_cdf(1 - LEVEL / max(1, len(common) * len(labels)) / 2) ** 2
    by_label = {}
    for label in labels:
        size, rest = sizes[label], sum(sizes.values()) - sizes[label]
        found = []
        for expression in common:
            n = counts[label][expression]
            others = everywhere[expression] - n
            if n * rest > others * size and (ratio := _ratio(n, size, others, rest)) >= least:
                found.append(GiveAway(expression, ratio, n, others))
        by_label[label] = tuple(_apart(found, ["".join(row) for row in different[label].values()], top))
    return GiveAways(sizes, len(common), least, by_label)


def _runs(row: Sequence[str]) -> set[str]:
    """The runs of words of a text, or of several, with a line break after each."""
    runs = {"".join(row[i : i + n]) for n in range(1, MOST_WORDS + 1) for i in range(len(row) - n + 1)}
    return {run for run in runs if "\n" not in run}


def _ratio(count: int, size: int, others: int, rest: int) -> float:
    """G² of a table of two by two: texts with and without an expression, of a label and of the others.

    No row and no column of it may be empty; where an expression has a larger share in the label, none is.
    """
    return log_likelihood_ratio(count, size, others, rest) + log_likelihood_ratio(
        size - count, size, rest - others, rest
    )


def _apart(found: Sequence[GiveAway], texts: Sequence[str], top: int) -> list[GiveAway]:
    """The strongest, each in at least as many texts without a stronger one as with one; of equal ones the longest."""
    kept: list[GiveAway] = []
    left = list(texts)
    for one in sorted(found, key=lambda one: (-one.ratio, -len(one.expression), one.expression)):
        if len(kept) == top:
            break
        if 2 * sum(one.expression in text for text in left) >= one.texts:
            kept.append(one)
            left = [text for text in left if one.expression not in text]
    return kept


def _probes(examples: Sequence[Example], seed: int) -> list[dict[str, Any]] | dict[str, str]:
    try:
        found = probe(examples, seed=seed)
    except Undefined as undefined:
        return {"undefined": str(undefined)}
    return [asdict(one) | {"artefact": one.artefact, "leaking": one.leaking} for one in found]
