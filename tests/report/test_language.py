"""The two languages of the report: every message has its Japanese, and a Japanese page has no English left."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from string import Formatter
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import nodes
from markupsafe import Markup

import japagen
from japagen.report import ReportData, words, write_report
from japagen.report.language import QUOTED, catalogue, in_language, language, missing, quoted, say, several
from japagen.report.opening_japanese import beside_gold, classifier

SOURCE = Path(japagen.__file__).parent
REPORT = SOURCE / "report"
CATALOGUES = sorted((REPORT / "japanese").glob("*.yaml"))
SPEAKERS = {"say": 1, "message": 1, "several": 3}
"""Which functions take messages, and among how many of their first arguments."""


def in_code(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEAKERS:
            for argument in node.args[: SPEAKERS[node.func.id]]:
                yield from literals(argument)


def literals(node: ast.expr) -> Iterator[str]:
    """The text, or either text of a choice."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def in_template(file: Path) -> Iterator[str]:
    tree = jinja2.Environment().parse(file.read_text(encoding="utf-8"))
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in SPEAKERS:
            for argument in call.args[: SPEAKERS[call.node.name]]:
                chosen = [argument.expr1, argument.expr2] if isinstance(argument, nodes.CondExpr) else [argument]
                yield from (one.value for one in chosen if isinstance(one, nodes.Const))


def spoken() -> dict[str, list[str]]:
    """Every message, with the files that say it."""
    found: dict[str, list[str]] = {}
    for file in sorted(SOURCE.rglob("*.py")):
        if "japagen.report" in file.read_text(encoding="utf-8") and file.name != "language.py":
            for message in in_code(file):
                found.setdefault(message, []).append(file.name)
    for file in sorted((REPORT / "templates").glob("*.j2")):
        for message in in_template(file):
            found.setdefault(message, []).append(file.name)
    return found


def names(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name is not None}


def entries(file: Path) -> list[tuple[str, str]]:
    """Keys and texts, those that come twice included."""
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    return [(key.value, value.value) for key, value in node.value] if node else []


def test_every_message_has_its_japanese() -> None:
    told = catalogue()
    assert {message: files for message, files in spoken().items() if message not in told} == {}


def test_no_entry_is_unused_or_given_twice() -> None:
    said = spoken()
    keys = [(key, file.name) for file in CATALOGUES if file.name != QUOTED for key, _ in entries(file)]
    assert [key for key in keys if key[0] not in said] == []
    assert [key for key, n in Counter(key for key, _ in keys).items() if n > 1] == []


@pytest.mark.parametrize("file", CATALOGUES, ids=lambda file: file.name)
def test_entries_name_the_same_values_and_are_japanese(file: Path) -> None:
    for english, japanese in entries(file):
        told, filled = names(english.partition("|")[0]), names(japanese)
        assert filled <= told if file.name == QUOTED else filled == told, english
        assert japanese == japanese.strip() or english.strip() != english, english
        assert "|" not in japanese, english
        rest = re.sub(r"{\w+}", "", japanese)
        assert words.JAPANESE.search(rest) or rest == re.sub(r"{\w+}", "", english) or len(rest) < 30, english


def test_what_is_quoted_is_written_elsewhere() -> None:
    """Each pattern is a text of the source, its names standing for what an f-string or a template fills in."""
    written: set[str] = set()
    added: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        if REPORT not in file.parents:
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    written.add(bare(node.value).strip())
                if isinstance(node, ast.JoinedStr):
                    pattern = "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
                    )
                    written.add(pattern.strip())
                    added.add(pattern)
    patterns = [key for file in CATALOGUES if file.name == QUOTED for key, _ in entries(file)]
    longer = [
        (bare(pattern), bare(pattern).removesuffix(end)) for pattern in patterns for end in added if end[:1] == " "
    ]
    written |= {pattern for pattern, start in longer if start in written}
    assert [pattern for pattern in patterns if bare(pattern) not in written] == []


