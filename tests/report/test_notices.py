"""What a reader is warned of first: each warning, its remedy and its section, the gravest first."""

from typing import Any

import pytest

from japagen.report.language import in_language
from japagen.report.notices import Notice, notices

SCORES = {"systems": [{"name": "zero-shot"}], "n": 600, "metric": "accuracy", "smallest_detectable_difference": 0.03}


def warned(
    *, stages: Any = None, experiment: Any = None, views: Any = None, ledger: Any = (), **scores: Any
) -> list[Notice]:
    return notices(SCORES | scores, stages or {}, experiment or {}, ledger, views or {}, ())


def texts(**more: Any) -> list[str]:
    return [notice.text for notice in warned(**more)]


def test_a_run_without_any_fault_warns_of_nothing() -> None:
    assert warned() == []
    assert notices({}, {}, {}, [], {}, ()) == []


def test_the_gravest_come_first_and_lead_to_their_section() -> None:
    gap = {"value": 0.01, "low": -0.02, "high": 0.04, "p": 0.5}
    found = warned(
        ledger=[{"stage": "curate", "adds_up": False}, {"stage": "generate", "adds_up": True}],
        contaminated=3,
        views={"artefacts": {"alarms": ["甲"]}, "scaling": {"alarms": ["乙"]}, "correctness": {"alarms": ["丙"]}},
        n=200,
        contrast={"system": "japagen/linear", "against": "zero-shot", "difference": gap},
    )
    assert [notice.section for notice in found] == [
        "rows", "contamination", "artefacts", "correctness", "scaling", "scores", "scores",
    ]  # fmt: skip
    assert "'curate' do not add up" in found[0].text
    assert "3 of 200" in found[1].text
    assert all(notice.remedy for notice in (found[1], found[-1], found[-2]))
    assert "cannot tell its two systems apart" in found[-1].text


def test_nothing_measured_is_said_with_its_remedy() -> None:
    [found] = warned(systems=[])
    assert found.text == "The task names no gold data, so nothing was measured."
    assert "gold" in found.remedy


@pytest.mark.parametrize(
    ("alarms", "more"),
    [
        (["a"], ""),
        (["a", "b"], "One more alarm stands in that section."),
        (["a", "b", "c"], "2 more alarms stand in that section."),
    ],
)
def test_of_many_alarms_of_a_section_the_first_is_told(alarms: list[str], more: str) -> None:
    assert warned(views={"curation": {"alarms": alarms}}) == [Notice("a", more, "curation")]


def test_a_comparison_that_decides_is_no_warning() -> None:
    gap = {"value": 0.05, "low": 0.02, "high": 0.08, "p": 0.001}
    assert warned(contrast={"system": "a", "against": "b", "difference": gap}) == []


@pytest.mark.parametrize(("kept", "told"), [(49, True), (50, False), (None, False)])
def test_labels_of_which_less_than_half_is_left(kept: object, told: bool) -> None:
    experiment, stages = {"generate": {"per_label": 100}}, {"curate": {"by_label": {"良い": {"kept": kept}}}}
    found = texts(experiment=experiment, stages=stages)
    assert found == (["Of 100 texts asked for of label '良い', 49 are left."] if told else [])


def test_rows_that_were_not_asked_for_or_not_chosen_are_not_missing() -> None:
    experiment = {"generate": {"per_label": 1000}}
    stopped = {"generate": {"by_label": {"a": {"requested": 80}}}, "curate": {"by_label": {"a": {"kept": 40}}}}
    assert texts(experiment=experiment, stages=stopped) == []
    sampled = {"curate": {"by_label": {"a": {"kept": 100, "dropped": {"not_sampled": 350, "surplus": 50}}}}}
    assert texts(experiment=experiment, stages=sampled) == []


def test_answers_that_never_came_are_announced() -> None:
    one = {"name": "zero-shot", "unparsed": 12, "answers": 600}
    [said] = texts(systems=[one])
    assert said == "zero-shot: 12 of 600 answers failed, were refused or could not be read; they count as wrong."
    [said] = texts(systems=[one], kind="similarity")
    assert said.endswith("they count as the mean answer.")
    assert texts(systems=[one | {"unparsed": 0}]) == []


def test_small_tests_are_announced() -> None:
    assert texts(n=200, smallest_detectable_difference=0.062) == [
        "The test set has only 200 rows. Differences below about 6.2 points cannot be told from chance."
    ]
    [said] = texts(n=200, metric="mcc")
    assert "points of accuracy cannot" in said
    [said] = texts(n=200, metric="spearman", smallest_detectable_difference=None)
    assert "Hardly any difference can be told" in said


def test_too_few_resamples_for_so_many_comparisons_are_told() -> None:
    few, many = ([f"system {n}" for n in range(count)] for count in (124, 125))
    experiment = {"evaluate": {"resamples": 5000}}
    assert warned(experiment=experiment, tests={"family": few}) == []  # 2 x 124 / 5,000 is below .05
    [said] = warned(experiment=experiment, tests={"family": many})
    assert "5,000 resamples" in said.text
    assert "evaluate.resamples to 10,000" in said.remedy


def test_settings_chosen_on_gold_are_told() -> None:
    [said] = warned(experiment={"train": {"dev": "gold"}})
    assert (said.section, "gold labels" in said.text) == ("students", True)


def test_human_rows_in_a_file_come_first() -> None:
    views = {"artefacts": {"alarms": ["Something."]}}
    first, second = notices({}, {}, {}, [], views, (), held={"n": 400, "of": 400})
    assert (first.text, first.section) == ("400 of the 400 human rows stand in the file.", "contamination")
    assert second.section == "artefacts"
    [one] = notices({}, {}, {}, [], {}, (), held={"n": 1, "of": 3})
    assert one.text == "1 of the 3 human rows stands in the file."
    assert notices({}, {}, {}, [], {}, (), held={"n": 0, "of": 3}) == []


def test_what_was_left_out_and_why() -> None:
    scores = {"left_out": ["supervised: no gold.train is given to learn from", "K = 5"], "systems": [{}]}
    found = notices(scores, {}, {}, [], {}, ())
    assert [one.text for one in found] == [
        "Left out: supervised (no gold.train is given to learn from).",
        "Left out: K = 5.",
    ]
    with in_language("ja"):
        found = notices(scores, {}, {}, [], {}, ())
    assert found[0].text == "対象外：supervised（学習に使うgold.trainの指定がない）。"
