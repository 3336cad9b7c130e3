"""What the report says of key words: sentences, tables with texts to read, the figure, in both languages."""

import copy
from typing import Any

from japagen.report import _environment
from japagen.report.keyness import keyness, keyness_figures
from japagen.report.language import in_language, missing

LABELS = ["positive", "negative"]
EVIL = "<script>alert(1)</script>"


def word(text: str, ratio: float, *examples: str) -> dict[str, Any]:
    counts = {"count": 40, "count_other": 2, "texts": 30, "texts_other": 1, "rate": 33_333.3, "rate_other": 3_333.3}
    told = [{"id": f"s{at}", "text": example} for at, example in enumerate(examples)]
    return {"word": text, "ratio": ratio, "texts_ratio": ratio + 5, "log_ratio": 4.04, **counts, "examples": told}


TOLD = {
    "labels": LABELS,
    "keyness": {
        "all": {
            "synthetic": [word("最高", 60.0, "この靴は最高です。", "最高！"), word("靴", 30.0)],
            "gold": [word("けど", 20.0, "高いけど買った")],
        },
        "by_label": {
            "positive": {"synthetic": [word("とても", 18.0)], "gold": None},
            "negative": {"synthetic": [], "gold": []},
        },
        "texts": {"synthetic": 120, "gold": 60},
        "words": {"synthetic": 1200, "gold": 600},
        "looked_at": 1520,
        "least": 17.24,
        "signature": "keyness G² (n=120 and 60)",
    },
}  # fmt: skip


def section(told: dict[str, Any]) -> dict[str, Any]:
    found = keyness(told, LABELS)
    assert found
    return found


def page(told: dict[str, Any], kind: str) -> str:
    env = _environment(html=kind == "html")
    macros = (
        "{% macro ja(text) %}{{ text }}{% endmacro %}{% macro wide(title) %}{{ caller() }}{% endmacro %}"
        "{% macro plot(name, says) %}{% if name in drawn %}<p id='{{ name }}'>{{ says }}</p>{% endif %}{% endmacro %}"
    )
    template = env.from_string(f'{macros if kind == "html" else ""}{{% include "keyness.{kind}.j2" %}}')
    return template.render(keyness=keyness(told, LABELS), drawn=keyness_figures(told, LABELS))


def test_sentences_name_the_words_of_each_side() -> None:
    assert section(TOLD)["sentences"] == [
        "Gold says what the synthetic texts say less: 'けど'.",
        "The synthetic texts say what gold says less: '最高', '靴'.",
    ]
    none = copy.deepcopy(TOLD)
    none["keyness"]["all"] = {"synthetic": [], "gold": None}
    assert section(none)["sentences"] == [
        "No word sets the synthetic texts apart from gold beyond what chance explains."
    ]
    assert keyness_figures(none) == {}


def test_tables_hold_rates_counts_and_texts() -> None:
    ours, gold = section(TOLD)["tables"]
    first, second = ours["rows"]
    assert (first["word"], first["ratio"], first["log_ratio"], first["bar"], second["bar"]) == (
        "最高",
        "60.0",
        "+4.0",
        1,
        0.5,
    )
    assert first["synthetic"] == {"rate": "33.3", "count": "40", "texts": "30"}
    assert first["gold"] == {"rate": "3.3", "count": "2", "texts": "1"}
    assert first["examples"][0] == {"id": "s0", "before": "この靴は", "word": "最高", "after": "です。"}
    assert gold["rows"][0]["gold"] == {"rate": "33.3", "count": "40", "texts": "30"}
    assert [one["label"] for one in section(TOLD)["by_label"]] == ["positive"]


def test_texts_are_cut_around_the_word() -> None:
    told = copy.deepcopy(TOLD)
    long = "前" * 500 + "最高" + "後" * 500
    told["keyness"]["all"]["synthetic"][0]["examples"] = [
        {"id": "a", "text": long}, {"id": "b", "text": "ｻｲｺｳ"}, {"id": "c", "text": "い" * 300},
    ]  # fmt: skip
    told["keyness"]["all"]["synthetic"][0]["word"] = "最高"
    first, _, third = section(told)["tables"][0]["rows"][0]["examples"]
    assert first["before"] == "…" + "前" * 79
    assert first["after"] == "後" * 79 + "…"
    assert (third["before"], third["word"]) == ("い" * 160 + "…", "")
    told["keyness"]["all"]["synthetic"][0]["word"] = "サイコウ"
    assert section(told)["tables"][0]["rows"][0]["examples"][1]["word"] == "サイコウ"  # written half-width


def test_nothing_without_gold() -> None:
    assert keyness({}, LABELS) is None
    assert keyness({"keyness": {}}, LABELS) is None
    assert keyness_figures({}) == {}


def test_the_figure_has_ours_right_and_gold_left() -> None:
    ours, gold = keyness_figures(TOLD)["keyness-words"]["data"]
    assert (list(ours["x"]), list(ours["y"])) == ([4.04, 4.04], [60.0, 30.0])
    assert list(gold["x"]) == [-4.04]
    assert list(gold["text"]) == ["けど"]
    assert ours["customdata"][0].startswith("最高: 40 times in 30 texts; in the other set 2 times in 1, G² 60.0")


def test_both_pages_show_it_and_escape_it() -> None:
    told = copy.deepcopy(TOLD)
    told["keyness"]["all"]["synthetic"][1] |= {"word": EVIL, "examples": [{"id": "<b>", "text": f"{EVIL}と言った"}]}
    for kind in ("html", "md"):
        text = page(told, kind)
        assert "最高" in text
        assert EVIL not in text
        assert "<b>" not in text
    assert "<mark>最高</mark>です。" in page(told, "html")
    assert "<script" not in str(keyness_figures(told))


def test_japanese() -> None:
    with in_language("ja"):
        found = section(TOLD)
        page(TOLD, "html")
        page(TOLD, "md")
        keyness_figures(TOLD)
        assert missing() == ()
    assert found["sentences"][0] == "正解データに多く、合成テキストに少ない語は「けど」である。"
    assert found["sentences"][1] == "合成テキストに多く、正解データに少ない語は「最高」「靴」である。"
