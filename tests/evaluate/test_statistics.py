"""Intervals and tests: worked by hand, against plain resampling, against theory, and what they refuse."""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen import metrics
from japagen.errors import ConfigError
from japagen.evaluate import resampling
from japagen.evaluate.statistics import (
    bootstrap,
    difference,
    mcnemar_exact,
    smallest_detectable_difference,
)
from japagen.metrics import Undefined

AB = ("a", "b")
relaxed = settings(deadline=None, max_examples=25)


def answers(n: int, right: float, seed: int = 0) -> tuple[list[str], list[str]]:
    """Gold labels and predictions of which about that share is right."""
    rng = np.random.default_rng(seed)
    gold = rng.choice(list(AB), n)
    said = np.where(rng.random(n) < right, gold, np.where(gold == "a", "b", "a"))
    return gold.tolist(), said.tolist()


def test_two_items_by_hand() -> None:
    # One right, one wrong: a resample has 0, 1 or 2 right, with probability 1/4, 1/2, 1/4.
    score = bootstrap(["a", "b"], [["a", "a"]], AB, "accuracy", resamples=500, seed=0)
    assert (score.value, score.by_seed, score.low, score.high) == (0.5, (0.5,), 0.0, 1.0)


def test_seeds_are_resampled_too() -> None:
    # Items say nothing here: one seed is right always, the other never.
    gold = ["a"] * 20 + ["b"] * 20
    flipped = ["b"] * 20 + ["a"] * 20
    score = bootstrap(gold, [gold, flipped], AB, "accuracy", resamples=500, seed=0)
    assert (score.value, score.by_seed, score.low, score.high) == (0.5, (1.0, 0.0), 0.0, 1.0)
    assert bootstrap(gold, [gold, gold], AB, "accuracy", resamples=500, seed=0).low == 1.0


def test_groups_are_drawn_whole() -> None:
    gold = ["a"] * 40
    said = ["a"] * 20 + ["b"] * 20
    groups = ["right"] * 20 + ["wrong"] * 20
    by_item = bootstrap(gold, [said], AB, "accuracy", resamples=500, seed=0)
    by_group = bootstrap(gold, [said], AB, "accuracy", resamples=500, seed=0, groups=groups)
    assert (by_group.value, by_group.low, by_group.high) == (0.5, 0.0, 1.0)
    assert 0.2 < by_item.low < by_item.high < 0.8
    alone = bootstrap(gold, [said], AB, "accuracy", resamples=500, seed=0, groups=range(40))
    assert (alone.low, alone.high) == (by_item.low, by_item.high)


def test_width_is_that_of_theory() -> None:
    gold, said = answers(800, 0.8)
    score = bootstrap(gold, [said], AB, "accuracy", seed=1)
    half = 1.96 * math.sqrt(score.value * (1 - score.value) / 800)
    assert score.low == pytest.approx(score.value - half, abs=0.004)
    assert score.high == pytest.approx(score.value + half, abs=0.004)


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1", "mcc"])
def test_covers_the_truth_as_often_as_it_says(metric: str) -> None:
    truth = {"accuracy": 0.75, "macro_f1": 0.75, "mcc": 0.5}[metric]
    scores = []
    for trial in range(200):
        gold, said = answers(150, 0.75, seed=trial)
        scores.append(bootstrap(gold, [said], AB, metric, resamples=200, seed=trial))
    covered = sum(s.low <= truth <= s.high for s in scores) / len(scores)
    assert 0.89 <= covered <= 0.99


