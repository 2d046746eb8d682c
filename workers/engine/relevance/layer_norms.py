"""Layer norms as the steps that they are made of: what is centred, the divisor, and the gain and the shift of each value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from workers.engine.keras_code import runs_keras_code

_KINDS = (keras.layers.LayerNormalization, keras.layers.RMSNormalization)


def is_layer_norm(operation: Any) -> bool:
    """Return whether this is a layer norm or an RMS norm of Keras. The outdated argument `rms_scaling` is something else."""
    return isinstance(operation, _KINDS) and runs_keras_code(operation) and not getattr(operation, "rms_scaling", False)


@dataclass(frozen=True)
class LayerNorm:
    """A layer norm (Ba et al., arXiv:1607.06450) or an RMS norm (Zhang and Sennrich, arXiv:1910.07467), in float32.

    Its output is gain · centred(x) / √(mean(centred(x)²) + ε) + shift.

    Attributes:
        layer: the layer of Keras.
    """

    layer: Any

    def centred(self, x: tf.Tensor) -> tf.Tensor:
        """Return x minus its mean over the axes of the norm, or x itself for an RMS norm."""
        if isinstance(self.layer, keras.layers.RMSNormalization):
            return x
        return x - tf.reduce_mean(x, axis=self._axes, keepdims=True)

    def mean(self, squares: tf.Tensor) -> tf.Tensor:
        """Return the mean of squares over the axes of the norm."""
        return tf.reduce_mean(squares, axis=self._axes, keepdims=True)

    def reciprocal(self, variance: tf.Tensor) -> tf.Tensor:
        """Return 1 / √(variance + ε)."""
        return tf.math.rsqrt(variance + self.layer.epsilon)

    def scaled(self, normed: tf.Tensor) -> tf.Tensor:
        """Return gain · normed + shift, with the gain and the shift of each value."""
        gain = getattr(self.layer, "gamma", None) if hasattr(self.layer, "gamma") else self.layer.scale
        shift = getattr(self.layer, "beta", None)
        if gain is not None:
            normed *= self._broadcast(gain, normed)
        return normed if shift is None else normed + self._broadcast(shift, normed)

    def with_constant_divisor(self, x: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
        """Return the norm as a function that divides by the deviation of `x`, whatever it is called with."""
        divisor = tf.stop_gradient(self.reciprocal(self.mean(tf.square(self.centred(x)))))
        return lambda value: self.scaled(self.centred(value) * divisor)

    @property
    def _axes(self) -> list[int]:
        axis = self.layer.axis
        return list(axis) if isinstance(axis, (list, tuple)) else [axis]

    def _broadcast(self, variable: Any, x: tf.Tensor) -> tf.Tensor:
        rank = len(x.shape)
        places = {axis % rank for axis in self._axes}
        values: Any = keras.ops.convert_to_tensor(variable)
        return tf.reshape(tf.cast(values, x.dtype), [x.shape[axis] if axis in places else 1 for axis in range(rank)])
