"""Ablation-CAM: weights by hand, and whole maps by plain loops."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workers.methods.cam.support import ChannelProbe, explained
from tests.workers.methods.support import batch
from workers.methods.cam import ablation_cam


def test_ablation_cams_weights_by_hand() -> None:
    # First class: y = 4 falls to 1 without channel 0 and rises to 6 without channel 1. Second: y = −2 falls to −3. Third: y = 0.
    scores, whole = np.array([[1.0, -3.0, 1.0], [6.0, -2.0, 2.0]]), np.array([4.0, -2.0, 0.0])
    np.testing.assert_allclose(ablation_cam.weights(scores, whole), [[0.75, -0.5], [0.5, 0], [0, 0]])


def test_each_row_has_another_channel_set_to_zero() -> None:
    activations = batch(1)
    found = ablation_cam.ablated(activations, np.array([2, 0]))
    for row, channel in enumerate((2, 0)):
        expected = activations[0].copy()
        expected[:, :, channel] = 0
        np.testing.assert_array_equal(found[row], expected)
    np.testing.assert_array_equal(ablation_cam.not_zero(np.array([[[0, 1, 0]], [[0, 0, -2]]], np.float32)), [False, True, True])


@pytest.mark.parametrize("path", ["conv", "coarse"])
def test_ablation_cam_by_plain_loops(path: str) -> None:
    probe, tensor = ChannelProbe(), batch(1, seed=5)
    result = explained("ablation_cam", tensor, probe, layer=path, class_index=[1, 2])
    activations = (tensor[0, ::2, ::2] if path == "coarse" else tensor[0]).astype(float)
    for row, class_index in enumerate((1, 2)):
        weights = probe.WEIGHTS[class_index].astype(float)
        whole = sum(weights[c] * (tensor[0, ..., c].astype(float) ** 2).sum() for c in range(3))
        expected = np.zeros(activations.shape[:2])
        for k in range(3):
            without = sum(weights[c] * (activations[..., c] ** 2).sum() for c in range(3) if c != k)
            expected += (whole - without) / abs(whole) * activations[..., k]
        np.testing.assert_allclose(result.by_layer[path][row], np.maximum(expected, 0), rtol=1e-4, atol=1e-5)
