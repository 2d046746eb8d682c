from __future__ import annotations

import numpy as np
import pytest

from rendering.charts import curves as chart
from rendering.charts.style import BLUE, ORANGE, PLOT_WIDTH
from rendering.text import PAPER


def curve(label: str, *y: float) -> chart.Curve:
    return chart.Curve(label, np.linspace(0, 1, len(y)), np.array(y))


def at(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns inside the axes that have that colour."""
    left, top, right, bottom = chart.BOX
    rows, columns = np.nonzero((sheet[top : bottom + 1, left : right + 1] == colour).all(axis=2))
    return rows, columns


def test_curves_go_through_their_points() -> None:
    left, top, right, bottom = chart.BOX
    sheet = chart.curves([curve("down", 1, 0.5, 0), curve("flat", 0.25, 0.25)], "title")
    assert sheet.shape == (chart.HEIGHT, PLOT_WIDTH, 3)
    height, width = bottom - top, right - left
    rows, columns = at(sheet, BLUE)
    # The y axis goes from 0 to 5 % above the highest value.
    for column, value in ((1, 1.0), (width // 2, 0.5), (width - 2, 0.0)):
        here = rows[np.abs(columns - column) <= 1]
        assert here.mean() == pytest.approx(height * (1 - value / 1.05), abs=3)
    rows, columns = at(sheet, ORANGE)
    assert rows.mean() == pytest.approx(height * (1 - 0.25 / 1.05), abs=1.5)
    assert np.ptp(columns) >= width - 3
    assert (sheet[:top] != 255).any()  # title and legend are there


@pytest.mark.parametrize("values", [(0.0, 0.0), (-1.0, -3.0), (5.0, 5.0)])
def test_curves_of_any_values_stay_in_their_axes(values: tuple[float, ...]) -> None:
    sheet = chart.curves([curve("a", *values)], "t" * 500)
    rows, _ = at(sheet, BLUE)
    assert len(rows) > 500
    assert (sheet[:, -10:] == PAPER).all()
