"""Where a model's tokens (N, T, K) are the positions of a map, row by row: vision transformers, between patches and head."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import keras

from schemas.models import LayerKind, TokenGrid
from workers.engine.unfold import GraphLayer
from workers.models.description.layer_kinds import kind_of

_MAP_RANK, _TOKENS_RANK = 4, 3
# What keeps tokens where they are; attention and merges may read other things too, but answer in the order of their first tokens.
_IN_PLACE = frozenset(
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
Shapes = Mapping[str, tuple[int | None, ...]]
_MIXING = frozenset({"Dot", "Matmul", "Einsum", "Stack"})


def token_grids(layers: Iterable[GraphLayer]) -> dict[str, TokenGrid | None]:
    """By path, for layers in topological order; None where there is no such map.

    A grid begins where a map (N, h, w, K) is reshaped to (N, h·w, K), and goes on through dense layers, norms, sums and attention.
    Class tokens are those that a Concatenate or a ZeroPadding1D puts before it.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    grids: dict[str, TokenGrid | None] = {}
    for layer in layers:
        grids[layer.path] = _grid(layer, shapes, grids) if len(layer.output_shape) == _TOKENS_RANK else None
    return grids


def _grid(layer: GraphLayer, shapes: Shapes, grids: Mapping[str, TokenGrid | None]) -> TokenGrid | None:
    if layer.output_shape[1] is None or not layer.inbound:
        return None
    source = shapes[layer.inbound[0]]
    if len(source) == _MAP_RANK:
        return _begun(layer, source)
    known = [path for path in layer.inbound if grids[path] is not None]
    if not known or (kind_of(layer.layer) is LayerKind.ATTENTION and known[0] != layer.inbound[0]):
        return None
    grid = grids[known[0]]
    before = _before(layer, known, shapes)
    if grid is None or before is None:
        return None
    shifted = grid.model_copy(update={"before": grid.before + before})
    fits = shifted.before >= 0 and shifted.before + grid.height * grid.width <= layer.output_shape[1]
    return shifted if fits else None


def _begun(layer: GraphLayer, source: tuple[int | None, ...]) -> TokenGrid | None:
    _, height, width, channels = source
    if height is None or width is None or type(layer.layer).__name__ != "Reshape":
        return None
    return TokenGrid(height=height, width=width) if (height * width, channels) == layer.output_shape[1:] else None


def _before(layer: GraphLayer, known: Sequence[str], shapes: Shapes) -> int | None:
    """How many tokens the layer puts before those of `known[0]`, fewer than 0 where it cuts some off; None where it moves them."""
    operation, tokens = layer.layer, layer.output_shape[1]
    if isinstance(operation, keras.layers.ZeroPadding1D):
        return operation.padding[0]
    if isinstance(operation, keras.layers.Cropping1D):
        return -operation.cropping[0]
    if type(operation).__name__ == "Concatenate" and operation.axis in (1, -2):
        joined = [shapes[path][1] or 0 for path in layer.inbound]
        alone = len(known) == 1 and sum(joined) == tokens  # not the same tokens twice
        return sum(joined[: layer.inbound.index(known[0])]) if alone else None
    in_place = kind_of(operation) in _IN_PLACE and type(operation).__name__ not in _MIXING
    return 0 if in_place and shapes[known[0]][1] == tokens else None
