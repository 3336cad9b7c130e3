"""What the report says of label correctness: who says it, how sure, which alarms; on both pages and in both languages."""

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from japagen.report import ReportData, write_report
from japagen.report.correctness import correctness, correctness_figures
from japagen.report.language import in_language, missing

LABELS = ["positive", "negative"]
TASK = {"labels": {label: {"meaning": label} for label in LABELS}}
EVIL = "<script>alert(1)</script>"


def part(value: float, low: float, high: float, rows: int, *, alarm: bool = False) -> dict[str, Any]:
    return {"right": round(value * rows), "rows": rows, "value": value, "low": low, "high": high, "alarm": alarm}


def oracle_part(raw: float, value: float, low: float, high: float, rows: int, *, alarm: bool = False) -> dict[str, Any]:
    return {"raw": raw, "corrected": value, "low": low, "high": high, "rows": rows, "alarm": alarm}


def word(value: str, share: float, expected: float, p: float, *, alarm: bool = False) -> dict[str, Any]:
    told = {"value": value, "right": 40, "rows": 62, "share": share, "low": share - 0.1, "high": share + 0.1}
    return told | {"expected": expected, "p": p / 16, "p_holm": p, "alarm": alarm}


ORACLE = {
    "student": "embedding",
    "gold_rows": {"dev": 100, "test": 1200},
    "gold_enough": True,
    "enough": 1200,
    "asked": 1000,
    "in_gold": 2,
    "student_accuracy": 0.81,
    "weak": False,
    "overall": oracle_part(0.7, 0.84, 0.8, 0.88, 1000),
    "by_label": {
        "positive": oracle_part(0.8, 0.95, 0.9, 1.0, 500),
        "negative": oracle_part(0.6, 0.73, 0.68, 0.78, 500, alarm=True),
    },
    "signature": "label-correctness (embedding on 1300 gold rows)",
}
JUDGE = {
    "llm": "openai:judge-1",
    "rows": 990,
    "unread": 10,
    "applied": False,
    "before": {"rows": 1100, "value": 0.83},
    "audit": {"right": 60, "wrong": 20, "keep_right": 0.95, "keep_wrong": 0.4},
    "audit_sentence": "It knows.",
    "overall": part(0.9, 0.88, 0.92, 990),
    "by_label": {"positive": part(0.9, 0.87, 0.93, 500), "negative": part(0.9, 0.87, 0.93, 490)},
    "unseen": [],
    "signature": "judge-agreement (openai:judge-1, 990 rows)",
}
PEOPLE = {
    "rows": 80,
    "overall": part(0.75, 0.64, 0.84, 80),
    "by_label": {"positive": part(0.9, 0.77, 0.96, 40), "negative": part(0.6, 0.44, 0.74, 40, alarm=True)},
    "unseen": [],
    "elsewhere": 3,
    "signature": "human-correctness (80 of 1000 rows)",
}
AGREEMENT = {
    "between": ["judge", "people"], "rows": 80, "both": 57, "first": 8, "second": 3, "neither": 12, "value": 0.8625,
    "low": 0.77, "high": 0.92, "kappa": 0.6, "kappa_low": 0.4, "kappa_high": 0.78, "signature": "agreement (80 rows)",
}  # fmt: skip
TOLD: dict[str, Any] = {
    "kind": "labels",
    "rows": 1000,
    "low": 0.8,
    "oracle": ORACLE,
    "judge": JUDGE,
    "people": PEOPLE,
    "attributes": {
        "word": {
            "oracle": {
                "values": 20, "compared": 16, "least": 5,
                "listed": [word("おもちゃ", 0.48, 0.61, 0.004, alarm=True), word("家電", 0.6, 0.61, 1.0)],
            }
        }
    },
    "agreement": [AGREEMENT],
}  # fmt: skip
NUMBERS: dict[str, Any] = {
    "kind": "numbers", "rows": 90, "low": 0.8, "judge": None, "people": None, "attributes": {}, "agreement": [],
    "oracle": {
        "student": "embedding", "gold_rows": {"test": 1457}, "gold_enough": True, "enough": 1200, "asked": 90, "in_gold": 0,
        "correlation": {"value": 0.73, "low": 0.69, "high": 0.77},
        "ceiling": {"value": 0.78, "low": 0.76, "high": 0.81},
        "alarm": False,
        "by_label": {"1": {"rows": 45, "mean": 2.14, "low": 1.95, "high": 2.33, "gold_rows": 300, "gold_mean": 1.9}},
        "signature": "oracle-correlation (embedding)",
    },
}  # fmt: skip


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the 5 MB of Plotly."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")


def section(told: dict[str, Any], labels: list[str] | None = None) -> dict[str, Any]:
    found = correctness({"correctness": told}, labels or LABELS)
    assert found
    return found


def changed(source: str, **values: Any) -> dict[str, Any]:
    told = copy.deepcopy(TOLD)
    told[source] |= values
    return told


def pages(told: dict[str, Any], folder: Path) -> tuple[str, str]:
    html, markdown = write_report(ReportData("x", task=TASK, analysis={"correctness": told, "labels": LABELS}), folder)
    plain = re.sub(r"<(script|style).*?</\1>", "", html.read_text("utf-8"), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).split()), markdown.read_text("utf-8")