@relaxed
@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=1, max_size=12), st.integers(0, 99))
def test_same_as_plain_resampling(rows: list[tuple[str, str, str]], seed: int) -> None:
    """Weights times one-hot cells is the confusion matrix of the rows drawn that often, for each seed."""
    gold, *runs = ([row[i] for row in rows] for i in range(3))
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 3, size=(4, len(rows))).astype(np.float32)
    weights[:, 0] += 1
    cells = np.stack([metrics.codes(gold, "abc") * 3 + metrics.codes(run, "abc") for run in runs])
    fast = resampling._confusions(weights, cells, 3, 3)
    for r, weight in enumerate(weights):
        drawn = np.repeat(np.arange(len(rows)), weight.astype(int))
        for s, run in enumerate(runs):
            plain = metrics.confusion([gold[i] for i in drawn], [run[i] for i in drawn], "abc")
            np.testing.assert_array_equal(fast[r, s], plain)


@relaxed
@given(
    st.lists(st.tuples(*[st.sampled_from("ab")] * 3), min_size=2, max_size=20), st.sampled_from(list(metrics.METRICS))
)
def test_value_is_the_mean_over_seeds(rows: list[tuple[str, str, str]], metric: str) -> None:
    gold, *runs = ([row[i] for row in rows] for i in range(3))
    score = bootstrap(gold, runs, AB, metric, resamples=50, seed=0)
    each = [float(metrics.METRICS[metric](metrics.confusion(gold, run, AB))) for run in runs]
    assert score.by_seed == pytest.approx(each)
    assert score.value == pytest.approx(sum(each) / 2)
    assert score.low <= score.high


def numbers(n: int, noise: float, seed: int = 0) -> tuple[list[float], list[float]]:
    """Gold numbers and predictions that scatter about them."""
    rng = np.random.default_rng(seed)
    gold = rng.normal(size=n)
    return gold.tolist(), (gold + noise * rng.normal(size=n)).tolist()


def test_interval_of_a_correlation_is_that_of_theory() -> None:
    gold, said = numbers(500, 1.0)
    score = bootstrap(gold, [said], (), "pearson", seed=1)
    assert score.value == pytest.approx(scipy.stats.pearsonr(gold, said).statistic)
    half = 1.96 / math.sqrt(500 - 3)  # Fisher's z
    assert score.low == pytest.approx(math.tanh(math.atanh(score.value) - half), abs=0.01)
    assert score.high == pytest.approx(math.tanh(math.atanh(score.value) + half), abs=0.01)
    ranks = bootstrap(gold, [said], (), "spearman", seed=1)
    assert ranks.value == pytest.approx(scipy.stats.spearmanr(gold, said).statistic)
    assert 0.05 < ranks.high - ranks.low < 0.15


def test_difference_of_correlations_is_paired() -> None:
    gold, near = numbers(200, 0.5)
    _, far = numbers(200, 3.0)
    score = difference(gold, [near, near], [far], (), "spearman", resamples=500, seed=0)
    assert score.name == "spearman difference"
    assert 0.3 < score.low < score.value < score.high
    assert score.value == pytest.approx(metrics.spearman(gold, near) - metrics.spearman(gold, far))
    itself = difference(gold, [near], [near], (), "spearman", resamples=500, seed=0)
    assert (itself.low, itself.high) == (0.0, 0.0)


def test_resamples_without_a_value_are_left_out_and_counted() -> None:
    # Of three items a resample draws one three times in 1 of 9.
    score = bootstrap([1.0, 2.0, 3.0], [[1.0, 2.0, 3.0]], (), "spearman", resamples=900, seed=0)
    assert (score.value, score.low, score.high) == (1.0, 1.0, 1.0)
    void = int(score.signature.split(" resamples (")[1].split(" without a value left out)")[0])
    assert 60 <= void <= 140


def test_groups_of_numbers_are_drawn_whole() -> None:
    gold, said = numbers(60, 1.0)
    single = bootstrap(gold, [said], (), "spearman", resamples=300, seed=0)
    doubled = bootstrap(gold * 2, [said * 2], (), "spearman", resamples=300, seed=0, groups=[*range(60)] * 2)
    assert doubled.signature.startswith("n=120 in 60 groups, 1 seed, percentile bootstrap over groups x seeds")
    assert (doubled.low, doubled.high) == pytest.approx((single.low, single.high))  # copies make nothing surer


