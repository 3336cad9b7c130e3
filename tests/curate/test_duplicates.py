"""Duplicates: by hand, against brute force, and above the number of rows from which the loops are compiled."""

import random
import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen import setjoin
from japagen.curate.duplicates import near_texts, same_texts
from japagen.endings import plain_form
from japagen.japanese import canonical
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
    assert same_texts([Example("a", "犬猫", "p", ""), Example("b", "犬", "p", "猫")]) == {}


def test_politeness_makes_no_difference_but_where_wording_is_judged() -> None:
    examples = rows("馬が走ります。", "馬が走る", "とても長い草原の道を馬が走ります。", "とても長い草原の道を馬が走る")
    assert same_texts(examples) == {1: ("duplicate", "r0"), 3: ("duplicate", "r2")}
    assert same_texts(examples, form=canonical) == {}
    assert list(near_texts(examples[2:], 0.9)) == [1]
    assert near_texts(examples[2:], 0.9, form=canonical) == {}


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


def test_texts_of_other_numbers_are_no_near_duplicates() -> None:
    text = "山のふもとにある、広い草原で馬が{}頭ならんで草を食べている。"
    examples = rows(*(text.format(number) for number in ("2", "3", "２", "1.5")), text.format("2") + "牛も。")
    assert list(near_texts(examples, 0.7)) == [2, 4]
    pair = [Example("a", "犬", "p", text.format(2)), Example("b", "犬", "p", text.format(3))]
    assert near_texts(pair, 0.7) == {}
    assert near_texts([Example("a", text.format(2), "p", "3"), Example("b", text.format(3), "p", "2")], 0.1) == {}


def test_pairs_are_near_by_both_texts_at_their_places() -> None:
    # 5 + 5 trigrams; of the third 4 + 5 shared of 10; the second has them at the other places
    one, other, cut = "あいうえおかき", "さしすせそたち", "あいうえおか"
    examples = [Example(*row) for row in (("a", one, "p", other), ("b", other, "p", one), ("c", cut, "p", other))]
    assert near_texts(examples, 0.9) == {2: ("near_duplicate", "a (0.90)")}
    assert near_texts(examples, 0.91) == {}


@pytest.mark.parametrize("few", [2000, 0])
@given(ROWS, st.sampled_from([0.3, 0.55, 0.8, 1.0]))
def test_equal_to_brute_force(few: int, drawn: list[tuple[str, str]], similarity: float) -> None:
    examples = [Example(str(i), text, label) for i, (text, label) in enumerate(drawn)]
    forms = [plain_form(example.text) for example in examples]
    grams = [trigrams(form) for form in forms]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setjoin, "FEW", few)
        gone = near_texts(examples, similarity)
    stay = [i for i in range(len(examples)) if i not in gone]

    def similar(i: int, j: int) -> bool:
        if examples[i].label != examples[j].label or re.findall("2+", forms[i]) != re.findall("2+", forms[j]):
            return False
        return jaccard(grams[i], grams[j]) >= similarity

    assert not any(similar(i, j) for i, j in combinations(stay, 2))
    for i, (reason, detail) in gone.items():
        twin = next(j for j in stay if j < i and similar(i, j))
        assert (reason, detail) == ("near_duplicate", f"{twin} ({jaccard(grams[i], grams[twin]):.2f})")


@pytest.mark.parametrize("similarity", [0.5, 0.8, 0.95])
def test_many_rows_as_few(monkeypatch: pytest.MonkeyPatch, similarity: float) -> None:
    rng = random.Random(0)
    texts = ["".join(rng.choices("あいうえおかきくけこさしすせそ漢字", k=40)) for _ in range(150)]
    for text in texts[:100]:  # up to three characters of a copy are changed, so that similarities spread
        chars = list(text)
        for _ in range(rng.randrange(4)):
            chars[rng.randrange(40)] = "異"
        texts.append("".join(chars))
    few = near_texts(rows(*texts), similarity)
    monkeypatch.setattr(setjoin, "FEW", 0)
    assert near_texts(rows(*texts), similarity) == few
    assert len(few) >= 20


@pytest.mark.parametrize("few", [2000, 0])
def test_takes_any_text(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(setjoin, "FEW", few)
    assert near_texts([], 0.8) == {}
    assert near_texts(rows("\ud800", "😀😀😀", "", "\ud800"), 0.8) == {3: ("near_duplicate", "r0 (1.00)")}
