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
    guarded,
    mcnemar_exact,
    permutation_test,
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
@given(
    st.lists(st.tuples(*[st.sampled_from("abc")] * 3, st.integers(0, 3)), min_size=1, max_size=12),
    st.integers(0, 99),
    st.sampled_from(list(metrics.METRICS)),
)
def test_same_as_plain_resampling(rows: list[tuple[str, str, str, int]], seed: int, metric: str) -> None:
    """A metric on weights of groups is that of the rows drawn that often, for each seed."""
    gold, *runs = ([row[i] for row in rows] for i in range(3))
    units = resampling.units_of(len(rows), [row[3] for row in rows])
    measure = resampling.measure_of(metric, gold, runs, "abc", units)
    weights = np.random.default_rng(seed).integers(0, 3, size=(4, units.max() + 1)).astype(np.float32)
    weights[:, 0] += 1
    for weight, values in zip(weights, measure(weights), strict=True):
        drawn = np.repeat(np.arange(len(rows)), weight[units].astype(int))
        for value, run in zip(values, runs, strict=True):
            plain = metrics.confusion([gold[i] for i in drawn], [run[i] for i in drawn], "abc")
            assert value == pytest.approx(float(metrics.METRICS[metric](plain)))


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
    assert doubled.signature.startswith("n=120 in 60 groups, 1 seed, BCa bootstrap over groups, 300")
    assert (doubled.low, doubled.high) == pytest.approx((single.low, single.high))  # copies make nothing surer


def test_no_answer_counts_as_wrong_in_each_resample() -> None:
    gold, said = answers(40, 1.0)
    silent = ["" if i < 10 else label for i, label in enumerate(said)]
    score = bootstrap(gold, [said, silent], AB, "accuracy", resamples=100, seed=0)
    assert score.by_seed == (1.0, 0.75)
    gap = difference(gold, [silent], [said], AB, "accuracy", resamples=500, seed=0)
    assert -0.45 < gap.low < gap.value == -0.25 < gap.high < -0.1


def test_a_difference_needs_the_same_resamples() -> None:
    gold, said = answers(20, 0.6)
    one, other = (
        resampling.Resampler(len(gold), resamples=50, seed=seed).measure(gold, [said], AB, "accuracy")
        for seed in (0, 1)
    )
    with pytest.raises(ValueError, match="same metric, items and resamples"):
        one.minus(other)


def test_many_systems_on_the_same_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    gold, said = answers(60, 0.7)
    groups = [i % 25 for i in range(60)]
    shared = resampling.Resampler(60, groups=groups, resamples=200, seed=3)
    found = [shared.measure(gold, [run], AB, "mcc") for run in (said, gold[::-1])]
    alone = difference(gold, [said], [gold[::-1]], AB, "mcc", resamples=200, seed=3, groups=groups)
    assert found[0].minus(found[1]) == alone
    monkeypatch.setattr(resampling, "_KEPT", 0)  # too many to keep: drawn anew each time
    anew = resampling.Resampler(60, groups=groups, resamples=200, seed=3)
    assert anew._kept is None
    assert anew.measure(gold, [said], AB, "mcc").score() == found[0].score()
    with pytest.raises(Undefined, match="the resamples are of 60"):
        shared.measure(gold[:-1], [said[:-1]], AB, "mcc")


def test_left_out_units_by_hand() -> None:
    gold, said = ["a", "a", "b", "b"], ["a", "b", "b", "b"]
    by_item = resampling.Resampler(4, resamples=5, seed=0).measure(gold, [said], AB, "accuracy")
    np.testing.assert_allclose(by_item.without[:, 0], [2 / 3, 1, 2 / 3, 2 / 3])
    groups = resampling.Resampler(4, groups="xxyz", resamples=5, seed=0).measure(gold, [said], AB, "accuracy")
    np.testing.assert_allclose(groups.without[:, 0], [1, 2 / 3, 2 / 3])


def test_many_units_are_left_out_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    gold, said = answers(400, 0.9)
    each = bootstrap(gold, [said], AB, "accuracy", resamples=2000, seed=0)
    monkeypatch.setattr(resampling, "_BLOCKS", 50)
    blocks = bootstrap(gold, [said], AB, "accuracy", resamples=2000, seed=0)
    assert (blocks.low, blocks.high) == pytest.approx((each.low, each.high), abs=0.004)


def test_one_group_says_nothing() -> None:
    gold, said = answers(20, 0.6)
    score = bootstrap(gold, [said], AB, "mcc", resamples=50, seed=0, groups=[1] * 20)
    assert (score.low, score.high) == (-1.0, 1.0)
    assert "nothing is known" in score.signature
    assert bootstrap(gold[:1], [gold[:1]], AB, "accuracy", resamples=50, seed=0).low == 0.0
    gap = difference(gold, [gold], [said], AB, "accuracy", resamples=50, seed=0, groups=[1] * 20)
    assert (gap.low, gap.high, gap.p) == (-1.0, 1.0, 1.0)


