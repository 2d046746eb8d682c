from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from rendering import channel_grid, colormaps, text
from rendering.channel_levels import scale_all_channels, scale_each_channel, scale_from_zero
from rendering.tile_numbers import numbered


def test_every_channel_is_a_tile_in_its_place() -> None:
    # Each of the five channels has 1 in a row of its own. Tiles of 30 × 25 are not enlarged, and there are three in a row.
    activations = np.zeros((30, 25, 5), np.float32)
    for channel in range(5):
        activations[3 * channel + 1, :, channel] = 1
    made = channel_grid.channel_grid(activations, mode="global", colours="gray", columns=3)
    assert made.shape == (30 + 1 + 30, 25 + 1 + 25 + 1 + 25, 3)
    for channel in range(5):
        top, left = 31 * (channel // 3), 26 * (channel % 3)
        tile = made[top : top + 30, left : left + 25, 0]
        np.testing.assert_array_equal(tile, activations[..., channel] * 255)
    assert (made[31:, 52:] == text.PAPER).all()


def test_colours_are_those_of_the_levels() -> None:
    activations = np.random.default_rng(0).random((30, 31, 1), np.float32)
    levels = channel_grid.channel_grid(activations, mode="per_channel", colours="gray")[..., 0]
    magma = channel_grid.channel_grid(activations, mode="per_channel", colours="magma")
    np.testing.assert_array_equal(magma, colormaps.apply(levels, "magma"))


@pytest.mark.parametrize(
    ("height", "width", "tile"),
    [(7, 7, (28, 28)), (1, 1, (24, 24)), (3, 5, (15, 25)), (24, 2, (48, 4)), (1, 60, (4, 240)), (40, 30, (40, 30))],
)
def test_small_maps_are_enlarged_by_a_whole_factor(height: int, width: int, tile: tuple[int, int]) -> None:
    activations = np.random.default_rng(1).random((height, width, 1), np.float32)
    made = channel_grid.channel_grid(activations, mode="global", colours="gray", span=(0.0, 1.0))[..., 0]
    assert made.shape == tile
    factor = tile[0] // height
    np.testing.assert_array_equal(made[::factor, ::factor], np.rint(activations[..., 0] * 255))
    np.testing.assert_array_equal(made, made[::factor, ::factor].repeat(factor, 0).repeat(factor, 1))


def test_captions_name_the_channels() -> None:
    activations = np.random.default_rng(1).random((40, 50, 2), np.float32)
    made = channel_grid.channel_grid(activations, mode="global", colours="gray", columns=1, captions=["7", "250"])
    strip = text.line("250", 50, 10, centred=True)
    np.testing.assert_array_equal(made[16 + 40 + 1 : 16 + 40 + 1 + 16], strip)


def test_a_huge_grid_shows_its_tiles_smaller_and_drops_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_grid, "MAX_GRID_PIXELS", 4000)
    activations = np.zeros((40, 60, 7), np.float32)
    activations[:20, :, 6] = 1
    made = channel_grid.channel_grid(activations, mode="global", colours="gray", columns=4)
    height, width = channel_grid.bounded_size(7, 40, 60)
    assert 7 * height * width <= 4000
    assert height / width == pytest.approx(40 / 60, abs=0.03)
    factor = -(-channel_grid.VISIBLE // max(height, width))
    tile = made[height * factor + 1 :, 2 * (width * factor + 1) : 3 * width * factor + 2, 0]
    assert tile[: height * factor // 2 - factor].min() == 255
    assert tile[height * factor // 2 + factor :].max() == 0


def test_a_grid_within_the_bound_keeps_its_size() -> None:
    assert channel_grid.bounded_size(64, 700, 700) == (700, 700)


@pytest.mark.parametrize(("mode", "grey"), [("per_channel", True), ("global", False)])
def test_a_channel_of_one_value_is_grey_if_it_is_scaled_by_itself(mode: Literal["per_channel", "global"], grey: bool) -> None:
    activations = np.random.default_rng(2).random((30, 25, 2), np.float32)
    activations[..., 0] = 0.5
    made = channel_grid.channel_grid(activations, mode=mode, colours="viridis", columns=2)
    assert (made[:, :25] == channel_grid.CONSTANT).all() == grey
    assert (made[:, 26:] != channel_grid.CONSTANT).any()


@pytest.mark.parametrize(
    ("height", "width", "count", "columns", "tile"),
    [
        (7, 7, 3, None, (84, 84)),  # 12 times, so that the longer side has at least 80 pixels
        (56, 56, 24, None, (112, 112)),
        (14, 14, 480, None, (28, 28)),  # 22 tiles of 84 pixels would be wider than 1,600 pixels
        (112, 112, 32, 16, (112, 112)),  # the tiles are large enough
    ],
)
@pytest.mark.parametrize("captioned", [False, True])
def test_numbers_need_tiles_on_which_they_can_be_read(
    height: int, width: int, count: int, columns: int | None, tile: tuple[int, int], captioned: bool
) -> None:
    maps = np.random.default_rng(0).random((height, width, count), np.float32)
    captions = [str(number) for number in range(count)] if captioned else None
    made = channel_grid.channel_grid(maps, mode="global", colours="gray", columns=columns, captions=captions, numbers=True)
    assert made.shape[:2] == channel_grid.channel_grid_size(count, height, width, columns=columns, captioned=captioned, numbers=True)
    across = columns or int(np.ceil(np.sqrt(count)))
    if captioned:
        letters = 16 if max(tile) >= 80 else 10
        tile = (42, 42) if tile == (28, 28) else tile  # tiles with captions have at least 40 pixels
        assert made.shape[0] == -(-count // across) * (tile[0] + text.line_height(letters) + 1) - 1
    assert made.shape[1] == across * (tile[1] + 1) - 1


def test_numbers_stand_in_letters_of_a_fifth_of_the_tile() -> None:
    maps = np.full((112, 112, 2), 0.5, np.float32)
    maps[0, 0] = 1
    made, bare = (channel_grid.channel_grid(maps, mode="global", colours="gray", numbers=each, span=(0, 1)) for each in (True, False))
    rows, columns = np.nonzero((made != bare).any(-1)[:, :112])
    assert rows.max() + 1 == 20 + 2 * 3  # letters of 20 pixels and margins of 3
    assert columns.max() < 40


@pytest.mark.parametrize("mode", ["from_zero", "per_channel", "global"])
@pytest.mark.parametrize(
    ("height", "width", "count", "columns", "captioned", "numbers"),
    [
        (7, 7, 40, None, False, True),  # numbers in a corner, and a last row with places that are free
        (7, 7, 40, None, True, True),  # numbers above the tiles
        (5, 9, 17, 4, True, False),
        (30, 25, 6, None, False, False),  # as large as they are
        (3, 1, 5, 5, False, False),
    ],
)
def test_a_grid_is_what_a_loop_over_its_channels_draws(
    mode: Literal["from_zero", "per_channel", "global"],
    height: int,
    width: int,
    count: int,
    columns: int | None,
    captioned: bool,
    numbers: bool,
) -> None:
    maps = np.random.default_rng(4).normal(size=(height, width, count)).astype(np.float32)
    maps[..., 2] = 0.25  # the same everywhere
    maps[..., 3] = 1 + 1e-7 * maps[..., 3]  # nearly so
    captions = [f"{3 * number}" for number in range(count)] if captioned else None
    made = channel_grid.channel_grid(
        maps, mode=mode, colours="inferno", columns=columns, captions=captions, numbers=numbers, nearly=numbers
    )
    levels = {"from_zero": scale_from_zero, "per_channel": scale_each_channel, "global": scale_all_channels}[mode](maps)
    across = columns or int(np.ceil(np.sqrt(count)))
    factor = ((made.shape[1] + 1) // across - 1) // width
    expected = np.full((*made.shape[:2], 3), 255, np.uint8)
    for channel in range(count):
        tile = colormaps.table("inferno")[levels[..., channel]]
        flat = np.ptp(levels[..., channel].astype(int)) <= channel_grid.FLAT if numbers else np.ptp(maps[..., channel]) == 0
        if flat and mode != "global":
            tile = np.full_like(tile, 190)
        tile = tile.repeat(factor, axis=0).repeat(factor, axis=1)
        if captions is not None:
            letters = min(16, max(10, width * factor // 5)) if numbers else 10
            tile = np.concatenate([text.line(captions[channel], width * factor, letters, centred=True), tile])
        elif numbers:
            (tile,) = numbered(tile[None], [str(channel)])
        top, left = channel // across * (len(tile) + 1), channel % across * (width * factor + 1)
        expected[top : top + len(tile), left : left + width * factor] = tile
    np.testing.assert_array_equal(made, expected)
