from __future__ import annotations

import cv2
import numpy as np
import pytest

from rendering.photo import Placement
from rendering.placement import map_extent, onto_photo, place_on_photo, smooth_on_photo, span_on_photo, used_part


def stretched(photo: tuple[int, int], size: tuple[int, int]) -> Placement:
    return Placement(size, (0, 0, *size), (0, 0, *photo))


def test_by_hand_with_half_pixel_centres() -> None:
    # From 1×2 to 2×4, the pixel centres 0.5, 1.5, 2.5 and 3.5 lie at 0.25, 0.75, 1.25 and 1.75, between the cell centres 0.5 and 1.5.
    made = onto_photo(np.array([[0, 4]], np.float32), stretched((2, 4), (10, 20)), (2, 4, 3))
    np.testing.assert_allclose(made, [[0, 1, 3, 4]] * 2)


def test_height_and_width_are_not_swapped() -> None:
    values = np.zeros((3, 7), np.float32)
    values[2, 1] = 1  # below and left of the middle
    made = onto_photo(values, stretched((31, 53), (96, 224)), (31, 53))
    assert made.shape == (31, 53)
    assert np.unravel_index(made.argmax(), made.shape) == (26, 11)  # the centre is at row 2.5/3 · 31 = 25.8 and column 1.5/7 · 53 = 11.4


