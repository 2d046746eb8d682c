"""What a probe is asked, checked against the model before anything is traced."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import InvalidParameters, NoGradient, UnknownClass
from schemas.methods.target_class import TOP_CLASS
from workers.contract.arrays import Float32
from workers.engine.graph import Graph

PRECISIONS = ("float32", "bfloat16")


def check_input(name: str, takes: tf.TensorShape, tensor: Float32, precision: str = "float32") -> None:
    """Raises `InvalidParameters` where model `name` does not take such an input, or there is no such precision."""
    if not takes.is_compatible_with(tensor.shape):
        allowed = _shape(takes)
        raise InvalidParameters(f"Model '{name}' takes inputs {allowed}, got {tensor.shape}.", allowed=allowed, got=str(tensor.shape))
    if precision not in PRECISIONS:
        raise InvalidParameters(
            f"precision is one of {', '.join(PRECISIONS)}, got '{precision}'.",
            pointer="/params/precision",
            allowed=", ".join(PRECISIONS),
            got=precision,
        )


def check_activations(graph: Graph, layer: str, given: Float32, n: int) -> None:
    """Raises `InvalidParameters` where `given` cannot be the activations of `layer` for a batch of n; `UnknownLayer`."""
    shape = tf.TensorShape((n, *graph.layer_at(layer).output_shape[1:]))
    if not shape.is_compatible_with(given.shape):
        raise InvalidParameters(
            f"Layer '{layer}' has activations {_shape(shape)} for these inputs, got {given.shape}.",
            pointer="/params/layer",
            allowed=_shape(shape),
            got=str(given.shape),
        )


def check_reaches(name: str, graph: Graph, layer: str, output: str | None) -> None:
    """Raises `NoGradient` where the model has no class score or it is not computed from `layer`; `UnknownLayer`, and
    `InvalidParameters` for an output that there is not."""
    graph.layer_at(layer)
    of_output = "" if output is None else f" at output '{output}'"
    if graph.head_of(output).classes is None:
        raise NoGradient(
            f"Model '{name}' has no class output{of_output}, so there is no class score to take a gradient of.", pointer="/model"
        )
    if not graph.reaches(layer, output=output):
        raise NoGradient(
            f"The class score of model '{name}'{of_output} is not computed from layer '{layer}'.", pointer="/params/layer", got=layer
        )


def check_classes(name: str, graph: Graph, class_indices: NDArray[np.int32], n: int, *, sign: int, output: str | None) -> None:
    """Raises `InvalidParameters` or `UnknownClass` where these are not n class indices (or `TOP_CLASS`) of `output`."""
    head = graph.head_of(output)
    if class_indices.shape != (n,):
        raise InvalidParameters(
            f"One class index for each of {n} examples, got shape {class_indices.shape}.",
            pointer="/params/class_index",
            allowed=f"({n},)",
            got=str(class_indices.shape),
        )
    if n and not TOP_CLASS <= int(class_indices.min()) <= int(class_indices.max()) < (head.classes or 0):
        wrong = class_indices.min() if class_indices.min() < TOP_CLASS else class_indices.max()
        allowed = f"0 to {(head.classes or 0) - 1}, or {TOP_CLASS} for the top class"
        raise UnknownClass(
            f"Model '{name}' has {head.classes} classes: {allowed}; got {wrong}.",
            pointer="/params/class_index",
            allowed=allowed,
            got=str(wrong),
        )
    if sign != 1 and not (sign == -1 and head.kind == "sigmoid" and head.classes == 1):
        raise InvalidParameters(
            f"sign is 1, or -1 with one sigmoid output; model '{name}' has head '{head.kind}' and {head.classes} classes, got {sign}.",
            pointer="/params/sign",
            got=str(sign),
        )


def _shape(shape: tf.TensorShape) -> str:
    batch, *sizes = shape.as_list()
    return f"({', '.join(['N' if batch is None else str(batch), *('any' if size is None else str(size) for size in sizes)])})"
