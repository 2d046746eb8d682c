"""The mean and the spread of an attribution method's maps over the photos of a set.

Many photos show what one map hides, for example that a model looks at a watermark: Lapuschkin et al., arXiv:1902.10178.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Int32, UInt8

from rendering import colormaps, scaling
from rendering.charts.colour_scale import ColourScale
from rendering.charts.scaled_tiles import scaled_tile, tiles_in_rows
from rendering.charts.tile_with_scale import scale_labels
from rendering.colormaps import Colours
from rendering.overlays.blend import blend
from rendering.overlays.diverging import blend_diverging
from rendering.photo import Photo, Placement
from rendering.titles import titled
from schemas.methods import METHODS
from schemas.methods.sets.mean_map import MeanMap, MeanMapFacts
from schemas.models import PublishedModel
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.colours import input_to_rgb
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.evaluation.combined_progress import STEPS_PER_RUN, CombinedProgress
from workers.methods.evaluation.faithfulness import run_attribution
from workers.methods.inspection.photo_batches import forward_in_batches
from workers.methods.sets.framed_maps import RunningMap, agreement, framed, scaled, seen_of_photo

SMALL = 64  # the longer side of the maps whose agreement is measured
FEW = 5  # a warning says so if there are fewer photos


@dataclass(frozen=True)
class MeanMapResult:
    """The mean and the spread of n maps in one frame (H, W).

    Attributes:
        mean, spread, count: what `RunningMap` has found.
        photo: the mean of the inputs in the frame, uint8 RGB.
        class_index: the class that all maps explain.
        top_class: the number of photos whose top class it is.
        small: each photo's map, made smaller, unless it is flat.
        flat: the number of photos whose map is flat.
        model: the model with its labels.
        sizes: the sizes of the inputs of the photos.
    """

    mean: Float32[np.ndarray, "H W"]
    spread: Float32[np.ndarray, "H W"]
    count: Int32[np.ndarray, "H W"]
    photo: UInt8[np.ndarray, "H W 3"]
    class_index: int
    top_class: int
    small: tuple[Float32[np.ndarray, "h w"], ...]
    flat: int
    model: PublishedModel
    sizes: frozenset[tuple[int, int]]


def run(probe: Probe, inputs: Inputs, params: MeanMap) -> Generator[Slice, None, MeanMapResult]:
    """Find the class, then add up the map of one photo after the other.

    Raises:
        NonFinite: The scores of a photo are not finite. The error names the photo by its number.
    """
    progress = CombinedProgress(len(inputs.several) * (1 + STEPS_PER_RUN))
    best: list[int] = []
    for each in forward_in_batches(probe, inputs.several, scores=True, precision=params.precision):
        if each.found.logits is None:
            raise ValueError(f"the pass through model '{probe.description.name}' gave no class scores")
        best += each.found.logits.argmax(axis=1).tolist()
        yield progress.advance(len(each.images))
    counted = Counter(best)
    chosen = params.class_index if isinstance(params.class_index, int) else min(counted, key=lambda index: (-counted[index], index))
    attribution = params.attribution_params(chosen)
    frame = _size(inputs.several[0].tensor)
    maps, photos = RunningMap(frame), np.zeros((*frame, 3))
    small: list[Float32[np.ndarray, "h w"]] = []
    for each in inputs.several:
        single = Inputs(each.tensor[None], each.photo.image, photos=(each.photo,))
        result = yield from progress.through(run_attribution(probe, single, attribution))
        place = getattr(result, "place", MapPlace.whole(_size(each.tensor)))
        values = framed(result.maps[0], place, _size(each.tensor), frame)
        maps.add(scaled(values) if params.scale == "each" else values, seen_of_photo(each.photo, frame))
        photos += cv2.resize(input_to_rgb(each.tensor, probe.description.preprocessing), frame[::-1], interpolation=cv2.INTER_AREA)
        if np.ptp(values) > 0:
            small.append(_smaller(scaled(values)))
    return MeanMapResult(
        mean=maps.mean.astype(np.float32),
        spread=maps.spread.astype(np.float32),
        count=maps.count,
        photo=np.rint(photos / len(inputs.several)).astype(np.uint8),
        class_index=chosen,
        top_class=counted[chosen],
        small=tuple(small),
        flat=len(inputs.several) - len(small),
        model=probe.published,
        sizes=frozenset(_size(each.tensor) for each in inputs.several),
    )


def draw(result: MeanMapResult, photo: Photo | None, params: MeanMap) -> Output:
    """Return the mean photo, and on it the mean map and the spread."""
    del photo
    frame = (result.mean.shape[0], result.mean.shape[1])
    label = result.model.label_of(result.class_index)
    facts = MeanMapFacts(
        attribution=params.attribution,
        class_index=result.class_index,
        label=label,
        images=len(params.images),
        top_class=result.top_class,
        flat=result.flat,
        agreement=agreement(result.small),
        frame=frame,
    )
    under = Photo(result.photo, Placement(frame, (0, 0, *frame), (0, 0, *frame)))
    signed = bool((result.mean < 0).any())
    if signed:
        mean, _ = blend_diverging(scaling.signed(result.mean), under, 0.8)
    else:
        mean, _ = blend(scaling.heat(result.mean), under, "turbo", 0.6)
    spread = blend(scaling.heat(result.spread), under, "inferno", 0.8)[0]
    largest, widest = float(np.abs(result.mean).max()), float(result.spread.max())
    colours: Colours = "signed" if signed else "turbo"
    tiles = [
        scaled_tile(f"mean of {facts.images} photos", result.photo, frame),
        scaled_tile("mean map", mean, frame, ColourScale(colormaps.table(colours), scale_labels(-largest if signed else 0.0, largest))),
        scaled_tile("spread", spread, frame, ColourScale(colormaps.table("inferno"), scale_labels(0.0, widest))),
    ]
    name = label or f"class {result.class_index}"
    method = METHODS[params.attribution].card.title
    title = f"{MeanMap.card.title} · {result.model.description.name} · {method} · {name}"
    if facts.agreement is not None:
        title += f" · agreement {facts.agreement:.2f}".replace("-", "−")
    return Output(
        (
            Picture("picture", titled(tiles_in_rows(tiles, len(tiles)), title), primary=True),
            Array("mean", result.mean),
            Array("spread", result.spread),
            Array("count", result.count),
        ),
        facts,
        tuple(_warnings(result, facts)),
    )


def _warnings(result: MeanMapResult, facts: MeanMapFacts) -> Iterator[str]:
    if why := scaling.why_degenerate(result.mean):
        yield f"The mean map is {why}; it is drawn as zeros."
    if facts.images < FEW:
        yield f"The set has only {facts.images} photos, so the mean is little more than their maps."
    if result.flat:
        yield f"The map of {result.flat} photos is the same everywhere. They count as maps of zeros in the mean, and not in the agreement."
    if len(result.sizes) > 1:
        yield "The photos have inputs of different sizes. Their maps are stretched to the input of the first photo."


def _size(tensor: Float32[np.ndarray, "H W C"]) -> tuple[int, int]:
    return tensor.shape[0], tensor.shape[1]


def _smaller(values: Float32[np.ndarray, "H W"]) -> Float32[np.ndarray, "h w"]:
    """Return the map with a longer side of at most 64, by averaging."""
    share = SMALL / max(values.shape)
    if share >= 1:
        return values
    size = (max(1, round(values.shape[1] * share)), max(1, round(values.shape[0] * share)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)