def bare(pattern: str) -> str:
    return re.sub(r"{\w+}", "{}", pattern)


def test_the_languages_differ_and_outside_of_them_english_is_spoken() -> None:
    assert say("not known") == "not known"
    with in_language("ja"):
        assert say("not known") == "不明"
        assert words.number(None) == "不明"
        assert words.join(["a", "b", "c"]) == "a、b、c"
        with in_language("en"):
            assert words.join(["a", "b", "c"]) == "a, b and c"
        assert say("not known") == "不明"
    assert say("not known") == "not known"


def test_a_message_without_japanese_is_english_and_told_of() -> None:
    assert missing() == ()
    with in_language("ja"):
        assert say("No such {thing}.", thing="message") == "No such message."
        assert say("No such {thing}.", thing="text") == "No such text."
        assert say("nothing|of the kind") == "nothing"
        assert missing() == ("No such {thing}.", "nothing|of the kind")
    assert missing() == ()


def test_what_tells_alike_messages_apart_is_not_shown() -> None:
    assert say("all|examples") == "all"
    with in_language("ja"):
        assert (say("all"), say("all|examples")) == ("すべて", "全件")


def test_one_or_several() -> None:
    one, many = "{n} is left{aside}.", "{n} are left{aside}."
    assert several(1, one, many, aside="") == "1 is left."
    assert several(0, one, many, aside="") == "0 are left."
    assert several(1200, one, many, aside=", all") == "1,200 are left, all."


def test_markup_stays_and_the_rest_is_escaped() -> None:
    told = say("p < {one} & {other}", one=Markup("<b>1</b>"), other="<i>")
    assert told == Markup("p &lt; <b>1</b> &amp; &lt;i&gt;")
    assert isinstance(told, Markup)
    assert say("p < {one}", one="<i>") == "p < <i>"  # the template escapes it


@given(st.text(max_size=80))
def test_values_come_through_as_they_are(value: str) -> None:
    assert say("{who} is here", who=value) == f"{value} is here"
    with in_language("ja"):
        assert value in say("{n} student", n="", student=value) or value in say("{student} student", student=value)
        assert isinstance(quoted(value), str)


def test_an_exception_ends_the_language() -> None:
    with pytest.raises(KeyError), in_language("ja"):
        say("{n} left out", other=1)
    assert language() == "en"


# A page in Japanese

FIXTURES = Path(__file__).parent
ENGLISH = re.compile(r"[A-Za-z][a-z]+(?: [a-z]{2,}){2,}")
"""Three English words in a row."""


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for pair in value.items() for part in pair for text in strings(part))
    elif isinstance(value, list):
        yield from (text for part in value for text in strings(part))
    else:
        yield str(value)


@pytest.mark.parametrize("scores", ["shop_reviews", "jnli_scores", "jsts_scores"])
def test_a_japanese_page_has_no_english_but_names_and_data(scores: str, tmp_path: Path) -> None:
    data = json.loads((FIXTURES / "shop_reviews.json").read_text("utf-8"))
    data["curation"] = json.loads((FIXTURES / "curation.json").read_text("utf-8"))
    if scores != "shop_reviews":
        data["scores"] = json.loads((FIXTURES / f"{scores}.json").read_text("utf-8"))
    given = "\n".join(strings(data))
    data["experiment"] = data["experiment"] | {"report": {"language": "ja"}}
    html, markdown = (file.read_text("utf-8") for file in write_report(ReportData(**data), tmp_path))
    assert '<html lang="ja">' in html
    assert 'class="example" lang="ja"' not in html  # the page is Japanese already
    body = re.sub(r"(?s)<(style|script)[^>]*>.*?</\1>", " ", html)
    for text in (re.sub(r"<[^>]+>", "\n", body), *re.findall(r'aria-label="([^"]*)"', body), markdown):
        left = [found for found in ENGLISH.findall(unescape(text)) if found not in given]
        assert left == []


