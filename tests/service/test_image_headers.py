"""The parsers of headers agree with Pillow, and take few steps whatever a file claims."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from service.image_headers import SIZE_READERS, BrokenHeader, bmp_size, gif_size, jpeg_size, png_size, tiff_size, webp_size

PIXELS = np.random.default_rng(5).integers(0, 256, (19, 45, 3), np.uint8)
MODES = {
    "JPEG": ("L", "RGB", "CMYK"),
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "GIF": ("L", "P"),
    "BMP": ("1", "L", "P", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "RGB", "CMYK", "I;16", "F"),
}
EXTRAS: dict[str, list[dict[str, object]]] = {
    "JPEG": [{"progressive": True}, {"exif": b"Exif\0\0" + bytes(60_000)}, {"icc_profile": bytes(200_000)}, {"comment": b"x" * 60_000}],
    "PNG": [{"icc_profile": bytes(200_000)}, {"interlace": 1}],
    "GIF": [{"comment": b"x" * 10_000}, {"save_all": True, "append_images": [Image.new("L", (45, 19))]}],
    "WEBP": [{"lossless": True}, {"quality": 5}, {"exif": bytes(1000)}, {"save_all": True, "append_images": [Image.new("RGB", (45, 19))]}],
    "TIFF": [{"compression": "tiff_lzw"}, {"big_endian": True}],
    "BMP": [],
}


def saved(kind: str, mode: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).convert("I" if mode == "I;16" else mode).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", MODES)
def test_every_kind_of_file_has_the_size_that_pillow_reads(kind: str) -> None:
    for mode in MODES[kind]:
        for options in ({}, *EXTRAS[kind]):
            content = saved(kind, mode, **options)
            with Image.open(io.BytesIO(content)) as image:
                assert SIZE_READERS[kind](content) == image.size == (45, 19), (mode, options)


def test_sizes_that_were_written_by_hand() -> None:
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 300, 70, 3)
    assert jpeg_size(b"\xff\xd8" + b"\xff\xfe\x00\x05abc" + b"\xff\xff\xff\xd0" + frame) == (70, 300)
    assert bmp_size(b"BM" + bytes(12) + struct.pack("<Iii", 40, 7, -5)) == (7, 5)
    assert bmp_size(b"BM" + bytes(12) + struct.pack("<IHH", 12, 7, 5)) == (7, 5)
    screen = b"GIF89a" + struct.pack("<HHBBB", 7, 5, 0x80, 0, 0) + bytes(6)
    extension = b"\x21\xfe\x02ab\x01c\x00"
    assert gif_size(screen + extension + b"\x2c" + struct.pack("<HHHHB", 2, 3, 4, 9, 0)) == (7, 12)
    assert webp_size(b"RIFF" + bytes(4) + b"WEBPVP8X" + bytes(8) + b"\x06\0\0\x04\0\0") == (7, 5)
    directory = struct.pack(">H", 2) + struct.pack(">HHIHH", 256, 3, 1, 7, 0) + struct.pack(">HHII", 257, 4, 1, 5)
    assert tiff_size(b"MM\0*" + struct.pack(">I", 8) + directory) == (7, 5)


@pytest.mark.parametrize(
    ("read", "content", "says"),
    [
        (jpeg_size, b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5_000_000, "more than 100,000 segments"),
        (jpeg_size, b"\xff\xd8" + b"\xff" * 20_000_000, "more than 100,000 segments"),
        (jpeg_size, b"\xff\xd8" + b"\xff\xe0\x00\x00" * 5_000_000, "more than 100,000 segments"),
        (jpeg_size, b"\xff\xd8\xff\xda", "begins or ends before"),
        (jpeg_size, b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 12, 3, 5, 3), "3 components of 12 bits"),
        (gif_size, b"GIF89a" + bytes(7) + b"\x21\xfe" + b"\x01x" * 10_000_000, "more than 100,000 blocks"),
        (gif_size, b"GIF89a" + bytes(7) + b"\x21\xfe\x00" * 6_000_000, "more than 100,000 extensions"),
        (gif_size, b"GIF89a" + bytes(7) + b";", "no frame"),
        (png_size, b"\x89PNG\r\n\x1a\n" + bytes(30), "begin with the chunk IHDR"),
        (webp_size, b"RIFF" + bytes(4) + b"WEBPJUNK" + bytes(30), "no picture"),
        (bmp_size, b"BM" + bytes(30), "no BMP header of 0 bytes"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "" if isinstance(value, bytes) else value,
)
def test_a_file_that_goes_on_without_a_size_is_left_soon(read: Callable[[bytes], object], content: bytes, says: str) -> None:
    """20 MB of segments take no memory, and a fraction of the seconds that Pillow's plugin takes (5 s)."""
    tracemalloc.start()
    started = time.process_time()
    with pytest.raises(BrokenHeader, match=says):
        read(content)
    assert time.process_time() - started < 2
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10**6


def test_a_png_with_a_wrong_checksum_is_broken() -> None:
    content = bytearray(saved("PNG", "RGB"))
    content[19] ^= 1
    with pytest.raises(BrokenHeader, match="checksum"):
        png_size(bytes(content))
