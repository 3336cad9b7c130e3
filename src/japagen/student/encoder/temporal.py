"""Temporal ensembling: what the network said of each training row in the past, as a steady second opinion.

Each time a row is trained on, its prediction enters a moving average with bias correction (Laine & Aila 2017). The
average is a target that later predictions are drawn to, more and more; and where it disbelieves a row's label, the label
is left out (SuperGen, Meng et al. 2022, section 3.3). Predictions are those of the training passes: they cost nothing.

Everything is kept by row: neither the order of rows nor the split of a batch changes it.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from japagen.errors import ModelError

MOMENTUM = 0.8
THRESHOLD = 0.2
WEIGHT = 1.0
RAMP_UP = 3.0


class TemporalEnsemble:
    """Moving averages of the training rows' predictions.

    Args:
        rows: size of the training set.
        outputs: number of labels, L.
        momentum: share of the average that stays when a prediction enters it, in [0, 1).
        threshold: least ensembled probability of a row's label with which the label counts; 0 keeps all.
        weight: of the agreement term, once it is ramped up.
        ramp_up: predictions of a row after which its agreement term has full weight; before, exp(-5 (1 - t)^2) of it, t
            the share done (Laine & Aila 2017).
        device: where the averages are kept; that of the logits.
    """

    def __init__(
        self,
        rows: int,
        outputs: int,
        *,
        momentum: float = MOMENTUM,
        threshold: float = THRESHOLD,
        weight: float = WEIGHT,
        ramp_up: float = RAMP_UP,
        device: torch.device | str | None = None,
    ) -> None:
        self.momentum, self.threshold, self.weight, self.ramp_up = momentum, threshold, weight, ramp_up
        self._averages = torch.zeros(rows, outputs, device=device)
        self._seen = torch.zeros(rows, dtype=torch.int64, device=device)

    def update(self, rows: Tensor, probabilities: Tensor) -> None:
        """Let predictions enter the averages.

        Args:
            rows: positions in the training set, int64, shape (n,), each once.
            probabilities: shape (n, L).
        """
        entering = probabilities.detach().float()
        self._averages[rows] = self.momentum * self._averages[rows] + (1.0 - self.momentum) * entering
        self._seen[rows] += 1

    def targets(self, rows: Tensor) -> Tensor:
        """Ensembled probabilities with bias correction, shape (n, L); all 0 for a row not seen yet."""
        mass = 1.0 - self.momentum ** self._seen[rows].float()
        return self._averages[rows] / torch.where(mass > 0, mass, 1.0).unsqueeze(1)

    def strength(self, rows: Tensor) -> Tensor:
        """Weight of each row's agreement term, shape (n,); 0 for a row not seen yet."""
        seen = self._seen[rows].float()
        done = (seen / self.ramp_up).clamp(max=1.0) if self.ramp_up > 0 else torch.ones_like(seen)
        return torch.where(seen > 0, self.weight * torch.exp(-5.0 * (1.0 - done).square()), 0.0)

    def keep(self, rows: Tensor, labels: Tensor) -> Tensor:
        """Whether each row's label counts, bool of shape (n,); always, for a row not seen yet."""
        believed = self.targets(rows).gather(1, labels.unsqueeze(1)).squeeze(1)
        return (believed >= self.threshold) | (self._seen[rows] == 0)

    def state(self) -> dict[str, Tensor]:
        """What a checkpoint must hold; the settings are not part of it."""
        return {"averages": self._averages.cpu().clone(), "seen": self._seen.cpu().clone()}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` gave.

        Raises:
            ModelError: it is of other training rows or labels.
        """
        for name, here in (("averages", self._averages), ("seen", self._seen)):
            saved = state.get(name)
            if saved is None or saved.shape != here.shape or saved.dtype != here.dtype:
                raise ModelError(
                    f"the checkpoint's '{name}' of the temporal ensemble do not fit the training rows",
                    remedy="train anew, or with the rows and labels that it was made with",
                )
            here.copy_(saved)
