"""What the report says of sentence vectors: sentences by the gap's interval, alarms, tables, the map with escaped texts."""

import copy
import json
from typing import Any

import pytest

from japagen.report import _environment
from japagen.report.embedding import embedding, map_figure
from japagen.report.language import in_language, missing
from japagen.report.look import dark_twins

EVIL = "<script>alert(1)</script>%{x}"


def reached(value: float, gap: tuple[float, float], ceiling: float = 0.95) -> dict[str, Any]:
    bounds = {"low": value - 0.05, "high": value + 0.05, "ceiling_low": ceiling - 0.02, "ceiling_high": ceiling + 0.02}
    gaps = {"gap": ceiling - value, "gap_low": gap[0], "gap_high": gap[1]}
    return {"value": value, "ceiling": ceiling, "signature": f"sig {value}", **bounds, **gaps}


def worth(value: float, low: float, high: float) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "signature": f"vendi {value}"}


OVERALL = {
    "rows": {"synthetic": 400, "gold": 800},
    "n": 400,
    "mauve": reached(0.6, (0.2, 0.5)),
    "density": reached(0.93, (-0.1, 0.12)),
    "coverage": reached(0.99, (-0.06, -0.01)),
    "vendi": {"synthetic": worth(80.84, 78, 83), "gold": worth(107.9, 105, 110), "ratio": worth(0.75, 0.72, 0.78)},
}
FAR = {
    "id": "g7",
    "label": "good",
    "text": "一つ目\n二つ目",
    "similarity": 0.2041,
    "nearest": "s1",
    "nearest_text": "別の文",
}
TOLD: dict[str, Any] = {
    "encoder": "fake-1",
    "unit": "text",
    "least": 50,
    "least_for_mauve": 100,
    "sampled": {"synthetic": 400, "gold": 1200},
    "overall": OVERALL,
    "by_label": {
        "good": OVERALL | {"n": 60},
        "bad": {"n": 9, "undefined": "too few", "rows": {"synthetic": 9, "gold": 40}},
    },
    "far": {"synthetic": [FAR | {"id": "s9"}], "gold": [FAR]},
}
POINTS = {
    "x": [0.1, -0.2, 0.3, 0.4],
    "y": [0.5, -0.6, 0.7, -0.8],
    "set": [0, 0, 1, 1],
    "label": [0, 1, 0, -1],
    "id": ["s1", "s2", "g1", "g2"],
    "text": ["良い品です。", EVIL, "あ" * 30, "い"],
}
MAP = {
    "labels": ["good", "<b>bad</b>"],
    "points": POINTS,
    "neighbours_kept": 0.61,
    "by_chance": 0.004,
    "signature": "t-sne",
}
ANALYSIS = {"embedding": TOLD, "map": MAP}


def view(**changes: Any) -> dict[str, Any]:
    told = copy.deepcopy(TOLD) | changes
    found = embedding({"embedding": told, "map": MAP})
    assert found
    return found


def pages(found: dict[str, Any]) -> tuple[str, str]:
    env = _environment(html=True)
    macros = (
        "{% macro ja(text) %}<span>{{ text }}</span>{% endmacro %}"
        "{% macro plot(name, says, class='') %}<div data-figure={{ name }}></div>{% endmacro %}"
        "{% macro wide(title) %}<div aria-label='{{ title }}'>{{ caller() }}</div>{% endmacro %}"
    )
    html = env.from_string(macros + '{% include "embedding.html.j2" %}').render(embedding=found)
    return html, _environment(html=False).get_template("embedding.md.j2").render(embedding=found)


def test_sentences_follow_the_interval_of_the_gap() -> None:
    assert view()["sentences"] == [
        "A sample of 400 synthetic and 1,200 gold rows was turned into vectors by the encoder fake-1.",
        "MAUVE is .60 [.55, .65]; other gold rows reach .95 at the same n of 400: a gap of .35 [.20, .50].",
        "Density is .93 [.88, .98], not distinguishable from the .95 of other gold rows at the same n of 400.",
        "Coverage is .99 [.94, 1.04], above the .95 of other gold rows at the same n of 400.",
        "By the Vendi score the synthetic rows are worth 81 wholly different ones, as many gold rows 108: a ratio of "
        ".75 [.72, .78].",
    ]
    assert "A pair is the vectors of both its texts, one behind the other." in view(unit="pair")["sentences"]


def test_alarms_need_whole_intervals_below_half_of_gold() -> None:
    assert view()["alarms"] == []
    low = OVERALL | {"coverage": reached(0.4, (0.5, 0.6)), "vendi": OVERALL["vendi"] | {"ratio": worth(0.4, 0.3, 0.49)}}
    first, second = view(overall=low)["alarms"]
    assert first.startswith(
        "The synthetic texts reach .40 [.35, .45] of where gold texts lie; other gold texts reach .95."
    )
    assert "Read the gold texts that have nothing near" in first
    assert second.startswith("The synthetic texts are much alike: their Vendi score is .40 [.30, .49] of that")
    wide = OVERALL | {
        "coverage": reached(0.45, (0.4, 0.6)),
        "vendi": OVERALL["vendi"] | {"ratio": worth(0.4, 0.3, 0.5)},
    }
    assert view(overall=wide)["alarms"] == []


