"""Rows kept apart: whole groups, the same share of every label, and nothing on both sides."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from japagen.groups import IMAGE, image_groups
from japagen.records import Example
from japagen.student.holdout import apart_from, hold_out

IMAGES = st.lists(st.integers(0, 9), min_size=1, max_size=40)


def rows_of(images: list[int], *, pairs: bool = True) -> list[Example]:
    return [
        Example(f"r{i}", f"文{i}", "ab"[i % 2], f"対{i}" if pairs else None, meta={IMAGE: f"{image}-1-2"})
        for i, image in enumerate(images)
    ]


def test_each_label_gives_its_share() -> None:
    rows = [Example(f"r{i}", f"文{i}", "a" if i < 80 else "b") for i in range(100)]
    train, dev = hold_out(rows, 0.1, seed=0, number=0)
    assert sorted(row.label for row in dev) == ["a"] * 8 + ["b"] * 2
    assert sorted([*train, *dev], key=lambda row: int(row.id[1:])) == rows
    assert hold_out(rows, 0.1, seed=0, number=1)[1] != dev


def test_pairs_with_the_same_first_sentence_stay_together() -> None:
    rows = [Example(f"r{i}", f"文{i // 4}", "ab"[i % 2], f"対{i}") for i in range(40)]
    train, dev = hold_out(rows, 0.2, seed=0, number=0)
    assert len(dev) == 8
    assert not {row.text for row in train} & {row.text for row in dev}


@given(IMAGES, st.booleans())
def test_no_image_is_on_both_sides(images: list[int], pairs: bool) -> None:
    rows = rows_of(images, pairs=pairs)
    train, dev = hold_out(rows, 0.3, seed=1, number=0)
    assert sorted(row.id for row in [*train, *dev]) == sorted(row.id for row in rows)
    assert train
    assert not set(image_groups(train) or ()) & set(image_groups(dev) or ())


@given(IMAGES, st.integers(0, 9), st.booleans())
def test_no_label_is_held_out_whole(images: list[int], number: int, first_sentence: bool) -> None:
    rows = [replace(row, label="c" if row.meta[IMAGE].startswith("3") else row.label) for row in rows_of(images)]
    if first_sentence:
        rows = [replace(row, text=str(row.meta[IMAGE]), meta={}) for row in rows]
    train, dev = hold_out(rows, 0.5, seed=1, number=number)
    assert {row.label for row in train} >= {row.label for row in dev}


@given(IMAGES, st.data())
def test_what_is_left_shares_no_image_with_what_is_taken(images: list[int], data: st.DataObject) -> None:
    rows = rows_of(images)
    taken = data.draw(st.lists(st.sampled_from(rows), unique_by=lambda row: row.id))
    left = apart_from(rows, taken)
    touched = {row.meta[IMAGE] for row in taken}
    assert left == [row for row in rows if row.meta[IMAGE] not in touched]


def test_without_images_only_the_rows_themselves_are_taken() -> None:
    rows = [Example(f"r{i}", "同じ文", "a") for i in range(3)]
    assert apart_from(rows, rows[:1]) == rows[1:]
    assert apart_from([], rows) == []
