"""Label noise: rows whose label a student doubts that has not seen them.

Every row is judged by a student that learnt from the other folds; rows that share a text (or an image) are in one fold, so
that nothing of a row is known to its judge. Confident learning (Northcutt et al. 2021, by cleanlab) then says which labels
are probably wrong: a row counts as another label if its score for that one is above what rows given it usually have, so
that labels of which the student is less sure are not doubted more for it. Nothing is dropped here: whether dropping helps
is tried on gold by `gate`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from japagen.errors import DataError, MissingExtra
from japagen.groups import split_groups
from japagen.progress import Listener, Progress, silent
from japagen.records import Example
from japagen.streams import stream_seed
from japagen.student import Student, Training, load_student
from japagen.student.decision import crossvalidation as cv
from japagen.student.linear import LinearStudent
from japagen.student.rows import codes_of, labels_of

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]
Fold = tuple[Codes, Codes]

FILTER = "both"
"""cleanlab's filter: what both of its prunings flag, by label and by pair of labels; of its filters the one that doubts the
fewest rows where no label is wrong (`benchmarks/quality/noise_filter.py`)."""
MOST = 0.5
"""Share of a label's rows that may be flagged."""
DEV_PARTS = 10
"""A tenth of what a student learns from is for the choice of its settings."""
SINGLE_C, PAIR_C = 1.0, 0.03
"""Inverse strength of regularisation of the linear judge, of texts and of pairs (same benchmark)."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a student that has not seen a row says of its label.

    Attributes:
        given: the row's label.
        predicted: the label that the student finds most probable.
        probability: of the given label.
        margin: that probability minus the highest of another label, in [-1, 1]; below 0 they disagree.
        flagged: whether the given label is probably wrong.
    """

    given: str
    predicted: str
    probability: float
    margin: float
    flagged: bool

    @property
    def columns(self) -> dict[str, float | str]:
        """As columns of a table of rows, to be read by name."""
        return {
            "label_probability": round(self.probability, 4),
            "label_margin": round(self.margin, 4),
            "label_predicted": self.predicted,
        }

    @property
    def detail(self) -> str:
        """For a reader, why the row is flagged."""
        return f"looks like '{self.predicted}'; probability of '{self.given}' {self.probability:.2f}"


@dataclass(frozen=True, slots=True)
class Noise:
    """Opinions of all rows.

    Attributes:
        labels: sorted.
        opinions: one for each row, in their order; empty where too few rows allow none.
        sentence: what was found, or why nothing was looked for.
    """

    labels: tuple[str, ...]
    opinions: tuple[Opinion, ...]
    sentence: str

    @property
    def flagged(self) -> list[int]:
        """Positions of the rows whose label is probably wrong."""
        return [place for place, opinion in enumerate(self.opinions) if opinion.flagged]

    @property
    def flagged_by_label(self) -> dict[str, int]:
        """How many, by the label given; every label is there."""
        counts = Counter(opinion.given for opinion in self.opinions if opinion.flagged)
        return {label: counts[label] for label in self.labels}

    @property
    def joint(self) -> list[list[int]]:
        """How many rows of each given label (lines) are predicted as each label (columns), in the order of `labels`."""
        counts = Counter((opinion.given, opinion.predicted) for opinion in self.opinions)
        return [[counts[given, predicted] for predicted in self.labels] for given in self.labels]


def judge(name: str, *, pair: bool, training: Training | None = None) -> Student:
    """The student of that name as a judge of labels.

    The student `linear` is held back by strong regularisation, the same for all rows: with the strength that it would
    choose on some noisy rows it learns much of the noise by heart, and finds less of it. Others are as they are.

    Args:
        name: of the student.
        pair: whether it judges pairs.
        training: what other students may want to know.

    Raises:
        ConfigError: no such student.
        MissingExtra: its dependencies are not installed.
    """
    if name == "linear":
        return LinearStudent((PAIR_C if pair else SINGLE_C,))
    return load_student(name, training)


