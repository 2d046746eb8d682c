"""Calls of the target layer that compute only the channels asked for, and that also return the input of its ReLU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from workers.engine.inference import call_for_inference
from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import Relu, Relu6
from workers.engine.layer_copies import copy_layer

# Activations that treat every channel alone, so that leaving out channels does not change the others. Softmax is not one.
CHANNELWISE = frozenset(
    {
        *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "swish", "mish", "softplus", "softsign"),
        *("tanh", "sigmoid", "exponential", "hard_sigmoid", "hard_silu", "hard_swish", "hard_tanh"),
    }
)
RELUS = frozenset({"relu", "relu6"})
LAYERS_WITH_KERNEL = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.DepthwiseConv2D,
    keras.layers.SeparableConv2D,
    keras.layers.Dense,
)


class TargetOutput(NamedTuple):
    """The output of a layer, and the input of the ReLU at its end, or None if it does not end in one."""

    output: Any
    before_relu: Any | None


SelectiveCall = Callable[[Any, Any], TargetOutput]
"""`(input, indices) → TargetOutput` with the channels `indices`, in that order."""


def can_select_channels(layer: Any) -> bool:
    """Return whether single channels of a layer can be computed without the others."""
    if type(layer) is keras.layers.Conv2D:
        if layer.groups != 1 or layer.data_format != "channels_last":
            return False
    elif type(layer) is not keras.layers.Dense:
        return False
    plain = not (getattr(layer, "quantization_mode", None) or layer.lora_enabled)
    return plain and _activation_name(layer) in CHANNELWISE


def selective_call(layer: Any) -> SelectiveCall | None:
    """Return what to call in place of the target layer, or None if it is to be called as it is.

    The call computes only the channels asked for if the layer `can_select_channels`, and otherwise all of them.
    """
    whole = call_before_relu(layer)
    if not can_select_channels(layer):
        return None if whole is None else lambda x, indices: whole(x)
    if whole is None:
        return lambda x, indices: TargetOutput(_call_channels(layer, x, indices), None)
    linear = copy_layer(layer, activation=keras.activations.linear)

    def call(x: Any, indices: Any) -> TargetOutput:
        before = _call_channels(linear, x, indices)
        return TargetOutput(layer.activation(before), before)

    return call


def call_before_relu(layer: Any) -> Callable[[Any], TargetOutput] | None:
    """Return a call that computes all channels of a layer and the input of its ReLU, or None if it is not known to end in a ReLU."""
    if not runs_keras_code(layer):
        return None
    if _is_relu(layer):
        return lambda x: TargetOutput(call_for_inference(layer, (x,)), x)
    if not (isinstance(layer, LAYERS_WITH_KERNEL) and _activation_name(layer) in RELUS):
        return None
    linear = copy_layer(layer, activation=keras.activations.linear)

    def call(x: Any) -> TargetOutput:
        before = call_for_inference(linear, (x,))
        return TargetOutput(layer.activation(before), before)

    return call


def _call_channels(layer: Any, x: Any, indices: Any) -> Any:
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
