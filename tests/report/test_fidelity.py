"""What the report says of vocabulary and style: sentences, alarms, tables, figures, in both languages."""

import copy
from typing import Any

import pytest

from japagen.report import _environment
from japagen.report.fidelity import fidelity, fidelity_figures
from japagen.report.language import in_language, missing

LABELS = ["positive", "negative"]
EVIL = "<script>alert(1)</script>"


def overlap(value: float) -> dict[str, Any]:
    return {"value": value, "low": value - 0.01, "high": value + 0.01, "signature": f"vocabulary-jaccard = {value}"}


def distance(*, above: bool = False, alarm: bool = False) -> dict[str, Any]:
    figures = {"value": 0.31, "low": 0.2, "high": 0.4, "ceiling": 0.02, "ceiling_low": 0.0, "ceiling_high": 0.05}
    widest = {"category": "polite", "synthetic": 0.1, "gold": 0.94}
    told = {"p": 0.001, "p_holm": 0.014, "n": 150, "widest": widest, "signature": "jensen-shannon register"}
    return figures | told | {"above": above, "alarm": alarm}


def aspect(unit: str, categories: list[str], ours: list[float], gold: list[float], **options: bool) -> dict[str, Any]:
    sides = {"synthetic": ours, "gold": gold}
    return {
        "unit": unit,
        "categories": categories,
        "read": {"synthetic": 300, "gold": 300},
        "shares": {of: {"all": one, "by_label": {"positive": one}} for of, one in sides.items()},
        "distance": {"all": distance(**options), "by_label": {"positive": distance(**options)}},
    }


ALARM = {"above": True, "alarm": True}
LENGTHS = {
    "n": 5, "mean": 10.0, "sd": 11.6, "quantiles": {"5": 2.4, "25": 4.0, "50": 4.0, "75": 10.0, "95": 26.0},
    "histogram": {"edges": [0, 10, 20, 30, 900], "counts": [3, 1, 0, 1]},
}  # fmt: skip
TOLD = {
    "labels": LABELS,
    "vocabulary": {
        "n": 150, "synthetic_gold": overlap(0.2), "gold_gold": overlap(0.4), "of_ceiling": 0.5,
        "by_part": {"noun": {"synthetic_gold": overlap(0.1), "gold_gold": overlap(0.3), "of_ceiling": 1 / 3}},
    },
    "style": {
        "lengths": {side: {"positive": LENGTHS, "negative": None} for side in ("synthetic", "gold")},
        "aspects": {
            "register": aspect("texts", ["polite", "plain", "unknown"], [0.1, 0.9, 0], [0.94, 0.06, 0], **ALARM),
            "punctuation": aspect("marks", ["。", "other"], [0.5, 0.5], [0.51, 0.49]),
            "sentence_ends": aspect("sentences", ["none", "ね"], [0.5, 0.5], [0.51, 0.49]),
        },
    },
}  # fmt: skip


def section(told: dict[str, Any]) -> dict[str, Any]:
    found = fidelity(told, LABELS)
    assert found
    return found


def page(told: dict[str, Any], kind: str) -> str:
    env = _environment(html=kind == "html")
    macros = (
        "{% macro ja(text) %}{{ text }}{% endmacro %}{% macro wide(title) %}{{ caller() }}{% endmacro %}"
        "{% macro plot(name, says) %}{% if name in drawn %}<p id='{{ name }}'>{{ says }}</p>{% endif %}{% endmacro %}"
    )
    template = env.from_string(f'{macros if kind == "html" else ""}{{% include "fidelity.{kind}.j2" %}}')
    return template.render(fidelity=fidelity(told, LABELS), drawn=fidelity_figures(told, LABELS))


def test_sentences_say_what_is_shared_and_what_differs() -> None:
    assert section(TOLD)["sentences"] == [
        "Of the words of 150 synthetic and 150 gold texts .200 stand in both (Jaccard); of two samples of gold .400 do, so "
        "that 50.0 % of what can be expected is reached.",
        "Beyond what chance explains the texts differ from gold in register.",
    ]


def test_the_alarm_names_the_gap_and_a_remedy() -> None:
    assert section(TOLD)["alarms"] == [
        "The register of the texts is off: 'polite' is 10.0 % of the synthetic texts, but 94.0 % of gold. "
        "A rule of the task can ask for it, or a quota of curate.sample choose it."
    ]
    calm = copy.deepcopy(TOLD)
    calm["style"]["aspects"]["register"]["distance"]["all"] = distance()
    assert section(calm)["alarms"] == []
    assert section(calm)["sentences"][-1].startswith("In no aspect of style do the texts differ")


