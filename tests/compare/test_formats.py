"""How a comparison is written: hand-checked tables, and names that would break each format if they were not escaped."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from japagen.compare import Cell, Column, Comparison, Contrast, Cost, Gain, Method, Overlap, Row
from japagen.compare.latex import latex, to_latex
from japagen.compare.longform import COLUMNS, harmless, to_csv
from japagen.compare.markdown import to_markdown
from japagen.compare.page import to_html
from japagen.compare.printed import probability, visible
from japagen.compare.screen import print_tables
from japagen.compare.sidetables import printed_tables
from japagen.records import Score

HOSTILE = '</td><script>alert("x")</script>|`a`*b*_c_$d$\\input{/etc/passwd}%&#{}~^\x1b[2J\n\n# @you'
Plant = Callable[..., Path]


def comparison(name: str = "x", *, run: str = "", averaged: bool = False) -> Comparison:
    """Two tasks and three methods: a best, one that cannot be told from it, and one that can."""
    best = Cell(0.875, 0.8, 0.95, 5, 200, ("r",), best=True)
    tied = Cell(0.75, 0.65, 0.85, 1, 200, ("r",), p=0.02, p_holm=0.06, tied=True)
    far = Cell(-0.125, -0.25, 0.0, 2, 1500, ("r", "s"), p=0.0001, p_holm=0.0003)
    void = Cell(None, None, None, 1, 1500, ("r",), undefined="the answers are constant")
    rows = (
        Row(Method("japagen", name, "linear", run), (best, best), 0.875 if averaged else None),
        Row(Method("prompted", "zero-shot PROMPTING"), (tied, far)),
        Row(Method("majority", "most frequent label"), (None, void)),
    )
    columns = (Column("mood", "accuracy", 200, None, 5000), Column("near", "spearman", 1500, 90, 5000))
    difference = Score("accuracy difference", 0.125, (0.125,), 0.05, 0.2, "", 0.01)
    return Comparison(
        columns=columns,
        rows=rows,
        tests=2,
        averaged=averaged,
        contrasts=(
            Contrast("mood", "r", name, "zero-shot PROMPTING", True, "accuracy", 0.125, 0.05, 0.2, 0.01, 0.02),
            Contrast("near", "s", name, "K = 5", False, "spearman", None, None, None, None, undefined="constant"),
        ),
        gains=(Gain(rows[0].method, 0, difference, 1 / 6),),
        costs=(
            Cost("mood", name, run, "embedded", 1234, 56789, 100, None, 600, 500),
            Cost("mood", "zero-shot PROMPTING", "", "embedded", 200, 2000, 200, 0.0123),
        ),
        overlaps=(Overlap("near", ("r", "s"), "test", "training texts", 1500, 0, 1, 2, 30),),
        runs=("r", "s"),
    )


SCORES = """\
## Scores

| method | mood (accuracy, n = 200) | near (Spearman correlation, n = 1,500, 90 groups) |
| --- | --: | --: |
| **Trained on synthetic texts** |  |  |
| x · linear | **.875** [.800, .950] (5) | **.875** [.800, .950] (5) |
| **The LLM asked directly** |  |  |
| zero-shot PROMPTING | .750† [.650, .850] (1) | −.125 [−.250, .000] (2) |
| **No learning** |  |  |
| most frequent label | – | undefined |

On human-labelled test rows, with 95 % intervals; in parentheses the number of seeds. Bold: the best of its column. \
†: not distinguishable from the best, p ≥ .05 in a two-sided paired bootstrap over rows, or groups of rows, and seeds \
(5,000 resamples), after Holm's correction over the 2 comparisons with a best in this table. † does not mean equal. \
The best was chosen on the same rows that test it."""

CONTRASTS = """\
| mood · accuracy | x minus zero-shot PROMPTING | r | +.125 [+.050, +.200] | **.020** |
| near · Spearman correlation | x minus K = 5 · default | s | undefined | – |"""

OTHERS = (
    "| x · linear | +12.5 [+5.0, +20.0] (+17 %) |",
    "| mood | x | 600 | 500 | 1,234 | 56,789 | 100 | – |",
    "| mood | zero-shot PROMPTING |  |  | 200 | 2,000 | 200 | 0.0123 |",
    "| near | test | training texts | r, s | 1,500 | 0 | 1 | 2 | 30 |",
)


