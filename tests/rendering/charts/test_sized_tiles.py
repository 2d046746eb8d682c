"""Pictures of different sizes in the cells of a grid, worked by hand."""

from __future__ import annotations

import numpy as np

from rendering.charts.sized_tiles import SizedTile, size_scale, sized_tiles

RED, GREEN = (np.full((3, 5, 3), colour, np.uint8) for colour in ((255, 0, 0), (0, 255, 0)))


def test_each_picture_is_in_the_middle_of_its_cell_at_its_size() -> None:
    """Rows 2-3 and columns 1-3 are drawn, with cells of 20 pixels and 4 between them. Half of 20 is 10 × 6, and 20 × 12 fills a cell."""
    drawn = sized_tiles([SizedTile(RED, 2, 1, 1.0), SizedTile(GREEN, 3, 3, 0.5)], 20)
    assert drawn.shape == (44, 68, 3)
    expected = np.full((44, 68, 3), 255, np.uint8)
    expected[4:16, :20] = (255, 0, 0)
    expected[24 + 7 : 24 + 13, 48 + 5 : 48 + 15] = (0, 255, 0)
    np.testing.assert_array_equal(drawn, expected)


def test_words_stand_below_their_picture() -> None:
    """With words, each cell is higher by a line of 18 pixels. The red picture is 30 pixels high and begins at 35 of 100."""
    drawn = sized_tiles([SizedTile(RED, 0, 0, 0.5, "cat")], 100)
    assert drawn.shape == (118, 100, 3)
    dark = np.argwhere((drawn < 128).all(axis=-1))
    assert 65 <= dark[:, 0].min() <= dark[:, 0].max() < 83
    assert 35 < dark[:, 1].min() <= dark[:, 1].max() < 65


def test_the_scale_has_a_square_for_each_size() -> None:
    """The squares are 20 and 40 pixels wide, and the line is as high as the larger one with 4 pixels above and below."""
    drawn = size_scale([(0.5, "3"), (1.0, "90")], "", 40, 300)
    assert drawn.shape == (48, 300, 3)
    grey = (drawn == 190).all(axis=-1)
    assert np.flatnonzero(grey[24]).tolist() == [20, 40, 52, 92]
    assert np.flatnonzero(grey[:, 72]).tolist() == [4, 44]
