from __future__ import annotations

import numpy as np
import pytest

from rendering.charts.style import BLUE
from rendering.charts.values import histogram, unit_values


def blue_per_column(panel: np.ndarray) -> np.ndarray:
    return (panel == BLUE).all(axis=2).sum(axis=0)


def test_units_bars_and_histogram() -> None:
    # The upper plot has four bars, one for each unit, in 812 px from x = 64. The lower one has 100 bins from 0 to 3.
    sheet = unit_values(np.array([3, -1, 0, 1.5], np.float32))
    upper, lower = blue_per_column(sheet[:240]), blue_per_column(sheet[240:])
    middle = [64 + round(812 * (unit + 0.5) / 4) for unit in range(4)]
    heights = [int(upper[x]) for x in middle]
    total = 240 - 36 - 34  # pixels from -1 to 3
    assert heights == pytest.approx([total * 3 / 4, total / 4, 0, total * 1.5 / 4], abs=2)
    filled = np.flatnonzero(lower)
    assert filled.min() == pytest.approx(64 + 812 / 2, abs=9)  # the value 1.5 of 3
    assert filled.max() == pytest.approx(64 + 812, abs=9)
    assert lower.max() == pytest.approx(total, abs=2)  # one value in each of two bins


def test_every_unit_counts_in_the_histogram_of_many() -> None:
    values = np.concatenate([np.full(30, 0.05), np.full(60, 9.95), np.full(500, -1.0), [10.0]]).astype(np.float32)
    lower = blue_per_column(unit_values(values)[240:])
    groups = np.flatnonzero(lower)
    first, last = lower[groups[groups < 200]].max(), lower[groups[groups > 700]].max()
    assert last == pytest.approx(170, abs=2)
    assert first / last == pytest.approx(30 / 61, abs=0.02)


@pytest.mark.parametrize(
    "values", [np.zeros(5), -np.ones(3), np.array([2.0]), np.array([1e-30, 2e-30]), np.array([1e30, -1e30]), np.ones(20_000)]
)
def test_units_of_any_values_are_drawn(values: np.ndarray) -> None:
    sheet = unit_values(values.astype(np.float32))
    assert sheet.shape == (480, 900, 3)
    assert ((sheet == BLUE).all(axis=2).any()) == bool(values.any())


def test_the_histogram_of_values_on_both_sides_of_0() -> None:
    # There are 100 bins from −2 to 2 in 812 px; −2 occurs three times and 2 once.
    columns = blue_per_column(histogram(np.array([-2, -2, -2, 2], np.float32), "kernel"))
    assert columns[66] == pytest.approx(170, abs=2)
    assert columns[64 + 810] == pytest.approx(170 / 3, abs=2)
    assert columns[80:860].sum() == 0


@pytest.mark.parametrize("values", [[0.25] * 5, [1.0, 1.0000001], [3e38, -3e38], [0.0]])
def test_histograms_of_hardly_any_spread_are_drawn(values: list[float]) -> None:
    columns = blue_per_column(histogram(np.array(values, np.float32), "bias"))
    assert columns.max() == pytest.approx(170, abs=2)
