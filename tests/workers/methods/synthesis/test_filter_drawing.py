"""The images of `filters` are ranked and drawn, with warnings."""

from __future__ import annotations

import numpy as np

from tests.workers.methods.synthesis.played_ascent import facts, pictures, resolved, synthesis
from workers.contract.artifacts import Array
from workers.methods.synthesis import filters


def test_rank_is_by_final_value_and_dead_ones_come_last() -> None:
    params = resolved(channels=4)
    output = filters.draw(synthesis([[0, 2.0], [0, -1.0], [9, 5.0], [0, 0.0]], [True, True, True, False]), None, params)
    found = facts(output)
    assert [image.rank for image in found.images] == [2, 3, 1, 4]
    assert [image.objective for image in found.images] == [2.0, -1.0, 5.0, 0.0]
    assert [image.dead for image in found.images] == [False, False, False, True]
    assert found.dead_channels == (3,)
    assert "channel_3" in output.warnings[0]
    assert not any(image.dropped for image in found.images)


def test_a_channel_that_never_responds_has_a_warning() -> None:
    """This happens with a ReLU that stays closed while ascent follows its input."""
    output = filters.draw(synthesis([[0.0, 0.0], [0.0, 0.5], [0.0, 0.0]], [True, True, False]), None, resolved(channels=3))
    dead, silent = output.warnings
    assert dead.startswith("No gradient ever reached the input for channel_2:")
    assert silent.startswith("The objective stayed 0 at every step for channel_0.")


def test_a_dead_channel_is_a_crossed_tile_and_the_others_are_their_images() -> None:
    params = resolved(channels=3)
    result = synthesis([[1.0], [0.0], [2.0]], [True, False, True])
    shown = pictures(filters.draw(result, None, params))
    np.testing.assert_array_equal(shown["channel_0"], np.rint(result.images[0] * 255).astype(np.uint8))
    cross = shown["channel_1"]
    assert cross.shape == (20, 20, 3)
    assert set(np.unique(cross)) == {64, 128}
    np.testing.assert_array_equal(cross[..., 0] == 128, (np.eye(20) + np.eye(20)[::-1]) > 0)
    # Two tiles in a row, white between and where none is left.
    grid = shown["grid"]
    assert grid.shape == (44, 44, 3)
    np.testing.assert_array_equal(grid[:20, 24:], cross)
    np.testing.assert_array_equal(grid[24:, :20], shown["channel_2"])
    assert np.all(grid[24:, 24:] == 255)


def test_arrays_are_as_synthesised() -> None:
    result = synthesis([[1.0, 2.0], [3.0, 4.0]], [True, True])
    arrays = {a.name: a.array for a in filters.draw(result, None, resolved(channels=2)).artifacts if isinstance(a, Array)}
    np.testing.assert_array_equal(arrays["images"], result.images)
    np.testing.assert_array_equal(arrays["curves"], [[1, 2], [3, 4]])


def test_keras_blog_drops_whatever_was_ever_at_nought_and_says_so_when_that_is_all() -> None:
    params = resolved(preset="keras_blog", channels=4)
    output = filters.draw(synthesis([[0.0, 9.0], [1.0, 2.0], [1.0, 3.0], [0.0, 0.0]], [True, True, True, False]), None, params)
    assert [image.dropped for image in facts(output).images] == [True, False, False, True]
    shown = pictures(output)
    assert shown["grid"].shape == (20, 45, 3)
    np.testing.assert_array_equal(shown["grid"][:, :20], shown["channel_2"])
    np.testing.assert_array_equal(shown["grid"][:, 25:], shown["channel_1"])
    none = filters.draw(synthesis([[0.0]], [True]), None, resolved(preset="keras_blog", channels=1))
    assert "leaves all images out of the grid" in none.warnings[-1]
    assert set(np.unique(pictures(none)["grid"])) == {64, 128}
