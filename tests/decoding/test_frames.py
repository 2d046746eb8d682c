"""Frames of animated files: which are taken, how long each is shown, and which files are refused before a frame is decoded."""

from __future__ import annotations

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from decoding.decoder import Decoder
from schemas.errors import ImageTooLarge, InvalidImage
from schemas.images import ImageLimits
from tests.decoding.image_files import LIMITS, PIXELS, saved

COLOURS = np.array([[250, 10, 20], [0, 0, 0], [30, 200, 90], [5, 60, 240]], np.uint8)
DURATIONS = [50, 120, 30, 200, 70]


def indices(count: int = 5, height: int = 7, width: int = 9) -> np.ndarray:
    return np.random.default_rng(3).integers(0, len(COLOURS), (count, height, width)).astype(np.uint8)


def animated(kind: str, frames: np.ndarray, **options: object) -> bytes:
    """Return an animated file of frames (n, h, w) of indices of `COLOURS`."""
    if kind == "GIF":
        images = [Image.fromarray(frame, "P") for frame in frames]
        for image in images:
            image.putpalette(COLOURS.tobytes())
    else:
        images = [Image.fromarray(COLOURS[frame]) for frame in frames]
        options = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100, "subsampling": "4:4:4"}}.get(kind, {}) | options
    return saved(images[0], kind, save_all=True, append_images=images[1:], **({"duration": DURATIONS[: len(frames)]} | options))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_every_frame_is_decoded_exactly_with_its_time(decoder: Decoder, kind: str) -> None:
    frames = indices()
    content = animated(kind, frames)
    found = decoder.decode_frames(content, LIMITS, 64)
    np.testing.assert_array_equal(found.images, COLOURS[frames])
    assert (found.numbers, found.milliseconds) == ((0, 1, 2, 3, 4), tuple(DURATIONS))
    np.testing.assert_array_equal(decoder.decode(content, LIMITS), COLOURS[frames[0]])


def test_the_frames_of_an_avif_sequence_are_decoded(decoder: Decoder) -> None:
    frames = indices().repeat(8, axis=1).repeat(8, axis=2)
    found = decoder.decode_frames(animated("AVIF", frames), LIMITS, 3)
    assert (found.numbers, found.milliseconds) == ((0, 1, 3), (50, 150, 270))
    assert np.abs(found.images.astype(int) - COLOURS[frames[[0, 1, 3]]])[:, 4::8, 4::8].max() <= 12


def test_fewer_frames_are_evenly_spaced_and_shown_until_the_next(decoder: Decoder) -> None:
    frames = indices()
    found = decoder.decode_frames(animated("GIF", frames), LIMITS, 2)
    assert (found.numbers, found.milliseconds) == ((0, 2), (50 + 120, 30 + 200 + 70))
    np.testing.assert_array_equal(found.images, COLOURS[frames[[0, 2]]])
    found = decoder.decode_frames(animated("WEBP", frames), LIMITS, 1)
    assert (found.numbers, found.milliseconds, found.images.shape) == ((0,), (470,), (1, 7, 9, 3))


def test_a_frame_without_a_duration_is_shown_as_long_as_browsers_show_it(decoder: Decoder) -> None:
    assert decoder.decode_frames(animated("GIF", indices(2), duration=0), LIMITS, 9).milliseconds == (100, 100)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "WEBP", "HEIF"])
def test_a_still_image_has_one_frame(decoder: Decoder, kind: str) -> None:
    pillow_heif.register_heif_opener()
    content = saved(Image.fromarray(PIXELS.repeat(16, axis=0).repeat(16, axis=1)), kind)
    found = decoder.decode_frames(content, LIMITS, 7)
    np.testing.assert_array_equal(found.images, decoder.decode(content, LIMITS)[None])
    assert (found.numbers, found.milliseconds) == ((0,), (100,))


def test_the_default_image_of_an_animated_png_is_no_frame(decoder: Decoder) -> None:
    frames = indices(3)
    content = animated("PNG", frames, default_image=True, duration=[80, 90])
    found = decoder.decode_frames(content, LIMITS, 9)
    np.testing.assert_array_equal(found.images, COLOURS[frames[1:]])
    assert (found.numbers, found.milliseconds) == ((0, 1), (80, 90))


def test_frames_over_transparency_lie_over_white(decoder: Decoder) -> None:
    frames = np.zeros((2, 5, 6, 4), np.uint8)
    frames[0, :2] = (10, 20, 30, 255)
    frames[1, 3:] = (200, 20, 30, 255)
    first, second = map(Image.fromarray, frames)
    found = decoder.decode_frames(saved(first, "WEBP", save_all=True, append_images=[second], lossless=True), LIMITS, 9).images
    assert found[:, :, 3].tolist() == [
        [[10, 20, 30]] * 2 + [[255] * 3] * 3,
        [[255] * 3] * 3 + [[200, 20, 30]] * 2,
    ]


def test_frames_with_too_many_pixels_are_refused_with_the_number_that_is_allowed(decoder: Decoder) -> None:
    content = animated("WEBP", indices())  # 5 frames of 63 pixels
    limits = ImageLimits(max_pixels=63 * 3)
    assert len(decoder.decode_frames(content, limits, 3).images) == 3
    with pytest.raises(ImageTooLarge, match=r"The 4 frames that are asked for have 9 × 7 pixels each, 252 together.*at most 3 of them"):
        decoder.decode_frames(content, limits, 4)
    many = animated("GIF", indices(11), duration=40)
    with pytest.raises(ImageTooLarge, match=r"The 11 frames of the file .* 693 together. At most 630 are allowed"):
        decoder.decode_frames(many, ImageLimits(max_pixels=63), 1)
    assert decoder.decode(many, ImageLimits(max_pixels=63)).shape == (7, 9, 3)


def test_a_frame_that_is_cut_short_is_named(decoder: Decoder) -> None:
    frames = np.random.default_rng(1).integers(0, 256, (3, 40, 50, 3), np.uint8)
    images = [Image.fromarray(frame) for frame in frames]
    content = saved(images[0], "PNG", save_all=True, append_images=images[1:], duration=50)
    with pytest.raises(InvalidImage, match=r"Frame 2 of the PNG file of 50 × 40 pixels is damaged or cut short"):
        decoder.decode_frames(content[: -len(content) // 6], LIMITS, 1)