def test_no_answer_counts_as_wrong_in_each_resample() -> None:
    gold, said = answers(40, 1.0)
    silent = ["" if i < 10 else label for i, label in enumerate(said)]
    score = bootstrap(gold, [said, silent], AB, "accuracy", resamples=100, seed=0)
    assert score.by_seed == (1.0, 0.75)
    gap = difference(gold, [silent], [said], AB, "accuracy", resamples=500, seed=0)
    assert -0.4 < gap.low < gap.value == -0.25 < gap.high < -0.1


def test_a_difference_needs_the_same_resamples() -> None:
    gold, said = answers(20, 0.6)
    one, other = (resampling.resample(gold, [said], AB, "accuracy", resamples=50, seed=seed) for seed in (0, 1))
    with pytest.raises(ValueError, match="same metric, items and resamples"):
        one.minus(other)


def test_the_same_seed_gives_the_same_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    gold, said = answers(60, 0.7)
    runs = [said, gold, said[::-1]]
    first = bootstrap(gold, runs, AB, "mcc", resamples=300, seed=4)
    assert bootstrap(gold, runs, AB, "mcc", resamples=300, seed=4) == first
    assert bootstrap(gold, runs, AB, "mcc", resamples=300, seed=5).low != first.low
    monkeypatch.setattr(resampling, "_CELLS", 60 * 7)
    assert bootstrap(gold, runs, AB, "mcc", resamples=300, seed=4) == first


def test_signature() -> None:
    gold, said = answers(10, 0.7)
    score = bootstrap(gold, [said] * 5, AB, "accuracy", resamples=100, seed=3)
    over = f"percentile bootstrap over items x seeds, 100 resamples, seed 3, japagen {version('japagen')}"
    assert score.signature == f"n=10, 5 seeds, {over}"
    grouped = bootstrap(gold, [said], AB, "accuracy", resamples=100, seed=3, groups=[0, 1] * 5)
    assert grouped.signature.startswith("n=10 in 2 groups, 1 seed, percentile bootstrap over groups x seeds")
    paired = difference(gold, [said] * 5, [said], AB, "accuracy", resamples=100, seed=3)
    assert paired.signature == f"n=10, 5 seeds against 1, paired, {over}"


def test_a_system_does_not_differ_from_itself() -> None:
    gold, said = answers(50, 0.6)
    score = difference(gold, [said], [said], AB, "macro_f1", resamples=100, seed=0)
    assert (score.name, score.value, score.low, score.high) == ("macro_f1 difference", 0.0, 0.0, 0.0)


def test_seeds_of_both_systems_are_drawn_independently() -> None:
    gold, flipped = ["a"] * 20, ["b"] * 20
    score = difference(gold, [gold, flipped], [gold, flipped], AB, "accuracy", resamples=1000, seed=0)
    assert (score.value, score.by_seed, score.low, score.high) == (0.0, (0.0, 0.0), -1.0, 1.0)


def test_difference_is_paired() -> None:
    gold, said = answers(100, 0.6)
    better = list(said)
    wrong = [i for i in range(100) if said[i] != gold[i]][:10]
    for i in wrong:
        better[i] = gold[i]
    score = difference(gold, [better], [said], AB, "accuracy", resamples=1000, seed=0)
    # No item is worse, so no resample can be; one system alone is uncertain by ±.10.
    assert score.value == pytest.approx(0.1)
    assert 0.03 < score.low < score.high < 0.17
    back = difference(gold, [said], [better], AB, "accuracy", resamples=1000, seed=0)
    assert (back.low, back.high) == pytest.approx((-score.high, -score.low))


def test_difference_by_seed_only_where_seeds_match() -> None:
    gold, said = answers(20, 0.6)
    assert difference(gold, [gold, said], [said, said], AB, "accuracy", resamples=20, seed=0).by_seed[1] == 0.0
    assert difference(gold, [gold, said], [said], AB, "accuracy", resamples=20, seed=0).by_seed == ()


