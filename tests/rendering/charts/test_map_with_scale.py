"""Maps drawn with their scale, checked pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps as matplotlib_colormaps

from rendering.charts.map_with_scale import NOT_FINITE, map_with_scale
from rendering.charts.style import FAINT
from rendering.colormaps import table

MARGIN = 12


def cell(picture: np.ndarray, y: int, x: int, side: int) -> list[int]:
    """Return the colour of a value of a single map; all pixels of its square must have that colour."""
    square = picture[MARGIN + y * side : MARGIN + (y + 1) * side, MARGIN + x * side : MARGIN + (x + 1) * side]
    assert square.shape == (side, side, 3)
    assert (square == square[0, 0]).all()
    return square[0, 0].tolist()


def test_colours_are_linear_between_the_smallest_and_the_largest_value() -> None:
    values = np.array([[-1.0, 0.0, 3.0, 1.0, 2.0], [4.0, -0.5, 0.5, 3.5, 1.5], [2.5, -1, 4, 0, 1]], np.float32)
    picture = map_with_scale(values, "viridis")
    assert picture.dtype == np.uint8
    viridis = (np.array(matplotlib_colormaps["viridis"].colors) * 255).round()  # type: ignore[attr-defined]
    for y, x in np.ndindex(3, 5):
        level = round((float(values[y, x]) + 1) / 5 * 255)
        assert np.abs(np.array(cell(picture, y, x, 480 // 5)) - viridis[level]).max() <= 1
    assert picture.shape[0] == 3 * 96 + 2 * MARGIN


def test_the_scale_goes_from_the_last_colour_down_to_the_first() -> None:
    picture = map_with_scale(np.array([[0.0, 10.0, 4.0]], np.float64), "hot")
    bar = picture[MARGIN : MARGIN + 160, MARGIN + 480 + 12 + 5]
    assert (bar[0].tolist(), bar[-1].tolist()) == (table("hot")[255].tolist(), table("hot")[0].tolist())
    positions = [np.flatnonzero((table("hot") == colour).all(axis=1)).max() for colour in bar]
    assert (np.diff(positions) <= 0).all()
    ticks = np.flatnonzero((picture[:, MARGIN + 480 + 12 + 12 + 2] == FAINT).all(axis=1)) - MARGIN
    wanted = [round((1 - share) * 159) for share in (1, 0.8, 0.6, 0.4, 0.2, 0)]
    assert ticks.tolist() == wanted, "0, 2, 4, 6, 8 and 10 are marked"


def test_several_maps_share_one_scale_and_are_numbered() -> None:
    maps = np.array([[[0.0, 1.0]], [[2.0, 8.0]], [[4.0, 4.0]]], np.float32)  # three maps of 1 × 2
    picture = map_with_scale(maps, "gray")
    caption, side = 16, 240  # a tile is 480 wide, so that two beside each other are 960
    rows = [MARGIN + caption + side // 2, MARGIN + caption + side + 4 + caption + side // 2]
    columns = [MARGIN + side // 2, MARGIN + side + side // 2]
    right = [column + 2 * side + 4 for column in columns]
    shown = [picture[y, x, 0] for y, x in [(rows[0], c) for c in (*columns, *right)] + [(rows[1], c) for c in columns]]
    assert shown == [0, 32, 64, 255, 128, 128]
    assert (picture[MARGIN : MARGIN + caption, MARGIN : MARGIN + 2 * side] < 128).any(), "the first tile has its number"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_grey_and_do_not_change_the_scale(value: float) -> None:
    values = np.array([[0.0, 1.0, 0.5], [value, 0.25, 1.0]], np.float32)
    picture = map_with_scale(values, "jet")
    assert cell(picture, 1, 0, 160) == list(NOT_FINITE)
    assert cell(picture, 0, 0, 160) == table("jet")[0].tolist()
    assert cell(picture, 0, 1, 160) == table("jet")[255].tolist()
    note = picture[2 * MARGIN + 320 :]
    assert (note < 128).any(), "it says that grey is not finite"


@pytest.mark.parametrize("shape", [(1, 1), (3, 500), (600, 2), (40, 5, 7)])
def test_a_map_without_contrast_or_of_an_odd_shape_is_drawn(shape: tuple[int, ...]) -> None:
    for value in (0.0, -2.5, np.nan):
        picture = map_with_scale(np.full(shape, value, np.float32), "turbo")
        assert picture.ndim == 3
        assert max(picture.shape) < 1400
