"""The target layer's call: only the channels asked for, and what is given to its ReLU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import Relu, Relu6
from workers.engine.shadow import shadow

# Activations that treat every channel alone, so that leaving channels out changes none of the others (softmax does not).
CHANNELWISE = frozenset(
    {
        *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "softplus", "softsign"),
        *("tanh", "sigmoid", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh"),
    }
)
RELUS = frozenset({"relu", "relu6"})
KERNELED = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)


class Answer(NamedTuple):
    """A layer's output, and what its ReLU made that of; None without one."""

    after: Any
    before: Any | None


Call = Callable[[Any, Any], Answer]


def chooses(layer: Any) -> bool:
    """Whether channels of `layer` can be computed without the others."""
    if type(layer) is keras.layers.Conv2D:
        if layer.groups != 1 or layer.data_format != "channels_last":
            return False
    elif type(layer) is not keras.layers.Dense:
        return False
    plain = not (getattr(layer, "quantization_mode", None) or layer.lora_enabled)
    return plain and _activation_name(layer) in CHANNELWISE


def calling(layer: Any) -> Call | None:
    """`(input, indices) → Answer`: what to call in place of the target layer; its channels are `indices`, in that order, where it
    `chooses`. None for a layer that neither does nor ends in a ReLU: it is called as it is."""
    whole = recording(layer)
    if not chooses(layer):
        return None if whole is None else lambda x, indices: whole(x)
    if whole is None:
        return lambda x, indices: Answer(_chosen(layer, x, indices), None)
    linear = shadow(layer, activation=keras.activations.linear)

    def call(x: Any, indices: Any) -> Answer:
        before = _chosen(linear, x, indices)
        return Answer(layer.activation(before), before)

    return call


def recording(layer: Any) -> Callable[[Any], Answer] | None:
    """`input → Answer`, all channels: what to call in place of a layer that ends in a ReLU; None for any other."""
    if _is_relu(layer):
        return lambda x: Answer(call_for_inference(layer, (x,)), x)
    if not (isinstance(layer, KERNELED) and _activation_name(layer) in RELUS):
        return None
    linear = shadow(layer, activation=keras.activations.linear)

    def call(x: Any) -> Answer:
        before = call_for_inference(linear, (x,))
        return Answer(layer.activation(before), before)

    return call


def _chosen(layer: Any, x: Any, indices: Any) -> Any:
    x = tf.cast(x, layer.compute_dtype)
    kernel = tf.cast(tf.gather(layer.kernel, indices, axis=-1), layer.compute_dtype)
    y = layer.convolution_op(x, kernel) if isinstance(layer, keras.layers.Conv2D) else keras.ops.matmul(x, kernel)
    if layer.bias is not None:
        y += tf.cast(tf.gather(layer.bias, indices), layer.compute_dtype)
    return layer.activation(y)


def _is_relu(layer: Any) -> bool:
    if isinstance(layer, keras.layers.ReLU):
        return not layer.negative_slope and not layer.threshold
    if isinstance(layer, keras.layers.Activation):
        return _activation_name(layer) in RELUS
    return isinstance(layer, (Relu, Relu6))


def _activation_name(layer: Any) -> str:
    return getattr(layer.activation, "__name__", "")
