"""What fine-tuning minimises: cross entropy with label smoothing, squared error, R-Drop, agreement with past predictions.

Every loss is a sum over rows, each times its weight, divided by `total`: the sum of the weights of the whole batch, also
where `logits` are only a part of it. So the gradients of the parts add up to that of the batch, however it is split.
All is computed in float32, whatever the network's own precision.

Shapes: n rows of the part, L labels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from japagen.student.encoder.temporal import TemporalEnsemble


def cross_entropy(
    logits: Tensor, labels: Tensor, weights: Tensor, *, total: Tensor | float, smoothing: float = 0.0
) -> Tensor:
    """Cross entropy with label smoothing (Szegedy et al. 2016), in nats.

    Args:
        logits: shape (n, L).
        labels: position of each row's label, int64, shape (n,).
        weights: of the rows, shape (n,).
        total: sum of the weights of the whole batch.
        smoothing: share of each row's mass that is spread over all labels, in [0, 1).
    """
    logs = logits.float().log_softmax(-1)
    of_label = -logs.gather(1, labels.unsqueeze(1)).squeeze(1)
    by_row = (1.0 - smoothing) * of_label - smoothing * logs.mean(-1)
    return (weights * by_row).sum() / total


def squared_error(outputs: Tensor, numbers: Tensor, weights: Tensor, *, total: Tensor | float) -> Tensor:
    """Squared error of a network with one output, shape (n, 1) or (n,), against numbers of shape (n,)."""
    by_row = (outputs.float().reshape(-1) - numbers.float()).square()
    return (weights * by_row).sum() / total


def disagreement(first: Tensor, second: Tensor, weights: Tensor, *, total: Tensor | float) -> Tensor:
    """Half of KL(p || q) + KL(q || p) of two forward passes with different dropout (R-Drop, Liang et al. 2021).

    Args:
        first: logits of one pass, shape (n, L).
        second: of the other.
        weights: of the rows, shape (n,).
        total: sum of the weights of the whole batch.
    """
    p, q = first.float().log_softmax(-1), second.float().log_softmax(-1)
    by_row = ((p.exp() - q.exp()) * (p - q)).sum(-1) / 2
    return (weights * by_row).sum() / total


def agreement(logits: Tensor, targets: Tensor, weights: Tensor, *, total: Tensor | float) -> Tensor:
    """KL(target || prediction) against fixed distributions, shape (n, L); 0 for a row whose targets are all 0."""
    by_row = functional.kl_div(logits.float().log_softmax(-1), targets, reduction="none").sum(-1)
    return (weights * by_row).sum() / total


def objective(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    *,
    total: Tensor | float,
    smoothing: float = 0.0,
    ensemble: TemporalEnsemble | None = None,
    rows: Tensor | None = None,
    twin: Tensor | None = None,
    r_drop: float = 0.0,
) -> Tensor:
    """What a classifier's training step minimises; changes nothing, `ensemble` is updated by the caller.

    A row that the ensemble does not keep loses the term of its label; the agreement with its past predictions stays.

    Args:
        logits: shape (n, L).
        labels: position of each row's label, int64, shape (n,).
        weights: of the rows, shape (n,).
        total: sum of the weights of the whole batch, of rows that the ensemble drops too.
        smoothing: of the labels.
        ensemble: the training rows' past predictions.
        rows: their positions in the training set, int64, shape (n,); needed with `ensemble`.
        twin: logits of a second forward pass; the label term is then the mean of both passes.
        r_drop: weight of the passes' disagreement; needs `twin`.

    Raises:
        ValueError: an ensemble without `rows`, or R-Drop without a second pass.
    """
    if (ensemble is not None and rows is None) or (r_drop > 0 and twin is None):
        raise ValueError("an ensemble needs the rows' positions, R-Drop a second pass")
    passes = [logits] if twin is None else [logits, twin]
    of_labels = weights
    if ensemble is not None and rows is not None:
        of_labels = weights * ensemble.keep(rows, labels)
    terms = [cross_entropy(each, labels, of_labels, total=total, smoothing=smoothing) for each in passes]
    if ensemble is not None and rows is not None:
        strength, targets = weights * ensemble.strength(rows), ensemble.targets(rows)
        terms += [agreement(each, targets, strength, total=total) for each in passes]
    loss = torch.stack(terms).sum() / len(passes)
    if twin is not None and r_drop > 0:
        loss = loss + r_drop * disagreement(logits, twin, weights, total=total)
    return loss
