"""The linear maps inside layers with weights: what a rule of relevance propagation needs of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from workers.engine.inference import call_for_inference
from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import DTYPE_POLICY_ATTRIBUTE, EINSUM_SCALE_METHOD, KERNEL_ATTRIBUTES
from workers.engine.layer_copies import copy_layer

FLOAT32 = "float32"


@dataclass(frozen=True)
class LinearPart:
    """A linear map z = W∗x + b.

    Attributes:
        kind: whether the map belongs to a convolution or to a dense layer.
        kernel: returns W, float32.
        bias: returns b, float32 (K,), or is None if there is none.
        apply: `apply(x, kernel)` returns kernel∗x without a bias, for any kernel of the shape of W.
    """

    kind: Literal["convolution", "dense"]
    kernel: Callable[[], tf.Tensor]
    bias: Callable[[], tf.Tensor] | None
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]

    def transposed(self, x: tf.Tensor, kernel: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        """Return the transposed map of `outputs`: for each value of x the sum of kernel·outputs. Only the shape of x counts."""
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            applied = self.apply(x, kernel)
        found: Any = tape.gradient(applied, x, output_gradients=[outputs])
        return found

    def output(self, x: tf.Tensor) -> tf.Tensor:
        """Return W∗x + b."""
        z = self.apply(x, self.kernel())
        return z if self.bias is None else z + self.bias()


def has_weights(layer: Any) -> bool:
    """Return whether a layer is a convolution or a dense layer whose linear maps are known."""
    return (
        isinstance(layer, (*KERNEL_ATTRIBUTES, keras.layers.EinsumDense))
        and runs_keras_code(layer)
        and getattr(layer, "data_format", "channels_last") == "channels_last"
        and getattr(layer, "quantization_mode", None) in (None, "int8")
    )


def linear_parts(layer: Any) -> tuple[LinearPart, ...]:
    """Return the linear maps of a layer in the order in which they are applied. Its activation comes after them.

    A separable convolution has two: its depthwise and its pointwise convolution. All other layers have one.
    """
    bias = (lambda: _float32(layer.bias)) if layer.bias is not None else None
    if isinstance(layer, keras.layers.SeparableConv2D):
        return _separable_parts(layer, bias)
    if isinstance(layer, keras.layers.EinsumDense):
        return (LinearPart("dense", lambda: _kernel_of(layer), bias, _einsum(layer)),)
    attribute = next(name for parent, name in KERNEL_ATTRIBUTES.items() if isinstance(layer, parent))

    def apply(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        changed = {attribute: kernel, "bias": None, "use_bias": False, "activation": None, "lora_enabled": False}
        return call_for_inference(copy_layer(layer, **changed, **{DTYPE_POLICY_ATTRIBUTE: keras.DTypePolicy(FLOAT32)}), [x])

    kind = "dense" if isinstance(layer, keras.layers.Dense) else "convolution"
    return (LinearPart(kind, lambda: _kernel_of(layer), bias, apply),)


def _einsum(layer: Any) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    def apply(x: Any, kernel: Any) -> Any:
        return keras.ops.einsum(layer.equation, x, kernel)

    return apply


def _separable_parts(layer: Any, bias: Callable[[], tf.Tensor] | None) -> tuple[LinearPart, ...]:
    def depthwise(x: Any, kernel: Any) -> Any:
        return keras.ops.depthwise_conv(x, kernel, layer.strides, layer.padding, "channels_last", layer.dilation_rate)

    def pointwise(x: Any, kernel: Any) -> Any:
        return keras.ops.conv(x, kernel, 1, "valid", "channels_last")

    return (
        LinearPart("convolution", lambda: _float32(layer.depthwise_kernel), None, depthwise),
        LinearPart("convolution", lambda: _float32(layer.pointwise_kernel), bias, pointwise),
    )


def _kernel_of(layer: Any) -> tf.Tensor:
    """Return the kernel, float32. int8 weights are divided by their scale, as the layer itself does with its output."""
    kernel = _float32(layer.kernel)
    if getattr(layer, "quantization_mode", None) != "int8":
        return kernel
    scale = layer.kernel_scale
    return kernel / _float32(getattr(layer, EINSUM_SCALE_METHOD)(scale) if isinstance(layer, keras.layers.EinsumDense) else scale)


def _float32(value: Any) -> tf.Tensor:
    tensor: Any = keras.ops.convert_to_tensor(value)
    return tf.cast(tensor, tf.float32)
