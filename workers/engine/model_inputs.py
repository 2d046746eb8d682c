"""The inputs of a model: one takes the batch of images, and the others take values that are the same for the whole batch."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workers.contract.arrays import Float32
from workers.engine.graph import Graph


@dataclass(frozen=True)
class ModelInputs:
    """The input `name`, which takes the batch, and the values (1, …) of other inputs. All further inputs get zeros."""

    graph: Graph
    name: str
    values: Mapping[str, tf.Tensor] = field(default_factory=dict[str, tf.Tensor])

    @staticmethod
    def of(graph: Graph, name: str, values: Mapping[str, NDArray[np.generic]]) -> ModelInputs:
        """Return the inputs of a model with `values` in the types that the other inputs have."""
        inputs = ModelInputs(graph, name)
        return replace(inputs, values={other: tf.constant(values[other], inputs.tensor(other).dtype) for other in sorted(values)})

    @property
    def key(self) -> Hashable:
        """The key by which the cache of compiled functions tells one choice of inputs from another. The values themselves do not count."""
        return self.name, tuple(self.values)

    @cached_property
    def spec(self) -> tf.TensorSpec:
        """The shape (None, H, W, C) of the batch, float32; H and W are None where the model takes any size."""
        _, *sizes = self.tensor(self.name).shape
        return tf.TensorSpec((None, *sizes), tf.float32)

    @property
    def signature(self) -> tuple[tf.TensorSpec, dict[str, tf.TensorSpec]]:
        """The first two arguments of a compiled function: the batch, and the values of the other inputs by name."""
        tensors = {name: self.tensor(name) for name in self.values}
        return self.spec, {name: tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for name, tensor in tensors.items()}

    def arguments(self, batch: Float32) -> tuple[tf.Tensor, Mapping[str, tf.Tensor]]:
        """Return these first two arguments for a batch (N, H, W, C)."""
        return tf.constant(batch, tf.float32), self.values

    def all(self, x: tf.Tensor, values: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return all inputs by name for the batch `x` (N, H, W, C): each of the values (1, …) N times, and zeros (N, …) as the others.

        Where the size of an input that gets zeros is free, it is that of `x` if both have the same number of axes, and otherwise 1.
        """
        count = tf.shape(x)[0]
        return {self.name: x} | {
            name: tf.repeat(values[name], count, axis=0) if name in values else _zeros(self.tensor(name), x)
            for name in self.graph.input_names
            if name != self.name
        }

    def tensor(self, name: str) -> Any:
        """Return the KerasTensor of an input."""
        return self.graph.topology.inputs[self.graph.input_names.index(name)]


def inputs_with(graph: Graph, name: str, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return all inputs of the model by name: `x` (N, H, W, C) as input `name`, and zeros (N, …) as the others."""
    return ModelInputs(graph, name).all(x, {})


def _zeros(tensor: Any, x: tf.Tensor) -> tf.Tensor:
    free = tf.shape(x) if len(tensor.shape) == len(x.shape) else tf.ones(len(tensor.shape), tf.int32)
    sizes = [free[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
    return tf.ensure_shape(tf.zeros([tf.shape(x)[0], *sizes[1:]], tensor.dtype), tensor.shape)