def test_mcnemar_by_hand() -> None:
    gold = ["a"] * 10
    a = ["a"] + ["b"] * 5 + ["a"] * 4
    b = ["b"] + ["a"] * 5 + ["a"] * 4
    # One against five: 2 (1 + 6) / 64.
    assert mcnemar_exact(gold, a, b) == (1, 5, 14 / 64)
    assert mcnemar_exact(gold, a, a) == (0, 0, 1.0)
    assert mcnemar_exact(["a", "a"], ["b", "b"], ["b", "c"]).p == 1.0


@relaxed
@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_same_as_scipy(only_a: int, only_b: int) -> None:
    gold = ["x"] * (only_a + only_b + 1)
    a, b = ["x"] * only_a + ["y"] * only_b + ["x"], ["y"] * only_a + ["x"] * only_b + ["x"]
    n = only_a + only_b
    expected = scipy.stats.binomtest(only_a, n, 0.5).pvalue if n else 1.0
    assert mcnemar_exact(gold, a, b).p == pytest.approx(expected)


def test_smallest_detectable_difference() -> None:
    # By hand for n = 200, ψ = .1: z = 1.95996, z_power = .84162, (8.76522 + √13.9440) / 200.7083.
    assert smallest_detectable_difference(200) == pytest.approx(0.06228, abs=1e-5)
    # At a power of one half, z_power is 0 and d = z √(ψ / n).
    assert smallest_detectable_difference(400, 0.2, 0.5) == pytest.approx(1.959964 * math.sqrt(0.2 / 400))


@relaxed
@given(st.integers(100, 100_000), st.floats(0.1, 1), st.floats(0.5, 0.99))
def test_smallest_detectable_difference_solves_its_equation(n: int, discordance: float, power: float) -> None:
    d = smallest_detectable_difference(n, discordance, power)
    z, z_power = scipy.stats.norm.ppf(0.975), scipy.stats.norm.ppf(power)
    right = (z * math.sqrt(discordance) + z_power * math.sqrt(max(0.0, discordance - d * d))) ** 2
    assert n * d * d == pytest.approx(right, rel=1e-6)
    assert smallest_detectable_difference(2 * n, discordance, power) < d


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: bootstrap([], [[]], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: bootstrap(["a"], [], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: bootstrap(["a"], [["a", "b"]], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: bootstrap(["a"], [["a"]], AB, "accuracy", resamples=0, seed=0), "nothing to measure"),
        (lambda: bootstrap(["a"], [["x"]], AB, "accuracy", seed=0), "unknown label 'x'"),
        (lambda: bootstrap(["a"], [["a"]], AB, "accuracy", seed=0, groups=[1, 2]), "2 groups for 1 items"),
        (lambda: difference(["a"], [["a"]], [], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: bootstrap([1.0, 2.0], [[1.0, 2.0], [3.0, 3.0]], (), "spearman", seed=0), "with a constant"),
        (lambda: bootstrap([2.0, 2.0], [[1.0, 2.0]], (), "pearson", seed=0), "with a constant"),
        (lambda: bootstrap([1.0], [[1.0]], (), "pearson", seed=0), "two or more values"),
        (lambda: mcnemar_exact([], [], []), "nothing to compare"),
        (lambda: mcnemar_exact(["a"], ["a"], []), "nothing to compare"),
        (lambda: smallest_detectable_difference(0), "no such test"),
        (lambda: smallest_detectable_difference(100, power=1.0), "no such test"),
        (lambda: smallest_detectable_difference(10), "10 items are too few"),
    ],
)
def test_refusals(call: Callable[[], object], words: str) -> None:
    with pytest.raises(Undefined, match=words):
        call()


def test_refuses_an_unknown_metric() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'accuracy'\?"):
        bootstrap(["a"], [["a"]], AB, "acuracy", seed=0)
