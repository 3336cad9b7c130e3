"""The sampler: quotas by hand, within what there is, against an exact optimum, and what it says when it cannot."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp

from japagen.curate.sampler import CLOSE, Sampled, choose, sample
from japagen.curate.target import Target
from japagen.records import Example

VALUES = st.sampled_from("abc")
ROWS = st.lists(st.tuples(st.sampled_from("pn"), VALUES, VALUES), min_size=1, max_size=60)


def chosen_of(sampled: Sampled, values: list[str]) -> Counter[str]:
    return Counter(values[i] for i in sampled.chosen)


def test_even_quotas_by_hand() -> None:
    values = ["犬"] * 80 + ["猫"] * 15 + ["馬"] * 5
    found = choose(["p"] * 100, {"word": values}, {"word": None}, 15, seed=0)
    assert chosen_of(found, values) == {"犬": 5, "猫": 5, "馬": 5}
    assert found.sentence == "15 of 100 rows were chosen. Every quota is met within 2%."
    assert [(q.value, q.available) for q in found.quotas] == [("犬", 80), ("猫", 15), ("馬", 5)]


def test_given_shares_by_hand() -> None:
    values = ["polite"] * 60 + ["plain"] * 40
    found = choose(["p"] * 100, {"register": values}, {"register": {"polite": 0.3, "plain": 0.7}}, 50, seed=0)
    assert chosen_of(found, values) == {"polite": 15, "plain": 35}


def test_what_a_value_lacks_goes_to_the_others_and_is_said() -> None:
    values = ["犬"] * 80 + ["猫"] * 18 + ["馬"] * 2
    found = choose(["p"] * 100, {"word": values}, {"word": None}, 30, seed=0)
    assert chosen_of(found, values) == {"犬": 14, "猫": 14, "馬": 2}
    assert "3 of 3 quotas are not met within 2%" in found.sentence
    assert "word '馬' of p: 6.7% instead of 33.3% (2 rows have it)" in found.sentence


def test_values_that_nobody_wants_come_last() -> None:
    values = ["polite"] * 10 + ["plain"] * 10 + ["unknown"] * 80
    shares = {"register": {"polite": 0.2, "plain": 0.8}}
    few = choose(["p"] * 100, {"register": values}, shares, 18, seed=0)
    assert chosen_of(few, values) == {"polite": 8, "plain": 10}
    many = choose(["p"] * 100, {"register": values}, shares, 30, seed=0)
    assert chosen_of(many, values) == {"polite": 10, "plain": 10, "unknown": 10}


def test_quotas_of_several_attributes_are_met_together() -> None:
    rng = np.random.default_rng(0)
    topic = rng.choice(8, 4000, p=np.array([2.0 ** -min(i + 1, 7) for i in range(8)]))
    length = (topic + rng.integers(0, 3, 4000)) % 4  # neither is independent of the topic
    register = np.where(rng.random(4000) < 0.1 + 0.02 * topic, "plain", "polite")
    values = {"topic": [f"t{t}" for t in topic], "length": [f"l{v}" for v in length], "register": register.tolist()}
    shares = {
        "topic": None,
        "length": {"l0": 0.1, "l1": 0.4, "l2": 0.3, "l3": 0.2},
        "register": {"plain": 0.3, "polite": 0.7},
    }
    found = choose(["p"] * 4000, values, shares, 200, seed=0)
    assert max(abs(q.reached - q.target) for q in found.quotas) <= 1 / 200


def test_raking_keeps_what_goes_together() -> None:
    # odds ratio 60 * 15 / (20 * 5) = 9; with even margins that is 3/8, 1/8, 1/8, 3/8
    rows = [("a", "x")] * 60 + [("a", "y")] * 20 + [("b", "x")] * 5 + [("b", "y")] * 15
    values = {"word": [word for word, _ in rows], "topic": [topic for _, topic in rows]}
    found = choose(["p"] * 100, values, {"word": None, "topic": None}, 16, seed=0)
    assert Counter(rows[i] for i in found.chosen) == {("a", "x"): 6, ("a", "y"): 2, ("b", "x"): 2, ("b", "y"): 6}


def test_each_label_has_its_own_quotas_and_number() -> None:
    labels = ["p"] * 50 + ["n"] * 50
    values = (["a"] * 40 + ["b"] * 10) + (["b"] * 40 + ["c"] * 10)
    found = choose(labels, {"word": values}, {"word": None}, {"p": 10, "n": 20}, seed=0)
    assert Counter((labels[i], values[i]) for i in found.chosen) == {
        ("p", "a"): 5,
        ("p", "b"): 5,
        ("n", "b"): 10,
        ("n", "c"): 10,
    }
    together = {q.value: q.target for q in found.quotas}
    assert together == pytest.approx({"a": 5 / 30, "b": 15 / 30, "c": 10 / 30})


def test_a_label_with_too_few_rows_gives_all() -> None:
    found = choose(["p"] * 3 + ["n"] * 9, {}, {}, 5, seed=0)
    assert set(range(3)) < set(found.chosen)
    assert len(found.chosen) == 8
    assert found.short == {"p": 2}
    assert found.sentence == "8 of 12 rows were chosen. Too few rows: p lacks 2. There were no quotas."


def test_a_label_without_the_attribute_is_not_asked_for_it() -> None:
    labels, values = ["p"] * 4 + ["n"] * 4, ["a", "a", "a", "b"] + [""] * 4
    found = choose(labels, {"word": values}, {"word": None}, 2, seed=0)
    assert {label: len(quotas) for label, quotas in found.by_label.items()} == {"p": 2, "n": 0}
    assert Counter(values[i] for i in found.chosen if labels[i] == "p") == {"a": 1, "b": 1}


def test_rows_without_a_value_are_left_where_others_suffice() -> None:
    values = ["a"] * 5 + ["b"] * 5 + [""] * 30
    found = choose(["p"] * 40, {"word": values}, {"word": None}, 8, seed=0)
    assert chosen_of(found, values) == {"a": 4, "b": 4}


def test_the_seed_decides_and_labels_do_not_disturb_one_another() -> None:
    values = {"word": ["a", "b"] * 50}
    first = choose(["p"] * 100, values, {"word": None}, 20, seed=0)
    assert first == choose(["p"] * 100, values, {"word": None}, 20, seed=0)
    assert first.chosen != choose(["p"] * 100, values, {"word": None}, 20, seed=1).chosen
    more = choose(["p"] * 100 + ["n"] * 30, {"word": ["a", "b"] * 65}, {"word": None}, 20, seed=0)
    assert tuple(i for i in more.chosen if i < 100) == first.chosen


def test_findings_name_every_row_left_out() -> None:
    found = choose(["p"] * 5, {}, {}, 3, seed=0)
    told = "2 of 5 rows were left out to come near the spread that is wanted"
    assert found.findings() == dict.fromkeys(set(range(5)) - set(found.chosen), ("not_sampled", told))


def test_rows_are_described_by_the_target() -> None:
    rows = [Example(f"r{i}", "雨です。" if i < 18 else "雨だ。", "p") for i in range(20)]
    found = sample(rows, 4, target=Target({"register": {"polite": 0.5, "plain": 0.5}}), seed=0)
    assert Counter(rows[i].text for i in found.chosen) == {"雨です。": 2, "雨だ。": 2}


def test_nothing_to_choose_from_or_nothing_wanted() -> None:
    assert choose([], {"word": []}, {"word": None}, 5, seed=0).chosen == ()
    assert choose(["p"] * 3, {"word": ["a"] * 3}, {"word": None}, 0, seed=0).chosen == ()
    with pytest.raises(ValueError, match="-1 rows of 'p'"):
        choose(["p"], {}, {}, -1, seed=0)


@given(ROWS, st.integers(0, 30), st.integers(0, 5))
def test_always_the_wanted_number_each_row_once(rows: list[tuple[str, str, str]], n: int, seed: int) -> None:
    labels = [label for label, _, _ in rows]
    values = {"x": [x for _, x, _ in rows], "y": [y for _, _, y in rows]}
    found = choose(labels, values, {"x": None, "y": {"a": 0.7, "c": 0.3}}, n, seed=seed)
    assert sorted(set(found.chosen)) == list(found.chosen)
    assert Counter(labels[i] for i in found.chosen) == Counter(
        {label: min(n, count) for label, count in Counter(labels).items() if n}
    )
    for quotas in found.by_label.values():
        for by in values:
            assert sum(q.target for q in quotas if q.by == by) == pytest.approx(1)


@settings(max_examples=40)
@given(st.integers(0, 10_000))
def test_near_the_exact_optimum(seed: int) -> None:
    """The sum of distances to the quotas, in rows, beside the smallest that integer programming finds."""
    rng = np.random.default_rng(seed)
    rows, sizes = int(rng.integers(20, 80)), rng.integers(2, 5, 2)
    shared = rng.integers(0, 4, rows)
    columns = [np.where(rng.random(rows) < 0.5, shared % k, rng.integers(0, k, rows)) for k in sizes]
    shares = [rng.dirichlet(np.ones(k)) for k in sizes]
    n = int(rng.integers(5, rows))
    named = {str(i): [f"v{v}" for v in column] for i, column in enumerate(columns)}
    found = choose(
        ["p"] * rows,
        named,
        {str(i): {f"v{v}": float(s) for v, s in enumerate(share)} for i, share in enumerate(shares)},
        n,
        seed=seed,
    )
    distance = sum(abs(q.reached - q.target) for q in found.quotas) * n
    best = least_distance(columns, [n * share for share in shares], n)
    assert best - 1e-6 <= distance <= best + (1e-6 if best <= CLOSE * n else 0.15 * n)


def least_distance(columns: list[np.ndarray], goals: list[np.ndarray], n: int) -> float:
    rows, quotas = len(columns[0]), sum(map(len, goals))
    matrix = np.zeros((quotas + 1, rows + 2 * quotas))
    matrix[:quotas, :rows] = np.vstack(
        [column == v for column, g in zip(columns, goals, strict=True) for v in range(len(g))]
    )
    matrix[:quotas, rows:] = np.hstack([-np.eye(quotas), np.eye(quotas)])
    matrix[quotas, :rows] = 1
    wanted = np.concatenate([*goals, [n]])
    found = milp(
        np.repeat([0.0, 1.0], [rows, 2 * quotas]),
        constraints=LinearConstraint(matrix, wanted, wanted),
        integrality=np.repeat([1, 0], [rows, 2 * quotas]),
        bounds=Bounds(0, np.repeat([1.0, np.inf], [rows, 2 * quotas])),
    )
    return float(found.fun)


def test_values_that_no_row_has_cost_no_row() -> None:
    rows = {"length": ["x"] * 30, "word": [str(i % 3) for i in range(30)]}
    for by in (["length"], ["length", "word"], ["word", "length"]):
        shares = {name: {"x": 0.5, "y": 0.5} if name == "length" else None for name in by}
        found = choose(["a"] * 30, {name: rows[name] for name in by}, shares, 10, seed=1)
        assert len(found.chosen) == 10
    assert len(choose(["a"] * 30, {"length": ["x"] * 30}, {"length": {"y": 1.0}}, 10, seed=1).chosen) == 10
