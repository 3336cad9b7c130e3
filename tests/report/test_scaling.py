"""The section on scaling: sentences worked by hand, alarms of curves that do not rise, nothing told beyond what is known."""

from __future__ import annotations

import json
from typing import Any

import pytest

from japagen.analyze.scaling import scaling as analysed
from japagen.report.language import in_language, missing
from japagen.report.scaling import about, dollars, scaling
from japagen.report.scalingplot import scaling_figures

SIZES = (250, 500, 1000, 2000)


def point(n: int, score: float, kind: str = "size") -> dict[str, Any]:
    told = {"value": score, "by_seed": [score] * 3, "low": score - 0.02, "high": score + 0.02, "signature": "made so"}
    return {"name": f"{kind}-{n}", "kind": kind, "n": n, "k": None, "score": told}


def exact(n: int) -> float:
    return 0.9 - 2 * n**-0.5


def analysis(truth: list[float], gold: tuple[float, float] = (0.6, 0.8), *, usd: float | None = 6.0) -> dict[str, Any]:
    points = [point(n, score) for n, score in zip(SIZES, truth, strict=True)]
    points[-1]["kind"] = "japagen"
    points += [point(20, gold[0], "gold"), point(80, gold[1], "gold")]
    students = [{"student": name, "points": points, "covariance": None} for name in ("linear", "embedding")]
    sizes = {"rows": 2000, "metric": "accuracy", "students": students, "left_out": ["japagen-9000/linear: no"]}
    usage = {"prompt_tokens": 100_000, "completion_tokens": 200_000, "usd": usd}
    found = {"scaling": analysed({"sizes": sizes}, usage=usage, epsilon=0.002, seed=0)}
    return dict(json.loads(json.dumps(found)))


RISING = [exact(n) for n in SIZES]


def test_sentences_worked_by_hand() -> None:
    view = scaling(analysis(RISING))
    assert view is not None
    assert view["alarms"] == []
    assert view["sentences"][:6] == [
        "With 4,000 rows, twice as many, the student linear is expected to reach accuracy .868 [.868, .868], a gain of "
        "+.013 [+.013, +.013]: more rows pay, by the .002 asked of a doubling.",
        "Up to 20,000 rows, beyond which no forecast is made, a doubling gains .002 or more.",
        "The curve rises towards .900 [.900, .900].",
        "To the student linear, 2,000 synthetic rows are worth more than 80 gold labels, the most that were measured.",
        "Writing the 2,000 rows took 300,000 tokens and 6.00 USD; as many again would cost about as much.",
        "With 4,000 rows, twice as many, the student embedding is expected to reach accuracy .868 [.868, .868], a gain of "
        "+.013 [+.013, +.013]: more rows pay, by the .002 asked of a doubling.",
    ]
    table = view["students"][0]
    assert table["rows"][0] == {
        "n": "250", "score": ".774", "interval": "[.754, .794]", "worth": "67 [67, 67]", "tokens": "37,500", "usd": "0.75",
    }  # fmt: skip
    assert table["rows"][3]["worth"] == "> 80"
    assert view["left_out"] == ["japagen-9000/linear"]
    assert "4 sizes x 3 seeds" in view["signatures"][0]


def test_labels_and_their_price() -> None:
    """.855 lies .855279 - .6 of .3 up from 20 to 80 labels: 20 x 4 ^ .850931 = 65.1; 6 USD / 65.1 = .092."""
    view = scaling(analysis(RISING, (0.6, 0.9)))
    assert view is not None
    assert "To the student linear, 2,000 synthetic rows are worth 65 gold labels [65, 65]." in view["sentences"]
    price = "That is 0.092 USD [0.092, 0.092] for each gold label they are worth: cheaper labels are a better buy."
    assert price in view["sentences"]
    free = scaling(analysis(RISING, (0.6, 0.9), usd=None))
    assert free is not None
    assert not any("USD" in sentence for sentence in free["sentences"])
    assert "Writing the 2,000 rows took 300,000 tokens; as many again would take about as many." in free["sentences"]
    poor = scaling(analysis(RISING, (0.86, 0.9)))
    assert poor is not None
    assert any("worth fewer than 20 gold labels" in sentence for sentence in poor["sentences"])


@pytest.mark.parametrize(
    ("truth", "said"),
    [
        ([0.7, 0.7, 0.7, 0.7], "More synthetic rows do not help the student linear: from 250 to 2,000 rows"),
        ([0.8, 0.78, 0.75, 0.7], "More synthetic rows make the student linear worse"),
        (
            [0.5, 0.8, 0.81, 0.74],
            "is best with 1,000 rows and worse with all 2,000: accuracy is .810 there and .740 now",
        ),
    ],
)
def test_a_curve_that_does_not_rise_is_an_alarm(truth: list[float], said: str) -> None:
    view = scaling(analysis(truth))
    assert view is not None
    [alarm] = view["alarms"]
    assert said in alarm
    assert "Look at whether" in alarm
    assert not any("expected to reach" in sentence for sentence in view["sentences"])
    assert sum(alarm.replace("linear", "embedding") == sentence for sentence in view["sentences"]) == 1


