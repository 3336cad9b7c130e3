"""The oracle: a student that learnt from gold rows says which labels of synthetic rows are right, or how they rank.

Gold sets are opened in their order and no further than needed, so that test rows stay apart where there are enough others;
no student is chosen by what it says.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.analyze.labels.correctness import LEVEL, Said, Share, ask_students, corrected
from japagen.analyze.labels.verdicts import LOW
from japagen.correlation import measure
from japagen.errors import DataError
from japagen.groups import split_groups
from japagen.japanese import canonical
from japagen.metrics import Undefined, codes
from japagen.records import Example
from japagen.streams import stream, stream_seed
from japagen.student import Student

ENOUGH = 1200
"""Gold rows from which on corrected shares held within .03 where labels were wrong by chance
(`benchmarks/quality/correctness.py`); no further set of gold is opened once there are so many."""
MOST_GOLD = 2000
"""Gold rows that the oracle learns from at most."""
MOST_ROWS = 2500
"""Synthetic rows that it is asked about at most."""
LEAST_ROWS = 1000
CHARACTERS = 250_000
"""Of long texts fewer rows are taken, down to `LEAST_ROWS` and `ENOUGH`: those of so many characters, on each side."""
SLACK = 0.1
"""With fewer gold rows than `ENOUGH` a label must be so much further below `LOW` to be alarming: corrected shares were too
low by up to that in the benchmark."""
LEAST_SKILL = 0.35
"""Mean recall on gold beyond a guess, as a share of what is beyond it, below which no corrected share alarms. By hand: an
oracle with .19 was seen to be sure of nonsense, all labels right with no doubt at all."""
RESAMPLES = 200
_FEWEST = 3  # rows that a correlation needs

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Oracle:
    """Who is asked.

    Attributes:
        student: learns from gold.
        name: of the student.
        gold: human-labelled rows by set, in the order in which sets are opened.
        labels: the task's.
        values: the number that each stands for, of a similarity task; else None.
    """

    student: Student
    name: str
    gold: Mapping[str, Sequence[Example]]
    labels: Sequence[str]
    values: Mapping[str, float] | None = None


def ask_oracle(
    oracle: Oracle, rows: Sequence[Example], *, beside: Collection[str], seed: int
) -> tuple[dict[str, Any] | None, dict[str, bool]]:
    """What the oracle says, as JSON (see `labels.label_correctness`), and its verdict on each row that it was asked about.

    Args:
        oracle: who is asked.
        rows: synthetic ones.
        beside: ids of rows that are asked about in any case, without counting among those drawn.
        seed: of all draws.
    """
    used = _gold_rows(oracle.gold, seed)
    learnt = [row for part in used.values() for row in part]
    if not learnt:
        return None, {}
    known = {_texts(row) for row in learnt}
    most = _affordable(rows, LEAST_ROWS, MOST_ROWS)
    chosen = stream(seed, "correctness rows").sample(list(rows), most) if len(rows) > most else list(rows)
    here = {row.id for row in chosen}
    drawn = [row for row in chosen if _texts(row) not in known]
    more = [row for row in rows if row.id in beside and row.id not in here and _texts(row) not in known]
    told: dict[str, Any] = {
        "student": oracle.name,
        "gold_rows": {part: len(found) for part, found in used.items()},
        "gold_enough": len(learnt) >= ENOUGH,
        "enough": ENOUGH,
        "asked": len(drawn),
        "in_gold": len(chosen) - len(drawn),
    }
    try:
        if not drawn:
            raise Undefined("gold holds the text of every row")
        student = _settled(oracle.student, learnt, seed)
        said = ask_students([*drawn, *more], learnt, oracle.labels, student=student, seed=seed)
        counted = Said(said.gold, said.groups, said.of_gold, said.of_rows[:, : len(drawn)])
        if oracle.values is not None:
            return told | _correlations(oracle, counted, drawn, learnt, oracle.values, seed), {}
        told |= _shares(oracle, counted, drawn, enough=told["gold_enough"], seed=seed)
    except (Undefined, DataError) as error:
        return told | {"undefined": str(error).partition("\n")[0]}, {}
    opinions = said.of_rows.mean(axis=0).argmax(axis=1).tolist()
    verdicts = {
        row.id: oracle.labels[opinion] == row.label for row, opinion in zip([*drawn, *more], opinions, strict=True)
    }
    return told, verdicts


def _shares(oracle: Oracle, said: Said, rows: Sequence[Example], *, enough: bool, seed: int) -> dict[str, Any]:
    """Shares of right labels; see `correctness.corrected`."""
    given = codes([row.label for row in rows], oracle.labels)
    found = corrected(said, given, oracle.labels, name=oracle.name, seed=seed, resamples=RESAMPLES)
    right, guess = said.of_gold.argmax(axis=1) == said.gold, 1 / len(oracle.labels)
    recall = float(np.mean([right[said.gold == label].mean() for label in range(len(oracle.labels))]))
    weak = (recall - guess) / (1 - guess) < LEAST_SKILL
    highest = LOW if enough else LOW - SLACK
    by_label = {
        label: asdict(share)
        | {
            "rows": int((given == oracle.labels.index(label)).sum()),
            "alarm": not weak and _is_low(share, highest),
        }
        for label, share in found.by_label.items()
    }
    return {
        "student_accuracy": found.student_accuracy,
        "weak": weak,
        "overall": asdict(found.overall),
        "by_label": by_label,
        "signature": found.signature,
    }


def _settled(student: Student, gold: Sequence[Example], seed: int) -> Student:
    """The student with its C chosen once, on a fifth of the gold rows, where else each of ten folds would choose its own.

    Every second C of its grid is tried. That takes a tenth of the time; one number learnt from rows that are held out later
    gives none of them away.
    """
    from japagen.student.embedding import EmbeddingStudent
    from japagen.student.linear import LinearStudent

    if not isinstance(student, EmbeddingStudent | LinearStudent):
        return student
    names = split_groups(gold)
    if len(groups := sorted(set(names))) < _FEWEST:
        return student
    chosen = set(stream(seed, "correctness C").sample(groups, max(1, len(groups) // 5)))
    dev = [row for row, name in zip(gold, names, strict=True) if name in chosen]
    learnt = [row for row, name in zip(gold, names, strict=True) if name not in chosen]
    try:
        coarse = replace(student, grid=student.grid[::2])
        return replace(student, grid=(coarse.fit(learnt, dev, seed=seed).c,))
    except DataError:  # so few rows that a label is missing
        return student


def _is_low(share: Share, highest: float) -> bool:
    return share.corrected < highest and share.high < highest


def _gold_rows(gold: Mapping[str, Sequence[Example]], seed: int) -> dict[str, list[Example]]:
    """The rows of each set that the oracle learns from; no set is opened once there are `ENOUGH` rows."""
    used: dict[str, list[Example]] = {}
    total = 0
    for name, found in gold.items():
        if not found or total >= ENOUGH:
            continue
        room = _affordable(found, ENOUGH, MOST_GOLD) - total
        random = stream(seed, "correctness gold", name)
        used[name] = random.sample(list(found), room) if len(found) > room else list(found)
        total += len(used[name])
    return used


def _affordable(rows: Sequence[Example], least: int, most: int) -> int:
    """How many rows are taken, by the mean length of a text."""
    mean = sum(len(row.text) + len(row.text_pair or "") for row in rows) / len(rows)
    return min(most, max(least, round(CHARACTERS / max(mean, 1.0))))


def _texts(row: Example) -> tuple[str, str]:
    return canonical(row.text), canonical(row.text_pair or "")


def _correlations(
    oracle: Oracle,
    said: Said,
    rows: Sequence[Example],
    gold: Sequence[Example],
    values: Mapping[str, float],
    seed: int,
) -> dict[str, Any]:
    """What the oracle says of labels that stand for numbers: the expectation of its scores beside the number given.

    Raises:
        Undefined: too few rows, or all have the same number.
    """
    numbers = np.array([values[label] for label in oracle.labels])
    expected, of_gold = said.of_rows.mean(axis=0) @ numbers, said.of_gold @ numbers
    given, true = _numbers(rows, values), _numbers(gold, values)
    random = np.random.default_rng(stream_seed(seed, "correctness correlation"))
    correlation = _spearman(given, expected, np.arange(len(rows)), random)
    by_label = {}
    for label in oracle.labels:
        mine = expected[[row.label == label for row in rows]]
        if len(mine) >= _FEWEST:
            margin = 1.96 * float(mine.std(ddof=1)) / len(mine) ** 0.5
            mean = float(mine.mean())
            told = {"rows": len(mine), "mean": mean, "low": mean - margin, "high": mean + margin}
            human = of_gold[[row.label == label for row in gold]]
            by_label[label] = told | {"gold_mean": float(human.mean()), "gold_rows": len(human)}
    return {
        "correlation": correlation,
        "ceiling": _spearman(true, of_gold, said.groups, random),
        "alarm": correlation["low"] <= 0,
        "by_label": by_label,
        "signature": f"oracle-correlation ({oracle.name} on {len(gold)} gold rows in {len(np.unique(said.groups))} groups, "
        f"{len(rows)} rows, spearman, {RESAMPLES} resamples, percentiles, seed {seed})",
    }


def _numbers(rows: Sequence[Example], values: Mapping[str, float]) -> Floats:
    return np.array([values[row.label] if row.value is None else row.value for row in rows], dtype=np.float64)


def _spearman(first: Floats, second: Floats, groups: NDArray[np.intp], random: np.random.Generator) -> dict[str, float]:
    """The rank correlation with the percentiles of resamples of whole groups."""
    if len(first) < _FEWEST:
        raise Undefined(f"{len(first)} rows have no correlation")
    correlate = measure("spearman", first.tolist(), [second.tolist()])
    count = int(groups.max()) + 1
    drawn = random.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)[:, groups]
    found = correlate(drawn.astype(np.float32))[:, 0]
    low, high = np.quantile(found[~np.isnan(found)], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {
        "value": float(correlate(np.ones((1, len(first)), np.float32))[0, 0]),
        "low": float(low),
        "high": float(high),
    }
