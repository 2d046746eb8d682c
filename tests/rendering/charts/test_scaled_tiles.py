from __future__ import annotations

import numpy as np
import pytest

from rendering import colormaps
from rendering.charts.colour_scale import ColourScale
from rendering.charts.scaled_tiles import LETTERS, scaled_tile
from rendering.text import line_height

SCALE = ColourScale(colormaps.table("viridis"), ((0.0, "0"), (1.0, "1")))


def middle(picture: np.ndarray) -> float:
    columns = np.flatnonzero(picture.any(axis=0))
    return float(columns.min() + columns.max()) / 2


@pytest.mark.parametrize("scale", [None, SCALE])
@pytest.mark.parametrize("shape", [(30, 30), (20, 50), (60, 30)])
def test_a_caption_stands_over_its_picture_and_not_over_picture_and_scale(shape: tuple[int, int], scale: ColourScale | None) -> None:
    red = np.full((*shape, 3), (200, 10, 20), np.uint8)
    tile = scaled_tile("mean map", red, shape, scale)
    words, below = np.split(tile, [line_height(LETTERS)])
    assert abs(middle((words < 128).all(-1)) - middle((below == red[0, 0]).all(-1))) <= 2
