from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from rendering import text
from rendering.tile_numbers import BOX, LETTERS, number_letters, numbered, write_numbers


def test_each_tile_carries_its_own_label_at_the_top_left_and_is_unchanged_elsewhere() -> None:
    tiles = np.full((3, 60, 80, 3), 200, np.uint8)
    marked = numbered(tiles, ["7", "7", "a label that is much too long for its tile"])
    assert (tiles == 200).all()
    np.testing.assert_array_equal(marked[0], marked[1])
    for tile in marked:
        assert tuple(tile[0, 0]) == BOX
        assert tile[:16].min() <= 20
        assert tile[:16].max() >= 240
        assert (tile[12 + 2 * 2 :] == 200).all()  # letters of a fifth of 60 pixels, and margins of a sixth of them
    assert (marked[0][:, 40:] == 200).all()
    assert (marked[2][5, 75] != 200).any()


@pytest.mark.parametrize(("side", "letters"), [(40, 10), (56, 11), (64, 12), (80, 16), (128, 20), (500, 20)])
def test_letters_grow_with_the_tile(side: int, letters: int) -> None:
    assert number_letters(side, side + 7) == letters
    tile = np.full((1, side, side, 3), 200, np.uint8)
    assert np.nonzero((numbered(tile, ["7"])[0] != 200).any(-1))[0].max() + 1 == letters + 2 * max(2, letters // 6)


def test_a_long_label_has_smaller_letters_before_it_is_cut() -> None:
    """In letters of 20 pixels, this label is wider than a tile of 128 pixels."""
    tile = np.full((1, 128, 128, 3), 200, np.uint8)
    box = (numbered(tile, ["Egyptian cat"])[0] != 200).any(-1)
    assert 110 < np.flatnonzero(box.any(axis=0)).max() + 1 <= 128
    assert np.flatnonzero(box.any(axis=1)).max() + 1 < 20 + 2 * 3


def test_small_tiles_stay_bare() -> None:
    tiles = np.full((1, 39, 80, 3), 200, np.uint8)
    np.testing.assert_array_equal(numbered(tiles, ["7"]), tiles)


def test_a_number_is_what_pillow_draws_on_tiles_of_every_size() -> None:
    """Boxes are kept, so each is written twice, and the same number on tiles of several sizes."""
    for side in (40, 56, 100, 40, 56, 100):
        size, tiles = number_letters(side, side), np.full((2, side, side, 3), 77, np.uint8)
        write_numbers(tiles, ["7", "143"])
        for tile, label in zip(tiles, ("7", "143"), strict=True):
            expected, face, margin = Image.new("RGB", (side, side), (77, 77, 77)), text.font(size), max(2, size // 6)
            box = (round(face.getlength(label)) + 2 * margin, size + 2 * margin)
            draw = ImageDraw.Draw(expected)
            draw.rectangle((0, 0, box[0] - 1, box[1] - 1), fill=BOX)
            draw.text((margin, box[1] / 2), label, fill=LETTERS, font=face, anchor="lm")
            np.testing.assert_array_equal(tile, np.asarray(expected))


def test_numbers_can_be_written_on_the_tiles_themselves() -> None:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 50, 60, 3), np.uint8)
    expected = numbered(tiles, ["1", "2"])
    assert (tiles != expected).any()
    write_numbers(tiles, ["1", "2"])
    np.testing.assert_array_equal(tiles, expected)
