"""Width and height are swapped for the same files as Pillow turns, and a file that goes on and on is left soon."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image, ImageOps, PngImagePlugin

from service.image_orientation import swaps_sides

PIXELS = np.random.default_rng(6).integers(0, 256, (19, 45, 3), np.uint8)
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'


def saved(image_format: str, orientation: int | None, **options: object) -> bytes:
    buffer = io.BytesIO()
    if orientation is not None:
        exif = Image.Exif()
        exif[0x010F] = "a maker whose name is longer than four bytes"
        exif[0x0112] = orientation
        options["exif"] = exif
    Image.fromarray(PIXELS).save(buffer, image_format, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_is_read_as_pillow_reads_it(image_format: str) -> None:
    for orientation in (None, 0, *range(1, 9), 9):
        content = saved(image_format, orientation)
        with Image.open(io.BytesIO(content)) as image:
            turned = ImageOps.exif_transpose(image).size == (19, 45)
        assert swaps_sides(content, image_format) is turned, orientation


@pytest.mark.parametrize("image_format", ["GIF", "BMP", "NPY"])
def test_formats_without_orientation_are_upright(image_format: str) -> None:
    assert swaps_sides(b"", image_format) is False


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_an_orientation_in_xmp_data_is_left_to_the_decoder(image_format: str) -> None:
    content = saved(image_format, None, xmp=XMP)
    with Image.open(io.BytesIO(content)) as image:
        assert ImageOps.exif_transpose(image).size == (19, 45)  # Pillow finds it there
    assert swaps_sides(content, image_format) is None
    assert swaps_sides(saved(image_format, 6, xmp=XMP), image_format) is True  # EXIF data comes first


def test_an_orientation_in_a_text_of_a_png_is_left_to_the_decoder() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    assert swaps_sides(saved("PNG", None, pnginfo=texts), "PNG") is None


@pytest.mark.parametrize("image_format", ["AVIF", "HEIF"])
def test_formats_that_turn_pictures_in_their_own_way_are_left_to_the_decoder(image_format: str) -> None:
    assert swaps_sides(b"", image_format) is None


def test_a_directory_of_65535_tags_with_long_values_takes_no_memory_for_them() -> None:
    """Pillow copies the value of every tag: here, 65,535 times a megabyte."""
    tag = struct.pack("<HHII", 0x9999, 7, 1_000_000, 8)
    tiff = b"II*\0" + struct.pack("<IH", 8, 65_535) + tag * 65_535 + bytes(1_000_000)
    started = time.process_time()
    assert swaps_sides(tiff, "TIFF") is False
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("image_format", "content"),
    [
        ("JPEG", b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5_000_000),
        ("PNG", bytes(8) + (struct.pack(">I4s", 0, b"abcd") + bytes(4)) * 1_500_000),
        ("WEBP", bytes(12) + struct.pack("<4sI", b"abcd", 0) * 2_000_000),
    ],
)
def test_a_file_of_millions_of_pieces_is_left_soon(image_format: str, content: bytes) -> None:
    started = time.process_time()
    assert swaps_sides(content, image_format) is None
    assert time.process_time() - started < 2
