from __future__ import annotations

from typing import get_args

import keras
import numpy as np
import pytest

from rendering.channel_grid import CONSTANT
from rendering.drawings.stretched_channels import stretched_channels
from rendering.photo import Photo, Placement
from schemas.errors import ImageTooLarge, InvalidImage
from schemas.limits import MethodLimits
from schemas.methods.inspection.sandbox import Sandbox, SandboxFacts, SandboxPreset
from tests.drawn import drawn
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.inspection import sandbox
from workers.methods.inspection.sandbox import check_cost

layers = keras.layers


def photo_of(height: int = 320, width: int = 400, seed: int = 0) -> Photo:
    image = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))


def made(photo: Photo, **params: object) -> Output:
    return sandbox.draw(None, photo, Sandbox.model_validate({"annotate": False} | params).resolve_alone(MethodLimits()))


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in drawn(output).artifacts if isinstance(artifact, Picture)}


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}


def shapes(output: Output) -> list[tuple[int, int, int]]:
    assert isinstance(output.facts, SandboxFacts)
    return [stage.shape for stage in output.facts.stages]


@pytest.mark.parametrize(
    ("preset", "expected"),
    [
        ("conv_3x3", [(318, 398, 3)]),
        ("conv_10x10", [(311, 391, 3)]),
        ("conv_3x3_one_filter", [(318, 398, 1)]),
        ("conv_15x15_one_filter", [(306, 386, 1)]),
        ("relu", [(318, 398, 3)] * 2),
        ("max_pool_2x2", [(318, 398, 3), (159, 199, 3)]),
        ("max_pool_5x5", [(318, 398, 3), (63, 79, 3)]),
        ("relu_max_pool_5x5", [(318, 398, 3), (318, 398, 3), (63, 79, 3)]),
        ("lenet_1_1", [(318, 398, 1), (318, 398, 1), (106, 132, 1), (104, 130, 1), (104, 130, 1), (34, 43, 1)]),
        ("lenet_3_1", [(318, 398, 3), (318, 398, 3), (106, 132, 3), (104, 130, 1), (104, 130, 1), (52, 65, 1)]),
        ("lenet_3_3", [(318, 398, 3), (318, 398, 3), (106, 132, 3), (104, 130, 3), (104, 130, 3), (52, 65, 3)]),
    ],
)
def test_the_articles_figures_have_its_shapes(preset: SandboxPreset, expected: list[tuple[int, int, int]]) -> None:
    output = made(photo_of(), preset=preset)
    assert shapes(output) == expected
    assert arrays(output)["output"].shape == expected[-1]


