"""FEM: both weightings by hand and by plain loops, and layers without rare answers."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.cam.fem import Fem
from workers.methods.cam import fem

# One image, 1×5 positions, 2 channels. Channel 0 has mean 2 and σ 4, channel 1 mean −1 and σ 2.
ACTIVATIONS = np.array([[[[0, -2], [0, -2], [0, -2], [0, -2], [10, 3]]]], np.float32)


def test_both_weightings_by_hand() -> None:
    # Both channels are above μ + 1.5·σ at the last position alone: 10 > 8 and 3 > 2.
    assert fem.strong_places(ACTIVATIONS, 1.5)[0, 0].tolist() == [[False] * 2] * 4 + [[True] * 2]
    np.testing.assert_allclose(fem.by_means(ACTIVATIONS, 1.5), [[[0, 0, 0, 0, 2 - 1]]], atol=1e-6)
    # Each counts at a fifth of the places. At the first four places the sum is −2/5, which becomes 0.
    np.testing.assert_allclose(fem.by_activations(ACTIVATIONS, 1.5), [[[0, 0, 0, 0, 13 / 5]]], rtol=1e-6)


def test_no_place_is_further_from_the_mean_than_the_root_of_their_number_minus_one() -> None:
    assert not fem.by_means(ACTIVATIONS, 2.01).any()
    assert fem.by_means(ACTIVATIONS, 1.99).any()


@pytest.mark.parametrize("sigmas", [0, 1, 2])
def test_maps_by_plain_loops(sigmas: float) -> None:
    activations = np.maximum(np.random.default_rng(0).normal(0.3, 1, (3, 5, 7, 4)), 0).astype(np.float32)
    means, weighted = fem.by_means(activations, sigmas), fem.by_activations(activations, sigmas)
    for n in range(3):
        A = activations[n].astype(float)
        expected, expected_weighted = np.zeros((5, 7)), np.zeros((5, 7))
        for k in range(4):
            values = [A[y, x, k] for y in range(5) for x in range(7)]
            mean = sum(values) / 35
            threshold = mean + sigmas * (sum((value - mean) ** 2 for value in values) / 35) ** 0.5
            share = sum(value > threshold for value in values) / 35
            for y in range(5):
                for x in range(7):
                    expected[y, x] += mean * (A[y, x, k] > threshold)
                    expected_weighted[y, x] += share * A[y, x, k]
        np.testing.assert_allclose(means[n], expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(weighted[n], expected_weighted, rtol=1e-5, atol=1e-6)
        assert expected.max() > 0


def test_a_constant_layer_has_no_strong_place() -> None:
    constant = np.full((1, 3, 4, 2), 5, np.float32)
    assert not fem.by_means(constant, 0).any()
    assert not fem.by_activations(constant, 0).any()


def test_jobs_with_other_formulas_are_no_batch() -> None:
    jobs = [Fem(layer="conv"), Fem(layer="conv", sigmas=1), Fem(layer="conv", weighting="activations")]
    assert len({fem.batch_key(job) for job in jobs}) == 3
    assert fem.batch_key(jobs[0]) == fem.batch_key(Fem(layer="conv", colormap="jet"))
