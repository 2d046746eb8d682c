from __future__ import annotations

import numpy as np
import pytest

from rendering.charts import curves as chart
from rendering.charts.style import BLUE, FAINT, ORANGE, PLOT_WIDTH
from rendering.text import PAPER


def curve(label: str, *y: float) -> chart.Curve:
    return chart.Curve(label, np.linspace(0, 1, len(y)), np.array(y))


def at(sheet: np.ndarray, colour: tuple[int, int, int], lines: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and columns inside the axes of a plot of so many curves that have that colour."""
    left, top, right, bottom = chart.box_of(lines, has_name=False)
    rows, columns = np.nonzero((sheet[top : bottom + 1, left : right + 1] == colour).all(axis=2))
    return rows, columns


def test_curves_go_through_their_points() -> None:
    left, top, right, bottom = chart.box_of(2, has_name=False)
    sheet = chart.curves([curve("down", 1, 0.5, 0), curve("flat", 0.25, 0.25)], "title")
    assert sheet.shape == (chart.HEIGHT + 2 * chart.LINE + 4, PLOT_WIDTH, 3)
    height, width = bottom - top, right - left
    rows, columns = at(sheet, BLUE, 2)
    # The y axis goes from 0 to 5 % above the highest value.
    for column, value in ((1, 1.0), (width // 2, 0.5), (width - 2, 0.0)):
        here = rows[np.abs(columns - column) <= 1]
        assert here.mean() == pytest.approx(height * (1 - value / 1.05), abs=3)
    rows, columns = at(sheet, ORANGE, 2)
    assert rows.mean() == pytest.approx(height * (1 - 0.25 / 1.05), abs=1.5)
    assert np.ptp(columns) >= width - 3
    assert (sheet[:top] != 255).any()  # title and legend are there


@pytest.mark.parametrize("values", [(0.0, 0.0), (-1.0, -3.0), (5.0, 5.0)])
def test_curves_of_any_values_stay_in_their_axes(values: tuple[float, ...]) -> None:
    sheet = chart.curves([curve("a", *values)], "t" * 500)
    rows, _ = at(sheet, BLUE, 1)
    assert len(rows) > 500
    assert (sheet[:, -10:] == PAPER).all()


def test_a_dashed_curve_has_gaps_and_a_level_stands_at_its_value() -> None:
    line = [chart.Curve("random", np.array([0.0, 1.0]), np.array([1.0, 1.0]), dashed=True)]
    sheet = chart.curves(line, "title", across="share of pixels", up="probability", level=chart.Level("whole image", 0.5))
    left, top, right, bottom = chart.box_of(1, has_name=True)
    inside = sheet[top : bottom + 1, left : right + 1]
    coloured = (inside == BLUE).all(axis=2).any(axis=0)
    assert 0.5 < coloured.mean() < 0.75  # dashes of 7 pixels and gaps of 5
    rows = np.nonzero((inside == FAINT).all(axis=2).mean(axis=1) > 0.9)[0]
    assert rows.tolist() == [pytest.approx((bottom - top) * (1 - 0.5 / 1.05), abs=1)]
    assert (sheet[bottom + 26 :] < 128).any()  # the name of the x axis
    assert (sheet[top - 20 : top - 6, left : left + 90] < 128).any()  # and of the y axis
