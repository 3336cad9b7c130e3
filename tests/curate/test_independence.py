"""The independence test: bounds by hand and from tables, errors by enumeration, and what a judge may do."""

from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from japagen.curate.independence import Audited, clearance, independence
from japagen.significance import wilson

ROWS = st.lists(st.builds(Audited, st.sampled_from("ab"), st.booleans(), st.booleans()), max_size=40)


def rows(label: str, right: tuple[int, int], wrong: tuple[int, int]) -> list[Audited]:
    """Audited rows of a label: (kept, all) of the right ones and of the wrong ones."""
    return [
        Audited(label, is_right, i < kept) for is_right, (kept, n) in ((True, right), (False, wrong)) for i in range(n)
    ]


def test_one_label_is_newcombes_method_10(monkeypatch: pytest.MonkeyPatch) -> None:
    # Newcombe 1998, "Interval estimation for the difference between independent proportions", table II: 56/70 - 48/80
    monkeypatch.setattr("japagen.curate.independence.wilson", lambda hits, n, z: wilson(hits, n))
    found = independence(rows("a", (56, 70), (48, 80)))
    assert found is not None
    assert found.difference == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=6e-5)


def test_labels_are_weighted_by_mantel_and_haenszel() -> None:
    found = independence([*rows("a", (9, 10), (1, 10)), *rows("b", (10, 30), (3, 10)), *rows("c", (5, 5), (0, 0))])
    assert found is not None
    # weights 5 and 7.5; differences .8 and 1/30; label c has no wrong row and does not count
    assert found.difference == pytest.approx((5 * 0.8 + 7.5 / 30) / 12.5)
    assert found.keep_right - found.keep_wrong == pytest.approx(found.difference)
    assert (found.right, found.wrong) == (40, 20)
    assert found.by_label == pytest.approx({"a": 0.8, "b": 1 / 30})


def test_a_judge_that_always_says_the_same_label_knows_nothing() -> None:
    # Label a: 90 % right, b: 30 % right. Overall it keeps 75 % of the right rows and 12 % of the wrong ones.
    audit = [*rows("a", (90, 90), (10, 10)), *rows("b", (0, 30), (0, 70))]
    found = clearance(audit, ["a", "b"])
    assert found.measured is not None
    assert found.measured.difference == 0
    assert not found.enabled


def test_it_may_drop_only_where_it_tells_right_from_wrong() -> None:
    audit = [*rows("a", (45, 50), (5, 50)), *rows("b", (20, 50), (25, 50)), *rows("c", (20, 20), (0, 0))]
    found = clearance(audit, ["a", "b", "c", "d"])
    assert found.enabled
    assert found.labels == ("a",)
    assert found.sentence == (
        "The judge keeps 65% of audited rows with the right label (100) and 30% of those with a wrong one (100); the "
        "difference within labels is +0.35, at least +0.25 (one-sided 95 %), so what it doubts is dropped, but for b, c, d, "
        "where the audit shows no such difference."
    )


def test_a_judge_that_copies_the_generator_is_refused() -> None:
    found = clearance(rows("a", (36, 60), (37, 40)), ["a"])
    assert not found.enabled
    assert found.labels == ()
    assert "may be those of the generator, so nothing is dropped" in found.sentence


def test_nothing_to_measure() -> None:
    assert clearance([], ["a"]).sentence == "No row that the judge has read was audited, so nothing is dropped."
    found = clearance(rows("a", (5, 6), (0, 0)), ["a"])
    assert (found.enabled, found.measured) == (False, None)
    assert found.sentence.startswith("Of 6 audited rows the labels of 6 are right; no label has both")


def test_a_judge_that_guesses_is_rarely_enabled() -> None:
    # Every outcome of an audit of 30 right and 20 wrong rows with its probability, P(keep) the same for both
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        error = 0.0
        for a, b in product(range(31), range(21)):
            chance = comb(30, a) * share**a * (1 - share) ** (30 - a) * comb(20, b) * share**b * (1 - share) ** (20 - b)
            error += chance * clearance(rows("a", (a, 30), (b, 20)), ["a"]).enabled
        assert error < 0.065  # a score interval is right on average, not in each case


def test_and_neither_with_three_labels() -> None:
    random = np.random.default_rng(0)
    trials = 400
    enabled = 0
    for _ in range(trials):
        audit = []
        for label, keep in zip("abc", (0.2, 0.5, 0.9), strict=True):
            right, wrong = random.integers(5, 30), random.integers(5, 30)
            audit += rows(label, (random.binomial(right, keep), right), (random.binomial(wrong, keep), wrong))
        enabled += clearance(audit, list("abc")).enabled
    assert enabled / trials < 0.07


@given(ROWS)
def test_bounds_hold_the_difference_and_the_other_view_is_its_mirror(audit: list[Audited]) -> None:
    found = independence(audit)
    mirror = independence([Audited(row.label, row.right, not row.kept) for row in audit])
    assert (found is None) == (mirror is None)
    if found is None or mirror is None:
        return
    assert -1 - 1e-9 <= found.low <= found.difference <= found.high <= 1 + 1e-9
    assert (found.low, found.high) == pytest.approx((-mirror.high, -mirror.low))


@given(ROWS)
def test_more_of_the_same_evidence_never_disables(audit: list[Audited]) -> None:
    if clearance(audit, "ab").enabled:
        assert clearance(audit * 3, "ab").enabled