def test_too_few_rows_and_no_gold_are_said() -> None:
    none = {"rows": {"synthetic": 30, "gold": 40}, "n": 20, "undefined": "x"}
    assert view(overall=none)["sentences"][1] == (
        "They are too few to compare: it takes 50 synthetic rows, and twice as many of gold."
    )
    assert view(overall=none)["rows"] == []
    alone = {"rows": {"synthetic": 90}, "undefined": "x", "vendi": {"synthetic": worth(30.06, 28, 32)}}
    found = view(overall=alone, far={}, by_label={})
    assert found["sentences"][1:] == [
        "There are no gold rows to compare with.",
        "By the Vendi score the synthetic rows are worth 30.1 [28.0, 32.0] wholly different ones.",
    ]
    pages(found)


def test_labels_and_sets_too_small_for_mauve() -> None:
    small = {key: value for key, value in OVERALL.items() if key != "mauve"}
    found = view(overall=small, by_label={"good": small})
    assert "MAUVE takes at least 100 rows of each set." in found["sentences"]
    assert [cell["value"] for cell in found["by_label"][0]["cells"]] == [".93 / .95", ".99 / .95"]
    assert found["columns"] == ["density", "coverage"]
    both = view(by_label={"good": OVERALL, "bad": small})
    assert [[cell["value"] for cell in row["cells"]] for row in both["by_label"]] == [
        [".60 / .95", ".93 / .95", ".99 / .95"],
        ["", ".93 / .95", ".99 / .95"],
    ]
    for page in pages(found):
        assert "not known" not in page


def test_tables_hold_every_measure_and_label() -> None:
    found = view()
    assert [row["name"] for row in found["rows"]] == ["MAUVE", "density", "coverage"]
    assert (found["rows"][0]["gap"], found["rows"][0]["gap_interval"]) == (".35", "[.20, .50]")
    [good] = found["by_label"]
    assert (good["label"], good["n"], good["ratio"]) == ("good", "60", ".75 [.72, .78]")
    assert found["unknown"] == ["bad"]
    assert [side["source"] for side in found["far"]] == ["synthetic", "gold"]
    assert found["far"][1]["rows"][0]["text"] == "一つ目 / 二つ目"
    assert "sig 0.6" in found["signatures"]
    for page in pages(found):
        for part in ("MAUVE", ".35", "good", "一つ目 / 二つ目", "107.9"):
            assert part in page


def test_nothing_measured_has_no_section() -> None:
    assert embedding({}) is None
    assert embedding({"embedding": None, "map": MAP}) is None
    assert map_figure({}) is None
    assert map_figure({"map": MAP | {"points": {}}}) is None


def test_texts_are_escaped_on_both_pages() -> None:
    far = {"gold": [FAR | {"text": EVIL, "nearest_text": EVIL}]}
    for page in pages(view(far=far, by_label={EVIL: OVERALL}, encoder=EVIL)):
        assert "<script" not in page
        assert "alert(1)" in page


def test_the_map_draws_labels_as_colours_and_sets_as_symbols() -> None:
    figure = map_figure(ANALYSIS)
    assert figure
    ours, theirs, *points = figure["data"]
    assert (ours["name"], theirs["name"]) == ("synthetic", "gold")
    assert [(one["name"], one["marker"]["symbol"], one["showlegend"]) for one in points] == [
        ("good", "diamond-open", False),
        ("good", "circle", True),
        ("&lt;b&gt;bad&lt;/b&gt;", "circle", True),
        ("another label", "diamond-open", True),
    ]
    assert points[0]["marker"]["color"] == points[1]["marker"]["color"] != points[2]["marker"]["color"]
    assert all(one["marker"]["color"] in dark_twins() for one in figure["data"])


def test_a_point_shows_its_text_escaped_in_short_lines() -> None:
    figure = map_figure(ANALYSIS)
    assert figure
    drawn = json.dumps(figure, ensure_ascii=False)
    assert "<script" not in drawn
    texts = [text for one in figure["data"] for text in one.get("text") or ()]
    assert f"{'あ' * 26}<br>{'あ' * 4}<br>g1" in texts
    assert "&lt;script&gt;alert(1)&lt;/script&gt;%<br>{x}<br>s2" in texts
    assert all("<b>bad</b>" not in one["hovertemplate"] for one in figure["data"] if one.get("hovertemplate"))


def test_more_labels_than_colours_have_other_symbols() -> None:
    labels = [f"label {n}" for n in range(14)]
    points = {"x": list(range(28)), "y": list(range(28)), "set": [0, 1] * 14, "label": [n // 2 for n in range(28)]}
    points |= {"id": list("a" * 28), "text": list("b" * 28)}
    figure = map_figure({"map": {"labels": labels, "points": points}})
    assert figure
    looks = [(one["marker"]["color"], one["marker"]["symbol"]) for one in figure["data"][2:]]
    assert len(set(looks)) == len(looks) == 28


@pytest.mark.parametrize(
    "changes", [{}, {"overall": {}}, {"overall": {"rows": {}, "undefined": "x"}}, {"by_label": {}}]
)
def test_japanese_says_all_of_it(changes: dict[str, Any]) -> None:
    with in_language("ja"):
        found = view(**changes)
        html, markdown = pages(found)
        assert map_figure(ANALYSIS)
        assert not [text for text in missing() if text != "not known"]
    assert "文ベクトルの空間で見る" in html
    assert "文ベクトルの空間で見る" in markdown
    assert found["sentences"][0].endswith("エンコーダfake-1でベクトルにした。")
