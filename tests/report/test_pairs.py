"""The report of pairs and numbers: both texts, the task's own metric, undefined scores, answers that never came, money."""

import copy
import json
import re
from pathlib import Path

import pytest

from japagen.report import ReportData, write_report
from japagen.report.cards import cards
from japagen.report.figures import figures
from japagen.report.opening import opening
from japagen.report.scoretable import score_table
from japagen.report.spending import dollars, spending
from japagen.report.tables import confusion

LABELS = ["0", "1", "2"]
VOID = {
    "value": None,
    "by_seed": [],
    "low": None,
    "high": None,
    "signature": "",
    "undefined": "correlation with a constant",
}


def score(value):
    return {"value": value, "by_seed": [value, value], "low": value - 0.05, "high": value + 0.05, "signature": "n=300"}


def system(kind, name, value, gap=None, **more):
    told = VOID if value is None else score(value)
    scores = {"spearman": told, "pearson": told}
    return {"name": name, "kind": kind, "scores": scores, "difference": gap, "unparsed": 0, "answers": 600, **more}


SIMILARITY = {
    "kind": "similarity",
    "metric": "spearman",
    "metrics": ["spearman", "pearson"],
    "n": 300,
    "labels": LABELS,
    "primary": "japagen/linear",
    "smallest_detectable_difference": None,
    "systems": [
        system("japagen", "japagen/linear", 0.6, student="linear", confusion=[[9, 1, 0], [2, 6, 2], [0, 1, 9]]),
        system("gold", "gold-5/linear", 0.5, score(-0.1), student="linear", k=5, train_rows=15),
        system("prompted", "zero-shot", 0.4, score(-0.2), unparsed=12),
        system("majority", "majority", None, VOID),
    ],
}
KEPT = {"id": "1/0", "text": "犬がいる。", "text_pair": "猫もいる。", "label": "1", "value": 1.0}
DROPPED = {
    "id": "0/0",
    "text": "犬。",
    "text_pair": "猫。",
    "label": "0",
    "reason": "too_short",
    "detail": "2 characters",
}
MISTAKE = {
    "id": "g1",
    "text": "海。",
    "text_pair": "山。",
    "gold": "0",
    "predicted": "2",
    "gold_value": 0.2,
    "value": 1.8,
}
PAIRS = {
    "kept": [KEPT | {"word": "動物", "register": "常体"}],
    "dropped": [DROPPED | {"word": "犬"}],
    "mistakes": [MISTAKE],
}


@pytest.fixture
def shop():
    return json.loads(Path(__file__).with_name("shop_reviews.json").read_text("utf-8"))


def written(data, folder):
    write_report(ReportData(**data), folder)
    return tuple((folder / name).read_text("utf-8") for name in ("report.html", "report.md"))


def of_pairs(shop):
    return shop | {"scores": copy.deepcopy(SIMILARITY), "task": {"name": "sts", "kind": "similarity"}, **PAIRS}


def test_the_opening_speaks_of_the_tasks_own_metric_and_of_pairs():
    said = " ".join(opening(SIMILARITY, {}))
    assert "reaches a Spearman correlation of .60 [.55, .65] on 300 human-labelled pairs of texts" in said
    assert "Always giving the same answer has no Spearman correlation." in said
    assert "accuracy" not in said
    assert "can miss a true difference" not in said


def test_the_smallest_difference_is_one_of_accuracy():
    told = copy.deepcopy(SIMILARITY) | {"metric": "mcc", "smallest_detectable_difference": 0.03}
    for one in told["systems"]:
        one["scores"] = {"mcc": score(0.3)}
    assert "miss a true difference in accuracy smaller than about .03" in " ".join(opening(told, {}))


def test_an_undefined_primary_and_an_undefined_prompt_are_said_plainly():
    told = copy.deepcopy(SIMILARITY)
    told["systems"][2]["scores"]["spearman"] = VOID
    assert "gives no Spearman correlation (zero-shot): correlation with a constant" in " ".join(opening(told, {}))
    told["systems"][0]["scores"]["spearman"] = VOID
    [said] = opening(told, {})
    assert said.startswith(
        "The classifier trained on texts that the LLM wrote has no Spearman correlation on the test rows"
    )


