"""Analysing: what the synthetic texts are like, beside gold where there is gold. Numbers only; the report draws them.

Wherever two sets are compared, both are drawn at the same size. Measures that have no value for their input are None
in the result, never 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import Any

from japagen.analyze.artefacts import artefacts
from japagen.analyze.diversity import distinct_n, type_token
from japagen.analyze.keyness import characteristic_words
from japagen.analyze.lengths import bin_edges, length_distribution, pooled_script_shares, register_shares
from japagen.analyze.overlap import ceiling, vocabulary_jaccard
from japagen.analyze.pairs import likeness
from japagen.analyze.sampling import UndefinedError
from japagen.errors import DataError, did_you_mean
from japagen.progress import Listener, Progress, silent
from japagen.records import Example

__all__ = ["UndefinedError", "analyze"]

DRAWS = 50
TOP_WORDS = 20


def analyze(
    synthetic: Sequence[Example],
    gold: Sequence[Example],
    *,
    labels: Sequence[str],
    seed: int,
    on_progress: Listener = silent,
) -> dict[str, Any]:
    """Describe synthetic texts and compare them with gold, as values that JSON can hold.

    The two texts of a pair are taken as one, joined by a line break; lengths are given of each of them as well.

    Args:
        synthetic: what is trained on.
        gold: human texts; may be empty, and what needs them is None then.
        labels: the task's labels, in its order.
        seed: of all draws.
        on_progress: told before and after each measure.

    Returns:
        counts, lengths, register, scripts: by set ("synthetic", "gold") and label; None for a label without rows.
        distinct_n: by set and "1", "2", "3"; type_token: by set. Value and signature, both sets at the same size.
        vocabulary_jaccard: "synthetic_gold", and its ceiling "gold_gold": half of gold against the other half.
        characteristic_words: by set, [word, log-likelihood ratio, count in synthetic, count in gold].
        unit: "text", or "pair" where rows are pairs; and then also
        lengths_first, lengths_second: as lengths, of the first and the second texts alone.
        pair_likeness: by set and label, how alike the two texts of a pair are.
        artefacts: what one text of a pair tells of the label, and by which expressions (`artefacts.artefacts`).

    Raises:
        UndefinedError: there are no synthetic texts.
        DataError: an example's label is not one of the labels.
    """
    if not synthetic:
        raise UndefinedError("there are no synthetic texts to analyse")
    _check_labels((*synthetic, *gold), labels)
    by_label = {name: _by_label(rows, labels) for name, rows in (("synthetic", synthetic), ("gold", gold))}
    edges = bin_edges(max(len(_text(example)) for example in (*synthetic, *gold)))

    def each_label(measure: Callable[..., Any], **options: Any) -> dict[str, Any]:
        described = {
            name: {label: _or_none(measure, texts, **options) for label, texts in groups.items()}
            for name, groups in by_label.items()
        }
        return described if gold else described | {"gold": None}

    with _step("lengths", on_progress):
        lengths = each_label(_lengths, edges=edges)
    of_pairs = _of_pairs(synthetic, gold, labels, edges, seed, on_progress)
    with _step("register", on_progress):
        registers = each_label(register_shares)
    with _step("scripts", on_progress):
        scripts = each_label(pooled_script_shares)
    with _step("words", on_progress):
        ours, theirs = _words(synthetic), _words(gold)
    with _step("diversity", on_progress):
        diversity = _diversity(ours, theirs, seed)
    with _step("overlap", on_progress):
        overlap = _overlap(ours, theirs, seed)
        characteristic = _characteristic(ours, theirs)
    counts = {name: {label: len(texts) for label, texts in groups.items()} for name, groups in by_label.items()}
    return {
        "unit": "pair" if of_pairs else "text",
        "labels": list(labels),
        "counts": counts,
        "lengths": lengths,
        "register": registers,
        "scripts": scripts,
        **diversity,
        "vocabulary_jaccard": overlap,
        "characteristic_words": characteristic,
        **of_pairs,
    }


def _of_pairs(
    synthetic: Sequence[Example],
    gold: Sequence[Example],
    labels: Sequence[str],
    edges: Sequence[int],
    seed: int,
    on_progress: Listener,
) -> dict[str, Any]:
    """What only pairs have; nothing where rows are single texts."""
    if synthetic[0].text_pair is None:
        return {}
    pairs = {
        name: {label: [(e.text, e.text_pair or "") for e in rows if e.label == label] for label in labels}
        for name, rows in (("synthetic", synthetic), ("gold", gold))
        if rows
    }

    def each_label(measure: Callable[[list[tuple[str, str]]], Any]) -> dict[str, Any]:
        found = {name: {label: _or_none(measure, rows) for label, rows in sets.items()} for name, sets in pairs.items()}
        return {"gold": None, **found}

    with _step("pairs", on_progress):
        described = {
            "lengths_first": each_label(lambda rows: _lengths([first for first, _ in rows], edges)),
            "lengths_second": each_label(lambda rows: _lengths([second for _, second in rows], edges)),
            "pair_likeness": each_label(likeness),
        }
    with _step("artefacts", on_progress):
        return described | {"artefacts": artefacts(synthetic, gold, labels, seed=seed)}


def _diversity(ours: list[list[str]], theirs: list[list[str]], seed: int) -> dict[str, Any]:
    sets = {"synthetic": ours, "gold": theirs}
    sample = min(len(texts) for texts in sets.values() if texts)
    tokens = min(sum(map(len, texts)) for texts in sets.values() if texts)

    def distinct(texts: list[list[str]]) -> dict[str, Any]:
        return {str(n): _or_none(distinct_n, texts, n, sample=sample, seed=seed) for n in (1, 2, 3)}

    return {
        "distinct_n": {name: distinct(texts) if texts else None for name, texts in sets.items()},
        "type_token": {name: _or_none(type_token, texts, tokens=tokens, seed=seed) for name, texts in sets.items()},
    }


def _overlap(ours: list[list[str]], theirs: list[list[str]], seed: int) -> dict[str, Any]:
    n = min(len(ours), len(theirs) // 2)
    return {
        "synthetic_gold": _or_none(vocabulary_jaccard, ours, theirs, n=n, draws=DRAWS, seed=seed),
        "gold_gold": _or_none(ceiling, theirs, n=n, draws=DRAWS, seed=seed),
    }


def _characteristic(ours: list[list[str]], theirs: list[list[str]]) -> dict[str, Any]:
    def synthetic() -> list[list[Any]]:
        found = characteristic_words(ours, theirs, top=TOP_WORDS)
        return [[w.word, w.ratio, w.count, w.count_other] for w in found]

    def gold() -> list[list[Any]]:
        found = characteristic_words(theirs, ours, top=TOP_WORDS)
        return [[w.word, w.ratio, w.count_other, w.count] for w in found]

    return {"synthetic": _or_none(synthetic), "gold": _or_none(gold)}


def _text(example: Example) -> str:
    return example.text if example.text_pair is None else f"{example.text}\n{example.text_pair}"


def _by_label(examples: Sequence[Example], labels: Sequence[str]) -> dict[str, list[str]]:
    return {label: [_text(example) for example in examples if example.label == label] for label in labels}


def _words(examples: Sequence[Example]) -> list[list[str]]:
    from japagen.japanese import words

    return [words(_text(example)) for example in examples]


def _check_labels(examples: Sequence[Example], labels: Sequence[str]) -> None:
    for label in Counter(example.label for example in examples):
        if label not in labels:
            raise DataError(f"unknown label '{label}'", where="analyze", remedy=did_you_mean(label, labels))


def _lengths(texts: Sequence[str], edges: Sequence[int]) -> dict[str, Any]:
    found = asdict(length_distribution(texts, edges))
    return found | {"histogram": {"edges": found.pop("edges"), "counts": found["histogram"]}}


def _or_none(measure: Callable[..., Any], *sets: Any, **options: Any) -> Any:
    """What the measure says, a record as a dict; None when it is undefined for these texts."""
    try:
        value = measure(*sets, **options)
    except UndefinedError:
        return None
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else value


@contextmanager
def _step(item: str, on_progress: Listener) -> Iterator[None]:
    on_progress(Progress("analyze", item, done=0, total=1))
    yield
    on_progress(Progress("analyze", item, done=1, total=1))
