from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from decoding.decoder import Decoder
from tests.decoding.image_files import LIMITS, PIXELS, png_file, saved

CAT = Path(__file__).parents[2] / "samples" / "cat.jpg"


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_keep_every_pixel(decoder: Decoder, kind: str, options: dict[str, Any]) -> None:
    made = decoder.decode(saved(Image.fromarray(PIXELS), kind, **options), LIMITS)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, PIXELS)


def test_jpeg(decoder: Decoder) -> None:
    with Image.open(CAT) as image:
        expected = np.asarray(image.convert("RGB"))
    made = decoder.decode(CAT.read_bytes(), LIMITS)
    assert made.shape == (300, 451, 3)
    np.testing.assert_array_equal(made, expected)


def test_grey_becomes_three_equal_channels(decoder: Decoder) -> None:
    grey = PIXELS[..., 0]
    for image in (Image.fromarray(grey), Image.fromarray(grey > 60).convert("1")):
        made = decoder.decode(saved(image, "PNG"), LIMITS)
        np.testing.assert_array_equal(made, np.repeat(np.asarray(image.convert("L"))[..., None], 3, axis=2))


def test_palette(decoder: Decoder) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 7, 8, 9])
    np.testing.assert_array_equal(decoder.decode(saved(image, "PNG"), LIMITS), [[[255, 0, 0], [0, 255, 0], [7, 8, 9]]])
    transparent = decoder.decode(saved(image, "PNG", transparency=1), LIMITS)
    np.testing.assert_array_equal(transparent, [[[255, 0, 0], [255, 255, 255], [7, 8, 9]]])


def test_16_bit_grey_is_scaled_and_not_cut_off(decoder: Decoder) -> None:
    values = np.array([[0, 255, 256, 300], [0x7FFF, 0x8000, 0xFF00, 0xFFFF]], np.uint16)
    made = decoder.decode(saved(Image.fromarray(values), "PNG"), LIMITS)
    np.testing.assert_array_equal(made[..., 0], [[0, 0, 1, 1], [127, 128, 255, 255]])
    np.testing.assert_array_equal(made[..., 0], made[..., 2])


def test_16_bit_grey_is_given_at_full_depth_where_that_is_asked_for(decoder: Decoder) -> None:
    values = np.array([[0, 255, 256], [0x7FFF, 0x8000, 0xFFFF]], np.uint16)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90° clockwise
    big = Image.frombytes("I;16B", (3, 2), values.astype(">u2").tobytes())
    tiff = LIMITS.model_copy(update={"formats": ["TIFF"]})
    whole = Image.fromarray(values)
    for image, kind, limits in ((whole, "PNG", LIMITS), (big, "TIFF", tiff), (whole, "TIFF", tiff)):
        made = decoder.decode_full_depth(saved(image, kind), limits)
        assert made.dtype == np.uint16
        np.testing.assert_array_equal(made, values)
    turned = decoder.decode_full_depth(saved(Image.fromarray(values), "PNG", exif=exif), LIMITS)
    np.testing.assert_array_equal(turned, np.rot90(values, -1))
    for other in (Image.fromarray(PIXELS), Image.fromarray(PIXELS[..., 0])):
        np.testing.assert_array_equal(decoder.decode_full_depth(saved(other, "PNG"), LIMITS), decoder.decode(saved(other, "PNG"), LIMITS))
    transparent = saved(Image.fromarray(values), "PNG", transparency=255)
    assert decoder.decode_full_depth(transparent, LIMITS).dtype == np.uint8


def test_16_bit_colour_and_grey_with_alpha(decoder: Decoder) -> None:
    colour = struct.pack(">B6H", 0, 0x1234, 0xFFFF, 0x0080, 0x8000, 0x00FF, 0x0100)
    np.testing.assert_array_equal(decoder.decode(png_file(2, 1, 16, 2, colour), LIMITS), [[[0x12, 0xFF, 0], [0x80, 0, 1]]])
    grey = struct.pack(">B4H", 0, 0x6400, 0xFFFF, 0x6400, 0)
    np.testing.assert_array_equal(decoder.decode(png_file(2, 1, 16, 4, grey), LIMITS), [[[100] * 3, [255] * 3]])


def test_alpha_lies_over_white(decoder: Decoder) -> None:
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    made = decoder.decode(saved(Image.fromarray(rgba), "PNG"), LIMITS)
    # 51/255 is one fifth, so the colour is 0.2 · (200, 100, 0) + 0.8 · 255.
    np.testing.assert_array_equal(made, [[[200, 100, 0], [255, 255, 255], [244, 224, 204]]])


def test_cmyk_jpeg(decoder: Decoder) -> None:
    cmyk = np.zeros((16, 32, 4), np.uint8)
    cmyk[:, :16] = [0, 255, 255, 0]  # red
    cmyk[:, 16:] = [255, 0, 0, 0]  # cyan
    made = decoder.decode(saved(Image.frombytes("CMYK", (32, 16), cmyk.tobytes()), "JPEG", quality=100), LIMITS).astype(int)
    assert np.abs(made[:, :12] - [255, 0, 0]).max() <= 3
    assert np.abs(made[:, 20:] - [0, 255, 255]).max() <= 3


