"""The decision layer: each formula by hand, what must always hold, what it adopts and refuses, and its file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from japagen.errors import ModelError
from japagen.metrics import accuracy, macro_f1, mcc
from japagen.records import Example, Prediction
from japagen.student.decision import (
    Decided,
    Decision,
    Finding,
    Source,
    apply,
    fit_decision,
    numbers,
    read,
    scores_of,
    with_decision,
    write,
)
from japagen.student.decision import crossvalidation as cv
from japagen.student.decision.priors import correction, counted_prior, estimated_prior, shift_p_value, strength
from japagen.student.decision.temperature import fit_bias_corrected, fit_temperature, log_losses, log_scores
from japagen.student.decision.thresholds import fit_offsets
from japagen.student.linear import LinearClassifier, LinearStudent
from japagen.student.rows import softmax

TWO, THREE = ("no", "yes"), ("a", "b", "c")
EVEN = (1 / 3, 1 / 3, 1 / 3)


def some_scores(labels: int = 3) -> st.SearchStrategy[np.ndarray]:
    cells = st.floats(0, 1).filter(lambda x: x == 0 or x > 1e-9)
    found = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(labels)), elements=cells)
    return found.map(lambda x: (x + 1e-9) / (x + 1e-9).sum(axis=1, keepdims=True))


@dataclass
class World:
    """Texts of three labels as points in the plane; scores are exactly right for even label frequencies."""

    prior: Sequence[float]
    n: int
    seed: int = 0
    sharpness: float = 1.0
    distance: float = 1.6

    def draw(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        centres = self.distance * np.array([[1, 0], [-0.5, 0.9], [-0.5, -0.9]])
        codes = rng.choice(3, size=self.n, p=self.prior)
        points = centres[codes] + rng.normal(size=(self.n, 2))
        return softmax(self.sharpness * -((points[:, None] - centres) ** 2).sum(axis=2) / 2), codes


def learnt(scores: np.ndarray, gold: Any, labels: Sequence[str] = THREE, **changed: Any) -> Decision:
    told = {"metric": "accuracy", "kind": "single", "train_prior": [1 / len(labels)] * len(labels), "seed": 0} | changed
    names = [labels[c] for c in gold] if isinstance(gold, np.ndarray) and gold.dtype.kind == "i" else gold
    return fit_decision(scores, labels, names, **told)


def finding(decision: Decision, part: str) -> Finding:
    return next(f for f in decision.findings if f.part == part)


def confusion(gold: np.ndarray, codes: np.ndarray, labels: int = 3) -> np.ndarray:
    return np.bincount(gold * labels + codes, minlength=labels**2).reshape(labels, labels)


# Formulas by hand


def test_prior_correction_multiplies_scores() -> None:
    shift = correction(np.array([0.8, 0.2]), np.array([0.5, 0.5]))
    np.testing.assert_allclose(shift, [np.log(2), -np.log(2)])  # log 1.6 and log 0.4, less their mean
    decision = replace(Decision.none(TWO, "accuracy"), prior=tuple(shift))
    scores, codes = apply(decision, np.array([[0.4, 0.6], [0.1, 0.9]]))
    np.testing.assert_allclose(scores, [[1.6 / 2.2, 0.6 / 2.2], [0.4 / 1.3, 0.9 / 1.3]])
    assert codes.tolist() == [0, 1]


def test_temperature_takes_roots() -> None:
    decision = replace(Decision.none(TWO, "accuracy"), temperature=2.0)
    np.testing.assert_allclose(apply(decision, np.array([[0.9, 0.1]]))[0], [[0.75, 0.25]])  # 3 to 1


def test_prior_comes_before_temperature() -> None:
    decision = replace(Decision.none(TWO, "accuracy"), prior=(0.0, np.log(9)), temperature=2.0)
    np.testing.assert_allclose(apply(decision, np.array([[0.5, 0.5]]))[0], [[0.25, 0.75]])


def test_offsets_move_labels_and_not_scores() -> None:
    decision = replace(Decision.none(TWO, "mcc"), offsets=(0.0, np.log(3)))
    assert decision.threshold == pytest.approx(0.25)
    given_scores = np.array([[0.76, 0.24], [0.74, 0.26]])
    scores, codes = apply(decision, given_scores)
    np.testing.assert_array_equal(scores, given_scores)
    assert codes.tolist() == [0, 1]
    assert Decision.none(THREE, "mcc").threshold is None


def test_expectation() -> None:
    decision = Decision.none(("0", "1", "5"), "spearman", values=(0, 1, 5))
    scores = np.array([[0.5, 0.1, 0.4], [0.9, 0.0, 0.1]])
    decided, codes = apply(decision, scores)
    assert codes.tolist() == [1, 0]  # 2.1 is nearer to 1, and .5 as near to 0 as to 1: the first
    np.testing.assert_allclose(numbers(decision, decided, codes), [2.1, 0.5])
    most_probable = replace(decision, expectation=False)
    decided, codes = apply(most_probable, scores)
    assert codes.tolist() == [0, 0]
    np.testing.assert_array_equal(numbers(most_probable, decided, codes), [0, 0])
    assert numbers(Decision.none(TWO, "mcc"), scores, codes) is None


def test_counted_prior_adds_one_row_per_label() -> None:
    np.testing.assert_allclose(counted_prior(np.array([0, 0, 0, 1]), np.array([0.5, 0.5])), [4 / 6, 2 / 6])
    np.testing.assert_allclose(counted_prior(np.array([0, 0]), np.array([0.25, 0.75])), [2.5 / 4, 1.5 / 4])


def test_g_test_of_a_shift() -> None:
    gold, even = np.array([0] * 8 + [1] * 2), np.array([0.5, 0.5])
    # G = 2 * (8 ln 1.6 + 2 ln 0.4) = 3.855; the 5 % point with one degree of freedom is 3.841.
    assert shift_p_value(gold, even, groups=10) == pytest.approx(0.0496, abs=2e-4)
    assert shift_p_value(gold, even, groups=5) == pytest.approx(0.165, abs=1e-3)  # G is half
    assert shift_p_value(np.array([0, 1]), even, groups=2) == 1
    assert shift_p_value(np.zeros(30, np.intp), even, groups=30) < 1e-9  # a label that never came


def test_em_where_it_has_a_closed_form() -> None:
    # Rows say .8 or .2: the share of .8 is .2 + .6 prior, so that .65 of them mean a prior of .75.
    scores = np.array([[0.8, 0.2]] * 65 + [[0.2, 0.8]] * 35)
    estimate = estimated_prior(scores, np.array([0.5, 0.5]))
    np.testing.assert_allclose(estimate.prior, [0.75, 0.25], atol=1e-4)
    np.testing.assert_allclose(estimate.error, np.sqrt(0.65 * 0.35 / 100) / 0.6, rtol=1e-3)
    # Trained with .2 and .8, a score of .5 says that the text is four times as likely for the first label.
    estimate = estimated_prior(np.array([[0.5, 0.5]] * 65 + [[1 / 17, 16 / 17]] * 35), np.array([0.2, 0.8]))
    np.testing.assert_allclose(estimate.prior, [0.75, 0.25], atol=1e-3)


def test_em_of_scores_that_say_nothing() -> None:
    estimate = estimated_prior(np.full((50, 3), 1 / 3), np.array(EVEN))
    np.testing.assert_allclose(estimate.prior, EVEN)
    assert np.isinf(estimate.error).all()


def test_strength() -> None:
    assert strength(np.eye(2)[[0, 1, 0, 1]]) == pytest.approx(1)
    assert strength(np.full((5, 2), 0.5)) == pytest.approx(0)
    assert strength(np.array([[1.0, 0.0]] * 3)) == 0
    # Entropy of (.9, .1) is .469 bits, that of the mean 1 bit.
    assert strength(np.array([[0.9, 0.1], [0.1, 0.9]])) == pytest.approx(1 - 0.469, abs=1e-3)


def test_temperature_of_scores_that_are_too_sure() -> None:
    # .9 and right in .75: odds of 9 become 3, by T = 2.
    scores, gold = np.tile([0.9, 0.1], (4000, 1)), np.array([0, 0, 0, 1] * 1000)
    assert fit_temperature(scores, gold) == pytest.approx(2.0, rel=0.01)
    assert fit_temperature(np.tile([0.75, 0.25], (4000, 1)), gold) == pytest.approx(1.0, rel=0.01)


def test_temperature_of_few_rows_stays_moderate() -> None:
    scores = np.array([[0.6, 0.4]] * 5)
    assert 0.2 < fit_temperature(scores, np.zeros(5, np.intp)) < 0.6
    np.testing.assert_allclose(log_losses(scores, np.array([0, 1, 0, 0, 0])), -np.log([0.6, 0.4, 0.6, 0.6, 0.6]))
    assert np.isfinite(log_losses(np.array([[1.0, 0.0]]), np.array([1]))).all()


def test_bias_corrected_temperature() -> None:
    scores, gold = World(EVEN, 5000).draw()
    wrong = softmax(2.0 * (log_scores(scores) - np.array([0.5, 0.0, -0.5])))
    temperature, bias = fit_bias_corrected(wrong, gold)
    assert temperature == pytest.approx(2.0, abs=0.15)
    np.testing.assert_allclose(bias - bias.mean(), [0.5, 0.0, -0.5], atol=0.15)


def test_threshold_lies_half_way() -> None:
    yes = np.array([0.1, 0.2, 0.3, 0.4])
    z = np.log(np.stack([1 - yes, yes], axis=1))
    gold = np.array([0, 0, 1, 1])
    offsets = fit_offsets(z, np.eye(2)[gold], "mcc")
    needed = np.log(0.8 / 0.2), np.log(0.7 / 0.3)
    np.testing.assert_allclose(offsets, [0, sum(needed) / 2])
    assert mcc(confusion(gold, (z + offsets).argmax(axis=1), 2)) == 1


def test_threshold_by_what_is_expected() -> None:
    # Rows are .9, .8 and .3 of the second label. Expected right, wrong and missed are 1.7, .3, .3 with two called so,
    # 2, 1, 0 with all: F1 .85 and .8; of the first label (1 - .3) and 0.
    yes = np.array([0.9, 0.8, 0.3])
    z = np.log(np.array([[0.4, 0.6], [0.6, 0.4], [0.7, 0.3]]))
    offsets = fit_offsets(z, np.stack([1 - yes, yes], axis=1), "macro_f1")
    assert (z + offsets).argmax(axis=1).tolist() == [1, 1, 0]


def test_offsets_of_three_labels() -> None:
    z = np.log(np.array([[0.6, 0.3, 0.1], [0.6, 0.2, 0.2], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]]))
    gold = np.array([0, 0, 1, 2])
    offsets = fit_offsets(z, np.eye(3)[gold], "macro_f1")
    assert offsets[0] == 0
    assert macro_f1(confusion(gold, (z + offsets).argmax(axis=1))) == 1


def test_folds_keep_groups_and_spread_labels() -> None:
    groups = cv.groups_of([f"image{n // 3}" for n in range(90)], 90)
    gold = np.array([n // 3 % 3 for n in range(90)])
    seen = []
    for inside, outside in cv.folds(gold, groups, seed=1):
        assert not set(groups[inside]) & set(groups[outside])
        assert sorted([*inside, *outside]) == list(range(90))
        assert np.bincount(gold[outside], minlength=3).tolist() == [3, 3, 3]
        seen += outside.tolist()
    assert sorted(seen) == list(range(90))
    weights = cv.resamples(groups, seed=0)
    assert (weights.sum(axis=1) == 90).all()
    assert (weights[:, ::3] == weights[:, 1::3]).all()  # a group is drawn whole


# What must always hold


@given(some_scores(), st.floats(0.05, 20))
def test_temperature_keeps_the_label(scores: np.ndarray, temperature: float) -> None:
    decided, codes = apply(replace(Decision.none(THREE, "accuracy"), temperature=temperature), scores)
    rows = np.arange(len(scores))
    assert (decided[rows, scores.argmax(axis=1)] >= decided.max(axis=1) - 1e-12).all()
    assert (scores[rows, codes] >= scores.max(axis=1) * (1 - 1e-9)).all()


@given(some_scores(), st.tuples(*[st.floats(-9, 9)] * 7))
def test_scores_stay_a_distribution(scores: np.ndarray, drawn: tuple[float, ...]) -> None:
    decision = replace(
        Decision.none(THREE, "mcc"), prior=drawn[:3], offsets=drawn[3:6], temperature=float(np.exp(drawn[6] / 3))
    )
    decided, codes = apply(decision, scores)
    np.testing.assert_allclose(decided.sum(axis=1), 1)
    assert (decided >= 0).all()
    assert set(codes.tolist()) <= {0, 1, 2}


@given(some_scores(), st.lists(st.floats(0.01, 1), min_size=3, max_size=3))
def test_equal_priors_change_nothing(scores: np.ndarray, drawn: list[float]) -> None:
    prior = np.array(drawn) / sum(drawn)
    shift = correction(prior, prior)
    np.testing.assert_array_equal(shift, 0)
    decided, codes = apply(replace(Decision.none(THREE, "accuracy"), prior=tuple(shift)), scores)
    np.testing.assert_array_equal(decided, scores)
    np.testing.assert_array_equal(codes, scores.argmax(axis=1))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.floats(0.1, 1), min_size=3, max_size=3))
def test_em_recovers_a_planted_shift(seed: int, drawn: list[float]) -> None:
    prior = np.array(drawn) / sum(drawn)
    scores, codes = World(prior, 2000, seed).draw()
    estimate = estimated_prior(scores, np.array(EVEN))
    shares = np.bincount(codes, minlength=3) / len(codes)
    assert (np.abs(estimate.prior - shares) < 5 * estimate.error).all()
    assert estimate.prior.sum() == pytest.approx(1)


@settings(max_examples=50, deadline=None)
@given(some_scores(), st.data(), st.sampled_from(["mcc", "macro_f1"]))
def test_offsets_are_no_worse_where_they_were_fitted(scores: np.ndarray, data: st.DataObject, metric: str) -> None:
    gold = np.array(data.draw(st.lists(st.integers(0, 2), min_size=len(scores), max_size=len(scores))))
    z, measure = log_scores(scores), {"mcc": mcc, "macro_f1": macro_f1}[metric]
    after = (z + fit_offsets(z, np.eye(3)[gold], metric)).argmax(axis=1)
    assert measure(confusion(gold, after)) >= measure(confusion(gold, z.argmax(axis=1))) - 1e-9


# What is adopted, and what refused


def test_prior_is_corrected_where_labels_shifted() -> None:
    scores, gold = World((0.1, 0.15, 0.75), 60).draw()
    decision = learnt(scores, gold)
    assert finding(decision, "prior").adopted
    assert decision.prior[2] == max(decision.prior)
    test, codes = World((0.1, 0.15, 0.75), 4000, seed=1).draw()
    gain = accuracy(confusion(codes, apply(decision, test)[1])) - accuracy(confusion(codes, test.argmax(axis=1)))
    assert gain > 0.03
    assert decision.learnt_from == "60 gold rows"


def test_prior_stays_where_nothing_shifted() -> None:
    scores, gold = World(EVEN, 90).draw()
    decision = learnt(scores, gold)
    assert not finding(decision, "prior").adopted
    assert "G test, p = " in finding(decision, "prior").reason
    assert decision.prior == (0, 0, 0)


def test_rows_of_one_group_count_once() -> None:
    gold = np.array([0] * 18 + [1] * 6)
    scores = np.where(np.eye(2)[gold] == 1, 0.9, 0.1)
    assert finding(learnt(scores, gold, TWO), "prior").adopted
    images = [str(n // 3) for n in range(24)]
    assert "G test" in finding(learnt(scores, gold, TWO, groups=images), "prior").reason


def test_prior_is_refused_where_it_costs_accuracy() -> None:
    # Unsure and always right: odds of 4 to 1 would outvote what the rare label's scores say.
    gold = np.array([1] * 80 + [0] * 20)
    scores = np.where(np.eye(2)[gold] == 1, 0.55, 0.45)
    refused = finding(learnt(scores, gold, TWO), "prior")
    assert not refused.adopted
    assert refused.measure == "accuracy"
    assert "held-out accuracy gets worse by more than one standard error: 1.000 to 0.800" in refused.reason


def test_prior_is_refused_where_it_costs_log_loss() -> None:
    # Label frequencies shifted, but the scores know: they are right for the new ones already.
    scores, gold = World((0.1, 0.15, 0.75), 2000).draw()
    known = softmax(log_scores(scores) + np.log([0.1, 0.15, 0.75]))
    refused = finding(learnt(known, gold), "prior")
    assert not refused.adopted
    assert refused.measure == "log_loss"


def weak(n: int, seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two labels that tell a little; one in six rows has the first label. `shift` biases the log-odds."""
    rng = np.random.default_rng(seed)
    gold = (rng.random(n) < 5 / 6).astype(np.intp)
    odds = rng.normal(size=n) + np.where(gold == 1, 0.5, -0.5) + shift
    return softmax(np.stack([-odds / 2, odds / 2], axis=1)), gold


