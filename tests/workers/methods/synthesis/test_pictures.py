"""Synthesised images as pictures."""

from __future__ import annotations

import numpy as np

from rendering.drawings.synthesised_image import as_rgb
from tests.workers.methods.synthesis.preset_runs import CAFFE
from workers.methods.synthesis.pictures import averaged_down
from workers.methods.synthesis.recipes import RECIPES, pixel_units


def test_shrinking_averages_blocks() -> None:
    image = np.zeros((131, 140, 3), np.uint8)
    image[::2] = 100
    small = averaged_down(image)
    assert small.shape == (65, 70, 3)
    assert np.all(small == 50)
    assert averaged_down(image[:50]).shape == (50, 140, 3)


def test_lucid_pixels_of_a_bgr_model_are_drawn_in_true_colours() -> None:
    """`lucid` draws an image red that is red to a caffe model. `dlwp1` draws it as the book does, as if it were RGB."""
    red = np.zeros((4, 6, 3), np.float32)
    red[1:3, 2:4, 2] = 255
    bgr = red - np.float32([103.939, 116.779, 123.68])
    assert as_rgb(pixel_units(RECIPES["lucid"], CAFFE).draw(bgr))[1, 2].argmax() == 0
    assert as_rgb(pixel_units(RECIPES["dlwp1"], CAFFE).draw(red))[1, 2].argmax() == 2


def test_other_numbers_of_channels_become_grey() -> None:
    two = np.uint8([[[10, 30], [0, 255]]])
    np.testing.assert_array_equal(as_rgb(two), [[[20, 20, 20], [127, 127, 127]]])
    assert as_rgb(np.uint8([[[7]]])).tolist() == [[[7, 7, 7]]]
