"""The arithmetic of class activation maps by hand and against other ways to compute it."""

from __future__ import annotations

import numpy as np
import pytest

from workers.contract.map_place import MapPlace
from workers.methods.cam import cam_maps


def arrays(n: int = 3, height: int = 5, width: int = 7, channels: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    values = np.random.default_rng(seed).normal(size=(2, n, height, width, channels)).astype(np.float32)
    return values[0], values[1]


def test_weights_of_channels_and_of_positions_by_hand() -> None:
    activations = np.array([[[[1, 2], [3, 4]]], [[[1, 0], [0, 5]]]], np.float32)
    # first image: 1·2 − 2 = 0 and 3·2 − 4 = 2; second: 0 + 0 and 0 + 15
    np.testing.assert_array_equal(cam_maps.weighted(activations, np.array([[2, -1], [0, 3]], np.float32)), [[[0, 2]], [[0, 15]]])
    by_position = np.array([[[[1, 1], [1, -1]]], [[[-1, 9], [9, 2]]]], np.float32)
    # first image: 1 + 2, and relu(3 − 4) = 0; second: relu(−1) = 0, and 10
    np.testing.assert_array_equal(cam_maps.weighted(activations, by_position), [[[3, 0]], [[0, 10]]])


def test_equal_weights_at_all_positions_give_what_one_weight_a_channel_gives() -> None:
    activations, other = arrays()
    weights = other[:, 0, 0]
    everywhere = np.broadcast_to(weights[:, None, None, :], activations.shape).copy()
    for smooth in (False, True):
        expected = cam_maps.weighted(activations, everywhere, eigen_smooth=smooth)
        np.testing.assert_allclose(cam_maps.weighted(activations, weights, eigen_smooth=smooth), expected, atol=1e-5)


def test_the_principal_component_by_hand() -> None:
    # Channel 1 is twice channel 0 plus a constant, so all variation lies along (1, 2)/√5: the centred (−2, 0, 2) times √5.
    activations = np.array([[[[0, 7], [2, 11], [4, 15]]]], np.float32)
    np.testing.assert_allclose(cam_maps.principal(activations), [[np.sqrt(5) * np.array([-2, 0, 2])]], rtol=1e-6)
    # The sign follows the mean over the channels. It falls here, because channel 1 outweighs channel 0.
    falling = np.array([[[[0, 9], [1, 6], [2, 3]]]], np.float32)
    np.testing.assert_allclose(cam_maps.principal(falling), [[np.sqrt(10) * np.array([1, 0, -1])]], rtol=1e-6)


@pytest.mark.parametrize(("height", "width", "channels"), [(5, 7, 4), (2, 3, 11), (1, 6, 6)])
def test_the_principal_component_agrees_with_the_svd(height: int, width: int, channels: int) -> None:
    activations, _ = arrays(3, height, width, channels, seed=1)
    found = cam_maps.principal(activations)
    for example, projection in zip(activations, found, strict=True):
        centred = example.reshape(-1, channels).astype(float)
        centred -= centred.mean(axis=0)
        expected = centred @ np.linalg.svd(centred, full_matrices=True)[2][0]
        expected *= np.sign(expected @ centred.mean(axis=1))
        np.testing.assert_allclose(projection, expected.reshape(height, width), rtol=1e-4, atol=1e-5)


def test_eigen_smoothing_is_relu_of_the_principal_component_of_the_weighted_activations() -> None:
    activations, gradients = arrays()
    expected = np.maximum(cam_maps.principal(activations * gradients), 0)
    np.testing.assert_array_equal(cam_maps.weighted(activations, gradients, eigen_smooth=True), expected)
    assert not np.allclose(expected, cam_maps.weighted(activations, gradients))


def test_activations_without_a_component() -> None:
    constant = np.full((2, 3, 2, 4), 5, np.float32)
    assert not cam_maps.principal(constant).any()
    one_position = np.arange(6, dtype=np.float32).reshape(2, 1, 1, 3)
    assert not cam_maps.principal(one_position).any()
    broken, _ = arrays(2)
    broken[1, 2, 3, 0] = np.nan
    found = cam_maps.principal(broken)
    assert np.isfinite(found[0]).all()
    assert np.isnan(found[1]).all()


PLACES = [MapPlace.whole((8, 8))] * 2
COARSE = np.array([[[0, 4]]], np.float32)  # scaled to 0, 1 and enlarged to four columns, it is 0, 1/4, 3/4, 1
FINE = np.array([[[1, 0, 0, 2], [1, 1, 2, 0]]], np.float32)


def test_layers_are_fused_by_hand() -> None:
    scaled = np.array([[0.5, 0, 0, 1], [0.5, 0.5, 1, 0]])
    enlarged = np.array([[0, 0.25, 0.75, 1]] * 2)
    np.testing.assert_allclose(cam_maps.fused([COARSE, FINE], "mean", PLACES), [(scaled + enlarged) / 2], rtol=1e-6)
    largest = np.array([[0.5, 0.25, 0.75, 1], [0.5, 0.5, 1, 1]])
    np.testing.assert_allclose(cam_maps.fused([FINE, COARSE], "max", PLACES), [np.tanh(2 * largest)], rtol=1e-6)


def test_a_degenerate_layer_counts_as_zeros() -> None:
    for values in (0.0, 3.0, np.nan):
        fused = cam_maps.fused([np.full((1, 1, 2), values, np.float32), FINE], "mean", PLACES)
        np.testing.assert_allclose(fused, FINE / 4, rtol=1e-6)


def test_each_class_is_fused_separately() -> None:
    other = FINE[:, ::-1] * 7
    fused = cam_maps.fused([np.concatenate([COARSE, COARSE]), np.concatenate([FINE, other])], "mean", PLACES)
    for row, fine in enumerate((FINE, other)):
        np.testing.assert_array_equal(fused[row : row + 1], cam_maps.fused([COARSE, fine], "mean", PLACES))
