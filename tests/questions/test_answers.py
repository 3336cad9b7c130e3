"""Written answers: what is read, and what is not guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.questions.answers import read_answer

MOOD = ["満足", "不満"]
NUMBERS = ["0", "1", "2", "3", "4", "5"]


@pytest.mark.parametrize(
    ("text", "verbalisations", "place"),
    [
        ("満足", MOOD, 0),
        (" 「不満」。\n", MOOD, 1),
        ("**満足**", MOOD, 0),
        ("答えは満足です。", MOOD, 0),
        ("満足、満足です。", MOOD, 0),
        ("満足でも不満でもない", MOOD, None),
        ("不満足", MOOD, None),  # both overlap in it
        ("わかりません。", MOOD, None),
        ("", MOOD, None),
        ("。", MOOD, None),
        ("無関連です。", ["関連", "無関連"], 1),  # the shorter one stands only inside the longer one
        ("関連も無関連も", ["関連", "無関連"], None),
        ("Ｐｏｓｉｔｉｖｅ!", ["positive", "negative"], 0),
        ("４", NUMBERS, 4),
        ("近さは4です。", NUMBERS, 4),
        ("3.5", NUMBERS, None),
        ("11", NUMBERS, None),
        ("0から5で4", NUMBERS, None),
        ("4。理由は似ているから。", NUMBERS, 4),
        ("「○」", ["○", "×"], 0),
        ("○", ["○", "×"], 0),
        ("満足", ["満足", "満足。"], None),  # two labels that cannot be told apart
    ],
)
def test_reading(text: str, verbalisations: list[str], place: int | None) -> None:
    assert read_answer(text, verbalisations) == place


@given(st.text(max_size=30), st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=4, unique=True))
def test_any_text_is_read_or_not(text: str, verbalisations: list[str]) -> None:
    place = read_answer(text, verbalisations)
    assert place is None or 0 <= place < len(verbalisations)
    backwards = read_answer(text, verbalisations[::-1])
    assert (backwards is None) == (place is None)  # the order of the labels decides nothing
    assert place is None or backwards == len(verbalisations) - 1 - place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"label": "b"}', 1),  # not the a of "label"
        ('{"label": "\\u6e80\\u8db3"}', 2),  # as some servers write it
        (' {"label": "満足"}\n', 2),
        ('{"label": "b", "why": "満足"}', None),
        ('{"label": ["b"]}', None),
        ("[" * 100_000, None),
    ],
)
def test_a_label_in_a_form(text: str, place: int | None) -> None:
    assert read_answer(text, ["a", "b", "満足"]) == place
