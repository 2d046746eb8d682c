from __future__ import annotations

import numpy as np
import pytest

from rendering import kernels


def test_three_inputs_are_red_green_and_blue() -> None:
    made = np.zeros((24, 24, 3, 2), np.float32)
    made[..., 0, 0], made[..., 1, 0], made[..., 2, 0] = 1, -1, 0  # scaled over the layer, these are 255, 0 and 128
    made[:12, :, 2, 1] = 0.5
    picture = kernels.in_colour(made, (-1.0, 1.0), columns=2, captions=None)
    assert picture.shape == (24, 49, 3)
    assert (picture[:, :24] == (255, 0, 128)).all()
    assert (picture[:, 24] == 255).all()  # the gap between two tiles
    assert (picture[:12, 25:] == (128, 128, 191)).all()
    assert (picture[12:, 25:] == 128).all()


def test_captions_take_their_place_once() -> None:
    made = np.zeros((40, 40, 3, 1), np.float32)
    picture = kernels.in_colour(made, (0.0, 1.0), columns=None, captions=["7"])
    assert picture.shape == (56, 40, 3)
    caption = picture[:16]
    assert (caption[..., 0] == caption[..., 2]).all()
    assert (caption < 100).any()
    assert (picture[16:] == 0).all()


def test_a_small_matrix_has_whole_cells() -> None:
    values = np.array([[-1, 0, 3], [1, 1, 1]], np.float32)
    picture = kernels.matrix(values, "gray")
    assert picture.shape == (2 * 24, 3 * 24, 3)
    np.testing.assert_array_equal(picture[::24, ::24, 0], [[0, 64, 255], [128, 128, 128]])
    np.testing.assert_array_equal(picture[12:24, 12:24], picture[:12, :12])


def test_a_large_matrix_is_averaged() -> None:
    values = np.zeros((4096, 5), np.float32)
    values[::2] = 1  # 0 and 255 take turns, so the average is 127.5
    values[:4] = 1
    picture = kernels.matrix(values, "gray")
    assert picture.shape == (1024, 5 * 24, 3)
    assert (picture[0] == 255).all()
    assert np.abs(picture[1:].astype(float) - 127.5).max() <= 0.5


@pytest.mark.parametrize(
    ("shape", "count", "columns", "side"), [((3, 2), 32, None, 63), ((3, 2), 4096, None, 6), ((11, 11), 96, 12, 33), ((3, 3), 4, 200, 3)]
)
def test_enlarging_fills_a_grid(shape: tuple[int, int], count: int, columns: int | None, side: int) -> None:
    made = np.arange(np.prod(shape), dtype=np.float32).reshape(*shape, 1)
    larger = kernels.enlarged(made, count, columns)
    factor = larger.shape[0] // shape[0]
    assert larger.shape[0] == side
    np.testing.assert_array_equal(larger[::factor, ::factor], made)
    np.testing.assert_array_equal(larger[factor - 1 :: factor, factor - 1 :: factor], made)
