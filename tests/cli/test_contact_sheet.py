from __future__ import annotations

import numpy as np
from PIL import Image

from cli.contact_sheet import SheetTile, contact_sheet

_RED, _GREEN, _BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def _tile(colour: tuple[int, int, int], size: tuple[int, int], title: str = "T") -> SheetTile:
    return SheetTile(title, "caption", Image.new("RGB", size, colour))


def _box(sheet: np.ndarray, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """(top, left, height, width) of the area in this colour, which must fill its bounding box."""
    rows, columns = np.nonzero((sheet == colour).all(axis=2))
    top, left, height, width = rows.min(), columns.min(), np.ptp(rows) + 1, np.ptp(columns) + 1
    assert len(rows) == height * width
    return int(top), int(left), int(height), int(width)


def test_a_row_of_pictures_stands_side_by_side_at_one_height_over_the_whole_width() -> None:
    sheet = contact_sheet("H", [[_tile(_RED, (300, 200)), _tile(_GREEN, (1200, 400))], [_tile(_BLUE, (2000, 500))]])
    pixels = np.asarray(sheet)
    red, green, blue = (_box(pixels, colour) for colour in (_RED, _GREEN, _BLUE))
    # 1600 wide, margins 32, gap 24: 1512 for aspect ratios 1.5 + 3 → height 336.
    assert red == (red[0], 32, 336, 504)
    assert green == (red[0], 32 + 504 + 24, 336, 1008)
    assert blue[1:] == (32, 384, 1536)
    assert blue[0] > red[0] + 336
    assert sheet.height > blue[0] + 384


def test_a_small_picture_is_not_enlarged_to_the_width() -> None:
    pixels = np.asarray(contact_sheet("H", [[_tile(_RED, (50, 30))]]))
    assert _box(pixels, _RED)[2:] == (48, 80)


def test_each_title_stands_over_its_own_picture_and_is_cut_to_its_width() -> None:
    title = "a title that is far too long for the narrow picture under it, whatever the font"
    tiles = [_tile(_RED, (100, 300), title), _tile(_GREEN, (400, 300), title)]
    pixels = np.asarray(contact_sheet("H", [tiles]))
    top, left, _, width = _box(pixels, _RED)
    right = _box(pixels, _GREEN)[1]
    strip = pixels[top - 44 : top].min(axis=2) < 200
    assert strip[:, left : left + width].any()
    assert not strip[:, left + width : right].any()
    assert strip[:, right:].any()


def test_grey_and_transparent_pictures_are_shown() -> None:
    tiles = [SheetTile("g", "", Image.new("L", (60, 40), 77)), SheetTile("a", "", Image.new("RGBA", (60, 40), (1, 2, 3, 255)))]
    pixels = np.asarray(contact_sheet("H", [tiles]))
    assert (pixels == (77, 77, 77)).all(axis=2).any()
    assert (pixels == (1, 2, 3)).all(axis=2).any()
