"""The best areas of a map keep the photo's colours, and all others are darkened."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.drawings.best_areas import BestAreas, best_area
from rendering.photo import Photo, Placement

MAP = np.arange(20, dtype=np.float32).reshape(4, 5)
WHOLE = Photo(np.full((8, 10, 3), 200, np.uint8), Placement((4, 5), (0, 0, 4, 5), (0, 0, 8, 10)))


def test_the_best_share_keeps_its_colours() -> None:
    shown = best_area(MAP, WHOLE, 0.25)[..., 0]
    assert (shown[6:] == 200).all(), "the last row of the map is a quarter of it"
    assert (shown[:6] == 30).all()


def test_places_that_the_model_did_not_see_are_dark() -> None:
    part = Photo(WHOLE.image, Placement((4, 5), (0, 0, 4, 5), (0, 5, 8, 5)))
    shown = best_area(MAP, part, 0.5)[..., 0]
    assert (shown[:, :5] == 30).all()
    assert (shown[4:, 5:] == 200).all()


def test_each_map_has_a_row_and_each_share_a_column() -> None:
    maps = {"map": np.stack([MAP, -MAP])}
    photo = Photo(np.full((120, 150, 3), 200, np.uint8), Placement((4, 5), (0, 0, 4, 5), (0, 0, 120, 150)))
    drawing = BestAreas(photo_size=(120, 150), placement=photo.placement, shares=(0.1, 0.25, 0.5), captions=("cat", "dog"))
    picture = drawing.draw(maps, photo.image)
    assert picture.shape[:2] == drawing.size(maps)
    assert picture.shape[1] == 3 * 150 + 2 * 4
    assert picture.shape[0] > 2 * 120
    with pytest.raises(ValueError, match="without the photo"):
        drawing.draw(maps)
