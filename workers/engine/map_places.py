"""Find where a layer's map lies over the model's input, for an input of a given size.

The rule is the one by which class activation maps are drawn everywhere: a map lies over what its layer's input lies over. So a convolution
or a pooling that loses nothing at the border leaves the place as it is, also where a stride does not divide a side. The place follows
whatever cuts, pads, mirrors or resizes the map, and windows without padding, which leave out the border.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.models import LayerKind
from workers.contract.map_place import MapPlace
from workers.engine.axis_changes import AxisChange, Mirror, Resample, Spread, Trim, Window
from workers.engine.layer_kinds import kind_of
from workers.engine.position_changes import MAP_RANK, position_changes
from workers.engine.topology import GraphLayer

_TOKENS_RANK = 3  # (N, T, K)


@dataclass(frozen=True)
class _MapAxis:
    """One axis of a map over one axis of the input, in pixels of the input.

    `start` is the edge of the first position and `extent` the distance to the end of the last one; it is negative if the axis is mirrored.
    `count` is the number of positions, or None if it is not known. The layer sees the input from `low` to `high`. `padding` is what was
    added right before, at the beginning and at the end, in positions.
    """

    start: float
    extent: float
    count: int | None
    low: float
    high: float
    padding: tuple[int, int] = (0, 0)

    def part(self, first: float, length: float, count: int) -> _MapAxis:
        """Return the axis of `count` new positions that lie over `length` old ones from `first` on."""
        step = self.extent / (self.count or 1)
        return replace(self, start=self.start + first * step, extent=length * step, count=count, padding=(0, 0))


_MapAxes = tuple[_MapAxis, _MapAxis]


def map_places(layers: Iterable[GraphLayer], input_name: str, size: tuple[int, int]) -> dict[str, MapPlace]:
    """Return the place of each layer's map, or of the map that its tokens form, by path.

    Args:
        layers: the model's layers in topological order.
        input_name: the input that takes the photo. Layers that do not depend on it have no place.
        size: height and width of that input.
    """
    layers = tuple(layers)
    shapes = {layer.path: layer.output_shape for layer in layers}
    found: dict[str, _MapAxes | None] = {}
    for layer in layers:
        found[layer.path] = _axes_of(layer, input_name, size, found, shapes)
    return {path: _place(*axes) for path, axes in found.items() if axes is not None}


def _axes_of(
    layer: GraphLayer,
    input_name: str,
    size: tuple[int, int],
    found: Mapping[str, _MapAxes | None],
    shapes: Mapping[str, tuple[int | None, ...]],
) -> _MapAxes | None:
    if layer.is_input and not layer.inbound:
        return _whole(size) if layer.path == input_name else None
    axes = _read(layer, found)
    if axes is None or len(layer.output_shape) not in (MAP_RANK, _TOKENS_RANK):
        return None
    changes = None
    if len(shapes[layer.inbound[0]]) == len(layer.output_shape) == MAP_RANK:
        changes = position_changes(layer, (axes[0].count, axes[1].count))
    if changes is None:  # the layer keeps the place of what it reads, as far as anybody knows
        sides = layer.output_shape[1:3] if len(layer.output_shape) == MAP_RANK else (None, None)
        return replace(axes[0], count=sides[0]), replace(axes[1], count=sides[1])
    return _changed(axes[0], changes[0]), _changed(axes[1], changes[1])


def _read(layer: GraphLayer, found: Mapping[str, _MapAxes | None]) -> _MapAxes | None:
    """Return the axes of what a layer reads. A merge lies where its largest map lies; a gate of one position has no place."""
    known = [axes for path in layer.inbound if (axes := found[path]) is not None]
    if not known or kind_of(layer.layer) is not LayerKind.MERGE:
        return known[0] if known else None
    return max(known, key=lambda axes: (axes[0].count or 0) * (axes[1].count or 0))


def _whole(size: tuple[int, int]) -> _MapAxes:
    rows, columns = (_MapAxis(0.0, float(side), side, 0.0, float(side)) for side in size)
    return rows, columns


def _changed(axis: _MapAxis, changes: Sequence[AxisChange]) -> _MapAxis:
    for change in changes:
        axis = _after(axis, change)
    return axis


def _after(axis: _MapAxis, change: AxisChange) -> _MapAxis:
    count = axis.count
    if isinstance(change, Mirror):
        return replace(axis, start=axis.start + axis.extent, extent=-axis.extent, padding=axis.padding[::-1])
    if isinstance(change, Resample):
        resampled = None if count is None else count * (change.factor or 1)
        return replace(axis, count=change.count or resampled, padding=(0, 0))
    if count is None:
        return axis
    if isinstance(change, Trim):
        return _trimmed(axis, change, count)
    if isinstance(change, Window):
        return _through_windows(axis, change, count)
    return _spread(axis, change, count) if isinstance(change, Spread) else axis


def _spread(axis: _MapAxis, change: Spread, count: int) -> _MapAxis:
    border = 0 if change.same else max(change.kernel - change.stride, 0)
    spread = change.count(count)
    return axis.part(-border / 2 / change.stride, spread / change.stride, spread)


def _trimmed(axis: _MapAxis, change: Trim, count: int) -> _MapAxis:
    left = max(count - change.before - change.after, 1)
    part = axis.part(change.before, left, left)
    if change.before > 0 or change.after > 0:
        edges = sorted((part.start, part.start + part.extent))
        low, high = max(axis.low, edges[0]), min(axis.high, edges[1])
        part = replace(part, low=low, high=max(high, low))
    return replace(part, padding=(max(axis.padding[0] - change.before, 0), max(axis.padding[1] - change.after, 0)))


def _through_windows(axis: _MapAxis, window: Window, count: int) -> _MapAxis:
    """Return the axis of the windows.

    Padding right before windows without padding belongs to them if there are as many windows as with SAME: this is how ResNet and models
    from other frameworks pad. Windows that do not overlap lie over the positions that they see; others lie over the middle of theirs.
    """
    windows = max(window.count(count), 1)
    if window.same:
        return axis.part(0, count, windows)
    unpadded = count - sum(axis.padding)
    if window.span > window.stride and windows == math.ceil(unpadded / window.stride):
        return axis.part(axis.padding[0], unpadded, windows)
    if window.span <= window.stride:
        return axis.part(0, min(windows * window.stride, count), windows)
    return axis.part((window.span - window.stride) / 2, windows * window.stride, windows)


def _place(rows: _MapAxis, columns: _MapAxis) -> MapPlace:
    starts = [min(axis.start, axis.start + axis.extent) for axis in (rows, columns)]
    return MapPlace(
        area=(starts[0], starts[1], abs(rows.extent), abs(columns.extent)),
        seen=(rows.low, columns.low, rows.high - rows.low, columns.high - columns.low),
        mirrored=(rows.extent < 0, columns.extent < 0),
    )
