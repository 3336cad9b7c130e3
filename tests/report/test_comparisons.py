"""What the report claims of comparisons: the one declared beforehand, corrected p values, training on all gold."""

import json
from pathlib import Path
from typing import Any

import pytest

from japagen.report import comparisons
from japagen.report.opening import opening
from japagen.report.scoretable import score_table
from japagen.report.words import gap, probability, system_phrase, verdict

JNLI = json.loads(Path(__file__).with_name("jnli_scores.json").read_text("utf-8"))
SYSTEMS: list[dict[str, Any]] = [
    {"name": "japagen/linear", "kind": "japagen", "student": "linear"},
    {"name": "zero-shot", "kind": "prompted"},
]


def difference(value: float | None, low: float | None, high: float | None, p: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "p": p}


def contrast(told: dict[str, Any] | None, declared: bool | None = True, **scores: Any) -> list[str]:
    one = {"system": "japagen/linear", "against": "zero-shot", "declared": declared, "difference": told}
    return comparisons.contrast({"metric": "accuracy", "systems": SYSTEMS, "contrast": one, **scores})


# The comparison declared beforehand

START = "In the comparison declared beforehand, the linear student trained on synthetic texts"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (difference(0.04, 0.01, 0.07, 0.012),
         " is better than zero-shot prompting of the LLM: in accuracy the first minus the second is "
         "+.04 [+.01, +.07], p = .012."),
        (difference(-0.04, -0.07, -0.01, 0.0004), " is worse than zero-shot prompting of the LLM: in accuracy the first "
         "minus the second is −.04 [−.07, −.01], p < .001."),
        (difference(0.01, -0.02, 0.04, 0.41), " is not distinguishable from zero-shot prompting of the LLM: in accuracy "
         "the first minus the second is +.01 [−.02, +.04], p = .41."),
        # A tie, and a test that does not allow what the interval does.
        (difference(0.0, 0.0, 0.0, 1.0), " is not distinguishable from zero-shot prompting of the LLM: in accuracy the "
         "first minus the second is .00 [.00, .00], p = 1.00."),
        (difference(0.04, 0.001, 0.07, 0.06), " is not distinguishable from zero-shot prompting of the LLM: in accuracy "
         "the first minus the second is +.04 [+.001, +.07], p = .060."),
        (difference(0.04, 0.01, 0.07), " is better than zero-shot prompting of the LLM: in accuracy the first minus the "
         "second is +.04 [+.01, +.07]."),
        (difference(0.04, None, None, 0.01),
         " minus zero-shot prompting of the LLM is +.04 in accuracy, without an interval, so that nothing is claimed."),
        ({"value": None, "undefined": "one of the two has no score"},
         " and zero-shot prompting of the LLM have no difference in accuracy: one of the two has no score."),
    ],
)  # fmt: skip
def test_the_contrast_is_one_sentence_that_claims_no_more_than_was_found(told: dict[str, Any], said: str) -> None:
    assert contrast(told) == [START + said]


def test_a_contrast_without_numbers_says_so() -> None:
    [said] = contrast(None)
    assert said.endswith("no difference was computed.")
    [said] = contrast({})
    assert said.endswith("no difference was computed.")


def test_whether_it_was_declared_is_said() -> None:
    told = difference(0.04, 0.01, 0.07, 0.012)
    [default], [unknown] = contrast(told, declared=False), contrast(told, declared=None)
    assert default.startswith("In the comparison made by default (the experiment declares none), the linear student")
    assert unknown.startswith("In the primary comparison, the linear student")


def test_no_contrast_says_nothing_and_a_system_that_is_not_there_keeps_its_name() -> None:
    assert comparisons.contrast({}) == comparisons.contrast({"contrast": None}) == []
    assert comparisons.contrast({"contrast": {"declared": True}}) == []
    [said] = contrast(difference(0.04, 0.01, 0.07, 0.01), systems=SYSTEMS[:1])
    assert "is better than zero-shot: in accuracy" in said


