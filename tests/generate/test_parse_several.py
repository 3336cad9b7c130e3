"""Structured replies: JSON as asked for, and what models send instead."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.generate.parse import parse_lines, parse_several

TWO = ["犬が走る。", "猫が寝る。"]


@pytest.mark.parametrize(
    "raw",
    [
        '{"texts": ["犬が走る。", "猫が寝る。"]}',
        '```json\n{"texts": ["犬が走る。", "猫が寝る。"]}\n```',
        'はい、二つ書きました。\n{"texts": ["犬が走る。", "猫が寝る。"]}\nいかがでしょうか。',
        '["犬が走る。", "猫が寝る。"]',
        '[{"text": "犬が走る。"}, {"text": "猫が寝る。"}]',
        '{"texts": [{"text": "犬が走る。", "n": 1}, {"text": "猫が寝る。", "n": 2}]}',
        '{"文": ["犬が走る。", "猫が寝る。"]}',
        '{"1": "犬が走る。", "2": "猫が寝る。"}',
        '{"texts": ["犬が走る。", "猫が寝る。", "鳥が',
        '{"texts": ["犬が走る。", "猫が寝る。",]}',
        "1. 犬が走る。\n2. 猫が寝る。",
        "１）犬が走る。\n\n２）「猫が寝る。」",
        "- 犬が走る。\n- 猫が寝る。",
        "・犬が走る。\n・猫が寝る。",
        "犬が走る。\n猫が寝る。",
    ],
)
def test_what_models_send(raw: str) -> None:
    assert parse_several(raw) == TWO


@pytest.mark.parametrize(
    "raw", ["", "  ", "{}", "[]", '{"texts": []}', '{"texts": null}', '{"texts": 3}', "[" * 50_000]
)
def test_nothing_in_it(raw: str) -> None:
    assert parse_several(raw) == []


@given(st.lists(st.text(min_size=1).filter(lambda t: t.strip() == t and " ".join(t.split()) == t), max_size=8))
def test_what_was_asked_for_comes_back(texts: list[str]) -> None:
    found = parse_several(json.dumps({"texts": texts}, ensure_ascii=False))
    assert len(found) == len(texts)


@given(st.text())
def test_anything_else_does_no_harm(raw: str) -> None:
    assert all(isinstance(text, str) and text for text in parse_several(raw))


@pytest.mark.parametrize(
    ("raw", "cut", "expected"),
    [
        ("犬が走る。\n声：猫が寝る。\n", False, TWO),
        ("犬が走る。\n声：猫が寝る。\n声：鳥が", True, TWO),
        ("犬が走る。\n犬の声：猫が寝る。", False, TWO),
        ("犬が走る。\n\n猫が寝る。", False, TWO),
        ("犬が走", True, []),
        ("", False, []),
    ],
)
def test_lines_of_a_base_model(raw: str, cut: bool, expected: list[str]) -> None:
    assert parse_lines(raw, "声：", cut=cut) == expected


@given(st.text(), st.text(), st.booleans())
def test_lines_of_anything(raw: str, lead: str, cut: bool) -> None:
    assert all(isinstance(text, str) and text for text in parse_lines(raw, lead, cut=cut))


def test_long_runs_of_spaces_take_no_time() -> None:
    spaces = " " * 2_000_000  # quadratic work would take hours
    assert parse_several(f'{{"texts": ["犬が走る。"{spaces}, "猫が寝る。"]{spaces}}}{spaces}x') == TWO
    assert parse_several(f"```json{spaces}[]{spaces}```") == []
