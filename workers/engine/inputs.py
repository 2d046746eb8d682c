"""What a model is called with when there is a photo and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    from workers.engine.graph import Graph


def image_spec(graph: Graph, name: str) -> tf.TensorSpec:
    """(None, H, W, C) of the model's input `name`, with H and W None where they are free."""
    _, *sizes = graph.unfolded.inputs[graph.input_names.index(name)].shape
    return tf.TensorSpec((None, *sizes), tf.float32)


def inputs_with(graph: Graph, name: str, photos: tf.Tensor) -> dict[str, tf.Tensor]:
    """All inputs of the model: `photos` (N, H, W, C) as `name`, zeros (N, …) as the others. Their free sizes are the photos' where
    they have as many axes, else 1."""
    given = {name: photos}
    for other, tensor in zip(graph.input_names, graph.unfolded.inputs, strict=True):
        if other == name:
            continue
        free = tf.shape(photos) if len(tensor.shape) == len(photos.shape) else tf.ones(len(tensor.shape), tf.int32)
        sizes = [free[axis] if size is None else size for axis, size in enumerate(tensor.shape)]
        given[other] = tf.ensure_shape(tf.zeros([tf.shape(photos)[0], *sizes[1:]], tensor.dtype), tensor.shape)
    return given
