"""Every number's signature, and which sections the page has."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from japagen.report.contents import ORDER, contents
from japagen.report.signatures import MOST, signatures


def test_each_signature_stands_once_with_the_numbers_that_carry_it() -> None:
    scores = {
        "systems": [
            {"name": "majority", "scores": {"accuracy": {"value": 0.5, "signature": "n=2"}}},
            {"scores": {"accuracy": {"value": 0.7, "signature": "n=2"}}, "difference": {"signature": "paired"}},
        ],
        "signature": None,
    }
    assert signatures({"scores": scores, "analysis": {"mauve": {"signature": "n=2"}}, "stages": {}}) == [
        {
            "signature": "n=2",
            "numbers": [
                "scores.systems.majority.scores.accuracy",
                "scores.systems.2.scores.accuracy",
                "analysis.mauve",
            ],
            "more": 0,
        },
        {"signature": "paired", "numbers": ["scores.systems.2.difference"], "more": 0},
    ]


def test_of_many_numbers_with_one_signature_the_first_are_named() -> None:
    [found] = signatures({"analysis": {str(at): {"signature": "same"} for at in range(MOST + 3)}})
    assert (len(found["numbers"]), found["more"]) == (MOST, 3)


leaves = st.none() | st.integers() | st.text(max_size=3)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
)


@given(trees, st.integers(0, 5))
def test_every_signature_is_found_however_deep(tree: Any, depth: int) -> None:
    value: Any = {"signature": "here", "beside": tree}
    for _ in range(depth):
        value = [{"in": value}]
    assert [one["signature"] for one in signatures({"x": value})] == ["here"]


def test_sections_that_have_nothing_to_show_are_left_out() -> None:
    there = {"scores": [1], "asked": True, "gold": {"files": []}, "rounds": None, "scaling": {}}
    found = contents(there, {"asked": "Settings"})
    assert [one.title for one in found] == ["Settings", "Gold data", "Scores"]
    assert [(one.name, one.id) for one in found] == [("asked", "asked"), ("gold", "golddata"), ("scores", "scores")]
    assert len({name for name, _ in ORDER}) == len(ORDER)
