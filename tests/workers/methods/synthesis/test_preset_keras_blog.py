"""The preset keras_blog against its published code, transcribed for a tiny model and run from the same start."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from tests.workers.methods.synthesis.preset_runs import (
    CAFFE,
    CHANNELS,
    assert_same_picture,
    dlwp1_deprocess,
    iterate,
    pictures,
    probe_of,
    resolved,
    result_of,
    unit_noise,
)
from workers.methods.synthesis import filters
from workers.methods.synthesis.recipes import RECIPES

# "How convolutional neural networks see the world", blog.keras.io, and keras/examples/conv_filter_visualization.py.


def keras_blog(model: keras.Model, channels: int, size: int, n: int) -> tuple[list[int], np.ndarray]:
    kept = []
    for filter_index in range(channels):
        step = iterate(model, filter_index)
        image = (unit_noise("keras_blog", size, filter_index) - 0.5) * 20 + 128
        loss_value = 0.0
        for _ in range(20):
            loss_value, gradient = step(image)
            image += gradient * 1.0
            if loss_value <= 0.0:
                break
        if loss_value > 0:
            kept.append((dlwp1_deprocess(image[0]), loss_value, filter_index))
    kept.sort(key=lambda x: x[1], reverse=True)
    kept = kept[: n * n]
    margin = 5
    stitched = np.zeros((n * size + (n - 1) * margin, n * size + (n - 1) * margin, 3), np.uint8)
    for i in range(n):
        for j in range(n):
            stitched[(size + margin) * i : (size + margin) * i + size, (size + margin) * j : (size + margin) * j + size] = kept[i * n + j][
                0
            ]
    return [index for *_, index in kept], stitched


def test_keras_blog_keeps_the_best_of_those_that_respond(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test takes 16 channels instead of 200, 32 pixels instead of 128, and 2 × 2 tiles instead of 8 × 8."""
    probe = probe_of(model, CAFFE)
    default = resolved(probe, preset="keras_blog")
    assert (default.size, default.steps, len(default.channels)) == (128, 20, CHANNELS)
    best_four = RECIPES["keras_blog"].__class__(**{**vars(RECIPES["keras_blog"]), "best": 4})
    monkeypatch.setattr(filters, "RECIPES", {**RECIPES, "keras_blog": best_four})
    _, output = result_of(probe, resolved(probe, preset="keras_blog", channels=16, size=32, columns=2))
    kept, stitched = keras_blog(model, 16, 32, 2)
    assert [image.channel for image in sorted(output.facts.images, key=lambda image: image.rank) if not image.dropped] == kept
    assert sum(image.dropped for image in output.facts.images) == 12
    assert 0 < sum(image.objective == 0 for image in output.facts.images) < 12
    assert_same_picture(pictures(output)["grid"], stitched)
