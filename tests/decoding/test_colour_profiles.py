"""Pictures whose file says by an ICC profile what its colours mean, and pictures whose profile is of no use."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageCms

from decoding.decoder import Decoder
from tests.decoding.icc_profiles import DISPLAY_P3_COLUMNS, SRGB_COLUMNS, cmyk_profile, linear_grey_profile, matrix_profile
from tests.decoding.image_files import LIMITS, PIXELS, saved

RED, GREEN, BLUE = SRGB_COLUMNS
ROTATED = matrix_profile((GREEN, BLUE, RED))  # a file's red is the green of sRGB, its green the blue, and its blue the red
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def differs(made: np.ndarray, expected: object) -> int:
    return int(np.abs(made.astype(int) - np.asarray(expected)).max())


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})])
def test_colours_are_those_that_the_profile_says(decoder: Decoder, kind: str, options: dict[str, bool]) -> None:
    limits = LIMITS.model_copy(update={"formats": ["PNG", "WEBP", "TIFF"]})
    made = decoder.decode(saved(Image.fromarray(PIXELS), kind, icc_profile=ROTATED, **options), limits)
    assert differs(made, PIXELS[..., [2, 0, 1]]) <= 1


def test_display_p3(decoder: Decoder) -> None:
    """The matrices from Display P3 to XYZ, and from XYZ to sRGB, are those of CSS Color 4. Both spaces have the curve of sRGB."""
    to_xyz = np.array([[0.48657095, 0.26566769, 0.19821729], [0.22897456, 0.69173852, 0.07928691], [0.0, 0.04511338, 1.04394437]])
    to_srgb = np.array(
        [[3.24096994, -1.53738318, -0.49861076], [-0.96924364, 1.8759675, 0.04155506], [0.05563008, -0.20397696, 1.05697151]]
    )
    colours = np.random.default_rng(3).integers(0, 256, (31, 29, 3), np.uint8)
    encoded = colours / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ to_xyz.T @ to_srgb.T, 0, 1)
    expected = 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    made = decoder.decode(saved(Image.fromarray(colours), "PNG", icc_profile=matrix_profile(DISPLAY_P3_COLUMNS)), LIMITS)
    assert np.abs(made - expected).max() <= 2
    assert np.abs(made.astype(int) - colours).max() > 40, "the colours differ much"


def test_a_jpeg_of_a_phone(decoder: Decoder) -> None:
    cells = np.array([[[234, 51, 35], [128, 128, 128]]], np.uint8).repeat(16, axis=0).repeat(16, axis=1)
    content = saved(Image.fromarray(cells), "JPEG", quality=100, subsampling=0, icc_profile=matrix_profile(DISPLAY_P3_COLUMNS))
    made = decoder.decode(content, LIMITS)
    assert differs(made[:, :16], [255, 0, 0]) <= 6  # the code of JPEG is off by up to 2 in each channel before the conversion
    assert differs(made[:, 16:], [128, 128, 128]) <= 2


def test_transparent_parts_lie_over_white_after_the_conversion(decoder: Decoder) -> None:
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    made = decoder.decode(saved(Image.fromarray(rgba), "PNG", icc_profile=ROTATED), LIMITS)
    # 51/255 is one fifth, so the colour is 0.2 · (0, 200, 100) + 0.8 · 255.
    assert differs(made, [[[0, 200, 100], [255, 255, 255], [204, 244, 224]]]) <= 1


def test_a_palette_with_a_profile(decoder: Decoder) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 7, 8, 9])
    made = decoder.decode(saved(image, "PNG", icc_profile=ROTATED, transparency=1), LIMITS)
    assert differs(made, [[[0, 255, 0], [255, 255, 255], [9, 7, 8]]]) <= 1


def test_grey_with_a_profile(decoder: Decoder) -> None:
    """A light of 0.216 is 0.502 in sRGB: 1.055 · 0.216^(1/2.4) − 0.055."""
    grey = np.array([[0, 55, 255]], np.uint8)
    deep = grey.astype(np.uint16) * 257
    for image in (Image.fromarray(grey), Image.fromarray(deep)):
        made = decoder.decode(saved(image, "PNG", icc_profile=linear_grey_profile()), LIMITS)
        assert differs(made, [[[0] * 3, [128] * 3, [255] * 3]]) <= 1


def test_cmyk_with_a_profile(decoder: Decoder) -> None:
    """With this profile, cyan ink has the lightness L* 50, which is 119 in sRGB, black has 0, and the other inks are invisible."""
    profile = cmyk_profile(lambda cyan, _magenta, _yellow, black: 0 if black else 50 if cyan else 100)
    cmyk = np.zeros((8, 24, 4), np.uint8)
    cmyk[:, 8:16] = [255, 0, 0, 0]
    cmyk[:, 16:] = [0, 255, 255, 0]
    image = Image.frombytes("CMYK", (24, 8), cmyk.tobytes())
    made = decoder.decode(saved(image, "JPEG", quality=100, icc_profile=profile), LIMITS)
    assert differs(made[:, 3::8], [[255] * 3, [119] * 3, [255] * 3]) <= 2


def test_lab(decoder: Decoder) -> None:
    """L*, a* and b* of random colours follow from the formulas of CIE 15, with the columns of sRGB that are adapted to D50.

    The bytes of a TIFF file are L* · 2.55 and the rounded a* and b*, which have a sign (two's complement).
    """
    colours = np.random.default_rng(4).integers(100, 200, (7, 11, 3))
    colours[0, :3] = [[255] * 3, [119] * 3, [0] * 3]
    encoded = colours / 255
    light = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    relative = light @ np.array(SRGB_COLUMNS) / [0.9642, 1.0, 0.8249]
    x, y, z = np.moveaxis(np.where(relative > (6 / 29) ** 3, np.cbrt(relative), relative / (3 * (6 / 29) ** 2) + 4 / 29), -1, 0)
    lab = np.rint([2.55 * (116 * y - 16), 500 * (x - y), 200 * (y - z)]).astype(int)
    np.testing.assert_array_equal(lab[:, 0, :3], [[255, 128, 0], [0, 0, 0], [0, 0, 0]])
    file = saved(Image.frombytes("LAB", (11, 7), (np.moveaxis(lab, 0, -1) % 256).astype(np.uint8).tobytes()), "TIFF")
    assert differs(decoder.decode(file, LIMITS.model_copy(update={"formats": ("TIFF",)})), colours) <= 4


@pytest.mark.parametrize(
    "profile", [SRGB, matrix_profile(SRGB_COLUMNS), ROTATED[:200], b"no profile", linear_grey_profile(), cmyk_profile(lambda *_: 0)]
)
def test_profiles_of_srgb_broken_ones_and_those_of_other_channels_change_nothing(decoder: Decoder, profile: bytes) -> None:
    np.testing.assert_array_equal(decoder.decode(saved(Image.fromarray(PIXELS), "PNG", icc_profile=profile), LIMITS), PIXELS)


def test_a_profile_of_rgb_in_a_grey_picture_changes_nothing(decoder: Decoder) -> None:
    grey = PIXELS[..., 0]
    made = decoder.decode(saved(Image.fromarray(grey), "PNG", icc_profile=ROTATED), LIMITS)
    np.testing.assert_array_equal(made, np.repeat(grey[..., None], 3, axis=2))


def test_a_transparent_value_of_16_bit_grey_is_white(decoder: Decoder) -> None:
    values = np.array([[0x0100, 0x0101, 0x6400]], np.uint16)
    made = decoder.decode(saved(Image.fromarray(values), "PNG", transparency=0x0101), LIMITS)
    np.testing.assert_array_equal(made, [[[1] * 3, [255] * 3, [100] * 3]])
