"""Dropout from shared draws: the right share, the right scale, independent units, and nothing outside training."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (extra 'encoder')")

from japagen.student.encoder.dropout import CheapDropout, use_cheap_dropout  # noqa: E402


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_share_and_scale(p, dtype):
    torch.manual_seed(0)
    out = CheapDropout(p)(torch.ones(401, 997, dtype=dtype))
    assert out.dtype == dtype
    kept = out != 0
    assert 1 - kept.float().mean() == pytest.approx(p, abs=4 * (p * (1 - p) / kept.numel()) ** 0.5)
    torch.testing.assert_close(out[kept], torch.full_like(out[kept], 1 / (1 - p)), rtol=1e-4, atol=0)
    assert out.float().mean() == pytest.approx(1, abs=0.02)


def test_neighbours_of_one_draw_are_independent():
    torch.manual_seed(0)
    kept = (CheapDropout(0.5)(torch.ones(400_000)) != 0).float().view(-1, 4)
    together = torch.corrcoef(kept.T) - torch.eye(4)
    assert together.abs().max() < 0.01
    assert (kept.mean(0) - 0.5).abs().max() < 0.01


def test_gradient_flows_through_what_was_kept():
    torch.manual_seed(0)
    x = torch.randn(7, 5, requires_grad=True)
    y = CheapDropout(0.25)(x)
    y.sum().backward()
    assert torch.equal(x.grad != 0, y != 0)
    assert torch.allclose(x.grad[y != 0], torch.tensor(4 / 3))


def test_nothing_outside_training_and_the_seed_decides():
    dropout, x = CheapDropout(0.5), torch.randn(50)
    assert dropout.eval()(x) is x
    assert CheapDropout(0.0)(x) is x
    assert torch.equal(CheapDropout(1.0)(x), torch.zeros(50))
    dropout.train()
    torch.manual_seed(3)
    first = dropout(x)
    assert not torch.equal(dropout(x), first)
    torch.manual_seed(3)
    assert torch.equal(dropout(x), first)


def test_only_plain_dropout_is_replaced():
    network = torch.nn.Sequential(torch.nn.Dropout(0.3), torch.nn.Dropout1d(0.3), torch.nn.Linear(2, 2))
    use_cheap_dropout(network)
    assert [type(m).__name__ for m in network] == ["CheapDropout", "Dropout1d", "Linear"]
    assert network[0].p == 0.3
