from __future__ import annotations

import numpy as np
import pytest

from rendering import kernels
from rendering.channel_grid import channel_grid
from rendering.number_cells import numbered_cells
from schemas.limits import MethodLimits
from schemas.methods.inspection.weights import Weights
from schemas.models import LayerKind
from tests.contract.cases import zoo_model
from tests.workers.methods.inspection.test_weights import RNG, TITLE, picture, shown

RED, BLUE, WHITE = (178, 24, 43), (33, 102, 172), (247, 247, 247)


def is_near(pixels: np.ndarray, colour: tuple[int, int, int]) -> bool:
    return bool((np.abs(pixels.astype(int) - colour) <= 2).all())


def place_of(part: np.ndarray, whole: np.ndarray) -> tuple[int, int]:
    """Return the row and the column at which a picture lies unchanged in a larger one."""
    height, width = part.shape[:2]
    for top in range(whole.shape[0] - height + 1):
        for left in range(whole.shape[1] - width + 1):
            if (whole[top, left] == part[0, 0]).all() and (whole[top : top + height, left : left + width] == part).all():
                return top, left
    raise AssertionError("it is not there")


def test_an_explained_kernel_has_signed_colours_and_a_scale_that_is_even_about_0() -> None:
    kernel = np.zeros((3, 3, 1, 2))
    kernel[0, 2, 0], kernel[2, 0, 0] = [4, -1], [-4, 0]
    output = shown({"kernel": kernel}, annotate=True)
    made = picture(output)
    bare = picture(shown({"kernel": kernel}, colormap="signed", filters=(0, 1)))[TITLE:, :127]
    top, left = place_of(bare, made)  # both have the filters' numbers above the tiles
    tile = made[top + 16 :, left:]
    assert is_near(tile[5, 60], RED)
    assert is_near(tile[60, 5], BLUE)
    assert is_near(tile[30, 30], WHITE)
    bar = made[:, left + 127 + 11 + 3]
    red = np.flatnonzero((np.abs(bar.astype(int) - RED) <= 2).all(axis=1))
    blue = np.flatnonzero((np.abs(bar.astype(int) - BLUE) <= 2).all(axis=1))
    assert red.max() < blue.min()


def test_a_convolution_of_one_position_is_a_matrix_of_input_by_output_channels() -> None:
    matrix = RNG.normal(size=(20, 30)).astype(np.float32)
    limit = float(np.abs(matrix).max())
    made = picture(shown({"kernel": matrix[None, None]}, annotate=True))
    plain = kernels.matrix(matrix, "signed", (-limit, limit))
    top, left = place_of(plain, made)
    assert (made[top - 40 : top, left : left + 120] < 150).any()  # "output channel" and its numbers
    assert (made[top : top + 100, :left] < 150).any()
    np.testing.assert_array_equal(made, picture(shown({"kernel": matrix[None, None]}, annotate=True)))


def test_a_small_matrix_shows_its_numbers() -> None:
    made = picture(shown({"kernel": [[1.0, -0.5], [0.0, 0.25]]}, LayerKind.DENSE, "Dense", annotate=True))
    cells = numbered_cells(np.array([[1.0, -0.5], [0.0, 0.25]], np.float32), (-1.0, 1.0), "signed", 48)
    place_of(cells, made)


def test_each_row_is_a_filter_where_a_filter_has_several_tiles() -> None:
    kernel = np.zeros((2, 2, 2, 3))
    kernel[:, :] = [[0, 1, 2], [3, 4, 5]]  # [input, filter]
    made = picture(shown({"kernel": kernel}, annotate=True, colormap="gray"))
    tiles = kernels.enlarged(np.array([0, 3, 1, 4, 2, 5], np.float32)[None, None].repeat(2, 0).repeat(2, 1), 6, 2)
    place_of(channel_grid(tiles, mode="global", colours="gray", columns=2), made)


@pytest.mark.parametrize(("annotate", "colormap"), [(True, "signed"), (False, "gray")])
def test_the_colours_without_a_choice(annotate: bool, colormap: str) -> None:
    _, published = zoo_model("functional")
    assert Weights(annotate=annotate).resolve(published, MethodLimits()).colormap == colormap
    assert Weights(annotate=annotate, colormap="hot").resolve(published, MethodLimits()).colormap == "hot"


def test_weights_that_are_all_0_are_white() -> None:
    made = picture(shown({"kernel": np.zeros((3, 3, 1, 2))}, annotate=True))
    assert (np.abs(made.astype(int) - WHITE) <= 1).all(axis=2).mean() > 0.2