def test_prior_is_refused_for_mcc() -> None:
    scores, gold = weak(400)
    decision = learnt(scores, gold, TWO, metric="mcc")
    refused = finding(decision, "prior")
    assert (refused.adopted, refused.measure) == (False, "mcc")
    assert refused.after is not None
    assert refused.before is not None
    assert refused.after < refused.before  # what it would have done
    assert decision.prior == (0, 0)


def test_threshold_is_learnt_for_mcc() -> None:
    scores, gold = weak(400, shift=2.5)  # nearly all rows are called the second label
    decision = learnt(scores, gold, TWO, metric="mcc")
    assert finding(decision, "prior").adopted or finding(decision, "offsets").adopted
    assert decision.before is not None
    assert decision.after is not None
    assert decision.after > decision.before
    test, codes = weak(4000, seed=1, shift=2.5)
    plain, decided = test.argmax(axis=1), apply(decision, test)[1]
    assert mcc(confusion(codes, decided, 2)) > mcc(confusion(codes, plain, 2)) + 0.05
    assert decision.threshold is not None
    assert 0 < decision.threshold < 1


def test_threshold_is_refused_where_nothing_is_gained() -> None:
    gold = np.array([0, 1] * 30)
    scores = np.where(np.eye(2)[gold] == 1, 0.8, 0.2)
    refused = finding(learnt(scores, gold, TWO, metric="mcc"), "offsets")
    assert not refused.adopted
    assert "held-out mcc does not improve by more than one standard error: 1.000 to 1.000" in refused.reason


