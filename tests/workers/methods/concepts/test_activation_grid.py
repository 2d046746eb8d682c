"""The grid of an activation atlas, worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from workers.methods.concepts.activation_grid import activation_grid, cell_means, directions, nearest_members, plane


def test_the_plane_is_that_of_the_first_two_components() -> None:
    """The four activations vary by ±3 along one diagonal of two channels and by ±1 along the other, around (5, 5, 5).

    The squares sum up to 2·9 + 2·1, of which the first axis has 18.
    """
    one, other = np.array([1, 1, 0]) / 2**0.5, np.array([1, -1, 0]) / 2**0.5
    activations = (5 + np.array([3 * one, -3 * one, other, -other])).astype(np.float32)
    coordinates, explained = plane(activations)
    np.testing.assert_allclose(np.abs(coordinates), [[3, 0], [3, 0], [0, 1], [0, 1]], atol=1e-5)
    assert explained == pytest.approx((0.9, 0.1), abs=1e-5)
    for axis in (0, 1):
        assert coordinates[np.abs(coordinates[:, axis]).argmax(), axis] > 0


def test_activations_that_are_all_the_same_lie_in_one_cell() -> None:
    grid = activation_grid(np.full((6, 4), 2, np.float32), 3, 1)
    assert grid.explained == (0, 0)
    assert grid.cells.tolist() == [[2, 0, 6]]


def test_the_length_of_an_activation_does_not_matter() -> None:
    """Two directions are the ends of one axis, whatever the lengths are, and a length of 0 lies between them."""
    grid = activation_grid(np.array([[3, 0], [9, 0], [0, 1], [0, 5], [0, 0]], np.float32), 3, 1)
    assert grid.coordinates[:2, 0] == pytest.approx([grid.coordinates[0, 0]] * 2)
    assert grid.coordinates[2:4, 0] == pytest.approx([-grid.coordinates[0, 0]] * 2, abs=1e-6)
    assert grid.explained[0] > 0.8
    assert sorted(grid.cells[:, 2].tolist()) == [1, 2, 2]


def test_one_activation_and_one_channel_are_enough() -> None:
    assert activation_grid(np.ones((1, 5), np.float32), 2, 1).cells.tolist() == [[1, 0, 1]]
    grid = activation_grid(np.array([-3, -2, 0, 5, 7], np.float32)[:, None], 3, 1)
    assert grid.cells.tolist() == [[2, 0, 2], [2, 1, 1], [2, 2, 2]]
    assert grid.explained == pytest.approx((1, 0))


def test_cells_hold_the_activations_of_their_part_of_the_plane() -> None:
    """The directions are the corners of a wide rectangle (±0.8, ±0.6), so the first channel is the axis across.

    Each corner of a grid of 2 × 2 has as many activations as written here; one has too few.
    """
    corners = {(8, -6): 4, (-8, 6): 3, (-4, -3): 3, (0.8, 0.6): 1}
    activations = np.array([corner for corner, count in corners.items() for _ in range(count)], np.float32)
    grid = activation_grid(activations, 2, 2)
    right, up = np.sign(grid.coordinates[0]) * (1, -1)  # the signs of the axes are those of their farthest values
    rows, columns = {True: 0, False: 1}, {True: 1, False: 0}
    expected = {(rows[y * up > 0], columns[x * right > 0]): count for (x, y), count in corners.items() if count > 1}
    assert {(row, column): count for row, column, count in grid.cells.tolist()} == expected
    assert (grid.too_few, grid.least, grid.columns) == (1, 2, 2)
    assert grid.members[-1] == -1
    assert (grid.members < 0).sum() == 1
    means = cell_means(activations, grid)
    for number, (row, column, count) in enumerate(grid.cells.tolist()):
        assert (grid.members == number).sum() == count
        (corner,) = (each for each in corners if (rows[each[1] * up > 0], columns[each[0] * right > 0]) == (row, column))
        np.testing.assert_allclose(means[number], corner)


def test_the_nearest_activation_has_the_direction_of_the_mean() -> None:
    """The mean of the first three activations is (2, 1), whose direction the second has, though it is the shortest. The others are alone
    in their cell."""
    activations = np.array([[4, 0], [0.2, 0.1], [1.8, 2.9], [-1, -1]], np.float32)
    grid = replace(activation_grid(activations, 1, 1), members=np.int32([0, 0, 0, 1]), cells=np.int32([[0, 0, 3], [0, 1, 1]]))
    means = cell_means(activations, grid)
    np.testing.assert_allclose(means, [[2, 1], [-1, -1]], rtol=1e-6)
    assert nearest_members(activations, grid, means).tolist() == [1, 3]


def test_directions_have_length_1_and_can_be_whitened() -> None:
    """The channels are independent, with the mean squares 4 and 1: whitened, (2, 1) becomes (2/4, 1/1) but for the ridge, which is 0.1 of
    the mean 2.5 of the mean squares: (2/4.25, 1/1.25)."""
    activations = np.array([[2, 1], [-2, 1], [2, -1], [-2, -1]], np.float32)
    means = np.array([[2, 1], [0, 0]], np.float32)
    np.testing.assert_allclose(directions(means, activations, whiten=False), [np.array([2, 1]) / 5**0.5, [0, 0]], rtol=1e-6)
    expected = np.array([2 / 4.25, 1 / 1.25])
    np.testing.assert_allclose(directions(means, activations, whiten=True), [expected / np.linalg.norm(expected), [0, 0]], rtol=1e-6)
