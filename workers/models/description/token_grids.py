"""Find the layers of vision transformers whose tokens (N, T, K) are the positions of a map, row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import keras

from schemas.models import LayerKind, TokenGrid
from workers.engine.keras_code import runs_keras_code
from workers.engine.layer_kinds import kind_of
from workers.engine.topology import GraphLayer
from workers.models.description.token_order import grid_by_trial, shift_by_trial

_MAP_RANK, _TOKENS_RANK = 4, 3
# These kinds keep the order of tokens. Attention and merges may read other tensors too, but keep the order of their first tokens.
_ORDER_KEEPING_KINDS = frozenset(
    {
        LayerKind.DENSE,
        LayerKind.ACTIVATION,
        LayerKind.NORMALIZATION,
        LayerKind.REGULARIZATION,
        LayerKind.MERGE,
        LayerKind.ATTENTION,
        LayerKind.MODEL,
        LayerKind.INPUT,
    }
)
# Output shapes with the batch axis, by the layer's path.
_ShapesByPath = Mapping[str, tuple[int | None, ...]]
# These operations are of an order-keeping kind, but mix or reorder tokens.
_MIXING_OPERATIONS = frozenset({"Dot", "Matmul", "Einsum", "Stack"})


def token_grids(layers: Iterable[GraphLayer]) -> dict[str, TokenGrid | None]:
    """Return the grid of each layer by path, or None for a layer whose tokens form no map. `layers` are in topological order.

    A grid begins where a map (N, h, w, K) is reshaped to (N, h·w, K). It continues through dense layers, norms, sums and attention. Class
    tokens are the tokens that a Concatenate or a ZeroPadding1D puts before it. A layer of somebody's own is tried out.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    grids: dict[str, TokenGrid | None] = {}
    for layer in layers:
        grids[layer.path] = _grid(layer, shapes, grids) if len(layer.output_shape) == _TOKENS_RANK else None
    return grids


def _grid(layer: GraphLayer, shapes: _ShapesByPath, grids: Mapping[str, TokenGrid | None]) -> TokenGrid | None:
    if layer.output_shape[1] is None or not layer.inbound:
        return None
    source = shapes[layer.inbound[0]]
    if len(source) == _MAP_RANK:
        return _new_grid(layer, source)
    known = [path for path in layer.inbound if grids[path] is not None]
    if not known or (kind_of(layer.layer) is LayerKind.ATTENTION and known[0] != layer.inbound[0]):
        return None
    grid = grids[known[0]]
    added = _tokens_added_before(layer, known, shapes)
    if grid is None or added is None:
        return None
    shifted = grid.model_copy(update={"before": grid.before + added})
    fits = shifted.before >= 0 and shifted.before + grid.height * grid.width <= layer.output_shape[1]
    return shifted if fits else None


def _new_grid(layer: GraphLayer, source: tuple[int | None, ...]) -> TokenGrid | None:
    _, height, width, channels = source
    if height is None or width is None:
        return None
    if not runs_keras_code(layer.layer):
        tokens = layer.output_shape[1]
        return grid_by_trial(layer.layer, height, width, channels, tokens) if channels and tokens and len(layer.inbound) == 1 else None
    if type(layer.layer).__name__ != "Reshape":
        return None
    return TokenGrid(height=height, width=width) if (height * width, channels) == layer.output_shape[1:] else None


def _tokens_added_before(layer: GraphLayer, known: Sequence[str], shapes: _ShapesByPath) -> int | None:
    """Return how many tokens the layer puts before those of `known[0]`. The number is negative if it cuts tokens off.

    Return None if the layer changes the order of the tokens.
    """
    operation, tokens = layer.layer, layer.output_shape[1]
    if not runs_keras_code(operation):
        _, count, channels = shapes[known[0]]
        return shift_by_trial(operation, count, channels) if count and channels and len(layer.inbound) == 1 else None
    if isinstance(operation, keras.layers.ZeroPadding1D):
        return operation.padding[0]
    if isinstance(operation, keras.layers.Cropping1D):
        return -operation.cropping[0]
    if type(operation).__name__ == "Concatenate" and operation.axis in (1, -2):
        joined = [shapes[path][1] or 0 for path in layer.inbound]
        joined_once = len(known) == 1 and sum(joined) == tokens  # the same tokens twice form no map
        return sum(joined[: layer.inbound.index(known[0])]) if joined_once else None
    keeps_order = kind_of(operation) in _ORDER_KEEPING_KINDS and type(operation).__name__ not in _MIXING_OPERATIONS
    return 0 if keeps_order and shapes[known[0]][1] == tokens else None
