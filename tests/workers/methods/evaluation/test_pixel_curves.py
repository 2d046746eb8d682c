"""The order of pixels, areas under curves, and drops."""

from __future__ import annotations

import numpy as np
import pytest

from workers.contract.map_place import MapPlace
from workers.methods.evaluation import pixel_curves


def test_a_score_that_is_not_above_zero_cannot_drop() -> None:
    assert pixel_curves.drop(0.0, 0.5) is None
    assert pixel_curves.drop(-1.0, -2.0) is None
    assert pixel_curves.drop(0.8, 0.2) == pytest.approx(0.75)
    assert pixel_curves.drop(0.2, 0.8) == 0


def test_pixels_of_equal_value_come_in_random_order() -> None:
    values = np.zeros((40, 50), np.float32)
    values[3, 7] = 1
    first, again, other = (pixel_curves.ranking(values, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first[3, 7] == other[3, 7] == 0
    assert sorted(first.ravel().tolist()) == list(range(2000))
    # about half of the first 1,000 pixels lie in the upper half; five standard deviations of 1,000 draws out of 2,000 are 56
    assert abs((first < 1000)[:20].sum() - 500) < 56


def test_a_coarse_map_is_enlarged_with_half_pixel_centres() -> None:
    found = pixel_curves.finite_over_input(np.array([[0, 4]], np.float32), MapPlace.whole((2, 4)), (2, 4))
    np.testing.assert_array_equal(found, [[0, 1, 3, 4], [0, 1, 3, 4]])
    np.testing.assert_array_equal(
        pixel_curves.finite_over_input(np.array([[np.nan, 2]], np.float32), MapPlace.whole((1, 2)), (1, 2)), [[0, 2]]
    )
