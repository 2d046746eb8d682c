from __future__ import annotations

import numpy as np

from rendering import text, titles


def test_a_title_widens_a_narrow_picture() -> None:
    picture = np.full((5, 8, 3), 9, np.uint8)
    made = titles.titled(picture, "block1_conv1 · 8 × 8 × 1")
    top = made.shape[0] - 5
    np.testing.assert_array_equal(made[top:, :8], picture)
    assert (made[top:, 8:] == text.PAPER).all()
    np.testing.assert_array_equal(made[:top], text.line("block1_conv1 · 8 × 8 × 1", titles.TITLE_WIDTH))


def test_a_sheet_has_every_picture_under_its_title() -> None:
    narrow, wide = np.full((5, 8, 3), 9, np.uint8), np.full((40, 4096, 3), 77, np.uint8)
    made = titles.titled_sheet([narrow, wide], ["one", "two"])
    line = text.line("one", titles.SHEET_WIDTH)
    title = len(line)
    assert made.shape == (title + 5 + title + 10, titles.SHEET_WIDTH, 3)
    np.testing.assert_array_equal(made[:title], line)
    np.testing.assert_array_equal(made[title : title + 5, :8], narrow)
    assert (made[title : title + 5, 8:] == text.PAPER).all()
    assert (made[-10:] == 77).all()
