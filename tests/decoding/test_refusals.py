from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from decoding.decoder import Decoder
from schemas.errors import ImageTooLarge, InvalidImage, UnsupportedFormat
from tests.decoding.image_files import LIMITS, PIXELS, png_chunk, saved


def test_text_named_png(decoder: Decoder) -> None:
    with pytest.raises(UnsupportedFormat, match=r"none of JPEG, PNG, WEBP, GIF, BMP, AVIF, HEIF\..*34 bytes.*this is a te") as caught:
        decoder.decode(b"this is a text file named cat.png\n", LIMITS)
    assert caught.value.allowed == "JPEG, PNG, WEBP, GIF, BMP, AVIF, HEIF"


def test_empty_file(decoder: Decoder) -> None:
    with pytest.raises(UnsupportedFormat, match="0 bytes"):
        decoder.decode(b"", LIMITS)


def test_tiff_only_when_turned_on(decoder: Decoder) -> None:
    content = saved(Image.fromarray(PIXELS), "TIFF")
    with pytest.raises(UnsupportedFormat):
        decoder.decode(content, LIMITS)
    np.testing.assert_array_equal(decoder.decode(content, LIMITS.model_copy(update={"formats": ("TIFF",)})), PIXELS)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_a_file_that_is_cut_short_is_refused(decoder: Decoder, kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    content = saved(Image.fromarray(noise), kind)
    with pytest.raises(InvalidImage, match=rf"{kind}") as caught:
        decoder.decode(content[: int(len(content) * share)], LIMITS)
    assert "/" not in caught.value.detail  # the message holds no path and no object's address


@pytest.mark.parametrize("mode", ["I", "F"])
def test_a_picture_of_32_bits_is_not_called_damaged(decoder: Decoder, mode: str) -> None:
    content = saved(Image.new(mode, (8, 6)), "TIFF")
    with pytest.raises(InvalidImage) as caught:
        decoder.decode(content, LIMITS.model_copy(update={"formats": ("TIFF",)}))
    reason = "The TIFF file of 8 × 6 pixels cannot be used: it has 32 bits per channel, and 8 or 16 are allowed."
    assert caught.value.detail == reason


def test_a_signature_alone_is_a_broken_image(decoder: Decoder) -> None:
    with pytest.raises(InvalidImage, match="begins like a PNG file, but its header cannot be read"):
        decoder.decode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, LIMITS)


def test_a_decompression_bomb_is_refused_by_its_header(decoder: Decoder) -> None:
    side = 30_000
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\x00" * (side // 8 + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    assert len(content) < 200_000
    with pytest.raises(ImageTooLarge, match=r"30,000 × 30,000 pixels\. At most 25,000,000") as caught:
        decoder.decode(content, LIMITS)
    assert caught.value.got == "30000 x 30000"


def test_the_longest_side_is_bounded(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match="16,385 × 1"):
        decoder.decode(saved(Image.new("L", (16_385, 1)), "PNG"), LIMITS)


def test_bytes_are_bounded(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match=r"46 bytes\. At most 45"):
        decoder.decode(b"x" * 46, LIMITS.model_copy(update={"max_bytes": 45}))


def test_the_largest_image_allowed_fits_the_memory(decoder: Decoder) -> None:
    image = Image.new("RGBA", (5000, 5000), (0, 0, 0, 51))
    exif = Image.Exif()
    exif[0x0112] = 6
    made = decoder.decode(saved(image, "PNG", compress_level=1, exif=exif), LIMITS)
    assert made.shape == (5000, 5000, 3)
    assert made[17, 4000].tolist() == [204, 204, 204]


def test_memory_is_bounded() -> None:
    content = saved(Image.new("RGB", (4000, 4000)), "PNG")
    with Decoder(memory_bytes=100 << 20) as decoder:
        with pytest.raises(ImageTooLarge, match="memory"):
            decoder.decode(content, LIMITS)
        np.testing.assert_array_equal(decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS), PIXELS)
