"""The report: what it claims, that its numbers are the data's, and that no text can do harm in it."""

import base64
import copy
import gzip
import hashlib
import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from japagen.report import ReportData, escaped, write_report
from japagen.report.opening import opening
from japagen.report.words import number, verdict

VOID = {"meta", "input", "br", "link", "img", "hr"}
EVIL = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def data():
    return json.loads(Path(__file__).with_name("shop_reviews.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def pages(data, tmp_path_factory):
    return written(data, tmp_path_factory.mktemp("report"))


def written(data, folder):
    paths = write_report(ReportData(**data), folder)
    assert paths == [folder / "report.html", folder / "report.md"]
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.md"]
    return tuple(path.read_text("utf-8") for path in paths)


class Page(HTMLParser):
    """The page without its scripts: checks that elements balance, and collects cells, ids, links and attributes."""

    def __init__(self, html):
        super().__init__()
        self.open, self.rows, self.ids, self.hrefs, self.loads, self.attributes = [], [], [], [], [], set()
        self.text = []
        self.feed(re.sub(r"(<script[^>]*>).*?</script>", r"\1</script>", html, flags=re.S))
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.attributes |= set(given)
        self.ids += [given["id"]] if "id" in given else []
        self.hrefs += [given["href"]] if tag == "a" else []
        self.loads += [
            given[name] for name in ("src", "href", "srcset", "data", "poster") if name in given and tag != "a"
        ]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text.append(text)
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += text

    def row(self, start):
        return next([cell.strip() for cell in row] for row in self.rows if row and row[0].strip().startswith(start))


def packed(html, name):
    return gzip.decompress(
        base64.b64decode(re.search(rf'<script type="text/plain" id="{name}">(.*?)</script>', html)[1])
    )


def scripts(html):
    """The scripts that run: the page's own, and Plotly's, which it unpacks."""
    return [*re.findall(r"<script>(.*?)</script>", html, flags=re.S), packed(html, "plotly").decode()]


def embedded(html):
    return json.loads(packed(html, "figures").decode("utf-16-le"))


def difference(value, low, high):
    return {"value": value, "low": low, "high": high, "signature": "n=200"}


def system(kind, name, value=0.8, gap=None, **more):
    score = {"value": value, "by_seed": [value, value], "low": value - 0.05, "high": value + 0.05, "signature": "n=200"}
    return {"name": name, "kind": kind, "scores": {"accuracy": score}, "difference": gap, **more}


def claims(*others, experiment=None, **more):
    primary = system("japagen", "japagen/embedding", student="embedding")
    scores = {"metric": "accuracy", "n": 200, "primary": "japagen/embedding", "systems": [primary, *others], **more}
    return " ".join(opening(scores, experiment or {"generate": {"shots": 0}}))


def gold(k, gap):
    return system("gold", f"gold-{k}/embedding", 0.79, gap, student="embedding", k=k)


# What it says


def test_the_opening_names_the_score_the_interval_and_the_test():
    said = claims()
    assert said.startswith(
        "A classifier that saw no labelled data reaches an accuracy of .80 [.75, .85] on 200 human-labelled texts, "
        "the mean of 2 seeds."
    )
    assert "not known" in said  # no gold baseline
    assert "The LLM was not asked for the labels directly." in said


@pytest.mark.parametrize(
    ("gap", "claim"),
    [
        (difference(-0.08, -0.13, -0.03), "its score is better than that of K = 20 (−.08 [−.13, −.03])."),
        (difference(0.08, 0.03, 0.13), "its score is worse than that of K = 20 (+.08 [+.03, +.13])."),
        (difference(-0.02, -0.07, 0.03), "its score is not distinguishable from that of K = 20 (−.02 [−.07, +.03])."),
        (difference(-0.02, -0.04, 0.0), "its score is not distinguishable from that of K = 20 (−.02 [−.04, .00])."),
        (None, "K = 20 (.79 [.74, .84]) human-labelled examples per label no interval of the difference was computed"),
        (difference(-0.08, None, None), "so nothing is claimed."),
    ],
)
def test_a_claim_against_gold_is_read_off_the_interval(gap, claim):
    said = claims(gold(20, gap))
    assert claim in said
    assert ("Not distinguishable does not mean equal." in said) == (verdict(gap) == "unclear")


def test_gold_sizes_are_grouped_by_what_can_be_said_of_them():
    said = claims(
        gold(100, difference(0.05, 0.01, 0.09)),
        gold(5, difference(-0.2, -0.3, -0.1)),
        gold(10, difference(-0.1, -0.2, -0.05)),
        gold(50, difference(0.01, -0.03, 0.05)),
    )
    assert "better than that of K = 5 (−.20 [−.30, −.10]) and 10 (−.10 [−.20, −.05]), not distinguishable" in said
    assert "from that of K = 50 (+.01 [−.03, +.05]) and worse than that of K = 100 (+.05 [+.01, +.09])." in said


def test_gold_baselines_of_other_students_are_not_the_same_classifier():
    other = system("gold", "gold-20/linear", 0.5, difference(-0.3, -0.4, -0.2), student="linear", k=20)
    assert "The same classifier was not trained on gold examples" in claims(other)


@pytest.mark.parametrize(
    ("gap", "claim"),
    [
        (difference(0.04, 0.01, 0.07), "which is better (difference +.04 [+.01, +.07])"),
        (difference(-0.04, -0.07, -0.01), "which is worse (difference −.04 [−.07, −.01])"),
        (difference(0.01, -0.02, 0.04), "which is not distinguishable (difference +.01 [−.02, +.04])"),
        (None, "a difference without an interval"),
    ],
)
def test_a_claim_against_the_prompted_llm(gap, claim):
    said = claims(system("prompted", "prompted/zero-shot", 0.84, gap))
    assert f"directly gives .84 [.79, .89] (zero-shot), {claim}." in said


def test_a_result_no_better_than_the_majority_is_said_plainly():
    near, below = difference(-0.02, -0.06, 0.02), difference(0.1, 0.05, 0.15)
    assert "does not show that anything was learned" in claims(system("majority", "majority", 0.78, near))
    assert "The classifier does worse than always answering" in claims(system("majority", "majority", 0.9, below))


@pytest.mark.parametrize(
    ("experiment", "start"),
    [
        (
            {"generate": {"shots": 4}},
            "A classifier trained only on texts that the LLM wrote, shown 4 example texts each",
        ),
        ({"generate": {}}, "A classifier trained only on texts that the LLM wrote reaches"),
    ],
)
def test_no_labelled_data_is_claimed_only_for_zero_shots(experiment, start):
    assert claims(experiment=experiment).startswith(start)


def test_sureness_comes_with_the_smallest_difference_and_the_seeds():
    assert "can miss a true difference smaller than about .06." in claims(smallest_detectable_difference=0.064)
    one = system("japagen", "japagen/x", student="x")
    one["scores"]["accuracy"]["by_seed"] = [0.8]
    assert "Only one seed was run" in " ".join(opening({"systems": [one]}, {}))
    assert opening({}, None)[0].startswith("No classifier has been evaluated")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.814, ".81"),
        (-0.031, "−.03"),
        (0.0004, ".0004"),
        (-0.004, "−.004"),
        (0, ".00"),
        (1.0, "1.00"),
        (34.26, "34.26"),
        (None, "not known"),
        (float("nan"), "not known"),
        (True, "not known"),
    ],
)
def test_number(value, text):
    assert number(value) == text


