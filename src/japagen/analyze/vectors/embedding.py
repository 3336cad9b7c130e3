"""Synthetic beside gold texts in the space of sentence vectors: MAUVE, density and coverage, Vendi score, and the map.

A sample is encoded, not all rows: encoding is what takes time, and a sample of a thousand says enough. How many rows it
holds follows from their lengths, so the time is about the same for any data; every signature states n. The gold sample is
cut in two halves, one to measure against, and one to measure as if it were synthetic: the ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from japagen.analyze.sampling import UndefinedError, draw, stream
from japagen.analyze.vectors.coverage import NEIGHBOURS, compared_coverage
from japagen.analyze.vectors.encoder import Encoder, Vectors, row_vectors, sentence_encoder
from japagen.analyze.vectors.mauve import compared_mauve
from japagen.analyze.vectors.textmap import laid_out
from japagen.analyze.vectors.vendi import vendi, vendi_ratio
from japagen.progress import Listener, Progress, silent
from japagen.records import Example

MOST_ROWS = 800
"""Rows of each of the three sets that are compared, at most."""
MOST_POINTS = 2400
LEAST_ROWS = 25
"""Rows of each set, below which a label has no figures of its own, nor has the whole."""
LEAST_FOR_MAUVE = 100
"""MAUVE takes more: below, it would count ten buckets or fewer."""
COST = 300_000
EACH = 64
"""A text costs as much as its characters and 64 more; the sample may cost so much: some 10 s of a slow core."""
CHARACTERS = 80
"""Of a text that a point of the map shows."""
FARTHEST = 6
"""Texts that are told of each side as having nothing near on the other."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows that are encoded: a random draw of each set, in the order drawn."""

    synthetic: list[Example]
    gold: list[Example]


def sample(synthetic: Sequence[Example], gold: Sequence[Example], *, seed: int) -> Sample:
    """Draw the rows: twice as many of gold, where there are so many, within the cost that is allowed.

    What gold does not need is left to the synthetic rows, so that the map has enough of them.

    Raises:
        UndefinedError: there are no synthetic rows.
    """
    if not synthetic:
        raise UndefinedError("there are no synthetic texts to analyse")
    theirs, spent = _within(gold, 2 * MOST_ROWS, 2 * COST / 3, seed, "gold")
    ours, _ = _within(synthetic, MOST_POINTS - len(theirs), COST - spent, seed, "synthetic")
    return Sample(ours, theirs)


def _within(rows: Sequence[Example], most: int, cost: float, seed: int, name: str) -> tuple[list[Example], float]:
    """The first rows of a random order that are not more than `most` and do not cost more, and what they cost."""
    if not rows:
        return [], 0.0
    drawn = draw(rows, min(most, len(rows)), stream(seed, "embedding", name))
    costs = np.cumsum([sum(EACH + min(len(text), 2000) for text in _texts(row)) for row in drawn])
    n = max(1, int((costs <= cost).sum()))
    return drawn[:n], float(costs[n - 1])


