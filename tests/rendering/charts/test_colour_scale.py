from __future__ import annotations

import numpy as np
from PIL import Image

from rendering import colormaps
from rendering.charts.colour_scale import ColourScale, draw_scale, scale_width
from rendering.charts.style import FAINT, FRAME


def drawn(*labels: tuple[float, str]) -> np.ndarray:
    scale = ColourScale(colormaps.table("viridis"), labels)
    sheet = Image.new("RGB", (130, 120), (255, 255, 255))
    draw_scale(sheet, scale, (10, 9), 101, 12)
    return np.asarray(sheet)


def ticks(picture: np.ndarray) -> list[int]:
    return np.flatnonzero((picture[:, 10 + 12 + 2] == FAINT).all(axis=1)).tolist()


def test_the_bar_has_the_upper_end_on_top_and_a_frame_around_it() -> None:
    picture = drawn()
    table = colormaps.table("viridis")
    for row, level in ((0, 255), (50, 128), (100, 0)):
        assert (picture[9 + row, 10:22] == table[level]).all()
    assert (picture[8, 9:23] == FRAME).all()
    assert (picture[8:111, 9] == FRAME).all()
    assert (picture[:, 23:] == 255).all()


def test_words_stand_at_their_places_and_keep_apart() -> None:
    assert ticks(drawn((0.0, "0"), (1.0, "1"), (0.5, "half"))) == [9, 59, 109]
    assert ticks(drawn((0.0, "0"), (0.05, "0.05"), (0.2, "0.2"))) == [89, 109]  # the second is 5 pixels from the first


def test_the_width_holds_the_longest_word() -> None:
    words = (1.0, "≥ 2.76e−05")
    width = scale_width(ColourScale(colormaps.table("viridis"), (words, (0.0, "0"))), 12)
    inked = np.flatnonzero((drawn(words) < 128).all(axis=2).any(axis=0))
    assert inked.max() < 10 + width < 130
