from __future__ import annotations

import numpy as np
import pytest

from rendering import colormaps
from rendering.channel_grid import CONSTANT, channel_grid
from rendering.channel_levels import scale_from_zero
from rendering.drawings.layer_channels import LayerChannels
from rendering.text import line_height
from tests.workers.methods.inspection.test_activations import artifacts, drawn
from tests.workers.methods.inspection.test_weight_pictures import place_of

RELU = np.zeros((30, 40, 4), np.float32)
RELU[5, 6, 0], RELU[:, :20, 1], RELU[..., 2] = (
    8,
    (np.arange(600).reshape(30, 20) / 599),
    3,
)  # channel 3 is dead, and 2 is the same everywhere
SIGNED = RELU - 1


def test_zero_is_the_lowest_level_of_every_channel_and_its_largest_value_the_highest() -> None:
    maps = np.array([[[0, -4, 2, 0], [1, 5, 2, 0], [4, 10, 2, 0]]], np.float32)
    np.testing.assert_array_equal(scale_from_zero(maps)[0].T, [[0, 64, 255], [0, 128, 255], [255, 255, 255], [0, 0, 0]])


def test_a_layer_without_negative_values_is_drawn_from_zero() -> None:
    made = artifacts(drawn({"conv": RELU}, annotate=True, columns=4))["grid"]
    tiles = channel_grid(RELU, mode="from_zero", colours="viridis", columns=4)
    lowest, highest = (colormaps.table("viridis")[level] for level in (0, 255))
    top, left = place_of(tiles[15:, 20:82], made)  # without the numbers in the corners
    assert (made[top, left] == lowest).all()
    assert (tiles[5, 6] == highest).all()
    assert (tiles[0, 41 + 30] == lowest).all()
    for channel in (2, 3):
        assert (tiles[:, 41 * channel : 41 * channel + 40] == CONSTANT).all()


@pytest.mark.parametrize(
    ("layer", "params", "mode"),
    [
        (RELU, {"annotate": True}, "from_zero"),
        (SIGNED, {"annotate": True}, "per_channel"),
        (RELU, {}, "per_channel"),
        (RELU, {"annotate": True, "scaling": "global"}, "global"),
        (SIGNED, {"scaling": "from_zero"}, "from_zero"),
    ],
)
def test_the_scaling_without_a_choice_follows_the_layer(layer: np.ndarray, params: dict[str, object], mode: str) -> None:
    made = artifacts(drawn({"conv": layer}, columns=1, **params))["grid"]
    place_of(channel_grid(layer, mode=mode, colours="viridis", columns=1)[15:123, :40], made)  # type: ignore[arg-type]


def test_a_line_below_the_tiles_says_what_the_colours_mean() -> None:
    notes = {
        "from_zero": "lowest colour: 0, highest colour: each channel's largest value · grey: nearly the same everywhere",
        "global": "all channels on one scale, from 0 to 8",
    }
    for scaling, note in notes.items():
        expected = LayerChannels(
            source="activations",
            title="conv · 30 × 40 × 4",
            scaling=scaling,
            colormap="viridis",
            note=note,
            numbers=True,  # type: ignore[arg-type]
        )
        made = artifacts(drawn({"conv": RELU}, annotate=True, scaling=scaling))["grid"]
        picture = expected.draw({"activations": RELU})
        np.testing.assert_array_equal(made, picture)
        assert picture.shape[:2] == expected.size({"activations": RELU})
        bare = artifacts(drawn({"conv": RELU}, scaling=scaling))["grid"]
        assert (made[-12:] < 100).any()
        assert len(made) > len(bare)


def test_several_layers_have_their_notes_in_their_titles() -> None:
    made, bare = (artifacts(drawn({"a": RELU, "b": SIGNED}, annotate=annotate, scaling="global")) for annotate in (True, False))
    assert made["grid"].shape == bare["grid"].shape
    assert (made["grid"][:21] != bare["grid"][:21]).any()
    assert made["grid.a"].shape[0] > bare["grid.a"].shape[0]


def test_a_channel_that_differs_by_rounding_alone_is_grey_too() -> None:
    layer = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    layer[..., 1] = 0.25 + layer[..., 0] * 1e-9  # one value in float32, or two neighbours
    layer[3, 4, 1] = np.nextafter(np.float32(0.25), np.float32(1))
    made = channel_grid(layer, mode="per_channel", colours="viridis", columns=2, nearly=True)
    assert (made[:, 41:] == CONSTANT).all()
    assert (made[:, :40] != CONSTANT).any()
    before = channel_grid(layer, mode="per_channel", colours="viridis", columns=2)
    assert (before[:, 41:] != CONSTANT).any()
    place_of(made[15:, 20:], artifacts(drawn({"conv": layer}, annotate=True, columns=2))["grid"])


@pytest.mark.parametrize("columns", [4, 40])
def test_a_wide_sheet_has_larger_letters_and_the_size_that_it_says(columns: int) -> None:
    maps = np.random.default_rng(0).random((50, 50, 40), np.float32)
    drawing = LayerChannels(
        source="a", title="conv", scaling="from_zero", colormap="gray", columns=columns, note="grey: nothing", numbers=True
    )
    drawn = drawing.draw({"a": maps})
    assert drawn.shape[:2] == drawing.size({"a": maps})
    above = drawn.shape[0] - drawing.untitled({"a": maps}).shape[0]
    letters = 13 if columns == 4 else round(13 * drawn.shape[1] / 1000)
    assert above == line_height(letters) + line_height(letters - 2)
