"""Rows that a small encoder can learn, and settings for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from japagen.records import Example
from japagen.sections import EncoderSection

GOODS = ["本", "茶", "傘", "椅子", "時計", "靴", "鞄", "皿"]
SAYINGS = {
    "angry": ["{}がすぐ壊れて最悪でした。", "この{}には本当にがっかりした。", "{}は二度と買いません。"],
    "glad": ["{}がとても気に入りました。", "この{}は最高で大満足だ。", "{}をまた買います。"],
}


@pytest.fixture(scope="session")
def singles() -> list[Example]:
    """48 plain sentences of two labels."""
    return [
        Example(f"{label}-{i}-{n}", saying.format(goods), label)
        for i, goods in enumerate(GOODS)
        for label, sayings in SAYINGS.items()
        for n, saying in enumerate(sayings)
    ]


@pytest.fixture(scope="session")
def similar(singles: list[Example]) -> list[Example]:
    """Pairs with a number: that of the first sentence's mood, 0 or 4, plus 1 where the second is the same sentence."""
    made = []
    for i, row in enumerate(singles):
        for plus, other in ((1.0, row), (0.0, singles[(i + 6) % 48])):
            value = (0.0 if row.label == "angry" else 4.0) + plus
            made.append(Example(f"{row.id}/{value:g}", row.text, f"{value:g}", other.text, value))
    return made


@pytest.fixture
def settings(tiny_bert: Path) -> Callable[..., EncoderSection]:
    """Settings of the encoder student on the small model."""

    def make(**changes: object) -> EncoderSection:
        given = {"model": str(tiny_bert), "batch_size": 8, "epochs": 8, "learning_rate": 3e-3, "precision": "fp32"}
        given |= {"min_steps": 0, "temporal_ensemble": 0}
        return EncoderSection.model_validate({**given, **changes})

    return make
