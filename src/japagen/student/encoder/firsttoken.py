"""The last layer computed for the first token alone, where a classifier's head reads no other.

Of the last layer only keys and values are needed of every token; its query, its output and its feed-forward part, ten
twelfths of its arithmetic, are needed where the head looks. The result is the same, names and shapes of parameters too; of a
network of four layers a fifth of the arithmetic is saved, of twelve layers seven hundredths.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

LAYERS = ("BertLayer", "RobertaLayer", "XLMRobertaLayer", "CamembertLayer", "ElectraLayer")
"""Classes of transformers whose models read the first token of what the last of them gives."""


class FirstTokenLayer:
    """In place of such a layer's own class, as the last one of a model: gives shape (rows, 1, width)."""

    attention: Any
    feed_forward_chunk: Any

    def forward(self, hidden_states: Tensor, attention_mask: Tensor | None = None, *_: Any, **__: Any) -> Tensor:
        """The layer's output for the first token.

        Args:
            hidden_states: shape (rows, longest, width).
            attention_mask: shape (rows, 1, longest, longest), or 1 in place of the first of these lengths: false or a large
                negative number where there is nothing to look at; None where all is to be seen.
        """
        own = self.attention.self
        first = hidden_states[:, :1]
        query = _heads(own.query(first), own.attention_head_size)
        key = _heads(own.key(hidden_states), own.attention_head_size)
        value = _heads(own.value(hidden_states), own.attention_head_size)
        scores = query @ key.transpose(-1, -2) * own.scaling
        if attention_mask is not None:
            seen = attention_mask[..., :1, :]
            scores = (
                scores.masked_fill(~seen, torch.finfo(scores.dtype).min) if seen.dtype == torch.bool else scores + seen
            )
        shares = own.dropout(scores.softmax(-1, dtype=torch.float32).to(value.dtype))
        looked = (shares @ value).transpose(1, 2).flatten(2)
        result: Tensor = self.feed_forward_chunk(self.attention.output(looked, first))
        return result


def _heads(x: Tensor, size: int) -> Tensor:
    return x.view(*x.shape[:-1], -1, size).transpose(1, 2)


def compute_first_token_only(model: Any) -> bool:
    """Set a model of transformers up so; False, and nothing changed, where it is none that is known to allow it."""
    encoder = getattr(getattr(model, model.base_model_prefix, None), "encoder", None)
    layers = getattr(encoder, "layer", None)
    if not layers or type(layers[-1]).__name__ not in LAYERS or layers[-1].is_decoder:
        return False
    own = type(layers[-1])
    layers[-1].__class__ = type(f"FirstToken{own.__name__}", (FirstTokenLayer, own), {})
    return True


def compute_every_token(model: Any) -> None:
    """Undo `compute_first_token_only`."""
    for module in model.modules():
        if isinstance(module, FirstTokenLayer):
            module.__class__ = type(module).__bases__[1]
