"""What the report says of a second round: the arms in a table, and whether it was for the errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from japagen.report import ReportData, write_report
from japagen.report.figures import intervals
from japagen.report.opening import opening
from japagen.report.rounds import RUN, rounds
from japagen.report.scoretable import score_table
from japagen.report.words import system_label, system_phrase

UNCLEAR, WORSE, BETTER = (-0.02, 0.02), (-0.05, -0.01), (0.01, 0.05)


def system(
    name: str, value: float | None, between: tuple[float, float] | None = None, rows: int = 90
) -> dict[str, Any]:
    arm, _, student = name.partition("/")
    score = {"value": value, "low": 0.5, "high": 0.9, "by_seed": [value], "signature": "accuracy (n=500)"}
    found = {"name": name, "kind": "japagen" if arm == "japagen" else "arm", "student": student, "train_rows": rows}
    found["scores"] = {"accuracy": score if value is not None else {"value": None, "undefined": "no answers"}}
    if between:
        low, high = between
        found["difference"] = {"value": (low + high) / 2, "low": low, "high": high, "p": 0.01, "p_holm": 0.03}
    return found


def scores(*arms: dict[str, Any], **more: Any) -> dict[str, Any]:
    run = system("japagen/embedding", 0.72, rows=180)
    return {"metric": "accuracy", "primary": run["name"], "systems": [run, *arms], **more}


def arms(control: tuple[float, float] = UNCLEAR, first: tuple[float, float] = WORSE) -> list[dict[str, Any]]:
    return [
        system("round-1/embedding", 0.69, first),
        system("guided/embedding", 0.719, UNCLEAR, 176),
        system("control/embedding", 0.718, control, 176),
    ]


def sentences(*given: dict[str, Any], **more: Any) -> list[str]:
    told = rounds(scores(*given, **more))
    assert told
    return list(told["sentences"])


def test_a_run_without_arms_has_no_such_section() -> None:
    assert rounds(scores()) is None
    assert rounds({}) is None


def test_each_student_with_its_arms_beside_the_run() -> None:
    others = [system("japagen/linear", 0.6, WORSE, 180), system("control/linear", 0.61, WORSE, 176)]
    told = rounds(scores(*arms(), *others))
    assert told
    first, second = told["groups"]
    assert (first["student"], second["student"]) == ("embedding", "linear")
    assert [(row["learnt"], row["rows"], row["value"], row["verdict"]) for row in first["rows"]] == [
        (RUN, "180", ".720", ""),
        ("round 1 alone", "90", ".690", "worse"),
        ("round 1, and rows shown the errors", "176", ".719", "not distinguishable"),
        ("round 1, and rows shown the control", "176", ".718", "not distinguishable"),
    ]
    assert first["rows"][1]["difference"] == "−.030 [−.050, −.010]"
    assert [row["primary"] for row in first["rows"]] == [True, False, False, False]
    assert [row["learnt"] for row in second["rows"]] == [RUN, "round 1, and rows shown the control"]
    assert not any(row["primary"] for row in second["rows"])


@pytest.mark.parametrize(
    ("between", "said"),
    [
        (UNCLEAR, "is not distinguishable from its control"),
        (WORSE, "is worse than the second round (it minus both rounds: −.03 [−.05, −.01]): it was for the errors."),
        (
            BETTER,
            "is better than the second round (it minus both rounds: +.03 [+.01, +.05]): the errors were bad guides.",
        ),
    ],
)
def test_whether_it_was_for_the_errors_is_read_off_the_control(between: tuple[float, float], said: str) -> None:
    assert said in sentences(*arms(control=between))[0]


def test_an_equal_control_takes_the_credit_from_the_errors() -> None:
    first = sentences(*arms())[0]
    assert "that it was shown the errors made no difference that this test can see" in first
    assert "it was for the errors" not in first


def test_a_corrected_p_value_takes_the_claim_back() -> None:
    given = arms(control=WORSE)
    given[2]["difference"]["p_holm"] = 0.2
    assert "is not distinguishable from its control" in sentences(*given)[0]


@pytest.mark.parametrize(
    ("between", "p", "said"),
    [
        (BETTER, 0.01, "is worse than the second round (as declared, guided minus control: +.03 [+.01, +.05])"),
        (WORSE, 0.01, "is better than the second round (as declared, guided minus control: −.03 [−.05, −.01])"),
        (BETTER, 0.2, "is not distinguishable from its control"),
    ],
)
def test_a_declared_contrast_of_guided_and_control_goes_first(
    between: tuple[float, float], p: float, said: str
) -> None:
    low, high = between
    difference = {"value": (low + high) / 2, "low": low, "high": high, "p": p}
    one = {"system": "guided/embedding", "against": "control/embedding", "declared": True, "difference": difference}
    assert said in sentences(*arms(), contrast=one)[0]
    other = {**one, "against": "round-1/embedding"}
    assert "it minus both rounds: .00 [−.02, +.02]" in sentences(*arms(), contrast=other)[0]


@pytest.mark.parametrize(
    ("between", "said"),
    [
        (UNCLEAR, "a gain from the second is not shown."),
        (WORSE, "Round 1 alone is worse than both rounds (it minus both: −.03 [−.05, −.01]); some of that may be for"),
        (BETTER, "the second did harm."),
    ],
)
def test_round_one_alone(between: tuple[float, float], said: str) -> None:
    assert said in sentences(*arms(first=between))[1]


def test_what_is_missing_is_said() -> None:
    said = sentences(system("round-1/embedding", 0.69))
    assert said[0] == "No control was measured, so that a gain cannot be ascribed to the errors that were shown."
    assert said[1] == "The difference of round 1 alone and both rounds has no interval."
    assert "labelled gold dev rows" in said[2]
    told = rounds(scores(system("control/embedding", None), system("odd-arm/embedding", 0.7)))
    assert told
    assert [(row["learnt"], row["value"]) for row in told["groups"][0]["rows"]] == [
        (RUN, ".720"),
        ("round 1, and rows shown the control", "undefined"),
        ("odd-arm", ".700"),
    ]


def test_arms_elsewhere_in_the_report() -> None:
    one = system("round-1/linear", 0.6)
    assert system_label(one) == "linear, round 1"
    assert system_phrase(one) == "the linear student trained on 'round 1'"
    groups = {group["kind"]: group for group in score_table(scores(*arms()))["groups"]}
    assert groups["arm"]["title"] == "Trained on other synthetic rows"
    figure = intervals(scores(*arms()))
    assert figure
    assert "Trained on other synthetic rows" in json.dumps(figure)


@pytest.mark.parametrize(
    ("shots", "rounds_", "said"),
    [
        (0, 1, "A classifier that saw no labelled data reaches"),
        (
            0,
            2,
            "A classifier trained only on texts that the LLM wrote, shown in a second round gold texts that it got wrong,",
        ),
        (3, 2, "wrote, shown 3 example texts each time and in a second round gold texts that it got wrong, reaches"),
    ],
)
def test_the_report_never_says_that_guided_students_saw_no_labels(shots: int, rounds_: int, said: str) -> None:
    assert said in opening(scores(), {"generate": {"shots": shots}, "rounds": rounds_})[0]


def test_both_pages_show_the_section(tmp_path: Path) -> None:
    html, md = (file.read_text("utf-8") for file in write_report(ReportData("two", scores=scores(*arms())), tmp_path))
    for page in (html, md):
        assert "The second round" in page
        assert "round 1, and rows shown the control" in page
    assert '<a href="#rounds">Rounds</a>' in html
    assert "| embedding | round 1 alone | 90 | .690 [.500, .900] | −.030 [−.050, −.010] | .030 | worse |" in md
    html, md = (file.read_text("utf-8") for file in write_report(ReportData("one", scores=scores()), tmp_path))
    assert "The second round" not in html + md