@pytest.mark.parametrize("name", ["scripts", "punctuation", "sentence_ends", "honorifics"])
def test_every_aspect_can_raise_an_alarm(name: str) -> None:
    units = {"scripts": "characters", "punctuation": "marks", "sentence_ends": "sentences", "honorifics": "texts"}
    told = {"style": {"aspects": {name: aspect(units[name], ["a", "b"], [0, 1], [1, 0], above=True, alarm=True)}}}
    [alarm] = section(told)["alarms"]
    assert "94.0 %" in alarm
    assert alarm.endswith("A rule of the task can ask for what is missing.")


def test_tables() -> None:
    found = section(TOLD)
    assert found["vocabulary"][1] == {
        "name": "nouns", "value": ".100 [.090, .110]", "ceiling": ".300 [.290, .310]", "reached": "33.3 %", "bar": 1 / 3,
    }  # fmt: skip
    register = found["aspects"][0]
    assert (register["name"], register["value"], register["p"]) == ("register", ".310 [.200, .400]", ".014")
    assert register["widest"] == {"category": "polite", "synthetic": "10.0 %", "gold": "94.0 %"}
    composition = found["compositions"][0]
    assert composition["names"] == ["polite", "plain"]  # nothing is unknown
    assert [(row["label"], row["source"]) for row in composition["rows"]] == [
        ("", "synthetic"), ("", "gold"), ("positive", "synthetic"), ("positive", "gold"),
    ]  # fmt: skip
    assert composition["rows"][0]["shares"] == [{"text": "10.0 %", "bar": 0.1}, {"text": "90.0 %", "bar": 0.9}]
    assert found["lengths"][0]["quantiles"] == ["2", "4", "4", "10", "26"]
    ends = next(one for one in found["compositions"] if one["title"] == "sentence ends")
    assert ends["names"] == ["none", "ね"]


def test_too_few_texts_are_said() -> None:
    told = copy.deepcopy(TOLD)
    for one in told["style"]["aspects"].values():
        one["distance"] = {"all": None, "by_label": {}}
    told["vocabulary"] = {"n": 0}
    found = section(told)
    assert found["sentences"] == ["There are no gold texts to compare the style with."]
    told["counts"] = {"gold": {"positive": 3}}
    assert section(told)["sentences"] == ["There are not enough texts of both sides to compare their style."]
    assert (found["vocabulary"], found["aspects"]) == ([], [])
    assert fidelity({}, LABELS) is None
    assert fidelity_figures({}, LABELS) == {}


def test_figures_are_drawn_from_the_numbers_as_they_are() -> None:
    drawn = fidelity_figures(TOLD, LABELS)
    assert list(drawn) == ["fidelity-vocabulary", "fidelity-style", "fidelity-lengths-1"]
    ours, ceiling = drawn["fidelity-vocabulary"]["data"]
    assert (list(ours["x"]), list(ceiling["x"])) == ([0.2, 0.1], [0.4, 0.3])
    assert drawn["fidelity-style"]["layout"]["yaxis"]["ticktext"] == ["register", "punctuation", "sentence ends"]
    lengths = drawn["fidelity-lengths-1"]
    assert lengths["title"] == "positive"
    assert list(lengths["data"][0]["x"]) == [0, 10, 20, 30, 50]  # the last bin is cut
    assert lengths["data"][0]["y"][0] == pytest.approx(3 / 5 / 10)


def test_both_pages_show_it() -> None:
    for kind in ("html", "md"):
        text = page(TOLD, kind)
        assert "94.0 %" in text
        assert "The register of the texts is off" in text
        assert "nouns" in text


def test_texts_of_users_are_escaped() -> None:
    told = copy.deepcopy(TOLD)
    told["style"]["aspects"]["punctuation"]["categories"][0] = EVIL
    told["style"]["aspects"]["punctuation"]["distance"]["all"]["widest"]["category"] = EVIL
    for kind in ("html", "md"):
        assert EVIL not in page(told, kind)


def test_japanese() -> None:
    with in_language("ja"):
        found = section(TOLD)
        page(TOLD, "html")
        page(TOLD, "md")
        assert missing() == ()
    assert found["sentences"][1] == "偶然では説明できない程度に正解データと異なるのは文末の丁寧さである。"
    assert found["alarms"][0].startswith(
        "文末の丁寧さが正解データとずれている。「丁寧体」は合成テキストの10.0%、正解データの94.0%である。"
    )


def test_a_composition_of_one_kind_alone_is_left_out() -> None:
    ends = aspect("sentences", ["none", "ね"], [1, 0], [1, 0], above=False, alarm=False)
    assert section({"style": {"aspects": {"sentence_ends": ends}}})["compositions"] == []
