"""What the report shows beneath its scores: gold data, contamination, calibration, labels, costs; on both pages."""

import copy
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from japagen.report import ReportData, write_report
from japagen.report.bylabel import by_label
from japagen.report.calibration import bins_of, calibration, shown
from japagen.report.contamination import contamination
from japagen.report.figures import figures, intervals
from japagen.report.gold import gold_data
from japagen.report.reliability import reliability
from japagen.report.spending import prompting

HERE = Path(__file__).parent
JNLI, JSTS = (json.loads((HERE / f"{name}_scores.json").read_text("utf-8")) for name in ("jnli", "jsts"))
EVIL = "<script>alert(1)</script>"
NEW = ("gold", "contrast", "tests", "contamination", "contaminated")
OF_SYSTEMS = ("per_label", "calibration", "cost", "mcnemar", "clean")


class Balance(HTMLParser):
    """Checks that every element is closed."""

    VOID = frozenset({"meta", "input", "br", "link", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", html, flags=re.S))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the 5 MB of Plotly."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")


def written(scores: dict[str, Any], folder: Path) -> tuple[str, str]:
    html, markdown = write_report(ReportData("x", scores=scores), folder)
    Balance(html.read_text("utf-8"))
    return html.read_text("utf-8"), markdown.read_text("utf-8")


def words_of(html: str) -> str:
    """The text of a page, without its elements."""
    plain = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    plain = re.sub(r"<[^>]+>", " ", plain).replace("\u00a0", " ").replace("&#39;", "'").replace("&lt;", "<")
    return " ".join(plain.split())


# Gold data


def test_gold_files_show_their_licence_and_the_start_of_their_digest() -> None:
    told = gold_data(JNLI)
    assert told
    assert told["files"][1] == {
        "split": "test", "file": "valid-v1.3.json", "rows": "2,434", "licence": "CC BY-SA 4.0", "sha256": "3e23e8160039"
    }  # fmt: skip
    split, groups = told["sentences"]
    assert split.startswith("japagen split these rows itself with seed 0: 10 % dev, the rest for training;")
    assert groups.startswith("The 2,434 test pairs of texts belong to 812 groups")
    assert "clustered" in groups


def test_repeated_rows_that_were_left_out_are_counted() -> None:
    told = gold_data({"gold": {"files": [{"split": "all", "repeated": 1}]}})
    assert told
    assert told["sentences"][0] == "Left out: 1 row that repeats text and label of an earlier one."
    told = gold_data({"gold": {"files": [{"split": "all", "repeated": 1203}]}})
    assert told
    assert told["sentences"][0] == "Left out: 1,203 rows that repeat text and label of an earlier one."


def test_rows_without_groups_are_said_to_count_as_independent() -> None:
    told = gold_data(JSTS)
    assert told
    [said] = told["sentences"]
    assert said.startswith("No groups are known among the test pairs of texts")
    assert [one["licence"] for one in told["files"]] == ["CC BY-SA 4.0", "not stated"]
    assert gold_data({}) is gold_data({"gold": None}) is None


# Contamination


def test_contamination_counts_by_kind_and_by_what_was_compared() -> None:
    told = contamination(JNLI)
    assert told
    first, *_, last = told["rows"]
    assert (first["set"], first["against"], first["of"], first["one_text"]) == ("test", "training texts", "2,434", "37")
    assert first["counts"] == ["0", "1", "4"]
    assert (last["against"], last["counts"], last["ids"]) == ("gold dev", ["0", "0", "0"], [])
    assert "5 of the 2,434 test rows stand in the training texts" in " ".join(told["sentences"])
    assert [row["name"] for row in told["clean"] if row["primary"]] == ["japagen/encoder"]
    assert len(told["clean"]) == len(JNLI["systems"])


def test_a_clean_run_is_shown_as_clean() -> None:
    told = contamination(JSTS)
    assert told
    assert (told["rows"][0]["counts"], told["clean"]) == (["0", "0", "0"], [])
    assert "No test row stands in the training texts or among the examples shown." in told["sentences"]


def test_what_was_not_looked_for_is_not_claimed_to_be_clean() -> None:
    assert contamination({}) is contamination({"contamination": []}) is None
    unknown = contamination({"contamination": JSTS["contamination"]})
    assert unknown
    assert not any("No test row" in said or "test rows" in said for said in unknown["sentences"])


def test_many_ids_are_listed_up_to_a_limit_that_is_said() -> None:
    one = {**JNLI["contamination"][0], "ids": [f"row-{n}" for n in range(1040)], "one_text": None}
    told = contamination({"contamination": [one]})
    assert told
    assert (len(told["rows"][0]["ids"]), told["rows"][0]["more"], told["pairs"]) == (30, "1,010", False)


# Calibration


def test_calibration_errors_by_kind_and_why_there_is_none() -> None:
    told = calibration(JNLI)
    assert told
    rows = {(group["kind"], row["label"]): row for group in told["groups"] for row in group["rows"]}
    mine = JNLI["systems"][0]["calibration"]
    assert rows["japagen", "encoder"]["ece"] == f"{mine['ece']:.3f}".removeprefix("0")
    assert rows["japagen", "encoder"]["answers"] == "12,170"
    silent = rows["prompted", "zero-shot self-consistency"]
    assert (silent["ece"], silent["reason"], silent["answers"]) == ("undefined", "the system gives no scores", "")
    assert calibration(JSTS) is None


def test_calibration_of_the_primary_in_words_is_that_of_its_bins() -> None:
    bins = [{"n": 3, "confidence": 0.5, "accuracy": 1 / 3}, {"n": 1, "confidence": 0.9, "accuracy": 1.0}]
    one = {"name": "japagen/linear", "kind": "japagen", "student": "linear", "calibration": {"ece": 0.15, "bins": bins}}
    told = calibration({"systems": [one]})
    assert told
    # Mean confidence (3 * .5 + .9) / 4, and two of four answers are right.
    assert told["sentences"][0].endswith("is .150: its mean confidence is .60, and .50 of its answers are right.")
    assert len((calibration({"systems": [one | {"calibration": {"undefined": "no scores"}}]}) or {})["sentences"]) == 1


def test_the_reliability_plot_has_the_primary_and_the_best_of_three_other_kinds() -> None:
    names = [system["name"] for system in shown(JNLI)]
    assert names == ["japagen/encoder", "gold-100/encoder", "supervised/encoder", "few-shot"]
    drawn = reliability(JNLI)
    assert drawn
    diagonal, mine, *others = drawn["data"]
    assert (diagonal["x"], diagonal["y"]) == ([0, 1], [0, 1])
    assert len(others) == 3
    bins = bins_of(JNLI["systems"][0])
    assert list(mine["x"]) == [one["confidence"] for one in bins]
    assert list(mine["y"]) == [one["accuracy"] for one in bins]
    # Two systems of one colour differ in their lines.
    assert [trace["line"]["dash"] for trace in others] == ["solid", "dash", "solid"]
    assert reliability(JSTS) is None
    assert "reliability" not in figures({}, JSTS, {}, JSTS["labels"])


def test_systems_fill_the_plot_where_kinds_are_few_and_the_majority_is_left_out() -> None:
    bins = {"ece": 0.1, "bins": [{"n": 1, "confidence": 0.5, "accuracy": 1.0}]}
    systems = [
        {"name": f"japagen/{name}", "kind": "japagen", "student": name, "calibration": bins} for name in "abcdef"
    ]
    scores = {
        "primary": "japagen/c",
        "systems": [{"name": "majority", "kind": "majority", "calibration": bins}, *systems],
    }
    assert [system["student"] for system in shown(scores)] == ["c", "a", "b", "d"]
    assert [system["student"] for system in shown(scores | {"systems": scores["systems"][:3]})] == ["a", "b"]


def test_points_are_as_large_as_the_share_of_answers_that_they_hold() -> None:
    bins = [{"n": n, "confidence": 0.5, "accuracy": 1.0} for n in (9, 1, 90)]
    drawn = reliability(
        {"systems": [{"name": "japagen/a", "kind": "japagen", "calibration": {"ece": 0.5, "bins": bins}}]}
    )
    assert drawn
    # From 5 pixels for none to 22 for all, by the square root: areas are what the eye compares.
    assert list(drawn["data"][1]["marker"]["size"]) == pytest.approx([5 + 17 * 0.3, 5 + 17 * 0.1, 5 + 17 * 0.9**0.5])


# Labels and costs


def test_each_label_with_what_is_undefined() -> None:
    rows = [
        {"label": "a", "gold": 1200, "predicted": 3, "precision": 2 / 3, "recall": 1.0, "f1": 0.8},
        {"label": "b", "gold": 1, "predicted": 0, "precision": None, "recall": 0.0, "f1": 0.0},
    ]
    told = by_label({"systems": [{"name": "japagen/linear", "kind": "japagen", "per_label": rows}]})
    assert told == [
        {"label": "a", "gold": "1,200", "predicted": "3", "cells": [".667", "1.000", ".800"]},
        {"label": "b", "gold": "1", "predicted": "0", "cells": ["undefined", ".000", ".000"]},
    ]
    assert by_label(JSTS) == by_label({}) == []


def test_prompted_systems_show_what_they_cost() -> None:
    rows = prompting(JNLI)
    assert rows[0] == {
        "name": "zero-shot",
        "requests": "2,434",
        "prompt": "612,340",
        "completion": "4,868",
        "usd": "0.0951",
    }
    assert [row["usd"] for row in rows] == ["0.0951", "0.2887", "no price known"]
    assert prompting({"systems": [{"kind": "prompted", "name": "old"}, {"kind": "gold", "cost": {"calls": 1}}]}) == []


# On the pages


@pytest.mark.parametrize("scores", [JNLI, JSTS], ids=["jnli", "jsts"])
def test_both_pages_tell_the_same(scores: dict[str, Any], tmp_path: Path) -> None:
    html, markdown = written(scores, tmp_path)
    text = words_of(html)
    told: list[Any] = [gold_data(scores), contamination(scores), calibration(scores)]
    said = [sentence for one in told if one for sentence in one["sentences"]]
    plain = markdown.replace("&lt;", "<")
    assert len(said) >= 4
    for sentence in said:
        assert sentence in text
        assert sentence in plain
    for heading in ("Gold data", "Contamination", "Each label", "Can its scores be believed?"):
        there = heading in ("Gold data", "Contamination") or scores is JNLI
        assert (heading in text) == (f"## {heading}\n" in markdown) == there
    assert "| zero-shot | 1,457 | 301,200 | 2,914 | no price known |" in markdown or scores is JNLI


def test_the_tables_of_the_markdown_are_tables(tmp_path: Path) -> None:
    _, markdown = written(JNLI, tmp_path)
    for line in (
        "| test | valid-v1.3.json | 2,434 | CC BY-SA 4.0 | 3e23e8160039 |",
        "| test | training texts | 2,434 | 0 | 1 | 4 | 37 |",
        "| test | gold train | 2,434 | 0 | 0 | 0 | 0 |",
        "| zero-shot self-consistency |  | undefined: the system gives no scores |",
        "| few-shot | 2,434 | 1,904,112 | 4,871 | 0.2887 |",
        "| japagen/linear | &lt; .001 | .005 |",
    ):
        assert f"\n{line}\n" in markdown
    blocks = re.findall(r"(?:^\|.*\n)+", markdown, flags=re.M)
    assert len(blocks) >= 7
    for block in blocks:
        widths = {line.replace("\\|", "").count("|") for line in block.splitlines()}
        assert len(widths) == 1, block
        assert re.fullmatch(r"[|:-]+", block.splitlines()[1]), block


def test_sections_come_only_with_their_data(tmp_path: Path) -> None:
    old = {key: value for key, value in JNLI.items() if key not in NEW}
    old["systems"] = [{k: v for k, v in one.items() if k not in OF_SYSTEMS} for one in JNLI["systems"]]
    for one in old["systems"]:
        one["difference"] = {k: v for k, v in (one["difference"] or {}).items() if k not in ("p", "p_holm")} or None
    html, markdown = written(old, tmp_path)
    for absent in (
        "Gold data",
        "Contamination",
        "Each label",
        "calibration",
        "corrected",
        "McNemar",
        "one by one",
        "Holm",
    ):
        assert absent not in words_of(html)
        assert absent not in markdown


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path to a key or to the first item of a list."""
    if isinstance(value, dict):
        inner: list[tuple[Any, Any]] = list(value.items())
    else:
        inner = [(0, value[0])] if isinstance(value, list) and value else []
    for key, held in inner:
        yield (*at, key)
        if key not in ("scores", "confusion"):
            yield from places(held, (*at, key))


def test_any_key_may_be_missing(tmp_path: Path) -> None:
    few = ("japagen/encoder", "supervised/encoder", "zero-shot", "zero-shot self-consistency")
    whole = {**JNLI, "systems": [one for one in JNLI["systems"] if one["name"] in few]}
    whole["systems"] = [{**one, "mcnemar": {"only_a": 1, "only_b": 2, "p": 0.5}} for one in whole["systems"]]
    of_systems = [("systems", at, *rest) for at, one in enumerate(whole["systems"]) for rest in places(one)]
    for path in [*places({key: whole[key] for key in NEW}), *of_systems]:
        less = copy.deepcopy(whole)
        inner: Any = less
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        try:
            write_report(ReportData("x", scores=less), tmp_path)
        except Exception as error:
            error.add_note(f"{path} missing")
            raise


def test_no_text_does_harm(tmp_path: Path) -> None:
    evil = json.loads(json.dumps(JNLI))
    evil["gold"]["files"][0] |= {"file": EVIL, "licence": EVIL, "sha256": EVIL, "split": EVIL}
    evil["contamination"][0] |= {"set": EVIL, "against": EVIL, "ids": [EVIL]}
    evil["tests"] |= {"method": EVIL, "family": [EVIL]}
    evil["contrast"] |= {"against": EVIL}
    evil["systems"][0]["student"] = evil["systems"][0]["per_label"][0]["label"] = EVIL
    evil["systems"][-1]["calibration"] = {"undefined": EVIL}
    evil["systems"][-2]["name"] = EVIL
    html, markdown = written(evil, tmp_path)
    assert EVIL not in html + markdown
    assert html.count("<script") == html.count("</script>") == 3
    assert "<script" not in markdown
    figure = json.dumps(reliability(evil))
    assert "<script" not in figure
    assert "&lt;script" in figure


def test_the_figure_of_scores_shows_training_on_all_gold() -> None:
    drawn = intervals(JNLI)
    assert drawn
    assert "Trained on all gold (fully supervised)" in json.dumps(drawn["layout"]["annotations"])
    symbols = {trace["marker"]["symbol"] for trace in drawn["data"] if "error_x" in trace}
    assert symbols == {"circle", "diamond", "star-diamond", "square"}


def test_gold_of_an_analysed_file_is_all_compared() -> None:
    files = {"files": [{"split": "test", "rows": 400, "file": "gold.csv"}], "groups": 304}
    told = gold_data({"gold": files, "kind": "pair"}, file=True)
    assert told is not None
    assert not told["splits"]
    assert told["sentences"] == [
        "The gold pairs of texts are about 304 images. Those of one image are not independent: where it matters, one of "
        "each is compared."
    ]
    assert gold_data({"gold": {"files": [], "groups": None}}, file=True) is None


def test_human_rows_that_stand_in_an_analysed_file() -> None:
    one = {"set": "gold", "against": "t.csv", "of": 400, "exact": 380, "canonical": 15, "near": 5, "ids": []}
    told = contamination({"contamination": [one]}, file=True)
    assert told is not None
    assert told["sentences"][0] == "400 of the 400 human rows stand in the file."
    clean = one | {"exact": 0, "canonical": 0, "near": 0}
    told = contamination({"contamination": [clean]}, file=True)
    assert told is not None
    assert told["sentences"][0] == "No human row stands in the file."
    assert contamination({"contamination": [clean | {"of": 0}]}, file=True) is None
