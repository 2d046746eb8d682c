from __future__ import annotations

import numpy as np

from rendering.side_by_side import CaptionedPicture, side_by_side

CAPTION = 21


def filled(height: int, width: int, colour: int) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def test_every_picture_fills_a_box_of_one_shape() -> None:
    sheet = side_by_side(
        [
            CaptionedPicture("a", filled(200, 400, 10)),
            CaptionedPicture("b", filled(5, 10, 20)),
            CaptionedPicture("c", filled(1000, 2000, 30)),
        ],
        (200, 400),
    )
    assert sheet.shape == (2 * (CAPTION + 200) + 10, 2 * 400 + 10, 3)
    assert (sheet[CAPTION : CAPTION + 200, :400] == 10).all()
    assert (sheet[CAPTION : CAPTION + 200, 410:] == 20).all()
    assert (sheet[2 * CAPTION + 210 :, :400] == 30).all()
    assert (sheet[:, 400:410] == 255).all()
    assert (sheet[CAPTION + 200 :, 410:] == 255).all()
    assert (sheet[:CAPTION, :400] < 100).any()


def test_another_shape_is_centred_and_kept() -> None:
    sheet = side_by_side([CaptionedPicture("tall", filled(300, 30, 40))], (300, 400))
    assert sheet.shape == (CAPTION + 300, 400, 3)
    assert (sheet[CAPTION:, 185:215] == 40).all()
    assert (sheet[CAPTION:, :185] == 255).all()
    assert (sheet[CAPTION:, 215:] == 255).all()


def test_small_maps_are_enlarged_without_smoothing() -> None:
    board = np.array([[0, 255], [255, 0]], np.uint8)[..., None].repeat(3, axis=2)
    tile = side_by_side([CaptionedPicture("board", board)], (100, 100))[CAPTION:]
    assert set(np.unique(tile)) == {0, 255}
    assert (tile[:200, :200] == 0).all()


def test_a_very_long_photo_has_boxes_that_can_be_seen() -> None:
    assert side_by_side([CaptionedPicture("strip", filled(4, 400, 7))], (4, 400)).shape == (CAPTION + 120, 400, 3)
