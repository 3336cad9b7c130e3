"""Several fine-tuned encoders as one network: what answers for a run with `train.ensemble`, in one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from japagen.errors import ModelError
from japagen.student.decision.record import Decision
from japagen.student.encoder.classifier import EncoderClassifier


class MeanNetwork(nn.Module):
    """Networks whose scores are averaged: its logits are the logarithm of the mean of their scores, of numbers the mean.

    Of a decision only what corrects scores counts, as in `Ensemble`: its offsets move one classifier's labels, not the mean.

    Args:
        members: networks that read the same tokens.
        decisions: how each one's scores are corrected before, or None.
    """

    def __init__(self, members: Sequence[nn.Module], decisions: Sequence[Decision | None], *, numbers: bool) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.numbers = numbers
        self.tokeniser: Any = members[0].tokeniser
        zeros = (0.0,)
        self.priors = [torch.tensor(decision.prior if decision else zeros) for decision in decisions]
        self.temperatures = [decision.temperature if decision else 1.0 for decision in decisions]

    def forward(self, **inputs: Tensor) -> Tensor:
        """Logits, shape (rows, outputs)."""
        found = [member(**inputs) for member in self.members]
        if self.numbers:
            return torch.stack(found).mean(0)
        settings = zip(found, self.priors, self.temperatures, strict=True)
        scores = [torch.softmax((torch.log_softmax(z, -1) + prior) / t, -1) for z, prior, t in settings]
        return torch.stack(scores).mean(0).clamp_min(1e-30).log()


def mean_classifier(
    members: Sequence[EncoderClassifier], decisions: Sequence[Decision | None], *, where: object
) -> EncoderClassifier:
    """One classifier that scores as the ensemble of these does.

    Raises:
        ModelError: they do not read or answer alike.
    """
    first = members[0]
    for member in members:
        alike = (member.labels, member.pair, member.max_length, member.model, member.values is None)
        if alike != (first.labels, first.pair, first.max_length, first.model, first.values is None):
            raise _unlike(where)
    for decision in decisions:
        if decision and decision.labels != first.labels:
            raise _unlike(where)
        if decision and decision.values is not None:
            raise ModelError(
                "the decisions of the ensemble turn scores into numbers, which its network cannot hold",
                where=where,
                remedy="export one of them: give its own folder, e.g. RUN/3-train/encoder/seed-0",
            )
    network = MeanNetwork([m.network for m in members], decisions, numbers=first.values is not None)
    facts = {"mean of": len(members), **first.facts}
    return EncoderClassifier(
        network, first.labels, first.pair, first.values, first.max_length, first.model, first.revision, facts
    )


def _unlike(where: object) -> ModelError:
    return ModelError(
        "the classifiers of the ensemble are not alike",
        where=where,
        remedy="export one of them: give its own folder, e.g. RUN/3-train/encoder/seed-0",
    )
