"""An image becomes the input that the model's preprocessing declares."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from schemas.models import Preprocessing
from workers.contract.colours import input_to_rgb, normalise, to_rgb
from workers.models.preprocessing import place, prepare

RANDOM = np.random.default_rng(3)
PHOTO = RANDOM.integers(0, 256, (30, 47, 3), np.uint8)
MODES = ("caffe", "tf", "torch", "none")


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_a_named_mode_does_what_keras_applications_does(mode: Any) -> None:
    expected: Any = keras.applications.imagenet_utils.preprocess_input(PHOTO.astype(np.float32), mode=mode)
    np.testing.assert_allclose(normalise(PHOTO, Preprocessing.named(mode)), expected, rtol=0, atol=5e-7 if mode != "caffe" else 0)


def test_the_mode_none_keeps_0_to_255() -> None:
    np.testing.assert_array_equal(normalise(PHOTO, Preprocessing.named("none")), PHOTO.astype(np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_to_rgb_is_the_inverse(mode: Any) -> None:
    spec = Preprocessing.named(mode)
    back = to_rgb(normalise(PHOTO, spec), spec)
    assert back.dtype == np.float32
    np.testing.assert_allclose(back, PHOTO, atol=1e-4)


@pytest.mark.parametrize("mode", MODES)
def test_an_input_becomes_the_image_again(mode: Any) -> None:
    spec = Preprocessing.named(mode)
    np.testing.assert_array_equal(input_to_rgb(normalise(PHOTO, spec), spec), PHOTO)
    whiter_than_white = normalise(np.full((1, 1, 3), 255, np.uint8), spec) + np.float32(1)
    np.testing.assert_array_equal(input_to_rgb(whiter_than_white, spec), [[[255, 255, 255]]])
    np.testing.assert_array_equal(input_to_rgb(np.full((1, 2, 3), np.nan, np.float32), spec), np.zeros((1, 2, 3)))


def test_to_rgb_of_one_channel_is_grey() -> None:
    spec = Preprocessing(mode="custom", order="gray", mean=(10.0,), std=(2.0,))
    np.testing.assert_array_equal(to_rgb(np.array([[[3.0], [0.0]]]), spec), [[[16, 16, 16], [10, 10, 10]]])


@pytest.mark.parametrize("fit", ["stretch", "crop", "letterbox"])
def test_an_image_of_the_inputs_size_is_not_resized(fit: Any) -> None:
    tensor, placement = prepare(PHOTO, Preprocessing(fit=fit, resize="bicubic"), (30, 47), 3)
    np.testing.assert_array_equal(tensor, PHOTO.astype(np.float32))
    assert (placement.box, placement.source) == ((0, 0, 30, 47), (0, 0, 30, 47))


@pytest.mark.parametrize(
    ("fit", "photo", "size", "box", "source"),
    [
        ("stretch", (30, 47), (20, 11), (0, 0, 20, 11), (0, 0, 30, 47)),
        # A wide image and a square input: the middle 30 columns are used, from column (47 − 30) // 2.
        ("crop", (30, 47), (20, 20), (0, 0, 20, 20), (0, 8, 30, 30)),
        # A tall image and an input of 2 : 5: all 30 columns and 30 · 2/5 = 12 rows are used, from row (61 − 12) // 2.
        ("crop", (61, 30), (20, 50), (0, 0, 20, 50), (24, 0, 12, 30)),
        # An image of 47 : 30 in 20 : 20: it fills 20 columns and 30 · 20/47 = 12.77 → 13 rows, from row (20 − 13) // 2.
        ("letterbox", (30, 47), (20, 20), (3, 0, 13, 20), (0, 0, 30, 47)),
        ("letterbox", (61, 30), (21, 50), (0, 20, 21, 10), (0, 0, 61, 30)),
        ("letterbox", (1000, 1), (10, 10), (0, 4, 10, 1), (0, 0, 1000, 1)),
    ],
)
def test_placements_by_hand(
    fit: str, photo: tuple[int, int], size: tuple[int, int], box: tuple[float, ...], source: tuple[float, ...]
) -> None:
    placement = place(photo, size, fit)
    assert (placement.input_size, placement.box, placement.source) == (size, box, source)


def test_crop_takes_the_area_that_its_placement_names() -> None:
    tensor, placement = prepare(PHOTO, Preprocessing(fit="crop", resize="area"), (15, 15), 3)
    assert placement.source == (0, 8, 30, 30)
    expected = (
        PHOTO[:, 8:38].reshape(15, 2, 15, 2, 3).mean((1, 3))
        # `area` at half the size is the mean of 2 × 2 pixels; it is rounded twice
    )
    np.testing.assert_allclose(tensor, expected, atol=1)


def test_letterbox_pads_with_the_mean() -> None:
    spec = Preprocessing.named("torch", fit="letterbox")
    tensor, placement = prepare(np.full((10, 20, 3), 255, np.uint8), spec, (20, 20), 3)
    assert placement.box == (5, 0, 10, 20)
    assert (tensor[:5] == 0).all()
    assert (tensor[15:] == 0).all()
    np.testing.assert_allclose(tensor[5:15], np.broadcast_to((255 - np.array(spec.mean)) / np.array(spec.std), (10, 20, 3)), rtol=1e-6)


def test_bgr_is_reversed_after_resizing() -> None:
    rgb, _ = prepare(PHOTO, Preprocessing(order="rgb"), (9, 13), 3)
    bgr, _ = prepare(PHOTO, Preprocessing(order="bgr", mean=(1.0, 2.0, 3.0)), (9, 13), 3)
    np.testing.assert_array_equal(bgr, rgb[..., ::-1] - np.array([1, 2, 3], np.float32))


@pytest.mark.parametrize(("order", "channels"), [("gray", 1), ("rgb", 1), ("gray", 3)])
def test_gray_is_the_luma_of_itu_601(order: Any, channels: int) -> None:
    tensor, _ = prepare(PHOTO, Preprocessing(order=order, mean=(100.0,), std=(4.0,)), (30, 47), channels)
    luma = PHOTO.astype(np.float64) @ [0.299, 0.587, 0.114]
    assert tensor.shape == (30, 47, channels)
    np.testing.assert_allclose(tensor * 4 + 100, np.repeat(luma[..., None], channels, 2), atol=0.6)


def test_shrinking_averages_instead_of_sampling() -> None:
    stripes = np.zeros((400, 1200, 3), np.uint8)
    stripes[:, ::4] = 255  # a quarter of the columns is white, so the average is 63.75 for every phase
    for method in ("bilinear", "bicubic", "area", "lanczos"):
        tensor, _ = prepare(stripes, Preprocessing(resize=method), (40, 31), 3)
        assert np.abs(tensor - 63.75).max() < 8, method


def test_pillow_does_the_resizing() -> None:
    tensor, _ = prepare(PHOTO, Preprocessing(resize="bicubic"), (17, 12), 3)
    np.testing.assert_array_equal(tensor, np.asarray(Image.fromarray(PHOTO).resize((12, 17), Image.Resampling.BICUBIC), np.float32))


def test_only_free_sides_are_chosen() -> None:
    assert prepare(PHOTO, Preprocessing(), None, 3)[0].shape == PHOTO.shape
    assert prepare(PHOTO, Preprocessing(), (None, 80), 3)[0].shape == (round(PHOTO.shape[0] * 80 / PHOTO.shape[1]), 80, 3)


def test_a_model_with_other_channels_gets_no_image() -> None:
    with pytest.raises(ValueError, match="model takes 4"):
        prepare(PHOTO, Preprocessing(), None, 4)
