"""The hard Japanese cases of ja.tsv: what `japanese` makes of a text, what a check says of it, what the repairs leave."""

import json
from collections import Counter
from pathlib import Path

import pytest

from japagen import japanese
from japagen.curate.filters import CHECKS, REPAIRS, Known, Limits, checks, repairs
from japagen.records import Example

CASES = Path(__file__).parent / "ja.tsv"
KNOWN = Known(
    fragments=["買い物の感想を一行で書くこと。", "{word}の感想（短い）："],
    label_names={"positive": ("満足", "positive"), "negative": ("不満",)},
)
CHECKED = {check.name: check for check in checks(Limits(switched=dict.fromkeys(CHECKS, True)), KNOWN)}
NOT_OF_ONE_TEXT = {"same_sentences", "shot_copy"}  # their cases stand in tests/curate
LIMITED = {"too_few_words", "too_many_words"}  # ask nothing unless a limit is given


def rows() -> list[list[str]]:
    lines = [line for line in CASES.read_text("utf-8").split("\n") if line and not line.startswith("#")]
    assert lines[0].split("\t") == ["function", "input", "expected", "why", "source"]
    return [line.split("\t") for line in lines[1:]]


def cases() -> list:
    return [
        pytest.param(function, json.loads(f'"{text}"'), json.loads(expected), id=f"{function}-{why}")
        for function, text, expected, why, _ in rows()
    ]


def reason(text: str) -> str | None:
    """Why the default checks drop a text that stands alone; None when they keep it."""
    example = Example("1", text, "positive")
    found = (check.ask(example) for check in checks(Limits(), Known()))
    return next((f[0] for f in found if f), None)


def repaired(text: str) -> str | None:
    """What all repairs leave of a text; None where there is nothing to repair."""
    example = Example("1", text, "positive")
    for repair in repairs(Limits()):
        if found := repair.mend(example):
            example, detail = found
            assert detail
    return None if example.text == text else example.text


def asked(name: str, text: str) -> str | None:
    """What one check says of a text, asked alone."""
    found = CHECKED[name].ask(Example("1", text, "positive"))
    assert found is None or found[1]
    return found and found[0]


@pytest.mark.parametrize(("function", "text", "expected"), cases())
def test_hard_case(function: str, text: str, expected: object) -> None:
    match function:
        case "reason":
            assert reason(text) == expected
        case "repaired":
            assert repaired(text) == expected
        case name if name in CHECKED:
            assert asked(name, text) == expected
        case name:
            assert getattr(japanese, name)(text) == expected


def test_there_are_two_hundred_and_each_says_where_it_is_from() -> None:
    assert len(rows()) >= 200
    assert all(len(row) == 5 and row[3] and row[4] for row in rows())
    assert len({(row[0], row[1]) for row in rows()}) == len(rows())


def test_every_check_has_texts_that_go_and_neighbours_that_stay() -> None:
    counts = Counter((row[0], row[2] == "null") for row in rows())
    for name in set(CHECKS) - NOT_OF_ONE_TEXT - LIMITED:
        assert counts[name, False] >= 2, name
        assert counts[name, True] >= 3, name
    assert counts["repaired", True] >= len(REPAIRS)
    assert counts["repaired", False] >= len(REPAIRS)
