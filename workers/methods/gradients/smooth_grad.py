"""SmoothGrad (Smilkov et al., arXiv:1706.03825), SmoothGrad-Squared (Hooker et al., arXiv:1806.10758) and VarGrad (Adebayo et al.,
arXiv:1810.03292).
"""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32, Float64

from schemas.methods.gradients.smooth_grad import Average, SmoothGrad
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, largest_magnitude
from workers.methods.gradients.summed_gradients import GradientSamples, as_slices, sampled_gradients
from workers.methods.previews import PreviewedSlices, input_photo, preview_on

draw = gradient_pictures.draw_magnitude


def noisy_copies(image: Float32[np.ndarray, "H W C"], part: slice, noise: float, seed: int) -> Float32[np.ndarray, "b H W C"]:
    """Return copies of the image with Gaussian noise. The noise of a copy depends only on the seed and on the copy's number.

    Args:
        part: the numbers of the copies to make.
        noise: σ as a share of the input's range (the largest value minus the smallest).
    """
    sigma = np.float32(noise * float(np.ptp(image)))
    numbers = range(part.start, part.stop)
    return np.stack([image + sigma * np.random.default_rng((seed, at)).standard_normal(image.shape, np.float32) for at in numbers])


class GradientStatistics:
    """The mean, the mean square and the variance of the gradients that have been added so far, for each of n classes.

    It keeps sums of the deviations from the first gradient of each class. So the variance of equal gradients is 0, without rounding.
    """

    def __init__(self, classes: int, shape: tuple[int, ...]) -> None:
        self._first = np.zeros((classes, *shape))
        self._deviations = np.zeros((classes, *shape))
        self._squares = np.zeros((classes, *shape))
        self._counts = np.zeros(classes, int)

    def add(self, at: int, gradients: Float64[np.ndarray, "b H W C"]) -> None:
        """Add gradients of the class with the number `at`."""
        if self._counts[at] == 0:
            self._first[at] = gradients[0]
        deviations = gradients - self._first[at]
        self._deviations[at] += deviations.sum(axis=0)
        self._squares[at] += np.square(deviations).sum(axis=0)
        self._counts[at] += len(gradients)

    def of(self, average: Average) -> Float32[np.ndarray, "n H W C"]:
        """Return the mean of the gradients, of their squares, or their variance E(g − E g)². A class without gradients has zeros."""
        counts = np.maximum(self._counts, 1)[:, None, None, None]
        shift, spread = self._deviations / counts, self._squares / counts
        mean, variance = self._first + shift, np.maximum(spread - np.square(shift), 0)
        return {"mean": mean, "squares": np.square(mean) + variance, "variance": variance}[average].astype(np.float32)


def run(probe: Probe, inputs: Inputs, params: SmoothGrad) -> Generator[Slice, None, InputAttribution]:
    """Return the mean of ∂y/∂x over noisy copies, of its square, or its variance. The map is the largest absolute value of the channels."""
    (image,) = inputs.tensor
    found = probe.forward(inputs.tensor, scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, found, params)
    statistics, preprocessing = GradientStatistics(len(classes), image.shape), probe.description.preprocessing
    photo = input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        values = largest_magnitude(statistics.of(params.average)[:1])[0]
        return preview_on(photo, values, part="heatmap", **gradient_pictures.heat_options(params, params.colormap))

    def steps() -> Generator[int, None, None]:
        samples = GradientSamples(params.samples, lambda part: noisy_copies(image, part, params.noise, params.seed))
        for sampled in sampled_gradients(probe, samples, classes, params, image.shape[:2]):
            statistics.add(sampled.at, sampled.values)
            yield sampled.done

    yield from as_slices(steps(), PreviewedSlices(params.samples * len(classes), preview))
    values = statistics.of(params.average)
    return InputAttribution(values, largest_magnitude(values), classes, params.target_classes().listed, preprocessing)
