"""Pictures of 16-bit colour, whose profile is applied to all of their bits."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from decoding.decoder import Decoder
from decoding.matrix_profile import UnknownProfile, read_matrix_profile
from tests.decoding.deep_files import deep_png, deep_tiff
from tests.decoding.icc_profiles import (
    DISPLAY_P3_COLUMNS,
    SRGB_COLUMNS,
    grey_table,
    linear_grey_profile,
    matrix_profile,
    parametric,
    sampled,
)
from tests.decoding.image_files import LIMITS, saved

PICTURES = LIMITS.model_copy(update={"formats": ("PNG", "TIFF")})
LINEAR = matrix_profile(SRGB_COLUMNS, sampled())
# Light and its value in sRGB: 255 · 12.92 · light up to 0.0031308, and 255 · (1.055 · light^(1/2.4) − 0.055) above, worked by hand.
# Unrounded, they are 0, 1.65, 3.29, 6.59, 9.88, 25.46, 136.96 and 255. With 8 bits, the first five would be 0, 0, 0, 0 and 0.
LIGHT = np.array([0, 0.0005, 0.001, 0.002, 0.003, 0.01, 0.25, 1])
ENCODED = np.array([0, 2, 3, 7, 10, 25, 137, 255])


def deep(light: np.ndarray, channels: int = 3) -> np.ndarray:
    """Return a picture of 8 rows, whose columns are these greys, in 16 bits."""
    return np.rint(light * 65_535).astype(np.uint16)[None, :, None].repeat(8, axis=0).repeat(channels, axis=2)


def srgb(light: np.ndarray) -> np.ndarray:
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize(
    "file",
    [
        lambda values: deep_png(values, LINEAR),
        lambda values: deep_png(values, LINEAR, interlaced=True),
        lambda values: deep_tiff(values, LINEAR, "<"),
        lambda values: deep_tiff(values, LINEAR, ">"),
        lambda values: deep_tiff(values, LINEAR, "<", deflated=True),
        lambda values: deep_tiff(values, LINEAR, ">", deflated=True),
    ],
)
@pytest.mark.parametrize("channels", [3, 4])
def test_dark_parts_of_linear_light_keep_their_16_bits(decoder: Decoder, file: Callable[[np.ndarray], bytes], channels: int) -> None:
    values = deep(LIGHT, channels)
    values[..., 3:] = 65_535
    content = file(values)
    expected = ENCODED[None, :, None].repeat(8, axis=0).repeat(3, axis=2)
    np.testing.assert_array_equal(decoder.decode(content, PICTURES), expected)
    np.testing.assert_array_equal(decoder.decode_full_depth(content, PICTURES), expected)
    np.testing.assert_array_equal(decoder.decode_frames(content, PICTURES, 3).images[0], expected)


def test_dark_parts_of_grey_keep_their_16_bits(decoder: Decoder) -> None:
    grey = deep(LIGHT, 1)[..., 0]
    swapped = Image.frombytes("I;16B", grey.shape[::-1], grey.astype(">u2").tobytes())
    expected = ENCODED[None, :, None].repeat(8, axis=0).repeat(3, axis=2)
    for image, kind in ((Image.fromarray(grey), "PNG"), (Image.fromarray(grey), "TIFF"), (swapped, "TIFF")):
        content = saved(image, kind, icc_profile=linear_grey_profile())
        np.testing.assert_array_equal(decoder.decode(content, PICTURES), expected)
        np.testing.assert_array_equal(decoder.decode_full_depth(content, PICTURES), grey)


def test_a_transparent_value_of_grey_with_a_profile_is_white(decoder: Decoder) -> None:
    grey = deep(LIGHT, 1)[..., 0]
    content = saved(Image.fromarray(grey), "PNG", icc_profile=linear_grey_profile(), transparency=int(grey[0, 2]))
    expected = np.where(np.arange(8) == 2, 255, ENCODED)[None, :, None].repeat(8, axis=0).repeat(3, axis=2)
    np.testing.assert_array_equal(decoder.decode(content, PICTURES), expected)


@pytest.mark.parametrize(
    ("curve", "light"),
    [
        (sampled(256), lambda x: x),
        (sampled(563), lambda x: x ** (563 / 256)),
        (sampled(0, 13_107, 65_535), lambda x: np.where(x < 0.5, 0.4 * x, 0.2 + 1.6 * (x - 0.5))),
        (parametric(0, 1.8), lambda x: x**1.8),
        (parametric(1, 2, 1.25, -0.25), lambda x: np.where(x >= 0.2, (1.25 * x - 0.25) ** 2, 0)),
        (parametric(2, 2, 1, -0.125, 0.125), lambda x: np.where(x >= 0.125, (x - 0.125) ** 2 + 0.125, 0.125)),
        (parametric(3, 2, 0.75, 0.25, 0.125, 0.25), lambda x: np.where(x >= 0.25, (0.75 * x + 0.25) ** 2, 0.125 * x)),
        (
            parametric(4, 2, 0.75, 0.125, 0.125, 0.25, 0.0625, 0.03125),
            lambda x: np.where(x >= 0.25, (0.75 * x + 0.125) ** 2 + 0.0625, 0.125 * x + 0.03125),
        ),
    ],
)  # fmt: skip
def test_each_kind_of_curve(decoder: Decoder, curve: bytes, light: Callable[[np.ndarray], np.ndarray]) -> None:
    values = deep(np.linspace(0, 1, 517))
    expected = srgb(light(values / 65_535))
    made = decoder.decode(deep_png(values, matrix_profile(SRGB_COLUMNS, curve)), LIMITS)
    assert np.abs(made - expected).max() <= 0.75, "0.5 is rounding, and the columns in the file are rounded to 4 digits"


def test_display_p3_of_16_bits(decoder: Decoder) -> None:
    """The matrices are those of CSS Color 4. The picture is read in several bands of rows, and half of it is dark."""
    to_xyz = np.array([[0.48657095, 0.26566769, 0.19821729], [0.22897456, 0.69173852, 0.07928691], [0.0, 0.04511338, 1.04394437]])
    to_srgb = np.array(
        [[3.24096994, -1.53738318, -0.49861076], [-0.96924364, 1.8759675, 0.04155506], [0.05563008, -0.20397696, 1.05697151]]
    )
    values = np.random.default_rng(6).integers(0, 65_536, (200, 301, 3), np.uint16)
    values[::2] //= 16
    encoded = values / 65_535
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    made = decoder.decode(deep_png(values, matrix_profile(DISPLAY_P3_COLUMNS)), LIMITS)
    assert np.abs(made - srgb(light @ to_xyz.T @ to_srgb.T)).max() <= 2


def test_bright_colours_agree_with_little_cms(decoder: Decoder) -> None:
    colours = np.random.default_rng(7).integers(90, 256, (40, 50, 3), np.uint8)
    for curve in (None, sampled(), sampled(563), sampled(0, 20_000, 65_535)):
        profile = matrix_profile(DISPLAY_P3_COLUMNS, curve)
        by_little_cms = decoder.decode(saved(Image.fromarray(colours), "PNG", icc_profile=profile), LIMITS).astype(int)
        made = decoder.decode(deep_png(colours.astype(np.uint16) * 257, profile), LIMITS)
        inside = (by_little_cms > 40).all(axis=-1)
        assert inside.mean() > 0.5
        assert np.abs(made - by_little_cms)[inside].max() <= 1


@pytest.mark.parametrize("file", [deep_png, lambda values, profile: deep_tiff(values, profile, "<")])
def test_transparent_parts_lie_over_white(decoder: Decoder, file: Callable[[np.ndarray, bytes], bytes]) -> None:
    values = deep(np.array([0.001, 0.001, 0.001]), 4)
    values[..., 3] = [0xFFFF, 0, 0x3333]
    made = decoder.decode(file(values, LINEAR), PICTURES)[0, :, 1]
    # 0x33 of 0xFF is one fifth: 0.2 · 3 + 0.8 · 255 is 204.6.
    assert made[:2].tolist() == [3, 255]
    assert made[2] in (204, 205)


@pytest.mark.parametrize(("profile", "seen"), [(None, 16), (LINEAR, 72)])
def test_all_bits_of_a_transparent_colour_are_compared(decoder: Decoder, profile: bytes | None, seen: int) -> None:
    """A light of 0x1040/65535, 0.0635, is 255 · (1.055 · 0.0635^(1/2.4) − 0.055) = 71.3 in sRGB, and one of 0x1080/65535 is 71.8."""
    values = np.array([[[0x1040] * 3, [0x1080] * 3, [0x4010] * 3]], np.uint16)
    made = decoder.decode(deep_png(values, profile, transparent=b"\x10\x40" * 3), LIMITS)[0, :, 0]
    assert made[0] == 255
    assert made[1] == seen
    assert made[2] < 255


def test_a_tiff_file_is_turned_upright(decoder: Decoder) -> None:
    values = deep(LIGHT)
    turned = decoder.decode(deep_tiff(values, LINEAR, "<", orientation=6), PICTURES)
    np.testing.assert_array_equal(turned[:, 0, 0], ENCODED)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TABLES = matrix_profile(DISPLAY_P3_COLUMNS, A2B0=grey_table())


@pytest.mark.parametrize("profile", [SRGB, TABLES, LINEAR[:300], b"no profile", matrix_profile(SRGB_COLUMNS, b"none" + bytes(20))])
def test_other_profiles_are_applied_to_the_higher_bytes(decoder: Decoder, profile: bytes) -> None:
    values = np.random.default_rng(8).integers(0, 65_536, (9, 11, 3), np.uint16)
    high = (values >> 8).astype(np.uint8)
    expected = decoder.decode(saved(Image.fromarray(high), "PNG", icc_profile=profile), LIMITS)
    assert np.array_equal(expected, high) is (profile is not TABLES)
    np.testing.assert_array_equal(decoder.decode(deep_png(values, profile), LIMITS), expected)


def test_channels_that_lie_apart_are_read_with_8_bits(decoder: Decoder) -> None:
    values = deep(LIGHT)
    made = decoder.decode(deep_tiff(values, LINEAR, "<", deflated=True, apart=True), PICTURES)
    assert np.abs(made[0, :, 0].astype(int) - ENCODED).max() <= 10


def test_a_damaged_profile_is_told_as_unknown() -> None:
    read_matrix_profile(LINEAR)
    for length in range(len(LINEAR) - 2):
        with pytest.raises(UnknownProfile):
            read_matrix_profile(LINEAR[:length])
    for curve in (parametric(3, 2.4), parametric(0, -1), b"para" + bytes([0, 0, 0, 0, 0, 9, 0, 0]), sampled(1, 2)[:-2], TABLES):
        with pytest.raises(UnknownProfile):
            read_matrix_profile(matrix_profile(SRGB_COLUMNS, curve))
    with pytest.raises(UnknownProfile):
        read_matrix_profile(TABLES)


def test_numpy_is_imported_when_such_a_picture_comes() -> None:
    program = (
        "import sys; import decoding.decoding_process; from decoding.decode_image import decode; from PIL import Image; Image.init()\n"
        "before = 'numpy' in sys.modules; decode(sys.stdin.buffer.read(), ['PNG'], 10**6, 10**4); print(before, 'numpy' in sys.modules)"
    )
    for content, needed in ((deep_png(deep(LIGHT)), False), (deep_png(deep(LIGHT), LINEAR), True)):
        told = subprocess.run(
            [sys.executable, "-c", program], input=content, capture_output=True, check=True, cwd=Path(__file__).parents[2]
        ).stdout
        assert told.decode().split() == ["False", str(needed)]
