from __future__ import annotations

import numpy as np

from rendering.tile_numbers import BOX, numbered


def test_each_tile_carries_its_own_label_at_the_top_left_and_is_unchanged_elsewhere() -> None:
    tiles = np.full((3, 60, 80, 3), 200, np.uint8)
    marked = numbered(tiles, ["7", "7", "a label that is much too long for its tile"])
    assert (tiles == 200).all()
    np.testing.assert_array_equal(marked[0], marked[1])
    for tile in marked:
        assert tuple(tile[0, 0]) == BOX
        assert tile[:16].min() <= 20
        assert tile[:16].max() >= 240
        assert (tile[20:] == 200).all()
    assert (marked[0][:, 40:] == 200).all()
    assert (marked[2][5, 75] != 200).any()


def test_small_tiles_stay_bare() -> None:
    tiles = np.full((1, 39, 80, 3), 200, np.uint8)
    np.testing.assert_array_equal(numbered(tiles, ["7"]), tiles)
