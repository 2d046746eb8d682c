"""Score-CAM: masks and weights by hand, and whole maps by plain loops."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tests.workers.methods.cam.support import ChannelProbe, explained
from tests.workers.methods.support import batch
from workers.contract.map_place import MapPlace
from workers.methods.cam import score_cam


def test_score_cams_masks_by_hand() -> None:
    activations = np.array([[[1, 5, -1], [3, 5, 1]]], np.float32)
    found = score_cam.masks(activations, (1, 4), MapPlace.whole((1, 4)))
    # enlarged to four columns, a rise is 0, 1/4, 3/4, 1 of its height; a constant channel gives no mask
    np.testing.assert_allclose(found, [[[0, 0.25, 0.75, 1]], [[0] * 4], [[0, 0.25, 0.75, 1]]], atol=1e-7)
    np.testing.assert_array_equal(score_cam.varies(activations), [True, False, True])
    assert score_cam.masks(activations[..., :1], (3, 2), MapPlace.whole((3, 2))).shape == (1, 3, 2)


def test_score_cams_weights_by_hand() -> None:
    scores = np.log([[1, 6], [3, 2], [4, 2]])
    np.testing.assert_allclose(score_cam.weights(scores, np.zeros(2)), [[1 / 8, 3 / 8, 4 / 8], [0.6, 0.2, 0.2]])
    np.testing.assert_allclose(score_cam.weights(scores + 5000, np.zeros(2)), [[1 / 8, 3 / 8, 4 / 8], [0.6, 0.2, 0.2]])


@pytest.mark.parametrize("path", ["conv", "coarse"])
def test_score_cam_by_plain_loops(path: str) -> None:
    probe, tensor = ChannelProbe(), batch(1)
    result = explained("score_cam", tensor, probe, layer=path, class_index=[1, 0])
    activations = tensor[0, ::2, ::2] if path == "coarse" else tensor[0]
    scores = np.zeros((2, 3))
    for k in range(3):
        large = cv2.resize(np.ascontiguousarray(activations[..., k]), (6, 4), interpolation=cv2.INTER_LINEAR)
        mask = (large - large.min()) / (large.max() - large.min())
        seen = tensor[0] * mask[..., None]
        for row, class_index in enumerate((1, 0)):
            scores[row, k] = sum(probe.WEIGHTS[class_index, c] * (seen[..., c].astype(float) ** 2).sum() for c in range(3))
    for row in range(2):
        weights = np.exp(scores[row]) / np.exp(scores[row]).sum()
        expected = np.maximum(sum(weights[k] * activations[..., k] for k in range(3)), 0)
        np.testing.assert_allclose(result.by_layer[path][row], expected, rtol=1e-4, atol=1e-5)
    assert [scored.class_index for scored in result.classes] == [1, 0]
