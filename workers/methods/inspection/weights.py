"""Draw a layer's weights: kernels as tiles, matrices, plots and histograms.

Source: the Caffe notebook "Classification: Instant Recognition with Caffe", `vis_square`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from rendering import kernels
from rendering.channel_grid import channel_grid
from rendering.charts.matrix_axes import CountedAxis, counted_axis
from rendering.charts.values import values_by_index
from rendering.drawings.histograms import Histograms
from rendering.photo import Photo
from rendering.scaling import finite
from rendering.tile_numbers import SMALLEST_TILE
from rendering.titles import titled, titled_sheet
from schemas.methods.inspection.weights import Weights, WeightsFacts, WeightStatistics
from schemas.models import Layer, LayerKind
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.artifact_names import artifact_names
from workers.methods.inspection.weight_pictures import (
    WeightPicture,
    colour_note,
    colours_of,
    explained_matrix,
    explained_sheet,
    scale_of,
    span_of,
)

MAX_TILES = 4096
TITLE_WIDTH = 400  # pixels


@dataclass(frozen=True)
class LayerWeights:
    """A layer of a model and its weights by name. `bgr` is true if the model takes the photo's channels in that order."""

    layer: Layer
    weights: dict[str, AnyFloat32]
    bgr: bool
    model: str = ""


def batch_key(params: Weights) -> Hashable:
    """Jobs for the same layer run as one batch."""
    return params.layer


def run(probe: Probe, inputs: Inputs, params: Sequence[Weights]) -> list[LayerWeights]:
    """Return the layer's weights for each job of the batch."""
    del inputs
    path = params[0].layer or ""
    model = probe.description
    found = LayerWeights(model.layer_at(path), probe.weights(path), model.preprocessing.order == "bgr", model.name)
    return [found] * len(params)


def draw(result: LayerWeights, photo: Photo | None, params: Weights) -> Output:
    """Draw the weights and their histograms. Values that are not finite are drawn and counted as 0, with a warning."""
    del photo
    warnings: list[str] = []
    drawn: list[WeightPicture] = []
    titles: list[str] = []
    statistics: list[WeightStatistics] = []
    plain = all(array.ndim < 2 for array in result.weights.values())
    for name, array in result.weights.items():
        clean = finite(array)
        if clean is not array:
            bad = array.size - np.count_nonzero(np.isfinite(array))
            warnings.append(f"'{name}': {bad:,} of {array.size:,} values are not finite. They are drawn and counted as 0.")
        if clean.min() == clean.max() and array.size > 1 and array.ndim > 1:
            warnings.append(f"'{name}': all values are {clean.flat[0]:g}, so there is no contrast to draw.")
        if array.ndim > 1 or plain:
            drawn.append(_weight_picture(result, name, clean, params))
        titles.append(f"{name}: {array.size:,} value{'s' * (array.size != 1)}")
        statistics.append(_statistics(name, clean))
    for each in drawn:
        warnings += each.warnings
    if params.annotate:
        grid = explained_sheet(drawn, (Weights.card.title, *([result.model] if result.model else []), result.layer.path))
    elif len(drawn) == 1:
        grid = titled(drawn[0].picture, f"{result.layer.path} · {drawn[0].title}", least=TITLE_WIDTH)
    else:
        grid = titled_sheet([each.picture for each in drawn], [f"{result.layer.path} · {each.title}" for each in drawn])
    names = artifact_names(result.weights, taken=("grid", "histogram"))
    arrays = [Array(names[path], array) for path, array in result.weights.items()]
    histograms = Histograms(arrays=tuple(array.name for array in arrays), titles=tuple(titles))
    return Output(
        (Picture("grid", grid, primary=True), PictureOfArrays.of("histogram", histograms, arrays), *arrays),
        WeightsFacts(layer=result.layer.path, type=result.layer.type, weights=tuple(statistics)),
        tuple(warnings),
    )


def as_kernels(name: str, layer_type: str, kernel: AnyFloat32) -> Float32[np.ndarray, "h w inputs filters"]:
    """Return a convolution's kernel, of any number of dimensions, as (h, w, inputs, filters).

    Keras stores a kernel as (…, inputs, filters), that of a transposed convolution as (…, filters, inputs), and that of a depthwise
    convolution as (…, inputs, multiplier), whose filters read one input each. A one-dimensional kernel becomes one row. The depth of a
    three-dimensional kernel becomes part of the inputs.
    """
    if "Transpose" in layer_type:
        kernel = kernel.swapaxes(-1, -2)
    if name == "depthwise_kernel" or layer_type.startswith("Depthwise"):
        kernel = kernel.reshape(*kernel.shape[:-2], 1, -1)
    if kernel.ndim == 3:
        return kernel[None]
    if kernel.ndim == 5:
        depth, height, width, inputs, filters = kernel.shape
        return kernel.transpose(1, 2, 0, 3, 4).reshape(height, width, depth * inputs, filters)
    return kernel