def test_markdown_by_hand() -> None:
    text = to_markdown(printed_tables(comparison()))
    assert text.startswith(SCORES)
    assert CONTRASTS in text
    for line in OTHERS:
        assert line in text
    assert "a mean" not in text
    averaged = to_markdown(printed_tables(comparison(averaged=True)))
    assert "| .875 |\n" in averaged
    assert "Mixed in it are accuracy and Spearman correlation" in averaged


def test_long_form_by_hand() -> None:
    first, *rows = csv.reader(io.StringIO(to_csv(comparison(run="r"))))
    assert tuple(first) == COLUMNS
    assert len(rows) == 5  # a cell without a system is no row
    written = to_csv(comparison(run="r")).splitlines()
    assert written[1] == "mood,accuracy,japagen,x,linear,r,0.875,0.8,0.95,5,200,,,true,false"
    assert written[3] == "mood,accuracy,prompted,zero-shot PROMPTING,,r,0.75,0.65,0.85,1,200,0.02,0.06,false,true"
    assert rows[3][5] == "r s"
    assert rows[4][6:9] == ["", "", ""]


def test_latex_by_hand() -> None:
    text = to_latex(printed_tables(comparison()))
    assert r"zero-shot PROMPTING & .750$^\dagger$ {\scriptsize {[}.650, .850{]} (1)} & $-$.125" in text
    assert r"x {\scriptsize linear} & \textbf{.875} {\scriptsize {[}.800, .950{]} (5)}" in text
    assert r"method & mood & near \\" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == text.count(r"\toprule") == 5
    for table in text.split(r"\begin{tabular}{@{}")[1:]:
        columns = len(table[: table.index("@{}}")])
        body = table[: table.index(r"\bottomrule")]
        lines = [line for line in body.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
        assert {len(re.findall(r"(?<!\\)&", line)) + 1 for line in lines} == {columns}


def test_a_terminal_gets_whole_tables() -> None:
    for width in (200, 60):
        console = Console(width=width, file=io.StringIO(), force_terminal=False, color_system=None)
        print_tables(printed_tables(comparison()), console)
        shown = console.file.getvalue()  # type: ignore[attr-defined]
        assert all(len(line) <= width for line in shown.splitlines())
        for text in (".875", "[.800, .950] (5)", ".750†", "undefined", "−.125", "56,789"):
            assert text in shown
        beside = "x · linear" in shown.partition("Contrasts")[0]
        assert beside == (width == 200)  # the narrow one has it below
    assert probability(0.0004) == "< .001"


class _Page(HTMLParser):
    """Elements and texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in ("meta", "line", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "line":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_fetches_nothing() -> None:
    text = to_html(comparison())
    page = _Page(text)
    assert not page.open
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert "default-src 'none'; style-src 'unsafe-inline'" in text
    assert not re.search(r"https?://", text)
    assert page.tags.count("table") == 5
    assert "prefers-color-scheme: dark" in text
    assert page.tags.count("svg") == 4  # every interval of the scores is drawn
    for shown in (".875", ".750", "zero-shot PROMPTING", "1,234"):
        assert shown in page.text


@pytest.mark.parametrize("where", ["name", "run"])
def test_hostile_names_are_shown_and_do_nothing(where: str) -> None:
    found = comparison(**{where: HOSTILE})  # type: ignore[arg-type]
    tables = printed_tables(found)
    page = _Page(to_html(found))
    assert "script" not in page.tags
    assert "<script>" in page.text
    markdown = to_markdown(tables)
    assert "<script" not in markdown
    assert "@you" not in markdown
    for table in markdown.split("\n## "):
        pipes = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines() if line.startswith("|")}
        assert len(pipes) == 1
    written = to_latex(tables)
    assert r"\input" not in written
    assert r"\textbackslash{}input\{/etc/passwd\}\%\&\#\{\}" in written
    console = Console(width=200, file=io.StringIO(), force_terminal=False)
    print_tables(tables, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for text in (shown, markdown, written, to_csv(found), page.text):
        assert "\x1b" not in text
    assert all(len(row) == len(COLUMNS) for row in csv.reader(io.StringIO(to_csv(found))))


@given(st.text(max_size=30))
def test_any_text_is_one_visible_line_and_balanced_latex(text: str) -> None:
    shown = visible(text)
    assert shown == "" or shown.isprintable()
    assert "\n" not in shown
    braces = re.sub(r"\\[{}]", "", latex(shown))
    depth = 0
    for sign in braces:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    assert not re.search(r"(?<!\\)[%&#]", latex(shown))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_a_spreadsheet_takes_no_name_for_a_formula(text: str) -> None:
    assert harmless(text).startswith("'")
