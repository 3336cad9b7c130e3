"""The section on diversity: verdicts and sentences from the JSON alone, alarms, curves, both languages, missing parts."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.corpus import corpora
from japagen.analyze.diversity import diversity as measured
from japagen.records import Example
from japagen.report.diversity import diversity, diversity_figures, measure_name
from japagen.report.language import in_language, missing


def one(synthetic: float, gold: float | None, limit: float | None) -> dict[str, Any]:
    apart = None if gold is None else synthetic - gold
    differs = None if apart is None or limit is None else abs(apart) > limit
    low = None if limit is None else -limit
    values = {"difference": apart, "low": low, "high": limit, "differs": differs, "signature": "how it was made"}
    return {"synthetic": synthetic, "gold": gold, **values}


def told(**measures: Any) -> dict[str, Any]:
    given = {
        "self_bleu_4": one(0.62, 0.51, 0.03),
        "distinct_2": one(0.40, 0.60, 0.05),
        "entropy_2": one(9.0, 8.0, 0.5),
        "compression": one(3.1, 3.0, 0.2),
    }
    growth = {
        "synthetic": {"n": [100, 200], "words": [1000, 2000], "types": [300, 400], "self_bleu_4": [0.5, 0.7]},
        "gold": {"n": [100, 200], "words": [900, 1800], "types": [400, 600], "self_bleu_4": [0.4, None]},
    }
    labels = {"肯定": {"synthetic": {"self_bleu_4": 0.6}, "gold": {"self_bleu_4": 0.5}}, "否定": {"synthetic": None}}
    return {
        "diversity": {
            "tokeniser": "unidic-lite",
            "n": 2000,
            "mean_words": {"synthetic": 20.0, "gold": 30.0},
            "deals": 200,
            "measures": given | measures,
            "by_label": {"n": 40, "labels": labels},
            "growth": growth,
        }
    }


def view(**measures: Any) -> dict[str, Any]:
    found = diversity(told(**measures))
    assert found is not None
    return found


def test_sentences_say_what_the_measures_find() -> None:
    said = " ".join(view()["sentences"])
    assert "2,000 texts of each set were measured: 20.0 words in a synthetic text and 30.0 in a gold one" in said
    assert "They repeat one another more than gold texts do: Self-BLEU-4 is .620, of gold .510." in said
    assert (
        "Of 4 measures 2 find the synthetic texts more alike than gold, 1 more varied, and 1 find no difference" in said
    )
    assert "The texts differ in length" in said
    told_more = told()
    told_more["diversity"]["n"] = 100
    assert "among 200 synthetic ones it is .700" in " ".join((diversity(told_more) or {})["sentences"])


@pytest.mark.parametrize(
    ("synthetic", "says"), [(0.62, "more than gold"), (0.40, "less than gold"), (0.52, "about as much as gold")]
)
def test_the_headline_follows_the_verdict(synthetic: float, says: str) -> None:
    assert says in " ".join(view(self_bleu_4=one(synthetic, 0.51, 0.03))["sentences"])


def test_rows_name_the_side_of_gold() -> None:
    rows = {row["name"]: row for group in view()["groups"] for row in group["rows"]}
    assert rows["Self-BLEU-4"]["verdict"] == rows["distinct-2"]["verdict"] == "more alike than gold"
    assert rows["entropy of 2-grams"]["verdict"] == "more varied than gold"
    assert rows["compression ratio"]["verdict"] == "as gold, within chance"
    assert (rows["distinct-2"]["difference"], rows["distinct-2"]["chance"]) == ("−.200", "[−.050, +.050]")
    assert [row["alike"] for row in rows.values()] == [True, False, True, False]


def test_an_alarm_for_far_fewer_pairs_of_words_beyond_chance() -> None:
    (alarm,) = view()["alarms"]
    assert "of their pairs of words .400 are different, of gold's .600" in alarm
    assert "KADG" in alarm
    assert view(distinct_2=one(0.40, 0.60, 0.3))["alarms"] == []  # by chance
    assert view(distinct_2=one(0.50, 0.60, 0.05))["alarms"] == []  # not far
    assert view(distinct_2=one(0.70, 0.40, 0.05))["alarms"] == []  # more varied
    assert view(distinct_2=one(0.40, None, None))["alarms"] == []


def test_labels_without_texts_are_left_out() -> None:
    found = view()["by_label"]
    assert [row["label"] for row in found["rows"]] == ["肯定"]
    assert found["rows"][0]["cells"] == [[".600", ".500"], ["", ""], ["", ""], ["", ""]]
    assert found["n"] == "40"


def test_curves_are_drawn_from_what_is_there() -> None:
    drawn = diversity_figures(told())
    assert set(drawn) == {"diversity-words", "diversity-bleu"}
    assert [trace["name"] for trace in drawn["diversity-words"]["data"]] == ["synthetic", "gold"]
    assert [trace["name"] for trace in drawn["diversity-bleu"]["data"]] == ["synthetic"]  # gold has one point alone
    assert list(drawn["diversity-words"]["data"][0]["y"]) == [300, 400]
    assert diversity_figures({}) == {}
    assert diversity_figures({"diversity": {"growth": {"synthetic": {"n": [5], "self_bleu_4": [0.1]}}}}) == {}


def test_without_gold_nothing_is_compared() -> None:
    analysis = told(**{name: one(0.5, None, None) for name in told()["diversity"]["measures"]})
    analysis["diversity"] |= {"deals": None, "mean_words": {"synthetic": 20.0, "gold": None}, "by_label": None}
    found = diversity(analysis)
    assert found is not None
    assert (found["gold"], found["deals"], found["by_label"], found["alarms"]) == (False, "", None, [])
    assert "Their Self-BLEU-4 is .500." in found["sentences"]


@pytest.mark.parametrize(
    "analysis", [{}, {"diversity": None}, {"diversity": {}}, {"diversity": {"measures": {"x": None}}}]
)
def test_nothing_measured_is_no_section(analysis: dict[str, Any]) -> None:
    assert diversity(analysis) is None


@given(st.integers(0, 6), st.integers(0, 40))
def test_what_the_analysis_writes_is_read(theirs: int, ours: int) -> None:
    rows = [[Example(str(at), "靴が" * (at % 3) + "犬", "x") for at in range(n)] for n in (ours, theirs)]
    mine, yours = corpora(rows, ["x"], "character")
    analysis = {"diversity": json.loads(json.dumps(measured(mine, yours, labels=["x"], seed=0, deals=2)))}
    found = diversity(analysis)
    assert (found is None) == (ours == 0)
    diversity_figures(analysis)


def test_in_japanese_nothing_is_left_in_english() -> None:
    with in_language("ja"):
        found = diversity(told())
        diversity_figures(told())
        assert found is not None
        assert found["groups"][0]["rows"][0]["verdict"] == "正解より似通う"
        assert "互いに繰り返しが多い" in "".join(found["sentences"])
        assert missing() == ()


def test_names() -> None:
    assert [measure_name(name) for name in ("self_bleu_5", "distinct_1", "repeated_8", "self_repetition")] == [
        "Self-BLEU-5",
        "distinct-1",
        "repeated runs of 8",
        "self-repetition",
    ]