def test_threshold_needs_rows_of_every_label() -> None:
    gold = np.array([0] * 4 + [1] * 40)
    scores = np.where(np.eye(2)[gold] == 1, 0.8, 0.2)
    reason = finding(learnt(scores, gold, TWO, metric="macro_f1"), "offsets").reason
    assert reason == "needs 5 gold rows of every label, and 'no' has fewer"


def test_temperature_is_adopted_where_scores_are_too_sure() -> None:
    scores, gold = World(EVEN, 600, sharpness=3.0).draw()
    decision = learnt(scores, gold)
    assert finding(decision, "temperature").adopted
    assert decision.temperature == pytest.approx(3.0, rel=0.2)
    assert decision.ece_before is not None
    assert decision.ece_after is not None
    assert decision.ece_after < decision.ece_before - 0.03
    test = World(EVEN, 200, seed=1, sharpness=3.0).draw()[0]
    np.testing.assert_array_equal(apply(decision, test)[1], test.argmax(axis=1))


def test_temperature_is_refused_where_scores_are_right() -> None:
    scores, gold = World(EVEN, 600).draw()
    decision = learnt(scores, gold)
    assert not finding(decision, "temperature").adopted
    assert decision.temperature == 1
    assert (decision.before, decision.ece_before) == (decision.after, decision.ece_after)


