"""SmoothGrad (Smilkov et al., arXiv:1706.03825), and its variant with squares (Hooker et al., arXiv:1806.10758)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Float32

from schemas.methods.gradients.smooth_grad import SmoothGrad
from workers.contract.colours import input_to_rgb
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.class_scores import classes_of
from workers.methods.gradients import gradient_attribution, gradient_pictures
from workers.methods.perturbation import masked_scores

draw = gradient_pictures.draw_magnitude


def noisy(image: Float32[np.ndarray, "H W C"], part: slice, noise: float, seed: int) -> Float32[np.ndarray, "b H W C"]:
    """Copies of the image with Gaussian noise, σ = `noise` · (largest − smallest value); of its number alone depends which."""
    sigma = np.float32(noise * float(np.ptp(image)))
    numbers = range(part.start, part.stop)
    return np.stack([image + sigma * np.random.default_rng((seed, at)).standard_normal(image.shape, np.float32) for at in numbers])


def run(probe: Probe, inputs: Inputs, params: SmoothGrad) -> Generator[Slice, None, gradient_attribution.Attribution]:
    """The mean of ∂y/∂x over noisy copies; as a map its largest absolute value over channels."""
    (image,) = inputs.tensor
    found = probe.forward(inputs.tensor, scores=True, output=params.output, precision=params.precision)
    classes = classes_of(probe, found, params)
    sums, preprocessing = np.zeros((len(classes), *image.shape)), probe.description.preprocessing
    shown = masked_scores.as_photo(input_to_rgb(image, preprocessing))

    def preview() -> np.ndarray:
        values = gradient_attribution.magnitude(sums[:1].astype(np.float32))[0]
        return gradient_pictures.heat(values, shown, params.colormap, params)[1]

    samples = gradient_attribution.Samples(params.samples, lambda part: noisy(image, part, params.noise, params.seed))
    weights = np.full(params.samples, 1 / params.samples)
    steps = gradient_attribution.summed(probe, samples, weights, classes, params, sums=sums, squares=params.average == "squares")
    yield from gradient_attribution.reported(steps, masked_scores.Reports(params.samples * len(classes), preview))
    values = sums.astype(np.float32)
    return gradient_attribution.Attribution(
        values, gradient_attribution.magnitude(values), classes, params.target_classes().listed, preprocessing
    )
