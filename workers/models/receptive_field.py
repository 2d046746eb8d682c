"""Receptive fields along a model's graph: how many input pixels one position of a map sees, and how far neighbours are apart.

Sizes are those of the recurrence `size += (kernel − 1) · dilation · stride_so_far` (Araujo, Norris, Sim 2019,
doi:10.23915/distill.00021); padding and the input's border do not enter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras

from schemas.models import LayerKind, ReceptiveField
from workers.engine.unfold import GraphLayer
from workers.models.layer_kinds import kind_of

_MAP_RANK = 4  # (N, h, w, K)
_POOLS = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.SeparableConv2D, keras.layers.DepthwiseConv2D)
_POSITIONS_KEPT = (
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping2D,
    keras.layers.Identity,
    keras.layers.Rescaling,
    keras.layers.Normalization,
)
_POINTWISE_KINDS = (LayerKind.ACTIVATION, LayerKind.REGULARIZATION, LayerKind.DENSE, LayerKind.MODEL, LayerKind.INPUT)
# Operations of one tensor that look at each value alone, as far as models in the wild use them.
_POINTWISE_OPERATIONS = frozenset(
    {"Abs", "Cast", "Clip", "Divide", "Exp", "Log", "Negative", "Power", "Round", "Sqrt", "Square", "Tanh", "TrueDivide", "LayerScale"}
)


def receptive_fields(layers: Iterable[GraphLayer]) -> dict[str, ReceptiveField | None]:
    """By path, for layers in topological order; None where it is not defined.

    Undefined: after flattening, global pooling, upsampling, resizing, attention or normalisation over the map, and on layers
    without a map (N, h, w, K). A merge sees what its widest input sees. A gate computed from the whole image
    (squeeze-and-excite: a 1 × 1 map that scales channels) is left out, since it moves no position.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    fields: dict[str, ReceptiveField | None] = {}
    for layer in layers:
        fields[layer.path] = _field(layer, _inputs(layer, fields, shapes)) if len(layer.output_shape) == _MAP_RANK else None
    return fields


def _inputs(
    layer: GraphLayer, fields: Mapping[str, ReceptiveField | None], shapes: Mapping[str, tuple[int | None, ...]]
) -> list[ReceptiveField | None]:
    gates = [fields[path] is None and all(size == 1 for size in shapes[path][1:-1]) for path in layer.inbound]
    if kind_of(layer.layer) is not LayerKind.MERGE or all(gates):
        gates = [False] * len(gates)
    return [fields[path] for path, gate in zip(layer.inbound, gates, strict=True) if not gate]


def _field(graph_layer: GraphLayer, inputs: Sequence[ReceptiveField | None]) -> ReceptiveField | None:
    if graph_layer.is_input and not inputs:
        return ReceptiveField(size=(1, 1), stride=(1, 1))
    known = [field for field in inputs if field is not None]
    if not known or len(known) < len(inputs):
        return None
    widest = ReceptiveField(size=_largest(field.size for field in known), stride=known[0].stride)
    if any(field.stride != widest.stride for field in known):
        return None
    window = _window(graph_layer.layer)
    if window is None:
        return None
    kernel, strides, dilation = window
    (height, width), (down, across) = widest.size, widest.stride
    return ReceptiveField(
        size=(height + (kernel[0] - 1) * dilation[0] * down, width + (kernel[1] - 1) * dilation[1] * across),
        stride=(down * strides[0], across * strides[1]),
    )


def _window(layer: Any) -> tuple[Sequence[int], Sequence[int], Sequence[int]] | None:
    """(kernel, strides, dilation) of what a layer looks at; None where it is no window of its input."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return None
    if isinstance(layer, _CONVOLUTIONS):
        return layer.kernel_size, layer.strides, layer.dilation_rate
    if isinstance(layer, _POOLS):
        return layer.pool_size, layer.strides, (1, 1)
    return ((1, 1), (1, 1), (1, 1)) if _keeps_positions(layer) else None


def _keeps_positions(layer: Any) -> bool:
    kind = kind_of(layer)
    if kind is LayerKind.NORMALIZATION:
        return _normalises_each_position(layer)
    if kind is LayerKind.ACTIVATION:
        axis = getattr(layer, "axis", -1)
        return axis in (-1, _MAP_RANK - 1)
    return (
        kind in _POINTWISE_KINDS
        or (kind is LayerKind.MERGE and not isinstance(layer, keras.layers.Dot))
        or isinstance(layer, _POSITIONS_KEPT)
        or type(layer).__name__ in _POINTWISE_OPERATIONS
    )


def _normalises_each_position(layer: Any) -> bool:
    """Batch normalisation is an affine map at inference; layer normalisation looks at the axes it is given."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    if isinstance(layer, (keras.layers.LayerNormalization, keras.layers.UnitNormalization)):
        axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
        return all(one in (-1, _MAP_RANK - 1) for one in axis)
    return False


def _largest(sizes: Iterable[tuple[int, int]]) -> tuple[int, int]:
    heights, widths = zip(*sizes, strict=True)
    return max(heights), max(widths)