def embedding(
    synthetic: Sequence[Example],
    gold: Sequence[Example],
    labels: Sequence[str],
    *,
    seed: int,
    on_progress: Listener = silent,
    encoder: Encoder | None = None,
) -> dict[str, Any]:
    """Compare synthetic with gold rows by their vectors, as values that JSON can hold.

    Args:
        synthetic: what is trained on.
        gold: human texts; may be empty.
        labels: the task's labels, in its order.
        seed: of the sample and of all draws.
        on_progress: told while texts are encoded, and of each label.
        encoder: what makes vectors; the package's sentence encoder where none is given.

    Returns:
        encoder: its name; dimensions: of a row's vector; unit: "text" or "pair".
        sampled: by set, the rows that were encoded.
        overall, and by_label by label: rows (encoded, by set), n (rows of each set compared), mauve, density, coverage
            (`compared.Compared`), vendi (with synthetic, gold, ratio: `vendi.Vendi`); what has no value is None, and
            `undefined` says why.
        least, least_for_mauve: rows of each set, below which there is no value.
        far: by set, the rows farthest from every row of the other set, each with id, label, text, similarity (the cosine),
            nearest and nearest_text; None without gold.

    Raises:
        UndefinedError: there are no synthetic rows, or pairs stand among single texts.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    encoder = encoder or sentence_encoder()
    rows = sample(synthetic, gold, seed=seed)
    vectors = row_vectors([*rows.synthetic, *rows.gold], encoder, on_progress)
    ours, theirs = vectors[: len(rows.synthetic)], vectors[len(rows.synthetic) :]
    with threadpool_limits(limits=1):  # a sum over several threads may differ in its last bits
        steps = len(labels) + 1
        on_progress(Progress("analyze", "embedding", done=0, total=steps))
        overall = _measured(ours, theirs, encoder.name, seed)
        by_label = {}
        for step, label in enumerate(labels, 1):
            on_progress(Progress("analyze", "embedding", done=step, total=steps))
            mine, yours = ([row.label == label for row in side] for side in (rows.synthetic, rows.gold))
            by_label[label] = _measured(ours[mine], theirs[yours], encoder.name, seed)
        far = _far(rows, ours, theirs) if rows.gold else None
        on_progress(Progress("analyze", "embedding", done=steps, total=steps))
    return {
        "encoder": encoder.name,
        "dimensions": vectors.shape[1],
        "unit": "text" if synthetic[0].text_pair is None else "pair",
        "least": LEAST_ROWS,
        "least_for_mauve": LEAST_FOR_MAUVE,
        "sampled": {"synthetic": len(rows.synthetic), "gold": len(rows.gold)},
        "overall": overall,
        "by_label": by_label,
        "far": far,
    }


def text_map(
    synthetic: Sequence[Example],
    gold: Sequence[Example],
    labels: Sequence[str],
    *,
    seed: int,
    on_progress: Listener = silent,
    encoder: Encoder | None = None,
) -> dict[str, Any] | None:
    """Lay the same sample out in two dimensions; None where it is too small for a map.

    The arguments are those of `embedding`.

    Returns:
        labels; points: columns x, y (between -1 and 1), set (0 synthetic, 1 gold), label (position in labels, -1 for none
        of them), id and text (at most 80 characters, of a pair both texts with a line break between); neighbours_kept and
        by_chance (see `textmap.Layout`); signature.

    Raises:
        UndefinedError: there are no synthetic rows, or pairs stand among single texts.
    """
    encoder = encoder or sentence_encoder()
    rows = sample(synthetic, gold, seed=seed)
    together = [*rows.synthetic, *rows.gold]
    vectors = row_vectors(together, encoder)
    on_progress(Progress("analyze", "map", done=0, total=1))
    try:
        layout = laid_out(vectors, encoder=encoder.name, seed=seed)
    except UndefinedError:
        return None
    on_progress(Progress("analyze", "map", done=1, total=1))
    number = {label: place for place, label in enumerate(labels)}
    return {
        "labels": list(labels),
        "points": {
            "x": [round(x, 4) for x in layout.places[:, 0].tolist()],
            "y": [round(y, 4) for y in layout.places[:, 1].tolist()],
            "set": [0] * len(rows.synthetic) + [1] * len(rows.gold),
            "label": [number.get(row.label, -1) for row in together],
            "id": [row.id for row in together],
            "text": [_shown(row) for row in together],
        },
        "neighbours_kept": layout.kept,
        "by_chance": layout.by_chance,
        "signature": layout.signature,
    }


def _measured(ours: Vectors, theirs: Vectors, encoder: str, seed: int) -> dict[str, Any]:
    """All measures at the largest n that both sets allow."""
    rows = {"synthetic": len(ours), "gold": len(theirs)}
    nothing = {"rows": rows, "mauve": None, "density": None, "coverage": None, "vendi": None}
    if not len(theirs) and len(ours) >= LEAST_ROWS:
        n = min(len(ours), MOST_ROWS)
        alone = {"synthetic": asdict(vendi(ours[:n], encoder=encoder)), "gold": None, "ratio": None}
        return nothing | {"n": n, "undefined": "there is no gold", "vendi": alone}
    n = min(len(ours), len(theirs) // 2, MOST_ROWS)
    if n < LEAST_ROWS:
        few = f"{len(ours)} synthetic and {len(theirs)} gold texts are fewer than {LEAST_ROWS} and {2 * LEAST_ROWS}"
        return nothing | {"n": n, "undefined": few}
    reference, synthetic, other = theirs[:n], ours[:n], theirs[n : 2 * n]
    mauve = None
    if n >= LEAST_FOR_MAUVE:
        mauve = asdict(compared_mauve(reference, synthetic, other, encoder=encoder, seed=seed))
    held = compared_coverage(reference, synthetic, other, encoder=encoder, seed=seed, k=NEIGHBOURS)
    return {
        "rows": rows,
        "n": n,
        "undefined": None,
        "mauve": mauve,
        **{name: asdict(one) for name, one in held.items()},
        "vendi": {
            "synthetic": asdict(vendi(synthetic, encoder=encoder)),
            "gold": asdict(vendi(reference, encoder=encoder)),
            "ratio": asdict(vendi_ratio(synthetic, reference, encoder=encoder)),
        },
    }


def _far(rows: Sample, ours: Vectors, theirs: Vectors) -> dict[str, list[dict[str, Any]]]:
    """The rows of each side whose nearest row of the other side is the farthest, the farthest first."""
    alike = ours @ theirs.T
    sides = {"synthetic": (rows.synthetic, rows.gold, alike), "gold": (rows.gold, rows.synthetic, alike.T)}
    told = {}
    for name, (mine, others, similarity) in sides.items():
        nearest = similarity.argmax(axis=1)
        best = similarity.max(axis=1)
        order = sorted(range(len(mine)), key=lambda at: (round(float(best[at]), 6), mine[at].id))[:FARTHEST]
        told[name] = [
            {
                "id": mine[at].id,
                "label": mine[at].label,
                "text": _shown(mine[at]),
                "similarity": float(best[at]),
                "nearest": others[nearest[at]].id,
                "nearest_text": _shown(others[nearest[at]]),
            }
            for at in order
        ]
    return told


def _texts(row: Example) -> tuple[str, ...]:
    return (row.text,) if row.text_pair is None else (row.text, row.text_pair)


def _shown(row: Example) -> str:
    """The beginning of a text, or of both of a pair, each in one line."""
    texts = _texts(row)
    room = CHARACTERS // len(texts)
    lines = (" ".join(text[: 4 * room].split()) for text in texts)
    return "\n".join(line if len(line) <= room else f"{line[: room - 1]}…" for line in lines)
