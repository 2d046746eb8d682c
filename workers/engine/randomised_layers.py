"""Copies of layers with newly drawn weights, for the sanity check of saliency maps by Adebayo et al. (arXiv:1810.03292).

The check asks whether a map depends on what the model has learnt.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import keras
import numpy as np

from workers.engine.graph import Graph
from workers.engine.keras_internals import VARIABLE_LIST_ATTRIBUTES
from workers.engine.layer_copies import copy_layer_and_inner


def randomised_layers(graph: Graph, paths: Sequence[str], seed: int) -> dict[str, Any]:
    """Return copies, by path, of the layers at `paths` that have weights, with these weights drawn anew.

    The path of a nested model stands for all layers inside it. The weights of a layer depend on `seed` and its path, and not on
    the other layers that are drawn.

    Raises:
        UnknownLayer: the model has no such layer.
    """
    models = tuple(f"{path}/" for path in paths if graph.layer_at(path).is_model)
    chosen = {layer.path: layer.layer for layer in graph.layers if layer.path in set(paths) or layer.path.startswith(models)}
    copies = {
        path: copy_layer_and_inner(layer, partial(_drawn_variables, zlib.crc32(path.encode(), seed)))
        for path, layer in chosen.items()
        if isinstance(layer, keras.Layer) and not graph.layer_at(path).is_model
    }
    return {path: copied for path, copied in copies.items() if copied is not chosen[path]}


def _drawn_variables(seed: int, layer: Any) -> Mapping[str, Any]:
    """Return the layer's own float variables drawn anew, by attribute. Other variables are counters and seeds and stay."""
    drawn: dict[int, Any] = {}
    attributes: dict[str, Any] = {}
    for name, variable in vars(layer).items():
        if isinstance(variable, keras.Variable) and "float" in str(variable.dtype):
            value = _drawn_value(layer, name.lstrip("_"), variable, zlib.crc32(f"{layer.name}/{name}".encode(), seed))
            attributes[name] = drawn[id(variable)] = keras.Variable(value, trainable=False, dtype=variable.dtype, name=variable.name)
    if attributes:
        for tracked in VARIABLE_LIST_ATTRIBUTES:
            attributes[tracked] = [drawn.get(id(variable), variable) for variable in getattr(layer, tracked)]
    return attributes


def _drawn_value(layer: Any, name: str, variable: Any, seed: int) -> Any:
    """Return a value drawn by the layer's initialiser for this variable.

    A kernel without one is drawn Glorot uniform, and a vector without one is its own values in another order.
    """
    shape = tuple(variable.shape)
    stem = name.removesuffix("_kernel")
    own = (getattr(layer, f"{known}_initializer", None) for known in (name, stem, "depthwise" if name == "kernel" else name))
    initializer = next((found for found in own if found is not None), None)
    if initializer is None and len(shape) < 2:
        return np.random.default_rng(seed).permutation(np.asarray(variable))
    config = {} if initializer is None else initializer.get_config()
    kind = keras.initializers.GlorotUniform if initializer is None else type(initializer)
    return kind.from_config(config | {"seed": seed % 2**31} if initializer is None or "seed" in config else config)(shape, variable.dtype)
