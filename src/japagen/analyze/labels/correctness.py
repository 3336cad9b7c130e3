"""How many of the synthetic labels are right, as gold rows tell: students that learnt from gold are asked, and their own
errors are reckoned out.

The students of a cross-validation over gold rows (folds keep groups together) score the rows held out, which shows what
their scores are worth (a logistic calibration), and the synthetic rows. Agreement itself is too low by their errors: .7 for
labels that are all right, where students are right in .7. Instead, for the rows of each given label those shares of true
labels are sought under which the scores are the likeliest (expectation maximisation, Saerens et al. 2002, on calibrated
scores, Alexandari et al. 2020). It is the inversion of the students' confusion matrix, C in N = J C with N[given, said] and
J[given, true], but by all of a score instead of the label said, and never below 0; with few gold rows the matrix is nearly
singular, and plain inversion is off by tenths (`benchmarks/quality/correctness.py` shows both).

It is assumed that of rows with the same true label those labelled wrongly look like the others. It is not so where labels
are wrong because a text is hard, or says what a student would say: there the correction finds far too many right. And it
cannot know whether synthetic texts are easier for students than gold ones.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from japagen.groups import split_groups
from japagen.metrics import Undefined, codes
from japagen.records import Example, Prediction
from japagen.streams import stream, stream_seed
from japagen.student import Student
from japagen.student.decision.crossvalidation import folds

Floats = NDArray[np.float64]
Codes = NDArray[np.intp]

FOLDS = 10
"""Many, so that students learn from eight tenths of the rows: the less they know, the wider the interval."""
RESAMPLES = 200
LEVEL = 0.95
MOST_ROWS = 5000
"""Synthetic rows that are asked about; of more, so many are drawn."""
_LEAST_GAIN = 0.05  # of the mean recall over guessing, below which the students know too little
_STEPS, _STILL = 300, 1e-5  # of the expectation maximisation: at most, and until the shares move less
_SMALL = 1e-6  # scores and shares below it


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What students that learnt from gold rows say.

    Attributes:
        gold: true label of each gold row, as a position, shape (m,).
        groups: of the gold rows, as numbers, shape (m,).
        of_gold: scores of each gold row, by the student that has not seen its group, shape (m, labels).
        of_rows: scores of each synthetic row by each student, shape (students, n, labels).
    """

    gold: Codes
    groups: Codes
    of_gold: Floats
    of_rows: Floats


@dataclass(frozen=True, slots=True)
class Share:
    """A share of right labels: as the students agree, corrected, and the 95 % interval of the latter."""

    raw: float
    corrected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Correctness:
    """Correctness of the labels of synthetic rows.

    Attributes:
        overall: of all rows.
        by_label: of the rows of each given label.
        student_accuracy: of the students on gold rows that they have not seen.
        signature: how it was made.
    """

    overall: Share
    by_label: dict[str, Share]
    student_accuracy: float
    signature: str


def correctness(
    rows: Sequence[Example],
    gold: Sequence[Example],
    labels: Sequence[str],
    *,
    student: Student,
    name: str,
    seed: int,
    resamples: int = RESAMPLES,
) -> Correctness:
    """The share of right labels among synthetic rows.

    Args:
        rows: synthetic ones.
        gold: human-labelled ones; rows of one image, or with a text in common, are kept together.
        labels: all there are.
        student: learns from gold.
        name: of the student, for the signature.
        seed: of folds, students, the rows drawn and the resamples.
        resamples: of groups of gold rows and of synthetic rows, for the interval.

    Raises:
        Undefined: it has no value: no rows, too few gold rows, or students that hardly tell the labels apart.
        DataError: a student cannot learn from a fold.
    """
    if not rows:
        raise Undefined("no synthetic rows")
    drawn = stream(seed, "correctness rows").sample(rows, MOST_ROWS) if len(rows) > MOST_ROWS else rows
    given = codes([row.label for row in drawn], labels)
    said = ask_students(drawn, gold, labels, student=student, seed=seed)
    return corrected(said, given, labels, name=name, seed=seed, resamples=resamples)


