from __future__ import annotations

import numpy as np
import pytest

from workers.rendering import charts
from workers.rendering.text import PAPER


def blue_per_column(panel: np.ndarray) -> np.ndarray:
    return (panel == charts.BLUE).all(axis=2).sum(axis=0)


def test_units_bars_and_histogram() -> None:
    # The upper panel is 812 px wide from x = 64: four units, one bar each; the lower one 100 bins from 0 to 3.
    sheet = charts.units(np.array([3, -1, 0, 1.5], np.float32))
    upper, lower = blue_per_column(sheet[:240]), blue_per_column(sheet[240:])
    middle = [64 + round(812 * (unit + 0.5) / 4) for unit in range(4)]
    heights = [int(upper[x]) for x in middle]
    total = 240 - 36 - 34  # pixels for -1 to 3
    assert heights == pytest.approx([total * 3 / 4, total / 4, 0, total * 1.5 / 4], abs=2)
    filled = np.flatnonzero(lower)
    assert filled.min() == pytest.approx(64 + 812 / 2, abs=9)  # 1.5 of 3
    assert filled.max() == pytest.approx(64 + 812, abs=9)
    assert lower.max() == pytest.approx(total, abs=2)  # one value in each of two bins


def test_every_unit_counts_in_the_histogram_of_many() -> None:
    values = np.concatenate([np.full(30, 0.05), np.full(60, 9.95), np.full(500, -1.0), [10.0]]).astype(np.float32)
    lower = blue_per_column(charts.units(values)[240:])
    groups = np.flatnonzero(lower)
    first, last = lower[groups[groups < 200]].max(), lower[groups[groups > 700]].max()
    assert last == pytest.approx(170, abs=2)
    assert first / last == pytest.approx(30 / 61, abs=0.02)


@pytest.mark.parametrize(
    "values", [np.zeros(5), -np.ones(3), np.array([2.0]), np.array([1e-30, 2e-30]), np.array([1e30, -1e30]), np.ones(20_000)]
)
def test_units_of_any_values_are_drawn(values: np.ndarray) -> None:
    sheet = charts.units(values.astype(np.float32))
    assert sheet.shape == (480, 900, 3)
    assert ((sheet == charts.BLUE).all(axis=2).any()) == bool(values.any())


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.0, 1.0, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-1.0, 3.0, ["-1", "0", "1", "2", "3"]),
        (0.0, 0.0052, ["0", "0.002", "0.004"]),
        (0.0, 147.0, ["0", "50", "100"]),
        (0.0, 2e-30, ["0", "5e-31", "1e-30", "1.5e-30", "2e-30"]),
    ],
)
def test_ticks_are_round(low: float, high: float, words: list[str]) -> None:
    assert [word for _, word in charts._ticks(low, high, wanted=5, whole=False)] == words


def test_counts_have_whole_ticks() -> None:
    assert [word for _, word in charts._ticks(0.0, 2.0, wanted=5, whole=True)] == ["0", "1", "2"]


def test_the_histogram_of_values_on_both_sides_of_0() -> None:
    # 100 bins from −2 to 2 over 812 px: −2 thrice, 2 once.
    columns = blue_per_column(charts.histogram(np.array([-2, -2, -2, 2], np.float32), "kernel"))
    assert columns[66] == pytest.approx(170, abs=2)
    assert columns[64 + 810] == pytest.approx(170 / 3, abs=2)
    assert columns[80:860].sum() == 0


@pytest.mark.parametrize("values", [[0.25] * 5, [1.0, 1.0000001], [3e38, -3e38], [0.0]])
def test_histograms_of_hardly_any_spread_are_drawn(values: list[float]) -> None:
    columns = blue_per_column(charts.histogram(np.array(values, np.float32), "bias"))
    assert columns.max() == pytest.approx(170, abs=2)


def curve(label: str, *y: float) -> charts.Curve:
    return charts.Curve(label, np.linspace(0, 1, len(y)), np.array(y))


def at(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns inside the axes that have that colour."""
    left, top, right, bottom = charts.CURVES_BOX
    rows, columns = np.nonzero((sheet[top : bottom + 1, left : right + 1] == colour).all(axis=2))
    return rows, columns


def test_curves_go_through_their_points() -> None:
    left, top, right, bottom = charts.CURVES_BOX
    sheet = charts.curves([curve("down", 1, 0.5, 0), curve("flat", 0.25, 0.25)], "title")
    assert sheet.shape == (charts.CURVES_HEIGHT, charts.PLOT_WIDTH, 3)
    height, width = bottom - top, right - left
    rows, columns = at(sheet, charts.BLUE)
    # from 0 to 5 % above the highest value
    for column, value in ((1, 1.0), (width // 2, 0.5), (width - 2, 0.0)):
        here = rows[np.abs(columns - column) <= 1]
        assert here.mean() == pytest.approx(height * (1 - value / 1.05), abs=3)
    rows, columns = at(sheet, charts.ORANGE)
    assert rows.mean() == pytest.approx(height * (1 - 0.25 / 1.05), abs=1.5)
    assert np.ptp(columns) >= width - 3
    assert (sheet[:top] != 255).any()  # title and legend


@pytest.mark.parametrize("values", [(0.0, 0.0), (-1.0, -3.0), (5.0, 5.0)])
def test_curves_of_any_values_stay_in_their_axes(values: tuple[float, ...]) -> None:
    sheet = charts.curves([curve("a", *values)], "t" * 500)
    rows, _ = at(sheet, charts.BLUE)
    assert len(rows) > 500
    assert (sheet[:, -10:] == PAPER).all()


def test_correlations_go_left_and_right_of_the_middle() -> None:
    values = (1.0, 0.5, -0.5, -1.0, 0.0, None)
    sheet = charts.correlations([charts.Correlation(f"row {value}" * 40, value) for value in values], "title")
    blue = (sheet == charts.BLUE).all(axis=2)
    spans: list[tuple[int, int]] = []
    for index in range(len(values)):
        columns = np.flatnonzero(blue[40 + 26 * index + 9])
        spans.append((columns[0], columns[-1]) if len(columns) else (0, 0))
    whole = spans[0][1] - spans[0][0]
    assert spans[1][1] - spans[1][0] == pytest.approx(whole / 2, abs=2)
    assert spans[2][1] - spans[2][0] == pytest.approx(whole / 2, abs=2)
    assert spans[2][1] <= spans[1][0]
    assert spans[3][0] < spans[2][0]
    assert spans[3][1] - spans[3][0] == pytest.approx(whole, abs=2)
    assert (sheet[:, -10:] == PAPER).all()
