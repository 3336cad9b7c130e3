"""What the report says of curation: what went and why, whether it helped, what should worry a reader; on both pages."""

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from japagen import reportdata
from japagen.curate.steps import ACROSS
from japagen.report import ReportData, write_report
from japagen.report.alarms import alarms
from japagen.report.curation import KIND_OF, curation
from japagen.report.flow import flow
from japagen.report.spending import spending
from japagen.report.tables import ledger
from japagen.report.trials import is_missed, trial, trials
from japagen.report.words import sizes

TOLD = json.loads(Path(__file__).with_name("curation.json").read_text("utf-8"))
LABELS = ["positive", "negative"]
EVIL = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without the 5 MB of Plotly."""
    monkeypatch.setattr("plotly.offline.get_plotlyjs", lambda: "")


def section(told: dict[str, Any], labels: list[str] | None = None) -> dict[str, Any]:
    found = curation(told, LABELS if labels is None else labels)
    assert found
    return found


def step(name: str, seen: dict[str, int], dropped: dict[str, int]) -> dict[str, Any]:
    return {"name": name, "question": f"{name}?", "seen": seen, "dropped": dropped}


def written(told: dict[str, Any], folder: Path, **more: Any) -> tuple[str, str]:
    html, markdown = write_report(ReportData("x", curation=told, **more), folder)
    return html.read_text("utf-8"), markdown.read_text("utf-8")


def words_of(html: str) -> str:
    plain = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    plain = re.sub(r"<[^>]+>", " ", plain).replace("&#39;", "'").replace("&lt;", "<")
    return re.sub(r" ([;,.:])", r"\1", " ".join(plain.split()))


# What went, and why


def test_rows_that_were_not_chosen_are_told_apart_from_those_at_fault() -> None:
    balance, mended, gate = section(TOLD)["sentences"]
    assert balance == (
        "Of 971 texts that came in, 251 (25.8 %) were dropped, most of them as label noise (105), near "
        "duplicate (48) and duplicate (36); 120 more were good but not chosen. 600 are left, 240 of "
        "them a second round's control, from which only its own arm learns."
    )
    assert mended == "Mended and kept: 21 by list mark and 3 by quotes."
    assert gate == "Compared with 200 gold test and 100 gold dev rows: 1 of the texts stood there and went."


def test_a_run_without_a_fault_says_so() -> None:
    told = {"steps": [step("too_short", {"a": 3}, {})], "contamination": {"against": {"test": 9}, "dropped": 0}}
    found = section(told)
    assert found["sentences"] == [
        "Of 3 texts that came in, none was dropped. 3 are left.",
        "Compared with 9 gold test rows: none of the texts stands there.",
    ]
    assert found["groups"] == []
    assert found["idle"] == ["too short"]


def test_one_text_of_a_pair_is_counted_and_explained() -> None:
    told = {"contamination": {"against": {"test": 9}, "dropped": 0, "one_text": 5}}
    [said] = section(told)["sentences"]
    assert said.endswith("Of 5 texts kept, one text alone stands in gold test, which gives no answer away.")


def test_checks_stand_in_groups_with_shares_of_what_they_saw() -> None:
    groups = section(TOLD)["groups"]
    assert [group["title"] for group in groups] == [
        "Looked at one by one", "Compared with one another", "Compared with gold", "Label in doubt", "Good, but not chosen"
    ]  # fmt: skip
    near = groups[1]["rows"][2]
    assert (near["name"], near["question"]) == ("near duplicate", "Nearly the text of an earlier row of its label?")
    assert [(cell["count"], cell["percent"]) for cell in near["cells"]] == [
        ("31", "7.0 %"), ("17", "4.0 %"), ("48", "5.5 %")
    ]  # fmt: skip


def test_every_check_that_looks_beyond_one_row_has_its_group() -> None:
    assert set(KIND_OF) == set(ACROSS)


def test_bars_are_to_scale_and_what_was_not_chosen_has_none() -> None:
    groups = section(TOLD)["groups"]
    noise, passed_over = groups[3]["rows"][0], groups[4]["rows"][0]
    # 96 of 412 is the largest share of all; 9 of 413 and 105 of 825 are beside it .094 and .546.
    assert [cell["bar"] for cell in noise["cells"]] == pytest.approx([0.0935, 1.0, 0.5462], abs=5e-4)
    assert [cell["bar"] for cell in passed_over["cells"]] == [0.0, 0.0, 0.0]
    assert passed_over["cells"][0]["percent"] == "25.7 %"


def test_what_is_left_is_what_came_less_what_went() -> None:
    assert section(TOLD)["kept"] == ["300", "300", "600"]
    steps = [step("too_short", {"a": 5, "b": 3}, {"a": 1}), step("duplicate", {"a": 4, "b": 3}, {"a": 1, "b": 2})]
    assert section({"steps": steps})["kept"] == ["3", "1", "4"]


def test_labels_follow_the_task_and_unknown_ones_come_last() -> None:
    told = {"steps": [step("too_short", {"new": 2, "negative": 3, "positive": 4}, {})]}
    assert [label["name"] for label in section(told)["labels"]] == ["positive", "negative", "new"]


def test_checks_of_labels_that_dropped_nothing_are_not_said_to_have_found_nothing() -> None:
    assert section(TOLD)["idle"] == ["too long"]  # the judge dropped nothing either, but it doubts 152 rows


def test_repairs_that_mended_nothing_are_left_out() -> None:
    assert [(one["name"], one["cells"]) for one in section(TOLD)["repairs"]] == [
        ("list mark", ["12", "9", "21"]), ("quotes", ["3", "0", "3"])
    ]  # fmt: skip


# Whether it helped


def test_each_step_on_trial_has_its_verdict_figures_and_reason() -> None:
    told = {row["step"]: row for row in trials(TOLD)}
    assert {name: row["verdict"] for name, row in told.items()} == {
        "label noise": "applied",
        "judge": "reported, not applied",
        "sample": "quotas missed",
        "top-up": "short",
        "second round": "done",
    }
    assert all(row["reason"] == TOLD[key]["sentence"] for row, key in zip(
        told.values(), ("noise", "judge", "sample", "top_up", "round_2"), strict=True
    ))  # fmt: skip
    assert told["label noise"]["figures"] == [
        "the linear student doubts 105 of 825 labels out of fold, 5 grouped folds",
        "accuracy of linear on 100 gold rows, 5 seeds: .612 with them, .648 without; gain +.036, standard error .021",
    ]
    assert told["judge"]["figures"][1] == (
        "it keeps .75 of the right labels (52 audited) and .67 of the wrong labels (18 audited); difference +.08, "
        "one-sided 95 % bounds [−.14, +.30]"
    )
    assert told["top-up"]["figures"] == [
        "300 of each label wanted", "150 more asked for in 2 rounds, at most 1.5 times as many as planned"
    ]  # fmt: skip
    assert told["second round"]["figures"] == [
        "guides, drawn from the gold dev rows that the linear student got wrong: 14 positive and 25 negative",
        "rows of round 2 that were kept: 240 guided and 240 of its control",
    ]


def test_a_trial_names_groups_only_where_rows_hang_together() -> None:
    one = TOLD["noise"]["trial"] | {"metric": "mcc", "groups": 40, "gain": -0.004}
    assert trial(one).startswith("Matthews correlation of linear on 100 gold rows in 40 groups, 5 seeds: ")
    assert "gain −.004" in trial(one)
    assert trial(None) == trial({"plain": 0.5}) == ""


def test_steps_that_were_off_are_not_on_trial() -> None:
    assert trials({"steps": TOLD["steps"], "noise": None}) == []


def test_a_step_without_doubts_has_nothing_to_apply() -> None:
    assert trials({"judge": {"rows": 3, "doubted": {"a": 0}, "applied": False}})[0]["verdict"] == "nothing doubted"


def test_a_gate_that_never_ran_still_says_why() -> None:
    sentence = "There are no gold dev rows, so nothing was dropped."
    [row] = trials({"noise": {"rows": 9, "flagged": {"a": 2}, "trial": None, "applied": False, "sentence": sentence}})
    assert (row["verdict"], row["reason"]) == ("reported, not applied", sentence)
    assert row["figures"] == ["a student doubts 2 of 9 labels out of fold"]


@pytest.mark.parametrize(
    ("target", "reached", "missed"),
    [(0.25, 0.27, False), (0.25, 0.2301, False), (0.25, 0.271, True), (0.25, None, False)],
)
def test_quotas_are_met_within_two_points(target: float, reached: float | None, missed: bool) -> None:
    assert is_missed({"target": target, "reached": reached}) is missed


def test_given_and_predicted_labels_are_shares_of_the_given_one() -> None:
    found = section(TOLD)["joint"]
    assert found["rows"][1]["cells"] == [{"count": "131", "share": 0.318}, {"count": "281", "share": 0.682}]
    assert found["rows"][1]["n"] == "412"
    turned = section(TOLD, ["negative", "positive"])["joint"]
    assert turned["labels"] == ["negative", "positive"]
    assert [cell["count"] for cell in turned["rows"][0]["cells"]] == ["281", "131"]
    broken = {"noise": {"joint": {"labels": ["a", "b"], "counts": [[1, 2]]}}}
    assert section(broken)["joint"] is None


def test_rounds_of_the_top_up_show_what_was_asked_and_what_is_kept_by_then() -> None:
    rows = section(TOLD)["top_up"]
    assert [(row["name"], row["cells"]) for row in rows] == [
        ("round 1 asks for", ["", "60"]),
        ("kept after it", ["300", "268"]),
        ("round 2 asks for", ["", "90"]),
        ("kept after it", ["300", "286"]),
    ]


def test_what_the_judge_used_stands_beside_the_stages() -> None:
    usage = {"requests": 1000, "prompt_tokens": 2000, "completion_tokens": 500, "usd": 0.5}
    rows = spending({"generate": {"usage": usage}}, TOLD)
    assert [(row["name"], row["requests"], row["usd"]) for row in rows] == [
        ("generate", "1,000", "0.5000"), ("judge", "828", "0.0461"), ("total", "1,828", "0.5461")
    ]  # fmt: skip
    assert spending({}, {"judge": {"rows": 3}}) == []


def test_a_value_that_rows_lack_has_a_name() -> None:
    quota = {"by": "word", "value": "", "target": 0.0, "reached": 0.1, "available": 3}
    [row] = section({"sample": {"quotas": [quota]}})["quotas"]
    assert (row["value"], row["target"], row["reached"], row["missed"]) == ("none", "0 %", "10.0 %", True)


# Alarms


def test_alarms_of_the_whole() -> None:
    short, doubted, missed = alarms(TOLD, LABELS)
    assert short == (
        "300 of each label were wanted; topped up as far as curate.top_up_factor allows, there are only 286 of 'negative'."
    )
    assert doubted.startswith("A student that has not seen the rows doubts 23.3 % of the labels 'negative': ")
    assert missed.startswith(
        "2 quotas are missed by more than two points, most of all word '修理': 25.0 % wanted, 18.2 %"
    )


@pytest.mark.parametrize(("dropped", "said"), [(25, 0), (26, 1)])
def test_a_check_that_takes_more_than_a_quarter_of_a_label_raises_an_alarm(dropped: int, said: int) -> None:
    told = {"steps": [step("near_duplicate", {"a": 100, "b": 100}, {"a": dropped, "b": 20})]}
    found = alarms(told, ["a", "b"])
    assert len(found) == said
    if said:
        assert found[0].startswith("The check 'near duplicate' takes 26.0 % of 'a': the model repeats itself")


@pytest.mark.parametrize("name", ["surplus", "not_sampled"])
def test_what_was_not_chosen_raises_none(name: str) -> None:
    told = {"steps": [step(name, {"a": 100}, {"a": 90})]}
    assert alarms(told, ["a"]) == []
    assert section(told)["sentences"] == [
        "Of 100 texts that came in, none was dropped; 90 more were good but not chosen. 10 are left."
    ]


@pytest.mark.parametrize(("hits", "said"), [(9, 0), (10, 1)])
def test_many_rows_in_gold_raise_an_alarm(hits: int, said: int) -> None:
    found = alarms({"steps": [step("contamination", {"a": 1000}, {"a": hits})]}, ["a"])
    assert len(found) == said
    assert all("10 of 1,000 rows stand in gold" in alarm for alarm in found)


@pytest.mark.parametrize(("left", "said"), [(66, 1), (67, 0)])
def test_uneven_labels_raise_an_alarm_unless_they_are_topped_up(left: int, said: int) -> None:
    steps = [step(f"check {part}", {"a": 100, "b": 100}, {"b": n}) for part, n in (("x", 20), ("y", 80 - left))]
    assert len(alarms({"steps": steps}, ["a", "b"])) == said
    assert alarms({"steps": steps, "top_up": {"wanted": 100, "short": []}}, ["a", "b"]) == []


@pytest.mark.parametrize(("doubted", "said"), [(20, 0), (21, 1)])
@pytest.mark.parametrize(("key", "part", "name"), [("noise", "flagged", "label_noise"), ("judge", "doubted", "judge")])
def test_many_doubts_about_a_label_raise_an_alarm(key: str, part: str, name: str, doubted: int, said: int) -> None:
    told = {"steps": [step(name, {"a": 100, "b": 100}, {})], key: {part: {"a": doubted, "b": 0}}}
    found = alarms(told, ["a", "b"])
    assert len(found) == said
    assert all("doubts 21.0 % of the labels 'a':" in alarm for alarm in found)


def test_doubts_of_a_judge_that_failed_its_audit_raise_none() -> None:
    judge = TOLD["judge"] | {"doubted": {"a": 90}}
    steps = [step("judge", {"a": 100}, {})]
    assert alarms({"steps": steps, "judge": judge}, ["a"]) == []
    assert len(alarms({"steps": steps, "judge": judge | {"applied": True}}, ["a"])) == 1


@pytest.mark.parametrize(("unread", "said"), [(10, 0), (11, 1)])
def test_a_judge_that_cannot_be_read_raises_an_alarm(unread: int, said: int) -> None:
    assert len(alarms({"judge": {"rows": 100, "unread": unread}}, ["a"])) == said


def test_alarms_are_announced_at_the_top_of_the_page(tmp_path: Path) -> None:
    html, markdown = written(TOLD, tmp_path)
    [alarm, *_] = section(TOLD)["alarms"]
    assert f"Please note {alarm} 2 more alarms stand in that section. Curation" in words_of(html)
    assert f"> **Note:** {alarm} 2 more alarms stand in that section. (Curation)" in markdown
    _, quiet = written({"steps": TOLD["steps"][:3]}, tmp_path)
    assert "alarm" not in quiet


# On the pages


def test_both_pages_tell_the_same(tmp_path: Path) -> None:
    html, markdown = written(TOLD, tmp_path, task={"labels": {label: {} for label in LABELS}})
    text, plain = words_of(html), markdown.replace("&lt;", "<").replace("\\[", "[").replace("\\_", "_")
    found = section(TOLD)
    said = [*found["sentences"], *found["alarms"], *(row["reason"] for row in found["trials"])]
    assert len(said) == 11
    for sentence in said:
        assert sentence in text
        assert sentence in plain
    for line in (
        "| near duplicate | Nearly the text of an earlier row of its label? | 31 (7.0 %) | 17 (4.0 %) | 48 (5.5 %) |",
        "| **left** | | 300 | 300 | 600 |",
        "| by the judge | 12 | 140 | 152 |",
        "| given negative | 131 | 281 | 412 |",
        "| round 2 asks for |  | 90 |",
        "| word | 修理 | 25.0 % | 18.2 % | 109 | missed |",
    ):
        assert f"\n{line}\n" in markdown
    for cells in ("near duplicate Nearly the text of an earlier row of its label? 31 7.0 % 17 4.0 % 48 5.5 %",):
        assert cells in text


def test_the_tables_of_the_markdown_are_tables(tmp_path: Path) -> None:
    _, markdown = written(TOLD, tmp_path)
    blocks = re.findall(r"(?:^\|.*\n)+", markdown, flags=re.M)
    assert len(blocks) == 7
    for block in blocks:
        assert len({line.count("|") for line in block.splitlines()}) == 1, block
        assert re.fullmatch(r"[|:-]+", block.splitlines()[1]), block


def test_without_curation_there_is_no_section(tmp_path: Path) -> None:
    html, markdown = written({}, tmp_path)
    assert "Curation" not in words_of(html)
    assert "Curation" not in markdown


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path to a key or to the first item of a list."""
    if isinstance(value, dict):
        inner: list[tuple[Any, Any]] = list(value.items())
    else:
        inner = [(0, value[0])] if isinstance(value, list) and value else []
    for key, held in inner:
        yield (*at, key)
        yield from places(held, (*at, key))