def ask_students(
    rows: Sequence[Example], gold: Sequence[Example], labels: Sequence[str], *, student: Student, seed: int
) -> Said:
    """What the students of a cross-validation over gold rows say of those held out, and of synthetic rows.

    Each chooses its settings on another fold than the one that is held out.

    Raises:
        Undefined: fewer than three groups of gold rows, a label with no gold rows, or a label that is unknown.
        DataError: a student cannot learn from a fold.
    """
    true = codes([row.label for row in gold], labels)
    if absent := set(range(len(labels))) - set(true.tolist()):
        raise Undefined(f"gold rows have no label '{labels[min(absent)]}'")
    groups = np.asarray(np.unique(split_groups(gold), return_inverse=True)[1], dtype=np.intp)
    drawn = stream_seed(seed, "correctness folds") % 2**32
    parts = [outside for _, outside in folds(true, groups, seed=drawn, count=FOLDS)]
    if len(parts) < 3:
        raise Undefined(f"{len(parts)} groups of gold rows; three are needed, to learn, to choose and to measure")
    of_gold = np.zeros((len(gold), len(labels)))
    of_rows = []
    for number, outside in enumerate(parts):
        chosen_on = parts[(number + 1) % len(parts)]
        learnt = np.setdiff1d(np.arange(len(gold)), np.concatenate([outside, chosen_on]))
        classifier = student.fit([gold[i] for i in learnt], [gold[i] for i in chosen_on], seed=seed)
        of_gold[outside] = _scores(classifier.predict([gold[i] for i in outside]), labels)
        of_rows.append(_scores(classifier.predict(rows), labels))
    return Said(true, groups, of_gold, np.array(of_rows))


