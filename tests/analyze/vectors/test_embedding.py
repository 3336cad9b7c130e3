"""The sample, all measures together, what lies far, and the map, on an encoder of characters; repeatable; JSON."""

import json
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from japagen.analyze.sampling import UndefinedError
from japagen.analyze.vectors import embedding as module
from japagen.analyze.vectors.embedding import embedding, sample, text_map
from japagen.analyze.vectors.encoder import Encoder
from japagen.records import Example

LABELS = ["good", "bad", "none"]
WORDS = {"good": "最高満足素敵便利", "bad": "最悪不満故障返品"}


def of_characters(texts: Sequence[str]) -> np.ndarray:
    """Counts of characters, of length 1."""
    rows = np.zeros((len(texts), 64))
    for at, text in enumerate(texts):
        for letter in f"。{text}":
            rows[at, ord(letter) % 64] += 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


CHARACTERS = Encoder("characters-1", of_characters)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quick: few rows are enough, and few steps of the map."""
    monkeypatch.setattr(module, "LEAST_ROWS", 10)
    monkeypatch.setattr(module, "LEAST_FOR_MAUVE", 20)
    monkeypatch.setattr("japagen.analyze.vectors.textmap.STEPS", 260)


def rows(n: int, name: str, seed: int, *, strange: str = "", pair: bool = False) -> list[Example]:
    rng = np.random.default_rng(seed)
    found = []
    for at in range(n):
        label = LABELS[at % 2]
        text = "".join(rng.choice(list(WORDS[label] + strange), 12))
        found.append(Example(f"{name}{at}", text, label, text[::-1] if pair else None))
    return found


def test_texts_like_gold_reach_the_ceiling_and_others_do_not() -> None:
    gold = rows(120, "g", 1)
    near = embedding(rows(60, "s", 2), gold, LABELS, seed=0, encoder=CHARACTERS)
    far = embedding(rows(60, "s", 3, strange="猫犬鳥魚"), gold, LABELS, seed=0, encoder=CHARACTERS)
    for name in ("mauve", "density", "coverage"):
        assert near["overall"][name]["gap_low"] <= 0
        assert far["overall"][name]["gap_low"] > 0
        assert "characters-1" in far["overall"][name]["signature"]
    assert near["overall"]["vendi"]["ratio"]["low"] < 1.05
    assert (near["encoder"], near["dimensions"], near["unit"]) == ("characters-1", 64, "text")
    assert near["sampled"] == {"synthetic": 60, "gold": 120}
    assert near["overall"]["n"] == 60
    assert near["overall"]["mauve"]["ceiling"] < 1  # the ceiling is of other rows than the reference


def test_labels_have_their_own_figures_or_the_reason() -> None:
    found = embedding(rows(60, "s", 2), rows(120, "g", 1), LABELS, seed=0, encoder=CHARACTERS)["by_label"]
    assert [found[label]["n"] for label in LABELS] == [30, 30, 0]
    assert found["bad"]["mauve"]["ceiling"] <= 1
    assert found["none"]["undefined"] == "0 synthetic and 0 gold texts are fewer than 10 and 20"
    assert found["none"]["mauve"] is found["none"]["vendi"] is None


def test_few_rows_have_coverage_but_no_mauve() -> None:
    found = embedding(rows(19, "s", 2), rows(40, "g", 1), LABELS, seed=0, encoder=CHARACTERS)["overall"]
    assert (found["n"], found["mauve"], found["undefined"]) == (19, None, None)
    assert found["coverage"]["value"] > 0


def test_without_gold_only_the_vendi_score_has_a_value() -> None:
    found = embedding(rows(30, "s", 2), [], LABELS, seed=0, encoder=CHARACTERS)
    assert found["overall"]["undefined"] == "there is no gold"
    assert found["overall"]["vendi"]["synthetic"]["value"] > 1
    assert found["overall"]["vendi"]["ratio"] is found["overall"]["mauve"] is found["far"] is None


def test_pairs_are_measured_by_both_texts() -> None:
    found = embedding(rows(30, "s", 2, pair=True), rows(60, "g", 1, pair=True), LABELS, seed=0, encoder=CHARACTERS)
    assert (found["unit"], found["dimensions"]) == ("pair", 128)
    assert "\n" in found["far"]["gold"][0]["text"]


def test_what_lies_far_is_named_with_its_nearest() -> None:
    odd, missed = Example("odd", "猫猫猫猫", "good"), Example("missed", "税税税税", "bad")
    found = embedding([*rows(20, "s", 2), odd], [*rows(40, "g", 1), missed], LABELS, seed=0, encoder=CHARACTERS)["far"]
    assert (found["synthetic"][0]["id"], found["gold"][0]["id"]) == ("odd", "missed")
    assert found["gold"][0]["similarity"] < found["gold"][1]["similarity"]
    for one in found["gold"]:
        text, nearest = of_characters([one["text"], one["nearest_text"]])
        assert one["similarity"] == pytest.approx(float(text @ nearest))
    assert len(found["gold"]) == module.FARTHEST
    assert all(a["similarity"] <= b["similarity"] + 1e-6 for a, b in pairwise(found["synthetic"]))


def test_the_map_has_a_point_for_every_row() -> None:
    ours, theirs = rows(20, "s", 2), [*rows(40, "g", 1), Example("long", "あ" * 200, "none")]
    found = text_map(ours, theirs, LABELS, seed=0, encoder=CHARACTERS)
    assert found
    points = found["points"]
    assert {len(column) for column in points.values()} == {61}
    assert (points["set"].count(0), points["set"].count(1)) == (20, 41)
    assert sorted(points["id"]) == sorted(row.id for row in [*ours, *theirs])
    at = points["id"].index("long")
    assert (points["text"][at], points["label"][at]) == ("あ" * 79 + "…", 2)
    assert "characters-1" in found["signature"]


def test_pairs_share_the_room_of_a_point() -> None:
    pairs = [Example(str(n), "あ" * 60, "good", f"い\nう{n}") for n in range(12)]
    found = text_map(pairs, [], LABELS, seed=0, encoder=CHARACTERS)
    assert found
    assert found["points"]["text"][0].startswith("あ" * 39 + "…\nい う")


def test_a_label_that_the_task_does_not_have_is_marked() -> None:
    found = text_map(
        [Example(str(n), "あ" * (n + 1), "other") for n in range(12)], [], LABELS, seed=0, encoder=CHARACTERS
    )
    assert found
    assert set(found["points"]["label"]) == {-1}


def test_too_few_texts_have_no_map() -> None:
    assert text_map(rows(5, "s", 2), rows(5, "g", 1), LABELS, seed=0, encoder=CHARACTERS) is None


def test_json_can_hold_it_and_the_seed_repeats_it() -> None:
    sets = rows(60, "s", 2), rows(120, "g", 1)
    once, again, other = (embedding(*sets, LABELS, seed=seed, encoder=CHARACTERS) for seed in (3, 3, 4))
    assert json.loads(json.dumps(once, allow_nan=False)) == once == again != other
    drawn = text_map(*sets, LABELS, seed=3, encoder=CHARACTERS)
    assert (
        json.loads(json.dumps(drawn, allow_nan=False)) == drawn == text_map(*sets, LABELS, seed=3, encoder=CHARACTERS)
    )


def test_the_sample_costs_about_the_same_for_texts_of_any_length() -> None:
    for length in (20, 200, 1000):
        ours, theirs = ([Example(f"{n}", "あ" * length, "good") for n in range(4000)] for _ in range(2))
        drawn = sample(ours, theirs, seed=0)
        cost = (len(drawn.synthetic) + len(drawn.gold)) * (length + module.EACH)
        assert cost <= module.COST
        full = len(drawn.synthetic) + len(drawn.gold) == module.MOST_POINTS
        assert full or cost > 0.98 * module.COST
        assert len(drawn.gold) == pytest.approx(2 * len(drawn.synthetic), rel=0.02)


def test_what_gold_leaves_is_for_synthetic_texts() -> None:
    drawn = sample(rows(5000, "s", 1), rows(30, "g", 1), seed=0)
    assert (len(drawn.gold), len(drawn.synthetic)) == (30, module.MOST_POINTS - 30)
    assert len(sample(rows(5000, "s", 1), [], seed=0).synthetic) == module.MOST_POINTS


def test_texts_of_any_kind_are_taken() -> None:
    strange = [
        "",
        " ",
        "\ud800",
        "<script>",
        "\x00",
        "あ" * 5000,
        "e\u0301",
        "🍣" * 30,
        "a\nb",
        "%{x}",
        "\u202e逆",
        "$x$",
    ]
    ours = [Example(str(n), text, "good") for n, text in enumerate(strange * 3)]
    found = embedding(ours, ours, LABELS, seed=0, encoder=CHARACTERS)
    assert found["overall"]["coverage"]["value"] > 0.5
    assert text_map(ours, ours, LABELS, seed=0, encoder=CHARACTERS)


def test_refusals() -> None:
    with pytest.raises(UndefinedError, match="no synthetic texts"):
        embedding([], rows(9, "g", 1), LABELS, seed=0, encoder=CHARACTERS)
    with pytest.raises(UndefinedError, match="pairs and single texts"):
        embedding(rows(9, "s", 1), rows(9, "g", 1, pair=True), LABELS, seed=0, encoder=CHARACTERS)
