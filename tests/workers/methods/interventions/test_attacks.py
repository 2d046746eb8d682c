"""The arithmetic of attacks by hand."""

from __future__ import annotations

import numpy as np
import pytest

from workers.methods.interventions.attacks import (
    PRECISION,
    direction,
    kept_in_range,
    loss_weights,
    masked,
    projected,
    random_change,
    size_of,
    smallest_epsilon,
)


def test_the_weights_are_those_of_the_cross_entropy() -> None:
    """With probabilities 1/2, 1/3 and 1/6, the gradient of −log p of class 1 is (1/2, −2/3, 1/6), which is divided by 2/3."""
    logits = np.log(np.array([3, 2, 1], np.float32))
    np.testing.assert_allclose(loss_weights(logits, 1, targeted=False), [0.75, -1, 0.25], rtol=1e-6)
    np.testing.assert_allclose(loss_weights(logits, 1, targeted=True), [-0.75, 1, -0.25], rtol=1e-6)


def test_the_weights_do_not_vanish_where_the_model_is_sure() -> None:
    sure = loss_weights(np.array([300, 100, 100], np.float32), 0, targeted=False)
    np.testing.assert_allclose(sure, [-1, 0.5, 0.5], rtol=1e-6)


def test_directions_and_sizes() -> None:
    gradient = np.array([3.0, 0.0, -4.0]).reshape(1, 1, 3)
    assert direction(gradient, "linf").ravel().tolist() == [1, 0, -1]
    np.testing.assert_allclose(direction(gradient, "l2").ravel(), [0.6, 0, -0.8])
    assert not direction(np.zeros((1, 1, 3)), "l2").any()
    assert (size_of(gradient, "linf"), size_of(gradient, "l2")) == (4, 5)


def test_a_change_is_brought_back_to_the_bound_the_range_and_the_photo() -> None:
    change = np.array([3.0, 0.0, -4.0]).reshape(1, 1, 3)
    assert projected(change, 2, "linf").ravel().tolist() == [2, 0, -2]
    np.testing.assert_allclose(projected(change, 2.5, "l2").ravel(), [1.5, 0, -2])
    assert projected(change, 6, "l2").ravel().tolist() == [3, 0, -4]
    pixels = np.array([254.0, 7.0, 1.0]).reshape(1, 1, 3)
    assert kept_in_range(pixels, change, 0, 255).ravel().tolist() == [1, 0, -1]
    assert masked(np.ones((1, 2, 3)), np.array([[True, False]])).ravel().tolist() == [1, 1, 1, 0, 0, 0]


def test_a_random_start_lies_within_the_bound_and_is_the_same_for_a_seed() -> None:
    for norm in ("linf", "l2"):
        starts = [random_change((5, 4, 3), 8, norm, seed) for seed in (0, 0, 1)]  # type: ignore[arg-type]
        assert all(0 < size_of(each, norm) <= 8 for each in starts)  # type: ignore[arg-type]
        np.testing.assert_array_equal(starts[0], starts[1])
        assert not np.array_equal(starts[0], starts[2])


@pytest.mark.parametrize("edge", [0.01, 0.3, 5.0, 7.99])
def test_the_smallest_bound_is_found_within_its_precision(edge: float) -> None:
    found = smallest_epsilon(lambda bounds: bounds >= edge, 8.0)
    assert found is not None
    assert edge <= found <= edge + PRECISION


def test_there_may_be_no_such_bound() -> None:
    assert smallest_epsilon(lambda bounds: bounds > 9, 8.0) is None


def test_a_flip_that_ends_again_is_found() -> None:
    """The answer flips only from 3 to 4.5, and not at the largest bound."""
    found = smallest_epsilon(lambda bounds: (bounds >= 3) & (bounds <= 4.5), 8.0)
    assert found == pytest.approx(3, abs=PRECISION)
