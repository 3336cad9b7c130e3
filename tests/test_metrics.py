"""Metrics: worked by hand, equal to scikit-learn and scipy on random input, and what they refuse."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from japagen import metrics as ours
from japagen.metrics import NO_ANSWER, LabelScore, Undefined

LABELS = ("a", "b", "c")
answers = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
numbers = st.lists(st.tuples(*[st.floats(-1e6, 1e6).map(lambda x: round(x, 3))] * 2), min_size=3, max_size=30)
relaxed = settings(deadline=None, max_examples=60)

# Rows gold: a 3 of 4 found, b 1 of 2, c 0 of 1; predicted: a 4, b 2, c 1.
HAND = np.array([[3, 1, 0], [0, 1, 1], [1, 0, 0]])


def test_confusion_by_hand() -> None:
    counts = ours.confusion(list("aaaabbc"), list("aaabbca"), LABELS)
    np.testing.assert_array_equal(counts, HAND)
    assert counts.dtype == np.int64


def test_by_hand() -> None:
    assert ours.accuracy(HAND) == pytest.approx(4 / 7)
    # F1: a 6/8, b 2/4, c 0/2.
    assert ours.macro_f1(HAND) == pytest.approx((0.75 + 0.5 + 0) / 3)
    # 4·7 - (4·4 + 2·2 + 1·1) = 7; 49 - (16 + 4 + 1) = 28 on both sides.
    assert ours.mcc(HAND) == pytest.approx(7 / 28)
    np.testing.assert_allclose(ours.precision(HAND), [3 / 4, 1 / 2, 0])
    np.testing.assert_allclose(ours.recall(HAND), [3 / 4, 1 / 2, 0])


def test_no_answer_is_wrong_and_no_label() -> None:
    # HAND with one a and one b more that got no answer.
    counts = ours.confusion(list("aaaabbcab"), [*"aaabbca", "", ""], LABELS)
    np.testing.assert_array_equal(counts, np.hstack([HAND, [[1], [1], [0]]]))
    assert ours.accuracy(counts) == pytest.approx(4 / 9)
    # F1: a 6/9, b 2/5, c 0/2: a mean over three labels, though there are four columns.
    assert ours.macro_f1(counts) == pytest.approx((6 / 9 + 2 / 5 + 0) / 3)
    # As scikit-learn has it, for which no answer is one more label.
    assert ours.mcc(counts) == pytest.approx(theirs.matthews_corrcoef(list("aaaabbcab"), [*"aaabbca", "", ""]))
    np.testing.assert_allclose(ours.precision(counts), [3 / 4, 1 / 2, 0])
    np.testing.assert_allclose(ours.recall(counts), [3 / 5, 1 / 3, 0])
    assert ours.per_label(counts, LABELS)[0] == LabelScore("a", 5, 4, 3 / 4, 3 / 5, 6 / 9)
    silent = ours.confusion(["a", "b"], ["", ""], LABELS)
    assert (ours.accuracy(silent), ours.macro_f1(silent), ours.mcc(silent)) == (0, 0, 0)


def test_per_label_says_what_is_undefined() -> None:
    counts = np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]])
    assert ours.per_label(counts, LABELS) == [
        LabelScore("a", 2, 3, 2 / 3, 1.0, 0.8),
        LabelScore("b", 1, 0, None, 0.0, 0.0),
        LabelScore("c", 0, 0, None, None, None),
    ]


def test_macro_f1_leaves_out_labels_that_are_nowhere() -> None:
    assert ours.macro_f1([[2, 0, 0], [0, 2, 0], [0, 0, 0]]) == 1.0
    assert ours.macro_f1([[2, 0, 0], [2, 0, 0], [0, 0, 0]]) == pytest.approx((4 / 6) / 2)


def test_mcc_of_constants_is_zero() -> None:
    assert ours.mcc([[3, 0], [2, 0]]) == 0.0
    assert ours.mcc([[3, 2], [0, 0]]) == 0.0


@relaxed
@given(answers)
def test_same_as_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    gold, said = [g for g, _ in pairs], [p for _, p in pairs]
    counts = ours.confusion(gold, said, LABELS)
    np.testing.assert_array_equal(counts, theirs.confusion_matrix(gold, said, labels=LABELS))
    assert ours.accuracy(counts) == pytest.approx(theirs.accuracy_score(gold, said))
    assert ours.macro_f1(counts) == pytest.approx(theirs.f1_score(gold, said, average="macro", zero_division=0))
    assert ours.mcc(counts) == pytest.approx(matthews(gold, said), abs=1e-12)
    for score in ours.per_label(counts, LABELS):
        p, r, f, _ = theirs.precision_recall_fscore_support(gold, said, labels=[score.label], zero_division=np.nan)
        for mine, other in zip((score.precision, score.recall, score.f1), (p[0], r[0], f[0]), strict=True):
            assert np.isnan(other) if mine is None else mine == pytest.approx(other)


def matthews(gold: list[str], said: list[str]) -> float:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "A single label was found")
        return float(theirs.matthews_corrcoef(gold, said))


def few(values: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    """One or two, so that constant sides, labels that are nowhere and runs without any answer are drawn often."""
    return st.sets(st.sampled_from(values), min_size=1, max_size=2).map(sorted)


degenerate = st.tuples(few(LABELS), few((*LABELS, NO_ANSWER))).flatmap(
    lambda sides: st.lists(st.tuples(*map(st.sampled_from, sides)), min_size=1)
)


@relaxed
@given(degenerate)
def test_same_as_scikit_learn_where_sides_are_constant_and_answers_missing(pairs: list[tuple[str, str]]) -> None:
    gold, said = [g for g, _ in pairs], [p for _, p in pairs]
    counts = ours.confusion(gold, said, LABELS)
    whole = theirs.confusion_matrix(gold, said, labels=[*LABELS, NO_ANSWER])
    np.testing.assert_array_equal(counts, whole[:3, : counts.shape[1]])
    assert ours.accuracy(counts) == pytest.approx(theirs.accuracy_score(gold, said))
    assert ours.mcc(counts) == pytest.approx(matthews(gold, said), abs=1e-12)
    present = sorted({*gold, *said} - {NO_ANSWER})
    macro = theirs.f1_score(gold, said, labels=present, average="macro", zero_division=0)
    assert ours.macro_f1(counts) == pytest.approx(macro)


@relaxed
@given(degenerate)
def test_precision_and_recall_same_as_scikit_learn_or_refused(pairs: list[tuple[str, str]]) -> None:
    gold, said = [g for g, _ in pairs], [p for _, p in pairs]
    counts = ours.confusion(gold, said, LABELS)
    p, r, f, support = theirs.precision_recall_fscore_support(gold, said, labels=LABELS, zero_division=np.nan)
    for function, other in ((ours.precision, p), (ours.recall, r)):
        if np.isnan(other).any():
            with pytest.raises(Undefined):
                function(counts)
        else:
            np.testing.assert_allclose(function(counts), other)
    found = ours.per_label(counts, LABELS)
    assert [(s.gold, s.predicted) for s in found] == [(n, said.count(x)) for n, x in zip(support, LABELS, strict=True)]
    for values, other in zip(zip(*((s.precision, s.recall, s.f1) for s in found), strict=True), (p, r, f), strict=True):
        np.testing.assert_allclose([np.nan if v is None else v for v in values], other)


@relaxed
@given(st.lists(answers, min_size=1, max_size=6))
def test_leading_axes_are_computed_one_by_one(sets: list[list[tuple[str, str]]]) -> None:
    single = [ours.confusion([g for g, _ in pairs], [p for _, p in pairs], LABELS) for pairs in sets]
    stacked = np.stack(single)[:, None]
    for metric in ours.METRICS.values():
        assert metric(stacked).shape == (len(sets), 1)
        np.testing.assert_array_equal(metric(stacked)[:, 0], [metric(c) for c in single])


@relaxed
@given(numbers)
def test_correlations_same_as_scipy(pairs: list[tuple[float, float]]) -> None:
    x, y = np.array(pairs).T
    assume(np.ptp(x) > 1e-3)
    assume(np.ptp(y) > 1e-3)
    assert ours.pearson(x, y) == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=1e-9)
    assert ours.spearman(x, y) == pytest.approx(scipy.stats.spearmanr(x, y).statistic, abs=1e-9)


@relaxed
@given(st.lists(st.tuples(*[st.integers(0, 2)] * 2), max_size=8))
def test_correlations_of_ties_same_as_scipy_or_refused(pairs: list[tuple[int, int]]) -> None:
    x, y = [a for a, _ in pairs], [b for _, b in pairs]
    for mine, other in ((ours.pearson, scipy.stats.pearsonr), (ours.spearman, scipy.stats.spearmanr)):
        if len(set(x)) < 2 or len(set(y)) < 2:
            with pytest.raises(Undefined):
                mine(x, y)
        else:
            assert mine(x, y) == pytest.approx(other(x, y).statistic, abs=1e-9)


def test_correlations_by_hand() -> None:
    assert ours.pearson([1, 2, 3], [1, 3, 2]) == pytest.approx(0.5)
    assert ours.spearman([1, 2, 3, 4], [1, 10, 100, 50]) == pytest.approx(0.8)
    # Ranks 1.5, 1.5, 3 against 1, 2, 3.
    assert ours.spearman([5, 5, 7], [1, 2, 3]) == pytest.approx(np.sqrt(3) / 2)
    assert ours.spearman([1, 2, 3], [1e-300, 2e300, 1e308]) == 1.0


def test_ece_by_hand() -> None:
    # (0, .5]: two rows at .4, one right: |1 - .8| = .2; (.5, 1]: .8 and .9, both right: |2 - 1.7| = .3; over 4 rows.
    assert ours.ece([0.4, 0.4, 0.8, 0.9], [True, False, True, True], bins=2) == pytest.approx(0.5 / 4)
    assert ours.ece([0.5, 0.5], [True, False], bins=10) == 0.0
    assert ours.ece([0.0, 1.0], [False, True]) == 0.0
    # .5 belongs to the lower of two bins: the doubt of .5 and the trust of .9 do not make up for one another.
    assert ours.ece([0.5, 0.9], [True, False], bins=2) == pytest.approx((0.5 + 0.9) / 2)


@relaxed
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_ece_is_a_share(rows: list[tuple[float, bool]]) -> None:
    p, hit = [p for p, _ in rows], [h for _, h in rows]
    gap = abs(np.mean(hit) - np.mean(p))
    assert gap - 1e-9 <= ours.ece(p, hit) <= 1
    assert ours.ece(p, hit, bins=1) == pytest.approx(gap)


def test_reliability_by_hand() -> None:
    # .2 lies on an edge and belongs to the bin below; 0 to the first; no row is within (.4, .6] and (.6, .8].
    found = ours.reliability([0.0, 0.1, 0.2, 0.3, 0.9, 1.0], [False, True, True, False, True, True], bins=5)
    assert [(one.low, one.high, one.n) for one in found] == [(0.0, 0.2, 3), (0.2, 0.4, 1), (0.8, 1.0, 2)]
    assert [one.confidence for one in found] == pytest.approx([0.1, 0.3, 0.95])
    assert [one.accuracy for one in found] == pytest.approx([2 / 3, 0.0, 1.0])
    # .07 * 100 is a little more than 7 in floating point, and still within (.06, .07].
    assert [(one.low, one.high) for one in ours.reliability([0.07], [True], bins=100)] == [(0.06, 0.07)]


confident = st.one_of(st.floats(0, 1), st.integers(0, 20).map(lambda k: k / 20), st.sampled_from([0.0, 1.0]))


@relaxed
@given(st.lists(st.tuples(confident, st.booleans()), min_size=1), st.integers(1, 20))
def test_calibration_is_what_its_definition_says(rows: list[tuple[float, bool]], bins: int) -> None:
    expected: list[object] = []
    gap = 0.0
    for k in range(1, bins + 1):
        low, high = (k - 1) / bins, k / bins
        inside = [(p, hit) for p, hit in rows if low < p <= high or (k == 1 and p == 0)]
        if inside:
            confidence, accuracy = sum(p for p, _ in inside) / len(inside), sum(h for _, h in inside) / len(inside)
            expected.append((low, high, len(inside), pytest.approx(confidence), pytest.approx(accuracy)))
            gap += len(inside) / len(rows) * abs(accuracy - confidence)
    p, hit = [p for p, _ in rows], [h for _, h in rows]
    found: list[object] = [tuple(one) for one in ours.reliability(p, hit, bins=bins)]
    assert found == expected
    assert ours.ece(p, hit, bins=bins) == pytest.approx(gap, abs=1e-12)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: ours.confusion([], [], LABELS), "0 gold labels and 0 predictions"),
        (lambda: ours.confusion(["a"], ["a", "b"], LABELS), "1 gold labels and 2 predictions"),
        (lambda: ours.confusion(["a"], ["x"], LABELS), "unknown label 'x'; known: a, b, c"),
        (lambda: ours.confusion(["x"], ["a"], LABELS), "unknown label 'x'"),
        (lambda: ours.confusion(["", "a"], ["a", ""], LABELS), "unknown label ''"),
        (lambda: ours.confusion(["a"], ["a"], ["a", "a"]), "not distinct"),
        (lambda: ours.accuracy(np.zeros((2, 2))), "without rows"),
        (lambda: ours.macro_f1([[[1, 0], [0, 1]], [[0, 0], [0, 0]]]), "without rows"),
        (lambda: ours.mcc(np.zeros((0, 2, 2))), "without rows"),
        (lambda: ours.accuracy([1, 2]), "no confusion matrix"),
        (lambda: ours.accuracy([[1, 2, 3]]), "no confusion matrix"),
        (lambda: ours.accuracy([[1], [2]]), "no confusion matrix"),
        (lambda: ours.precision([[1, 0], [1, 0]]), "precision of a label that is not predicted"),
        (lambda: ours.recall([[1, 1], [0, 0]]), "recall of a label that is not in gold"),
        (lambda: ours.spearman([1, 1, 1], [1, 2, 3]), "with a constant"),
        (lambda: ours.pearson([1, 2, 3], [2, 2, 2]), "with a constant"),
        (lambda: ours.pearson([1], [2]), "two or more values"),
        (lambda: ours.pearson([], []), "two or more values"),
        (lambda: ours.spearman([1, 2], [1, 2, 3]), "two series"),
        (lambda: ours.spearman([1, np.nan], [1, 2]), "not finite"),
        (lambda: ours.pearson([1, np.inf], [1, 2]), "not finite"),
        (lambda: ours.ece([], []), "one confidence per row"),
        (lambda: ours.ece([0.5], [True, False]), "one confidence per row"),
        (lambda: ours.ece([1.5], [True]), "outside"),
        (lambda: ours.ece([np.nan], [True]), "outside"),
        (lambda: ours.ece([0.5], [np.nan]), "neither right nor wrong"),
        (lambda: ours.ece([0.5], [True], bins=0), "in 0 bins"),
        (lambda: ours.reliability([], []), "one confidence per row"),
        (lambda: ours.reliability([0.5], [True, False]), "one confidence per row"),
        (lambda: ours.reliability([[0.5]], [[True]]), "one confidence per row"),
        (lambda: ours.reliability([-0.1], [True]), "outside"),
        (lambda: ours.reliability([0.5], [0.5]), "neither right nor wrong"),
    ],
)
def test_refusals(call: Callable[[], object], words: str) -> None:
    with pytest.raises(Undefined, match=words):
        call()
