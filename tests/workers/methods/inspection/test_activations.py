from __future__ import annotations

import numpy as np
import pytest

from rendering import channel_grid
from rendering.charts.values import unit_values
from rendering.titles import titled, titled_sheet
from schemas.methods.inspection.activations import RANKED_OF_SEVERAL, Activations, ActivationsFacts, LayerStatistics
from schemas.photo_place import PhotoPlace
from tests.drawn import drawn as with_pictures
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.methods.inspection import activations
from workers.methods.inspection.activations import ChannelNumbers, LayerActivations, drawn_channels


def drawn(answers: dict[str, np.ndarray], **params: object) -> Output:
    paths = tuple(answers)
    return activations.draw(
        LayerActivations(answers, {}, "tiny"),
        photo_of(),
        Activations.model_validate({"layer": paths[0] if len(paths) == 1 else paths, "annotate": False, **params}),
    )


def artifacts(output: Output) -> dict[str, np.ndarray]:
    return {
        artifact.name: artifact.image if isinstance(artifact, Picture) else artifact.array for artifact in with_pictures(output).artifacts
    }


def statistics(output: Output) -> tuple[LayerStatistics, ...]:
    assert isinstance(output.facts, ActivationsFacts)
    return output.facts.layers


# Four channels over 1×3 positions. The first has mean 1 and max 3, the second is 0, the third is 2, the last has mean −1 and max 0.
LAYER = np.array([[[0, 0, 2, -3], [3, 0, 2, 0], [0, 0, 2, 0]]], np.float32)


def test_statistics_by_hand() -> None:
    (layer,) = statistics(drawn({"conv": LAYER}))
    assert layer.shape == (1, 3, 4)
    assert layer.mean == pytest.approx(0.5)
    assert layer.max == 3
    assert layer.sparsity == pytest.approx((2 + 3 + 0 + 2) / 12)
    assert layer.dead_channels == (1, 2)
    assert [channel.channel for channel in layer.channels] == [2, 0, 1, 3]
    by_index = {channel.channel: channel for channel in layer.channels}
    assert [by_index[k].mean for k in range(4)] == pytest.approx([1, 0, 2, -1])
    assert [by_index[k].max for k in range(4)] == [3, 0, 2, 0]
    assert [by_index[k].sparsity for k in range(4)] == pytest.approx([2 / 3, 1, 0, 2 / 3])
    assert [by_index[k].dead for k in range(4)] == [False, True, True, False]


def test_statistics_against_numpy() -> None:
    layer = np.maximum(np.random.default_rng(0).normal(size=(13, 9, 31)), 0).astype(np.float32)
    (found,) = statistics(drawn({"conv": layer}))
    for channel in found.channels:
        values = layer[..., channel.channel].astype(float)
        assert channel.mean == pytest.approx(values.mean())
        assert channel.max == pytest.approx(values.max())
        assert channel.sparsity == pytest.approx((values == 0).mean())
    means = [channel.mean for channel in found.channels]
    assert means == sorted(means, reverse=True)
    assert len(means) == 31


def test_a_dense_units_death_is_being_0() -> None:
    (layer,) = statistics(drawn({"dense": np.array([0, 2, -1, 0], np.float32)}))
    assert layer.dead_channels == (0, 3)
    assert layer.shape == (4,)


NUMBERS = ChannelNumbers(LAYER.reshape(-1, 4))


@pytest.mark.parametrize(
    ("asked", "order", "expected"),
    [
        (None, "index", [0, 1, 2, 3]),
        (None, "mean", [2, 0, 1, 3]),
        (None, "max", [0, 2, 1, 3]),
        (2, "index", [0, 1]),
        (2, "max", [0, 2]),
        (99, "index", [0, 1, 2, 3]),
        ((3, 1, 2), "index", [3, 1, 2]),
        ((3, 1, 2), "mean", [2, 1, 3]),
    ],
)
def test_which_channels_are_drawn(asked: object, order: str, expected: list[int]) -> None:
    params = Activations.model_validate({"layer": "conv", "channels": asked, "order": order})
    assert drawn_channels(params, NUMBERS).tolist() == expected