# What it shows


def test_both_files_hold_the_same_facts(data, pages):
    html, markdown = pages
    text = "".join(Page(html).text).replace("\u00a0", " ")
    for paragraph in opening(data["scores"], data["experiment"]):
        assert paragraph in text
        assert paragraph in markdown
    for shown in (text, markdown):
        assert data["notices"][0] in shown
        assert "お店に満足しているレビュー" in shown
        assert "japagen run experiment.yaml" in shown
    assert len(html.encode()) < 6_000_000


def test_the_numbers_in_the_tables_are_those_of_the_data(data, pages):
    page = Page(pages[0])
    names = {
        "japagen/embedding": "embedding primary",
        "gold-20/linear": "linear, K = 20",
        "prompted/zero-shot": "zero-shot",
    }
    checked = [system for system in data["scores"]["systems"] if system["name"] in names]
    assert len(checked) == 3
    for one in checked:
        cells = next(row for row in page.rows if row[0].strip() == names[one["name"]])
        for cell, score in zip(cells[2:5], one["scores"].values(), strict=True):
            assert cell == f"{number(score['value'], 3)} [{number(score['low'], 3)}, {number(score['high'], 3)}]"
        gap = one["difference"]
        assert cells[5].startswith(number(gap["value"], 3) if gap else "")
    assert page.row("gold positive")[1:] == ["399 80 %", "101 20 %", "500"]


