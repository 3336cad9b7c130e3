"""Scaling: worked by hand on exact curves, covering the truth on noisy ones, silent where nothing can be foretold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from japagen.analyze.scaling import cost_of, expected_gain, points_of, scaling
from japagen.metrics import Undefined

SIZES = (250, 500, 1000, 2000)


def point(n: int, by_seed: Sequence[float], kind: str = "size") -> dict[str, Any]:
    value = sum(by_seed) / len(by_seed)
    score = {"value": value, "by_seed": list(by_seed), "low": value, "high": value, "signature": ""}
    return {"name": f"{kind}-{n}", "kind": kind, "n": n, "k": None, "score": score}


def told(*points: dict[str, Any], covariance: Any = None, rows: int = 2000) -> dict[str, Any]:
    students = [{"student": "linear", "points": list(points), "covariance": covariance}]
    return {"sizes": {"rows": rows, "metric": "accuracy", "students": students, "left_out": []}}


def exact(n: int) -> float:
    return 0.9 - 2 * n**-0.5


EXACT = [point(n, [exact(n)] * 3, "japagen" if n == 2000 else "size") for n in SIZES]
GOLD = [point(20, [0.6] * 3, "gold"), point(80, [0.8] * 3, "gold")]


def student(scores: dict[str, Any], **options: Any) -> dict[str, Any]:
    found = scaling(scores, **{"epsilon": 0.002, "seed": 0, **options})
    assert found is not None
    json.dumps(found, allow_nan=False)
    one: dict[str, Any] = found["students"][0]
    return one


def test_an_exact_curve_worked_by_hand() -> None:
    """At 4,000 rows .9 - 2 / 63.2456 = .868377, .013099 more than at 2,000; a doubling gains .02 at 858 rows."""
    one = student(told(*EXACT), epsilon=0.02)
    assert (one["shape"], one["undefined"]) == ("rising", None)
    twice = one["twice"]
    assert twice["n"] == 4000
    assert (twice["value"], twice["low"], twice["high"]) == pytest.approx((0.868377,) * 3, abs=1e-5)
    assert twice["gain"]["value"] == pytest.approx(0.013099, abs=1e-5)
    assert not twice["pays"]
    assert one["enough"]["value"] == pytest.approx((2 * (1 - 2**-0.5) / 0.02) ** 2, rel=1e-4)
    assert one["enough"]["side"] == "within"
    assert one["curve"]["ceiling"] == pytest.approx(0.9, abs=1e-5)
    assert one["curve"]["levels"]
    assert one["band"]["n"][0] == pytest.approx(250)
    assert one["band"]["n"][-1] == pytest.approx(4000)
    assert one["slope"]["value"] == pytest.approx((exact(2000) - exact(250)) / 3, abs=0.002)
    assert "4 sizes x 3 seeds" in one["signature"]


def test_enough_is_not_foretold_far_beyond_what_was_measured() -> None:
    """.002 is gained at 85,786 rows, more than ten times 2,000."""
    enough = student(told(*EXACT))["enough"]
    assert (enough["value"], enough["side"], enough["most"]) == (None, "above", 20_000)
    at_once = student(told(*EXACT), epsilon=0.5)["enough"]
    assert (at_once["value"], at_once["side"], at_once["least"]) == (None, "below", 250)


def test_rows_are_worth_gold_labels_worked_by_hand() -> None:
    """.6 with 20 labels and .8 with 80: 250 rows score .773509, so 20 x 4 ^ (.173509 / .2) = 66.6 labels."""
    worth = student(told(*EXACT, *GOLD))["worth"]
    assert [one["n"] for one in worth] == list(SIZES)
    assert worth[0]["value"] == pytest.approx(66.58, abs=0.01)
    assert worth[0]["low"] == pytest.approx(66.58, abs=0.01)
    assert worth[0]["side"] == "within"
    assert (worth[3]["value"], worth[3]["side"], worth[3]["most"]) == (None, "above", 80)  # .855 with 2,000 rows
    assert student(told(*EXACT, GOLD[0]))["worth"] is None


def test_a_gold_curve_that_dips_is_levelled_before_anything_is_read_off_it() -> None:
    """.6, .8, .7 with 20, 40, 80 labels are .6, .75, .75: a score of .7 is worth 20 x 2 ^ (.1 / .15) = 31.75 labels."""
    gold = [point(n, [score] * 3, "gold") for n, score in ((20, 0.6), (40, 0.8), (80, 0.7))]
    worth = student(told(*[point(n, [0.7] * 3) for n in SIZES], *gold))["worth"]
    for one in worth:
        assert [one[key] for key in ("value", "low", "high")] == pytest.approx([31.75] * 3, abs=0.01)


def test_the_curve_of_synthetic_rows_knows_nothing_of_gold_points() -> None:
    with_gold, without = student(told(*EXACT, *GOLD)), student(told(*EXACT))
    for key in ("curve", "twice", "enough", "slope"):
        assert with_gold[key] == without[key]


def test_chance_of_test_rows_widens_the_level_and_not_the_gain() -> None:
    """All points move together by .03: the score of twice the rows is not known to .05, the gain hardly less than before."""
    common = (np.full((4, 4), 0.03**2) + 1e-12 * np.eye(4)).tolist()
    points = [point(n, [0.6 - 2 * n**-0.5] * 3) for n in SIZES]
    one = student(told(*points, covariance=common))
    twice = one["twice"]
    assert twice["high"] - twice["low"] == pytest.approx(2 * 1.96 * 0.03, rel=0.1)
    assert twice["gain"]["high"] - twice["gain"]["low"] < 0.001
    assert "seeds and test rows" in one["signature"]


def test_chance_of_seeds_is_that_of_a_mean_of_so_few() -> None:
    """Five seeds of standard deviation .015811: 95 % within 2.776 x .015811 / sqrt(5) = .01963 of the mean."""
    scores = [0.7, 0.72, 0.68, 0.71, 0.69]
    points = [point(n, scores[k:] + scores[:k]) for k, n in enumerate((*SIZES, 4000))]
    drawn = points_of(points, None, seed=0).drawn - 0.7
    assert float(np.quantile(np.abs(drawn), 0.95)) == pytest.approx(0.01963, rel=0.05)


def noisy(rng: np.random.Generator, truth: Sequence[float], seeds: int = 5, sd: float = 0.01) -> list[dict[str, Any]]:
    return [point(n, (t + rng.normal(0, sd, seeds)).tolist()) for n, t in zip(SIZES, truth, strict=True)]


def test_the_band_holds_the_true_curve_about_as_often_as_it_says() -> None:
    rng, inside, gains = np.random.default_rng(5), 0, 0
    for _ in range(40):
        one = student(told(*noisy(rng, [exact(n) for n in SIZES])))
        inside += one["band"]["low"][20] <= exact(one["band"]["n"][20]) <= one["band"]["high"][20]
        gains += one["twice"]["gain"]["low"] <= exact(4000) - exact(2000) <= one["twice"]["gain"]["high"]
    assert inside >= 35
    assert gains >= 34


@pytest.mark.parametrize(
    ("truth", "sd", "shape"),
    [
        ([0.7, 0.75, 0.79, 0.82], 0.002, "rising"),
        ([0.8, 0.78, 0.75, 0.7], 0.002, "falling"),
        ([0.7, 0.7, 0.7, 0.7], 0.0001, "flat"),
        ([0.7, 0.7, 0.7, 0.7], 0.03, "unclear"),
        ([0.5, 0.8, 0.81, 0.74], 0.002, "turned"),
    ],
)
def test_only_of_a_curve_that_rises_anything_is_foretold(truth: list[float], sd: float, shape: str) -> None:
    one = student(told(*noisy(np.random.default_rng(3), truth, sd=sd)))
    assert one["shape"] == shape
    for key in ("curve", "band", "twice", "enough", "ceiling_interval"):
        assert (one[key] is None) == (shape != "rising")


def test_a_line_without_a_bend_has_no_ceiling_to_speak_of() -> None:
    one = student(told(*[point(n, [0.1 * k + 0.2] * 3) for k, n in enumerate(SIZES)]))
    assert not one["curve"]["levels"] or one["curve"]["ceiling"] == 1.0


def test_two_sizes_are_no_curve() -> None:
    one = student(told(*EXACT[2:], *GOLD))
    assert (one["undefined"], one["curve"], one["shape"]) == ("a curve needs 3 sizes, not 2", None, None)
    assert len(one["worth"]) == 2  # that needs no curve


def test_without_sizes_there_is_no_section() -> None:
    assert scaling({}, epsilon=0.002, seed=0) is None
    assert scaling({"sizes": {"students": []}}, epsilon=0.002, seed=0) is None


def test_one_seed_gives_a_curve_and_no_band() -> None:
    one = student(told(*[point(n, [exact(n)]) for n in SIZES]))
    assert one["twice"]["low"] == one["twice"]["high"] == one["twice"]["value"]
    assert "over nothing: no interval" in one["signature"]


def test_the_same_seed_gives_the_same_draws() -> None:
    points = noisy(np.random.default_rng(1), [exact(n) for n in SIZES])
    assert student(told(*points)) == student(told(*points)) != student(told(*points), seed=1)


def test_the_order_of_points_makes_no_difference() -> None:
    points = [*noisy(np.random.default_rng(1), [exact(n) for n in SIZES]), *GOLD]
    spread = np.random.default_rng(2).normal(size=(6, 6)) * 0.01
    covariance = spread @ spread.T
    forward, back = list(range(6)), [5, 3, 1, 0, 2, 4]
    one, other = (
        student(told(*[points[i] for i in order], covariance=covariance[np.ix_(order, order)].tolist()))
        for order in (forward, back)
    )
    assert one == other


def test_cost_of_rows_and_of_the_labels_they_are_worth() -> None:
    """3,000 tokens and 6 USD for 2,000 rows that are worth 40 labels [30, 60]: .15 USD a label, .20 at the fewest."""
    worth = {"worth": [{"n": 2000.0, "value": 40.0, "low": 30.0, "high": 60.0}]}
    cost = cost_of({"prompt_tokens": 1000, "completion_tokens": 2000, "usd": 6.0}, 2000, worth)
    assert cost == pytest.approx(
        {
            "tokens": 3000, "usd": 6.0, "tokens_per_row": 1.5, "usd_per_row": 0.003,
            "usd_per_label": 0.15, "usd_per_label_low": 0.1, "usd_per_label_high": 0.2,
        }
    )  # fmt: skip
    unknown = cost_of({"prompt_tokens": 1000, "completion_tokens": 2000, "usd": None}, 2000, worth)
    assert unknown is not None
    assert (unknown["usd"], unknown["usd_per_row"], unknown["usd_per_label"]) == (None, None, None)
    assert cost_of(None, 2000, worth) is None
    assert cost_of({"prompt_tokens": 1, "completion_tokens": 1, "usd": 1.0}, 0, worth) is None


def test_the_expected_gain_counts_what_chance_may_hide() -> None:
    exactly = points_of(EXACT, None, seed=0)
    assert expected_gain(exactly) == pytest.approx(exact(4000) - exact(2000), abs=1e-5)
    half = replace(exactly, means=np.full(4, 0.7), drawn=np.array([[exact(n) for n in SIZES], [0.7] * 4]))
    assert half.curve().gain(2000) == pytest.approx(0, abs=1e-9)  # of the best curve; one of two draws is as above
    assert expected_gain(half) == pytest.approx((exact(4000) - exact(2000)) / 2, abs=1e-5)
    level = points_of([point(n, [0.7, 0.72, 0.68]) for n in SIZES], None, seed=0)
    assert level.curve().gain(2000) == pytest.approx(0, abs=1e-9)
    assert 0 <= expected_gain(level) < 0.02
    with pytest.raises(Undefined):
        expected_gain(points_of(EXACT[:2], None, seed=0))