def test_where_nobody_was_asked_there_is_no_section() -> None:
    assert correctness({}, LABELS) is None
    assert correctness({"correctness": None}, LABELS) is None
    assert correctness({"correctness": TOLD | {"oracle": None, "judge": None, "people": None}}, LABELS) is None
    assert correctness_figures({}, LABELS) == {}


def test_what_the_three_say() -> None:
    said = section(TOLD)["sentences"]
    assert said == [
        "The oracle is the student 'embedding', trained on 1,300 gold rows (dev 100 and test 1,200).",
        "2 rows were not asked about, because gold holds their text.",
        "Of 1,000 rows asked about it gives .70 the label that they have, but it is itself right in .81 of gold rows that "
        "it had not seen. With its errors reckoned out, .84 [.80, .88] of the labels are right.",
        "Where all labels are right they come out about .05 too low. Where labels are wrong because a text is hard, or says "
        "what a student would say, they come out far too high: only people see that.",
        "The judge (openai:judge-1) gives .90 [.88, .92] of 990 rows the label that they have.",
        "10 of its verdicts could not be read.",
        "Of rows that a person labelled it keeps 95.0 % of the 60 right ones and 40.0 % of the 20 wrong ones.",
        "People looked at 80 rows and call .75 [.64, .84] of the labels right, each label counted by its rows.",
        "3 verdicts are about rows that were dropped since.",
    ]


@pytest.mark.parametrize(
    ("source", "values", "said"),
    [
        ("oracle", {"weak": True}, "do not rely on the corrected shares"),
        ("oracle", {"gold_enough": False}, "From 1,200 gold rows on, such shares were within .03"),
        (
            "oracle",
            {"undefined": "2 groups of gold rows"},
            "It cannot say how many labels are right: 2 groups",
        ),
        (
            "judge",
            {"applied": True},
            "rows that it doubted were dropped: of all 1,100 that it read, it agreed with .83.",
        ),
        ("judge", {"audit": None}, "No person has checked its verdicts"),
        ("judge", {"undefined": "none of the 4 verdicts could be read"}, "says nothing: none of the 4 verdicts"),
        ("people", {"unseen": ["negative"]}, "Of 'negative' they saw none."),
        ("people", {"undefined": "none"}, "People have looked at none of these rows."),
    ],
)
def test_what_lessens_a_number_is_said(source: str, values: dict[str, Any], said: str) -> None:
    assert said not in " ".join(section(TOLD)["sentences"])
    assert said in " ".join(section(changed(source, **values))["sentences"])


def test_without_people_the_way_to_ask_them_is_told() -> None:
    assert "japagen curate RUN --audit FILE" in section(TOLD | {"people": None})["sentences"][-1]


def test_alarms_name_the_label_once_and_the_word() -> None:
    label, value = section(TOLD)["alarms"]
    assert label.startswith("People call .60 [.44, .74] of the labels 'negative' right, which is below .80. Read some")
    assert value == (
        "Of the rows with the word 'おもちゃ' .48 have a right label to the oracle, of other rows with the same labels .61 "
        "(corrected p = .004): read them, or take that value out."
    )
    by_oracle = section(TOLD | {"people": None})["alarms"][0]
    assert by_oracle.startswith("Of the labels 'negative' .73 [.68, .78] are right, as the oracle finds")
    quiet = copy.deepcopy(TOLD) | {"people": None, "attributes": {}}
    quiet["oracle"]["by_label"]["negative"]["alarm"] = False
    assert section(quiet)["alarms"] == []


def test_the_table_by_label() -> None:
    found = section(TOLD)
    assert found["sources"] == ["oracle", "judge", "people"]
    every, positive, negative = found["rows"]
    assert every["all"]
    assert every["cells"][0] == {
        "value": ".84",
        "interval": "[.80, .88]",
        "note": "1,000 rows, as it says .70",
        "weak": False,
    }
    assert positive["cells"][2] == {"value": ".90", "interval": "[.77, .96]", "note": "40 rows", "weak": False}
    assert (positive["alarm"], negative["alarm"]) == (False, True)
    some = changed("people", by_label={"positive": PEOPLE["by_label"]["positive"]})
    assert section(some)["rows"][2]["cells"][2] == {"value": "", "interval": "", "note": "", "weak": False}


def test_words_and_agreement() -> None:
    found = section(TOLD)
    [words] = found["words"]
    assert words["rows"][0] == {
        "value": "おもちゃ", "bar": 0.48, "share": ".48", "interval": "[.38, .58]", "rows": "62", "expected": ".61",
        "p": ".004", "alarm": True, "judged": True,
    }  # fmt: skip
    assert "Of 20 values 16 have at least 5 rows" in words["caption"]
    [one] = found["agreement"]
    assert (one["between"], one["agree"], one["kappa"]) == ("judge and people", ".86 [.77, .92]", ".60 [.40, .78]")
    assert one["cells"] == ["57", "8", "3", "12"]
    told = TOLD | {"agreement": [AGREEMENT | {"kappa": None, "kappa_low": None, "kappa_high": None}]}
    assert section(told)["agreement"][0]["kappa"] == "undefined"


