"""The inputs of a model that is given images and nothing else."""

from __future__ import annotations

import tensorflow as tf

from workers.engine.graph import Graph


def image_input_spec(graph: Graph, name: str) -> tf.TensorSpec:
    """Return the shape (None, H, W, C) of the model's input `name`, float32; H and W are None where the model takes any size."""
    _, *sizes = graph.topology.inputs[graph.input_names.index(name)].shape
    return tf.TensorSpec((None, *sizes), tf.float32)


def inputs_with(graph: Graph, name: str, x: tf.Tensor) -> dict[str, tf.Tensor]:
    """Return all inputs of the model by name: `x` (N, H, W, C) as input `name`, and zeros (N, …) as the others.

    Where the size of another input is free, it is that of `x` if both have the same number of axes, and otherwise 1.
    """
    given = {name: x}
    for other, tensor in zip(graph.input_names, graph.topology.inputs, strict=True):
        if other == name:
            continue
        free = tf.shape(x) if len(tensor.shape) == len(x.shape) else tf.ones(len(tensor.shape), tf.int32)
        sizes = [free[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
        given[other] = tf.ensure_shape(tf.zeros([tf.shape(x)[0], *sizes[1:]], tensor.dtype), tensor.shape)
    return given
