"""The variants of an input, and the mean of their maps."""

from __future__ import annotations

import numpy as np

from workers.contract.map_place import MapPlace
from workers.methods.cam import augmentation


def test_the_plain_input_comes_first_and_each_variant_comes_once() -> None:
    assert augmentation.variants(False) == (augmentation.PLAIN,)
    every = augmentation.variants(True)
    assert every[0] == augmentation.PLAIN
    assert {(variant.mirrored, variant.factor) for variant in every} == {(m, f) for m in (False, True) for f in (0.9, 1, 1.1)}
    assert len(every) == 6


def test_a_variant_by_hand() -> None:
    tensor = np.array([[[[1], [2], [3]]], [[[4], [5], [6]]]], np.float32)
    variant = augmentation.InputVariant(mirrored=True, factor=0.9)
    np.testing.assert_allclose(variant.of(tensor)[..., 0], [[[2.7, 1.8, 0.9]], [[5.4, 4.5, 3.6]]], rtol=1e-6)
    assert variant.of(tensor).dtype == np.float32
    np.testing.assert_array_equal(variant.undone(np.array([[[0, 1, 2]]], np.float32), MapPlace.whole((2, 3)), 3), [[[2, 1, 0]]])
    np.testing.assert_array_equal(augmentation.PLAIN.of(tensor), tensor)


def test_a_mirrored_map_over_a_part_of_the_input_comes_back_to_its_place() -> None:
    """The layer sees columns 0-3 of 5. Of the mirrored input, these are columns 4, 3, 2 and 1, so column 0 is not seen."""
    variant = augmentation.InputVariant(mirrored=True, factor=1)
    place = MapPlace(area=(0, 0, 2, 4), seen=(0, 0, 2, 4))
    np.testing.assert_allclose(variant.undone(np.array([[[1, 2, 3, 4]]], np.float32), place, 5), [[[0, 4, 3, 2]]])


def test_maps_of_one_variant_stay_unscaled_and_maps_of_several_are_scaled_and_averaged() -> None:
    maps = np.array([[[0, 5]], [[2, 1]]], np.float32)
    np.testing.assert_array_equal(augmentation.averaged([maps]), maps)
    other = np.array([[[4, 1]], [[3, 3]]], np.float32)  # the second map is the same everywhere, so it counts as zeros
    np.testing.assert_allclose(augmentation.averaged([maps, other]), [[[0.5, 0.625]], [[0.5, 0.25]]])
