"""Japanese text: the hard cases of quality/ja.tsv, and properties of any string, lone surrogates included."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import japanese
from japagen.curate import CurateSettings
from japagen.records import Example

CASES = Path(__file__).parent / "quality" / "ja.tsv"
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=40)


def load_cases() -> list:
    lines = [line for line in CASES.read_text("utf-8").splitlines() if not line.startswith("#")]
    assert lines[0].split("\t") == ["function", "input", "expected", "why"]
    rows = [line.split("\t") for line in lines[1:]]
    return [pytest.param(f, json.loads(f'"{i}"'), json.loads(e), id=f"{f}-{why}") for f, i, e, why in rows]


def reason(text: str) -> str | None:
    """Why the default filters drop a text that stands alone; None when they keep it."""
    example = Example("1", text, "positive")
    found = (ask(example) for ask in CurateSettings().filters([], []))
    return next((f[0] for f in found if f), None)


@pytest.mark.parametrize(("function", "text", "expected"), load_cases())
def test_hard_case(function: str, text: str, expected: object) -> None:
    call = reason if function == "reason" else getattr(japanese, function)
    assert call(text) == expected


def test_cases_are_about_sixty_or_more() -> None:
    assert len(load_cases()) >= 60


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
    heavy = "{'fugashi', 'unidic_lite', 'rensa', 'sklearn'}"
    code = f"import sys, {module}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_words_of_a_text_as_long_as_a_book() -> None:
    from japagen.japanese import words

    assert len(words("あめ。" * 400_000)) >= 400_000
