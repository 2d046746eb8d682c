"""XRAI (Kapishnikov et al., arXiv:1906.02825), with the segments and the constants of the authors' package saliency."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float32, Float64, Int32

from rendering.drawings.best_areas import BestAreas
from rendering.photo import Photo
from schemas.methods.gradients.xrai import Xrai, XraiFacts
from workers.contract.artifacts import Array, Output, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.graph_segments import graph_segments
from workers.methods.gradients.input_attribution import InputAttribution, largest_value
from workers.methods.gradients.integrated_gradients import quadrature
from workers.methods.gradients.path_baselines import path_baseline
from workers.methods.gradients.ranked_regions import RankedRegions, ranked_regions
from workers.methods.gradients.summed_gradients import GradientSamples, add_gradients
from workers.methods.previews import PreviewedSlices, input_photo, preview_on
from workers.methods.sheets import class_captions, class_overlay

_SLICE_SECONDS = 0.1
_Part = TypeVar("_Part")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class XraiResult:
    """The regions of one job.

    Attributes:
        attribution: the integrated gradients of each class. The maps are the gains of the regions.
        ranks: for each class the rank of each position's region.
        segments: the number of segments from which the regions were chosen.
    """

    attribution: InputAttribution
    ranks: Int32[np.ndarray, "n H W"]
    segments: int

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """The maps of the regions."""
        return self.attribution.maps


def points_and_weights(rule: str, steps: int) -> tuple[Float64[np.ndarray, " steps"], Float64[np.ndarray, " steps"]]:
    """Return the points between 0 and 1 at which gradients are taken, and their weights. The weights sum to 1."""
    if rule == "even":
        return np.linspace(0, 1, steps), np.full(steps, 1 / steps)
    return quadrature(rule, steps)


def run(probe: Probe, inputs: Inputs, params: Xrai) -> Generator[Slice, None, XraiResult]:
    """Take integrated gradients from each baseline, divide the image into segments, and rank these for each class."""
    (image,) = inputs.tensor
    height, width, _ = image.shape
    preprocessing, photo = probe.description.preprocessing, input_photo(inputs, probe.description.preprocessing)
    whole = probe.forward(inputs.tensor, scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, whole, params)
    values = np.zeros((len(classes), *image.shape))

    def preview() -> np.ndarray:
        drawn = largest_value(values[:1].astype(np.float32))[0]
        return preview_on(photo, drawn, part="heatmap", **gradient_pictures.heat_options(params, params.colormap))

    gradients = params.gradients() * len(classes)
    slices = PreviewedSlices(gradients + len(params.scales) + len(classes), preview)
    yield slices.at(0)
    points, weights = points_and_weights(params.rule, params.steps)
    for number, kind in enumerate(params.baselines):
        start = path_baseline(kind, image, preprocessing, (params.seed, number))
        line, sums = image - start, np.zeros_like(values)
        samples = GradientSamples(
            params.steps, lambda part, start=start, line=line: start + points[part, None, None, None].astype(np.float32) * line
        )
        for done in add_gradients(probe, samples, weights, classes, params, sums=sums):
            yield slices.at(number * params.steps * len(classes) + done)
        values += sums * line / len(params.baselines)
    dividing = graph_segments(photo.image, params.scales, params.dilation_radius(height, width))
    segments = yield from _as_slices(dividing, lambda done: slices.at(gradients + done))
    found: list[RankedRegions] = []
    for own in largest_value(values):
        ranking = ranked_regions(own, segments, min_pixels=params.fewest_pixels(height, width), area=params.area)
        at_work = gradients + len(params.scales) + len(found)
        found.append((yield from _as_slices(ranking, lambda _, at=at_work: slices.at(at))))
        yield slices.at(at_work + 1)
    attribution = InputAttribution(
        values.astype(np.float32),
        np.stack([each.gains for each in found]).astype(np.float32),
        classes,
        params.target_classes().listed,
        preprocessing,
    )
    return XraiResult(attribution, np.stack([each.ranks for each in found]), len(segments))


def _as_slices(parts: Generator[_Part, None, _Result], at: Callable[[_Part], Slice]) -> Generator[Slice, None, _Result]:
    """Do work in parts, and end a slice after the part with which it has taken a tenth of a second. `at` returns this slice."""
    started = time.monotonic()
    while True:
        try:
            part = next(parts)
        except StopIteration as stop:
            return stop.value
        if time.monotonic() - started > _SLICE_SECONDS:
            yield at(part)
            started = time.monotonic()


def draw(result: XraiResult, photo: Photo, params: Xrai) -> Output:
    """Return the output of a map of regions, with the image's best regions and the ranks."""
    attribution = result.attribution
    overlay = class_overlay(attribution.classes, photo, **gradient_pictures.heat_options(params, params.colormap))
    regions = tuple(int(ranks.max()) for ranks in result.ranks)
    output = gradient_pictures.output_of(attribution, photo, overlay, None, XraiFacts, segments=result.segments, regions=regions)
    arrays = [each for each in output.artifacts if isinstance(each, Array)]
    captions = class_captions(attribution.classes) if len(attribution.classes) > 1 else ()
    best = BestAreas(photo_size=photo.image.shape[:2], placement=photo.placement, shares=params.shares, captions=captions)
    ranks = Array("ranks", result.ranks if attribution.listed else result.ranks[0])
    return replace(output, artifacts=(*output.artifacts, PictureOfArrays.of("best", best, arrays), ranks))