def test_the_contrast_opens_the_report_and_the_rest_follows() -> None:
    first, second, *_, last = opening(JNLI, {"generate": {"shots": 0}})
    assert first.startswith("In the comparison declared beforehand, the encoder student trained on synthetic texts is")
    assert second.startswith("A classifier that saw no labelled data reaches an accuracy of")
    assert last.startswith("All other differences are the other system minus this one")
    assert "corrected for the number of comparisons, is below .05 too." in last
    without = opening({**JNLI, "contrast": None}, {"generate": {"shots": 0}})
    assert without[0] == second
    assert without[-1].startswith("Differences are the other system minus this one")


def test_an_undefined_primary_is_said_after_its_contrast() -> None:
    void = {"value": None, "undefined": "correlation with a constant"}
    one = {**SYSTEMS[0], "scores": {"spearman": void}}
    scores = {"metric": "spearman", "primary": one["name"], "systems": [one], "contrast": {
        "system": one["name"], "against": "zero-shot", "declared": True, "difference": void}}  # fmt: skip
    first, second = opening(scores, {})
    assert "have no difference in Spearman correlation: correlation with a constant." in first
    assert second.startswith("The classifier trained on texts that the LLM wrote has no Spearman correlation")


@pytest.mark.parametrize(
    ("system", "phrase"),
    [
        ({"name": "japagen/encoder ensemble", "kind": "japagen", "student": "encoder"},
         "the encoder ensemble trained on synthetic texts"),
        ({"name": "japagen/linear", "kind": "japagen", "student": "linear", "anchor_rows": 3},
         "the linear student trained on synthetic and gold texts"),
        ({"name": "gold-20/linear", "kind": "gold", "student": "linear", "k": 20},
         "the linear student trained on 20 gold examples per label"),
        ({"name": "supervised/linear", "kind": "supervised", "student": "linear"},
         "the linear student trained on all gold examples"),
        ({"name": "few-shot self-consistency", "kind": "prompted"}, "few-shot self-consistency prompting of the LLM"),
        ({"name": "majority", "kind": "majority"}, "always giving the same answer"),
        ({"name": "other", "kind": "something new"}, "other"),
    ],
)  # fmt: skip
def test_systems_in_sentences(system: dict[str, Any], phrase: str) -> None:
    assert system_phrase(system) == phrase


# Corrected p values


def test_the_corrected_p_value_can_take_a_claim_back_but_makes_none() -> None:
    told = difference(-0.04, -0.08, -0.01, 0.012)
    assert verdict(told) == verdict(told | {"p_holm": 0.049}) == "worse"
    assert verdict(told | {"p_holm": 0.05}) == "unclear"
    assert verdict(difference(0.01, -0.02, 0.04) | {"p_holm": 0.001}) == "unclear"
    assert verdict(difference(0.01, None, None) | {"p_holm": 0.001}) == "unknown"


def test_a_claim_that_was_taken_back_says_why() -> None:
    told = difference(-0.04, -0.08, -0.01, 0.012)
    assert gap(told) == gap(told | {"p_holm": 0.03}) == "−.04 [−.08, −.01]"
    assert gap(told | {"p_holm": 0.12}) == "−.04 [−.08, −.01], corrected p = .12"
    assert gap(difference(0.01, -0.02, 0.04) | {"p_holm": 0.9}) == "+.01 [−.02, +.04]"
    assert gap(None) == "not known"


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0, "< .001"), (0.00099, "< .001"), (0.001, "= .001"), (0.0124, "= .012"), (0.41, "= .41"), (1, "= 1.00"),
     (0.0496, "= .0496"), (0.05, "= .050"), (0.0502, "= .050"), (None, "not known")],
)  # fmt: skip
def test_p_values_show_their_side_of_five_percent(p: float | None, text: str) -> None:
    assert probability(p) == text


def test_the_table_has_corrected_p_values_only_where_there_are_any() -> None:
    table = score_table(JNLI)
    rows = {row["label"]: row for group in table["groups"] for row in group["rows"]}
    assert table["tested"] is True
    assert (rows["zero-shot"]["p"], rows["zero-shot"]["verdict"]) == (".005", "worse")
    assert (rows["few-shot"]["p"], rows["few-shot"]["verdict"]) == ("1.00", "not distinguishable")
    old = json.loads(json.dumps(JNLI))
    for system in old["systems"]:
        (system["difference"] or {}).pop("p_holm", None)
    assert score_table(old)["tested"] is False


