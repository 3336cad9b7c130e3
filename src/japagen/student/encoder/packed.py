"""Sequences end to end, without padding: every position that is computed holds a token.

For models of transformers whose attention can be replaced. On a GPU attention within the bounds of each sequence is
`torch.nn.attention.varlen`, which has no dropout and wants bf16 or fp16; elsewhere one sequence comes after the other,
which is slow and is there so that tests can hold it to the padded computation.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

NAME = "japagen_packed"


def obstacle(model: Any, *, dropout: bool) -> str | None:
    """Why a model cannot be computed so; None where it can.

    Args:
        model: of transformers, with a head for sequences.
        dropout: whether it is to be trained, with the dropout of its configuration.
    """
    kind = model.config.model_type
    if kind not in HEADS:
        return f"the attention or the head of '{kind}' is not one that is known to allow it"
    if kind == "modernbert" and model.config.classifier_pooling != "cls":
        return "its head reads the mean of all tokens"
    if getattr(model.config, "position_embedding_type", None) not in (None, "absolute"):
        return "its positions are relative"
    if dropout and (_dropout(model.config) or 0.0) > 0:
        return "its attention has dropout, which attention without padding has not"
    return None


def allow(model: Any) -> None:
    """Set the model up for `logits`; after that its own `forward` does not work.

    Raises:
        ValueError: there is an obstacle.
    """
    if reason := obstacle(model, dropout=False):
        raise ValueError(reason)
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, _attention)
    model.set_attn_implementation(NAME)


def logits(model: Any, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None) -> Tensor:
    """Logits of padded rows, computed without the padding, which is on the right.

    Args:
        model: set up by `allow`.
        input_ids: int64, shape (rows, longest).
        attention_mask: 1 where there is a token; every row has one.
        token_type_ids: where the model has them.

    Returns:
        shape (rows, outputs).
    """
    there = attention_mask.bool()
    lengths = there.sum(1)
    ends = lengths.cumsum(0)
    bounds = functional.pad(ends, (1, 0)).to(torch.int32)
    positions = torch.arange(input_ids.shape[1], device=input_ids.device).expand_as(input_ids)[there]
    inputs = {"input_ids": input_ids[there][None], "position_ids": (positions + _first_position(model.config))[None]}
    if token_type_ids is not None:
        inputs["token_type_ids"] = token_type_ids[there][None]
    longest = input_ids.shape[1]
    found = model.base_model(
        **inputs, cu_seq_lens_q=bounds, cu_seq_lens_k=bounds, max_length_q=longest, max_length_k=longest
    )
    first = found.last_hidden_state[0][ends - lengths]
    made: Tensor = HEADS[model.config.model_type](model, first[:, None])
    return made


def _first_position(config: Any) -> int:
    """Number of a sequence's first position: RoBERTa counts from after the padding token's."""
    return config.pad_token_id + 1 if config.model_type in ("roberta", "xlm-roberta") else 0


def _dropout(config: Any) -> float | None:
    found: float | None = getattr(config, "attention_probs_dropout_prob", getattr(config, "attention_dropout", None))
    return found


def _of_bert(model: Any, first: Tensor) -> Any:
    return model.classifier(model.dropout(model.bert.pooler(first)))


def _of_roberta(model: Any, first: Tensor) -> Any:
    return model.classifier(first)


def _of_modernbert(model: Any, first: Tensor) -> Any:
    return model.classifier(model.drop(model.head(first[:, 0])))


HEADS: dict[str, Callable[[Any, Tensor], Any]] = {
    "bert": _of_bert,
    "electra": _of_roberta,
    "modernbert": _of_modernbert,
    "roberta": _of_roberta,
    "xlm-roberta": _of_roberta,
}
"""Kinds of models, and logits from the states of first tokens, shape (rows, 1, width)."""


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    scaling: float,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    sliding_window: int | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it, with tensors of shape (1, heads, tokens, width of a head).

    Raises:
        ValueError: dropout is asked for.
    """
    if dropout:
        raise ValueError("attention without padding has no dropout")
    window = sliding_window - 1 if sliding_window else -1  # tokens to each side; transformers counts the token itself
    flat = [each[0].transpose(0, 1) for each in (query, key, value)]
    if query.device.type == "cuda":
        from torch.nn.attention.varlen import varlen_attn

        q, k, v = (each.contiguous() for each in flat)
        made: Any = varlen_attn(
            q,
            k,
            v,
            cu_seq_lens_q,
            cu_seq_lens_q,
            max_length_q,
            max_length_q,
            scale=scaling,
            window_size=(window, window),
        )
        return made[None], None
    return _one_by_one(flat, cu_seq_lens_q.tolist(), scaling, window)[None], None


def _one_by_one(flat: list[Tensor], bounds: list[int], scaling: float, window: int) -> Tensor:
    """The same for each sequence by itself; tensors of shape (tokens, heads, width)."""
    parts = []
    for start, end in pairwise(bounds):
        q, k, v = (each[start:end].transpose(0, 1) for each in flat)
        places = torch.arange(end - start, device=q.device)
        near = (places[:, None] - places).abs() <= window if window >= 0 else None
        parts.append(functional.scaled_dot_product_attention(q, k, v, attn_mask=near, scale=scaling).transpose(0, 1))
    return torch.cat(parts)
