"""AdamW with its groups of parameters, and the learning rate step by step.

Weight decay is for matrices and tables: biases and the parameters of normalising layers are exempt (Devlin et al. 2019),
found by the kind of layer they belong to, not by guessing from full names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

CLIP = 1.0
"""Largest norm of the gradient, as in the scripts of JGLUE."""


def parameter_groups(
    network: nn.Module, *, head: tuple[str, ...], learning_rate: float, head_learning_rate: float, weight_decay: float
) -> list[dict[str, Any]]:
    """Up to four groups for an optimiser: pretrained or new, with decay or without.

    Args:
        network: its parameters that need a gradient are taken, each once.
        head: beginnings of the names of new parameters.
        learning_rate: of the pretrained ones.
        head_learning_rate: of the new ones.
        weight_decay: of those that have it.

    Returns:
        groups with ``params``, ``lr``, ``weight_decay``, and for the reader ``part`` and ``names``.
    """
    groups: dict[tuple[bool, bool], dict[str, Any]] = {}
    for name, parameter, decays in _parameters(network):
        new = name.startswith(head)
        group = groups.setdefault(
            (new, decays),
            {
                "params": [],
                "lr": head_learning_rate if new else learning_rate,
                "weight_decay": weight_decay if decays else 0.0,
                "part": "head" if new else "encoder",
                "names": [],
            },
        )
        group["params"].append(parameter)
        group["names"].append(name)
    return [groups[key] for key in sorted(groups)]


def _parameters(network: nn.Module) -> Iterator[tuple[str, nn.Parameter, bool]]:
    """Name, parameter and whether it decays."""
    seen: set[int] = set()
    for path, module in network.named_modules():
        normalises = "norm" in type(module).__name__.lower()
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and id(parameter) not in seen:
                seen.add(id(parameter))
                yield f"{path}.{name}" if path else name, parameter, not (normalises or name.endswith("bias"))


def adamw(groups: list[dict[str, Any]]) -> torch.optim.AdamW:
    """The optimiser of the paper, in its fused form."""
    return torch.optim.AdamW([{k: v for k, v in group.items() if k != "names"} for group in groups], fused=True)


def rate(step: int, steps: int, warmup: float) -> float:
    """Share of the learning rate at a step, counted from 0: linearly up to 1 over the warm-up, linearly down to 0."""
    warm = round(warmup * steps)
    if step < warm:
        return step / warm
    return max(0.0, (steps - step) / max(1, steps - warm))
