from __future__ import annotations

import numpy as np
import pytest

from rendering import scaling


def test_heat_by_hand() -> None:
    np.testing.assert_allclose(scaling.heat(np.array([[-2, 0, 1], [4, 2, 0.5]], np.float32)), [[0, 0, 0.25], [1, 0.5, 0.125]])


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([[0, 0, 0]], "zero everywhere"),
        ([[2, 2, 2]], "the same everywhere"),
        ([[1, np.nan, 2]], "not finite"),
        ([[1, np.inf, 2]], "not finite"),
        ([[0, 0, 1e-30]], None),
    ],
)
def test_degenerate_maps(values: list[list[float]], why: str | None) -> None:
    array = np.array(values, np.float32)
    assert scaling.why_degenerate(array) == why
    heat = scaling.heat(array)
    assert np.isfinite(heat).all()
    assert heat.any() == (why is None)


def test_a_map_without_a_positive_value_is_cold() -> None:
    assert not scaling.heat(np.array([[-1, -2]], np.float32)).any()


def test_signed_keeps_its_zero() -> None:
    np.testing.assert_array_equal(scaling.signed(np.array([[-4, 1, 0], [2, 0, 0]], np.float32)), [[-1, 0.25, 0], [0.5, 0, 0]])


@pytest.mark.parametrize("value", [0, -3, np.nan])
def test_signed_makes_nothing_of_a_degenerate_map(value: float) -> None:
    np.testing.assert_array_equal(scaling.signed(np.full((2, 3), value, np.float32)), np.zeros((2, 3)))


def test_values_are_clipped_at_a_percentile_of_those_that_are_not_zero() -> None:
    values = np.array([[0, 0, 0, 1, -2, 3, 4, -100]], np.float32)
    np.testing.assert_allclose(scaling.clipped(values, 75), [[0, 0, 0, 1, -2, 3, 4, -4]])
    np.testing.assert_allclose(scaling.clipped(values, 100), values)
    zeros = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(scaling.clipped(zeros, 99), zeros)


def test_smoothing_spreads_a_peak_as_a_gaussian_and_keeps_the_sum() -> None:
    """In a map of 40 × 60 a share of 0.05 is σ = 2."""
    values = np.zeros((40, 60), np.float32)
    values[20, 30], values[0, 0] = 1, -1
    smooth = scaling.smoothed(values, 0.05)
    assert smooth[20, 30] == pytest.approx(1 / (2 * np.pi * 2**2), rel=0.01)
    assert smooth[20, 32] / smooth[20, 30] == pytest.approx(np.exp(-0.5), rel=0.01)
    assert smooth.sum() == pytest.approx(0, abs=1e-5)
    np.testing.assert_array_equal(scaling.smoothed(values, 0), values)
    infinite = np.full((4, 4), np.inf, np.float32)
    np.testing.assert_array_equal(scaling.smoothed(infinite, 0.1), infinite)
