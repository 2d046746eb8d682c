"""Blur integrated gradients (Xu et al., CVPR 2020, arXiv:2004.03383)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.gradients.blur_ig import BlurIg, BlurIgFacts
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import class_scores, target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.completeness import UNSETTLED, CompleteAttribution, draw_complete
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.summed_gradients import GradientSamples, add_products, as_slices
from workers.methods.previews import PreviewedSlices, input_photo, preview_on

# The authors' code takes the kernel up to 4 σ, as SciPy does, and ∂L/∂σ as a quotient of differences with this step.
_REACH = 4
_DIFFERENCE = 0.01
# The σ of the strongest blur as a share of the shorter side: 50 for a side of 224, as in the authors' code.
_STRONGEST = 50 / 224


@dataclass(frozen=True)
class BlurAttribution(CompleteAttribution):
    """The result of blur integrated gradients.

    Attributes:
        max_sigma: the σ of the strongest blur in pixels.
    """

    max_sigma: float


def strongest_blur(size: tuple[int, int], params: BlurIg) -> float:
    """Return the σ of the strongest blur of an input of `size` (height, width), in pixels."""
    return params.max_sigma or _STRONGEST * min(size)


def blur_matrix(size: int, sigma: float) -> Float64[np.ndarray, "size size"]:
    """Return the matrix that blurs a line of `size` values by a Gaussian of σ values. Beyond the line there are zeros."""
    if sigma == 0:
        return np.eye(size)
    reach = int(_REACH * sigma + 0.5)
    offsets = np.arange(size)
    distances = np.abs(offsets[:, None] - offsets)
    total = np.exp(-np.square(np.arange(-reach, reach + 1)) / (2 * sigma**2)).sum()
    return np.where(distances <= reach, np.exp(-np.square(distances) / (2 * sigma**2)), 0) / total


def blurred(image: Float32[np.ndarray, "H W C"], sigma: float) -> Float64[np.ndarray, "H W C"]:
    """Return the image under a Gaussian blur of σ pixels. Beyond the image there are zeros, as in the authors' code."""
    height, width, channels = image.shape
    rows = blur_matrix(height, sigma) @ image.reshape(height, width * channels).astype(np.float64)
    return np.matmul(blur_matrix(width, sigma), rows.reshape(height, width, channels))


class BlurPath:
    """The steps of the path from the blurred image to the sharp one. A step is the same in whichever slice it is made."""

    def __init__(self, image: Float32[np.ndarray, "H W C"], params: BlurIg) -> None:
        self._image, self._params, self._strongest = image, params, strongest_blur(image.shape[:2], params)
        self._steps = lru_cache(maxsize=1)(self._made)

    def points(self, part: slice) -> Float32[np.ndarray, "b H W C"]:
        """Return the images at which gradients are taken."""
        return self._steps(part.start, part.stop)[0].astype(np.float32)

    def changes(self, part: slice) -> Float64[np.ndarray, "b H W C"]:
        """Return by how much each step changes the image. All changes together lead from the blurred image to the sharp one."""
        return self._steps(part.start, part.stop)[1]

    def _made(self, start: int, stop: int) -> tuple[Float64[np.ndarray, "b H W C"], Float64[np.ndarray, "b H W C"]]:
        step, strongest = np.arange(start, stop + 1) / self._params.steps, self._strongest
        if self._params.rule == "midpoint":
            levels = np.stack([blurred(self._image, sigma) for sigma in (strongest * step**2).tolist()])
            return (levels[:-1] + levels[1:]) / 2, levels[:-1] - levels[1:]
        sigmas = (strongest * step[:-1]).tolist()
        points = np.stack([blurred(self._image, sigma) for sigma in sigmas])
        beyond = np.stack([blurred(self._image, sigma + _DIFFERENCE) for sigma in sigmas])
        return points, (points - beyond) / _DIFFERENCE * (strongest / self._params.steps)


def run(probe: Probe, inputs: Inputs, params: BlurIg) -> Generator[Slice, None, BlurAttribution]:
    """Return Σ change·∂y/∂x over the steps of the path. The map is its sum over the channels."""
    (image,) = inputs.tensor
    preprocessing = probe.description.preprocessing
    strongest = strongest_blur(image.shape[:2], params)
    start = blurred(image, strongest).astype(np.float32)
    ends = probe.forward(np.stack([image, start]), scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, ends, params)
    scores = class_scores(ends, classes, params.score)
    sums, photo = np.zeros((len(classes), *image.shape)), input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        return preview_on(photo, channel_sum(sums[:1].astype(np.float32))[0], part="heatmap", **gradient_pictures.signed_options(params))

    path = BlurPath(image, params)
    samples = GradientSamples(params.steps, path.points)
    steps = add_products(probe, samples, path.changes, classes, params, sums=sums)
    yield from as_slices(steps, PreviewedSlices(params.steps * len(classes), preview))
    values = sums.astype(np.float32)
    attribution = InputAttribution(values, channel_sum(values), classes, params.target_classes().listed, preprocessing)
    return BlurAttribution(attribution, scores[0] - scores[1], sums.sum(axis=(1, 2, 3)), strongest)


def draw(result: BlurAttribution, photo: Photo, params: BlurIg) -> Output:
    """Return the output of a signed map, with a warning if the attributions do not add up to the score's difference."""
    advice = f"Take more than {params.steps} `steps`."
    return draw_complete(result, photo, params, BlurIgFacts, tolerance=UNSETTLED, advice=advice, max_sigma=result.max_sigma)
