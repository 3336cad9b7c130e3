"""The words that set two sets of texts apart; their ratio is tested in test_likelihood."""

import math

import pytest

from japagen.analyze.keyness import CharacteristicWord, characteristic_words
from japagen.analyze.sampling import UndefinedError


def test_words_that_set_apart() -> None:
    own = [["最高", "です", "！"], ["最高", "です", "！"], ["靴"]]
    other = [["です", "ね"], ["です"], ["靴", "😀", "ね"]]
    found = characteristic_words(own, other, top=5)
    assert found == [CharacteristicWord("最高", pytest.approx(4 * math.log(2)), 2, 0)]  # 2 of 5 against 0 of 5
    assert [w.word for w in characteristic_words(other, own, top=5)] == ["ね"]  # rates of です and 靴 are equal
    assert characteristic_words(own, other, top=0) == []


def test_undefined() -> None:
    with pytest.raises(UndefinedError, match="words on both sides"):
        characteristic_words([["靴"]], [["！"]], top=5)