def test_numbers_are_told_by_their_correlation() -> None:
    found = section(NUMBERS, ["1"])
    assert "rank correlation of .73 [.69, .77] with the numbers given" in found["sentences"][1]
    assert (found["rows"], found["alarms"]) == ([], [])
    assert found["numbers"] == [
        {"label": "1", "rows": "45", "mean": "2.14", "interval": "[1.95, 2.33]", "gold": "1.90"}
    ]
    told = copy.deepcopy(NUMBERS)
    told["oracle"]["alarm"] = True
    assert section(told, ["1"])["alarms"][0].startswith("The oracle sees no relation")
    assert correctness_figures({"correctness": NUMBERS}, ["1"]) == {}


def test_the_figure_shows_each_source_beside_its_interval() -> None:
    drawn = correctness_figures({"correctness": TOLD}, [*LABELS, EVIL])["correctness"]
    assert [trace["name"] for trace in drawn["data"]] == ["oracle, corrected", "oracle, as it says", "judge", "people"]
    oracle = drawn["data"][0]
    assert list(oracle["x"]) == [0.84, 0.95, 0.73]
    assert list(oracle["error_x"]["array"]) == pytest.approx([0.04, 0.05, 0.05])
    assert list(oracle["error_x"]["arrayminus"]) == pytest.approx([0.04, 0.05, 0.05])
    assert list(drawn["layout"]["yaxis"]["ticktext"]) == ["all labels", *LABELS]
    evil = copy.deepcopy(TOLD)
    evil["people"]["by_label"][EVIL] = PEOPLE["by_label"]["positive"]
    ticks = correctness_figures({"correctness": evil}, [EVIL])["correctness"]["layout"]["yaxis"]["ticktext"]
    assert ticks[-1] == "&lt;script&gt;alert(1)&lt;/script&gt;"


@pytest.mark.parametrize(
    "damaged", [{"oracle": {}}, {"oracle": {"overall": None, "by_label": None}}, {"people": {"x": 1}}]
)
def test_what_is_missing_breaks_nothing(damaged: dict[str, Any]) -> None:
    correctness({"correctness": damaged}, LABELS)
    correctness_figures({"correctness": damaged}, LABELS)


def test_both_pages_show_it(tmp_path: Path) -> None:
    for page in pages(TOLD, tmp_path):
        assert "Are the labels right?" in page
        assert "With its errors reckoned out, .84 [.80, .88]" in page
        assert "People call .60 [.44, .74]" in page
        assert "many wrong" in page
        assert "おもちゃ" in page
        assert "judge and people" in page


def test_labels_and_words_are_escaped(tmp_path: Path) -> None:
    told = copy.deepcopy(TOLD)
    told["attributes"]["word"]["oracle"]["listed"][0]["value"] = EVIL
    write_report(ReportData("x", task=TASK, analysis={"correctness": told}), tmp_path)
    for name in ("report.html", "report.md"):
        assert EVIL not in (tmp_path / name).read_text("utf-8")


def test_in_japanese_nothing_is_left_untranslated() -> None:
    with in_language("ja"):
        for told in (
            TOLD, NUMBERS, TOLD | {"people": None}, changed("oracle", weak=True), changed("oracle", gold_enough=False),
            changed("judge", applied=True), changed("judge", audit=None), changed("people", unseen=["negative"]),
        ):  # fmt: skip
            said = section(told, [*LABELS, "1"])
            for sentence in (*said["sentences"], *said["alarms"]):
                assert re.search("[ぁ-ん]", sentence)
            correctness_figures({"correctness": told}, LABELS)
        mine = [message for message in missing() if message not in ("judge", "undefined", "test", "dev")]
        assert mine == []


def test_numbers_of_a_weak_oracle_are_no_verdict() -> None:
    alone = changed("oracle", weak=True) | {"judge": None, "people": None}
    found = section(alone)
    assert all(row["cells"][0]["note"].startswith("not to be relied on, ") for row in found["rows"])
    assert [row["judged"] for row in found["rows"]] == [False] * 3
    assert not any(row["judged"] for group in found["words"] for row in group["rows"] if group["source"] == "oracle")
    assert all(row["judged"] for row in section(changed("oracle", weak=True))["rows"])  # people and the judge say
    [drawn] = correctness_figures({"correctness": alone}, LABELS).values()
    dots = drawn["data"][0]
    assert (dots["name"], dots["marker"]["symbol"]) == ("oracle, corrected: not to be relied on", "x-thin-open")
    with in_language("ja"):
        assert section(alone)["rows"][0]["cells"][0]["note"].startswith("当てにならない、")
        assert missing() == ()


def test_all_labels_are_low_where_one_of_them_is_flagged_and_they_are_no_better() -> None:
    assert not section(TOLD)["rows"][0]["alarm"]
    low = changed("people", overall=TOLD["people"]["overall"] | {"value": 0.55, "low": 0.4, "high": 0.69})
    assert section(low)["rows"][0]["alarm"]
