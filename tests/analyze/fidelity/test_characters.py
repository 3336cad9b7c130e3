"""Scripts and punctuation of many texts: as `script_counts` has them text by text, marks by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.fidelity import characters
from japagen.analyze.fidelity.characters import MARKS, character_counts
from japagen.japanese import SCRIPTS, script_counts

# Conjoining jamo alone are composed to fewer letters in a text than one by one
ANY = st.text(
    st.characters(codec=None, exclude_categories=()).filter(lambda c: not "\u1100" <= c <= "\u11ff"), max_size=30
)


def marks(text: str) -> dict[str, int]:
    found = character_counts([text])[1][0]
    return {mark: int(n) for mark, n in zip(MARKS, found, strict=True) if n}


@given(st.lists(ANY, max_size=8), st.integers(1, 3))
def test_scripts_are_those_of_each_text(texts: list[str], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(characters, "_BLOCK", block)
        scripts, _ = character_counts(texts)
    assert scripts.tolist() == [[script_counts(text)[script] for script in SCRIPTS] for text in texts]


def test_scripts_by_hand() -> None:
    scripts, _ = character_counts(["", "漢字とｶﾞ㎏", "１😀\ud800"])
    assert dict(zip(SCRIPTS, scripts[1].tolist(), strict=True)) == {
        "hiragana": 1, "katakana": 1, "kanji": 2, "latin": 2, "digit": 0, "emoji": 0, "other": 0,
    }  # fmt: skip
    assert scripts[0].sum() == 0
    assert scripts[2].tolist() == [0, 0, 0, 0, 1, 1, 1]  # a lone surrogate is "other"


def test_marks_by_hand() -> None:
    assert marks("はい。え、本当！？…「うん」（笑）") == {
        "。": 1,
        "、": 1,
        "！": 1,
        "？": 1,
        "…": 1,
        "「」": 2,
        "()": 2,
    }
    assert marks("１．５倍､1,000円｡ いいね♪ 5〜6個・#") == {"。": 2, "、": 1, "♪": 1, "〜": 1, "・": 1, "other": 2}
    assert marks("ただの文") == {}


def test_no_texts() -> None:
    scripts, found = character_counts([])
    assert (scripts.shape, found.shape) == ((0, len(SCRIPTS)), (0, len(MARKS)))
