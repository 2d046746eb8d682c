"""Draw layers' activations for a photo as grids of channels, with statistics and a ranking.

Source: Chollet, Deep Learning with Python, 5.4.1.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64, UInt8

from rendering.annotated_sheet import annotated_sheet
from rendering.channel_grid import bounded_size
from rendering.drawings.layer_channels import LayerChannels
from rendering.photo import Photo
from rendering.placement import place_on_photo
from rendering.titles import titled_sheet
from schemas.methods.inspection.activations import (
    RANKED_OF_SEVERAL,
    Activations,
    ActivationsFacts,
    ChannelScaling,
    LayerStatistics,
)
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.artifact_names import artifact_names
from workers.methods.map_places import photo_under


@dataclass(frozen=True)
class LayerActivations:
    """One photo's activations, and where the maps among them lie over the model's input.

    Attributes:
        arrays: the activations by layer path, float32: (h, w, K), (K,), or with more axes before the channel axis.
        places: the place of each activation (h, w, K), by layer path.
        model: the name of the model.
    """

    arrays: Mapping[str, AnyFloat32]
    places: Mapping[str, MapPlace]
    model: str


@dataclass(frozen=True)
class ChannelNumbers:
    """Statistics of each of k channels over its p positions. `values` must be finite."""

    values: Float32[np.ndarray, "p k"]

    @cached_property
    def mean(self) -> Float64[np.ndarray, " k"]:
        return self.values.mean(axis=0, dtype=np.float64)

    @cached_property
    def max(self) -> Float32[np.ndarray, " k"]:
        return self.values.max(axis=0)

    @cached_property
    def min(self) -> Float32[np.ndarray, " k"]:
        return self.values.min(axis=0)

    @cached_property
    def sparsity(self) -> Float64[np.ndarray, " k"]:
        """Return the share of values that are exactly 0, 0-1."""
        return 1 - np.count_nonzero(self.values, axis=0) / len(self.values)

    @cached_property
    def dead(self) -> Bool[np.ndarray, " k"]:
        """Return for each channel whether all its values are the same, or whether its only value is 0."""
        return self.max == self.min if len(self.values) > 1 else self.max == 0

    @cached_property
    def ranking(self) -> Int64[np.ndarray, " k"]:
        """Return the channels by mean, the highest first. Of equal means, the lower index is first."""
        return np.argsort(-self.mean, kind="stable")


def drawn_channels(params: Activations, numbers: ChannelNumbers) -> Int64[np.ndarray, " n"]:
    """Return the indices of the channels to draw, in the order of drawing."""
    count = numbers.values.shape[1]
    chosen = np.asarray(params.channels) if isinstance(params.channels, tuple) else np.arange(count)
    if params.order != "index":
        strength = numbers.mean if params.order == "mean" else numbers.max
        chosen = chosen[np.argsort(-strength[chosen], kind="stable")]
    return chosen[: params.channels] if isinstance(params.channels, int) else chosen


def batch_key(params: Activations) -> Hashable:
    """Jobs that look at the same layers run as one batch, even if they are drawn differently."""
    return params.layer_paths(), params.precision


def run(probe: Probe, inputs: Inputs, params: Sequence[Activations]) -> list[LayerActivations]:
    """Return the layers' activations for each photo of the batch."""
    paths = params[0].layer_paths()
    found = probe.forward(inputs.tensor, paths, precision=params[0].precision)
    height, width = inputs.tensor.shape[1:3]
    places = {path: probe.map_place(path, (height, width)) for path in paths if found.activations[path].ndim == 4}
    model = probe.description.name
    return [LayerActivations({path: found.activations[path][row] for path in paths}, places, model) for row in range(len(params))]


