from __future__ import annotations

import numpy as np
import pytest

from rendering import colormaps
from rendering.annotated_sheet import annotated_sheet
from rendering.channel_grid import CONSTANT, channel_grid
from rendering.channel_levels import scale_from_zero
from rendering.drawings.layer_channels import LayerChannels
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
    tiles = channel_grid(RELU, mode="from_zero", colours="viridis", columns=4, numbers=True, nearly=True)
    assert tiles.shape == (60, 4 * 80 + 3, 3)  # each tile is enlarged twice
    lowest, highest = (colormaps.table("viridis")[level] for level in (0, 255))
    top, left = place_of(tiles, made)
    tiles = made[top : top + 60, left:]
    assert (tiles[59, 0] == lowest).all()
    assert (tiles[10, 79] == lowest).all()
    assert (tiles[30:, 81 + 60] == lowest).all()
    assert (tiles[59, 81 + 39] == highest).all()
    for channel in (2, 3):
        assert (tiles[30:, 81 * channel : 81 * channel + 80] == CONSTANT).all()


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
    numbers = bool(params.get("annotate"))
    place_of(channel_grid(layer, mode=mode, colours="viridis", columns=1, numbers=numbers, nearly=numbers), made)  # type: ignore[arg-type]


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
            numbers=True,
            parts=("Activations", "tiny", "conv · 30 × 40 × 4"),
        )
        made = artifacts(drawn({"conv": RELU}, annotate=True, scaling=scaling))["grid"]
        picture = expected.draw({"activations": RELU})
        np.testing.assert_array_equal(made, picture)
        assert picture.shape[:2] == expected.size({"activations": RELU})
        bare = artifacts(drawn({"conv": RELU}, scaling=scaling))["grid"]
        assert (made[-12:] < 100).any()
        assert len(made) > len(bare)


def test_a_channel_that_differs_by_rounding_alone_is_grey_too() -> None:
    layer = np.random.default_rng(0).normal(size=(30, 40, 2)).astype(np.float32)
    layer[..., 1] = 0.25 + layer[..., 0] * 1e-9  # one value in float32, or two neighbours
    layer[3, 4, 1] = np.nextafter(np.float32(0.25), np.float32(1))
    made = channel_grid(layer, mode="per_channel", colours="viridis", columns=2, nearly=True)
    assert (made[:, 41:] == CONSTANT).all()
    assert (made[:, :40] != CONSTANT).any()
    before = channel_grid(layer, mode="per_channel", colours="viridis", columns=2)
    assert (before[:, 41:] != CONSTANT).any()
    annotated = artifacts(drawn({"conv": layer}, annotate=True, columns=2))["grid"]
    place_of(channel_grid(layer, mode="per_channel", colours="viridis", columns=2, nearly=True, numbers=True), annotated)


@pytest.mark.parametrize(("side", "count", "columns"), [(50, 40, 4), (50, 40, 40), (120, 40, 16), (7, 3, None), (7, 900, None)])
@pytest.mark.parametrize("chosen", [False, True])
def test_a_picture_has_the_size_that_it_says(side: int, count: int, columns: int | None, chosen: bool) -> None:
    maps = np.random.default_rng(0).random((side, side, count), np.float32)
    drawing = LayerChannels(
        source="a",
        title="conv",
        scaling="from_zero",
        colormap="gray",
        columns=columns,
        channels=tuple(range(count)) if chosen else None,
        note="grey: nearly the same everywhere",
        numbers=True,
        parts=("Activations", "efficientnet_lite0", "conv · 7 × 7 × 3"),
    )
    drawn = drawing.draw({"a": maps})
    assert drawn.shape[:2] == drawing.size({"a": maps})
    assert drawing.model_validate_json(drawing.model_dump_json()) == drawing


def test_a_title_names_the_method_and_the_model_once_for_several_layers() -> None:
    """Without annotations, the titles are those of the layers alone, as the tests of `activations` say."""
    made = artifacts(drawn({"a": RELU, "b": SIGNED}, annotate=True, scaling="global"))
    parts = ("Activations", "tiny", "a · 30 × 40 × 4")
    one = LayerChannels(
        source="activations.a",
        title="",
        scaling="global",
        colormap="viridis",
        note="all channels on one scale, from 0 to 8",
        numbers=True,
        parts=parts,
    )
    np.testing.assert_array_equal(made["grid.a"], one.draw({"activations.a": RELU}))
    grids = [one.untitled({"activations.a": each}) for each in (RELU, SIGNED)]
    low, high = (f"{each:.3g}".replace("-", "−") for each in (SIGNED.min(), SIGNED.max()))
    notes = ["all channels on one scale, from 0 to 8", f"all channels on one scale, from {low} to {high}"]
    expected = annotated_sheet(parts[:2], grids, [f"{name} · 30 × 40 × 4" for name in "ab"], notes)
    np.testing.assert_array_equal(made["grid"], expected)
