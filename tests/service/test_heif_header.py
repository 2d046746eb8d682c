"""The service reads the size of AVIF and HEIC files from their boxes, without a decoder."""

from __future__ import annotations

import io
import struct

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from schemas.errors import ImageTooLarge, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits
from service.heif_header import HeifSizes, heif_format, heif_sizes
from service.image_check import ImageHeader, check_image

LIMITS = ImageLimits()


def photo(kind: str, width: int = 63, height: int = 40) -> bytes:
    pillow_heif.register_heif_opener()
    buffer = io.BytesIO()
    image = np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(image).save(buffer, kind)
    return buffer.getvalue()


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def full_box(kind: bytes, content: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags) + content)


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_the_picture_is_measured_as_it_is_shown(kind: str) -> None:
    """HEIC codes 64 × 64 pixels here, of which 63 × 40 are shown."""
    assert check_image(photo(kind), LIMITS) == ImageHeader(kind, 63, 40)


def test_the_primary_item_is_the_picture_and_the_largest_item_is_bounded() -> None:
    """Property 1 is a thumbnail of 3 × 5, 2 the picture of 70 × 50, 3 its cut to 61 × 50, and 4 a plane of 900 × 2."""
    sizes = [(3, 5), (70, 50), (900, 2)]
    thumbnail, picture, plane = (full_box(b"ispe", struct.pack(">II", *size)) for size in sizes)
    cut = box(b"clap", struct.pack(">8I", 122, 2, 50, 1, 0, 1, 0, 1))
    for id_code, version in ((">H", 0), (">I", 1)):
        for wide in (False, True):
            number = (lambda n: struct.pack(">H", 0x8000 | n)) if wide else (lambda n: bytes([0x80 | n]))
            rows = [(1, [1]), (7, [2, 3]), (9, [4])]
            items = b"".join(struct.pack(id_code, item) + bytes([len(own)]) + b"".join(map(number, own)) for item, own in rows)
            links = full_box(b"ipma", struct.pack(">I", len(rows)) + items, version, int(wide))
            properties = box(b"iprp", box(b"ipco", thumbnail + picture + cut + plane) + links)
            primary = full_box(b"pitm", struct.pack(id_code, 7), version)
            content = box(b"ftyp", b"mif1\0\0\0\0mif1heic") + full_box(b"meta", primary + properties)
            assert heif_format(content) == "HEIF"
            assert heif_sizes(content) == HeifSizes(picture=(61, 50), largest=(70, 50))
            with pytest.raises(ImageTooLarge, match="70 × 50"):
                check_image(content, ImageLimits(max_pixels=3499))


def test_a_container_alone_is_no_format_of_ours() -> None:
    """`mif1` says only that there are images; HEIC with another coding, and videos, have no brand of ours."""
    for brands in (b"mif1\0\0\0\0mif1miaf", b"isom\0\0\0\0isomavc1mp41"):
        with pytest.raises(UnsupportedFormat):
            check_image(box(b"ftyp", brands), LIMITS)
    with pytest.raises(UnsupportedFormat, match="one of JPEG, PNG"):
        check_image(photo("AVIF"), ImageLimits(formats=("JPEG", "PNG")))


@pytest.mark.parametrize("kind", ["AVIF", "HEIF"])
def test_cut_and_mutated_headers_are_refused_or_read_but_never_fail(kind: str) -> None:
    whole = photo(kind)
    header = whole[: min(len(whole), 700)]
    random = np.random.default_rng(0)
    for length in range(12, len(header), 5):
        try_to_read(header[:length])
    for _ in range(2000):
        content = bytearray(header)
        for place in random.integers(12, len(content), 3):
            content[place] = random.choice([0, 1, 0x7F, 0xFF, int(random.integers(256))])
        try_to_read(bytes(content))


def try_to_read(content: bytes) -> None:
    try:
        found = check_image(content, LIMITS)
    except (InvalidImage, ImageTooLarge, UnsupportedFormat):
        return
    assert 0 < found.width <= LIMITS.max_side
    assert 0 < found.height <= LIMITS.max_side
