"""Dropout whose masks cost half: on a processor the library draws a whole random number for each unit, here a quarter.

A 64-bit draw serves four units, 16 bits each, so that a probability is rounded to 1/65,536. Only for processors: on a GPU
the library's own is one fused kernel.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEVELS = 2**16


class CheapDropout(nn.Dropout):
    """As `torch.nn.Dropout`; its masks follow from torch's generator as well."""

    def forward(self, input: Tensor) -> Tensor:
        """The input with a share of `p` of its units at zero and the others enlarged; as it is outside training."""
        dropped = round(self.p * _LEVELS)
        if not self.training or dropped == 0:
            return input
        if dropped == _LEVELS:
            return input * 0.0
        count = input.numel()
        drawn = torch.empty((count + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        kept = drawn.view(torch.int16)[:count].view(input.shape) >= dropped - _LEVELS // 2
        return input * kept.to(input.dtype).mul_(_LEVELS / (_LEVELS - dropped))


def use_cheap_dropout(network: nn.Module) -> None:
    """Let every dropout of a network on a processor be such a one."""
    for module in network.modules():
        if type(module) is nn.Dropout:
            module.__class__ = CheapDropout