def test_a_rule_that_stopped_is_told_without_sizes_too() -> None:
    score = {"value": 0.8, "low": 0.75, "high": 0.85, "by_seed": [0.8] * 3, "signature": ""}
    void = {"value": None, "low": None, "high": None, "by_seed": [], "signature": "", "undefined": "no row"}
    steps = [
        {"asked": 100, "kept": 180, "score": void, "expected_gain": None},
        {"asked": 200, "kept": 350, "score": score, "expected_gain": 0.0013},
    ]
    told = {"steps": steps, "per_label": 200, "stopped": True, "epsilon": 0.002, "metric": "mcc", "gold_rows": 300}
    view = scaling({"stopping": {**told, "student": "linear"}})
    assert view is not None
    assert view["stopping"]["sentence"] == (
        "Writing stopped by itself at 200 texts per label: by the student linear on 300 gold dev rows, twice as many are "
        "expected to gain .0013 in Matthews correlation, less than .002."
    )
    assert [row["gain"] for row in view["stopping"]["rows"]] == ["", "+.0013"]
    assert view["stopping"]["rows"][0]["score"] == "not known"
    on = scaling({"stopping": {**told, "student": "linear", "stopped": False}})
    assert on is not None
    assert on["stopping"]["sentence"].endswith("more than .002.")


def test_what_chance_allows_is_said_of_a_number_beyond() -> None:
    told = analysis(RISING)
    one = told["scaling"]["students"][0]
    one["worth"][-1] |= {"low": 61.0, "low_side": "within"}
    one["enough"] |= {"low": 8_123.0, "low_side": "within"}
    view = scaling(told)
    assert view is not None
    assert "Allowing for chance it may be as few as 61." in view["sentences"]
    assert "Allowing for chance it may be as few as 8,100." in view["sentences"]
    assert view["students"][0]["rows"][3]["worth"] == "> 80 [61, > 80]"


@pytest.mark.parametrize("given", [{}, {"scaling": None}, {"scaling": {"students": []}}, {"stopping": {"steps": []}}])
def test_nothing_measured_no_section(given: dict[str, Any]) -> None:
    assert scaling(given) is None
    assert scaling_figures(given) == {}


def test_the_figure_has_band_points_gold_and_what_is_expected() -> None:
    [(name, drawn)] = scaling_figures(analysis(RISING)).items()
    assert name == "scaling"
    names = [trace.get("name") for trace in drawn["data"]]
    assert names[2:5] == ["synthetic, linear", "gold, linear", "expected of twice the rows"]
    assert list(drawn["data"][2]["x"]) == list(SIZES)
    assert drawn["layout"]["xaxis"]["type"] == "log"
    level = scaling_figures(analysis([0.7] * 4))["scaling"]
    assert "expected of twice the rows" not in [trace.get("name") for trace in level["data"]]


def test_all_of_it_has_japanese() -> None:
    with in_language("ja"):
        for truth in (RISING, [0.7] * 4, [0.8, 0.78, 0.75, 0.7], [0.5, 0.8, 0.81, 0.74]):
            view = scaling(analysis(truth, (0.6, 0.9)))
            assert scaling_figures(analysis(truth))
        assert missing() == ()
    assert view is not None
    assert "人手のラベル" in " ".join(view["sentences"])


@pytest.mark.parametrize(
    ("n", "said"), [(66.6, "67"), (5, "5"), (99.7, "100"), (183, "180"), (85_786, "86,000"), (1e7, "10,000,000")]
)
def test_numbers_of_rows_have_two_digits(n: float, said: str) -> None:
    assert about(n) == said


def test_money_has_two_digits() -> None:
    assert [dollars(usd) for usd in (0.0, 0.00123, 0.092, 0.75, 1234.5)] == [
        "0.00",
        "0.0012",
        "0.092",
        "0.75",
        "1,234.50",
    ]


@pytest.mark.parametrize("side", ["above", "below", "within"])
def test_what_may_be_anything_is_not_said_to_be_something(side: str) -> None:
    told = analysis(RISING)
    told["scaling"]["students"][0]["worth"][-1] |= {
        "value": 30.0 if side == "within" else None,
        "side": side,
        "low": None,
        "low_side": "below",
        "high": None,
        "high_side": "above",
    }
    view = scaling(told)
    assert view is not None
    [said] = [
        sentence for sentence in view["sentences"] if "2,000 synthetic rows are worth to the student linear" in sentence
    ]
    assert said.endswith("cannot be told: allowing for chance, fewer than 20 or more than 80.")


def test_enough_may_be_fewer_than_the_smallest() -> None:
    told = analysis(RISING)
    told["scaling"]["students"][0]["enough"] |= {"low": None, "low_side": "below"}
    view = scaling(told)
    assert view is not None
    assert "Allowing for chance it may be fewer than 250." in view["sentences"]


def test_a_rule_that_stopped_on_falling_or_unsure_scores_is_an_alarm() -> None:
    def alarms(*scores: tuple[float, float], stopped: bool = True, epsilon: float = 0.002) -> list[str]:
        steps = [
            {"asked": 100, "kept": 90, "score": {"value": value, "low": value - wide, "high": value + wide}}
            for value, wide in scores
        ]
        told = {
            "steps": steps,
            "per_label": 200,
            "stopped": stopped,
            "epsilon": epsilon,
            "gold_rows": 100,
            "metric": "mcc",
        }
        view = scaling({"stopping": told})
        assert view is not None
        return list(view["alarms"])

    fell, unsure = alarms((0.557, 0.1), (0.483, 0.17))
    assert "went from .557 [.457, .657] to .483 [.313, .653]" in fell
    assert "a gain below .002, but 100 gold dev rows tell a score no better than .483 [.313, .653]" in unsure
    assert alarms((0.5, 0.004), (0.51, 0.004)) == []
    assert alarms((0.557, 0.1), (0.483, 0.17), stopped=False) == []
    assert len(alarms((0.5, 0.1), (0.51, 0.1))) == 1
    assert alarms((0.5, 0.1), (0.51, 0.1), epsilon=0.01) == []
