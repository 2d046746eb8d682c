"""The size of the matrices that attention makes of queries and keys, which are no layer's output."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

_SINGLE_ATTENTION = (keras.layers.Attention, keras.layers.AdditiveAttention)
_TOKENS_RANK = 3  # (N, T, K)


@dataclass(frozen=True)
class AttentionSize:
    """The attention matrices (heads, T, S) of one call for one input.

    Attributes:
        values: the number of their values.
        products: the number of products of two numbers that make them and that apply them to the values.
    """

    values: int = 0
    products: int = 0


def attention_size(operation: Any, inputs: Sequence[Any]) -> AttentionSize:
    """Return the size of the matrices of a layer that reads these tensors, (N, …, K) each. It is 0 for a layer that does not attend."""
    heads = getattr(operation, "num_query_heads", None) or getattr(operation, "num_heads", None)
    if isinstance(operation, _SINGLE_ATTENTION):
        heads = inputs[0].shape[-1] if isinstance(operation, keras.layers.AdditiveAttention) else 1
    if heads is None or not inputs or len(inputs[0].shape) < _TOKENS_RANK:
        return AttentionSize()
    others = inputs[min(1, len(inputs) - 1)]
    queries, keys = (math.prod(side or 1 for side in tensor.shape[1:-1]) for tensor in (inputs[0], others))
    key_width = getattr(operation, "key_dim", None) or getattr(operation, "head_dim", None) or inputs[0].shape[-1] or 1
    value_width = getattr(operation, "value_dim", None) or (others.shape[-1] if isinstance(operation, _SINGLE_ATTENTION) else key_width)
    values = int(heads) * queries * keys
    return AttentionSize(values, values * (int(key_width) + int(value_width)))
