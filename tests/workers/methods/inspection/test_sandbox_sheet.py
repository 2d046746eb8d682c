from __future__ import annotations

import numpy as np
import pytest

from rendering import text
from rendering.number_cells import numbered_cells
from tests.workers.methods.inspection.test_sandbox import arrays, made, photo_of, pictures
from tests.workers.methods.inspection.test_weight_pictures import place_of
from workers.methods.inspection.sandbox_sheet import (
    LARGEST_CELL,
    drawn_kernels,
    kernel_picture,
    photo_values,
    pooled_values,
    relu_values,
)


def test_kernels_are_drawn_with_their_numbers_a_filter_in_each_row() -> None:
    kernel = np.random.default_rng(0).uniform(-1, 1, (2, 2, 3, 2)).astype(np.float32)
    limit = float(np.abs(kernel).max())
    drawn = kernel_picture(kernel, of_photo=True)
    corners = {
        (filters, inputs): place_of(numbered_cells(kernel[:, :, inputs, filters].copy(), (-limit, limit), "signed", LARGEST_CELL), drawn)
        for filters in range(2)
        for inputs in range(3)
    }
    top, left = corners[0, 0]
    side = 2 * LARGEST_CELL + 3
    assert corners == {(filters, inputs): (top + filters * side, left + inputs * side) for filters, inputs in corners}


def test_large_kernels_have_colours_and_no_numbers() -> None:
    kernel = np.zeros((20, 20, 4, 4), np.float32)
    kernel[0, 0, 0, 0] = 1
    drawn = kernel_picture(kernel, of_photo=False)
    assert drawn.shape[1] < 450
    tiles = drawn[40:, 60:]
    assert (tiles >= 245).all(axis=2).mean() > 0.97  # one weight of 1,600 has a colour, and no cell has a number


@pytest.mark.parametrize(
    ("inputs", "filters", "words"),
    [(3, 3, ""), (3, 16, "; drawn: 4 of 16 filters"), (16, 7, "; drawn: 4 of 7 filters, 4 of 16 inputs"), (5, 1, "; drawn: 4 of 5 inputs")],
)
def test_what_is_not_drawn_is_said(inputs: int, filters: int, words: str) -> None:
    assert drawn_kernels(np.zeros((3, 3, inputs, filters), np.float32)) == words


def test_a_relu_is_shown_where_it_changes_something() -> None:
    before = np.ones((9, 11, 2), np.float32)
    before[2, 7, 0] = -5
    drawn = relu_values(before)
    part = np.ones((4, 4), np.float32)
    part[2, 2] = -5
    place_of(numbered_cells(part, (-5, 5), "signed", 36, whole=True), drawn)
    place_of(numbered_cells(np.maximum(part, 0), (-5, 5), "signed", 36, whole=True), drawn)


def test_windows_of_a_pooling_and_what_they_become() -> None:
    before = np.arange(36, dtype=np.float32).reshape(6, 6, 1)
    after = before.reshape(3, 2, 3, 2, 1).max(axis=(1, 3))
    drawn = pooled_values(before, after, 2)  # the windows of rows and columns 2 to 5
    place_of(numbered_cells(before[2:, 2:, 0].copy(), (-35, 35), "signed", 36, whole=True), drawn)
    place_of(numbered_cells(np.array([[21, 23], [33, 35]], np.float32), (-35, 35), "signed", 36, whole=True), drawn)


def test_values_of_the_smallest_maps_can_be_drawn() -> None:
    for shape in ((1, 1, 1), (2, 7, 3)):
        maps = np.zeros(shape, np.float32)
        assert relu_values(maps).shape[2] == 3
        assert pooled_values(np.zeros((32 * shape[0], 32 * shape[1], shape[2]), np.float32), maps, 32).shape[2] == 3
    assert photo_values(np.zeros((1, 2, 3), np.uint8)).shape[2] == 3


def test_each_stage_has_a_row_with_its_output_and_what_made_it() -> None:
    photo = photo_of(200, 400)
    params = {"preset": "relu_max_pool_5x5", "annotate": True}
    sheet, bare = pictures(made(photo, **params))["stages"], pictures(made(photo, preset="relu_max_pool_5x5"))["stages"]
    np.testing.assert_array_equal(sheet[21:221, :400], photo.image)
    kernel = arrays(made(photo, **params))["kernel_1"]
    place_of(kernel_picture(kernel, of_photo=True), sheet)
    place_of(photo_values(photo.image), sheet)
    place_of(bare[21:221, 410:810], sheet)  # the convolution's output is the same picture
    assert (sheet[: text.line_height(13), :60] < 100).any()
