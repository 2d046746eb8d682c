"""Layers with weights drawn anew, for the sanity check of Adebayo et al. (arXiv:1810.03292): does a map depend on what was learnt?"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from workers.engine.keras_internals import VARIABLE_LIST_ATTRIBUTES
from workers.engine.shadow import shadow_deeply

if TYPE_CHECKING:
    from workers.engine.graph import Graph


def randomised_layers(graph: Graph, paths: Sequence[str], seed: int) -> dict[str, Any]:
    """Stand-ins, by path, of the layers at `paths` that have weights; of a nested model, of all inside it.

    A layer's weights depend on `seed` and its path, not on which others are drawn with it.

    Raises:
        UnknownLayer
    """
    models = tuple(f"{path}/" for path in paths if graph.layer_at(path).is_model)
    chosen = {layer.path: layer.layer for layer in graph.layers if layer.path in set(paths) or layer.path.startswith(models)}
    drawn = {
        path: shadow_deeply(layer, partial(_drawn, zlib.crc32(path.encode(), seed)))
        for path, layer in chosen.items()
        if isinstance(layer, keras.Layer) and not graph.layer_at(path).is_model
    }
    return {path: layer for path, layer in drawn.items() if layer is not chosen[path]}


def _drawn(seed: int, layer: Any) -> Mapping[str, Any]:
    """Its own variables drawn anew; float ones alone, since others are counters and seeds."""
    drawn: dict[int, Any] = {}
    attributes: dict[str, Any] = {}
    for name, variable in vars(layer).items():
        if isinstance(variable, keras.Variable) and "float" in str(variable.dtype):
            value = _values(layer, name.lstrip("_"), variable, zlib.crc32(f"{layer.name}/{name}".encode(), seed))
            attributes[name] = drawn[id(variable)] = keras.Variable(value, trainable=False, dtype=variable.dtype, name=variable.name)
    if attributes:
        for tracked in VARIABLE_LIST_ATTRIBUTES:
            attributes[tracked] = [drawn.get(id(variable), variable) for variable in getattr(layer, tracked)]
    return attributes


def _values(layer: Any, name: str, variable: Any, seed: int) -> Any:
    """By the initialiser that the layer has for it; without one, kernels Glorot uniform, vectors their own values shuffled."""
    shape = tuple(variable.shape)
    stem = name.removesuffix("_kernel")
    own = (getattr(layer, f"{known}_initializer", None) for known in (name, stem, "depthwise" if name == "kernel" else name))
    initializer = next((found for found in own if found is not None), None)
    if initializer is None and len(shape) < 2:
        return np.random.default_rng(seed).permutation(np.asarray(variable))
    config = {} if initializer is None else initializer.get_config()
    kind = keras.initializers.GlorotUniform if initializer is None else type(initializer)
    return kind.from_config(config | {"seed": seed % 2**31} if initializer is None or "seed" in config else config)(shape, variable.dtype)