@pytest.mark.parametrize("scores", ["shop_reviews", "jnli_scores", "jsts_scores"])
def test_the_same_numbers_stand_in_both_languages(scores: str, tmp_path: Path) -> None:
    data = json.loads((FIXTURES / "shop_reviews.json").read_text("utf-8"))
    if scores != "shop_reviews":
        data["scores"] = json.loads((FIXTURES / f"{scores}.json").read_text("utf-8"))
    told = []
    for spoken_in in ("en", "ja"):
        data["experiment"] = data["experiment"] | {"report": {"language": spoken_in}}
        _, markdown = write_report(ReportData(**data), tmp_path / spoken_in)
        tables = [
            line for line in markdown.read_text("utf-8").splitlines() if line.startswith("|") and "--" not in line
        ]
        told.append([sorted(re.findall(r"[−+]?[\d.,]*\d", line)) for line in tables])
    assert told[0] == told[1]


# What Japanese says in an order of its own


@pytest.mark.parametrize(
    ("primary", "experiment", "said"),
    [
        ({}, {"generate": {"shots": 0}}, "ラベル付きデータをまったく見ずに学習した分類器"),
        ({}, {"generate": {"shots": 3}}, "例文を毎回3件示してLLMに書かせたテキストのみで学習した分類器"),
        ({}, {"generate": {"shots": 0}, "train": {"dev": "gold"}}, "LLMが書いたテキストのみで学習した分類器"),
        (
            {"anchor_rows": 20, "decision": {"learnt_from": "100 gold rows", "adopted": ["temperature"]}},
            {"generate": {"shots": 0}, "train": {"anchor": {"weight": 5.0}}},
            "LLMが書いたテキストと人手ラベル付きテキスト20件（重み5）で学習し、正解データ100件でスコアを較正した分類器",
        ),
        (
            {"decision": {"learnt_from": "100 gold rows", "adopted": ["prior", "temperature"]}},
            {"generate": {"shots": 2}, "rounds": 2},
            "例文を毎回2件示して、第2ラウンドでは誤分類した正解データのテキストも示してLLMに書かせたテキストのみで学習し、"
            "正解データ100件でラベルの決め方を調整した分類器",
        ),
    ],
)
def test_the_classifier_by_what_it_saw(primary: dict[str, Any], experiment: dict[str, Any], said: str) -> None:
    with in_language("ja"):
        assert classifier(primary, experiment) == said


def test_sizes_beside_the_classifier_end_in_a_verb() -> None:
    start = "同じ分類器をラベルごとにK件の人手ラベル付き事例で学習した場合と比べると、"
    assert beside_gold({"worse": "5、10"}) == f"{start}K = 5、10を上回る。"
    assert beside_gold({"worse": "5", "better": "50"}) == f"{start}K = 5を上回り、K = 50を下回る。"
    assert beside_gold({"unclear": "5", "better": "50"}) == f"{start}K = 5とは有意差がなく、K = 50を下回る。"


def test_sentences_of_other_stages() -> None:
    told = (
        "The label of 12 of 400 rows is doubted: 良い 5, 悪い 7. Applied: dropping 12 rows of doubted label takes the "
        "accuracy of student 'linear' (5 seeds) on 100 gold dev rows from 0.812 to 0.834, a gain of 0.022, more than its "
        "standard error of 0.010."
    )
    assert quoted(told) == told
    with in_language("ja"):
        assert quoted(told) == (
            "400件中12件のラベルが疑わしい（良い 5, 悪い 7）。適用：ラベルの疑わしい12件の除外により、開発用正解データ"
            "100件での生徒モデル「linear」の正解率（5シード）は0.812から0.834に変化。向上は0.022で標準誤差0.010より大きい。"
        )
        assert quoted("12 gold dev rows in 5 groups") == "開発用正解データ12件（5グループ）"
        assert quoted("Something else. And more.") == "Something else. And more."
        assert quoted("No second round was written. Something else.") == "No second round was written. Something else."
        assert quoted("") == ""