def test_the_sentence_of_the_tests() -> None:
    told = comparisons.tests(JNLI)
    assert told
    assert told["method"].startswith("Paired bootstrap over groups of rows and seeds, two-sided, each system against")
    assert told["method"].endswith("Holm's correction over 12 comparisons.")
    assert len(told["family"]) == 12
    other = comparisons.tests({"tests": {"correction": "holm", "family": ["a", "b"], "method": "Permutation test."}})
    assert other
    assert other["method"] == "Permutation test. p values are corrected by the method of Holm over 2 comparisons."
    assert comparisons.tests({"tests": {"correction": "holm", "family": [], "method": "nothing to compare"}}) is None
    assert comparisons.tests({}) is None


def test_every_test_is_listed_with_mcnemar_where_it_was_made() -> None:
    told = comparisons.one_by_one(JNLI)
    assert told
    assert (told["exact"], len(told["rows"])) == (False, 12)
    assert told["rows"][0] == {"name": "japagen/linear", "cells": ["< .001", ".005"]}
    exact = {"name": "zero-shot", "difference": difference(0.1, 0.0, 0.2, 0.04) | {"p_holm": 0.08},
             "mcnemar": {"only_a": 31, "only_b": 1204, "p": 0.0003}}  # fmt: skip
    told = comparisons.one_by_one({"systems": [{"name": "japagen/linear", "mcnemar": None}, exact]})
    assert told == {"rows": [{"name": "zero-shot", "cells": [".040", ".080", "31", "1,204", "< .001"]}], "exact": True}
    assert comparisons.one_by_one({"systems": [{"name": "a"}]}) is None


# Training on all gold rows


def supervised(told: dict[str, Any], **more: Any) -> str:
    primary = {**SYSTEMS[0], "scores": {"accuracy": {"value": 0.8}}}
    full = {"name": "supervised/linear", "kind": "supervised", "student": "linear", "train_rows": 18065,
            "scores": {"accuracy": {"value": 0.9, "low": 0.88, "high": 0.92}}, "difference": told, **more}  # fmt: skip
    return " ".join(opening({"primary": "japagen/linear", "systems": [primary, full]}, {}))


@pytest.mark.parametrize(
    ("told", "claim"),
    [
        (difference(0.1, 0.08, 0.12), "reaches .90 [.88, .92], which is better (difference +.10 [+.08, +.12])."),
        (difference(-0.1, -0.12, -0.08), "reaches .90 [.88, .92], which is worse (difference −.10 [−.12, −.08])."),
        (difference(0.1, -0.1, 0.3), "reaches .90 [.88, .92], which is not distinguishable (difference +.10 [−.10, +.30])."),
        ({}, "reaches .90 [.88, .92]; no interval of the difference was computed."),
    ],
)  # fmt: skip
def test_training_on_all_gold_rows_is_said_with_its_difference(told: dict[str, Any], claim: str) -> None:
    said = supervised(told)
    assert f"Trained on all 18,065 human-labelled examples, the same classifier {claim}" in said
    assert "No classifier was trained on gold examples" not in said


def test_training_on_all_gold_rows_may_be_undefined_or_of_another_student() -> None:
    void = {"accuracy": {"value": None, "undefined": "no rows"}}
    assert "the same classifier has no accuracy: no rows." in supervised({}, scores=void)
    assert "Trained on all" not in supervised({}, student="encoder")


def test_all_gold_has_its_own_group_in_the_table() -> None:
    [group] = [g for g in score_table(JNLI)["groups"] if g["kind"] == "supervised"]
    assert group["title"] == "Trained on all gold (fully supervised)"
    assert [(row["label"], row["rows"]) for row in group["rows"]] == [("encoder", "18,065"), ("linear", "18,065")]
