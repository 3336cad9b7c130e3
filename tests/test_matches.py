"""Matches: by hand, against comparing every row with every other, and on the human-labelled data."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.japanese import canonical
from japagen.matches import KINDS, Kind, Match, Texts, find_matches, one_text
from japagen.ngrams import jaccard, trigrams

GOLD = Path(__file__).parents[1].parent / "shared" / "gold"

SINGLES = st.tuples(st.text("あいう、2", max_size=10), st.none())
PAIRS = st.tuples(st.text("あい、", max_size=6), st.text("あい。", max_size=6))
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)


def singles(*texts: str) -> list[Texts]:
    return [(text, None) for text in texts]


def test_each_kind_by_hand() -> None:
    # あいうえおかき has 5 trigrams; without き 4, all of them shared: 4/5
    others = singles("別のもの", "ＡＢＣ、です。", "あいうえおかき")
    rows = singles("別のもの", "abcです", "あいうえおか", "何もない")
    assert find_matches(rows, others) == [
        Match(0, 0, "exact", 1.0),
        Match(1, 1, "canonical", 1.0),
        Match(2, 2, "near", 0.8),
    ]
    assert find_matches(rows, others, similarity=0.81)[2:] == []


def test_the_strongest_kind_wins_then_the_most_similar_then_the_earliest() -> None:
    row, far, near, as_near = "あいうえおかきくけこ", "あいうえおかきく", "あいうえおかきくけ", "いうえおかきくけこ"
    assert find_matches(singles(row), singles(far, near, as_near)) == [Match(0, 1, "near", 7 / 8)]
    assert find_matches(singles(row), singles(far, as_near, near)) == [Match(0, 1, "near", 7 / 8)]
    assert find_matches(singles(row), singles(far, near), similarity=0.7) == [Match(0, 1, "near", 7 / 8)]
    assert find_matches(singles(row), singles(near, row + "！", row)) == [Match(0, 2, "exact", 1.0)]
    assert find_matches(singles(row), singles(near, row + "！", row + "。")) == [Match(0, 1, "canonical", 1.0)]


def test_a_similarity_right_at_the_limit_counts() -> None:
    whole = "".join(map(chr, range(0x4E00, 0x4E00 + 102)))  # 100 trigrams; .55 * 100 is a little more than 55
    assert find_matches(singles(whole), singles(whole[:57]), similarity=0.55) == [Match(0, 0, "near", 0.55)]


def test_numbers_are_told_apart_in_short_texts_but_near_in_long_ones() -> None:
    two, three = "広い草原で馬が2頭ならんで草を食べています。", "広い草原で馬が3頭ならんで草を食べています。"
    assert find_matches(singles(two), singles(three)) == []
    more = "山のふもとにある、"
    assert [match.how for match in find_matches(singles(more + two), singles(more + three))] == ["near"]
    assert find_matches(singles("1.5倍"), singles("15倍")) == []


def test_pairs_match_in_either_order_and_count_as_their_weaker_text() -> None:
    long, cut = "あいうえおかき", "あいうえおか"
    others: list[Texts] = [("猫がいる。", "犬がいる。"), (long, "犬がいる。")]
    rows: list[Texts] = [
        ("猫がいる。", "犬がいる。"),
        ("犬がいる。", "猫がいる。"),
        ("犬がいる", "猫がいる。"),
        (cut, "犬がいる"),
        ("犬がいる", cut),
        ("猫がいる。", "猫がいる。"),
        ("犬がいる。", "鳥がいる。"),
    ]
    assert find_matches(rows, others) == [
        Match(0, 0, "exact", 1.0),
        Match(1, 0, "exact", 1.0),
        Match(2, 0, "canonical", 1.0),
        Match(3, 1, "near", 0.8),
        Match(4, 1, "near", 0.8),
    ]


def test_a_text_and_a_pair_never_match() -> None:
    assert find_matches([("猫", None)], [("猫", "猫"), ("犬", "猫")]) == []
    assert find_matches([("猫", "猫"), ("猫", "")], [("猫", None)]) == []


def test_one_text_of_a_pair() -> None:
    others: list[Texts] = [("猫がいる。", "犬がいる。"), ("鳥", None)]
    rows: list[Texts] = [
        ("ねこ", "犬がいる"),
        ("ねこ", "いぬ"),
        ("鳥", "ねこ"),
        ("犬がいる", None),
        ("猫がいる", "いぬ"),
    ]
    assert one_text(rows, others) == [0, 4]


def test_another_form_can_be_compared() -> None:
    assert find_matches(singles("走る"), singles("走ります"), form=lambda text: text[0]) == [
        Match(0, 0, "canonical", 1.0)
    ]


@pytest.mark.parametrize("similarity", [0, -1, 1.5])
def test_similarity_out_of_range_is_refused(similarity: float) -> None:
    with pytest.raises(ValueError, match="similarity must be above 0 and at most 1"):
        find_matches(singles("あ"), singles("あ"), similarity=similarity)


def test_empty_sets_and_texts() -> None:
    assert find_matches([], singles("あ")) == find_matches(singles("あ"), []) == []
    assert find_matches(singles("", " "), singles("\u3000")) == [
        Match(0, 0, "canonical", 1.0),
        Match(1, 0, "canonical", 1.0),
    ]


def text_kind(left: str, right: str, similarity: float) -> tuple[Kind, float] | None:
    if left == right:
        return "exact", 1.0
    forms = canonical(left), canonical(right)
    if forms[0] == forms[1]:
        return "canonical", 1.0
    score = jaccard(trigrams(forms[0]), trigrams(forms[1]))
    return ("near", score) if score >= similarity else None


def weaker(row: Texts, other: Texts, similarity: float) -> tuple[Kind, float] | None:
    found = [text_kind(a, b, similarity) for a, b in zip(row, other, strict=True) if a is not None and b is not None]
    kinds = [kind for kind in found if kind]
    if len(kinds) < len(found):
        return None
    return max((kind for kind, _ in kinds), key=KINDS.index), min(score for _, score in kinds)


def compare_all(rows: list[Texts], others: list[Texts], similarity: float) -> list[Match]:
    matches = []
    for position, row in enumerate(rows):
        found = []
        for place, other in enumerate(others):
            if (row[1] is None) != (other[1] is None):
                continue
            orders = [other] if other[1] is None else [other, (other[1], other[0])]
            found += [(place, *kind) for order in orders if (kind := weaker(row, order, similarity))]
        if found:
            place, how, score = min(found, key=lambda f: (KINDS.index(f[1]), -f[2], f[0]))
            matches.append(Match(position, place, how, score))
    return matches


SETS = st.lists(SINGLES | PAIRS, max_size=15)


@given(SETS, SETS, st.sampled_from([0.01, 0.3, 0.5, 0.55, 0.6, 0.7, 0.8, 1.0]))
def test_finds_what_comparing_all_finds(rows: list[Texts], others: list[Texts], similarity: float) -> None:
    assert find_matches(rows, others, similarity=similarity) == compare_all(rows, others, similarity)


@given(st.lists(st.tuples(ANY_TEXT, st.none() | ANY_TEXT), max_size=5))
def test_any_row_matches_itself(rows: list[Texts]) -> None:
    assert [(m.position, m.how) for m in find_matches(rows, rows)] == [(n, "exact") for n in range(len(rows))]


def gold_pairs(file: str) -> list[Texts]:
    path = GOLD / file
    if not path.is_file():
        pytest.skip(f"the gold data are not here: ../shared/gold/{file}")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [(row["sentence1"], row["sentence2"]) for row in rows]


def test_pairs_of_jnli_valid_in_jsts_train() -> None:
    """Those that the gold data's README counts, and more that differ in marks or little else."""
    jnli, jsts = gold_pairs("jnli/valid-v1.3.json"), gold_pairs("jsts/train-v1.3.json")
    pairs: list[Texts] = list({frozenset(pair): pair for pair in jnli}.values())
    found = [match.how for match in find_matches(pairs, jsts)]
    assert len(pairs) == 1358
    assert {how: found.count(how) for how in KINDS} == {"exact": 841, "canonical": 78, "near": 3}


@pytest.mark.parametrize("similarity", [0.3, 0.8])
def test_many_forms_are_joined_by_compiled_loops_with_the_same_result(
    monkeypatch: pytest.MonkeyPatch, similarity: float
) -> None:
    rng = random.Random(0)
    nouns = ["犬", "猫", "公園", "海辺", "電車", "帽子"]

    def text() -> str:
        return (
            f"{rng.choice(nouns)}と{rng.choice(nouns)}が{rng.choice(nouns)}の{rng.choice(['前', '横', '上'])}にいる。"
        )

    others: list[Texts] = [(text(), text()) for _ in range(300)]
    rows: list[Texts] = [(text(), text()) for _ in range(60)] + [(b, f"{a}よ") for a, b in others[:9] if b]
    counted = find_matches(rows, others, similarity=similarity)
    monkeypatch.setattr("japagen.matches.MANY", 0)
    assert find_matches(rows, others, similarity=similarity) == counted
    assert counted
    assert find_matches([], others) == []
