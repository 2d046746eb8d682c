"""Say what a layer does to the positions of its input: each axis of a map is cut, padded, mirrored, resampled, or seen through a window.

`map_places` follows the changes to find where a layer's map lies over the model's input, and the receptive fields follow them to find
what one position sees. Only inference counts here: layers that change images at random leave them as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from schemas.models import LayerKind
from workers.engine.axis_changes import AxisChange, ChangesOfBothAxes, Mirror, Mix, Resample, Spread, Trim, Window
from workers.engine.image_resizing import MapSides, center_crop, resizing
from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import call_arguments, source_package
from workers.engine.layer_kinds import kind_of
from workers.engine.topology import GraphLayer

MAP_RANK = 4  # (N, h, w, K)
KEPT: ChangesOfBothAxes = ((), ())
_POINTWISE_KINDS = (LayerKind.ACTIVATION, LayerKind.REGULARIZATION, LayerKind.DENSE, LayerKind.MODEL, LayerKind.INPUT)
# Operations on one tensor that treat each value by itself; these are the ones that known models use.
_POINTWISE_OPERATIONS = frozenset(
    {"Abs", "Cast", "Clip", "Divide", "Exp", "Log", "Negative", "Power", "Round", "Sqrt", "Square", "Tanh", "TrueDivide", "LayerScale"}
)
# These layers look at the whole image also at inference. All others of their package leave it as it is, or treat each pixel by itself.
_WHOLE_IMAGE_LAYERS = frozenset({"AutoContrast", "CLAHE", "Equalization"})


def position_changes(graph_layer: GraphLayer, sides: MapSides) -> ChangesOfBothAxes | None:
    """Return what a layer does to the rows and the columns of its input, or None if that is not known.

    Args:
        graph_layer: the layer, whose input is a map (N, h, w, K).
        sides: height and width of that map; None where they are free.
    """
    layer = graph_layer.layer
    if not runs_keras_code(layer):
        return None
    for kind, changes in _LAYERS:
        if isinstance(layer, kind):
            return changes(layer, sides)
    if _keeps_positions(layer):
        return KEPT
    if kind_of(layer) in (LayerKind.NORMALIZATION, LayerKind.ACTIVATION) or type(layer).__name__ in _WHOLE_IMAGE_LAYERS:
        return _on_both(lambda _: Mix())
    return _changes_by_operation(graph_layer, sides)


def _convolution(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    return _on_both(lambda axis: Window(layer.kernel_size[axis], layer.strides[axis], layer.dilation_rate[axis], layer.padding == "same"))


def _transposed_convolution(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    given = layer.output_padding or 0
    extra = (given, given) if isinstance(given, int) else given
    return _on_both(lambda axis: Spread(layer.kernel_size[axis], layer.strides[axis], layer.padding == "same", extra[axis]))


def _pooling(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    return _on_both(lambda axis: Window(layer.pool_size[axis], layer.strides[axis], same=layer.padding == "same"))


def _zero_padding(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    return _on_both(lambda axis: Trim(-layer.padding[axis][0], -layer.padding[axis][1]))


def _cropping(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    return _on_both(lambda axis: Trim(*layer.cropping[axis]))


def _up_sampling(layer: Any, _: MapSides) -> ChangesOfBothAxes:
    return _on_both(lambda axis: Resample(None, layer.size[axis], layer.interpolation))


def _center_crop(layer: Any, sides: MapSides) -> ChangesOfBothAxes | None:
    return center_crop((layer.height, layer.width), sides)


def _resizing(layer: Any, sides: MapSides) -> ChangesOfBothAxes | None:
    """Return the changes by a layer `Resizing` or an operation `Resize`, which have the same attributes except for the size."""
    size = (layer.height, layer.width) if isinstance(layer, keras.layers.Resizing) else layer.size
    crop, pad = layer.crop_to_aspect_ratio, layer.pad_to_aspect_ratio
    return resizing(size, sides, layer.interpolation, crop=crop, pad=pad, antialias=layer.antialias)


_LAYERS: tuple[tuple[type, Callable[[Any, MapSides], ChangesOfBothAxes | None]], ...] = (
    (keras.layers.Conv2DTranspose, _transposed_convolution),
    (keras.layers.Conv2D, _convolution),
    (keras.layers.SeparableConv2D, _convolution),
    (keras.layers.DepthwiseConv2D, _convolution),
    (keras.layers.MaxPooling2D, _pooling),
    (keras.layers.AveragePooling2D, _pooling),
    (keras.layers.ZeroPadding2D, _zero_padding),
    (keras.layers.Cropping2D, _cropping),
    (keras.layers.UpSampling2D, _up_sampling),
    (keras.layers.CenterCrop, _center_crop),
    (keras.layers.Resizing, _resizing),
)


def _changes_by_operation(graph_layer: GraphLayer, sides: MapSides) -> ChangesOfBothAxes | None:
    """Return the changes by an operation of `keras.ops` that moves positions, or None if they are not known."""
    operation = graph_layer.layer
    name = type(operation).__name__
    if _is_image_operation(operation, "Resize"):
        return _resizing(operation, sides)
    if _is_image_operation(operation, "PadImages", "CropImages"):
        return _trims_of_images(operation, sides, inwards=name == "CropImages")
    if source_package(type(operation)) != "ops.numpy":
        return None
    if name in ("Flip", "Fliplr", "Flipud"):
        axes = {"Fliplr": (1,), "Flipud": (0,)}.get(name) or _axes(operation.axis)
        return [Mirror()] if 1 in axes else [], [Mirror()] if 2 in axes else []
    if name == "Pad":
        widths = operation.pad_width if len(operation.pad_width) == MAP_RANK else [operation.pad_width[0]] * MAP_RANK
        return _on_both(lambda axis: Trim(-widths[axis + 1][0], -widths[axis + 1][1]))
    return _changes_by_slices(graph_layer.node, sides) if name == "GetItem" else None


def _changes_by_slices(node: Any, sides: MapSides) -> ChangesOfBothAxes | None:
    """Return the changes by `x[key]`, or None if an axis does not stay or its slice depends on a free side."""
    args, kwargs = call_arguments(node, {id(tensor): tensor for tensor in node.input_tensors})
    key = kwargs["key"] if "key" in kwargs else args[1]
    parts = list(key) if isinstance(key, (tuple, list)) else [key]
    if Ellipsis in parts:
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (MAP_RANK - len(parts) + 1)
    if len(parts) > MAP_RANK or not all(isinstance(part, slice) for part in parts):
        return None
    parts += [slice(None)] * (MAP_RANK - len(parts))
    down, across = (_changes_by_slice(part, side) for part, side in zip(parts[1:3], sides, strict=True))
    return None if down is None or across is None else (down, across)


def _changes_by_slice(part: slice, side: int | None) -> Sequence[AxisChange] | None:
    if part.start is None and part.stop is None and part.step in (None, 1, -1):
        return [Mirror()] if part.step == -1 else []
    positions = range(side or 0)[part]
    if not positions:
        return None
    # A step stands for all the positions up to the next one.
    step, mirrored = abs(positions.step), positions.step < 0
    first, last = min(positions), max(positions)
    start, stop = (max(0, first - step + 1), last + 1) if mirrored else (first, min(last + step, side or 0))
    changes: list[AxisChange] = [Trim(start, (side or 0) - stop)] if (start, stop) != (0, side) else []
    changes += [Mirror()] if mirrored else []
    return [*changes, Window(1, step)] if step > 1 else changes


def _trims_of_images(operation: Any, sides: MapSides, *, inwards: bool) -> ChangesOfBothAxes | None:
    """Return the changes by `crop_images` (`inwards`) or `pad_images`, where one of the three numbers of an axis may be missing."""
    word, sign = ("cropping", 1) if inwards else ("padding", -1)
    trims: list[list[AxisChange]] = []
    for side, first, last, target in zip(sides, ("top", "left"), ("bottom", "right"), ("target_height", "target_width"), strict=True):
        before, after, length = getattr(operation, f"{first}_{word}"), getattr(operation, f"{last}_{word}"), getattr(operation, target)
        if before is None or after is None:
            if side is None or length is None:
                return None
            whole = abs(side - length)
            before = whole - (after or 0) if before is None else before
            after = whole - before
        trims.append([Trim(sign * before, sign * after)])
    return trims[0], trims[1]


def _keeps_positions(layer: Any) -> bool:
    """Return whether each position of the output sees the same position of the input and no other."""
    kind = kind_of(layer)
    if kind is LayerKind.NORMALIZATION:
        return _normalises_each_position(layer)
    if kind is LayerKind.ACTIVATION:
        return getattr(layer, "axis", -1) in (-1, MAP_RANK - 1)
    if kind is LayerKind.PREPROCESSING:
        name = type(layer).__name__
        known = source_package(type(layer)).startswith("layers.preprocessing.image_preprocessing.")
        return isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)) or (known and name not in _WHOLE_IMAGE_LAYERS)
    return (
        kind in _POINTWISE_KINDS
        or (kind is LayerKind.MERGE and not isinstance(layer, keras.layers.Dot))
        or isinstance(layer, keras.layers.Identity)
        or type(layer).__name__ in _POINTWISE_OPERATIONS
    )


def _normalises_each_position(layer: Any) -> bool:
    """Return whether each position is normalised by itself. At inference batch normalisation is a fixed scale and shift per channel."""
    if isinstance(layer, keras.layers.BatchNormalization):
        return True
    if isinstance(layer, (keras.layers.LayerNormalization, keras.layers.UnitNormalization)):
        axis = layer.axis if isinstance(layer.axis, (list, tuple)) else [layer.axis]
        return all(one in (-1, MAP_RANK - 1) for one in axis)
    return False


def _on_both(change: Callable[[int], AxisChange]) -> ChangesOfBothAxes:
    """Return the change of each axis: `change` gets 0 for the rows and 1 for the columns."""
    return [change(0)], [change(1)]


def _axes(axis: Any) -> tuple[int, ...]:
    """Return the axes of an array (N, h, w, K) as numbers from 0 to 3. None stands for all."""
    if axis is None:
        return tuple(range(MAP_RANK))
    return tuple(each % MAP_RANK for each in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def _is_image_operation(layer: Any, *names: str) -> bool:
    return type(layer).__name__ in names and source_package(type(layer)) == "ops.image"
