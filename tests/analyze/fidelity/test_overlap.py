"""Vocabulary overlap: by hand, symmetric, disjoint halves, parts of speech, refusals."""

import json
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.corpus import PARTS, Corpus, corpora
from japagen.analyze.fidelity import overlap
from japagen.analyze.fidelity.overlap import jaccard, vocabulary
from japagen.analyze.sampling import UndefinedError
from japagen.records import Example

VOCABULARY = st.frozensets(st.sampled_from("abcdef"), min_size=1)
KNOWN = [f"{letter}{n}" for letter in "nvp" for n in range(30)]
PART_OF = {"n": "noun", "v": "verb", "p": "particle"}


def corpus(texts: Sequence[Sequence[str]], tokeniser: str = "unidic-lite") -> Corpus:
    """A corpus of given words: the first letter of a word is its part of speech."""
    words = [word for text in texts for word in text]
    other = tokeniser == "character"
    return Corpus(
        ["".join(text) for text in texts],
        [str(at) for at in range(len(texts))],
        np.zeros(len(texts), np.int16),
        np.array([KNOWN.index(word) for word in words], np.int32),
        np.array([PARTS.index("other" if other else PART_OF[word[0]]) for word in words], np.int8),
        np.cumsum([0, *map(len, texts)]),
        KNOWN,
        tokeniser,
    )


def test_by_hand() -> None:
    ours = corpus([["n0", "v1", "n0"], ["n0", "v1"]])
    theirs = corpus([["n0", "v2"]] * 4)
    found = vocabulary(ours, theirs, seed=0)
    assert found["n"] == 2
    assert found["synthetic_gold"]["value"] == found["synthetic_gold"]["low"] == 1 / 3  # n0 of n0 v1 v2
    assert found["gold_gold"]["value"] == 1
    assert found["of_ceiling"] == pytest.approx(1 / 3)
    parts = {
        name: (one["synthetic_gold"]["value"], one["gold_gold"]["value"]) for name, one in found["by_part"].items()
    }
    assert parts == {"noun": (1, 1), "verb": (0, 1)}  # no particle anywhere, so it is left out
    assert found["by_part"]["verb"]["of_ceiling"] == 0
    assert found["synthetic_gold"]["signature"] == (
        "vocabulary-jaccard = 0.333 [0.333, 0.333] (n=2 texts a side, mean and range of 50 draws, unidic-lite, seed 0)"
    )
    assert found["by_part"]["noun"]["gold_gold"]["signature"].startswith("vocabulary-jaccard, noun = 1.000")


def test_mean_and_range_of_draws() -> None:
    found = vocabulary(corpus([["n0"], ["n1"]]), corpus([["n0"], ["n0"]]), seed=0)["synthetic_gold"]
    assert (found["low"], found["high"]) == (0, 1)
    assert 0.2 < found["value"] < 0.8


def test_gold_is_never_compared_with_itself() -> None:
    texts = [[f"n{at}"] for at in range(10)]
    found = vocabulary(corpus(texts), corpus(texts), seed=0)
    assert found["n"] == 5
    assert found["gold_gold"]["high"] == 0
    assert found["synthetic_gold"]["high"] > 0
    assert found["of_ceiling"] is None  # no share of nothing


def test_a_word_counts_under_each_part_that_it_is_used_as() -> None:
    rows = [
        [Example(f"{side}{at}", text, "a") for at in range(2)]
        for side, text in (("o", "値段が高い"), ("g", "値段が安い"))
    ]
    found = vocabulary(*corpora(rows, ["a"]), seed=0)
    assert found["by_part"]["noun"]["synthetic_gold"]["value"] == 1
    assert found["by_part"]["adjective"]["synthetic_gold"]["value"] == 0
    json.dumps(found, allow_nan=False)


def test_a_tokeniser_without_parts_of_speech_has_none() -> None:
    found = vocabulary(corpus([["n0"]], "character"), corpus([["n0"]] * 2, "character"), seed=0)
    assert found["by_part"] == {}
    assert found["synthetic_gold"]["value"] == 1


def test_at_most_so_many_texts_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "MOST", 3)
    assert vocabulary(corpus([["n0"]] * 9), corpus([["n0"]] * 9), seed=0)["n"] == 3


def test_more_texts_overlap_more() -> None:
    # why both sides are drawn at the same number: the value depends on it
    texts = [[f"n{at % 17}", f"v{at % 23}"] for at in range(60)]
    small, large = (
        vocabulary(corpus(texts[:n]), corpus(texts[: 2 * n]), seed=0)["gold_gold"]["value"] for n in (5, 30)
    )
    assert small < large


@pytest.mark.parametrize("gold", [None, corpus([]), corpus([["n0"]])])
def test_nothing_without_enough_gold(gold: Corpus | None) -> None:
    found = vocabulary(corpus([["n0"]]), gold, seed=0)
    assert found == {"n": 0, "synthetic_gold": None, "gold_gold": None, "of_ceiling": None, "by_part": {}}


def test_texts_without_words_have_no_overlap() -> None:
    assert vocabulary(corpus([[], []]), corpus([[], []]), seed=0)["synthetic_gold"] is None


@given(VOCABULARY, VOCABULARY)
def test_jaccard_is_symmetric(left: frozenset[str], right: frozenset[str]) -> None:
    assert jaccard(left, right) == jaccard(right, left)
    assert jaccard(left, left) == 1


def test_jaccard_of_nothing() -> None:
    with pytest.raises(UndefinedError, match="two empty vocabularies"):
        jaccard(frozenset(), frozenset())
