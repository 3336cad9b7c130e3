"""Which gold dev rows guide a second round, and which are their controls."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate.guidance import Guides, guides, topic_vectors
from japagen.groups import IMAGE
from japagen.records import Example, Prediction


def said(row: Example, label: str, **scores: float) -> Prediction:
    return Prediction(row.id, label, scores or {label: 1.0})


def directions(*degrees: float) -> np.ndarray:
    """Vectors of length 1 in the plane."""
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def ids(rows: tuple[Example, ...]) -> list[str]:
    return [row.id for row in rows]


GOOD = [Example(f"g{i}", f"良い品{i}", "good") for i in range(4)]
BAD = [Example(f"b{i}", f"悪い品{i}", "bad") for i in range(4)]
DEV = [*GOOD, *BAD]
WRONG = {"g0": "bad", "g1": "bad", "b0": "good"}
ANSWERS = [said(row, WRONG.get(row.id, row.label)) for row in DEV]
#                      g0 g1  g2  g3   b0 b1  b2  b3
PLACES = directions(0.0, 40, 50, 20, 0.0, 10, 90, 5)


def choose(dev: list[Example] = DEV, answers: list[Prediction] = ANSWERS, most: int = 5, **more: object) -> Guides:
    options = {"vectors": PLACES, "seed": 0} | more
    return guides(dev, answers, most=most, **options)  # type: ignore[arg-type]


def test_guides_are_wrong_and_each_control_is_right_of_its_label_and_nearest() -> None:
    found = choose()
    # Both of "good" together are nearest: g0 with g3 (20 degrees), g1 with g2 (10); g1 alone would take g2 too.
    assert dict(zip(ids(found.wrong), ids(found.control), strict=True)) == {"g0": "g3", "g1": "g2", "b0": "b3"}
    assert found.errors == found.by_label == {"bad": 1, "good": 2}
    cosines = np.cos(np.radians([20, 10, 5]))
    assert found.nearness == pytest.approx(cosines.mean())


def test_a_control_serves_once_and_the_whole_distance_is_smallest() -> None:
    """Taken one after the other, g1 would leave g0 a control at 90 degrees; together they lose least."""
    found = choose(vectors=directions(0, 30, 32, 120, 0, 10, 90, 5))
    assert dict(zip(ids(found.wrong), ids(found.control), strict=True)) == {"g0": "g2", "g1": "g3", "b0": "b3"}
    assert len(set(ids(found.control))) == 3


def test_at_most_so_many_of_a_label_drawn_by_the_seed() -> None:
    rows = [Example(f"{i}", f"文{i}", "good" if i % 2 else "bad") for i in range(40)]
    answers = [said(row, row.label if int(row.id) >= 20 else "other") for row in rows]
    vectors = directions(*range(40))
    drawn = {seed: guides(rows, answers, vectors=vectors, most=3, seed=seed) for seed in range(4)}
    for found in drawn.values():
        assert Counter(row.label for row in found.wrong) == {"good": 3, "bad": 3}
        assert [row.label for row in found.wrong] == [row.label for row in found.control]
        assert all(int(a.id) < 20 <= int(b.id) for a, b in zip(found.wrong, found.control, strict=True))
    assert len({tuple(ids(found.wrong)) for found in drawn.values()}) > 1
    assert guides(rows, answers, vectors=vectors, most=3, seed=2) == drawn[2]


def test_no_control_has_an_image_or_a_text_of_any_guide() -> None:
    meta = [{IMAGE: f"{image}-1-2"} for image in (1, 2, 1, 3, 2, 4, 5, 6)]
    dev = [Example(e.id, e.text, e.label, e.text, meta=m) for e, m in zip(DEV, meta, strict=True)]
    found = choose(dev)
    # g2 is about the image of g0, so that g3 is the only control of "good", and the nearer guide gets it.
    assert dict(zip(ids(found.wrong), ids(found.control), strict=True)) == {"g0": "g3", "b0": "b3"}
    assert found.by_label == {"bad": 1, "good": 1}
    assert "'good': 1 more have no control without an image or a text of a guide." in found.sentence
    same = [*DEV[:3], Example("g3", "良い品0個", "good"), *DEV[4:]]
    assert choose(same).by_label["good"] == 2
    same[3] = Example("g3", "「良い品０」！", "good")
    assert choose(same).by_label["good"] == 1


def test_fewer_errors_give_fewer_guides_and_it_is_said() -> None:
    answers = [said(row, "bad") for row in DEV]
    found = choose(answers=answers)
    assert found.by_label == {"bad": 0, "good": 0}  # none of "good" is right, so that there is no control
    answers = [said(row, "bad" if row.id == "g0" else row.label) for row in DEV]
    found = choose(answers=answers, most=2)
    assert found.by_label == {"bad": 0, "good": 1}
    assert found.sentence == (
        "The student gets 1 of 8 gold dev rows wrong. Guides of the second round: 1 (1 of 'good'). Controls: as many "
        "rows of the same labels that it gets right, about the nearest topics (mean cosine 0.94). 'bad': no row is "
        "wrong. 'good': 1 of 2 guides, no other row is wrong."
    )


def test_without_errors_or_rows_there_is_nothing_to_guide() -> None:
    found = choose(answers=[said(row, row.label) for row in DEV])
    assert (found.wrong, found.control, found.nearness) == ((), (), None)
    assert found.sentence == "The student gets all 8 gold dev rows right, so that nothing can guide a second round."
    empty = guides([], [], vectors=np.zeros((0, 2)), most=3, seed=0)
    assert empty.wrong == ()
    assert empty.sentence == "There are no gold dev rows, so that nothing can guide a second round."


# ---- numbers ---------------------------------------------------------------------------------------------------------

NUMBERS = [Example(f"{i}", f"数{i}", "4" if i < 5 else "0", value=4.0 if i < 5 else 0.0) for i in range(10)]
GIVEN = [4.0, 2.0, 1.0, 3.5, 3.0, 0.5, 0.0, 0.4, 2.0, 0.1]


def test_of_numbers_the_largest_errors_of_each_label_and_controls_of_the_smaller_half() -> None:
    answers = [Prediction(e.id, "0", {"0": 1.0}, value) for e, value in zip(NUMBERS, GIVEN, strict=True)]
    vectors = directions(*[0.0] * 10)
    found = guides(NUMBERS, answers, vectors=vectors, most=1, seed=0)
    assert ids(found.wrong) == ["8", "2"]  # of "0" and of "4"
    assert found.errors == {"0": 2, "4": 2}  # above the medians .4 and 1
    found = guides(NUMBERS, answers, vectors=vectors, most=5, seed=0)
    assert ids(found.wrong) == ["8", "5", "2", "1"]
    assert set(ids(found.control)) <= {"6", "9", "7", "0", "3", "4"}
    assert found.sentence.startswith(
        "Of 10 gold dev rows the half of each label with the larger errors counts as wrong."
    )


def test_a_number_is_the_expectation_of_the_labels_where_none_is_given() -> None:
    answers = [said(e, "0", **{"0": 1 - value / 4, "4": value / 4}) for e, value in zip(NUMBERS, GIVEN, strict=True)]
    vectors = directions(*[0.0] * 10)
    found = guides(NUMBERS, answers, vectors=vectors, most=1, seed=0, values={"0": 0.0, "4": 4.0})
    assert ids(found.wrong) == ["8", "2"]
    with pytest.raises(ValueError, match="the prediction of '0' has no number, and the values of labels are not given"):
        guides(NUMBERS, answers, vectors=vectors, most=1, seed=0)


# ---- properties and refusals -----------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(0, 359)), max_size=40),
    st.integers(1, 6),
)
def test_always_pairs_of_one_label_without_repetition(rows: list[tuple[str, str, int]], most: int) -> None:
    dev = [Example(f"{i}", f"文{i}", gold) for i, (gold, _, _) in enumerate(rows)]
    answers = [said(row, answer) for row, (_, answer, _) in zip(dev, rows, strict=True)]
    found = guides(dev, answers, vectors=directions(*(angle for *_, angle in rows)), most=most, seed=1)
    wrong = {row.id for row, answer in zip(dev, answers, strict=True) if row.label != answer.label}
    assert set(ids(found.wrong)) <= wrong
    assert not set(ids(found.control)) & wrong
    assert [row.label for row in found.wrong] == [row.label for row in found.control]
    assert len(set(ids((*found.wrong, *found.control)))) == 2 * len(found.wrong)
    right = Counter(row.label for row in dev if row.id not in wrong)
    for label, count in found.by_label.items():
        assert count == min(most, found.errors[label], right[label])


@pytest.mark.parametrize(
    ("answers", "vectors"),
    [(ANSWERS[:-1], PLACES), (ANSWERS[::-1], PLACES), (ANSWERS, PLACES[:-1])],
)
def test_rows_predictions_and_vectors_must_belong_together(answers: list[Prediction], vectors: np.ndarray) -> None:
    with pytest.raises(ValueError, match="are not of one set"):
        choose(answers=answers, vectors=vectors)


# ---- topics ----------------------------------------------------------------------------------------------------------


def test_topic_vectors_have_length_one_and_a_pair_has_both_texts() -> None:
    single = topic_vectors([Example("1", "犬が庭を走る。", ""), Example("2", "猫が眠る。", "")])
    assert single.shape == (2, 512)
    pairs = topic_vectors(
        [Example("1", "犬が庭を走る。", "", "猫が眠る。"), Example("2", "猫が眠る。", "", "犬が庭を走る。")]
    )
    assert pairs.shape == (2, 1024)
    assert np.linalg.norm(pairs, axis=1) == pytest.approx([1, 1], abs=1e-3)
    assert pairs[0, :512] == pytest.approx(single[0] / np.sqrt(2), abs=1e-6)
    assert pairs[0] @ pairs[1] == pytest.approx(single[0] @ single[1], abs=1e-3)
    assert topic_vectors([]).shape == (0, 512)
