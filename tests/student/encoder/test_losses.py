"""Losses and temporal ensembling by hand, in parts and across a checkpoint."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the extra 'encoder' is not installed")

from japagen.errors import ModelError  # noqa: E402
from japagen.student.encoder.losses import (  # noqa: E402
    agreement,
    cross_entropy,
    disagreement,
    objective,
    squared_error,
)
from japagen.student.encoder.temporal import TemporalEnsemble  # noqa: E402

HALF_AND_QUARTER = torch.tensor([[0.5, 0.5], [0.25, 0.75]]).log()
LABELS = torch.tensor([0, 0])
ONES = torch.ones(2)


def test_cross_entropy_by_hand() -> None:
    # -ln .5 and -ln .25, the second row three times: (ln 2 + 3 * 2 ln 2) / 4.
    weights = torch.tensor([1.0, 3.0])
    assert cross_entropy(HALF_AND_QUARTER, LABELS, weights, total=4.0).item() == pytest.approx(7 * math.log(2) / 4)


def test_smoothing_by_hand() -> None:
    # .8 of -ln .25, and .2 spread evenly: .1 each of -ln .25 and -ln .75.
    by_hand = -0.9 * math.log(0.25) - 0.1 * math.log(0.75)
    loss = cross_entropy(HALF_AND_QUARTER[1:], LABELS[:1], ONES[:1], total=1.0, smoothing=0.2)
    assert loss.item() == pytest.approx(by_hand)


def test_smoothing_is_that_of_torch() -> None:
    logits, labels = torch.randn(7, 5, generator=torch.Generator().manual_seed(0)), torch.arange(7) % 5
    theirs = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.15)
    torch.testing.assert_close(cross_entropy(logits, labels, torch.ones(7), total=7.0, smoothing=0.15), theirs)


def test_squared_error_by_hand() -> None:
    outputs, numbers = torch.tensor([[1.0], [2.0]]), torch.tensor([3.0, 2.5])
    loss = squared_error(outputs, numbers, torch.tensor([1.0, 2.0]), total=3.0)
    assert loss.item() == pytest.approx((4 + 2 * 0.25) / 3)


def test_disagreement_by_hand() -> None:
    # KL((.5, .5) || (.25, .75)) and back.
    there = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    back = 0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5)
    first, second = HALF_AND_QUARTER[:1], HALF_AND_QUARTER[1:]
    for a, b in ((first, second), (second, first)):
        assert disagreement(a, b, ONES[:1], total=1.0).item() == pytest.approx((there + back) / 2)
    assert disagreement(first, first, ONES[:1], total=1.0).item() == 0


def test_agreement_by_hand() -> None:
    # KL((0, 1) || (.25, .75)) = -ln .75; no target, no term.
    targets = torch.tensor([[0.0, 0.0], [0.0, 1.0]])
    assert agreement(HALF_AND_QUARTER, targets, ONES, total=2.0).item() == pytest.approx(-math.log(0.75) / 2)


def seen_twice() -> TemporalEnsemble:
    """Row 1 of three was predicted (.9, .1), then (.3, .7)."""
    ensemble = TemporalEnsemble(3, 2, momentum=0.8, threshold=0.55, weight=2.0, ramp_up=4.0)
    for probabilities in ([0.9, 0.1], [0.3, 0.7]):
        ensemble.update(torch.tensor([1]), torch.tensor([probabilities]))
    return ensemble


def test_ensemble_by_hand() -> None:
    # Averages .2 * .9 = .18, then .8 * .18 + .2 * .3 = .204; corrected by 1 - .8^2 = .36: .5667. The rest is 1 - that.
    rows = torch.tensor([0, 1])
    torch.testing.assert_close(
        seen_twice().targets(rows), torch.tensor([[0, 0], [0.204 / 0.36, 0.156 / 0.36]]), rtol=1e-5, atol=0
    )
    assert seen_twice().keep(rows, torch.tensor([0, 0])).tolist() == [True, True]
    assert seen_twice().keep(rows, torch.tensor([1, 1])).tolist() == [True, False]  # .4333 < .55; unseen: kept
    # Two of four: 2 exp(-5 * .25).
    assert seen_twice().strength(rows).tolist() == pytest.approx([0, 2 * math.exp(-1.25)])


def test_one_prediction_is_its_own_target() -> None:
    ensemble = TemporalEnsemble(1, 3, ramp_up=1.0, weight=0.5)
    given_ = torch.tensor([[0.2, 0.3, 0.5]])
    ensemble.update(torch.tensor([0]), given_)
    torch.testing.assert_close(ensemble.targets(torch.tensor([0])), given_)
    assert ensemble.strength(torch.tensor([0])).item() == 0.5  # ramped up, and no further
    ensemble.update(torch.tensor([0]), given_)
    assert ensemble.strength(torch.tensor([0])).item() == 0.5


def test_no_ramp_is_full_weight_at_once() -> None:
    ensemble = TemporalEnsemble(2, 2, ramp_up=0.0, weight=3.0)
    ensemble.update(torch.tensor([0]), torch.tensor([[0.5, 0.5]]))
    assert ensemble.strength(torch.tensor([0, 1])).tolist() == [3.0, 0.0]


def test_objective_by_hand() -> None:
    # Row 1 has label 1, which the ensemble disbelieves: its label term is gone, the total and its agreement stay.
    ensemble, rows, labels = seen_twice(), torch.tensor([0, 1]), torch.tensor([0, 1])
    p = [0.204 / 0.36, 0.156 / 0.36]
    kl = p[0] * math.log(p[0] / 0.25) + p[1] * math.log(p[1] / 0.75)
    by_hand = (math.log(2) + 2 * math.exp(-1.25) * kl) / 2
    loss = objective(HALF_AND_QUARTER, labels, ONES, total=2.0, ensemble=ensemble, rows=rows)
    assert loss.item() == pytest.approx(by_hand, rel=1e-5)


def test_objective_changes_nothing() -> None:
    ensemble = seen_twice()
    before = ensemble.state()
    objective(HALF_AND_QUARTER, LABELS, ONES, total=2.0, ensemble=ensemble, rows=torch.tensor([0, 1]))
    assert all(torch.equal(before[name], now) for name, now in ensemble.state().items())


def test_r_drop_adds_to_the_mean_of_both_passes() -> None:
    twin = HALF_AND_QUARTER.flip(0)
    label_terms = [cross_entropy(each, LABELS, ONES, total=2.0) for each in (HALF_AND_QUARTER, twin)]
    by_hand = sum(label_terms) / 2 + 4 * disagreement(HALF_AND_QUARTER, twin, ONES, total=2.0)
    loss = objective(HALF_AND_QUARTER, LABELS, ONES, total=2.0, twin=twin, r_drop=4.0)
    torch.testing.assert_close(loss, by_hand)


def test_ensemble_draws_both_passes() -> None:
    ensemble, rows = seen_twice(), torch.tensor([0, 1])
    both = objective(
        HALF_AND_QUARTER, LABELS, ONES, total=2.0, ensemble=ensemble, rows=rows, twin=HALF_AND_QUARTER.clone()
    )
    torch.testing.assert_close(both, objective(HALF_AND_QUARTER, LABELS, ONES, total=2.0, ensemble=ensemble, rows=rows))


def test_what_belongs_together() -> None:
    with pytest.raises(ValueError, match="rows' positions"):
        objective(HALF_AND_QUARTER, LABELS, ONES, total=2.0, ensemble=seen_twice())
    with pytest.raises(ValueError, match="a second pass"):
        objective(HALF_AND_QUARTER, LABELS, ONES, total=2.0, r_drop=1.0)


def test_half_precision_is_computed_in_full() -> None:
    loss = cross_entropy(HALF_AND_QUARTER.bfloat16(), LABELS, ONES, total=2.0)
    assert loss.dtype == torch.float32


@settings(max_examples=30, deadline=None)
@given(
    cut=st.integers(1, 7),
    smoothing=st.sampled_from([0.0, 0.1]),
    r_drop=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 99),
)
def test_parts_add_up_to_the_batch(cut: int, smoothing: float, r_drop: float, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    logits, twin = (torch.randn(8, 3, generator=random) for _ in range(2))
    labels, weights = torch.randint(3, (8,), generator=random), torch.rand(8, generator=random)
    rows = torch.randperm(20, generator=random)[:8]
    ensemble = TemporalEnsemble(20, 3, threshold=0.3)
    ensemble.update(rows[:5], torch.rand(5, 3, generator=random).softmax(-1))

    def gradient(parts: list[slice]) -> torch.Tensor:
        leaf = logits.clone().requires_grad_()
        for part in parts:
            loss = objective(
                leaf[part], labels[part], weights[part], total=weights.sum(), smoothing=smoothing,
                ensemble=ensemble, rows=rows[part], twin=twin[part], r_drop=r_drop,
            )  # fmt: skip
            loss.backward()
        assert leaf.grad is not None
        return leaf.grad

    torch.testing.assert_close(gradient([slice(0, cut), slice(cut, 8)]), gradient([slice(0, 8)]))


def trained(steps: range, ensemble: TemporalEnsemble, weights: torch.Tensor) -> torch.Tensor:
    """A linear network after those steps; every step's batch follows from its number."""
    features = torch.randn(12, 4, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(12) % 3
    for step in steps:
        rows = torch.randperm(12, generator=torch.Generator().manual_seed(step))[:6]
        leaf = weights.clone().requires_grad_()
        logits = features[rows] @ leaf
        loss = objective(logits, labels[rows], torch.ones(6), total=6.0, ensemble=ensemble, rows=rows)
        loss.backward()
        assert leaf.grad is not None
        weights = weights - leaf.grad
        ensemble.update(rows, logits.detach().softmax(-1))
    return weights


def test_state_survives_a_checkpoint() -> None:
    from safetensors.torch import load, save

    start = torch.zeros(4, 3)
    ensemble = TemporalEnsemble(12, 3, threshold=0.34)
    unbroken = trained(range(9), ensemble, start)
    first = TemporalEnsemble(12, 3, threshold=0.34)
    half = trained(range(4), first, start)
    written = save(first.state())
    trained(range(4, 6), first, half)  # what happens after the checkpoint is not in it
    second = TemporalEnsemble(12, 3, threshold=0.34)
    second.load(load(written))
    assert torch.equal(trained(range(4, 9), second, half), unbroken)
    assert all(torch.equal(ensemble.state()[name], now) for name, now in second.state().items())
    fresh = TemporalEnsemble(12, 3, threshold=0.34)
    assert not torch.equal(trained(range(4, 9), fresh, half), unbroken)


def test_state_is_a_copy() -> None:
    ensemble = seen_twice()
    state = ensemble.state()
    ensemble.update(torch.tensor([1]), torch.tensor([[1.0, 0.0]]))
    assert state["seen"].tolist() == [0, 2, 0]


@pytest.mark.parametrize(("rows", "outputs"), [(4, 2), (3, 3)])
def test_refuses_the_state_of_other_rows(rows: int, outputs: int) -> None:
    with pytest.raises(ModelError, match="do not fit the training rows"):
        TemporalEnsemble(rows, outputs).load(seen_twice().state())
    with pytest.raises(ModelError, match="'averages'"):
        TemporalEnsemble(3, 2).load({})
