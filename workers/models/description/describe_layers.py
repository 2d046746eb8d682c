"""Describe the layers of a loaded model."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import keras

from schemas.errors import ModelLoadFailed
from schemas.models import Layer
from schemas.models.layers import MAX_LAYER_PATH
from workers.engine.graph import Graph
from workers.engine.layer_kinds import kind_of
from workers.models.description.default_layer import has_map
from workers.models.description.receptive_field import receptive_fields
from workers.models.description.token_grids import token_grids


def describe_layers(graph: Graph) -> tuple[Layer, ...]:
    """Return the description of every layer of a model, in topological order.

    Raises:
        ModelLoadFailed: the path of a layer is too long.
    """
    longest = max((layer.path for layer in graph.layers), key=len, default="")
    if len(longest) > MAX_LAYER_PATH:
        raise ModelLoadFailed(
            f"The path of the layer '{longest[:50]}…' has {len(longest)} characters; at most {MAX_LAYER_PATH} are allowed.",
            allowed=str(MAX_LAYER_PATH),
            got=str(len(longest)),
        )
    fields, grids = receptive_fields(graph.layers), token_grids(graph.layers)
    several_inputs = len(graph.input_names) > 1
    calls = Counter(graph.topology.owners[ref] for ref in graph.topology.taps.values())
    described = (
        Layer(
            path=layer.path,
            type=type(layer.layer).__name__,
            kind=kind_of(layer.layer),
            output_shape=layer.output_shape[1:],
            parameters=sum(math.prod(weight.shape) for weight in getattr(layer.layer, "weights", ())),
            channels=layer.output_shape[-1] if len(layer.output_shape) > 1 else None,
            receptive_field=fields[layer.path],
            inbound=layer.inbound,
            token_grid=grids[layer.path],
            cam_able=False,
            activation=_activation_name(layer.layer),
            dtype=_output_dtype(layer.layer),
            calls=calls[layer.path],
            inputs=graph.topology.inputs_of(layer.path) if several_inputs else (),
        )
        for layer in graph.layers
    )
    return tuple(layer.model_copy(update={"cam_able": is_cam_able(layer, graph)}) for layer in described)


def is_cam_able(layer: Layer, graph: Graph, output: str | None = None) -> bool:
    """Return whether the layer has a map from which the class scores of `output` are computed (None means the first output)."""
    return has_map(layer) and graph.head_of(output).classes is not None and graph.reaches_scores(layer.path, output)


def _activation_name(layer: Any) -> str | None:
    """Return the name of the activation that the layer has as an argument: a function or another layer."""
    activation = getattr(layer, "activation", None)
    if activation is None:
        return None
    return getattr(activation, "__name__", None) or getattr(activation, "name", None) or type(activation).__name__


def _output_dtype(operation: Any) -> str | None:
    """Return the data type of the first output at the first call."""
    try:
        return str(keras.tree.flatten(operation.output)[0].dtype)
    except (AttributeError, ValueError):  # a layer inside another layer that hides it was never called by itself
        return None
