"""Rows that belong together: captions of one image are not independent, so splits, folds and resamples take them whole."""

from __future__ import annotations

from collections.abc import Sequence

from japagen.records import Example

IMAGE = "yjcaptions_id"
"""JGLUE's column: IMAGE-CAPTION-CAPTION, or IMAGE_IMAGE-… where the captions are of two images."""


def image_groups(examples: Sequence[Example]) -> list[str] | None:
    """For rows about images the group of each: rows that share an image, directly or over others, are one group.

    Captions of one image are not independent, so that intervals must draw such groups whole. None where a row names no
    image.
    """
    images = [str(example.meta.get(IMAGE) or "").partition("-")[0].split("_") for example in examples]
    if not images or any(not image for row in images for image in row):
        return None
    above: dict[str, str] = {}

    def top(image: str) -> str:
        while (up := above.setdefault(image, image)) != image:
            above[image] = image = above[up]
        return image

    for first, *others in images:
        for other in others:
            above[top(other)] = top(first)
    return [top(row[0]) for row in images]
