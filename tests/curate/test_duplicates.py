"""Duplicates: by hand, against brute force, and above the size where MinHash proposes the pairs."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate import duplicates
from japagen.curate.duplicates import form, near_texts, same_texts
from japagen.ngrams import jaccard, trigrams
from japagen.records import Example

ROWS = st.lists(st.tuples(st.text("あいう、2", max_size=12), st.sampled_from("pn")), max_size=25)


def rows(*texts: str, label: str = "p") -> list[Example]:
    return [Example(f"r{i}", text, label) for i, text in enumerate(texts)]


def test_the_first_of_the_same_texts_stays() -> None:
    found = same_texts(rows("よい。", "別の", "よい！", "ヨイ", "よい"))
    assert found == {2: ("duplicate", "r0"), 4: ("duplicate", "r0")}


def test_numbers_tell_texts_apart() -> None:
    assert same_texts(rows("馬が2頭", "馬が3頭", "1.5倍", "15倍")) == {}


def test_a_text_under_two_labels_goes_altogether() -> None:
    examples = [Example("a", "よい", "p"), Example("b", "よい！", "n"), Example("c", "よい", "p")]
    assert same_texts(examples) == dict.fromkeys(range(3), ("label_conflict", "the same text as n, p"))


def test_pairs_are_the_same_when_both_texts_are() -> None:
    examples = [Example("a", "犬", "p", "猫"), Example("b", "犬", "p", "鳥"), Example("c", "犬。", "p", "猫")]
    assert same_texts(examples) == {2: ("duplicate", "a")}
    assert form(Example("a", "犬猫", "p", "")) != form(Example("b", "犬", "p", "猫"))


def test_near_duplicates_by_hand() -> None:
    # あいうえおかき has 5 trigrams; without き 4, all shared: 4/5. かきくけこさし shares one at most.
    examples = rows("あいうえおかき", "かきくけこさし", "あいうえおか")
    assert near_texts(examples, 0.8) == {2: ("near_duplicate", "r0 (0.80)")}
    assert near_texts(examples, 0.81) == {}


def test_near_duplicates_of_other_labels_stay() -> None:
    examples = [Example("a", "この靴はとても履きやすい", "p"), Example("b", "この靴はとても履きやすい。", "n")]
    assert near_texts(examples, 0.5) == {}


def test_a_chain_is_judged_by_rows_that_stay() -> None:
    # neighbours share 4 of 6 trigrams, the ends 3 of 7: the third is compared with the first, for the second is gone
    examples = rows("あいうえおかき", "いうえおかきく", "うえおかきくけ")
    assert list(near_texts(examples, 0.6)) == [1]


@pytest.mark.parametrize("similarity", [0, -1, 1.5])
def test_similarity_out_of_range_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="similarity must be above 0 and at most 1"):
        near_texts(rows("あ"), similarity)


@given(ROWS, st.sampled_from([0.3, 0.55, 0.8, 1.0]))
def test_small_sets_are_exact(drawn: list[tuple[str, str]], similarity: float) -> None:
    examples = [Example(str(i), text, label) for i, (text, label) in enumerate(drawn)]
    grams = [trigrams(form(example)) for example in examples]
    gone = near_texts(examples, similarity)
    stay = [i for i in range(len(examples)) if i not in gone]

    def similar(i: int, j: int) -> bool:
        return examples[i].label == examples[j].label and jaccard(grams[i], grams[j]) >= similarity

    assert not any(similar(i, j) for i, j in combinations(stay, 2))
    assert all(any(similar(i, j) for j in stay if j < i) for i in gone)


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.95])
def test_minhash_finds_what_comparing_all_finds(monkeypatch: pytest.MonkeyPatch, similarity: float) -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("あいうえおかきくけこさしすせそ漢字", k=40)) for _ in range(150)]
    for text in texts[:100]:  # up to three characters of a copy are changed, so that similarities spread
        chars = list(text)
        for _ in range(rng.randrange(4)):
            chars[rng.randrange(40)] = "異"
        texts.append("".join(chars))
    exact = near_texts(rows(*texts), similarity)
    monkeypatch.setattr(duplicates, "EXACT_LIMIT", 0)
    assert near_texts(rows(*texts), similarity) == exact
    assert len(exact) >= 20


def test_minhash_takes_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "EXACT_LIMIT", 0)
    assert near_texts(rows("\ud800", "😀😀😀", "", "\ud800"), 0.8) == {3: ("near_duplicate", "r0 (1.00)")}
