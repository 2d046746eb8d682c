"""One step of DeepDream as one compiled function for images of any size, and the gradient of one tile of an image."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from schemas.errors import NoGradient
from workers.engine.graph import Graph
from workers.engine.model_inputs import inputs_with

BORDER = 2  # positions at each border of a map that the loss leaves out; of a map smaller than 5, fewer, so that one stays


class DreamNumbers(NamedTuple):
    """The tensors that may differ between two runs of one compiled step.

    These are the layers' weights (L,), the length of the step (), and scale and offset of the model's input (C,).
    """

    weights: Any
    step_size: Any
    scale: Any
    offset: Any


class DreamStepResult(NamedTuple):
    """The image (1, h, w, C) after the step and the loss () before it.

    `gradient_seen` () says whether any gradient is not 0, `finite` () whether loss and gradient are finite, and `empty` () whether a
    layer has no position for an image of this size.
    """

    image: Any
    loss: Any
    gradient_seen: Any
    finite: Any
    empty: Any


def build_dream_step(
    graph: Graph, image_input: str, paths: tuple[str, ...], channels: int, precision: str
) -> Callable[..., DreamStepResult]:
    """Return `step(image, shift, given) → DreamStepResult`, traced once for images of any size.

    Raises:
        NoGradient: none of the layers depends on the input.
    """
    fast = graph.fast_calls(paths, precision=precision)

    def step(image: Any, shift: Any, given: DreamNumbers) -> DreamStepResult:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            x = tf.roll(image, shift, axis=(1, 2)) * given.scale + given.offset
            maps = graph.run(inputs_with(graph, image_input, x), paths, fast)
            loss = dream_loss([maps[path] for path in paths], given.weights)
        gradient = tape.gradient(loss, image)
        if gradient is None:
            raise NoGradient(f"None of the layers {', '.join(paths)} depends on the input.")
        finite = tf.reduce_all(tf.math.is_finite(gradient)) & tf.math.is_finite(loss)
        moved = moved_by(image, gradient, given.step_size)
        empty = tf.reduce_any(tf.stack([tf.size(maps[path]) == 0 for path in paths]))
        return DreamStepResult(moved, loss, tf.reduce_any(gradient != 0), finite, empty)

    compiled = tf.function(step, input_signature=_signature(paths, channels), autograph=False)
    compiled.get_concrete_function()
    return compiled


class DreamTileResult(NamedTuple):
    """The gradient (1, h, w, C) of the loss () of one tile. `finite` () and `empty` () are those of `DreamStepResult`."""

    gradient: Any
    loss: Any
    finite: Any
    empty: Any


def build_tile_gradient(
    graph: Graph, image_input: str, paths: tuple[str, ...], channels: int, precision: str
) -> Callable[..., DreamTileResult]:
    """Return `gradient(tile, given) → DreamTileResult`, traced once for tiles (1, h, w, C) of any size.

    Raises:
        NoGradient: none of the layers depends on the input.
    """
    fast = graph.fast_calls(paths, precision=precision)

    def gradient_of(tile: Any, given: DreamNumbers) -> DreamTileResult:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(tile)
            maps = graph.run(inputs_with(graph, image_input, tile * given.scale + given.offset), paths, fast)
            loss = dream_loss([maps[path] for path in paths], given.weights)
        gradient = tape.gradient(loss, tile)
        if gradient is None:
            raise NoGradient(f"None of the layers {', '.join(paths)} depends on the input.")
        finite = tf.reduce_all(tf.math.is_finite(gradient)) & tf.math.is_finite(loss)
        empty = tf.reduce_any(tf.stack([tf.size(maps[path]) == 0 for path in paths]))
        return DreamTileResult(gradient, loss, finite, empty)

    image, _, numbers = _signature(paths, channels)
    compiled = tf.function(gradient_of, input_signature=(image, numbers), autograph=False)
    compiled.get_concrete_function()
    return compiled


def moved_by(image: Any, gradient: Any, step_size: Any) -> Any:
    """Return image + step_size · gradient / mean |gradient|."""
    return image + step_size * gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)


def _signature(paths: tuple[str, ...], channels: int) -> tuple[Any, Any, DreamNumbers]:
    """Return the types of an image, a shift and the numbers."""
    colours = tf.TensorSpec((channels,), tf.float32)
    numbers = DreamNumbers(tf.TensorSpec((len(paths),), tf.float32), tf.TensorSpec((), tf.float32), colours, colours)
    return tf.TensorSpec((1, None, None, channels), tf.float32), tf.TensorSpec((2,), tf.int32), numbers


def dream_loss(maps: list[Any], weights: Any) -> Any:
    """Return Σ weight · (Σ of squares within the border) / (number of values of the whole map), of maps (1, h, w, K), as a scalar."""
    return tf.reduce_sum(weights * tf.stack([_energy(tf.cast(values, tf.float32)) for values in maps]))


def _energy(values: Any) -> Any:
    height, width = tf.shape(values)[1], tf.shape(values)[2]
    top, left = tf.minimum(BORDER, (height - 1) // 2), tf.minimum(BORDER, (width - 1) // 2)
    inner = values[:, top : height - top, left : width - left]
    return tf.reduce_sum(tf.square(inner)) / tf.cast(tf.size(values), tf.float32)