def draw(result: LayerActivations, photo: Photo, params: Activations) -> Output:
    """Draw the grids of channels. Values that are not finite are drawn and counted as 0, with a warning."""
    several = isinstance(params.layer, tuple)
    artifacts: list[Picture | PictureOfArrays | Array] = []
    grids: list[UInt8[np.ndarray, "h w 3"]] = []
    titles: list[str] = []
    notes: list[str] = []
    statistics: list[LayerStatistics] = []
    warnings: list[str] = []
    names = artifact_names(result.arrays)
    for path, array in result.arrays.items():
        suffix = f".{names[path]}" if several else ""
        finite = np.isfinite(array)
        if not finite.all():
            warnings.append(
                f"Layer '{path}': {array.size - np.count_nonzero(finite):,} values are not finite. They are drawn and counted as 0."
            )
        clean = np.where(finite, array, np.float32(0)) if not finite.all() else array
        numbers = ChannelNumbers(clean.reshape(-1, clean.shape[-1]))
        place = result.places.get(path)
        stored = Array("activations" + suffix, array, None if place is None else place_on_photo(photo_under(photo, place).placement))
        drawing, more = _drawing((path, stored, numbers), result.model, params)
        warnings += more
        if several:
            grids.append(drawing.untitled({stored.name: array}))
            titles.append(drawing.title)
            notes.append(drawing.note)
            artifacts.append(PictureOfArrays.of("grid" + suffix, drawing, [stored]))
        else:
            artifacts.append(Picture("grid", drawing.draw({stored.name: array}), primary=True))
        artifacts.append(stored)
        statistics.append(_statistics(path, array.shape, numbers, ranked=RANKED_OF_SEVERAL if several else None))
    if several:
        title = (Activations.card.title, result.model)
        sheet = annotated_sheet(title, grids, titles, notes) if params.annotate else titled_sheet(grids, titles)
        artifacts.insert(0, Picture("grid", sheet, primary=True))
    return Output(tuple(artifacts), ActivationsFacts(layers=tuple(statistics)), tuple(warnings))


def _drawing(layer: tuple[str, Array, ChannelNumbers], model: str, params: Activations) -> tuple[LayerChannels, list[str]]:
    """Return the drawing of a layer's activations, and warnings about it. `layer` is its path, its activations and their statistics."""
    path, array, numbers = layer
    warnings: list[str] = []
    shape, mode, chosen = array.shape, _scaling(numbers, params), None
    if len(shape) > 1:
        if mode != "global" and len(numbers.values) == 1:
            mode = "global"
            warnings.append(f"Layer '{path}' has only one position, so a channel has no deviation. It is drawn with scaling 'global'.")
        drawn = drawn_channels(params, numbers)
        if params.channels is not None or params.order != "index":
            chosen = tuple(drawn.tolist())
        height, width = len(numbers.values) // shape[-2], shape[-2]
        size = bounded_size(len(drawn), height, width)
        if size != (height, width):
            warnings.append(
                f"Layer '{path}': {len(drawn)} channels of {width} × {height} are drawn at {size[1]} × {size[0]} each. "
                "The array has every value."
            )
    title = f"{path} · {' × '.join(str(length) for length in shape)}"
    drawing = LayerChannels(
        source=array.name,
        title=title,
        scaling=mode,
        colormap=params.colormap,
        columns=params.columns,
        channels=chosen,
        note=_meaning(mode, numbers, params) if len(shape) > 1 else "",
        numbers=params.annotate,
        parts=(Activations.card.title, model, title) if params.annotate else (),
    )
    return drawing, warnings


def _scaling(numbers: ChannelNumbers, params: Activations) -> ChannelScaling:
    """Return the scaling that is asked for, or the one that fits the layer."""
    if params.scaling is not None:
        return params.scaling
    return "from_zero" if params.annotate and numbers.min.min() >= 0 else "per_channel"


def _meaning(mode: ChannelScaling, numbers: ChannelNumbers, params: Activations) -> str:
    """Return what the colours mean, in words."""
    if not params.annotate:
        return ""
    grey = " · grey: nearly the same everywhere"
    match mode:
        case "from_zero":
            return f"lowest colour: 0, highest colour: each channel's largest value{grey}"
        case "per_channel":
            return f"each channel around its own mean, so channels cannot be compared{grey}"
        case "global":
            ends = (f"{value:.3g}".replace("-", "−") for value in (numbers.min.min(), numbers.max.max()))
            return "all channels on one scale, from {} to {}".format(*ends)


def _statistics(path: str, shape: tuple[int, ...], numbers: ChannelNumbers, ranked: int | None) -> LayerStatistics:
    """Return the statistics of a layer, and those of its first `ranked` channels by mean, or of all if it is None."""
    ranking = numbers.ranking[:ranked]
    columns = (ranking, *(each[ranking] for each in (numbers.mean, numbers.max, numbers.sparsity, numbers.dead)))
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return LayerStatistics.model_validate(  # one call for all channels takes half of the time of a call for each
        {
            "layer": path,
            "shape": shape,
            "mean": float(numbers.mean.mean()),
            "max": float(numbers.max.max()),
            "sparsity": float(numbers.sparsity.mean()),
            "dead_channels": np.flatnonzero(numbers.dead).tolist(),
            "channels": [
                {"channel": channel, "mean": mean, "max": top, "sparsity": sparsity, "dead": dead}
                for channel, mean, top, sparsity, dead in rows
            ],
        }
    )