def label_noise(
    examples: Sequence[Example],
    *,
    student: Student,
    folds: int = 5,
    seed: int,
    groups: Sequence[str] | None = None,
    most: float = MOST,
    on_progress: Listener = silent,
) -> Noise:
    """Find the rows whose label is probably wrong.

    Too few rows are no error: then there are no opinions, and `sentence` says why.

    Args:
        examples: rows with labels, of which some are wrong; weights are kept to in training.
        student: who judges, see `judge`.
        folds: how many; each is judged by a student of the others.
        seed: of folds and students.
        groups: of each row; a group is in one fold. None: rows that share a text or an image.
        most: share of a label's rows that may be flagged, below 1; of more, those of the lowest margin.
        on_progress: told after each fold.

    Raises:
        DataError: the rows have numbers (similarity).
        MissingExtra: cleanlab is not installed.
    """
    if not 0 < most < 1:
        raise ValueError(f"most is a share above 0 and below 1, not {most}")
    issues = _cleanlab()
    _refuse_numbers(examples)
    groups = split_groups(examples) if groups is None else groups
    labels = tuple(sorted({example.label for example in examples}))
    if reason := too_few(examples, folds=folds, seed=seed, groups=groups):
        return Noise(labels, (), f"Label noise was not looked for: {reason}.")
    p = out_of_fold(examples, student=student, folds=folds, seed=seed, groups=groups, on_progress=on_progress)
    given, every = codes_of(examples, labels), np.arange(len(examples))
    others = p.copy()
    others[every, given] = -np.inf
    margin = p[every, given] - others.max(axis=1)
    flagged = _at_most(issues(given, p), given, margin, most)
    opinions = tuple(
        Opinion(labels[g], labels[best], float(p[i, g]), float(margin[i]), bool(flagged[i]))
        for i, (g, best) in enumerate(zip(given, p.argmax(axis=1), strict=True))
    )
    return Noise(labels, opinions, _sentence(labels, given, flagged))


def out_of_fold(
    examples: Sequence[Example],
    *,
    student: Student,
    folds: int = 5,
    seed: int,
    groups: Sequence[str] | None = None,
    on_progress: Listener = silent,
) -> Floats:
    """Scores of each row by a student that learnt from the other folds, shape (n, labels), each row summing to 1.

    Columns are the labels, sorted. Settings are chosen on a tenth of what is learnt from, likewise apart by groups.

    Args:
        examples: n rows.
        student: who learns and judges, see `judge`.
        folds: how many, 2 or more.
        seed: of folds and students.
        groups: of each row; a group is in one fold. None: rows that share a text or an image.
        on_progress: told after each fold.

    Raises:
        DataError: there are too few rows, or the rows have numbers (similarity).
    """
    _refuse_numbers(examples)
    groups = split_groups(examples) if groups is None else groups
    if reason := too_few(examples, folds=folds, seed=seed, groups=groups):
        raise DataError(reason, where="curate.noise", remedy="generate more rows, or leave curate.noise out")
    labels = labels_of(examples)
    y, of_group = codes_of(examples, labels), cv.groups_of(groups, len(examples))
    scores = np.zeros((len(examples), len(labels)))
    for number, (inside, outside) in enumerate(_folds(y, of_group, folds, seed)):
        on_progress(Progress("curate", "label noise", number, folds))
        learnt, dev = _dev_apart(inside, y, of_group, seed)
        classifier = student.fit(
            [examples[i] for i in learnt],
            [examples[i] for i in dev],
            seed=stream_seed(seed, "noise", number) % 2**32,
        )
        said = classifier.predict([examples[i] for i in outside])
        scores[outside] = [[prediction.scores.get(label, 0.0) for label in labels] for prediction in said]
    on_progress(Progress("curate", "label noise", folds, folds))
    return np.asarray(scores / scores.sum(axis=1, keepdims=True))


