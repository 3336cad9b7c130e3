"""What the report says of single texts of pairs: alarms only where the probe raises one, expressions with their counts."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from japagen.report import ReportData, write_report
from japagen.report.artefacts import artefacts

LABELS = ["entailment", "contradiction"]
TASK = {"labels": {label: {"meaning": label} for label in LABELS}}
EVIL = "<script>alert(1)</script>"


def probe(text: str, grouped: float, *, artefact: bool = False, guess: float = 0.55) -> dict[str, Any]:
    figures = {"rows": 700, "groups": 325, "guess": guess, "random": 0.8, "grouped": grouped}
    return {"text": text, "measure": "accuracy", **figures, "artefact": artefact, "leaking": True}


NOTHING = {"texts": {"entailment": 200, "contradiction": 100}, "looked_at": 570, "least": 17.5}
NOTHING |= {"by_label": {"entailment": [], "contradiction": []}}
ENDING = {"expression": "ません", "ratio": 88.0, "texts": 50, "others": 20}
TOLD = {
    "probes": {
        "synthetic": [probe("first", 0.54), probe("second", 0.68, artefact=True)],
        "gold": [probe("first", 0.51), probe("second", 0.537)],
    },
    "give_aways": {
        "first": NOTHING,
        "second": NOTHING | {"by_label": {"entailment": [], "contradiction": [ENDING, ENDING | {"ratio": 22.0}]}},
    },
}


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the 5 MB of Plotly."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")


def section(told: dict[str, Any]) -> dict[str, Any]:
    found = artefacts({"artefacts": told}, LABELS)
    assert found
    return found


def quiet() -> dict[str, Any]:
    told = copy.deepcopy(TOLD)
    told["probes"]["synthetic"][1] = probe("second", 0.56)
    return told


def pages(told: dict[str, Any], folder: Path) -> tuple[str, str]:
    html, markdown = write_report(ReportData("x", task=TASK, analysis=told), folder)
    plain = re.sub(r"<(script|style).*?</\1>", "", html.read_text("utf-8"), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).split()), markdown.read_text("utf-8")


def test_the_alarm_says_what_is_reached_beside_gold_and_what_to_do() -> None:
    assert section(TOLD)["alarms"] == [
        "The second text alone tells the label of .68 of the synthetic pairs (of gold pairs .54); a guess is right in .55. "
        "A student can learn that and never compare the two texts. The expressions are listed below: rules of the task can "
        "forbid them, or ask for them under every label."
    ]


def test_no_alarm_is_said_plainly() -> None:
    found = section(quiet())
    assert found["alarms"] == []
    assert found["sentences"][-1] == "Neither text of the synthetic pairs gives the label away."


def test_an_alarm_without_expressions_points_at_none() -> None:
    told = copy.deepcopy(TOLD)
    told["give_aways"]["second"] = NOTHING
    del told["probes"]["gold"]
    [alarm] = section(told)["alarms"]
    assert "listed below" not in alarm
    assert "gold" not in alarm
    assert alarm.endswith("No single expression stands out; read some of these texts label by label.")
    assert section(told)["silent"] == ["first", "second"]


def test_similarity_is_told_as_a_correlation() -> None:
    told = copy.deepcopy(TOLD)
    for one in told["probes"]["synthetic"]:
        one |= {"measure": "spearman", "guess": 0.0, "grouped": 0.31}
    assert section(told)["measure"] == "Spearman correlation"
    start = "The second text alone ranks the synthetic pairs with a Spearman correlation of .31 (of gold pairs .54). A"
    assert section(told)["alarms"][0].startswith(start)


def test_gold_that_gives_labels_away_is_named_but_raises_no_alarm() -> None:
    told = quiet()
    told["probes"]["gold"][0]["artefact"] = True
    found = section(told)
    assert found["alarms"] == []
    assert "In gold the first text alone gives it away." in found["sentences"]


def test_what_could_not_be_probed_says_why() -> None:
    told = copy.deepcopy(TOLD)
    told["probes"] = {"synthetic": {"undefined": "4 groups are too few for 5 folds"}}
    found = section(told)
    assert "The synthetic pairs could not be probed: 4 groups are too few for 5 folds." in found["sentences"]
    assert (found["rows"], found["alarms"]) == ([], [])


def test_expressions_come_with_counts_and_shares_of_texts() -> None:
    [second] = section(TOLD)["expressions"]
    assert (second["text"], second["looked_at"], second["least"]) == ("second", "570", "17.5")
    [of_label] = second["labels"]
    assert of_label["label"] == "contradiction"
    strongest, other = of_label["rows"]
    assert strongest == {
        "expression": "ません", "bar": 1.0, "ratio": "88.0",
        "texts": "50", "texts_share": "50.0 %", "others": "20", "others_share": "10.0 %",
    }  # fmt: skip
    assert other["bar"] == 0.25


def test_both_pages_show_it_and_the_top_of_the_page_warns(tmp_path: Path) -> None:
    html, markdown = pages({"artefacts": TOLD}, tmp_path)
    assert "> **Note:** The second text alone tells the label of .68" in markdown
    for page in (html, markdown):
        assert "The second text alone tells the label of .68" in page
        assert "gives labels away" in page
        assert "ません" in page
    html, markdown = pages({"artefacts": quiet()}, tmp_path)
    for page in (html, markdown):
        assert "alone tells the label of" not in page
        assert "Neither text of the synthetic pairs" in page


def test_runs_without_pairs_have_no_section(tmp_path: Path) -> None:
    assert artefacts({}, LABELS) is None
    html, markdown = pages({}, tmp_path)
    assert "gives away" not in html + markdown


def test_expressions_are_escaped(tmp_path: Path) -> None:
    told = copy.deepcopy(TOLD)
    told["give_aways"]["second"]["by_label"]["contradiction"][0]["expression"] = EVIL
    write_report(ReportData("x", task=TASK, analysis={"artefacts": told}), tmp_path)
    for name in ("report.html", "report.md"):
        page = (tmp_path / name).read_text("utf-8")
        assert EVIL not in page
        assert "alert(1)" in page
