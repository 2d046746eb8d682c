from __future__ import annotations

import numpy as np

from rendering.patch_rows import PatchRow, padded_square, patch_sheet
from rendering.side_by_side import CaptionedPicture

RED, GREEN = (200, 10, 20), (10, 200, 20)


def colour(height: int, width: int, rgb: tuple[int, int, int]) -> np.ndarray:
    return np.full((height, width, 3), rgb, np.uint8)


def where(picture: np.ndarray, rgb: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Return the top, bottom, left and right of the pixels with exactly that colour."""
    rows, columns = np.nonzero((picture == rgb).all(-1))
    return int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1


def test_every_picture_has_its_place() -> None:
    """Titles are 21 pixels high, captions 18, squares 112 and gaps 6. A picture twice as wide as high is in the middle of its square."""
    second = [CaptionedPicture(f"#{number}", colour(4, 8, RED if number == 2 else (1, 2, 3))) for number in range(3)]
    rows = [PatchRow("channel 3", (CaptionedPicture("#0", colour(9, 9, GREEN)),)), PatchRow("channel 1", tuple(second))]
    picture = patch_sheet("conv", rows, 3)
    row = 21 + 18 + 112 + 6
    assert picture.shape[0] == 21 + 2 * row
    assert where(picture, GREEN) == (60, 172, 0, 112)
    top = 21 + row + 21 + 18
    assert where(picture, RED) == (top + 28, top + 84, 236, 348)


def test_a_row_without_pictures_is_its_title() -> None:
    rows = [PatchRow("channel 3 · the same everywhere", ()), PatchRow("channel 1", (CaptionedPicture("#0", colour(5, 5, RED)),))]
    picture = patch_sheet("conv", rows, 2)
    assert picture.shape[0] == 21 + 21 + 6 + 21 + 18 + 112 + 6
    assert where(picture, RED)[:2] == (21 + 27 + 39, 21 + 27 + 39 + 112)
    only = patch_sheet("conv", rows[:1], 2)
    assert (only[21:] < 100).any()


def test_a_patch_is_padded_to_a_square_with_light_grey() -> None:
    square = padded_square(colour(3, 4, RED), (1, 0), (4, 4))
    assert square.shape == (4, 4, 3)
    assert (square[1:] == RED).all()
    assert (square[0] == 230).all()
    wide = padded_square(colour(2, 5, RED), (0, 1), (2, 6))
    assert wide.shape == (6, 6, 3)
    assert where(wide, RED) == (2, 4, 1, 6)


def test_a_caption_has_as_many_lines_as_it_says_and_a_note_stands_below() -> None:
    rows = [PatchRow("channel 3", (CaptionedPicture("cat.jpg\n4.2", colour(9, 9, GREEN)), CaptionedPicture("dog.jpg", colour(9, 9, RED))))]
    plain, noted = patch_sheet("conv", rows, 2), patch_sheet("conv", rows, 2, "light grey: beyond the photo")
    assert where(plain, GREEN)[:2] == where(plain, RED)[:2] == (21 + 21 + 2 * 18, 21 + 21 + 2 * 18 + 112)
    np.testing.assert_array_equal(noted[: len(plain)], plain)
    assert (noted[len(plain) :] < 100).any()


def test_captions_stand_over_the_columns_that_a_row_names() -> None:
    patches = tuple(CaptionedPicture("ab\ncd", colour(9, 9, GREEN)) for _ in range(2))
    named = patch_sheet("", [PatchRow("", patches, (30, 80))], 2, box=(112, 112))
    plain = patch_sheet("", [PatchRow("", patches)], 2, box=(112, 112))
    for sheet, expected in ((named, (30, 80)), (plain, (56, 56))):
        for first, last in ((42, 60), (60, 78)):  # after the titles of sheet and row, 21 pixels each, come two lines of 18
            strip = (sheet[first:last] < 128).all(-1)
            middles = [float(np.flatnonzero(strip[:, left : left + 112].any(axis=0)).mean()) for left in (0, 118)]
            assert [abs(found - wanted) <= 3 for found, wanted in zip(middles, expected, strict=True)] == [True, True]