def too_few(examples: Sequence[Example], *, folds: int, seed: int, groups: Sequence[str]) -> str | None:
    """Why the rows cannot be judged by folds, or None: each student must see every label.

    Args:
        examples: n rows.
        folds: how many, 2 or more.
        seed: of the folds.
        groups: of each row.
    """
    if folds < 2:
        raise ValueError(f"2 or more folds are needed, not {folds}")
    labels = sorted({example.label for example in examples})
    if len(labels) < 2:
        return f"{_count(len(examples), 'row')} of {_count(len(labels), 'label')} leave nothing to confuse"
    of_group = cv.groups_of(groups, len(examples))
    if len(set(groups)) < folds:
        return f"{_count(len(examples), 'row')} in {_count(len(set(groups)), 'group')} are too few for {folds} folds"
    y = codes_of(examples, labels)
    for inside, _ in _folds(y, of_group, folds, seed):
        absent = set(range(len(labels))) - set(y[inside].tolist())
        if absent:
            rare = min(absent)
            rows = f"the {_count(int((y == rare).sum()), 'row')} of label '{labels[rare]}'"
            return f"{rows} are too few for {folds} folds, or too many of them share their texts"
    return None


def _count(n: int, thing: str) -> str:
    return f"{n} {thing}{'' if n == 1 else 's'}"


def _folds(y: Codes, groups: Codes, folds: int, seed: int) -> list[Fold]:
    return list(cv.folds(y, groups, seed=stream_seed(seed, "noise folds"), count=folds))


def _dev_apart(inside: Codes, y: Codes, groups: Codes, seed: int) -> Fold:
    """A tenth of the rows apart from the others, by groups; none where a label would be lost to them."""
    rest, dev = next(cv.folds(y[inside], groups[inside], seed=stream_seed(seed, "noise dev"), count=DEV_PARTS))
    if set(y[inside[rest]].tolist()) < set(y[inside].tolist()):
        return inside, inside[:0]
    return inside[rest], inside[dev]


def _at_most(found: NDArray[np.bool_], given: Codes, margin: Floats, most: float) -> NDArray[np.bool_]:
    """Of what was found, for each label the rows of the lowest margin, no more than that share of the label's rows."""
    kept = np.zeros(len(given), dtype=np.bool_)
    for label in np.unique(given):
        places = np.flatnonzero(found & (given == label))
        doubtful = places[np.argsort(margin[places], kind="stable")]
        kept[doubtful[: int(most * (given == label).sum())]] = True
    return kept


def _sentence(labels: Sequence[str], given: Codes, flagged: NDArray[np.bool_]) -> str:
    total = int(flagged.sum())
    if not total:
        return f"No label of {len(given)} rows is doubted."
    by_label = np.bincount(given[flagged], minlength=len(labels))
    parts = ", ".join(f"{label} {n}" for label, n in zip(labels, by_label.tolist(), strict=True) if n)
    return f"The label of {total} of {len(given)} rows is doubted: {parts}."


def _refuse_numbers(examples: Sequence[Example]) -> None:
    for example in examples:
        if example.value is not None:
            raise DataError(
                "label noise cannot be looked for in a similarity task: its labels are steps of a number, and the next step "
                "is hardly wrong",
                where=example.id,
                remedy="leave curate.noise out",
            )


def _cleanlab() -> Callable[[Codes, Floats], NDArray[np.bool_]]:
    """From given labels, shape (n,), and out-of-fold scores, shape (n, labels), to which are probably wrong."""
    try:
        from cleanlab.filter import find_label_issues
    except ImportError as error:
        raise MissingExtra("cleanlab", "noise", needed_by="curate.noise") from error
    options: Mapping[str, Any] = {"filter_by": FILTER, "n_jobs": 1}
    return lambda given, scores: np.asarray(find_label_issues(given, scores, **options), dtype=np.bool_)
