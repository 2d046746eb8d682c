"""Checks that the target of an ascent can be computed for images of the size asked for."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from schemas.errors import InvalidParameters
from workers.contract.synthesis import AscentSpec, Objective
from workers.engine.graph import Graph


def image_shape_of(graph: Graph, image_input: str) -> tuple[tuple[int | None, int | None], int]:
    """Return (height, width) and number of channels of the model's input `image_input`. A side is None if any size is taken.

    Raises:
        InvalidParameters: the input is not of shape (N, H, W, C).
    """
    shape = graph.topology.inputs[graph.input_names.index(image_input)].shape
    if len(shape) != 4:
        raise InvalidParameters(
            f"Input '{image_input}' of model '{graph.model.name}' takes no images (N, H, W, C), so nothing can be synthesised.",
            pointer="/model",
        )
    _, height, width, channels = shape
    return (height, width), channels


def traced_for_size(function: Any, declared_size: tuple[int | None, int | None], spec: AscentSpec) -> Any:
    """Trace a `tf.function` and return it; `declared_size` is the (height, width) that the model declares.

    Raises:
        InvalidParameters: a layer does not take the activations of an image of this size, such as a dense layer after a flatten.
    """
    try:
        function.get_concrete_function()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if spec.view == declared_size:
            raise
        allowed = None if None in declared_size else f"{declared_size[0]}×{declared_size[1]}"
        needs = f"the model's own input size, {allowed}" if allowed else "another size, perhaps a multiple of 32"
        raise InvalidParameters(
            f"This target cannot be computed for an image of {spec.view[0]}×{spec.view[1]}: a layer before it needs {needs}.",
            pointer="/params/size",
            allowed=allowed,
            got=str(spec.view[0]),
        ) from error
    return function


def neurons_of(objective: Objective) -> list[tuple[str, tuple[int, int]]]:
    """Return the layer and position (y, x) of each neuron that is part of the objective."""
    if objective.kind == "neuron":
        return [(objective.layer or "", objective.position or (0, 0))]
    return [(term.layer or "", term.position) for term in objective.terms if term.position is not None]


def check_position(spec: AscentSpec, path: str, position: tuple[int, int], map_size: tuple[int, int]) -> None:
    """Check that a neuron at (y, x) lies inside the map of a layer, of (height, width), for an image of this size.

    Raises:
        InvalidParameters: the neuron lies outside the map.
    """
    (height, width), (y, x) = map_size, position
    if not (y < height and x < width):
        raise InvalidParameters(
            f"Layer '{path}' has a map of {height}×{width} for an image of {spec.view[0]}×{spec.view[1]}: "
            f"neuron's y must be 0 to {height - 1} and x 0 to {width - 1}, got {y} and {x}.",
            pointer="/params/neuron" if spec.objective.kind == "neuron" else "/params/objectives",
            allowed=f"y 0 to {height - 1}, x 0 to {width - 1}",
            got=f"{y}, {x}",
        )
