"""Stage 5: what the synthetic texts are, how good, and whether more of them would pay. Numbers only; the report draws them.

    corpus     texts as numbers of words, by one of several tokenisers
    diversity  how varied they are: Self-BLEU and others
    fidelity   words, lengths, register, scripts, marks and ends of sentences, beside gold
    vectors    where they lie among sentence vectors, and the map of texts
    labels     how many labels are right
    scaling    what more rows would bring
    artefacts, pairs: what one text of a pair tells

Wherever two sets are compared, both are drawn at the same size, and gold against gold says what could be reached at best.
Texts are compared by one row of each image: two captions of one picture are no two draws, and would make chance look
smaller, and gold more like gold, than they are.
Measures that have no value for their input are None in the result, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from japagen.analyze import diversity, scaling
from japagen.analyze.artefacts import artefacts
from japagen.analyze.corpus import Corpus, corpora
from japagen.analyze.fidelity.keyness import keyness
from japagen.analyze.fidelity.overlap import vocabulary
from japagen.analyze.fidelity.style import style
from japagen.analyze.labels import label_correctness
from japagen.analyze.pairs import likeness
from japagen.analyze.sampling import UndefinedError, draw, stream
from japagen.analyze.vectors.embedding import embedding, text_map
from japagen.errors import DataError, did_you_mean
from japagen.groups import one_of_each_group
from japagen.metrics import Undefined
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.sections import AnalyzeSection
from japagen.student import Training, load_student

__all__ = ["Facts", "UndefinedError", "analyze"]

Gold = Mapping[str, Sequence[Example]]

MOST_CHARACTERS = 25_000_000
"""Of a set whose texts are longer together a random sample is compared: to cut it into words takes a quarter of a minute."""
MOST_PAIRS = 5000
"""Pairs of a label whose likeness is measured."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What else is known of the rows.

    Attributes:
        values: the number that each label stands for, of a similarity task.
        attributes: keys of the rows' meta that say what a row was written about (KADG).
        judged: what curation told of its judge.
        people: whether a person calls a row's label right, by id.
        scores: ``scores.json``, for the learning curve.
        usage: of writing the texts: tokens and money.
        training: what the oracle may want to know.
    """

    values: Mapping[str, float] | None = None
    attributes: Sequence[str] = ()
    judged: Mapping[str, Any] | None = None
    people: Mapping[str, bool] | None = None
    scores: Mapping[str, Any] = field(default_factory=dict)
    usage: Mapping[str, Any] | None = None
    training: Training | None = None


def analyze(
    synthetic: Sequence[Example],
    gold: Gold,
    *,
    labels: Sequence[str],
    seed: int,
    settings: AnalyzeSection | None = None,
    facts: Facts | None = None,
    on_progress: Listener = silent,
) -> dict[str, Any]:
    """Describe synthetic texts and compare them with gold, as values that JSON can hold.

    The two texts of a pair are taken as one, joined by a line break; lengths are given of each of them as well.

    Args:
        synthetic: what is trained on.
        gold: human rows by set (``train``, ``dev``, ``test``). Texts are compared with all but ``train``, where there are
            others; the oracle of the labels learns from any.
        labels: the task's labels, in its order.
        seed: of all draws.
        settings: what is measured.
        facts: what else is known.
        on_progress: told before and after each measure.

    Returns:
        unit: "text", or "pair" where rows are pairs. labels. tokeniser.
        counts: rows by set ("synthetic", "gold") and label.
        compared: by set the rows whose texts are compared: one of each image, `MOST_CHARACTERS` at most.
        diversity, vocabulary, keyness, style, embedding, map, correctness, scaling: see the functions of these names
            (`text_map`, `label_correctness`); None where they were not asked for or have no value.
        pair_likeness, artefacts: of pairs alone, see `pairs` and `artefacts`.

    Raises:
        UndefinedError: there are no synthetic texts.
        DataError: an example's label is not one of the labels.
        MissingExtra: the tokeniser is not installed.
    """
    settings, facts = settings or AnalyzeSection(), facts or Facts()
    if not synthetic:
        raise UndefinedError("there are no synthetic texts to analyse")
    human = [row for name, rows in gold.items() if name != "train" for row in rows] or [*gold.get("train", ())]
    _check_labels((*synthetic, *human), labels)
    alone, human_alone = (_affordable(one_of_each_group(rows, seed), seed) for rows in (synthetic, human))
    apart = (alone, human_alone)
    ours, theirs = corpora(apart, labels, settings.tokeniser, on_progress)
    beside = theirs if len(theirs) else None
    found: dict[str, Any] = {
        "unit": "text" if synthetic[0].text_pair is None else "pair",
        "labels": list(labels),
        "tokeniser": settings.tokeniser,
        "counts": {name: _counts(rows, labels) for name, rows in (("synthetic", synthetic), ("gold", human))},
        "compared": {name: len(rows) for name, rows in zip(("synthetic", "gold"), apart, strict=True)},
    }
    found |= _texts(ours, beside, apart, labels, seed, on_progress)
    if synthetic[0].text_pair is not None:
        found |= _pairs(synthetic, human, labels, seed, on_progress)
    if settings.encoder:
        near = embedding(alone, human_alone, labels, seed=seed, on_progress=on_progress)
        found["embedding"] = near | {"far": _without_copies(near["far"], synthetic, human)}
        found["map"] = text_map(alone, human_alone, labels, seed=seed, on_progress=on_progress)
    found["correctness"] = _correctness(synthetic, gold, labels, seed, settings, facts, on_progress)
    with _step("scaling", on_progress):
        found["scaling"] = scaling.scaling(facts.scores, usage=facts.usage, epsilon=settings.epsilon, seed=seed)
    return found


def _texts(
    ours: Corpus,
    theirs: Corpus | None,
    apart: Sequence[Sequence[Example]],
    labels: Sequence[str],
    seed: int,
    on_progress: Listener,
) -> dict[str, Any]:
    """What texts and words tell; `apart` holds the rows of both corpora."""
    pairs = apart[0][0].text_pair is not None
    firsts = [[len(row.text) for row in rows] for rows in apart] if pairs else None
    found: dict[str, Any] = {}
    with _step("diversity", on_progress):
        found["diversity"] = diversity.diversity(ours, theirs, labels=labels, seed=seed)
    with _step("vocabulary", on_progress):
        found["vocabulary"] = vocabulary(ours, theirs, seed=seed)
    with _step("keyness", on_progress):
        found["keyness"] = keyness(ours, theirs, labels)
    with _step("style", on_progress):
        found["style"] = style(ours, theirs, labels, seed=seed, firsts=firsts)
    return found


def _pairs(
    synthetic: Sequence[Example],
    human: Sequence[Example],
    labels: Sequence[str],
    seed: int,
    on_progress: Listener,
) -> dict[str, Any]:
    """What only pairs have."""
    found: dict[str, Any] = {}
    with _step("pairs", on_progress):
        found["pair_likeness"] = {
            "synthetic": _likeness(synthetic, labels, seed),
            "gold": _likeness(human, labels, seed) if human else None,
        }
    with _step("artefacts", on_progress):
        found["artefacts"] = artefacts(synthetic, human, labels, seed=seed)
    return found


def _correctness(
    synthetic: Sequence[Example],
    gold: Gold,
    labels: Sequence[str],
    seed: int,
    settings: AnalyzeSection,
    facts: Facts,
    on_progress: Listener,
) -> dict[str, Any] | None:
    """None where nobody can say anything: no oracle that could learn, no judge, no people."""
    named = settings.oracle if any(gold.values()) and len(labels) > 1 else None
    if named is None and not facts.judged and not facts.people:
        return None
    try:
        return label_correctness(
            synthetic,
            gold,
            labels,
            student=load_student(named, facts.training) if named else None,
            name=named,
            seed=seed,
            attributes=facts.attributes,
            values=facts.values,
            judged=facts.judged,
            people=facts.people,
            on_progress=on_progress,
        )
    except Undefined:
        return None


def _without_copies(
    far: Mapping[str, Sequence[Mapping[str, Any]]] | None, synthetic: Sequence[Example], human: Sequence[Example]
) -> dict[str, Any] | None:
    """Texts that lie far from a sample of the other set, but for those that stand in the whole of it."""
    if far is None:
        return None
    texts = {side: {_texts_of(row) for row in rows} for side, rows in (("synthetic", synthetic), ("gold", human))}
    by_id = {
        side: {row.id: _texts_of(row) for row in rows} for side, rows in (("synthetic", synthetic), ("gold", human))
    }
    other = {"synthetic": "gold", "gold": "synthetic"}
    return {
        side: [one for one in found if by_id[side].get(one["id"]) not in texts[other[side]]]
        for side, found in far.items()
    }


def _texts_of(row: Example) -> tuple[str, str | None]:
    return row.text, row.text_pair


def _affordable(rows: list[Example], seed: int) -> list[Example]:
    """All rows, or as many drawn at random as have `MOST_CHARACTERS` together, in their order."""
    total = sum(len(row.text) + len(row.text_pair or "") for row in rows)
    if total <= MOST_CHARACTERS:
        return rows
    kept = round(len(rows) * MOST_CHARACTERS / total)
    return [rows[place] for place in sorted(draw(range(len(rows)), kept, stream(seed, "compared")))]


def _likeness(rows: Sequence[Example], labels: Sequence[str], seed: int) -> dict[str, Any]:
    """How alike the texts of pairs are, by label, of at most `MOST_PAIRS` rows; None for a label without any."""
    found: dict[str, Any] = {}
    for label in labels:
        pairs = [(row.text, row.text_pair or "") for row in rows if row.label == label]
        try:
            told = likeness(draw(pairs, min(len(pairs), MOST_PAIRS), stream(seed, "likeness", label)))
        except UndefinedError:
            found[label] = None
        else:
            found[label] = {"value": told.value, "signature": told.signature}
    return found


def _counts(rows: Sequence[Example], labels: Sequence[str]) -> dict[str, int]:
    counted = Counter(row.label for row in rows)
    return {label: counted[label] for label in labels}


def _check_labels(examples: Sequence[Example], labels: Sequence[str]) -> None:
    for label in Counter(example.label for example in examples):
        if label not in labels:
            raise DataError(f"unknown label '{label}'", where="analyze", remedy=did_you_mean(label, labels))


@contextmanager
def _step(item: str, on_progress: Listener) -> Iterator[None]:
    on_progress(Progress("analyze", item, done=0, total=1))
    yield
    on_progress(Progress("analyze", item, done=1, total=1))
