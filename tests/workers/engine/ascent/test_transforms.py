from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from schemas.methods.synthesis.transforms import Transforms
from workers.engine.ascent.transforms import NOISE_SEEDS, crop, is_affine, move, noise, random_numbers

FILL = np.float32([0.1, 0.5, 0.9])


def photos(n: int = 2, height: int = 7, width: int = 5) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(n, height, width, 3)).astype(np.float32)


def numbers_of(down: float = 0, right: float = 0, zoom: float = 1, angle: float = 0) -> np.ndarray:
    return np.float32([down, right, zoom, angle])


@pytest.mark.parametrize("affine", [False, True])
def test_a_shift_within_the_padding_brings_in_its_colour(affine: bool) -> None:
    images = photos()
    moved = np.asarray(move(images, numbers_of(down=2, right=-1), FILL, pad=2, affine=affine))
    np.testing.assert_allclose(moved[:, 2:, :4], images[:, :5, 1:], atol=1e-6)
    np.testing.assert_allclose(moved[:, :2], np.broadcast_to(FILL, (2, 2, 5, 3)), atol=1e-6)
    np.testing.assert_allclose(moved[:, :, 4:], np.broadcast_to(FILL, (2, 7, 1, 3)), atol=1e-6)


@pytest.mark.parametrize("affine", [False, True])
def test_without_padding_a_shift_wraps_around(affine: bool) -> None:
    images = photos()
    moved = move(images, numbers_of(down=-3, right=2), FILL, pad=0, affine=affine)
    np.testing.assert_allclose(moved, np.roll(images, (-3, 2), axis=(1, 2)), atol=1e-6)


def sampled(padded: np.ndarray, y: float, x: float) -> np.ndarray:
    """Return the bilinear value of an image (h, w, C) at (y, x), which must lie inside it."""
    top, left = int(np.floor(y)), int(np.floor(x))
    value = np.zeros(padded.shape[-1])
    for row in (top, top + 1):
        for column in (left, left + 1):
            value += max(0, 1 - abs(y - row)) * max(0, 1 - abs(x - column)) * padded[row, column]
    return value


@pytest.mark.parametrize(("zoom", "angle"), [(1.25, 0.0), (0.8, 0.0), (1.0, 0.3), (1.1, -0.2)])
def test_zoom_and_rotation_pixel_by_pixel(zoom: float, angle: float) -> None:
    images, pad = photos(height=11, width=8), 6
    moved = np.asarray(move(images, numbers_of(1, -2, zoom, angle), FILL, pad=pad, affine=True))
    padded = np.empty((2, 23, 20, 3))
    padded[...] = FILL
    padded[:, pad:-pad, pad:-pad] = images
    for n in range(2):
        for i in range(11):
            for j in range(8):
                y, x = i - 5.0, j - 3.5  # relative to the centre
                turned_y, turned_x = np.cos(angle) * y + np.sin(angle) * x, np.cos(angle) * x - np.sin(angle) * y
                expected = sampled(padded[n], turned_y / zoom + 5 + pad - 1, turned_x / zoom + 3.5 + pad + 2)
                np.testing.assert_allclose(moved[n, i, j], expected, atol=1e-5)


def test_a_quarter_turn_turns_counter_clockwise() -> None:
    images = photos(height=5, width=5)
    np.testing.assert_allclose(
        move(images, numbers_of(angle=np.pi / 2), FILL, pad=0, affine=True), np.rot90(images, axes=(1, 2)), atol=1e-5
    )


def test_random_numbers_keep_their_bounds_and_depend_on_the_seed() -> None:
    transforms = Transforms(pad=3, jitter=4, scale=0.2, rotate=10)
    many = random_numbers(transforms, 4000, seed=1)
    assert set(np.unique(many[:, :2])) == set(range(-4, 5))
    assert np.abs(many[:, :2].mean(axis=0)).max() < 0.2
    assert many[:, 2].min() >= np.float32(0.8)
    assert many[:, 2].max() <= np.float32(1.2)
    assert np.ptp(many[:, 2]) > 0.39
    assert np.abs(many[:, 3]).max() == pytest.approx(np.radians(10), rel=1e-2)
    np.testing.assert_array_equal(many, random_numbers(transforms, 4000, seed=1))
    assert not np.array_equal(many, random_numbers(transforms, 4000, seed=2))
    np.testing.assert_array_equal(random_numbers(transforms, 9, seed=1), random_numbers(transforms, 9, seed=1))


def test_transforms_that_are_off_change_nothing() -> None:
    none = random_numbers(Transforms(pad=3), 5, seed=0)
    np.testing.assert_array_equal(none[:, :7], np.tile(np.float32([0, 0, 1, 0, 0, 0, 1]), (5, 1)))
    assert not is_affine(Transforms(pad=3, jitter=3))
    assert is_affine(Transforms(rotate=1))


@pytest.mark.parametrize(("top", "left", "share"), [(0.0, 0.0, 1.0), (0.25, 0.1, 0.5), (0.4, 0.05, 0.6), (0.31, 0.83, 0.17)])
@pytest.mark.parametrize("view", [(4, 4), (11, 11), (30, 23)])
def test_a_crop_is_resized_as_pillow_does(top: float, left: float, share: float, view: tuple[int, int]) -> None:
    images = photos(height=19, width=24)
    drawn = np.float32([0, 0, 1, 0, top, left, share, 0])
    seen = np.asarray(crop(images, drawn, view))
    box = (left * 24, top * 19, (left + share) * 24, (top + share) * 19)
    for image, result in zip(images, seen, strict=True):
        for channel in range(3):
            plane = Image.fromarray(image[..., channel])
            expected = plane.resize(view[::-1], Image.Resampling.BILINEAR, box=box)
            np.testing.assert_allclose(result[..., channel], np.asarray(expected), atol=1e-5)


def test_crops_lie_in_the_image_and_do_not_change_the_other_random_numbers() -> None:
    transforms = Transforms(pad=3, jitter=4, scale=0.2, rotate=10)
    many, without = (
        random_numbers(transforms.model_copy(update={"crop": (0.3, 0.8)}), 4000, seed=1),
        random_numbers(transforms, 4000, seed=1),
    )
    np.testing.assert_array_equal(many[:, :4], without[:, :4])
    top, left, share, seeds = many[:, 4:].T
    assert (share.min(), share.max()) == (pytest.approx(0.3, abs=1e-3), pytest.approx(0.8, abs=1e-3))
    assert min(top.min(), left.min()) >= 0
    assert (top + share).max() <= 1 + 1e-6
    assert (left + share).max() > 0.99
    assert (top + share / 2).mean() == pytest.approx(0.5, abs=0.01)
    assert np.all(seeds == np.rint(seeds))
    assert seeds.max() < NOISE_SEEDS
    assert len(set(seeds)) > 3990


def test_noise_is_the_same_for_all_images_of_a_step_and_differs_between_steps() -> None:
    first, second = random_numbers(Transforms(noise=0.5), 2, seed=1)
    sigma = np.float32([1, 2, 4])
    drawn = np.asarray(noise(first, sigma, (60, 50, 3)))
    assert drawn.shape == (1, 60, 50, 3)
    np.testing.assert_allclose(drawn.std(axis=(0, 1, 2)), sigma, rtol=0.05)
    np.testing.assert_allclose(drawn.mean(axis=(0, 1, 2)), 0, atol=0.2)
    np.testing.assert_array_equal(drawn, noise(first, sigma, (60, 50, 3)))
    assert abs(np.corrcoef(drawn.ravel(), np.asarray(noise(second, sigma, (60, 50, 3))).ravel())[0, 1]) < 0.05
