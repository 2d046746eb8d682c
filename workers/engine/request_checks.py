"""Checks of the arguments of a probe's calls against the model, before anything is compiled."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import InvalidParameters, NoGradient, UnknownClass
from schemas.methods.target_class import TOP_CLASS
from workers.contract.arrays import Float32
from workers.engine.graph import Graph
from workers.engine.score_sources import ClassScores, ScoreSource

PRECISIONS = ("float32", "bfloat16")


def check_input(name: str, takes: tf.TensorShape, x: Float32, precision: str = "float32") -> None:
    """Check an input (N, H, W, C) of model `name`, which takes inputs of shape `takes`, and the precision.

    Raises:
        InvalidParameters: the model does not take an input of this shape, or there is no such precision.
    """
    if not takes.is_compatible_with(x.shape):
        allowed = _shape_text(takes)
        raise InvalidParameters(f"Model '{name}' takes inputs {allowed}, got {x.shape}.", allowed=allowed, got=str(x.shape))
    if precision not in PRECISIONS:
        allowed = ", ".join(PRECISIONS)
        raise InvalidParameters(
            f"The precision must be one of {allowed}; got '{precision}'.", pointer="/params/precision", allowed=allowed, got=precision
        )


def check_activations(graph: Graph, layer: str, activations: Float32, n: int) -> None:
    """Check that an array has the shape of the activations of a layer for a batch of n examples.

    Raises:
        UnknownLayer: the model has no such layer.
        InvalidParameters: the array has another shape.
    """
    shape = tf.TensorShape((n, *graph.layer_at(layer).output_shape[1:]))
    if not shape.is_compatible_with(activations.shape):
        raise InvalidParameters(
            f"Layer '{layer}' has activations {_shape_text(shape)} for these inputs, got {activations.shape}.",
            pointer="/params/layer",
            allowed=_shape_text(shape),
            got=str(activations.shape),
        )


def _check_classes_of(name: str, graph: Graph, output: str | None) -> None:
    """Check that an output of model `name` has class scores.

    Raises:
        InvalidParameters: the model has no such output.
        NoGradient: the output has no class scores.
    """
    at_output = "" if output is None else f" at output '{output}'"
    if graph.head_of(output).classes is None:
        raise NoGradient(
            f"Model '{name}' has no class output{at_output}, so there is no class score to take a gradient of.", pointer="/model"
        )


def check_layer_of_scores(name: str, graph: Graph, layer: str, scores: ScoreSource) -> None:
    """Check that the scores of model `name` are computed from a layer.

    Raises:
        UnknownLayer: the model has no such layer.
        InvalidParameters: the model has no such output.
        NoGradient: the output has no class scores, or the scores are not computed from the layer.
    """
    graph.layer_at(layer)
    if isinstance(scores, ClassScores):
        _check_classes_of(name, graph, scores.output)
    if not scores.is_computed_from(layer):
        raise NoGradient(f"The score of model '{name}' is not computed from layer '{layer}'.", pointer="/params/layer", got=layer)


def check_classes(name: str, class_indices: NDArray[np.int32], n: int, classes: int) -> None:
    """Check the class indices (n,) for model `name`, each less than `classes` and 0 or more, or `TOP_CLASS`.

    Raises:
        UnknownClass: there is no class of this index.
        InvalidParameters: there is not one index for each example.
    """
    if class_indices.shape != (n,):
        raise InvalidParameters(
            f"There must be one class index for each of the {n} examples; got an array of shape {class_indices.shape}.",
            pointer="/params/class_index",
            allowed=f"({n},)",
            got=str(class_indices.shape),
        )
    if n and not TOP_CLASS <= int(class_indices.min()) <= int(class_indices.max()) < classes:
        wrong = class_indices.min() if class_indices.min() < TOP_CLASS else class_indices.max()
        allowed = f"0 to {classes - 1}, or {TOP_CLASS} for the top class"
        raise UnknownClass(
            f"Model '{name}' has {classes} classes: {allowed}; got {wrong}.",
            pointer="/params/class_index",
            allowed=allowed,
            got=str(wrong),
        )


def _shape_text(shape: tf.TensorShape) -> str:
    batch, *sizes = shape.as_list()
    return f"({', '.join(['N' if batch is None else str(batch), *('any' if size is None else str(size) for size in sizes)])})"
