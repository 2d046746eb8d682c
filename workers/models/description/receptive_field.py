"""Compute the receptive field of every layer: how many input pixels one position sees, where they begin, and the positions' distance.

Sizes follow the recurrence `size += (kernel − 1) · dilation · stride_so_far` (Araujo, Norris, Sim 2019, doi:10.23915/distill.00021).
Padding and the input's border do not enter into sizes. Each layer moves the offset back by `padding · stride_so_far`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.models import LayerKind, ReceptiveField
from workers.engine.axis_changes import AxisChange, Mirror, Resample, Trim, Window
from workers.engine.layer_kinds import kind_of
from workers.engine.position_changes import MAP_RANK, position_changes
from workers.engine.topology import GraphLayer

# An interpolation reads the positions whose centres are less than so many positions away. `nearest` reads the nearest one.
_REACH = {"bilinear": 1, "bicubic": 2, "lanczos3": 3, "lanczos5": 5}
_DIGITS = 9  # after this many decimal places, a length is a whole number of pixels


@dataclass(frozen=True)
class _FieldAxis:
    """One axis of a receptive field: position i sees `size` pixels, the first of which is `offset + i · stride`.

    `count` is the number of positions, or None if it is not known.
    """

    size: float
    stride: float
    offset: float
    count: int | None


def receptive_fields(layers: Iterable[GraphLayer]) -> dict[str, ReceptiveField | None]:
    """Return the receptive field of each layer by path, or None where it is not defined. `layers` are in topological order.

    It is not defined after flattening, global pooling, transposed convolution, attention or normalisation over the map, or for layers
    without a map (N, h, w, K). A merge sees what its inputs see together. A gate that is computed from the whole image (squeeze-and-excite:
    a 1 × 1 map that scales channels) is ignored, because it moves no position.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    fields: dict[str, ReceptiveField | None] = {}
    for layer in layers:
        sides = shapes[layer.inbound[0]][1:-1] if layer.inbound else ()
        fields[layer.path] = _field(layer, _inputs(layer, fields, shapes), sides) if len(layer.output_shape) == MAP_RANK else None
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
    if not known or len(known) < len(inputs) or len(sides) != 2:
        return None
    if any(not math.isclose(field.stride[axis], known[0].stride[axis]) for field in known for axis in (0, 1)):
        return None
    changes = position_changes(graph_layer, (sides[0], sides[1]))
    if changes is None:
        return None
    down, across = (_changed(_together(known, axis, sides[axis]), changes[axis]) for axis in (0, 1))
    if down is None or across is None:
        return None
    return ReceptiveField(
        size=(_number(down.size), _number(across.size)),
        stride=(_number(down.stride), _number(across.stride)),
        offset=(_number(down.offset), _number(across.offset)),
    )


def _together(inputs: Sequence[ReceptiveField], axis: int, count: int | None) -> _FieldAxis:
    first = min(field.offset[axis] for field in inputs)
    end = max(field.offset[axis] + field.size[axis] for field in inputs)
    return _FieldAxis(end - first, inputs[0].stride[axis], first, count)


def _changed(axis: _FieldAxis, changes: Sequence[AxisChange]) -> _FieldAxis | None:
    found: _FieldAxis | None = axis
    for change in changes:
        found = None if found is None else _after(found, change)
    return found


def _after(axis: _FieldAxis, change: AxisChange) -> _FieldAxis | None:
    """Return the axis after one change, or None if it is not defined."""
    if isinstance(change, Window):
        count = None if axis.count is None else change.count(axis.count)
        return _reading(axis, -change.padding_before(axis.count), change.span - 1, change.stride, count)
    if isinstance(change, Trim):
        count = None if axis.count is None else axis.count - change.before - change.after
        return replace(axis, offset=axis.offset + change.before * axis.stride, count=count)
    if isinstance(change, Mirror) and axis.count is not None:
        return replace(axis, offset=axis.offset + (axis.count - 1) * axis.stride, stride=-axis.stride)
    if isinstance(change, Resample) and axis.count is not None:
        return _resampled(axis, change, axis.count)
    return None


def _reading(axis: _FieldAxis, first: float, further: float, step: float, count: int | None) -> _FieldAxis:
    """Return the axis of positions that read from the old position `first` to `first + further`, and each `step` later."""
    nearest = first if axis.stride > 0 else first + further  # the old position that sees the first pixels
    return _FieldAxis(axis.size + further * abs(axis.stride), axis.stride * step, axis.offset + nearest * axis.stride, count)


def _resampled(axis: _FieldAxis, change: Resample, count: int) -> _FieldAxis:
    """Return the axis after a resizing. All positions get the window of the one that reads farthest from its centre."""
    new = change.count or count * (change.factor or 1)
    step = count / new
    centres = [(position + 0.5) * step - 0.5 for position in range(new)]
    spread = max(step, 1.0) if change.antialias or change.interpolation == "area" else 1.0
    if change.interpolation == "nearest":
        reach = max(abs(centre - math.floor(centre + 0.5)) for centre in centres)
    else:
        within = spread * _REACH.get(change.interpolation, 1)  # `area` reads no farther than a bilinear filter of its scale
        reach = max(max(centre - math.floor(centre - within + 1), math.ceil(centre + within - 1) - centre) for centre in centres)
    return _reading(axis, centres[0] - reach, 2 * reach, step, new)


def _number(value: float) -> float:
    """Return a length in pixels, as an int if it is whole."""
    rounded = round(value, _DIGITS)
    return int(rounded) if rounded == int(rounded) else rounded