def test_a_stretch_is_opencvs_resize() -> None:
    values = np.random.default_rng(0).random((5, 7), np.float32)
    expected = cv2.resize(values, (451, 300), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_array_equal(onto_photo(values, stretched((300, 451), (224, 224)), (300, 451)), expected)


def test_the_general_case_agrees_with_opencv_where_both_apply() -> None:
    """If the used part ends less than a pixel before the photo, the other branch computes almost the same map."""
    values = np.random.default_rng(1).random((5, 7), np.float32)
    made = onto_photo(values, Placement((224, 224), (0, 0, 224, 224), (0, 0, 300, 450.999)), (300, 451))
    np.testing.assert_allclose(made, cv2.resize(values, (451, 300), interpolation=cv2.INTER_LINEAR), atol=1e-4)


def test_crop_by_hand() -> None:
    # The middle 2×4 of a 2×8 photo fills the input. The map is 0 outside, and inside it is that of a stretched 2×4 photo.
    placement = Placement((10, 20), (0, 0, 10, 20), (0, 2, 2, 4))
    made = onto_photo(np.array([[4, 8]], np.float32), placement, (2, 8))
    np.testing.assert_allclose(made, [[0, 0, 4, 5, 7, 8, 0, 0]] * 2)


def test_letterbox_by_hand() -> None:
    # A 2×4 photo fills rows 2 to 5 of an 8×8 input. The map has 4 rows and 1 column; its rows 1 and 2 cover the photo.
    placement = Placement((8, 8), (2, 0, 4, 8), (0, 0, 2, 4))
    made = onto_photo(np.array([[100], [1], [3], [100]], np.float32), placement, (2, 4))
    np.testing.assert_allclose(made, [[1] * 4, [3] * 4])
    # At twice the size, rows lie a quarter of a cell off, so the neighbours in the padding count by their share.
    made = onto_photo(np.array([[100], [1], [3], [100]], np.float32), Placement((8, 8), (2, 0, 4, 8), (0, 0, 4, 8)), (4, 8))
    np.testing.assert_allclose(made[:, 0], [0.75 * 1 + 0.25 * 100, 1.5, 2.5, 0.75 * 3 + 0.25 * 100])


@pytest.mark.parametrize(
    ("placement", "photo"),
    [
        (Placement((64, 96), (0, 0, 64, 96), (0, 0, 75, 131)), (75, 131)),
        (Placement((64, 96), (0, 0, 64, 96), (0, 9, 75, 112.5)), (75, 131)),  # crop
        (Placement((64, 96), (4.5, 0, 55, 96), (0, 0, 75, 131)), (75, 131)),  # letterbox
        (Placement((96, 64), (0, 7, 96, 50), (0, 0, 131, 68)), (131, 68)),
    ],
)
def test_a_spot_lands_where_it_was_in_the_photo(placement: Placement, photo: tuple[int, int]) -> None:
    """A spot that the placement brings from the photo into the input comes back to its place within 0.3 pixels."""
    for share in ((0.3, 0.6), (0.7, 0.25)):
        spot = [placement.source[axis] + share[axis] * placement.source[2 + axis] for axis in (0, 1)]
        in_input = [placement.box[axis] + share[axis] * placement.box[2 + axis] for axis in (0, 1)]
        rows, columns = (np.arange(length) + 0.5 for length in placement.input_size)
        values = np.exp(-((rows[:, None] - in_input[0]) ** 2 + (columns - in_input[1]) ** 2) / 18).astype(np.float32)
        made = onto_photo(values, placement, photo)
        weights = made / made.sum()
        centre = [float((weights.sum(1 - axis) * (np.arange(photo[axis]) + 0.5)).sum()) for axis in (0, 1)]
        assert centre == pytest.approx(spot, abs=0.3)


def test_used_part_takes_pixels_whose_centres_lie_in_it() -> None:
    placement = Placement((10, 10), (0, 0, 10, 10), (1.4, 2.6, 5, 7.2))
    assert used_part(placement, (8, 12, 3)) == (slice(1, 6), slice(3, 10))
    assert used_part(stretched((8, 12), (10, 10)), (8, 12, 3)) == (slice(0, 8), slice(0, 12))


def test_a_part_narrower_than_a_pixel_is_still_one_pixel() -> None:
    placement = Placement((100, 10), (0, 0, 100, 10), (0, 1, 1, 0.1))
    assert used_part(placement, (1, 3)) == (slice(0, 1), slice(1, 2))
    made = onto_photo(np.array([[5, 5]], np.float32), placement, (1, 3))
    np.testing.assert_allclose(made, [[0, 5, 0]])


def test_a_crop_between_pixels_by_hand() -> None:
    # The used part is 0.5 to 4.5 of a 1×5 photo. Two cells of two pixels each have their centres at 1.5 and 3.5, with values 10 and 30.
    placement = Placement((10, 10), (0, 0, 10, 10), (0, 0.5, 1, 4))
    made = onto_photo(np.array([[10, 30]], np.float32), placement, (1, 5))
    np.testing.assert_allclose(made, [[10, 10, 20, 30, 0]])  # the pixel centres are 0.5, 1.5, 2.5 and 3.5; 4.5 is outside


def test_a_single_cell_covers_all() -> None:
    np.testing.assert_allclose(onto_photo(np.array([[2.5]], np.float32), stretched((3, 5), (9, 7)), (3, 5)), np.full((3, 5), 2.5))


@pytest.mark.parametrize(
    ("axis", "start", "extent", "span"),
    [
        (0, 2, 3, (6, 15)),  # 30 rows of the photo lie on 10 rows of the input
        (1, 3, 2, (3, 7)),  # 25 columns lie on 20, so 3.75 to 6.25 become whole pixels
        (0, -2, 3, (0, 3)),
        (1, 18, 9, (22, 25)),
        (0, -4, 3, (0, 0)),
    ],
)
def test_a_stretch_of_the_input_on_the_photo(axis: int, start: float, extent: float, span: tuple[int, int]) -> None:
    assert span_on_photo(axis, start, extent, stretched((30, 25), (10, 20)), (30, 25, 3)) == slice(*span)


def test_a_stretch_on_a_part_of_the_photo() -> None:
    """Rows 5 to 24 of the photo lie in rows 2 to 11 of the input."""
    placement = Placement((14, 9), (2, 0, 10, 9), (5, 0, 20, 9))
    spans = [span_on_photo(0, start, 3, placement, (40, 9)) for start in (-1, 0, 2, 10, 12)]
    assert spans == [slice(5, 5), slice(5, 7), slice(5, 11), slice(21, 25), slice(25, 25)]


@pytest.mark.parametrize(
    ("cells", "photo", "placement"),
    [
        ((7, 7), (300, 451), stretched((300, 451), (224, 224))),
        ((7, 5), (300, 451), Placement((224, 224), (0, 0, 224, 224), (0, 75.5, 300, 300))),
        ((56, 50), (300, 451), Placement((224, 224), (37, 0, 149, 224), (0, 0, 300, 451), mirrored=(False, True))),
        ((1, 1), (30, 45), stretched((30, 45), (224, 224))),
    ],
)
def test_a_coarse_map_is_what_blurring_the_enlarged_map_gives(cells: tuple[int, int], photo: tuple[int, int], placement: Placement) -> None:
    values = np.random.default_rng(0).standard_normal(cells).astype(np.float32)
    rows, columns = used_part(placement, photo)
    part = onto_photo(values, placement, photo)[rows, columns]
    top, left, bottom, right = map_extent(placement, photo, cells)
    sigma = 0.4 * part.shape[1] / (right - left), 0.4 * part.shape[0] / (bottom - top)
    blurred = cv2.GaussianBlur(np.ascontiguousarray(part), (0, 0), sigmaX=sigma[0], sigmaY=sigma[1], borderType=cv2.BORDER_REPLICATE)
    expected = blurred * np.abs(part).max() / np.abs(blurred).max()
    np.testing.assert_allclose(smooth_on_photo(values, placement, photo), expected, atol=1e-5)


def test_a_map_of_many_cells_is_smoothed_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(0).standard_normal((20, 30)).astype(np.float32)
    placement = stretched((200, 300), (224, 224))
    few = smooth_on_photo(values, placement, (200, 300))
    monkeypatch.setattr("rendering.placement._FEW_CELLS", 10)
    np.testing.assert_allclose(smooth_on_photo(values, placement, (200, 300)), few, atol=1e-5)


def test_the_place_on_the_photo_is_said_by_hand() -> None:
    """A map over rows 16 to 48 of an input of 64 × 64, which a photo of 128 × 256 fills; its layer sees rows 20 to 48."""
    placement = Placement((32, 64), (4, 0, 28, 64), (40, 0, 56, 256), (False, True))
    place = place_on_photo(placement)
    assert place.area == (32, 0, 64, 256)
    assert place.seen == (40, 0, 56, 256)
    assert place.mirrored == (False, True)
    letterbox = place_on_photo(Placement((8, 8), (2, 0, 4, 8), (0, 0, 20, 40)))
    assert letterbox.area == (-10, 0, 40, 40)
    assert letterbox.seen == (0, 0, 20, 40)