def test_the_ledger_adds_up_and_says_so_when_it_does_not(data, pages, tmp_path):
    page = Page(pages[0])
    assert page.row("dropped: near duplicate")[1:] == ["−31", "−17", "−48"]
    assert "do not add up" not in pages[0]
    broken = copy.deepcopy(data)
    broken["stages"]["curate"]["accounting"]["kept"] += 1
    for text in written(broken, tmp_path):
        assert "The rows of the stage &#39;curate&#39; do not add up" in text.replace("'", "&#39;")


def test_figures_show_the_data_in_colours_that_have_a_dark_twin(data, pages):
    told = embedded(pages[0])
    figures, dark = told["figures"], told["dark"]
    assert set(figures) == {"rows", "scores", "gold"}
    shown = [x for trace in figures["scores"]["data"] if "error_x" in trace for x in trace["x"]]
    assert sorted(shown) == sorted(s["scores"]["accuracy"]["value"] for s in data["scores"]["systems"])
    flow = figures["rows"]["data"][0]
    assert "kept  884" in flow["node"]["customdata"]
    assert sum(v for v, at in zip(flow["link"]["value"], flow["link"]["target"], strict=True) if at >= 3) == 1000
    used = set(re.findall(r'"(#[0-9a-f]{6}|rgba\([\d,.]+\))"', json.dumps(figures)))
    assert used - {"rgba(0,0,0,0)"} <= set(dark)
    assert len(set(dark)) == len(dark) == 3 * 16
    assert all(place in figures for place in re.findall(r'data-figure="([^"]+)"', pages[0]))


# That it can do no harm


def test_the_page_is_whole_and_loads_nothing(pages):
    page = Page(pages[0])
    assert page.loads == []
    assert len(page.ids) == len(set(page.ids))
    assert all(href.startswith("#") and href[1:] in page.ids for href in page.hrefs)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert not re.search(r"https?://|@import|url\(", pages[0])
    policy = re.search(r"script-src ([^;]+);", unescape(pages[0][:3000]))[1]
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts(pages[0])]
    assert policy == " ".join(f"'sha256-{digest}'" for digest in digests)


def test_planted_markup_is_only_ever_text(data, tmp_path):
    evil = copy.deepcopy(data)
    for sample in (evil["kept"], evil["dropped"], evil["mistakes"]):
        sample[0]["text"] = EVIL + "</script>\u2028|`x`"
    evil["name"] = evil["notices"][0] = evil["task"]["description"] = evil["kept"][0]["word"] = EVIL
    evil["dropped"][0] |= {"reason": EVIL, "detail": EVIL, "id": EVIL}
    evil["task"]["labels"]["positive"]["meaning"] = EVIL
    evil["task"]["labels"][EVIL] = {"meaning": "x"}
    evil["scores"]["systems"][1]["student"] = evil["experiment"]["llm"]["name"] = EVIL
    evil["stages"]["curate"]["accounting"]["dropped"][EVIL] = 0
    evil["stages"]["curate"]["by_label"]["positive"]["dropped"][EVIL] = 3
    html, markdown = written(evil, tmp_path)
    assert EVIL not in html
    assert EVIL not in markdown
    assert "<script" not in markdown
    assert html.count("<script") == html.count("</script>") == 4
    assert EVIL in "".join(Page(html).text)
    labels = embedded(html)["figures"]["rows"]["data"][0]["node"]["customdata"]
    assert not [label for label in labels if "<" in label]


def test_markdown_values_stay_on_their_line_and_in_their_cell():
    assert escaped("a|b\n# c") == "a\\|b # c"
    assert escaped("[x](http://y) *b* _i_ near_duplicate @me") == (
        "[x]\\(http://y) \\*b\\* \\_i\\_ near_duplicate @\u200bme"
    )


def test_settings_named_like_secrets_are_not_shown(data, tmp_path):
    private = copy.deepcopy(data)
    private["experiment"]["llm"] |= {"api_key": "sk-123", "headers": {"x": "sk-123"}, "max_tokens": 97}
    html, markdown = written(private, tmp_path)
    assert "sk-123" not in html + markdown
    assert "97" in html