def test_the_table_says_undefined_and_who_did_not_answer():
    table = score_table(SIMILARITY)
    assert table["metrics"] == ["Spearman correlation", "Pearson correlation"]
    rows = {row["label"]: row for group in table["groups"] for row in group["rows"]}
    constant = rows["most frequent label"]
    assert [cell["value"] for cell in constant["cells"]] == ["undefined", "undefined"]
    assert (constant["difference"], constant["verdict"]) == ("undefined", "")
    assert rows["zero-shot"]["unanswered"] == "12 of 600 answers missing"
    assert rows["linear"]["unanswered"] == ""


def test_undefined_systems_come_last():
    told = copy.deepcopy(SIMILARITY)
    told["systems"] += [system("prompted", "few-shot", -0.1, score(-0.7)), system("prompted", "silent", None, VOID)]
    [prompted] = [group for group in score_table(told)["groups"] if group["kind"] == "prompted"]
    assert [row["label"] for row in prompted["rows"]] == ["zero-shot", "few-shot", "silent"]


def test_no_answer_is_a_column_of_the_confusions():
    told = copy.deepcopy(SIMILARITY)
    told["systems"][0]["confusion"] = [[8, 1, 0, 1], [2, 6, 2, 0], [0, 1, 9, 0]]
    found = confusion(told)
    assert (found["labels"], found["nearest"]) == (["0", "1", "2", ""], True)
    assert found["rows"][0]["cells"][3] == {"count": "1", "share": 0.1}


def test_cards_show_both_texts_attributes_and_numbers():
    kept, dropped, mistake = cards(**PAIRS)
    assert (kept["text"], kept["pair"]) == ("犬がいる。", "猫もいる。")
    assert kept["notes"] == [("word", "動物"), ("register", "常体")]
    assert dropped["notes"] == [("", "2 characters"), ("word", "犬")]
    assert mistake["notes"] == [("gold value", ".20"), ("value", "1.80"), ("score", None)]
    [silent] = cards([], [], [{"text": "海。", "gold": "0", "predicted": ""}])
    assert silent["predicted"] == "no answer"


def test_the_pages_of_pairs(shop, tmp_path):
    data = of_pairs(shop)
    data["scores"]["systems"][0]["confusion"] = [[8, 1, 0, 1], [2, 6, 2, 0], [0, 1, 9, 0]]
    html, markdown = written(data, tmp_path)
    for shown in (html, markdown):
        assert all(text in shown for text in ("犬がいる。", "猫もいる。")) == (shown is html)
        assert all(text in shown for text in ("海。", "山。", "no answer", "12 of 600 answers missing", "undefined"))
        assert "Spearman correlation" in shown
        assert "accuracy" not in re.sub(r"<script.*?</script>", "", shown, flags=re.S)
    assert "register 常体" in re.sub(r"<[^>]+>", "", html)
    assert "- 海。 / 山。 (gold 0, predicted 2)" in markdown
    assert "Numbers count as the nearest label." in html


def test_the_figures_leave_out_what_is_undefined():
    drawn = figures({}, SIMILARITY, {}, LABELS)
    shown = [x for trace in drawn["scores"]["data"] if "error_x" in trace for x in trace["x"]]
    assert sorted(shown) == [0.4, 0.5, 0.6]


USAGE = {"requests": 1200, "prompt_tokens": 184_200, "completion_tokens": 39_120, "usd": 0.0217}


def test_spending_by_stage_and_in_all():
    stages = {"generate": {"usage": USAGE}, "curate": {}, "evaluate": {"usage": {"requests": 300, "usd": 1.5}}}
    assert spending(stages) == [
        {"name": "generate", "requests": "1,200", "prompt": "184,200", "completion": "39,120", "usd": "0.0217"},
        {"name": "evaluate", "requests": "300", "prompt": "not known", "completion": "not known", "usd": "1.50"},
        {"name": "total", "requests": "1,500", "prompt": "not known", "completion": "not known", "usd": "1.52"},
    ]


def test_spending_of_unknown_price_and_of_nothing():
    [row] = spending({"generate": {"usage": USAGE | {"usd": None}}})
    assert row["usd"] == "not known"
    assert spending({"evaluate": {"usage": dict.fromkeys(USAGE, 0)}}) == []
    assert spending({"generate": None, "train": {"seconds": 3}}) == []
    assert (dollars(0.0), dollars(1234.5), dollars(0.99995)) == ("0.00", "1,234.50", "1.0000")


def test_spending_is_in_both_pages(shop, tmp_path):
    shop["stages"]["generate"]["usage"] = USAGE
    html, markdown = written(shop, tmp_path)
    assert "| generate | 1,200 | 184,200 | 39,120 | 0.0217 |" in markdown
    assert "What the language model was used for" in html