def test_every_preset_is_tried_above() -> None:
    (mark,) = (mark for mark in test_the_articles_figures_have_its_shapes.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert [case[0] for case in mark.args[1]] == list(get_args(SandboxPreset))


def test_a_lenet_is_what_keras_makes_of_the_same_kernels() -> None:
    photo = photo_of(61, 83)
    output = made(photo, preset="lenet_3_1", seed=7)
    kernels = arrays(output)
    model = keras.Sequential(
        [
            keras.Input((61, 83, 3)),
            layers.Conv2D(3, 3, use_bias=False),
            layers.ReLU(),
            layers.MaxPooling2D(3),
            layers.Conv2D(1, 3, use_bias=False),
            layers.ReLU(),
            layers.MaxPooling2D(2),
        ]
    )
    model.set_weights([kernels["kernel_1"], kernels["kernel_4"]])
    expected = model(photo.image[None].astype(np.float32)).numpy()[0]
    assert expected.any()
    np.testing.assert_allclose(kernels["output"], expected, rtol=0, atol=1e-5 * np.abs(expected).max())
    assert isinstance(output.facts, SandboxFacts)
    last = output.facts.stages[-1]
    assert (last.min, last.max, last.mean) == pytest.approx((expected.min(), expected.max(), expected.mean()), rel=1e-4, abs=1e-3)


def test_each_channel_is_stretched_alone() -> None:
    maps = np.stack([np.array([[0, 1, 4]]), np.array([[-10, -20, -15]]), np.array([[7, 7, 7]])], axis=-1).astype(np.float32)
    np.testing.assert_array_equal(stretched_channels(maps)[0].T, [[0, 64, 255], [255, 0, 128], [0, 0, 0]])


def test_three_filters_are_one_picture_in_colour_and_each_alone() -> None:
    output = made(photo_of(43, 61), stages=[{"conv": {"filters": 3, "kernel": 4}}])
    levels = stretched_channels(arrays(output)["output"])
    shown = pictures(output)
    assert list(shown) == ["stages", "stage_1", "channels_1"]
    np.testing.assert_array_equal(shown["stage_1"], levels)
    tiles = shown["channels_1"]
    assert tiles.shape == (2 * 40 + 1, 2 * 58 + 1, 3)
    np.testing.assert_array_equal(tiles[:40, :58, 0], levels[..., 0])
    np.testing.assert_array_equal(tiles[:40, 59:, 1], levels[..., 1])
    np.testing.assert_array_equal(tiles[41:, :58, 2], levels[..., 2])


def test_one_filter_is_grey_and_many_are_tiled() -> None:
    one = made(photo_of(43, 61), stages=[{"conv": {"filters": 1, "kernel": 4}}])
    np.testing.assert_array_equal(pictures(one)["stage_1"], stretched_channels(arrays(one)["output"]).repeat(3, axis=2))
    assert list(pictures(one)) == ["stages", "stage_1"]
    many = made(photo_of(43, 61), stages=[{"conv": {"filters": 5, "kernel": 4}}])
    assert pictures(many)["stage_1"].shape == (2 * 40 + 1, 3 * 58 + 2, 3)


def test_the_sheet_has_the_photo_and_every_stage() -> None:
    photo = photo_of(200, 400)
    sheet = pictures(made(photo, preset="relu_max_pool_5x5"))["stages"]
    assert sheet.shape == (2 * (21 + 200) + 10, 2 * 400 + 10, 3)
    np.testing.assert_array_equal(sheet[21:221, :400], photo.image)


def test_seeds() -> None:
    photo = photo_of(31, 45)
    first, again, other = (arrays(made(photo, preset="lenet_3_3", seed=seed)) for seed in (1, 1, 2))
    for name in ("kernel_1", "kernel_4", "output"):
        np.testing.assert_array_equal(first[name], again[name])
        assert (first[name] != other[name]).any()
    assert first["kernel_1"].shape == first["kernel_4"].shape
    assert (first["kernel_1"] != first["kernel_4"]).any()


def test_a_photo_without_contrast_is_said_and_drawn_grey() -> None:
    photo = photo_of(31, 45)
    plain = Photo(np.full_like(photo.image, 90), photo.placement)
    output = made(plain, stages=[{"max_pool": {"size": 2}}])
    assert output.warnings == ("Stage 1 (max pool 2 × 2): these channels are the same everywhere, and are one grey: 0, 1, 2.",)
    assert (pictures(output)["stage_1"] == CONSTANT).all()
    assert (arrays(output)["output"] == 90).all()


def test_a_channel_without_contrast_is_a_grey_tile_and_adds_no_colour() -> None:
    photo = photo_of(31, 45)
    image = photo.image.copy()
    image[..., 1] = 200
    output = made(Photo(image, photo.placement), stages=[{"relu": {}}])
    assert output.warnings == (
        "Stage 1 (relu): these channels are the same everywhere, and are one grey: 1. They add no colour to the picture of all three.",
    )
    drawn = pictures(output)
    assert not drawn["stage_1"][..., 1].any()
    tiles = drawn["channels_1"]
    assert (tiles[:31, 48:90] == CONSTANT).all()  # the second of two tiles in the first row
    assert tiles[:31, :45].min() == 0


def test_a_photo_too_small_for_a_stage() -> None:
    stages = [{"conv": {"filters": 3, "kernel": 5}}, {"max_pool": {"size": 3}}, {"conv": {"filters": 1, "kernel": 3}}]
    assert shapes(made(photo_of(13, 13), stages=stages))[-1] == (1, 1, 1)
    with pytest.raises(InvalidImage, match=r"Stage 3 \(conv 3 × 3, 1 filter\) gets maps of 2 × 3, which are smaller than its window"):
        made(photo_of(12, 13), stages=stages)
    with pytest.raises(InvalidImage, match=r"Stage 1 \(conv 5 × 5, 3 filters\) gets maps of 1 × 1"):
        made(photo_of(1, 1), stages=stages)


def test_work_is_bounded_before_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    params = Sandbox.model_validate({"stages": [{"conv": {"filters": 16, "kernel": 31}}, {"conv": {"filters": 16, "kernel": 31}}]})
    stages = params.stages or ()
    with pytest.raises(ImageTooLarge, match="The photo takes 75,000,000 values"):
        check_cost(stages, 5000, 5000)
    with pytest.raises(ImageTooLarge, match=r"Stage 1 \(conv 31 × 31, 16 filters\) takes 63,520,000 values"):
        check_cost(stages, 2030, 2015)
    with pytest.raises(ImageTooLarge, match="All up to stage 2 takes"):
        check_cost(stages, 600, 600)
    # The products are 31·31·3·16 at each of 70² positions, then 16·16·31·31 at each of 40² positions.
    cost = 70 * 70 * 961 * 48 + 40 * 40 * 961 * 256
    monkeypatch.setattr(sandbox, "MOST_PRODUCTS", cost)
    check_cost(stages, 100, 100)
    monkeypatch.setattr(sandbox, "MOST_PRODUCTS", cost - 1)
    with pytest.raises(ImageTooLarge, match=f"{cost:,}"):
        check_cost(stages, 100, 100)
