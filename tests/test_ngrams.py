"""3-grams: hand-worked values and properties of any text."""

from hypothesis import given
from hypothesis import strategies as st

from japagen.ngrams import jaccard, numbers, trigrams

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


def test_trigrams_by_hand() -> None:
    assert trigrams("あいうえ") == {"あいう", "いうえ"}
    assert trigrams("ああああ") == {"あああ"}
    assert trigrams("あい") == {"あい"}
    assert trigrams("") == {""}


def test_jaccard_by_hand() -> None:
    assert jaccard(frozenset("abc"), frozenset("bcd")) == 2 / 4
    assert jaccard(frozenset("ab"), frozenset("cd")) == 0


@given(ANY_TEXT, ANY_TEXT)
def test_jaccard_is_symmetric_and_one_with_itself(left: str, right: str) -> None:
    a, b = trigrams(left), trigrams(right)
    assert jaccard(a, b) == jaccard(b, a)
    assert jaccard(a, a) == 1
    assert 0 <= jaccard(a, b) <= 1


def test_numbers_are_digits_and_kanji_that_count() -> None:
    assert numbers("馬が2頭と犬が三匹いる") == ("2", "三")
    assert numbers("1.5倍で15個") == ("1.5", "15")
    assert numbers("一生懸命に二の次") == ()  # no counter, no number
    assert numbers("二頭") != numbers("三頭")