def test_five_seeds_are_widened_as_by_student() -> None:
    # Items say nothing: every seed is right on as large a share of each of 400 like groups.
    right, n, groups = (14, 15, 17, 13, 16), 20, 400
    gold = ["a"] * n * groups
    runs = [(["a"] * count + ["b"] * (n - count)) * groups for count in right]
    score = bootstrap(gold, runs, AB, "accuracy", resamples=20_000, seed=0, groups=[i // n for i in range(n * groups)])
    half = scipy.stats.t.ppf(0.975, 4) * np.std(right, ddof=1) / math.sqrt(5) / n
    assert (score.value - score.low, score.high - score.value) == (
        pytest.approx(half, rel=0.06),
        pytest.approx(half, rel=0.06),
    )


def test_chance_of_items_is_not_counted_twice() -> None:
    # Seeds err on other items each, but equally well: drawn with the items, their differences are chance of the items.
    rng = np.random.default_rng(0)
    gold = ["a"] * 2000
    runs = [np.where(rng.random(2000) < 0.8, "a", "b").tolist() for _ in range(5)]
    score = bootstrap(gold, runs, AB, "accuracy", seed=0)
    assert score.high - score.low < 1.3 * 2 * 1.96 * math.sqrt(0.16 / 2000 / 5)


@relaxed
@given(st.lists(st.tuples(*[st.sampled_from("ab")] * 4), min_size=8, max_size=30), st.sampled_from([*metrics.METRICS]))
def test_p_fits_its_interval(rows: list[tuple[str, str, str, str]], metric: str) -> None:
    gold, *runs = ([row[i] for row in rows] for i in range(4))
    score = difference(gold, runs[:2], runs[2:], AB, metric, resamples=2000, seed=0)
    assert score.p is not None
    assert 0 < score.p <= 1
    if score.p < 0.045:
        assert score.low >= 0 or score.high <= 0
    if score.p > 0.055:
        assert score.low <= 0 <= score.high


def test_p_is_that_of_theory() -> None:
    # 400 items; a alone is right on 30, b alone on 15: z = 15 / sqrt(45 - 15² / 400).
    gold = ["a"] * 400
    a, b = (["a"] * 30 + ["b"] * 15 + ["a"] * 355), (["b"] * 30 + ["a"] * 15 + ["a"] * 355)
    expected = 2 * scipy.stats.norm.sf(15 / math.sqrt(45 - 15**2 / 400))
    score = difference(gold, [a], [b], AB, "accuracy", resamples=20_000, seed=0)
    assert score.p == pytest.approx(expected, rel=0.2)
    back = difference(gold, [b], [a], AB, "accuracy", resamples=20_000, seed=0)
    assert back.p == pytest.approx(score.p, rel=0.1)
    assert permutation_test(gold, [a], [b], AB, "accuracy", resamples=20_000, seed=0) == pytest.approx(
        mcnemar_exact(gold, a, b).p, rel=0.2
    )


def test_permutations_by_hand() -> None:
    # Three items, all of which a alone gets right: of 8 permutations 2 differ as much.
    gold, wrong = ["a", "b", "a"], ["b", "a", "b"]
    assert permutation_test(gold, [gold], [wrong], AB, "accuracy", seed=0) == 2 / 8
    # In two groups there are 4 permutations.
    assert permutation_test(gold, [gold], [wrong], AB, "accuracy", seed=0, groups=[0, 0, 1]) == 2 / 4
    # One seed against two: it stands beside both.
    assert permutation_test(gold, [gold], [wrong, wrong], AB, "accuracy", seed=0) == 2 / 8
    # Drawn: the one that was seen is among them.
    many, others = ["a"] * 40, ["b"] * 40
    assert permutation_test(many, [many], [others], AB, "accuracy", resamples=99, seed=0) == 1 / 100
    assert permutation_test(gold, [wrong], [wrong], AB, "macro_f1", seed=0) == 1.0


@relaxed
@given(st.lists(st.tuples(*[st.sampled_from("ab")] * 3), min_size=1, max_size=8))
def test_permutations_same_as_mcnemar(rows: list[tuple[str, str, str]]) -> None:
    gold, a, b = ([row[i] for row in rows] for i in range(3))
    assert permutation_test(gold, [a], [b], AB, "accuracy", seed=0) == pytest.approx(mcnemar_exact(gold, a, b).p)


@relaxed
@given(st.lists(st.tuples(*[st.integers(0, 5)] * 3), min_size=3, max_size=7), st.sampled_from(["spearman", "pearson"]))
def test_permutations_same_as_one_by_one(rows: list[tuple[int, int, int]], metric: str) -> None:
    gold, a, b = ([float(row[i]) for row in rows] for i in range(3))
    of = metrics.CORRELATIONS[metric]
    gaps = []
    try:
        for swapped in range(2 ** len(rows)):
            sides = [(x, y)[:: -1 if swapped >> i & 1 else 1] for i, (x, y) in enumerate(zip(a, b, strict=True))]
            gaps.append(of(gold, [s[0] for s in sides]) - of(gold, [s[1] for s in sides]))
    except Undefined:
        return  # a permutation without a value counts as different; see the next test
    expected = np.mean(np.abs(gaps) >= abs(gaps[0]) - 1e-6)
    assert permutation_test(gold, [a], [b], (), metric, seed=0) == pytest.approx(expected)


def test_permutations_without_a_value_count_as_different() -> None:
    # Of 8 permutations 4 differ by 1.73 and 2 by 0; swapping the last item, or the first two, makes a side constant.
    assert permutation_test([1.0, 2.0, 3.0], [[1.0, 1.0, 2.0]], [[2.0, 2.0, 1.0]], (), "spearman", seed=0) == 6 / 8


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
    over = f"BCa bootstrap over items x seeds, 100 resamples, seed 3, japagen {version('japagen')}"
    assert score.signature == f"n=10, 5 seeds, {over}"
    grouped = bootstrap(gold, [said], AB, "accuracy", resamples=100, seed=3, groups=[0, 1] * 5)
    assert grouped.signature.startswith("n=10 in 2 groups, 1 seed, BCa bootstrap over groups, 100 resamples")
    paired = difference(gold, [said] * 5, [said], AB, "accuracy", resamples=100, seed=3)
    assert paired.signature == f"n=10, 5 seeds against 1, paired, {over}"


def test_a_system_does_not_differ_from_itself() -> None:
    gold, said = answers(50, 0.6)
    score = difference(gold, [said], [said], AB, "macro_f1", resamples=100, seed=0)
    assert (score.name, score.value, score.low, score.high, score.p) == ("macro_f1 difference", 0.0, 0.0, 0.0, 1.0)
    assert bootstrap(gold, [said], AB, "macro_f1", resamples=100, seed=0).p is None


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
    assert 0.03 < score.low < score.high < 0.19
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
        (lambda: permutation_test([], [[]], [[]], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: permutation_test(["a"], [["a"]], [["a", "b"]], AB, "accuracy", seed=0), "nothing to measure"),
        (lambda: permutation_test(["a"], [["a"]], [], AB, "accuracy", seed=0), "1 seeds cannot be paired with 0"),
        (lambda: permutation_test(["a"], [["a"]] * 2, [["a"]] * 3, AB, "accuracy", seed=0), "2 seeds cannot be paired"),
        (lambda: smallest_detectable_difference(0), "no such test"),
        (lambda: smallest_detectable_difference(100, power=1.0), "no such test"),
        (lambda: smallest_detectable_difference(10), "10 independent rows are too few"),
    ],
)
def test_refusals(call: Callable[[], object], words: str) -> None:
    with pytest.raises(Undefined, match=words):
        call()


def test_refuses_an_unknown_metric() -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'accuracy'\?"):
        bootstrap(["a"], [["a"]], AB, "acuracy", seed=0)


def test_few_differing_rows_are_no_proof() -> None:
    gold = ["a"] * 500
    a, b = [gold], [["b"] * 5 + ["a"] * 495]
    p = difference(gold, a, b, AB, "accuracy", seed=0).p
    assert p is not None
    assert p < 0.05
    assert guarded(p, gold, a, b, AB, "accuracy", seed=0) == pytest.approx(2 / 32, abs=0.01)
    assert guarded(p, gold, a, a, AB, "accuracy", seed=0) == p
    many = [["b"] * 60 + ["a"] * 440]
    assert guarded(0.001, gold, a, many, AB, "accuracy", seed=0) == 0.001
    # 25 rows on one side have a p of 2 / 2^25, that of so many permutations at least 1 in as many.
    some = [["b"] * 25 + ["a"] * 475]
    assert guarded(1e-5, gold, a, some, AB, "accuracy", resamples=20_000, seed=0) == pytest.approx(1 / 20_001)
    together = [0] * 31 + list(range(1, 470))  # one group holds all that differ
    assert guarded(0.001, gold, a, [["b"] * 31 + ["a"] * 469], AB, "accuracy", seed=0, groups=together) > 0.9
