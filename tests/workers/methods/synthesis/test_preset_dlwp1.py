"""The preset dlwp1 against the code of the book, transcribed for a tiny model and run from the same start."""

from __future__ import annotations

import keras
import numpy as np

from tests.workers.methods.synthesis.preset_runs import (
    CAFFE,
    assert_same_picture,
    dlwp1_deprocess,
    iterate,
    pictures,
    probe_of,
    resolved,
    result_of,
    unit_noise,
)


def dlwp1_pattern(model: keras.Model, channel: int, size: int) -> np.ndarray:
    step = iterate(model, channel)
    image = unit_noise("dlwp1", size, channel) * 20 + 128.0
    for _ in range(40):
        _, gradient = step(image)
        image += gradient * 1.0
    return image[0]


def test_dlwp1_alone_is_150_pixels(model: keras.Model) -> None:
    probe = probe_of(model, CAFFE)
    params = resolved(probe, preset="dlwp1", channels=[3])
    assert params.size == 150
    result, output = result_of(probe, params)
    expected = dlwp1_pattern(model, 3, 150)
    np.testing.assert_allclose(result.images[0], expected, rtol=2e-5, atol=5e-3)
    assert_same_picture(pictures(output)["channel_3"], dlwp1_deprocess(expected))


def test_dlwp1_grid_is_filled_by_columns(model: keras.Model) -> None:
    probe = probe_of(model, CAFFE)
    params = resolved(probe, preset="dlwp1", steps=2, annotate=False)
    assert (params.size, len(params.channels)) == (64, 64)
    result, output = result_of(probe, params)
    shown = pictures(output)
    size, margin = 64, 5
    expected = np.zeros((8 * size + 7 * margin, 8 * size + 7 * margin, 3), np.uint8)
    for i in range(8):
        for j in range(8):
            top, left = i * size + i * margin, j * size + j * margin
            expected[top : top + size, left : left + size] = shown[f"channel_{i + j * 8}"]
    np.testing.assert_array_equal(shown["grid"], expected)
    for channel in (0, 1, 8):
        if result.gradient_seen[channel]:
            assert_same_picture(shown[f"channel_{channel}"], dlwp1_deprocess(result.images[channel]))
    assert sum(result.gradient_seen) > 20
