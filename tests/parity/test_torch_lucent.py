"""The Fourier parametrisation beside torch-lucent's, from the same spectrum, at even widths.

At an odd width torch-lucent keeps one frequency too many and cuts a column off the image, as Lucid does; here an odd width has its own
⌊W / 2⌋ + 1 frequencies.
"""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from schemas.methods.parts.filter_presets import Regularisers, Transforms
from schemas.models import Preprocessing
from tests.parity.peers import lucent_colour, lucent_spatial, torch
from tests.parity.twins import SIZE, TOLERANCE, channels_last, difference, finished, twins
from workers.engine.ascent.parametrisations import Fourier, starts
from workers.interface import AscentSpec, Objective, Start

SIZES = [(12, 20), (20, 12), (128, 128), (13, 18)]


@pytest.mark.parametrize("size", SIZES)
def test_fourier_images(size: tuple[int, int]) -> None:
    fourier = Fourier(size, 3, Preprocessing())
    spectrum = np.random.default_rng(2).normal(0, 0.5, (2, *fourier.shape)).astype(np.float32)
    (variable,), image = lucent_spatial.fft_image([2, 3, *size])
    assert variable.shape == spectrum.shape
    variable.data = torch.from_numpy(spectrum)
    expected = lucent_colour.to_valid_rgb(image, decorrelate=True)()
    # Both sigmoids are of values to either side of 0: about half of the range is used.
    assert difference(fourier.image(tf.constant(spectrum)).numpy(), channels_last(expected)) < TOLERANCE
    assert channels_last(expected).std() > 0.05


@pytest.mark.parametrize("size", SIZES)
def test_their_gradients(size: tuple[int, int]) -> None:
    """Of Σ weight·pixel: how ascent moves the spectrum."""
    fourier, rng = Fourier(size, 3, Preprocessing()), np.random.default_rng(4)
    spectrum = rng.normal(0, 0.5, (2, *fourier.shape)).astype(np.float32)
    weights = rng.normal(0, 1, (2, *size, 3)).astype(np.float32)
    (variable,), image = lucent_spatial.fft_image([2, 3, *size])
    variable.data = torch.from_numpy(spectrum)
    score = (lucent_colour.to_valid_rgb(image, decorrelate=True)().permute(0, 2, 3, 1) * torch.from_numpy(weights)).sum()
    (expected,) = torch.autograd.grad(score, variable)
    given = tf.constant(spectrum)
    with tf.GradientTape() as tape:
        tape.watch(given)
        total = tf.reduce_sum(fourier.image(given) * weights)
    assert difference(tape.gradient(total, given).numpy(), expected.numpy()) < TOLERANCE


@pytest.mark.parametrize("layer", ["conv2", "relu2"])
def test_ascent(layer: str) -> None:
    """Some steps of Adam on torch-lucent's image through the twin, from the same spectra: images of two channels at once."""
    spec = AscentSpec(
        objective=Objective("channel", layer, indices=(1, 4)),
        parametrisation="fourier",
        size=SIZE,
        steps=10,
        learning_rate=0.05,
        optimizer="adam",
        gradient_norm="none",
        start=Start("normal", sigma=0.5),
        transforms=Transforms(),
        regularisers=Regularisers(),
        seed=6,
    )
    last = finished(twins().probe.ascend(spec))
    fourier = Fourier(SIZE, 3, Preprocessing())
    (variable,), image = lucent_spatial.fft_image([2, 3, *SIZE])
    variable.data = torch.from_numpy(starts(spec.start, fourier.shape, spec.seed, spec.objective.indices))
    rgb, model, kept = lucent_colour.to_valid_rgb(image, decorrelate=True), twins().torch, []
    handle = model.layer(layer).register_forward_hook(lambda module, given, output: kept.append(output))
    adam, values = torch.optim.Adam([variable], lr=spec.learning_rate), []
    for _ in range(spec.steps):
        adam.zero_grad()
        model(rgb() * 2 - 1)
        score = torch.stack([kept[-1][row, channel].mean() for row, channel in enumerate(spec.objective.indices)])
        values.append(score.detach().numpy())
        (-score.sum()).backward()
        adam.step()
    handle.remove()
    assert difference(last.values, np.stack(values, axis=1)) < TOLERANCE
    assert difference(last.images, channels_last(rgb())) < TOLERANCE
