"""Quotas of attributes are kept within 2 %, at any weights; draws do not depend on the size of the run."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from japagen.generate.knowledge import Knowing, Quotas
from japagen.knowledge import Mechanisms, shares
from japagen.task import Task

weights = st.dictionaries(
    st.text("あいうえおかきくけこ", min_size=1, max_size=3),
    st.one_of(st.integers(1, 60), st.floats(0.01, 50)),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(weights, st.integers(0, 2**40), st.integers(300, 900))
def test_quotas_are_met_within_2_percent(given_weights: dict[str, float], seed: int, n: int) -> None:
    quotas = Quotas(given_weights, ("w", "label"), seed=seed)
    counts = Counter(quotas.draw(i) for i in range(n))
    for value, share in shares(given_weights).items():
        assert abs(counts[value] / n - share) <= 0.02


def test_whole_weights_are_exact_in_each_round() -> None:
    quotas = Quotas({"本": 2, "茶": 1}, ("w",), seed=3)
    rounds = [[quotas.draw(3 * r + i) for i in range(3)] for r in range(40)]
    assert all(Counter(each) == {"本": 2, "茶": 1} for each in rounds)
    assert len({tuple(each) for each in rounds}) == 3
    even = Quotas(dict.fromkeys(map(str, range(80)), 1.0), ("w",), seed=3)
    assert len({even.draw(i) for i in range(80)}) == 80  # equal weights: each once a round, however many


def test_draws_may_be_asked_for_in_any_order() -> None:
    uneven = {"a": 0.71, "b": 0.2, "c": 0.09}
    forward = [Quotas(uneven, ("w",), seed=1).draw(i) for i in range(200)]
    one = Quotas(uneven, ("w",), seed=1)
    assert [one.draw(i) for i in reversed(range(200))] == forward[::-1]


TASK = Task.model_validate(
    {
        "name": "t", "title": "声", "description": "声。", "system": "書く。", "instruction": "{label}の声。",
        "labels": {"a": {"meaning": "あ", "verbalisation": "あ"}, "b": {"meaning": "い", "verbalisation": "い"}},
        "knowledge": {
            "attributes": {
                "word": {"values": ["本", "茶", "菓子", "靴"], "instruction": "題は{word}。", "not_for": ["b"]},
                "register": {"values": {"です": 0.92, "だ": 0.08}, "system": "文体は{register}。"},
                "length": {"values": {"短め": 3, "長め": 2}, "instruction": "{length}に。"},
            }
        },
    }
)  # fmt: skip


def test_several_attributes_at_once_keep_all_quotas_and_are_independent() -> None:
    knowing = Knowing(TASK, TASK.mechanisms(True), seed=5)
    n = 2000
    rows = [knowing.draw("a", i) for i in range(n)]
    wanted = {name: shares(attribute.values) for name, attribute in TASK.attributes.items()}
    for name, expected in wanted.items():
        counts = Counter(row[name] for row in rows)
        assert all(abs(counts[value] / n - share) <= 0.02 for value, share in expected.items())
    joint = Counter(tuple(row.values()) for row in rows)
    assert len(joint) == 4 * 2 * 2
    for (word, register, length), count in joint.items():
        share = wanted["word"][word] * wanted["register"][register] * wanted["length"][length]
        assert abs(count / n - share) <= 0.02


def test_labels_without_an_attribute_and_unused_attributes() -> None:
    assert set(Knowing(TASK, TASK.mechanisms(True), seed=5).draw("b", 0)) == {"register", "length"}
    assert set(Knowing(TASK, Mechanisms(("word",)), seed=5).draw("a", 0)) == {"word"}
    assert Knowing(TASK, Mechanisms(), seed=5).draw("a", 0) == {}


@pytest.mark.parametrize("label", ["a", "b"])
def test_labels_have_their_own_draws(label: str) -> None:
    knowing = Knowing(TASK, TASK.mechanisms(True), seed=5)
    alone = [Knowing(TASK, TASK.mechanisms(True), seed=5).draw(label, i) for i in range(50)]
    other = "ab".replace(label, "")
    mixed = []
    for i in range(50):
        knowing.draw(other, 49 - i)
        mixed.append(knowing.draw(label, i))
    assert mixed == alone
