"""Rows that belong together: captions of one image or copies of one text are not independent, so splits take them whole.

`image_groups` is for what is computed from rows (folds, resamples): it says None where there is nothing to keep together.
`split_groups` is for splits: neither an image nor a text is then on both sides.
"""

from __future__ import annotations

from collections.abc import Sequence

from japagen.japanese import canonical
from japagen.records import Example
from japagen.streams import stream

IMAGE = "yjcaptions_id"
"""JGLUE's column: IMAGE-CAPTION-CAPTION, or IMAGE_IMAGE-… where the captions are of two images."""


def image_groups(examples: Sequence[Example]) -> list[str] | None:
    """For rows about images the group of each: rows that share an image, directly or over others, are one group.

    Captions of one image are not independent, so that intervals must draw such groups whole. None where a row names no
    image.
    """
    images = [images_of(example) for example in examples]
    return _joined(images) if images and all(images) else None


def images_of(example: Example) -> list[str]:
    """The images that a row is about, one or two as a rule; none where it names none."""
    images = str(example.meta.get(IMAGE) or "").partition("-")[0].split("_")
    return images if all(images) else []


def text_groups(examples: Sequence[Example]) -> list[str]:
    """The group of each row: rows that share a text, directly or over others, are one group, named by a text of it.

    Texts are the same where `japanese.canonical` is. Of pairs either text counts, at either place; so two groups have
    no text in common.
    """
    return _joined([_texts(row) for row in examples])


def one_of_each_group(examples: Sequence[Example], seed: int) -> list[Example]:
    """The rows that can be taken for independent draws, in their order: one, drawn with the seed, of each image; all of them
    where rows name none.
    """
    groups = image_groups(examples)
    if groups is None:
        return list(examples)
    places = list(range(len(examples)))
    stream(seed, "one of each group").shuffle(places)
    first: dict[str, int] = {}
    for place in places:
        first.setdefault(groups[place], place)
    return [examples[place] for place in sorted(first.values())]


def split_groups(examples: Sequence[Example]) -> list[str]:
    """The group of each row: rows that share an image or a text, directly or over others, are one group."""
    return _joined(
        [[*(f"image {image}" for image in images_of(row)), *map("text {}".format, _texts(row))] for row in examples]
    )


def _texts(row: Example) -> list[str]:
    return [canonical(text) for text in (row.text, row.text_pair) if text is not None]


def _joined(rows: Sequence[Sequence[str]]) -> list[str]:
    """The group of each row, named by one of its things: rows that share a thing, directly or over others, are one."""
    above: dict[str, str] = {}

    def top(thing: str) -> str:
        while (up := above.setdefault(thing, thing)) != thing:
            above[thing] = thing = above[up]
        return thing

    for first, *others in rows:
        for other in others:
            above[top(other)] = top(first)
    return [top(row[0]) for row in rows]
