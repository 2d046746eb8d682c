"""Each CAM's weights: by hand, by plain loops, and against each other."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workers.methods.cam import cam_maps, element_wise_cam, grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam

# Two images, 1×2 positions, 2 channels.
ACTIVATIONS = np.array([[[[1, 2], [3, 4]]], [[[1, 0], [0, 5]]]], np.float32)
GRADIENTS = np.array([[[[1, -1], [3, 2]]], [[[0, 2], [-1, 1]]]], np.float32)
NAN = float("nan")


def test_hires_cam_by_hand() -> None:
    # first image: relu(1 − 2) = 0, and 9 + 8; second: 0 + 0 and 0 + 5
    np.testing.assert_array_equal(cam_maps.weighted(ACTIVATIONS, hires_cam.weights(ACTIVATIONS, GRADIENTS)), [[[0, 17]], [[0, 5]]])


def test_element_wise_cam_by_hand() -> None:
    # first image: 1 + relu(−2) and 9 + 8; second: 0 + 0 and 0 + 5
    products = element_wise_cam.products(ACTIVATIONS, GRADIENTS)
    np.testing.assert_array_equal(products, [[[[1, 0], [9, 8]]], [[[0, 0], [0, 5]]]])


def test_layer_cam_by_hand() -> None:
    # first image: 1 + 0 and 9 + 8; second: 0 + 0 and 0 + 5
    np.testing.assert_array_equal(cam_maps.weighted(ACTIVATIONS, layer_cam.weights(ACTIVATIONS, GRADIENTS)), [[[1, 17]], [[0, 5]]])


def test_xgrad_cam_by_hand() -> None:
    # first image: (1 + 9)/4 and (−2 + 8)/6; second: 0/1 and 5/5
    weights = xgrad_cam.weights(ACTIVATIONS, GRADIENTS)
    np.testing.assert_allclose(weights, [[2.5, 1], [0, 1]], rtol=1e-6)
    np.testing.assert_allclose(cam_maps.weighted(ACTIVATIONS, weights), [[[4.5, 11.5]], [[0, 5]]], rtol=1e-6)


def test_grad_cam_plus_plus_by_hand() -> None:
    # The sums of A are 4 and 6, then 1 and 5. The weight is Σ G/(2 + G·ΣA) over G > 0.
    # first image: (1/6 + 3/14) and 2/14; second: 0 and (2/12 + 1/7)
    weights = grad_cam_plus_plus.weights(ACTIVATIONS, GRADIENTS)
    np.testing.assert_allclose(weights, [[1 / 6 + 3 / 14, 2 / 14], [0, 2 / 12 + 1 / 7]], rtol=1e-6)


def test_grad_cam_plus_plus_keeps_the_digits_of_small_gradients() -> None:
    # G² = 1e-50 is 0 in float32, but α is still 1/2 and the weight is ΣG/2
    tiny = np.full((1, 1, 2, 1), 1e-25, np.float32)
    np.testing.assert_allclose(grad_cam_plus_plus.weights(np.ones_like(tiny), tiny), [[1e-25]], rtol=1e-6)


def test_grad_cam_plus_plus_without_a_denominator() -> None:
    # ΣA = −4, so 2 + G·ΣA = 0 at the first position, where G = 1/2. The second gives 1/4 / (2 − 1).
    activations = np.array([[[[-1], [-3]]]], np.float32)
    gradients = np.array([[[[0.5], [0.25]]]], np.float32)
    np.testing.assert_allclose(grad_cam_plus_plus.weights(activations, gradients), [[0.25]])


def test_xgrad_cam_of_a_dead_channel_and_of_one_that_sums_to_minus_epsilon() -> None:
    activations = np.zeros((1, 1, 2, 2), np.float32)
    activations[0, 0, 0, 1] = -xgrad_cam.EPSILON
    np.testing.assert_array_equal(xgrad_cam.weights(activations, np.ones_like(activations)), [[0, 0]])


def _loops_hires(A: np.ndarray, G: np.ndarray, y: int, x: int, k: int) -> float:
    return G[y, x, k]


def _loops_layer(A: np.ndarray, G: np.ndarray, y: int, x: int, k: int) -> float:
    return max(G[y, x, k], 0)


def _loops_xgrad(A: np.ndarray, G: np.ndarray, y: int, x: int, k: int) -> float:
    total = sum(G[a, b, k] * A[a, b, k] for a in range(A.shape[0]) for b in range(A.shape[1]))
    return total / (sum(A[a, b, k] for a in range(A.shape[0]) for b in range(A.shape[1])) + 1e-7)


def _loops_plus_plus(A: np.ndarray, G: np.ndarray, y: int, x: int, k: int) -> float:
    """Compute equations 10 and 19 of the paper without cancelling anything."""
    total = 0.0
    for a in range(A.shape[0]):
        for b in range(A.shape[1]):
            g = G[a, b, k]
            alpha = g**2 / (2 * g**2 + g**3 * A[..., k].sum()) if g else 0
            total += alpha * max(g, 0)
    return total


def _loops_grad(A: np.ndarray, G: np.ndarray, y: int, x: int, k: int) -> float:
    return G[..., k].mean()


@pytest.mark.parametrize(
    ("module", "loops"),
    [
        (grad_cam, _loops_grad),
        (grad_cam_plus_plus, _loops_plus_plus),
        (hires_cam, _loops_hires),
        (layer_cam, _loops_layer),
        (xgrad_cam, _loops_xgrad),
    ],
)
def test_maps_by_plain_loops(module: ModuleType, loops: Callable[..., float]) -> None:
    rng = np.random.default_rng(0)
    activations = np.maximum(rng.normal(0.5, 1, (3, 5, 7, 4)), 0).astype(np.float32)
    gradients = rng.normal(size=activations.shape).astype(np.float32)
    gradients[0, 1] = 0
    found = cam_maps.weighted(activations, module.weights(activations, gradients))
    for n in range(3):
        A, G = activations[n].astype(float), gradients[n].astype(float)
        expected = [[max(sum(loops(A, G, y, x, k) * A[y, x, k] for k in range(4)), 0) for x in range(7)] for y in range(5)]
        np.testing.assert_allclose(found[n], expected, rtol=1e-4, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 3), height=st.integers(1, 5), width=st.integers(1, 6), channels=st.integers(1, 5))
def test_cams_agree_if_gradients_are_the_same_at_all_positions(seed: int, n: int, height: int, width: int, channels: int) -> None:
    rng = np.random.default_rng(seed)
    activations = rng.uniform(0.1, 2, (n, height, width, channels)).astype(np.float32)
    gradients = np.broadcast_to(rng.normal(size=(n, 1, 1, channels)), activations.shape).astype(np.float32)
    plain = cam_maps.weighted(activations, grad_cam.weights(activations, gradients))
    for other in (hires_cam, xgrad_cam):
        np.testing.assert_allclose(cam_maps.weighted(activations, other.weights(activations, gradients)), plain, rtol=1e-3, atol=1e-4)
    # LayerCAM and HiResCAM agree, too, if no gradient is negative
    risen = np.abs(gradients)
    np.testing.assert_array_equal(layer_cam.weights(activations, risen), hires_cam.weights(activations, risen))


@pytest.mark.parametrize("module", [grad_cam, grad_cam_plus_plus, hires_cam, layer_cam, xgrad_cam])
def test_degenerate_layers(module: ModuleType) -> None:
    weights = module.weights
    some, zeros = np.random.default_rng(2).normal(size=(2, 3, 4, 5)).astype(np.float32), np.zeros((2, 3, 4, 5), np.float32)
    assert not cam_maps.weighted(zeros, weights(zeros, some)).any()  # a dead layer
    assert not cam_maps.weighted(some, weights(some, zeros)).any()  # a class without gradient
    broken = some.copy()
    broken[1, 0, 0, 0] = NAN
    for found in (cam_maps.weighted(some, weights(some, broken)), cam_maps.weighted(broken, weights(broken, some))):
        assert np.isfinite(found[0]).all()
        assert np.isnan(found[1]).any()  # it is not hidden here; the drawing warns about it
