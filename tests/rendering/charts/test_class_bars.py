from __future__ import annotations

import numpy as np
import pytest

from rendering.charts.class_bars import ClassBar, PhotoWithBars, bars_beside_photo, photo_sheet
from rendering.charts.style import BLUE
from rendering.text import PAPER

PHOTO = np.random.default_rng(0).integers(0, 200, (30, 45, 3), np.uint8)


def lengths(sheet: np.ndarray) -> list[int]:
    """Return the length of each bar in pixels, from top to bottom."""
    blue = (sheet == BLUE).all(axis=2).sum(axis=1)
    starts = np.flatnonzero((blue > 0) & (np.roll(blue, 1) == 0))
    return blue[starts].tolist()


def test_bars_are_as_long_as_their_shares() -> None:
    shares = [1.0, 0.5, 0.25, 0.1]
    sheet = bars_beside_photo(PHOTO, [ClassBar(f"label {share}", f"{share:.0%}", share) for share in shares])
    assert lengths(sheet) == pytest.approx([440, 220, 110, 44], abs=2)


def test_shares_out_of_range_stay_on_the_track() -> None:
    sheet = bars_beside_photo(PHOTO, [ClassBar("a", "-", -0.5), ClassBar("b", "-", 7.0)])
    assert lengths(sheet) == [1, 440]


@pytest.mark.parametrize("count", [1, 5, 100])
@pytest.mark.parametrize("shape", [(300, 451), (451, 300), (20, 2000), (2000, 20), (1, 1)])
def test_nothing_is_clipped(count: int, shape: tuple[int, int]) -> None:
    photo = np.zeros((*shape, 3), np.uint8)
    long = "tabby, tabby cat, " * 20
    sheet = bars_beside_photo(photo, [ClassBar(long, "100.0%", 1.0)] * count)
    edge = np.concatenate(
        [sheet[:18].reshape(-1, 3), sheet[-18:].reshape(-1, 3), sheet[:, :18].reshape(-1, 3), sheet[:, -18:].reshape(-1, 3)]
    )
    assert (edge == PAPER).all()
    assert len(lengths(sheet)) == count


def test_the_photo_keeps_its_proportions() -> None:
    sheet = bars_beside_photo(np.zeros((50, 100, 3), np.uint8), [ClassBar("a", "1%", 0.01)])
    black = (sheet == 0).all(axis=2)
    rows, columns = np.flatnonzero(black.any(axis=1)), np.flatnonzero(black.any(axis=0))
    assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == (160, 320)


def test_the_same_chart_each_time() -> None:
    shown = [ClassBar("Egyptian cat", "39.2%", 0.392), ClassBar("tabby", "16.7%", 0.167)]
    np.testing.assert_array_equal(bars_beside_photo(PHOTO, shown), bars_beside_photo(PHOTO, shown))


def captioned(*shares: float, photo: np.ndarray = PHOTO) -> PhotoWithBars:
    return PhotoWithBars("#0", photo, [ClassBar("a class", f"{share:.0%}", share) for share in shares])


def test_a_sheets_tiles_stand_in_rows_with_their_own_bars() -> None:
    """There are two columns of 426 pixels: 120 for the photo, 270 for the bars and 12 around each. A tile is 18 + 145 + 24 pixels high."""
    shown = [captioned(*(number / 10 for _ in range(5))) for number in (10, 8, 6, 4, 2)]
    sheet = photo_sheet("five", shown)
    assert sheet.shape == (32 + 3 * 187, 2 * 426, 3)
    tiles = [sheet[32 + row * 187 :][:187, column * 426 :][:, :426] for row in range(3) for column in range(2)]
    assert [lengths(tile) for tile in tiles] == [[pytest.approx(27 * number, abs=2)] * 5 for number in (10, 8, 6, 4, 2)] + [[]]
    assert (tiles[5] == PAPER).all()


@pytest.mark.parametrize("shape", [(300, 451), (451, 300), (20, 2000), (2000, 20), (1, 1)])
@pytest.mark.parametrize(("photos", "count"), [(1, 1), (2, 10), (13, 3)])
def test_nothing_of_a_sheet_is_clipped(photos: int, count: int, shape: tuple[int, int]) -> None:
    long = "tabby, tabby cat, " * 20
    one = PhotoWithBars(long, np.zeros((*shape, 3), np.uint8), [ClassBar(long, "100.0%", 1.0)] * count)
    sheet = photo_sheet(long, [one] * photos)
    edge = np.concatenate(
        [sheet[:10].reshape(-1, 3), sheet[-10:].reshape(-1, 3), sheet[:, :10].reshape(-1, 3), sheet[:, -10:].reshape(-1, 3)]
    )
    assert (edge == PAPER).all()
    black = (sheet == 0).all(axis=2)
    assert black.any(axis=0).sum() >= 1
    assert 120 in (black[:, :134].any(axis=0).sum(), black[:220].any(axis=1).sum())


def test_a_sheet_of_many_is_about_square() -> None:
    height, width, _ = photo_sheet("many", [captioned(0.5, 0.2, 0.1)] * 256).shape
    assert 0.9 < width / height < 1.2
    assert width * height < 20_000_000