# The upright form of a stored 2×3 picture [[0, 1, 2], [3, 4, 5]], for each orientation of the Exif specification, section 4.6.4 A.
UPRIGHT = {
    1: [[0, 1, 2], [3, 4, 5]],
    2: [[2, 1, 0], [5, 4, 3]],
    3: [[5, 4, 3], [2, 1, 0]],
    4: [[3, 4, 5], [0, 1, 2]],
    5: [[0, 3], [1, 4], [2, 5]],
    6: [[3, 0], [4, 1], [5, 2]],
    7: [[5, 2], [4, 1], [3, 0]],
    8: [[2, 5], [1, 4], [0, 3]],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(decoder: Decoder, orientation: int) -> None:
    stored = np.array(UPRIGHT[1], np.uint8) * 40
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = stored.repeat(8, axis=0).repeat(8, axis=1)  # one JPEG block for each cell keeps the values exact
    content = saved(Image.fromarray(blocks), "JPEG", quality=100, exif=exif)
    made = decoder.decode(content, LIMITS)[4::8, 4::8, 0]
    assert np.abs(made.astype(int) - np.array(UPRIGHT[orientation]) * 40).max() <= 1


def test_broken_exif_does_not_refuse_good_pixels(decoder: Decoder) -> None:
    content = saved(Image.fromarray(PIXELS), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff garbage")
    assert decoder.decode(content, LIMITS).shape == (3, 5, 3)


def test_first_frame_of_an_animation(decoder: Decoder) -> None:
    frames = [Image.fromarray(np.full((4, 6, 3), value, np.uint8)) for value in (255, 0, 128)]
    for kind in ("GIF", "WEBP"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(decoder.decode(content, LIMITS), np.full((4, 6, 3), 255))


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_avif_and_heic(decoder: Decoder, kind: str) -> None:
    """Neither side is a multiple of the blocks that the encoders fill up. Such codes lose a little, in colour more than in light."""
    pillow_heif.register_heif_opener()
    cells = np.array([[200, 30, 90], [10, 120, 250]], np.uint8).repeat(11, axis=0).repeat(13, axis=1)
    image = np.stack([cells] * 3, axis=2)
    made = decoder.decode(saved(Image.fromarray(image), kind, quality=95), LIMITS)
    assert made.shape == (22, 39, 3)
    assert np.abs(made.astype(int) - image).mean() < 4


@pytest.mark.parametrize("compression", [None, "tiff_deflate"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_rotated_tiff_is_turned_once(decoder: Decoder, orientation: int, compression: str | None) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    limits = LIMITS.model_copy(update={"formats": ["TIFF"]})
    stored = np.array(UPRIGHT[1], np.uint8)
    for image in (Image.fromarray(stored), Image.fromarray(stored).convert("RGB"), Image.fromarray(stored.astype(np.uint16) << 8)):
        content = saved(image, "TIFF", exif=exif, compression=compression)
        np.testing.assert_array_equal(decoder.decode(content, limits)[..., 0], UPRIGHT[orientation])
        deep = decoder.decode_full_depth(content, limits)
        grey = deep >> 8 if deep.dtype == np.uint16 else deep[..., 0]
        np.testing.assert_array_equal(grey, UPRIGHT[orientation])


def test_a_rotated_avif_is_turned_once(decoder: Decoder) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    blocks = (np.array(UPRIGHT[1], np.uint8) * 40).repeat(16, axis=0).repeat(16, axis=1)
    made = decoder.decode(saved(Image.fromarray(blocks), "AVIF", quality=100, exif=exif), LIMITS)[8::16, 8::16, 0]
    assert np.abs(made.astype(int) - np.array(UPRIGHT[6]) * 40).max() <= 3


def test_heic_without_its_package_is_refused_with_the_command_that_installs_it() -> None:
    pillow_heif.register_heif_opener()
    content = saved(Image.fromarray(PIXELS.repeat(9, axis=0)), "HEIF")
    program = (
        "import sys; sys.modules['pillow_heif'] = None\n"
        "from decoding.decode_image import ImageRefused, decode\n"
        "try: decode(sys.stdin.buffer.read(), ['JPEG', 'AVIF', 'HEIF'], 10**6, 10**4)\n"
        "except ImageRefused as refusal: print(refusal.error, refusal.arguments['detail'], refusal.arguments['allowed'])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], input=content, capture_output=True, check=True, cwd=CAT.parents[1]
    ).stdout.decode()
    assert told.startswith("UnsupportedFormat This is a HEIF (HEIC) file")
    assert told.strip().endswith("`pip install 'convscope[heif]'`. JPEG, AVIF")


def test_a_wide_picture_is_made_smaller_after_it_is_turned_upright(decoder: Decoder) -> None:
    """Orientation 6 turns the stored 60 × 42 picture, red left and green right, into one of 42 × 60 with red above green."""
    stored = np.zeros((42, 60, 3), np.uint8)
    stored[:, :30], stored[:, 30:] = (200, 30, 20), (10, 180, 60)
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(Image.fromarray(stored), "PNG", exif=exif)
    made = decoder.decode(content, LIMITS, 7)
    assert made.shape == (10, 7, 3)
    assert (made[:2].reshape(-1, 3) == (200, 30, 20)).all()
    assert (made[8:].reshape(-1, 3) == (10, 180, 60)).all()
    assert decoder.decode(content, LIMITS, 42).shape == decoder.decode(content, LIMITS, 2048).shape == (60, 42, 3)
