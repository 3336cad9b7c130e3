"""Several processes that share each batch, started by torchrun: each computes its part, gradients are added up.

One process alone is the usual case, and every operation here then does nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of a training.

    Attributes:
        rank: its number.
        count: how many there are.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether it is the one that writes files."""
        return self.rank == 0

    def share(self, batch: NDArray[np.int64]) -> NDArray[np.int64]:
        """Its rows of a batch: of neighbours in length each process gets one."""
        return batch[self.rank :: self.count]

    def add_up(self, parameters: Sequence[nn.Parameter]) -> None:
        """The gradients become the sums over all processes, by one exchange."""
        if self.count == 1:
            return
        for parameter in parameters:
            if parameter.grad is None:  # no row of the batch was this process's
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.reshape(-1) for gradient in gradients])
        distributed.all_reduce(flat)
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def total(self, value: Tensor) -> Tensor:
        """The sum of a number over all processes."""
        if self.count > 1:
            value = value.clone()
            distributed.all_reduce(value)
        return value

    def gather(self, said: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
        """All rows of a batch with what was said of them, the same on each process.

        Args:
            said: this process's rows, int64, with their probabilities, shape (rows, labels).
        """
        if self.count == 1:
            return torch.cat([places for places, _ in said]), torch.cat([values for _, values in said])
        everyone: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(self.count)]
        distributed.all_gather_object(everyone, [(places.cpu(), values.cpu()) for places, values in said])
        parts = [part for theirs in everyone for part in theirs]
        where = said[0][1].device if said else torch.device("cpu")
        return torch.cat([p for p, _ in parts]).to(where), torch.cat([v for _, v in parts]).to(where)


ALONE = Processes()
