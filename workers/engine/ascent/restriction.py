"""A convolution or dense layer that computes only the channels asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

# Activations that treat every channel alone, so that leaving channels out changes none of the others (softmax does not).
CHANNELWISE = frozenset(
    {
        *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "softplus", "softsign"),
        *("tanh", "sigmoid", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh"),
    }
)

Restricted = Callable[[Any, Any], Any]


def restricted(layer: Any) -> Restricted | None:
    """`(x, indices) → the layer's channels `indices`, in that order`; None for a layer whose channels cannot be had alone."""
    if type(layer) is keras.layers.Conv2D:
        if layer.groups != 1 or layer.data_format != "channels_last":
            return None
    elif type(layer) is not keras.layers.Dense:
        return None
    quantized = getattr(layer, "quantization_mode", None) or layer.lora_enabled
    if quantized or getattr(layer.activation, "__name__", "") not in CHANNELWISE:
        return None
    return _Chosen(layer)


class _Chosen:
    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __call__(self, x: Any, indices: Any) -> Any:
        layer = self.layer
        x = tf.cast(x, layer.compute_dtype)
        kernel = tf.cast(tf.gather(layer.kernel, indices, axis=-1), layer.compute_dtype)
        y = layer.convolution_op(x, kernel) if isinstance(layer, keras.layers.Conv2D) else keras.ops.matmul(x, kernel)
        if layer.bias is not None:
            y += tf.cast(tf.gather(layer.bias, indices), layer.compute_dtype)
        return layer.activation(y)