@pytest.mark.parametrize("null", [True, False], ids=["null", "missing"])
def test_any_key_may_be_missing(null: bool, tmp_path: Path) -> None:
    for path in places(TOLD):
        less = copy.deepcopy(TOLD)
        inner: Any = less
        for key in path[:-1]:
            inner = inner[key]
        if null:
            inner[path[-1]] = None
        else:
            del inner[path[-1]]
        try:
            written(less, tmp_path)
        except Exception as error:
            error.add_note(f"{path} missing")
            raise


def test_no_text_does_harm(tmp_path: Path) -> None:
    evil = json.loads(json.dumps(TOLD).replace("positive", EVIL))
    for part in ("noise", "judge", "sample", "top_up", "round_2"):
        evil[part]["sentence"] = EVIL
    evil["steps"][0] |= {"name": EVIL, "question": EVIL}
    evil["judge"]["llm"] = evil["noise"]["student"] = evil["sample"]["quotas"][0]["value"] = EVIL
    evil["contamination"]["against"] = {EVIL: 3}
    html, markdown = written(evil, tmp_path)
    assert EVIL not in html + markdown
    assert html.count("<script") == html.count("</script>") == 3


def test_curation_is_read_where_the_stage_left_it(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(folder=lambda stage: tmp_path / stage)
    assert reportdata._curation(run) == {}
    (tmp_path / "curate").mkdir()
    (tmp_path / "curate" / "curation.json").write_text(json.dumps(TOLD), "utf-8")
    assert reportdata._curation(run) == TOLD


# Rows that curation asked for itself


def book(requested: int, kept: int, **dropped: int) -> dict[str, Any]:
    return {"requested": requested, "kept": kept, "dropped": dropped, "failed": {}}


def staged(more: int) -> dict[str, Any]:
    """Of 10 rows of 'a' and 10 of 'b' a few go; of 'b' more are asked for in curation."""
    return {
        "generate": {"accounting": book(20, 17, empty=3), "by_label": {"a": book(10, 10), "b": book(10, 7, empty=3)}},
        "curate": {
            "accounting": book(17 + more, 15 + more, near_duplicate=2),
            "by_label": {"a": book(10, 10), "b": book(7 + more, 5 + more, near_duplicate=2)},
        },
    }


def test_rows_asked_for_later_are_told_apart() -> None:
    assert sizes(staged(0)) == "20 texts were asked for, 17 were usable as written and 15 remained after curation."
    assert sizes(staged(5)) == (
        "20 texts were asked for, 17 were usable as written, 5 more were asked for or taken back in curation and 20 "
        "remained after curation."
    )
    names = [[table["rows"][0]["name"] for table in ledger(staged(more), ["a", "b"])] for more in (0, 5)]
    assert names == [["asked for", "rows came in"], ["asked for", "rows came in, later ones included"]]


@pytest.mark.parametrize("more", [0, 5])
def test_in_the_flow_as_many_rows_leave_a_node_as_come_in(more: int) -> None:
    drawn = flow(staged(more), ["a", "b"])
    assert drawn
    sankey = drawn["data"][0]
    link, names = sankey["link"], sankey["node"]["customdata"]
    into, out = Counter[int](), Counter[int]()
    for source, target, n in zip(link["source"], link["target"], link["value"], strict=True):
        out[source] += n
        into[target] += n
    assert [(name, out[at]) for at, name in enumerate(names) if not into[at]] == [
        ("a  10", 10),
        (f"b  {10 + more}", 10 + more),
    ]
    written = names.index(f"written  {17 + more}")
    assert into[written] == out[written] == 17 + more