def _weight_picture(result: LayerWeights, name: str, array: AnyFloat32, params: Weights) -> WeightPicture:
    layer = result.layer
    title = f"{name} {' × '.join(str(length) for length in array.shape)}"
    if array.ndim < 2:
        return WeightPicture(title, values_by_index(array.reshape(-1), "Value of each, by index"))
    axes = ("input", "unit") if layer.kind is LayerKind.DENSE else ("row", "column")
    if layer.kind is LayerKind.CONV and array.ndim > 2:
        kernel = as_kernels(name, layer.type, array)
        if kernel.shape[2] == 3 or kernel.shape[:2] != (1, 1):
            return _tiles(title, name, kernel, params, listed=kernel.shape[3] == layer.channels, bgr=result.bgr)
        array, axes = kernel[0, 0], ("input channel", "output channel")
    rows = array.reshape(array.shape[0], -1)
    span = span_of(rows, params)
    picture = explained_matrix(rows, span, params) if params.annotate else kernels.matrix(rows, colours_of(params), span)
    warnings: tuple[str, ...] = ()
    if max(rows.shape) > kernels.MATRIX_SIDE:
        warnings = (f"'{name}': a matrix of {rows.shape[0]:,} × {rows.shape[1]:,} is drawn averaged. The array has every value.",)
    down, across = (counted_axis(words, count) for words, count in zip(axes, rows.shape, strict=True))
    return WeightPicture(title, picture, warnings, scale_of(span, params), axes=(down, across))


def _tiles(
    title: str, name: str, kernel: Float32[np.ndarray, "h w inputs filters"], params: Weights, *, listed: bool, bgr: bool
) -> WeightPicture:
    """Draw kernels as tiles: in colour if a filter reads three inputs, else the kernels of one filter after another.

    If `listed` is true, the parameter `filters` applies to this weight.
    """
    coloured = kernel.shape[2] == 3
    inputs = 1 if coloured else min(params.inputs or kernel.shape[2], kernel.shape[2])
    wanted = chosen_filters(params.filters if listed else None, kernel.shape[3])
    chosen, drawn_inputs = wanted[: max(1, MAX_TILES // inputs)], min(inputs, MAX_TILES)
    count, total = len(chosen) * drawn_inputs, len(wanted) * inputs
    warnings = () if count == total else (f"'{name}': the first {count:,} of {total:,} kernels are drawn. The array has every value.",)
    picked = kernel[..., chosen]
    filters = [str(index) for index in chosen]
    captioned = listed and isinstance(params.filters, tuple) and not params.annotate
    if coloured:
        span = (float(kernel.min()), float(kernel.max()))
        rgb = kernels.enlarged(picked[:, :, ::-1] if bgr else picked, count, params.columns)
        captions = filters if captioned or _has_room(rgb, params) else None
        picture = kernels.in_colour(rgb, span, columns=params.columns, captions=captions)
        return WeightPicture(title, picture, warnings, note=colour_note(span))
    # In an explained picture, each row is a filter, so that the columns are the inputs.
    in_rows = params.annotate and params.columns is None and drawn_inputs > 1
    columns = drawn_inputs if in_rows else params.columns
    span = span_of(kernel, params)
    tiles = picked[:, :, :drawn_inputs].swapaxes(2, 3).reshape(*kernel.shape[:2], count)
    tiles = kernels.enlarged(tiles, count, columns)
    labels = filters if inputs == 1 else [f"{index}:{each}" for index in filters for each in range(drawn_inputs)]
    captions = labels if captioned or (_has_room(tiles, params) and not in_rows) else None
    picture = channel_grid(tiles, mode="global", colours=colours_of(params), columns=columns, captions=captions, span=span)
    axes = (CountedAxis("filter", filters), counted_axis("input channel", drawn_inputs)) if in_rows else None
    return WeightPicture(title, picture, warnings, scale_of(span, params), axes=axes)


def _has_room(tiles: Float32[np.ndarray, "h w *axes"], params: Weights) -> bool:
    """Return whether the tiles of an explained picture are large enough for a number above each."""
    return params.annotate and max(tiles.shape[:2]) >= SMALLEST_TILE


def chosen_filters(wanted: int | tuple[int, ...] | None, count: int) -> Int64[np.ndarray, " n"]:
    """Return the indices of the filters to draw: the listed ones, the first n, or all."""
    return np.array(wanted, np.int64) if isinstance(wanted, tuple) else np.arange(min(wanted or count, count))


def _statistics(name: str, array: AnyFloat32) -> WeightStatistics:
    return WeightStatistics(
        name=name,
        shape=array.shape,
        min=float(array.min()),
        max=float(array.max()),
        mean=float(array.mean(dtype=np.float64)),
        std=float(array.std(dtype=np.float64)),
        zeros=np.count_nonzero(array == 0) / array.size,
    )