# What may be missing


def test_nothing_but_a_name_makes_a_page(tmp_path):
    html, markdown = written({"name": "empty"}, tmp_path)
    Page(html)
    assert "No classifier has been evaluated" in html
    assert markdown.startswith("# empty\n")


@pytest.mark.parametrize(
    "part", ["task", "experiment", "stages", "scores", "analysis", "kept", "dropped", "mistakes", "provenance"]
)
@pytest.mark.parametrize("value", [None, "absent"])
def test_each_part_may_be_missing(data, part, value, tmp_path):
    less = {key: inner for key, inner in data.items() if key != part}
    Page(written(less if value == "absent" else less | {part: None}, tmp_path)[0])


def places(value, at=()):
    """Every path to a key or to the first item of a list, but once for what is built alike."""
    inner = value.items() if isinstance(value, dict) else [(0, value[0])] if value and isinstance(value, list) else ()
    for key, held in inner:
        yield (*at, key)
        if key not in ("negative", "gold", "scripts", "2", "3", "macro_f1", "mcc", "95", "75", "25"):
            yield from places(held, (*at, key))


@pytest.mark.parametrize("part", ["stages", "scores", "analysis", "task"])
def test_any_key_may_be_missing_or_null(data, part, monkeypatch, tmp_path):
    monkeypatch.setattr("japagen.report.packed_plotly", lambda: ("", ""))
    for path in places(data[part]):
        for null in (True, False)[len(path) > 2 :]:  # null is made absent at any depth
            less = {"name": "x", "task": {"labels": data["task"]["labels"]}}
            less[part] = place = copy.deepcopy(data[part])
            for key in path[:-1]:
                place = place[key]
            if null:
                place[path[-1]] = None
            else:
                del place[path[-1]]
            try:
                write_report(ReportData(**less), tmp_path)
            except Exception as error:
                error.add_note(f"{part}.{path} {'null' if null else 'missing'}")
                raise


def test_synthetic_texts_alone_and_scores_without_intervals(data, tmp_path):
    alone = copy.deepcopy(data)
    for part in alone["analysis"].values():
        if isinstance(part, dict) and "gold" in part:
            part["gold"] = None
    for one in alone["scores"]["systems"]:
        one["difference"] = None
        one["k"] = None
        for score in one["scores"].values():
            score |= {"low": None, "high": None, "by_seed": [float("nan")]}
    html, _ = written(alone, tmp_path)
    Page(html)
    assert "so nothing is claimed" in html
    assert "gold" not in embedded(html)["figures"]


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_report_of_a_file_speaks_of_no_run(language: str, tmp_path: Path) -> None:
    data = ReportData(
        "texts.csv",
        task={"name": "", "kind": "single", "labels": {"a": {}, "b": {}}},
        experiment={"report": {"language": language}},
        scores={
            "gold": {"files": [{"split": "test", "rows": 3, "file": "gold.csv"}], "groups": None},
            "contamination": [
                {"set": "gold", "against": "texts.csv", "of": 3, "exact": 2, "canonical": 0, "near": 0, "ids": []}
            ],
            "labels": ["a", "b"],
        },
        analysis={
            "counts": {"synthetic": {"a": 2, "b": 3}, "gold": {"a": 1, "b": 2}},
            "style": {"aspects": {"register": {"distance": {}}}},
        },
        provenance={"file": "texts.csv", "sha256": "0" * 64, "seed": 0, "command": "japagen analyze texts.csv"},
        file={"name": "texts.csv", "rows": 5, "gold_rows": 3},
    )
    html, markdown = (file.read_text("utf-8") for file in write_report(data, tmp_path))
    for text in (html, markdown):
        for never in (
            "dev and test",
            "used for",
            "meaning",
            "What was asked",
            "用途",
            "開発用",
            "実験の設定",
            "意味</th>",
        ):
            assert never not in text
    note = (
        "2 of the 3 human rows stand in the file."
        if language == "en"
        else "人の書いた3件のうち2件がファイルに含まれている。"
    )
    assert markdown.index(note) < markdown.index("##")
    assert (
        "are compared with themselves here: 2." if language == "en" else "2件が、自分自身と比べられている。"
    ) in markdown
    assert "sha256" not in markdown
