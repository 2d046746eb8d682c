"""Compute the receptive field of every layer: how many input pixels one position sees, where they begin, and the positions' distance.

Sizes follow the recurrence `size += (kernel − 1) · dilation · stride_so_far` (Araujo, Norris, Sim 2019, doi:10.23915/distill.00021).
Padding and the input's border do not enter into sizes. Each layer moves the offset back by `padding · stride_so_far`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from schemas.models import LayerKind, ReceptiveField
from workers.engine.keras_code import runs_keras_code
from workers.engine.topology import GraphLayer
from workers.models.description.layer_kinds import kind_of

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
# Operations on one tensor that treat each value by itself; these are the ones that known models use.
_POINTWISE_OPERATIONS = frozenset(
    {"Abs", "Cast", "Clip", "Divide", "Exp", "Log", "Negative", "Power", "Round", "Sqrt", "Square", "Tanh", "TrueDivide", "LayerScale"}
)


@dataclass(frozen=True)
class _LayerWindow:
    """The window of its input that a layer sees at each position, as (down, across) pairs.

    `before` is the number of rows and columns of padding above and left of the input.
    """

    kernel: Sequence[int]
    strides: Sequence[int]
    dilation: Sequence[int]
    before: Sequence[int]


def receptive_fields(layers: Iterable[GraphLayer]) -> dict[str, ReceptiveField | None]:
    """Return the receptive field of each layer by path, or None where it is not defined. `layers` are in topological order.

    It is not defined after flattening, global pooling, upsampling, resizing, attention or normalisation over the map, or for layers
    without a map (N, h, w, K). A merge sees what its widest input sees. A gate that is computed from the whole image (squeeze-and-excite:
    a 1 × 1 map that scales channels) is ignored, because it moves no position.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    fields: dict[str, ReceptiveField | None] = {}
    for layer in layers:
        sides = shapes[layer.inbound[0]][1:-1] if layer.inbound else ()
        fields[layer.path] = _field(layer, _inputs(layer, fields, shapes), sides) if len(layer.output_shape) == _MAP_RANK else None
    return fields


def _inputs(
    layer: GraphLayer, fields: Mapping[str, ReceptiveField | None], shapes: Mapping[str, tuple[int | None, ...]]
) -> list[ReceptiveField | None]:
    gates = [fields[path] is None and all(size == 1 for size in shapes[path][1:-1]) for path in layer.inbound]
    if kind_of(layer.layer) is not LayerKind.MERGE or all(gates):
        gates = [False] * len(gates)
    return [fields[path] for path, gate in zip(layer.inbound, gates, strict=True) if not gate]


def _field(graph_layer: GraphLayer, inputs: Sequence[ReceptiveField | None], sides: Sequence[int | None]) -> ReceptiveField | None:
    """Return the field of one layer; `sides` are the height and width of its input."""
    if graph_layer.is_input and not inputs:
        return ReceptiveField(size=(1, 1), stride=(1, 1))
    known = [field for field in inputs if field is not None]
    if not known or len(known) < len(inputs):
        return None
    strides = known[0].stride
    if any(field.stride != strides for field in known):
        return None
    window = _layer_window(graph_layer.layer, sides)
    if window is None:
        return None
    down, across = (_field_on_axis(axis, known, window) for axis in (0, 1))
    return ReceptiveField(size=(down[0], across[0]), stride=(down[1], across[1]), offset=(down[2], across[2]))


def _field_on_axis(axis: int, inputs: Sequence[ReceptiveField], window: _LayerWindow) -> tuple[int, int, int]:
    """Return (size, stride, offset) on one axis."""
    widest = max(inputs, key=lambda field: field.size[axis])
    stride = widest.stride[axis]
    return (
        widest.size[axis] + (window.kernel[axis] - 1) * window.dilation[axis] * stride,
        stride * window.strides[axis],
        widest.offset[axis] - window.before[axis] * stride,
    )


def _layer_window(layer: Any, sides: Sequence[int | None]) -> _LayerWindow | None:
    """Return the window of the layer's input, or None if the layer does not see a fixed window, or computes something of its own."""
    if isinstance(layer, keras.layers.Conv2DTranspose) or not runs_keras_code(layer):
        return None
    if isinstance(layer, _CONVOLUTIONS):
        return _padded_window(layer.padding, sides, layer.kernel_size, layer.strides, layer.dilation_rate)
    if isinstance(layer, _POOLS):
        return _padded_window(layer.padding, sides, layer.pool_size, layer.strides, (1, 1))
    if not _keeps_positions(layer):
        return None
    before = (0, 0)
    if isinstance(layer, keras.layers.ZeroPadding2D):
        before = (layer.padding[0][0], layer.padding[1][0])
    elif isinstance(layer, keras.layers.Cropping2D):
        before = (-layer.cropping[0][0], -layer.cropping[1][0])
    return _LayerWindow((1, 1), (1, 1), (1, 1), before)


def _padded_window(
    padding: str, sides: Sequence[int | None], kernel: Sequence[int], strides: Sequence[int], dilation: Sequence[int]
) -> _LayerWindow:
    """Return the window with TensorFlow's padding.

    SAME gives ⌈side / stride⌉ positions. If the number of padding rows is odd, the smaller half is before the input.
    """
    before = [0, 0]
    if padding == "same":
        for axis, side in enumerate(sides):
            span, step = (kernel[axis] - 1) * dilation[axis] + 1, strides[axis]
            beyond = step if side is None or side % step == 0 else side % step
            before[axis] = max(span - beyond, 0) // 2
    return _LayerWindow(kernel, strides, dilation, before)


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
    """Return whether each position is normalised by itself. At inference batch normalisation is a fixed scale and shift per channel."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    if isinstance(layer, (keras.layers.LayerNormalization, keras.layers.UnitNormalization)):
        axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
        return all(one in (-1, _MAP_RANK - 1) for one in axis)
    return False
