from __future__ import annotations

import numpy as np
import pytest

from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.overlays.borders import LINE, with_borders
from rendering.photo import Photo, Placement, whole_photo


def test_lines_stand_where_values_change_and_everything_else_is_unchanged() -> None:
    values = np.array([[1, 1, 2], [1, 1, 2], [3, 3, 3]], np.float32)
    picture = np.full((3, 3, 3), 200, np.uint8)
    drawn = with_borders(picture, values, whole_photo(picture))
    line = (drawn == LINE).all(-1)
    np.testing.assert_array_equal(line, [[0, 1, 0], [1, 1, 1], [0, 0, 0]])  # at the upper or left side of each change
    assert (drawn[~line] == 200).all()
    assert (picture == 200).all()


def test_the_lines_lie_on_the_part_of_the_photo_that_the_model_saw() -> None:
    """The input is the middle of a wide photo, enlarged twice on the way back, and its left half differs from its right half."""
    values = np.repeat(np.array([[0, 1]], np.float32), 2, axis=0)
    photo = Photo(np.full((4, 8, 3), 200, np.uint8), Placement((2, 2), (0, 0, 2, 2), (0, 2, 4, 4)))
    line = (with_borders(photo.image, values, photo) == LINE).all(-1)
    assert np.unique(np.nonzero(line)[1]).tolist() == [3]
    assert line[:, 3].all()


def test_the_lines_of_a_mirrored_map_are_mirrored() -> None:
    values = np.array([[1, 2, 2, 2]], np.float32)
    photo = Photo(np.full((1, 4, 3), 200, np.uint8), Placement((1, 4), (0, 0, 1, 4), (0, 0, 1, 4), mirrored=(False, True)))
    assert np.nonzero((with_borders(photo.image, values, photo) == LINE).all(-1))[1].tolist() == [2]


def test_a_large_photo_has_thicker_lines() -> None:
    photo = whole_photo(np.full((1200, 1400, 3), 200, np.uint8))
    line = (with_borders(photo.image, np.array([[0, 1]], np.float32), photo) == LINE).all(-1)
    assert set(line.sum(axis=1)) == {3}


@pytest.mark.parametrize("part", ["overlay", "heatmap"])
def test_a_drawing_has_borders_only_if_it_is_asked_for_them(part: str) -> None:
    photo = np.full((20, 30, 3), 120, np.uint8)
    values = np.repeat(np.repeat(np.array([[0.5, 0], [-0.5, -1]], np.float32), 10, 0), 15, 1)
    placement = Placement((20, 30), (0, 0, 20, 30), (0, 0, 20, 30))
    given = {"photo_size": (20, 30), "placement": placement, "way": "diverging", "scaling": "signed", "part": part}
    with_lines, without = (MapsOnPhoto.model_validate(given | {"borders": each}).draw({"map": values}, photo) for each in (True, False))
    line = (with_lines == LINE).all(-1)
    expected = np.zeros((20, 30), bool)
    expected[9], expected[:, 14] = True, True
    np.testing.assert_array_equal(line, expected)
    np.testing.assert_array_equal(with_lines[~line], without[~line])
