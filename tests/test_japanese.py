"""Japanese text: properties of any string, lone surrogates included. The hard cases are in quality/ja.tsv."""

import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen import japanese

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)
DIGITS = st.sampled_from("12２٣")
MARKS = st.sampled_from("、。.,，_^~〜～−‐― \u3000\n\x1f\ufe0e\U000e0100\u200b\ud800😀")
LETTERS = st.sampled_from("AßİかｶﾞＡ漢ー々\u0301\u3099①㍻")
HARD_TEXT = st.lists(st.builds("{}{}{}".format, DIGITS, MARKS, DIGITS) | MARKS | LETTERS, max_size=6).map("".join)


def canonical_by_character(text: str) -> str:
    """The rule of `canonical` told character by character: slower, but nothing is looked up."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = re.sub("[\ufe00-\ufe0f\U000e0100-\U000e01ef]", "", text)
    text = re.sub("[‐‑‒–—―−]", "-", text.replace("〜", "~"))
    kept = ""
    for i, char in enumerate(text):
        category = unicodedata.category(char)
        if not (category[0] in "PSZ" or category in ("Cc", "Cf", "Cs")):
            kept += char
        elif 0 < i < len(text) - 1 and text[i - 1].isdecimal() and text[i + 1].isdecimal():
            kept += "" if char.isspace() or char == "," else char
    return unicodedata.normalize("NFKC", kept) or "".join(text.split())


@settings(max_examples=400)
@given(ANY_TEXT | HARD_TEXT)
def test_canonical_is_its_rule_told_character_by_character(text: str) -> None:
    assert japanese.canonical(text) == canonical_by_character(text)


def test_no_letter_or_digit_is_a_mark() -> None:
    words = re.findall(r"[^\W_]", "".join(map(chr, range(sys.maxunicode + 1))))
    assert {unicodedata.category(char)[0] for char in words} == {"L", "N"}


@given(ANY_TEXT)
def test_canonical_and_normalise_are_idempotent(text: str) -> None:
    assert japanese.canonical(japanese.canonical(text)) == japanese.canonical(text)
    assert japanese.normalise(japanese.normalise(text)) == japanese.normalise(text)


@given(st.text("0123456789", min_size=1), st.text("0123456789", min_size=1))
def test_different_digits_are_different_texts(left: str, right: str) -> None:
    assert (japanese.canonical(f"{left}頭") == japanese.canonical(f"{right}頭")) == (left == right)


@given(ANY_TEXT)
def test_shares_are_shares(text: str) -> None:
    shares = japanese.script_shares(text)
    assert tuple(shares) == japanese.SCRIPTS
    assert sum(shares.values()) == pytest.approx(1 if japanese.script_counts(text).total() else 0)
    assert 0 <= japanese.japanese_share(text) <= 1


@given(ANY_TEXT)
def test_register_and_words_take_any_text(text: str) -> None:
    assert japanese.register(text) in japanese.REGISTERS
    assert all(word and not word.isspace() for word in japanese.words(text))


@given(st.text("あいう亜ア。", max_size=20))
def test_words_lose_no_character(text: str) -> None:
    assert "".join(japanese.words(text)) == text


def test_char_ngrams() -> None:
    assert japanese.char_ngrams("ああああ", 3) == ["あああ", "あああ"]
    assert japanese.char_ngrams("あい", 3) == []
    with pytest.raises(ValueError, match="n must be at least 1, not 0"):
        japanese.char_ngrams("あい", 0)


@pytest.mark.parametrize("module", ["japagen.japanese", "japagen.curate", "japagen.analyze"])
def test_import_is_light(module: str) -> None:
    heavy = "{'fugashi', 'unidic_lite', 'numba', 'sklearn'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_words_of_a_text_as_long_as_a_book() -> None:
    from japagen.japanese import words

    assert len(words("あめ。" * 400_000)) >= 400_000


def test_register_takes_long_laughter_in_its_stride() -> None:
    laughing = f"昨日は楽しかった{'w' * 5000}（29）また行く"
    assert japanese.register(laughing) == "plain"
    assert japanese.register(f"行きます{'w' * 5000}") == "polite"
