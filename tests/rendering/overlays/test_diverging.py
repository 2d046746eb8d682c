from __future__ import annotations

import numpy as np

from rendering.colormaps import ABOVE, BELOW, NEUTRAL
from rendering.overlays.diverging import blend_diverging
from rendering.photo import Photo, Placement

VALUES = np.array([[1, 0, -0.5], [-1, 0.25, 0]], np.float32)


def test_red_for_blue_against_and_grey_where_there_is_nothing() -> None:
    image = np.random.default_rng(0).integers(0, 256, (2, 3, 3), np.uint8)
    overlay, heatmap = blend_diverging(VALUES, Photo(image, Placement((2, 3), (0, 0, 2, 3), (0, 0, 2, 3))), alpha=0.6)
    for (row, column), value in np.ndenumerate(VALUES):
        colour, size = np.array(ABOVE if value > 0 else BELOW, float), abs(float(value))
        np.testing.assert_allclose(heatmap[row, column], np.array(NEUTRAL) * (1 - size) + colour * size, atol=0.51)
        grey = 127.5 + 0.5 * (image[row, column] @ [0.299, 0.587, 0.114])
        np.testing.assert_allclose(overlay[row, column], grey * (1 - 0.6 * size) + colour * 0.6 * size, atol=1.01)
    assert overlay[0, 1].min() >= 127  # no place is dark, so a colour looks as in the scale
    np.testing.assert_array_equal(overlay[0, 1], np.repeat(overlay[0, 1, :1], 3))


def test_what_the_model_did_not_see_is_faded_in_the_overlay_and_grey_in_the_heatmap() -> None:
    """The model saw rows 2 to 5 of 8, because of a crop."""
    image = np.full((8, 4, 3), 120, np.uint8)
    photo = Photo(image, Placement((2, 2), (0, 0, 2, 2), (2, 0, 4, 4)))
    overlay, heatmap = blend_diverging(np.ones((2, 2), np.float32), photo, alpha=1)
    np.testing.assert_array_equal(overlay[[0, 7]], round(0.55 * 120 + 0.45 * 230))
    np.testing.assert_array_equal(overlay[[1, 6]], 255)  # the frame
    np.testing.assert_array_equal(heatmap[[0, 1, 6, 7]], 230)
    np.testing.assert_array_equal(overlay[2:6], np.broadcast_to(ABOVE, (4, 4, 3)))
    np.testing.assert_array_equal(heatmap[2:6], overlay[2:6])