def corrected(
    said: Said, given: Codes, labels: Sequence[str], *, name: str, seed: int, resamples: int = RESAMPLES
) -> Correctness:
    """The same from what the students say; `given` is each synthetic row's label as a position, shape (n,).

    Raises:
        Undefined: the students hardly tell the labels apart.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    right = said.of_gold.argmax(axis=1) == said.gold
    recall = float(np.mean([right[said.gold == label].mean() for label in range(len(labels))]))
    if recall < 1 / len(labels) + _LEAST_GAIN:
        raise Undefined(f"students on gold rows hardly tell the labels apart (mean recall {recall:.2f})")
    agreed = (said.of_rows.argmax(axis=2) == given).mean(axis=0)
    random = np.random.default_rng(stream_seed(seed, "correctness interval"))
    with threadpool_limits(limits=1):  # the order of summation must not depend on the machine's cores
        start = _Fit(None, {})
        value = _right(said, given, np.ones(len(said.gold)), np.ones(len(given)), start)
        found = [
            _right(said, given, *_resample(said.groups, len(given), random), start.copy()) for _ in range(resamples)
        ]
        drawn = np.array(found)
    present = np.unique(given).tolist()
    shares = {i: _share(float(agreed[given == i].mean()), float(value[i]), drawn[:, i]) for i in present}
    groups = len(np.unique(said.groups))
    return Correctness(
        _share(float(agreed.mean()), float(value[-1]), drawn[:, -1]),
        {labels[i]: share for i, share in shares.items()},
        float(right.mean()),
        f"label-correctness ({name} on {len(said.gold)} gold rows in {groups} groups, {len(given)} rows, EM on calibrated "
        f"scores, {resamples} resamples, seed {seed})",
    )


def _resample(groups: Codes, n: int, random: np.random.Generator) -> tuple[Floats, Floats]:
    """How often each gold row (whole groups) and each synthetic row is drawn, shapes (m,) and (n,)."""
    count = int(groups.max()) + 1
    of_group = random.multinomial(count, np.full(count, 1 / count)).astype(np.float64)
    return of_group[groups], random.multinomial(n, np.full(n, 1 / n)).astype(np.float64)


@dataclass(slots=True, eq=False)
class _Fit:
    """Where fitting begins: nowhere, or at what all rows gave, to which resamples are near.

    Attributes:
        calibration: coefficients and intercepts of the logistic regression.
        shares: of the true labels, by given label.
    """

    calibration: tuple[Floats, Floats] | None
    shares: dict[int, Floats]

    def copy(self) -> _Fit:
        return _Fit(self.calibration, dict(self.shares))


def _right(said: Said, given: Codes, gold_weights: Floats, weights: Floats, fit: _Fit) -> Floats:
    """Share of right labels within each given label, NaN where it has no rows, and overall in the last place.

    `fit` is where it begins, and holds afterwards what was found.
    """
    size = said.of_gold.shape[1]
    ratios = _likelihood_ratios(said, gold_weights, fit)
    found = np.full(size + 1, np.nan)
    for label in np.unique(given).tolist():
        mine = given == label
        if weights[mine].any():
            rows = ratios[:, mine].reshape(-1, size)
            fit.shares[label] = _shares(rows, np.tile(weights[mine], len(ratios)), fit.shares.get(label))
            found[label] = fit.shares[label][label]
    totals = np.bincount(given, weights=weights, minlength=size)
    found[size] = np.nansum(found[:size] * totals) / totals.sum()
    return found


def _likelihood_ratios(said: Said, weights: Floats, fit: _Fit) -> Floats:
    """How much likelier each row's scores are under each label than at large, shape (students, n, labels).

    By a logistic regression of the gold labels on the logarithms of the scores held out.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a resample whose labels a line parts
        model = LogisticRegression(solver="newton-cholesky", max_iter=300, warm_start=True)
        if fit.calibration is not None:
            model.coef_, model.intercept_ = (each.copy() for each in fit.calibration)
        model.fit(_logs(said.of_gold), said.gold, sample_weight=weights)
        fit.calibration = model.coef_, model.intercept_
        students, n, size = said.of_rows.shape
        chances = model.predict_proba(_logs(said.of_rows.reshape(-1, size)))
    prior = np.bincount(said.gold, weights=weights, minlength=size) / weights.sum()
    return np.asarray(chances / np.maximum(prior, _SMALL), dtype=np.float64).reshape(students, n, size)


def _shares(ratios: Floats, weights: Floats, start: Floats | None = None) -> Floats:
    """Shares of the true labels under which weighted rows are the likeliest, shape (labels,); `ratios` (rows, labels).

    There is one such point; a start near it only shortens the way. A share that has come to 0 would stay there.
    """
    size = ratios.shape[1]
    shares = np.full(size, 1 / size) if start is None else 0.98 * start + 0.02 / size
    for _ in range(_STEPS):
        following = shares * ((weights / np.maximum(ratios @ shares, 1e-300)) @ ratios) / weights.sum()
        if np.abs(following - shares).max() < _STILL:
            return np.asarray(following)
        shares = following
    return shares


def _logs(scores: Floats) -> Floats:
    return np.log(np.maximum(scores, _SMALL))


def _share(raw: float, value: float, drawn: Floats) -> Share:
    """With the basic bootstrap interval; a resample without a row of the label has no share.

    Shares near 1 come out too low, in a resample as in the data: the basic interval, twice the value minus the percentiles,
    takes that into account, where the percentiles themselves would miss a truth of 1.
    """
    tail = (1 - LEVEL) / 2
    low, high = 2 * value - np.quantile(drawn[~np.isnan(drawn)], [1 - tail, tail])
    low, high = min(low, value), max(high, value)  # far off the middle of its resamples it would lie outside
    return Share(*(min(1.0, max(0.0, float(number))) for number in (raw, value, low, high)))


def _scores(predictions: Sequence[Prediction], labels: Sequence[str]) -> Floats:
    return np.array([[p.scores.get(label, 0.0) for label in labels] for p in predictions]).reshape(-1, len(labels))
