"""Rows held back: whole groups, each row once, each label in its share, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.errors import DataError
from japagen.evaluate.gold import first_of_each, split_rows
from japagen.groups import text_groups
from japagen.records import Example

SHARES = {"dev": 0.1, "test": 0.2}


def rows(labels: str) -> list[Example]:
    return [Example(str(number), f"文{number}", label) for number, label in enumerate(labels)]


def alone(examples: list[Example]) -> list[str]:
    return [example.id for example in examples]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 12)), min_size=1, max_size=80),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 5),
)
def test_groups_are_whole_and_each_row_is_in_one_part(
    given: list[tuple[str, int]], dev: float, test: float, seed: int
) -> None:
    examples = rows("".join(label for label, _ in given))
    groups = [str(group) for _, group in given]
    shares = {"dev": dev, "test": test}
    parts: dict[str, list[Example]] = {}
    with suppress(DataError):
        parts = split_rows(examples, groups, shares, seed=seed)
    if not parts:  # there is nothing for one of them
        assert len(set(groups)) < 20
        return
    assert parts == split_rows(examples, groups, shares, seed=seed)
    assert sorted(int(row.id) for part in parts.values() for row in part) == list(range(len(examples)))
    of = {part: {groups[int(row.id)] for row in found} for part, found in parts.items()}
    assert not of["train"] & of["dev"]
    assert not of["train"] & of["test"]
    assert not of["dev"] & of["test"]
    for found in parts.values():
        assert found
        assert [row.id for row in found] == sorted((row.id for row in found), key=int)


@given(st.lists(st.integers(20, 60), min_size=1, max_size=4), st.integers(0, 20))
def test_each_label_comes_near_its_share(counts: list[int], seed: int) -> None:
    examples = rows("".join(letter * count for letter, count in zip("abcd", counts, strict=False)))
    parts = split_rows(examples, alone(examples), SHARES, seed=seed)
    for part, share in {"train": 0.7, **SHARES}.items():
        found = Counter(row.label for row in parts[part])
        for label, count in zip("abcd", counts, strict=False):
            assert abs(found[label] - share * count) <= 1


def test_a_split_by_hand() -> None:
    # Ten rows of one label, shares .7/.1/.2: Sainte-Laguë gives the rows in turn to the smallest (have + 1/2) / share.
    parts = split_rows(rows("a" * 10), [str(n) for n in range(10)], SHARES, seed=0)
    assert {part: len(found) for part, found in parts.items()} == {"train": 7, "dev": 1, "test": 2}


@pytest.mark.parametrize("seed", range(6))
def test_a_large_group_goes_where_there_is_room_for_it(seed: int) -> None:
    examples = rows("a" * 100)
    groups = ["giant"] * 60 + [str(n) for n in range(40)]
    parts = split_rows(examples, groups, SHARES, seed=seed)
    assert {part: len(found) for part, found in parts.items()} == {"train": 70, "dev": 10, "test": 20}
    assert sum(groups[int(row.id)] == "giant" for row in parts["train"]) == 60


def test_other_seeds_take_other_rows() -> None:
    examples = rows("ab" * 50)
    tests = {
        tuple(row.id for row in split_rows(examples, alone(examples), SHARES, seed=seed)["test"]) for seed in range(5)
    }
    assert len(tests) == 5


def test_too_few_groups_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        split_rows(rows("aaaa"), ["x", "x", "y", "y"], SHARES, seed=0, where="news.tgz")
    assert caught.value.what == "no row is left for 'dev': 4 rows in 2 groups that stay together"
    assert caught.value.where == "news.tgz"


def test_rows_that_repeat_an_earlier_one() -> None:
    given = [
        Example("0", "海へ行く。", "a", "山へ。"),
        Example("1", "海へ行く！", "a", "山へ"),  # the same but for marks
        Example("2", "海へ行く。", "b", "山へ。"),  # another label: not ours to decide which is right
        Example("3", "山へ。", "a", "海へ行く。"),  # the other way round
        Example("4", "海へ行く。", "a"),
        Example("5", "空を見る。", "a"),
    ]
    assert first_of_each(given, text_groups(given)) == [0, 2, 3, 4, 5]


@given(st.lists(st.tuples(st.text("あい。 ", max_size=4), st.sampled_from("ab")), max_size=30))
def test_what_is_left_repeats_nothing_and_lacks_nothing(given: list[tuple[str, str]]) -> None:
    examples = [Example(str(n), text, label) for n, (text, label) in enumerate(given)]
    kept = first_of_each(examples, text_groups(examples))
    left = [examples[place] for place in kept]
    assert first_of_each(left, text_groups(left)) == list(range(len(left)))
    assert set(text_groups(left)) <= set(text_groups(examples))
    assert len(set(text_groups(left))) == len(set(text_groups(examples)))
