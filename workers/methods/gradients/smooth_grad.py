"""SmoothGrad (Smilkov et al., arXiv:1706.03825) and SmoothGrad-Squared (Hooker et al., arXiv:1806.10758)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32

from schemas.methods.gradients.smooth_grad import SmoothGrad
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import target_predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, largest_magnitude
from workers.methods.gradients.summed_gradients import GradientSamples, add_gradients, as_slices
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


def run(probe: Probe, inputs: Inputs, params: SmoothGrad) -> Generator[Slice, None, InputAttribution]:
    """Return the mean of ∂y/∂x, or of its square, over noisy copies. The map is its largest absolute value over the channels."""
    (image,) = inputs.tensor
    found = probe.forward(inputs.tensor, scores=True, output=params.output, precision=params.precision)
    classes = target_predictions(probe, found, params)
    sums, preprocessing = np.zeros((len(classes), *image.shape)), probe.description.preprocessing
    photo = input_photo(inputs, preprocessing)

    def preview() -> np.ndarray:
        values = largest_magnitude(sums[:1].astype(np.float32))[0]
        return preview_on(photo, values, part="heatmap", **gradient_pictures.heat_options(params, params.colormap))

    samples = GradientSamples(params.samples, lambda part: noisy_copies(image, part, params.noise, params.seed))
    weights = np.full(params.samples, 1 / params.samples)
    steps = add_gradients(probe, samples, weights, classes, params, sums=sums, squares=params.average == "squares")
    yield from as_slices(steps, PreviewedSlices(params.samples * len(classes), preview))
    values = sums.astype(np.float32)
    return InputAttribution(values, largest_magnitude(values), classes, params.target_classes().listed, preprocessing)