def test_one_layer_is_an_array_and_a_titled_grid() -> None:
    layer = np.random.default_rng(0).normal(size=(30, 25, 5)).astype(np.float32)
    output = drawn({"base/conv": layer}, colormap="inferno", columns=3)
    assert [(artifact.name, isinstance(artifact, Picture)) for artifact in output.artifacts] == [("grid", True), ("activations", False)]
    grid = channel_grid.channel_grid(layer, mode="per_channel", colours="inferno", columns=3)
    made = artifacts(output)
    np.testing.assert_array_equal(made["activations"], layer)
    np.testing.assert_array_equal(made["grid"], titled(grid, "base/conv · 30 × 25 × 5"))
    assert isinstance(output.artifacts[0], Picture)
    assert output.artifacts[0].primary


def test_several_layers_have_a_grid_each_and_a_sheet() -> None:
    rng = np.random.default_rng(0)
    answers = {
        "base/conv": rng.normal(size=(30, 25, 3)).astype(np.float32),
        "pool": rng.normal(size=(40,)).astype(np.float32),
    }
    output = drawn(answers)
    made = artifacts(output)
    assert list(made) == ["grid", "grid.base.conv", "activations.base.conv", "grid.pool", "activations.pool"]
    assert [artifact.name for artifact in output.artifacts if isinstance(artifact, Picture) and artifact.primary] == ["grid"]
    pictures = [channel_grid.channel_grid(answers["base/conv"], mode="per_channel", colours="viridis"), unit_values(answers["pool"])]
    np.testing.assert_array_equal(made["grid"], titled_sheet(pictures, ["base/conv · 30 × 25 × 3", "pool · 40"]))
    np.testing.assert_array_equal(made["activations.base.conv"], answers["base/conv"])
    np.testing.assert_array_equal(made["activations.pool"], answers["pool"])
    assert [layer.layer for layer in statistics(output)] == ["base/conv", "pool"]


def test_a_list_of_one_layer_is_named_as_a_list() -> None:
    output = activations.draw(LayerActivations({"conv": LAYER}, {}, "tiny"), photo_of(), Activations(layer=("conv",), annotate=False))
    assert list(artifacts(output)) == ["grid", "grid.conv", "activations.conv"]


def test_chosen_channels_are_captioned_and_scaled_over_the_whole_layer() -> None:
    layer = np.zeros((40, 40, 3), np.float32)
    layer[..., 0], layer[:20, :, 1], layer[..., 2] = 5, 2.5, -5  # scaled over the layer, these are 255, 191 over 128, and 0
    made = artifacts(drawn({"conv": layer}, channels=(1, 0), scaling="global", colormap="gray"))["grid"]
    title, caption = 21, 16
    first = made[title + caption : title + caption + 40, :40, 0]
    assert (first[:20] == 191).all()
    assert (first[20:] == 128).all()
    assert (made[title + caption : title + caption + 40, 41:81, 0] == 255).all()
    assert (made[title : title + caption, :81] < 100).any()


def test_the_strongest_come_first() -> None:
    layer = np.stack([np.eye(40) * 1, np.fliplr(np.eye(40)) * 9], axis=-1).astype(np.float32)
    made = artifacts(drawn({"conv": layer}, order="mean", channels=1, scaling="global", colormap="gray"))["grid"]
    np.testing.assert_array_equal(made[21 + 16 :, :40, 0], np.fliplr(np.eye(40)) * 255)


def test_one_position_a_channel_cannot_be_scaled_by_its_deviation() -> None:
    output = drawn({"gap": np.array([[[0, 1, 2]]], np.float32)}, colormap="gray", columns=3)
    assert output.warnings == ("Layer 'gap' has only one position, so a channel has no deviation. It is drawn with scaling 'global'.",)
    tiles = artifacts(output)["grid"][21:, : 3 * 25 - 1, 0]
    assert [int(tiles[5, 5]), int(tiles[5, 30]), int(tiles[5, 55])] == [0, 128, 255]


