"""Respectful and humble speech on sentences written for it (tests/quality/honorifics.tsv): what is found and what missed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.fidelity.honorifics import HONORIFICS, honorific, honorific_places

LIST = Path(__file__).parents[2] / "quality" / "honorifics.tsv"
SENTENCES = [tuple(line.split("\t")) for line in LIST.read_text(encoding="utf-8").splitlines()]
MISSED = {"この度は先生が賞を受けられたと聞きました。", "部長は先週、京都へ行かれたそうです。"}
"""れる・られる, which looks like a passive."""


def reached(kind: str) -> tuple[float, float]:
    """Precision and recall."""
    has: Callable[[str], bool] = lambda found: found in (kind, "both")  # noqa: E731
    found, told = [has(honorific(text)) for text, _ in SENTENCES], [has(label) for _, label in SENTENCES]
    right = sum(a and b for a, b in zip(found, told, strict=True))
    return right / sum(found), right / sum(told)


def test_the_list_is_long_and_of_all_kinds() -> None:
    assert len(SENTENCES) >= 40
    assert len(dict(SENTENCES)) == len(SENTENCES)
    assert {label for _, label in SENTENCES} == set(HONORIFICS)


def test_precision_and_recall() -> None:
    assert reached("respectful") == (1.0, pytest.approx(24 / 26))
    assert reached("humble") == (1.0, 1.0)


def test_what_is_missed_is_known() -> None:
    assert {text for text, label in SENTENCES if honorific(text) != label} == MISSED


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", "none"),
        ("です。ます。ございます。", "none"),
        ("ﾒｰﾙを拝見しました", "humble"),
        ("おっしゃる\n通りにいたします", "both"),
    ],
)
def test_edges(text: str, kind: str) -> None:
    assert honorific(text) == kind


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_any_text(text: str) -> None:
    assert honorific(text) in HONORIFICS
    assert honorific_places([text]) == [HONORIFICS.index(honorific(text))]
