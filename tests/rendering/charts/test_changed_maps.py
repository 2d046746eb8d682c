from __future__ import annotations

import numpy as np

from rendering import colormaps
from rendering.charts.changed_maps import SIDE, ChangedMap, changed_maps
from rendering.charts.tile_with_scale import picture_left, tile_size
from rendering.patch_rows import GAP

WORDS = ("before", "after", "difference")
TILE = tile_size((SIDE, SIDE))[1] + GAP
LEFT, MIDDLE = picture_left(scale=True), picture_left(scale=False)


def colours_at(sheet: np.ndarray, top: int, left: int) -> list[list[tuple[int, ...]]]:
    """Return the colour in the middle of each quarter of a map of 2 × 2 cells."""
    places = (SIDE // 4, 3 * SIDE // 4)
    return [[tuple(sheet[top + y, left + x].tolist()) for x in places] for y in places]


def test_both_maps_share_a_scale_and_the_difference_has_zero_in_the_middle() -> None:
    before, after = np.array([[0, 2], [4, 6]], np.float32), np.array([[0, 2], [8, 4]], np.float32)
    sheet = changed_maps("title", [ChangedMap("row", before, after, WORDS)])
    (top,) = {int(rows[0]) for rows in [np.flatnonzero((sheet[:, LEFT + TILE + 5] == colormaps.table("viridis")[0]).all(-1))]}
    plain, signed = colormaps.table("viridis"), colormaps.table("signed")
    assert colours_at(sheet, top, MIDDLE) == [[tuple(plain[each].tolist()) for each in row] for row in ((0, 64), (128, 191))]
    assert colours_at(sheet, top, LEFT + TILE) == [[tuple(plain[each].tolist()) for each in row] for row in ((0, 64), (255, 128))]
    assert colours_at(sheet, top, LEFT + 2 * TILE) == [[tuple(signed[each].tolist()) for each in row] for row in ((128, 128), (255, 64))]


def test_a_bar_of_colours_with_numbers_stands_beside_the_second_and_the_third_map() -> None:
    before, after = np.array([[0, 2], [4, 6]], np.float32), np.array([[0, 2], [8, 4]], np.float32)
    sheet = changed_maps("title", [ChangedMap("row", before, after, WORDS)])
    for tile, colours in ((1, "viridis"), (2, "signed")):
        bar = sheet[:, tile * TILE + LEFT + SIDE + 12]
        ends = colormaps.table(colours)[[0, 255]]
        rows = [np.flatnonzero((bar == end).all(-1)) for end in ends]
        assert rows[1][0] + SIDE - 3 == rows[0][-1]
        numbers = sheet[:, tile * TILE + LEFT + SIDE + 26 : (tile + 1) * TILE - GAP]
        assert (numbers[rows[1][0] : rows[0][-1]] < 100).any()
    assert (sheet[60:250, SIDE + 60 : TILE - GAP] == 255).all()  # the first map has none


def test_a_map_that_did_not_change_has_a_difference_of_zero() -> None:
    flat = np.full((2, 2), 3, np.float32)
    sheet = changed_maps("title", [ChangedMap("row", flat, flat, WORDS)])
    assert colours_at(sheet, 60, LEFT + 2 * TILE) == [[tuple(colormaps.table("signed")[128].tolist())] * 2] * 2
