"""Activations that compute each value of their output from one value of their input."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from workers.engine.keras_internals import source_package

# All other functions of `keras.activations` look at one value alone.
_OF_SEVERAL_VALUES = ("softmax", "log_softmax", "sparsemax", "glu")
_NO_ACTIVATIONS = ("get", "serialize", "deserialize")
_NAMES = frozenset(
    name for name, value in vars(keras.activations).items() if callable(value) and name not in (*_OF_SEVERAL_VALUES, *_NO_ACTIVATIONS)
)
_FUNCTIONS = (
    *(getattr(keras.activations, name) for name in sorted(_NAMES)),
    *(getattr(keras.ops, name) for name in sorted(_NAMES) if hasattr(keras.ops, name)),
    *(tf.nn.relu, tf.nn.relu6, tf.nn.elu, tf.nn.selu, tf.nn.gelu, tf.nn.silu, tf.nn.sigmoid, tf.nn.tanh, tf.nn.softplus),
)
# A layer or an operation has the name of the function without underlines: `LeakyReLU` and `LeakyRelu` compute `leaky_relu`.
_CLASS_NAMES = frozenset([*(name.replace("_", "") for name in _NAMES), "prelu", "clip"])
_PACKAGES = ("layers.activations.", "ops.nn", "ops.numpy")


def is_elementwise(activation: Any) -> bool:
    """Return whether an activation (a function, a layer or an operation) is a known one that looks at one value alone.

    None stands for no activation, and is True.
    """
    if isinstance(activation, keras.layers.Activation):
        return is_elementwise(activation.activation)
    if isinstance(activation, keras.Operation):
        kinds = [parent for parent in type(activation).__mro__ if source_package(parent).startswith(_PACKAGES)]
        return any(parent.__name__.lower() in _CLASS_NAMES for parent in kinds)
    return activation is None or any(activation is known for known in _FUNCTIONS)
