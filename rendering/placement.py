"""Bring maps over the model's input onto the photo, by where the photo lies in the input (`Placement`)."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64

from rendering.photo import Placement
from schemas.photo_place import PhotoPlace

# An edge this close to a pixel's edge (a share of a pixel of the photo) is that edge: the rest is floating-point error.
_ROUNDING = 1e-6


_BLUR = 0.4  # the σ of the blur of an enlarged map, in cells of the map
_COARSE = 4.0  # only a map whose cells have at least this many pixels of the photo is blurred
_FEW_CELLS = 64  # up to so many rows and columns, two small products of matrices cost less than blurring the enlarged map


def used_part(placement: Placement, photo_shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Return the rows and columns of the photo whose centres lie in the part that the model saw; there is at least one of each."""
    parts: list[slice] = []
    for start, extent, length in zip(placement.source[:2], placement.source[2:], photo_shape[:2], strict=True):
        first = min(max(0, math.ceil(start - 0.5)), length - 1)
        parts.append(slice(first, min(length, max(first + 1, math.ceil(start + extent - 0.5)))))
    return parts[0], parts[1]


def map_extent(placement: Placement, photo_shape: tuple[int, ...], map_shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the edges (top, left, bottom, right) of the photo's used part in a map's own coordinates, where cell i spans i to i + 1.

    If a crop does not begin or end at a pixel's edge, they lie outside the map by a fraction of a pixel of the photo.
    """
    used = used_part(placement, photo_shape)
    edges: list[tuple[float, float]] = []
    for axis in (0, 1):
        start, stop = (
            ((edge - placement.source[axis]) / placement.source[2 + axis] * placement.box[2 + axis] + placement.box[axis])
            * map_shape[axis]
            / placement.input_size[axis]
            for edge in (used[axis].start, used[axis].stop)
        )
        edges.append((start, stop))
    (top, bottom), (left, right) = edges
    return top, left, bottom, right


def upright(values: Float32[np.ndarray, "h w *channels"], placement: Placement) -> Float32[np.ndarray, "h w *channels"]:
    """Return a map with its rows and columns in the order of the photo's."""
    down, across = (slice(None, None, -1 if mirrored else 1) for mirrored in placement.mirrored)
    return values[down, across]


def span_on_photo(axis: int, start: float, extent: float, placement: Placement, photo_shape: tuple[int, ...]) -> slice:
    """Return the rows (axis 0) or columns (axis 1) of the photo that a span of the input covers, wholly or in part.

    The span is cut off where the photo, or the part of it that the model saw, ends. If it lies beside the photo, the slice is empty.

    Args:
        axis: 0 for rows, 1 for columns.
        start: Where the span begins, in input pixels.
        extent: Length of the span, in input pixels.
        placement: Where the photo lies in the input.
        photo_shape: (H, W, …).
    """
    first, used = placement.source[axis], placement.source[2 + axis]
    begin, end = whole_span(axis, start, extent, placement)
    top = math.floor(max(begin, first, 0.0) + _ROUNDING)
    bottom = math.ceil(min(end, first + used, photo_shape[axis]) - _ROUNDING)
    return slice(top, max(top, bottom))


def whole_span(axis: int, start: float, extent: float, placement: Placement) -> tuple[float, float]:
    """Return where a span of the input begins and ends on the photo, in pixels of the photo. It may lie beyond the photo's border.

    The arguments are those of `span_on_photo`.
    """
    scale = placement.source[2 + axis] / placement.box[2 + axis]
    begin = placement.source[axis] + (start - placement.box[axis]) * scale
    return begin, begin + extent * scale


def place_on_photo(placement: Placement) -> PhotoPlace:
    """Return where a map lies on the photo: the area of all its cells, and the part that its layer sees."""
    top, bottom = whole_span(0, 0.0, placement.input_size[0], placement)
    left, right = whole_span(1, 0.0, placement.input_size[1], placement)
    return PhotoPlace(area=(top, left, bottom - top, right - left), seen=placement.source, mirrored=placement.mirrored)


def onto_photo(values: Float32[np.ndarray, "h w"], placement: Placement, photo_shape: tuple[int, ...]) -> Float32[np.ndarray, "H W"]:
    """Return a map over the whole input at the photo's size, 0 where the model did not look.

    The interpolation is bilinear with half-pixel centres.

    Args:
        values: A float32 map (h, w) of any resolution that spans the model's input, or the area of it that `placement` is about.
        placement: Where the photo lies in the input.
        photo_shape: (H, W, …).
    """
    rows, columns = used_part(placement, photo_shape)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    top, left, bottom, right = map_extent(placement, photo_shape, values.shape)
    values = np.ascontiguousarray(upright(values, placement))
    if (top, left, bottom, right) == (0, 0, *values.shape):
        part = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    else:
        vertical = _interpolation(top, bottom, height, values.shape[0])
        horizontal = _interpolation(left, right, width, values.shape[1])
        part = _enlarged(values.astype(np.float64), vertical, horizontal).astype(np.float32)
    if part.shape == tuple(photo_shape[:2]):
        return part
    whole = np.zeros(photo_shape[:2], np.float32)
    whole[rows, columns] = part
    return whole


def smooth_on_photo(values: Float32[np.ndarray, "h w"], placement: Placement, photo_shape: tuple[int, ...]) -> Float32[np.ndarray, "H W"]:
    """Return a map at the size of the photo's used part, as `onto_photo` gives it, without the creases of bilinear interpolation.

    It is blurred by a Gaussian whose σ is 0.4 cells of the map, so a coarse map has no star-shaped peaks, and multiplied so that its
    largest absolute value stays. A map whose cells are smaller
    than four pixels of the photo is returned as it is.
    """
    used = used_part(placement, photo_shape)
    height, width = (part.stop - part.start for part in used)
    top, left, bottom, right = map_extent(placement, photo_shape, values.shape)
    tall, wide = height / (bottom - top), width / (right - left)
    if min(tall, wide) < _COARSE:
        return np.ascontiguousarray(onto_photo(values, placement, photo_shape)[used])
    if max(values.shape) > _FEW_CELLS:
        part = np.ascontiguousarray(onto_photo(values, placement, photo_shape)[used])
        blurred = cv2.GaussianBlur(part, (0, 0), sigmaX=_BLUR * wide, sigmaY=_BLUR * tall, borderType=cv2.BORDER_REPLICATE)
    else:
        upright_values = upright(values, placement)
        down, down_blurred = _enlarging(top, bottom, height, values.shape[0], _BLUR * tall)
        across, across_blurred = _enlarging(left, right, width, values.shape[1], _BLUR * wide)
        part, blurred = _enlarged(upright_values, down, across), _enlarged(upright_values, down_blurred, across_blurred)
    peak = _largest(blurred)
    return blurred * np.float32(_largest(part) / peak) if peak > 0 else blurred


@lru_cache(maxsize=16)  # many photos of a size follow each other
def _enlarging(
    start: float, stop: float, count: int, cells: int, sigma: float
) -> tuple[Float32[np.ndarray, "count cells"], Float32[np.ndarray, "count cells"]]:
    """Return the weights of `_interpolation`, and those of the same interpolation blurred by a Gaussian of `sigma` pixels.

    Both steps are linear and work on rows and columns by themselves. So blurring the few columns of the weights is the same as blurring
    the enlarged map, and takes a thirtieth of the time for a map of 7 × 7 cells.
    """
    weights = _interpolation(start, stop, count, cells).astype(np.float32)
    blurred = cv2.GaussianBlur(weights, (1, 0), sigmaX=sigma, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE)
    weights.flags.writeable = blurred.flags.writeable = False
    return weights, blurred


def _enlarged(
    values: Float[np.ndarray, "h w"], down: Float[np.ndarray, "H h"], across: Float[np.ndarray, "W w"]
) -> Float[np.ndarray, "H W"]:
    """Return `down @ values @ across.T`, all of one dtype. OpenCV computes small products on one thread; NumPy wakes others for them."""
    nothing = np.empty((0, 0), values.dtype)
    rows = cv2.gemm(down, np.ascontiguousarray(values), 1, nothing, 0)
    return cv2.gemm(rows, across, 1, nothing, 0, flags=cv2.GEMM_2_T)


def _largest(values: Float32[np.ndarray, "H W"]) -> float:
    """Return the largest absolute value."""
    return max(float(values.max()), -float(values.min()))


def _interpolation(start: float, stop: float, count: int, cells: int) -> Float64[np.ndarray, "count cells"]:
    """Return the weights of linear interpolation at the centres of `count` equal parts of start–stop.

    It interpolates between the centres of `cells` cells of width 1. Beyond the outermost centres, the outermost cells alone count.
    """
    centres = start + (np.arange(count) + 0.5) * (stop - start) / count - 0.5
    distance = np.abs(np.clip(centres, 0, cells - 1)[:, None] - np.arange(cells))
    return np.maximum(0, 1 - distance)