def test_values_that_are_not_finite_are_said_and_counted_as_0() -> None:
    layer = LAYER.copy()
    layer[0, 1, 0] = np.nan
    layer[0, 0, 3] = -np.inf
    output = drawn({"conv": layer})
    assert output.warnings == ("Layer 'conv': 2 values are not finite. They are drawn and counted as 0.",)
    np.testing.assert_array_equal(artifacts(output)["activations"], layer)
    (found,) = statistics(output)
    assert found.dead_channels == (0, 1, 2, 3)
    assert found.mean == pytest.approx(0.5)


def test_a_reduced_grid_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_grid, "MAX_GRID_PIXELS", 5000)
    output = drawn({"conv": np.random.default_rng(0).normal(size=(60, 50, 8)).astype(np.float32)})
    assert output.warnings == ("Layer 'conv': 8 channels of 50 × 60 are drawn at 22 × 27 each. The array has every value.",)


@pytest.mark.parametrize("shape", [(5, 7), (3, 4, 5, 7)])
def test_layers_of_other_ranks_are_drawn_and_counted(shape: tuple[int, ...]) -> None:
    layer = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    output = drawn({"sequence": layer}, columns=7, colormap="gray", scaling="global")
    (found,) = statistics(output)
    assert found.shape == shape
    assert [channel.mean for channel in found.channels] == pytest.approx(
        np.sort(layer.reshape(-1, 7).mean(axis=0))[::-1].tolist(), abs=1e-6
    )
    assert (artifacts(output)["grid"] == 255).all(axis=2).any()


def test_of_several_layers_only_the_strongest_channels_are_listed() -> None:
    layer = np.random.default_rng(0).normal(size=(2, 2, RANKED_OF_SEVERAL + 5)).astype(np.float32)
    (one,) = statistics(drawn({"conv": layer}))
    first, second = statistics(drawn({"conv": layer, "other": layer[..., :3]}))
    assert len(one.channels) == RANKED_OF_SEVERAL + 5
    assert first.channels == one.channels[:RANKED_OF_SEVERAL]
    assert len(second.channels) == 3


def test_a_batch_gives_each_photo_its_own_activations() -> None:
    probe, tensor = FormulaProbe(), batch(3)
    params = Activations(layer=("conv", "pool"))
    results = activations.run(probe, Inputs(tensor), [params] * 3)
    assert probe.calls == [3]
    for row, result in enumerate(results):
        assert list(result.arrays) == ["conv", "pool"]
        np.testing.assert_array_equal(result.arrays["conv"], tensor[row])
        np.testing.assert_array_equal(result.arrays["pool"], tensor.mean(axis=(1, 2))[row])


def test_an_activation_says_where_its_maps_lie_on_the_photo() -> None:
    """The photo of 8 × 12 pixels fills the input of 4 × 6, and the layer sees the right half of it, mirrored."""
    place = MapPlace(area=(-1, 3, 6, 3), seen=(0, 3, 4, 3), mirrored=(False, True))
    layer, values = np.ones((3, 2, 5), np.float32), np.ones(4, np.float32)
    output = activations.draw(
        LayerActivations({"conv": layer, "pool": values}, {"conv": place}, "tiny"), photo_of(8, 12), Activations(layer=("conv", "pool"))
    )
    said = {each.name: each.on_photo for each in output.artifacts if isinstance(each, Array)}
    assert said["activations.conv"] == PhotoPlace(area=(-2, 6, 12, 6), seen=(0, 6, 8, 6), mirrored=(False, True))
    assert said["activations.pool"] is None


def test_only_layers_and_precision_split_batches() -> None:
    key = activations.batch_key
    assert key(Activations(layer="conv")) == key(Activations(layer="conv", colormap="gray", channels=3, scaling="global"))
    assert key(Activations(layer="conv")) != key(Activations(layer="pool"))
    assert key(Activations(layer="conv")) != key(Activations(layer="conv", precision="bfloat16"))


def test_arrays_keep_their_type() -> None:
    (array,) = (artifact for artifact in drawn({"conv": LAYER}).artifacts if isinstance(artifact, Array))
    assert array.array.dtype == np.float32
