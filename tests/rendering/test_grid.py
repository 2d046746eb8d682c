from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from rendering.grid import grid


def numbered(count: int, height: int = 1, width: int = 2) -> np.ndarray:
    """Return images 1, 2, …, each in the grey level of its number."""
    return np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None] * np.ones((1, height, width, 3), np.uint8)


def test_rows_are_filled_from_the_left_and_a_remainder_is_kept() -> None:
    made = grid(numbered(5), columns=3, gap=1)
    expected = [
        [1, 1, 0, 2, 2, 0, 3, 3],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [4, 4, 0, 5, 5, 0, 0, 0],
    ]
    assert made.dtype == np.uint8
    for channel in range(3):
        np.testing.assert_array_equal(made[..., channel], expected)


def test_columns_are_filled_from_the_top() -> None:
    made = grid(numbered(5), columns=3, gap=1, order="column")
    expected = [
        [1, 1, 0, 3, 3, 0, 5, 5],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [2, 2, 0, 4, 4, 0, 0, 0],
    ]
    np.testing.assert_array_equal(made[..., 0], expected)


def test_no_empty_column_is_left_when_columns_are_filled() -> None:
    made = grid(numbered(5), columns=4, gap=0, order="column")
    np.testing.assert_array_equal(made[..., 0], [[1, 1, 3, 3, 5, 5], [2, 2, 4, 4, 0, 0]])


def test_the_dlwp1_figure() -> None:
    """Deep Learning with Python, 1st edition, listing 5.39 puts filter i + j * 8 at row i and column j, with a black margin of 5."""
    size, margin = 6, 5
    tiles = np.random.default_rng(0).integers(1, 256, (64, size, size, 3), np.uint8)
    results = np.zeros((8 * size + 7 * margin, 8 * size + 7 * margin, 3), np.uint8)
    for i in range(8):
        for j in range(8):
            top, left = i * size + i * margin, j * size + j * margin
            results[top : top + size, left : left + size] = tiles[i + j * 8]
    np.testing.assert_array_equal(grid(tiles, columns=8, gap=margin, order="column"), results)


@pytest.mark.parametrize("order", ["row", "column"])
@pytest.mark.parametrize("count", [1, 2, 7, 12, 13])
@pytest.mark.parametrize("columns", [None, 1, 3, 50])
def test_every_image_is_there_once(count: int, columns: int | None, order: Literal["row", "column"]) -> None:
    made = grid(numbered(count, 3, 2), columns=columns, gap=2, background=(0, 0, 0), order=order)
    values, counts = np.unique(made[..., 0][made[..., 0] > 0], return_counts=True)
    np.testing.assert_array_equal(values, np.arange(1, count + 1))
    assert set(counts.tolist()) == {6}


def test_by_default_about_as_many_columns_as_rows() -> None:
    assert grid(numbered(10, 2, 3), gap=1).shape == (3 * 3 - 1, 4 * 4 - 1, 3)


def test_background_fills_gaps_and_the_remainder() -> None:
    made = grid(numbered(3, 1, 1), columns=2, gap=1, background=(10, 20, 30))
    np.testing.assert_array_equal(made[0, 1], [10, 20, 30])
    np.testing.assert_array_equal(made[2, 2], [10, 20, 30])
    np.testing.assert_array_equal(made[2, 0], [3, 3, 3])


def test_a_list_and_an_array_give_the_same() -> None:
    tiles = numbered(4, 2, 3)
    np.testing.assert_array_equal(grid(list(tiles)), grid(tiles))


def test_images_are_not_changed() -> None:
    tiles = numbered(3)
    before = tiles.copy()
    grid(tiles)
    np.testing.assert_array_equal(tiles, before)


def test_refusals() -> None:
    with pytest.raises(ValueError, match="at least one"):
        grid([])
    with pytest.raises(ValueError, match="at least one"):
        grid(np.zeros((0, 2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="one size"):
        grid([np.zeros((2, 3, 3), np.uint8), np.zeros((3, 2, 3), np.uint8)])
