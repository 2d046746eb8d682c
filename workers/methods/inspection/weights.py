"""Draw a layer's weights: kernels as tiles, matrices, plots and histograms.

Source: the Caffe notebook "Classification: Instant Recognition with Caffe", `vis_square`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt8

from rendering import kernels
from rendering.channel_grid import channel_grid
from rendering.charts.values import values_by_index
from rendering.drawings.histograms import Histograms
from rendering.photo import Photo
from rendering.scaling import finite
from rendering.titles import titled, titled_sheet
from schemas.methods.inspection.weights import Weights, WeightsFacts, WeightStatistics
from schemas.models import Layer, LayerKind
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.artifact_names import artifact_names

MAX_TILES = 4096
TITLE_WIDTH = 400  # pixels


@dataclass(frozen=True)
class LayerWeights:
    """A layer and its weights by name. `bgr` is true if the model takes the photo's channels in that order."""

    layer: Layer
    weights: dict[str, AnyFloat32]
    bgr: bool


@dataclass(frozen=True)
class TitledWeight:
    """One weight as a picture, with its title and warnings."""

    title: str
    picture: UInt8[np.ndarray, "h w 3"]
    warnings: tuple[str, ...] = ()


def batch_key(params: Weights) -> Hashable:
    """Jobs for the same layer run as one batch."""
    return params.layer


def run(probe: Probe, inputs: Inputs, params: Sequence[Weights]) -> list[LayerWeights]:
    """Return the layer's weights for each job of the batch."""
    del inputs
    path = params[0].layer or ""
    found = LayerWeights(probe.description.layer_at(path), probe.weights(path), probe.description.preprocessing.order == "bgr")
    return [found] * len(params)


def draw(result: LayerWeights, photo: Photo | None, params: Weights) -> Output:
    """Draw the weights and their histograms. Values that are not finite are drawn and counted as 0, with a warning."""
    del photo
    warnings: list[str] = []
    drawn: list[TitledWeight] = []
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
            drawn.append(_titled_weight(result, name, clean, params))
        titles.append(f"{name}: {array.size:,} value{'s' * (array.size != 1)}")
        statistics.append(_statistics(name, clean))
    for each in drawn:
        warnings += each.warnings
    if len(drawn) == 1:
        grid = titled(drawn[0].picture, drawn[0].title, least=TITLE_WIDTH)
    else:
        grid = titled_sheet([each.picture for each in drawn], [each.title for each in drawn])
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


def _titled_weight(result: LayerWeights, name: str, array: AnyFloat32, params: Weights) -> TitledWeight:
    layer = result.layer
    title = f"{layer.path} · {name} {' × '.join(str(length) for length in array.shape)}"
    if array.ndim < 2:
        return TitledWeight(title, values_by_index(array.reshape(-1), "Value of each, by index"))
    if layer.kind is LayerKind.CONV and array.ndim > 2:
        kernel = as_kernels(name, layer.type, array)
        if kernel.shape[2] == 3 or kernel.shape[:2] != (1, 1):
            return _tiles(title, name, kernel, params, listed=kernel.shape[3] == layer.channels, bgr=result.bgr)
        array = kernel[0, 0]
    rows = array.reshape(array.shape[0], -1)
    if max(rows.shape) <= kernels.MATRIX_SIDE:
        return TitledWeight(title, kernels.matrix(rows, params.colormap))
    reduced = f"'{name}': a matrix of {rows.shape[0]:,} × {rows.shape[1]:,} is drawn averaged. The array has every value."
    return TitledWeight(title, kernels.matrix(rows, params.colormap), (reduced,))


def _tiles(
    title: str, name: str, kernel: Float32[np.ndarray, "h w inputs filters"], params: Weights, *, listed: bool, bgr: bool
) -> TitledWeight:
    """Draw kernels as tiles: in colour if a filter reads three inputs, else the kernels of one filter after another.

    If `listed` is true, the parameter `filters` applies to this weight.
    """
    coloured = kernel.shape[2] == 3
    inputs = 1 if coloured else min(params.inputs or kernel.shape[2], kernel.shape[2])
    wanted = chosen_filters(params.filters if listed else None, kernel.shape[3])
    chosen, drawn_inputs = wanted[: max(1, MAX_TILES // inputs)], min(inputs, MAX_TILES)
    count, total = len(chosen) * drawn_inputs, len(wanted) * inputs
    warnings = () if count == total else (f"'{name}': the first {count:,} of {total:,} kernels are drawn. The array has every value.",)
    span = (float(kernel.min()), float(kernel.max()))
    picked = kernel[..., chosen]
    captioned = listed and isinstance(params.filters, tuple)
    if coloured:
        captions = [str(index) for index in chosen] if captioned else None
        rgb = kernels.enlarged(picked[:, :, ::-1] if bgr else picked, count, params.columns)
        picture = kernels.in_colour(rgb, span, columns=params.columns, captions=captions)
        return TitledWeight(title, picture, warnings)
    tiles = picked[:, :, :drawn_inputs].swapaxes(2, 3).reshape(*kernel.shape[:2], count)
    tiles = kernels.enlarged(tiles, count, params.columns)
    captions = [str(index) if inputs == 1 else f"{index}:{each}" for index in chosen for each in range(drawn_inputs)] if captioned else None
    picture = channel_grid(tiles, mode="global", colours=params.colormap, columns=params.columns, captions=captions, span=span)
    return TitledWeight(title, picture, warnings)


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
