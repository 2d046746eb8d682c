"""Gradient SHAP (Lundberg and Lee, arXiv:1705.07874; expected gradients, Erion et al., arXiv:1906.10670)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from rendering.photo import Photo
from schemas.methods.gradients.gradient_shap import GradientShap, GradientShapFacts
from schemas.methods.gradients.path import PathBaseline
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.class_scores import class_scores, target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.completeness import UNSETTLED, CompleteAttribution, draw_complete
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.path_baselines import path_baseline
from workers.methods.gradients.smooth_grad import noisy_copies
from workers.methods.gradients.summed_gradients import GradientSamples, add_products, as_slices
from workers.methods.previews import PreviewedSlices, input_photo, preview_on


@dataclass(frozen=True)
class ShapAttribution(CompleteAttribution):
    """The result of gradient SHAP.

    Attributes:
        baseline_scores: for each class the mean of its scores for the baselines of all samples.
    """

    baseline_scores: Float64[np.ndarray, " n"]


class RandomLines:
    """Lines from random baselines to noisy copies of an image, and a random point on each.

    A line depends only on the seed and on its number. The points are stratified: of the lines from each kind of baseline, one has its
    point in each of as many equal parts of 0 to 1. This is unbiased, and has less sampling error than independent points.
    """

    def __init__(self, image: Float32[np.ndarray, "H W C"], params: GradientShap, preprocessing: Preprocessing) -> None:
        self._image, self._params, self._preprocessing = image, params, preprocessing
        rng, kinds = np.random.default_rng(params.seed), len(params.baselines)
        self.points: Float64[np.ndarray, " samples"] = rng.random(params.samples)
        for own in (slice(first, None, kinds) for first in range(min(kinds, params.samples))):
            parts = rng.permutation(len(self.points[own]))
            self.points[own] = (parts + self.points[own]) / len(parts)
        fixed: list[PathBaseline] = [kind for kind in params.baselines if kind != "random"]
        self._fixed: dict[PathBaseline, Float32[np.ndarray, "H W C"]] = {
            kind: path_baseline(kind, image, preprocessing, 0) for kind in fixed
        }

    def starts(self, numbers: Int64[np.ndarray, " b"]) -> Float32[np.ndarray, "b H W C"]:
        """Return the baselines of the lines with these numbers."""
        kinds = self._params.baselines
        return np.stack([self._start(kinds[number % len(kinds)], number) for number in numbers.tolist()])

    def ends(self, part: slice) -> Float32[np.ndarray, "b H W C"]:
        """Return the noisy copies of the image."""
        return noisy_copies(self._image, part, self._params.noise, self._params.seed)

    def directions(self, part: slice) -> Float32[np.ndarray, "b H W C"]:
        """Return the ends of lines minus their starts."""
        return self.ends(part) - self.starts(np.arange(part.start, part.stop))

    def at_points(self, part: slice) -> Float32[np.ndarray, "b H W C"]:
        """Return the random points on the lines."""
        starts = self.starts(np.arange(part.start, part.stop))
        return starts + self.points[part, None, None, None].astype(np.float32) * (self.ends(part) - starts)

    def distinct(self) -> Int64[np.ndarray, " d"]:
        """Return the numbers of lines that have all different baselines among them: every random one, and one of each other kind."""
        kinds = self._params.baselines
        firsts = {kind: number for number, kind in reversed(list(enumerate(kinds[: self._params.samples])))}
        numbers = range(self._params.samples)
        return np.array([n for n in numbers if kinds[n % len(kinds)] == "random" or n in firsts.values()], np.int64)

    def shares(self) -> Float64[np.ndarray, " d"]:
        """Return for each of the distinct baselines the share of the samples that begin at it."""
        kinds = [self._params.baselines[n % len(self._params.baselines)] for n in range(self._params.samples)]
        counts = [1 if kinds[n] == "random" else kinds.count(kinds[n]) for n in self.distinct().tolist()]
        return np.array(counts) / len(kinds)

    def _start(self, kind: PathBaseline, number: int) -> Float32[np.ndarray, "H W C"]:
        if kind in self._fixed:
            return self._fixed[kind]
        return path_baseline("random", self._image, self._preprocessing, (self._params.seed, number))


def run(probe: Probe, inputs: Inputs, params: GradientShap) -> Generator[Slice, None, ShapAttribution]:
    """Return the mean of (x_i − b_i)·∂y/∂x(b_i + α_i·(x_i − b_i)) over samples i. The map is its sum over the channels."""
    (image,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    whole = probe.forward(inputs.tensor, scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, whole, params)
    lines = RandomLines(image, params, preprocessing)
    sums, photo = np.zeros((len(classes), *image.shape)), input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        return preview_on(photo, channel_sum(sums[:1].astype(np.float32))[0], part="heatmap", **gradient_pictures.signed_options(params))

    numbers, total = lines.distinct(), params.samples * len(classes)
    slices = PreviewedSlices(total + len(numbers), preview)
    of_baselines = np.empty((len(numbers), len(classes)))
    for part in batches(probe, image.shape[:2], len(numbers)):
        yield slices.at(part.start)
        found = probe.forward(lines.starts(numbers[part]), scores=True, output=params.output, precision=params.precision)
        of_baselines[part] = class_scores(found, classes, params.score)
    samples = GradientSamples(params.samples, lines.at_points)
    yield from as_slices(add_products(probe, samples, lines.directions, classes, params, sums=sums), slices, before=len(numbers))
    sums /= params.samples
    mean = lines.shares() @ of_baselines
    values = sums.astype(np.float32)
    attribution = InputAttribution(values, channel_sum(values), classes, params.target_classes().listed, preprocessing)
    return ShapAttribution(attribution, class_scores(whole, classes, params.score)[0] - mean, sums.sum(axis=(1, 2, 3)), mean)


def draw(result: ShapAttribution, photo: Photo, params: GradientShap) -> Output:
    """Return the output of a signed map, with a warning if the attributions do not add up to the score's difference."""
    return draw_complete(
        result,
        photo,
        params,
        GradientShapFacts,
        tolerance=UNSETTLED,
        advice=f"Take more than {params.samples} `samples`" + (", or less `noise`." if params.noise else "."),
        baseline_scores=tuple(result.baseline_scores.tolist()),
    )
