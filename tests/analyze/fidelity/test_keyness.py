"""Key words: by hand, in both directions and by label, counted by occurrences and by texts, with texts to read."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.analyze.corpus import Corpus, corpora
from japagen.analyze.corpus import occurrences as counting
from japagen.analyze.corpus.occurrences import occurrences
from japagen.analyze.fidelity.keyness import keyness, log_likelihood_ratios
from japagen.likelihood import log_likelihood_ratio
from japagen.records import Example

LABELS = ["positive", "negative"]
COUNT = st.integers(0, 500)


def rows(name: str, texts: Sequence[tuple[str, str]]) -> list[Example]:
    return [Example(f"{name}{at}", text, label) for at, (text, label) in enumerate(texts)]


def made(ours: Sequence[tuple[str, str]], theirs: Sequence[tuple[str, str]]) -> tuple[Corpus, Corpus]:
    first, second = corpora([rows("s", ours), rows("g", theirs)], LABELS)
    return first, second


def numbered(form: str, n: int, label: str = "positive") -> list[tuple[str, str]]:
    return [(form.format(at), label) for at in range(n)]


def test_by_hand() -> None:
    # 靴{n}: the number makes the texts different; it is a word too, on both sides alike
    ours, theirs = made(numbered("靴が最高{}", 40), numbered("靴が普通{}", 40))
    found = keyness(ours, theirs, LABELS)
    [best] = found["all"]["synthetic"]
    assert (best["word"], best["count"], best["count_other"], best["texts"], best["texts_other"]) == (
        "最高",
        40,
        0,
        40,
        0,
    )
    assert best["ratio"] == pytest.approx(80 * math.log(2))  # 40 of 160 words against none of 160
    assert best["texts_ratio"] == pytest.approx(80 * math.log(2))
    assert best["log_ratio"] == pytest.approx(math.log2(81))  # half an occurrence on each side
    assert best["rate"] == 250_000
    assert best["rate_other"] == 0
    [gold] = found["all"]["gold"]
    assert (gold["word"], gold["count"], gold["count_other"], gold["texts_other"]) == ("普通", 40, 0, 0)
    assert gold["log_ratio"] == best["log_ratio"]
    assert gold["examples"][0]["id"].startswith("g")
    assert found["by_label"]["negative"] == {"synthetic": None, "gold": None}
    assert [one["word"] for one in found["by_label"]["positive"]["gold"]] == ["普通"]
    assert found["texts"] == {"synthetic": 40, "gold": 40}
    assert found["words"] == {"synthetic": 160, "gold": 160}
    json.dumps(found, allow_nan=False)


def test_the_limit_is_shared_by_all_words_that_were_looked_at() -> None:
    found = keyness(*made(numbered("靴が最高{}", 40), numbered("靴が普通{}", 40)), LABELS)
    # 靴, が, 最高, 普通 in all texts and again within the one label; each number stands in two texts only
    assert found["looked_at"] == 8
    assert found["least"] == pytest.approx(7.4768, abs=0.001)  # chi-square with one degree of freedom at .05 / 8
    assert found["signature"] == (
        "keyness G² of occurrences and of texts >= 7.48 "
        "(Bonferroni, 8 words; n=40 and 40 different texts, 160 and 160 words, unidic-lite)"
    )


def test_one_text_that_repeats_a_word_makes_no_key_word_of_it() -> None:
    theirs = [*numbered("靴が普通{}", 40), *numbered("靴が最高{}", 6)]
    ours = [*theirs, ("最高" * 200, "positive")]
    assert keyness(*made(ours, theirs), LABELS)["all"]["synthetic"] == []


def test_more_texts_with_as_many_occurrences_make_no_key_word() -> None:
    ours = numbered("靴が最高{}", 60)
    theirs = [*numbered("靴が最高最高最高最高最高{}", 12), *numbered("靴が靴が{}", 48)]
    words = {one["word"] for one in keyness(*made(ours, theirs), LABELS)["all"]["synthetic"]}
    assert "最高" not in words


def test_a_rare_word_is_not_looked_at() -> None:
    # four texts of only a few words: as sure as can be, and yet no habit
    ours = [*numbered("最高{}", 4), *numbered("靴{}", 5)]
    found = keyness(*made(ours, numbered("猫{}", 2000)), LABELS)
    assert [one["word"] for one in found["all"]["synthetic"]] == ["靴"]


def test_a_text_that_is_repeated_counts_once() -> None:
    theirs = numbered("靴が普通{}", 40)
    ours = [*theirs, *[("最高です", "positive")] * 200]
    found = keyness(*made(ours, theirs), LABELS)
    assert found["all"]["synthetic"] == []
    assert found["texts"] == {"synthetic": 41, "gold": 40}


def test_longer_texts_alone_make_no_key_words() -> None:
    ours = numbered("靴が普通だった。靴が普通だった。靴が普通だった。{}", 60)
    found = keyness(*made(ours, numbered("靴が普通だった。{}", 60)), LABELS)
    assert found["all"] == {"synthetic": [], "gold": []}


def test_labels_have_their_own_words() -> None:
    ours = [*numbered("最高の靴{}", 40), *numbered("普通の靴{}", 40, "negative")]
    theirs = [*numbered("普通の靴{}", 40), *numbered("最高の靴{}", 40, "negative")]
    found = keyness(*made(ours, theirs), LABELS)
    assert found["all"] == {"synthetic": [], "gold": []}
    words = {label: [one["word"] for one in found["by_label"][label]["synthetic"]] for label in LABELS}
    assert words == {"positive": ["最高"], "negative": ["普通"]}
    assert all(one["id"].startswith("s") for one in found["by_label"]["negative"]["synthetic"][0]["examples"])


def test_examples_are_different_texts_of_usual_length_that_hold_the_word() -> None:
    lengths = [1, 9, 10, 10, 11, 30] * 8
    ours = [("最高" + "ー" * n + chr(0x4E00 + at), "positive") for at, n in enumerate(lengths)]
    ours += [ours[2]] * 5
    [best] = [
        one for one in keyness(*made(ours, numbered("普通{}", 40)), LABELS)["all"]["synthetic"] if one["word"] == "最高"
    ]
    assert len({one["text"] for one in best["examples"]}) == 3
    assert all("最高" in one["text"] and len(one["text"]) == 13 for one in best["examples"])
    assert [one["id"] for one in best["examples"]] == ["s2", "s3", "s8"]


def test_marks_are_no_words_and_a_table_has_an_end() -> None:
    ours, theirs = made(numbered("最高の靴！！！{}", 60), numbered("普通だった{}", 60))
    assert [one["word"] for one in keyness(ours, theirs, LABELS)["all"]["synthetic"]] == ["最高", "の", "靴"]
    assert len(keyness(ours, theirs, LABELS, top=1)["all"]["synthetic"]) == 1


def test_one_label_is_not_told_twice() -> None:
    first, second = corpora([rows("s", numbered("最高{}", 30)), rows("g", numbered("普通{}", 30))], LABELS[:1])
    found = keyness(first, second, LABELS[:1])
    assert found["by_label"] == {}
    assert found["all"]["synthetic"][0]["word"] == "最高"


def test_nothing_to_compare() -> None:
    ours, theirs = made(numbered("最高{}", 5), [])
    assert keyness(ours, None, LABELS) == keyness(ours, theirs, LABELS) == keyness(theirs, ours, LABELS) == {}
    found = keyness(*made([("！", "positive")], [("靴", "positive")]), LABELS)
    assert found["all"] == {"synthetic": None, "gold": None}  # a side without words


@given(st.lists(st.tuples(COUNT, COUNT).filter(any), min_size=1, max_size=20))
def test_many_ratios_are_those_of_each_word(counts: list[tuple[int, int]]) -> None:
    ours, theirs = (np.array(side) for side in zip(*counts, strict=True))
    found = log_likelihood_ratios(ours, 600 * len(counts), theirs, 900 * len(counts))
    expected = [log_likelihood_ratio(a, 600 * len(counts), b, 900 * len(counts)) for a, b in counts]
    assert found == pytest.approx(expected, abs=1e-9)


@given(
    st.lists(st.tuples(st.text("靴猫犬。", max_size=6), st.sampled_from(LABELS)), max_size=20),
    st.sampled_from([1, 3, 1 << 19]),
)
def test_occurrences_are_counted_as_one_would(texts: list[tuple[str, str]], block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "BLOCK", block)
        [corpus] = corpora([rows("s", texts)], LABELS, "character")
        found = occurrences(corpus, len(LABELS))
    different = list(dict.fromkeys(texts))
    assert found.sizes.tolist() == [sum(label == of for _, of in different) for label in LABELS]
    for at, label in enumerate(LABELS):
        words = [[*text] for text, of in different if of == label]
        for number, word in enumerate(corpus.vocabulary):
            assert found.counts[at, number] == sum(text.count(word) for text in words)
            assert found.texts[at, number] == sum(word in text for text in words)
