"""Rows that share an image or a text are one group; no group shares anything with another."""

from itertools import combinations, pairwise

from hypothesis import given
from hypothesis import strategies as st

from japagen.groups import IMAGE, image_groups, split_groups, text_groups
from japagen.japanese import canonical
from japagen.records import Example


def pair(*texts: str) -> Example:
    return Example("", texts[0], "x", texts[1] if len(texts) > 1 else None)


def test_single_texts_are_grouped_by_their_canonical_form() -> None:
    first, same, other = text_groups([pair("犬が走る。"), pair("犬が 走る！"), pair("犬が走った。")])
    assert first == same != other
    assert text_groups([]) == []


def test_pairs_are_grouped_by_either_text_at_either_place_and_over_others() -> None:
    # 1 and 3 share nothing, but 2 shares a text with each of them; 4 says it the other way round; 5 stands alone.
    rows = [pair("あ", "い"), pair("う", "い。"), pair("え", "う"), pair("お", "え"), pair("か", "き")]
    groups = text_groups(rows)
    assert len(set(groups[:4])) == 1
    assert groups[4] not in groups[:4]


texts = st.sampled_from(["犬。", "犬", "猫", "ネコ", "ﾈｺ", "鳥", "馬", "1.5", "15", "。"])


@given(st.lists(st.lists(texts, min_size=1, max_size=2), max_size=10))
def test_groups_share_no_text_and_are_as_small_as_can_be(rows: list[list[str]]) -> None:
    groups = text_groups([pair(*row) for row in rows])
    shared = [{canonical(text) for text in row} for row in rows]
    for (a, group), (b, other) in combinations(zip(shared, groups, strict=True), 2):
        assert group == other or not a & b
    for name in set(groups):  # any way to cut a group in two cuts through a text
        members = [texts for texts, group in zip(shared, groups, strict=True) if group == name]
        reached = members[0]
        for _ in members:
            reached = reached.union(*(texts for texts in members if texts & reached))
        assert all(texts <= reached for texts in members)
        assert name in reached


@given(st.permutations(["い", "ろ", "は", "に"]), st.integers(0, 3))
def test_groups_do_not_depend_on_the_order_of_rows(order: list[str], alone: int) -> None:
    rows = [pair(a, b) for a, b in pairwise(order)] + [pair(f"独{alone}")]
    parts = text_groups(rows)
    turned = text_groups(rows[::-1])[::-1]
    assert [parts.index(group) for group in parts] == [turned.index(group) for group in turned]


def test_images_count_before_their_captions_do() -> None:
    rows = [Example(str(n), "同じ。", "x", meta={IMAGE: image}) for n, image in enumerate(["1-2-3", "4-5-6", "4-7-8"])]
    first, second, third = image_groups(rows) or []
    assert first != second == third
    assert len(set(text_groups(rows))) == 1


def test_splits_part_neither_images_nor_texts() -> None:
    about = [Example(str(n), a, "x", b, None, {IMAGE: f"{image}-1-2"}) for n, (a, b, image) in enumerate(
        [("犬。", "猫。", 1), ("鳥。", "馬。", 1), ("馬", "魚。", 2), ("虫。", "草。", 3), ("1", "2", 4)]
    )]  # fmt: skip
    first, same_image, same_text, other, number = split_groups(about)
    assert first == same_image == same_text
    assert len({first, other, number}) == 3  # an image's number is no text
