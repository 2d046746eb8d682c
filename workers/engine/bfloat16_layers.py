"""Copies of layers that compute in bfloat16: kernels are stored in it and the rest is cast, as Keras's mixed precision does.

Measured for Grad-CAM: the maps of float32 and bfloat16 correlate at 0.98 to 0.999. So bfloat16 is used only where the caller asks.
"""

from __future__ import annotations

import threading
from typing import Any

import keras

from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import DTYPE_POLICY_ATTRIBUTE, inner_layers
from workers.engine.layer_copies import copy_layer

POLICY = "mixed_bfloat16"
# These layers are cheap, and their inputs are in 0-255: bfloat16 would lose small differences.
STAY_FLOAT32 = (keras.layers.Rescaling, keras.layers.Normalization)


class BFloat16Layers:
    """The bfloat16 copies of a model's layers. Each is made when it is first asked for. Thread-safe."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[Any, Any]] = {}  # by id; the layer is kept so that no other object gets its id
        self._lock = threading.Lock()

    def copy_of(self, layer: Any) -> Any:
        """Return the bfloat16 copy of a layer that computes in float32, or `layer` itself if there is none.

        Layers made of other layers (recurrent layers, wrappers, subclassed models) and layers of somebody's own stay in float32.
        """
        if not isinstance(layer, keras.Layer) or inner_layers(layer) or isinstance(layer, STAY_FLOAT32) or not runs_keras_code(layer):
            return layer
        if layer.compute_dtype != "float32":
            return layer
        with self._lock:
            if id(layer) not in self._copies:
                self._copies[id(layer)] = (layer, _copy_in_bfloat16(layer))
            return self._copies[id(layer)][1]

    @property
    def nbytes(self) -> int:
        """The size of all kernels that are stored in bfloat16, in bytes."""
        with self._lock:
            copies = [copied for _, copied in self._copies.values()]
            return sum(2 * variable.value.shape.num_elements() for copied in copies for variable in _kernels(copied).values())


def _copy_in_bfloat16(layer: Any) -> Any:
    kernels = {name: keras.Variable(variable.value, trainable=False, dtype="bfloat16") for name, variable in _kernels(layer).items()}
    return copy_layer(layer, **{DTYPE_POLICY_ATTRIBUTE: keras.DTypePolicy(POLICY)}, **kernels)


def _kernels(layer: Any) -> dict[str, Any]:
    """Return the float variables with two axes or more. Vectors (biases, statistics) stay in float32 and are cast when they are read."""
    return {
        name: value
        for name, value in vars(layer).items()
        if isinstance(value, keras.Variable) and len(value.shape) > 1 and "float" in str(value.dtype)
    }
