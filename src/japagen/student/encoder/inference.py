"""Running a network over many rows: inputs, device, precision, and rows sorted by length so that little is padded."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from japagen.student.encoder.batches import within
from japagen.student.encoder.tokens import Tokenised, Tokeniser

TOKENS_CPU, TOKENS_GPU = 2_048, 65_536
"""Positions computed at a time."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Makes the inputs of a network from tokenised rows.

    Attributes:
        tokeniser: knows what inputs the network has.
        tokens: all rows.
    """

    tokeniser: Tokeniser
    tokens: Tokenised

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Tokens of each row, shape (rows,)."""
        return self.tokens.lengths

    def inputs(self, rows: NDArray[np.int64], device: torch.device) -> dict[str, Tensor]:
        """Padded inputs of some rows, on the device."""
        made = self.tokeniser.collate(self.tokens, rows.tolist())
        return {name: torch.from_numpy(array).to(device, non_blocking=True) for name, array in made.items()}


def device() -> torch.device:
    """Where networks run here: a GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(where: torch.device) -> bool:
    """Whether the machine computes in bf16, rather than imitate it."""
    if where.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return bool(able.get("avx512_bf16") or able.get("amx_bf16"))


def autocast(where: torch.device, precision: str) -> AbstractContextManager[None]:
    """Arithmetic of that precision: fp32 as it is, bf16 for what bears it."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(where.type, dtype=torch.bfloat16)


def infer(network: nn.Module, feed: Feed, *, precision: str = "fp32") -> NDArray[np.float32]:
    """Outputs of every row, shape (rows, outputs), in the rows' order.

    The last bits of a row's outputs may depend on the rows that it was computed with.
    """
    where = next(network.parameters()).device
    order = np.argsort(feed.lengths, kind="stable")
    budget = TOKENS_GPU if where.type == "cuda" else TOKENS_CPU
    found: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
    network.eval()
    with torch.inference_mode(), autocast(where, precision):
        for rows in within(feed.lengths[order], order, budget) if len(order) else []:
            found.append((rows, network(**feed.inputs(rows, where)).float().cpu().numpy()))
    if not found:
        return np.zeros((0, 1), np.float32)
    outputs = np.empty((len(order), found[0][1].shape[1]), np.float32)
    for rows, part in found:
        outputs[rows] = part
    return outputs
