"""Regions of the photo as positions of an output, on photos that are stretched, cropped and padded."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters
from schemas.methods.targets import BoxRegion, PointRegion
from workers.methods.regions import box_region, centres, mask_region, point_region, predicted_region

# A photo of 30 × 60 pixels fills an input of 20 × 20: each output position of 4 × 5 covers 7.5 × 12 pixels of the photo.
STRETCHED = Photo(np.zeros((30, 60, 3), np.uint8), Placement((20, 20), (0, 0, 20, 20), (0, 0, 30, 60)))
# The same photo lies in rows 5 to 15 of the input: each output position covers 15 × 12 pixels of the photo.
PADDED = Photo(np.zeros((30, 60, 3), np.uint8), Placement((20, 20), (5, 0, 10, 20), (0, 0, 30, 60)))
# The middle of the photo, columns 15 to 45, fills the input: each output position covers 7.5 × 6 pixels of the photo.
CROPPED = Photo(np.zeros((30, 60, 3), np.uint8), Placement((20, 20), (0, 0, 20, 20), (0, 15, 30, 30)))
SIZE = (4, 5)


def test_centres_worked_by_hand() -> None:
    for photo, rows, columns in (
        (STRETCHED, [3.75, 11.25, 18.75, 26.25], [6, 18, 30, 42, 54]),
        (PADDED, [-7.5, 7.5, 22.5, 37.5], [6, 18, 30, 42, 54]),
        (CROPPED, [3.75, 11.25, 18.75, 26.25], [18, 24, 30, 36, 42]),
    ):
        found = centres(photo.placement, SIZE)
        np.testing.assert_allclose(found[0], rows)
        np.testing.assert_allclose(found[1], columns)


def places(region: np.ndarray) -> list[tuple[int, int]]:
    return [(int(y), int(x)) for y, x in np.argwhere(region)]


def test_a_box_is_the_centres_in_it() -> None:
    assert places(box_region(BoxRegion(box=(0, 10, 12, 25)), STRETCHED, SIZE)) == [(0, 1), (0, 2), (1, 1), (1, 2)]
    assert places(box_region(BoxRegion(box=(0, 10, 12, 25)), PADDED, SIZE)) == [(1, 1), (1, 2)]
    assert places(box_region(BoxRegion(box=(0, 10, 12, 25)), CROPPED, SIZE)) == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert places(box_region(BoxRegion(box=(12, 20, 2, 3)), STRETCHED, SIZE)) == [(1, 1)]  # smaller than one position
    with pytest.raises(InvalidParameters, match=r"does not see \(1, 6\)"):
        box_region(BoxRegion(box=(0, 5, 2, 2)), CROPPED, SIZE)


def test_a_point_is_the_position_that_covers_it() -> None:
    assert places(point_region(PointRegion(point=(29, 59)), STRETCHED, SIZE)) == [(3, 4)]
    assert places(point_region(PointRegion(point=(0, 13)), STRETCHED, SIZE)) == [(0, 1)]
    assert places(point_region(PointRegion(point=(16, 29)), PADDED, SIZE)) == [(2, 2)]
    with pytest.raises(InvalidParameters, match=r"does not see \(3, 50\)") as raised:
        point_region(PointRegion(point=(3, 50)), CROPPED, SIZE)
    assert raised.value.pointer == "/params/target/region/where/point"


def test_a_mask_is_the_centres_on_its_bright_pixels() -> None:
    mask = np.zeros((30, 60, 3), np.uint8)
    mask[10:20, 40:60, 1] = 128
    assert places(mask_region(mask, STRETCHED, SIZE)) == [(1, 3), (1, 4), (2, 3), (2, 4)]
    assert places(mask_region(mask, CROPPED, SIZE)) == [(1, 4), (2, 4)]
    mask[:] = 255
    assert mask_region(mask, PADDED, SIZE).tolist() == [[False] * 5, [True] * 5, [True] * 5, [False] * 5]
    with pytest.raises(InvalidParameters, match="covers no position"):
        mask_region(np.full_like(mask, 127), STRETCHED, SIZE)
    with pytest.raises(InvalidParameters, match=r"The mask has 60×29 pixels \(width × height\), and the photo 60×30") as raised:
        mask_region(mask[:29], STRETCHED, SIZE)
    assert raised.value.pointer == "/params/target/region/where/mask"


def test_the_predicted_region_is_where_the_class_is_most_likely() -> None:
    logits = np.zeros((4, 5, 3), np.float32)
    logits[1:, 2, 1] = 2
    logits[0, 0, 2] = 1
    assert places(predicted_region(logits, 1, STRETCHED)) == [(1, 2), (2, 2), (3, 2)]
    assert places(predicted_region(logits, 1, PADDED)) == [(1, 2), (2, 2)]  # the last row lies in the padding
    with pytest.raises(InvalidParameters, match=r"predicts class 2 nowhere in this photo\. The classes that it predicts are: 0, 1"):
        predicted_region(logits, 2, PADDED)
    single = np.where(np.arange(5) > 2, 0.5, -0.5)[None, :, None].repeat(4, 0).astype(np.float32)
    assert predicted_region(single, 0, STRETCHED).tolist() == [[False] * 3 + [True] * 2] * 4
    with pytest.raises(InvalidParameters, match="predicts are: none"):
        predicted_region(-np.abs(single), 0, STRETCHED)
