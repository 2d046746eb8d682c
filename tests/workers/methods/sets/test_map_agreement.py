from __future__ import annotations

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from workers.contract.map_place import MapPlace
from workers.methods.sets.map_agreement import map_correlation, over_photo


def photo(height: int, width: int, source: tuple[float, float, float, float], size: tuple[int, int] = (4, 6)) -> Photo:
    return Photo(np.zeros((height, width, 3), np.uint8), Placement(size, (0, 0, *size), source))


def test_maps_of_two_models_meet_on_the_photo_whatever_the_sizes_of_the_inputs() -> None:
    """The photo has 4 × 6 pixels. One model sees it whole, and the other its right half, enlarged to its own input of 8 × 8."""
    rising = np.arange(24, dtype=np.float32).reshape(4, 6)
    whole = over_photo(rising, photo(4, 6, (0, 0, 4, 6)), MapPlace.whole((4, 6)))
    np.testing.assert_allclose(whole[0], rising)
    half = over_photo(rising[:, 3:].copy(), photo(4, 6, (0, 3, 4, 3), (8, 8)), MapPlace.whole((8, 8)))
    np.testing.assert_allclose(half[0][:, 3:], rising[:, 3:], atol=1e-5)
    assert (half[1] == [[False] * 3 + [True] * 3] * 4).all()
    assert map_correlation(whole, half) == pytest.approx(1)
    assert map_correlation(whole, (-half[0], half[1])) == pytest.approx(-1)


def test_a_mirrored_map_is_turned_back() -> None:
    rising = np.arange(24, dtype=np.float32).reshape(4, 6)
    straight = over_photo(rising, photo(4, 6, (0, 0, 4, 6)), MapPlace.whole((4, 6)))
    box = (0.0, 0.0, 4.0, 6.0)
    mirrored = over_photo(rising[:, ::-1].copy(), photo(4, 6, (0, 0, 4, 6)), MapPlace(box, box, (False, True)))
    assert map_correlation(straight, mirrored) == pytest.approx(1)


def test_the_correlation_is_none_where_nothing_can_be_compared() -> None:
    flat = over_photo(np.ones((4, 6), np.float32), photo(4, 6, (0, 0, 4, 6)), MapPlace.whole((4, 6)))
    rising = over_photo(np.arange(24, dtype=np.float32).reshape(4, 6), photo(4, 6, (0, 0, 4, 6)), MapPlace.whole((4, 6)))
    assert map_correlation(flat, rising) is None
    assert map_correlation((rising[0], np.zeros((4, 6), bool)), rising) is None


def test_the_grid_of_a_large_photo_keeps_its_proportions() -> None:
    values, seen = over_photo(np.eye(3, dtype=np.float32), photo(300, 150, (0, 0, 300, 150)), MapPlace.whole((4, 6)))
    assert values.shape == seen.shape == (64, 32)
    assert seen.all()
