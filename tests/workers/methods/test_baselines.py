"""Baselines in the units of the model's input."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.models import Preprocessing
from workers.methods.baselines import BLUR, baseline

IMAGE = np.random.default_rng(2).normal(size=(9, 14, 3)).astype(np.float32)
BGR = Preprocessing(mode="custom", order="bgr", mean=(10.0, 20.0, 30.0), std=(2.0,))


@pytest.mark.parametrize(
    ("kind", "colour"),
    [("black", [-5, -10, -15]), ("white", [122.5, 117.5, 112.5]), ("mean", IMAGE.reshape(-1, 3).mean(axis=0))],
)
def test_plain_colours_in_input_units(kind: str, colour: list[float]) -> None:
    found = baseline(kind, IMAGE, BGR)  # pyright: ignore[reportArgumentType] - a row of the table
    assert found.shape == IMAGE.shape
    np.testing.assert_allclose(found, np.broadcast_to(np.array(colour), IMAGE.shape), atol=1e-6)


def test_grey_has_one_channel() -> None:
    found = baseline("white", IMAGE[..., :1], Preprocessing.named("tf"))
    np.testing.assert_array_equal(found, np.ones((9, 14, 1)))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_blur_is_a_gaussian_that_repeats_the_edge(channels: int) -> None:
    """The response to one bright pixel follows the formula of a Gaussian."""
    image = np.zeros((41, 61, channels), np.float32)
    image[20, 30] = 1
    found = baseline("blurred", image, BGR)
    assert found.shape == image.shape
    sigma = BLUR * 61
    down, across = np.arange(41) - 20, np.arange(61) - 30
    gaussian = [np.exp(-(steps**2) / (2 * sigma**2)) for steps in (down, across)]
    expected = np.outer(*(each / each.sum() for each in gaussian))
    for channel in range(channels):
        np.testing.assert_allclose(found[..., channel], expected, atol=2e-5)
    flat = np.full((1, 7, channels), 3, np.float32)
    np.testing.assert_allclose(baseline("blurred", flat, BGR), flat, rtol=1e-6)