def ordinal(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    value = rng.uniform(0, 5, n)
    return softmax(-((value[:, None] + rng.normal(size=(n, 1)) - np.arange(6)) ** 2) / 2), value


def test_expectation_is_used_for_similarity() -> None:
    scores, value = ordinal()
    told = {"metric": "spearman", "kind": "similarity", "values": range(6)}
    decision = learnt(scores, value.tolist(), tuple("012345"), **told)
    found = finding(decision, "expectation")
    assert found.adopted
    assert found.after is not None
    assert found.before is not None
    assert found.after > found.before
    assert decision.expectation


def test_expectation_is_refused_where_the_most_probable_label_is_better() -> None:
    kinds = np.array([[0.51, 0, 0, 0.49], [0.3, 0.4, 0.3, 0], [0.35, 0, 0.65, 0], [0.45, 0, 0, 0.55]])
    which = np.arange(40) % 4
    told = {"metric": "pearson", "kind": "similarity", "values": range(4)}
    decision = learnt(kinds[which], which.astype(float).tolist(), tuple("0123"), **told)
    assert not decision.expectation
    assert "gets worse by more than one standard error: 1.000 to 0." in finding(decision, "expectation").reason
    codes = apply(decision, kinds)[1]
    np.testing.assert_array_equal(codes, range(4))


def test_expectation_that_cannot_be_compared_is_used() -> None:
    scores = np.tile(EVEN, (30, 1))
    told = {"metric": "spearman", "kind": "similarity", "values": range(3)}
    decision = learnt(scores, [float(n % 3) for n in range(30)], tuple("012"), **told)
    assert decision.expectation
    assert finding(decision, "expectation").reason == "nothing can be compared: correlation with a constant"
    assert (decision.before, decision.after) == (None, None)


def test_without_evidence_everything_is_refused() -> None:
    scores, gold = World(EVEN, 60).draw()
    few = learnt(scores[:19], gold[:19])
    assert {f.reason for f in few.findings} == {"19 gold rows are too few, 20 are needed"}
    assert not any(f.adopted for f in few.findings)
    one = learnt(scores, np.zeros(60, np.intp))
    assert {f.reason for f in one.findings} == {"all 60 gold rows have the label 'a'"}
    told = {"metric": "spearman", "kind": "similarity", "values": range(3)}
    assert learnt(scores[:3], [0.0, 1.0, 2.0], **told).expectation
    assert learnt(scores[:3], None, **told).expectation


def test_em_corrects_a_shift_without_gold() -> None:
    held_out, source = World(EVEN, 300, seed=5, sharpness=2.0).draw()
    scores, gold = World((0.1, 0.15, 0.75), 1500, sharpness=2.0).draw()
    decision = learnt(scores, None, source=Source(held_out, source))
    assert finding(decision, "prior").adopted
    assert decision.learnt_from == "EM on 1500 unlabelled texts, calibrated on 300 rows held out from training"
    assert (decision.before, decision.ece_before) == (None, None)
    gain = accuracy(confusion(gold, apply(decision, scores)[1])) - accuracy(confusion(gold, scores.argmax(axis=1)))
    assert gain > 0.03
    right = (apply(decision, scores)[0].argmax(axis=1) == gold).mean()
    assert apply(decision, scores)[0].max(axis=1).mean() == pytest.approx(right, abs=0.04)


def test_em_is_refused() -> None:
    source = Source(*World(EVEN, 300, seed=5).draw())
    shifted = World((0.1, 0.15, 0.75), 1500).draw()[0]
    blurred, vague = (World(EVEN, 300, seed=5, distance=distance).draw() for distance in (0.2, 0.8))
    reasons = {
        "nothing shows that it would help mcc": learnt(shifted, None, metric="mcc", source=source),
        "0 rows held out from training are given of 50 needed": learnt(shifted, None),
        "EM needs 100 unlabelled texts, 99 are given": learnt(shifted[:99], None, source=source),
        "too weak for EM: its scores take away": learnt(
            World((0.1, 0.15, 0.75), 1500, distance=0.2).draw()[0], None, source=Source(*blurred)
        ),
        "too weak for EM: a prior has a standard error of 0.06": learnt(
            World((0.1, 0.15, 0.75), 150, distance=0.8).draw()[0], None, source=Source(*vague)
        ),
        "EM degenerates: a label's estimated prior collapses; estimated a 0.0": learnt(
            World((0.0, 0.3, 0.7), 1500).draw()[0], None, source=source
        ),
        "differ from the training set's by less than two standard errors": learnt(
            World(EVEN, 800, seed=9).draw()[0], None, source=source
        ),
    }
    for reason, decision in reasons.items():
        assert [(f.part, f.adopted) for f in decision.findings] == [("prior", False)], reason
        assert reason in decision.findings[0].reason
        assert (decision.prior, decision.temperature) == ((0, 0, 0), 1)


def test_same_seed_same_decision() -> None:
    scores, gold = World((0.1, 0.15, 0.75), 60, sharpness=2.0).draw()
    assert learnt(scores, gold) == learnt(scores, gold)
    assert learnt(scores, gold, seed=1).findings != learnt(scores, gold).findings


@pytest.mark.parametrize(
    "changed",
    [
        {"metric": "f1"},
        {"metric": "spearman"},
        {"kind": "similarity"},
        {"train_prior": [0.5, 0.5]},
        {"train_prior": [1.0, 0.0, 0.0]},
        {"groups": ["x"]},
        {"metric": "spearman", "kind": "similarity"},
    ],
)
def test_faults_of_the_caller(changed: dict[str, Any]) -> None:
    scores, gold = World(EVEN, 30).draw()
    with pytest.raises(ValueError, match="no decision|training prior|one entry|needs the number"):
        learnt(scores, gold, **changed)


def test_scores_of_another_shape() -> None:
    with pytest.raises(ValueError, match="for 3 labels"):
        apply(Decision.none(THREE, "mcc"), np.full((2, 2), 0.5))
    with pytest.raises(ValueError, match="no scores of 3 labels"):
        learnt(np.full((30, 3), np.nan), ["a"] * 30)


# A classifier that follows a decision, and its folder

ROWS = [
    Example(f"{label}{n}", f"{goods}は{word}です。", label)
    for n, goods in enumerate(["本", "茶", "傘", "椅子", "時計", "靴"])
    for label, word in (("bad", "悪い品"), ("good", "良い品"))
]
DECISION = replace(
    Decision.none(("good", "bad"), "mcc", learnt_from="50 gold rows"),
    offsets=(0.0, 30.0),
    temperature=2.0,
    before=0.25,
    ece_before=0.1,
    findings=(Finding("offsets", True, "理由", "mcc", 0.25, 0.5, 0.1),),
)


@pytest.fixture(scope="module")
def classifier() -> LinearClassifier:
    return LinearStudent().fit(ROWS, (), seed=0)


def test_decided_predictions(classifier: LinearClassifier) -> None:
    plain, decided = classifier.predict(ROWS), Decided(classifier, DECISION).predict(ROWS)
    assert {p.label for p in decided} == {"bad"}  # an offset of 30 outvotes all scores
    assert [p.id for p in decided] == [e.id for e in ROWS]
    for before, after in zip(plain, decided, strict=True):
        assert list(after.scores) == ["good", "bad"]
        assert sum(after.scores.values()) == pytest.approx(1)
        odds = before.scores["good"] / before.scores["bad"]
        assert after.scores["good"] / after.scores["bad"] == pytest.approx(odds**0.5)
    assert Decided(classifier, DECISION).predict([]) == []


def test_a_decision_that_changes_nothing(classifier: LinearClassifier) -> None:
    assert Decided(classifier, Decision.none(("bad", "good"), "accuracy")).predict(ROWS) == classifier.predict(ROWS)


def test_numbers_of_similarity(classifier: LinearClassifier) -> None:
    decided = Decided(classifier, Decision.none(("0", "1"), "spearman", values=(0, 1)))
    given_predictions = [Prediction("x", "1", {"0": 0.3, "1": 0.7}), Prediction("y", "0", {"1": 0.2, "0": 0.8})]
    assert [(p.value, p.label) for p in decided.decide(given_predictions)] == [(0.7, "1"), (0.2, "0")]
    regressed = [replace(given_predictions[0], value=0.123)]
    assert decided.decide(regressed) == regressed


def test_labels_that_do_not_fit(classifier: LinearClassifier) -> None:
    with pytest.raises(ModelError, match="is for the labels a, b, c, the classifier has bad, good"):
        Decided(classifier, Decision.none(THREE, "mcc")).predict(ROWS)
    assert scores_of([], THREE).shape == (0, 3)


def test_saved_and_read(classifier: LinearClassifier, tmp_path: Path) -> None:
    Decided(classifier, DECISION).save(tmp_path)
    found = with_decision(LinearClassifier.load(tmp_path), tmp_path)
    assert isinstance(found, Decided)
    assert found.decision == DECISION
    assert found.predict(ROWS) == Decided(classifier, DECISION).predict(ROWS)


def test_without_a_decision(classifier: LinearClassifier, tmp_path: Path) -> None:
    classifier.save(tmp_path)
    assert with_decision(classifier, tmp_path) is classifier
    write(DECISION, tmp_path)
    with pytest.raises(ModelError, match=r"decision\.json: is there, but classifier\.json knows nothing of it"):
        with_decision(classifier, tmp_path)


def test_decision_changed_or_missing(classifier: LinearClassifier, tmp_path: Path) -> None:
    Decided(classifier, DECISION).save(tmp_path)
    write(replace(DECISION, temperature=3.0), tmp_path)
    with pytest.raises(ModelError, match=r"decision\.json: the checksum differs"):
        with_decision(classifier, tmp_path)
    (tmp_path / "decision.json").unlink()
    with pytest.raises(ModelError, match=r"decision\.json: cannot be read"):
        with_decision(classifier, tmp_path)


def test_decision_of_another_classifier(classifier: LinearClassifier, tmp_path: Path) -> None:
    Decided(classifier, replace(DECISION, labels=("good", "fair"))).save(tmp_path)
    with pytest.raises(ModelError, match="is for the labels good, fair"):
        with_decision(classifier, tmp_path)


HOSTILE = [
    {"temperature": 0.0},
    {"temperature": -1.0},
    {"temperature": "2"},
    {"temperature": True},
    {"labels": ["good"]},
    {"labels": ["good", "good"]},
    {"labels": [1, 2]},
    {"prior": [0.0]},
    {"offsets": [0.0, None]},
    {"values": [1.0]},
    {"values": []},
    {"expectation": True},
    {"findings": [{"part": "magic", "adopted": True, "reason": ""}]},
    {"findings": [{"part": "prior", "adopted": True, "reason": "", "code": "x"}]},
    {"format": 2},
    {"surprise": 1},
]


@pytest.mark.parametrize("changed", HOSTILE, ids=json.dumps)
def test_hostile_values(changed: dict[str, Any], tmp_path: Path) -> None:
    told = json.loads(write(DECISION, tmp_path))
    assert read(tmp_path) == DECISION
    (tmp_path / "decision.json").write_text(json.dumps(told | changed), encoding="utf-8")
    with pytest.raises(ModelError, match=r"decision\.json: .+"):
        read(tmp_path)


@pytest.mark.parametrize("missing", ["labels", "temperature", "prior", "findings", "metric", "format"])
def test_missing_keys(missing: str, tmp_path: Path) -> None:
    told = json.loads(write(DECISION, tmp_path))
    del told[missing]
    (tmp_path / "decision.json").write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(ModelError, match=missing):
        read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"temperature": NaN}', b" " * 1_000_001, b'"\\ud800"'],
    ids=lambda content: repr(content[:10]),
)
def test_hostile_bytes(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "decision.json").write_bytes(content)
    with pytest.raises(ModelError, match=r"decision\.json: "):
        read(tmp_path)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_are_none(number: str, tmp_path: Path) -> None:
    text = write(DECISION, tmp_path).decode().replace('"temperature": 2.0', f'"temperature": {number}')
    assert number in text
    (tmp_path / "decision.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match="temperature"):
        read(tmp_path)


def test_applying_needs_neither_torch_nor_scikit_learn() -> None:
    program = (
        "import sys, numpy as np\nfrom japagen.student.decision import Decision, apply\n"
        "apply(Decision.none(('a', 'b'), 'mcc'), np.array([[.5, .5]]))\n"
        "print(*(m for m in ('torch', 'sklearn', 'scipy') if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_scores_next_to_each_other_stay_in_order() -> None:
    low, high = 0.34, np.nextafter(0.34, 1)
    assert np.log(low) == np.log(high)  # where logarithms see no difference
    scores = np.array([[1 - low - high, low, high]])
    assert apply(Decision.none(THREE, "accuracy"), scores)[1].tolist() == [2]
